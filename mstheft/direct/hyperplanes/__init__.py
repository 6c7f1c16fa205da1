"""What the attacks on hidden ReLU layers share: hyperplanes, Jacobians at places, groups."""
