"""What an attack that learns does unless told otherwise: here, on the command line, and in a grid.

The copies of the papers train longer (Pal et al. 2020: up to 1,000 epochs on a GPU); these
values are for minutes on two cores. A call, an option, or a line of a grid changes each of them.
"""

STRATEGY = "k-center"
BUDGET = 1000  # rows to ask in all; Jacobian augmentation has its own end, n 2^rounds
ROUNDS = 5
EPOCHS = 30  # at most, for each copy
PATIENCE = 5  # epochs without progress on the validation rows
BATCH = 50
LAM = 0.1  # λ of Jacobian augmentation, in input units
