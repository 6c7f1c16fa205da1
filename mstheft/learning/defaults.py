"""What an attack that learns does unless told otherwise: here, on the command line, and in a grid.

Every copy is trained until it has learned: the loss on the held-out answers decides, not a number
of epochs. A call, an option, or a line of a grid changes each of these values.
"""

STRATEGY = "k-center"
BUDGET = 1000  # rows to ask in all; Jacobian augmentation has its own end, n 2^rounds
ROUNDS = 5
EPOCHS = 300  # at most, for each copy
PATIENCE = 5  # epochs without a lower loss on the held-out answers before the rate falls
LEAST = 300  # steps, which these epochs last at least
CUTS = 1  # falls of the rate; the next time training ends
BATCH = 50
AUGMENT = "none"  # the rows as they are; else a name of `nn.augment.KINDS`
WARM = False  # each round trains a fresh copy, as in the paper
LAM = 0.1  # λ of Jacobian augmentation, in input units
