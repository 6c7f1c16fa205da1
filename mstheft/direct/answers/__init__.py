"""What answers are worth: their noise, where they tell most, and what a victim is blamed for."""
