"""Solutions of exercise 03: a ReLU network is a patchwork."""

import itertools

import numpy as np


def unstable_neurons(A0, b0, low, high):
    """Which hidden neurons are on somewhere in a box of inputs, and off elsewhere in it?

    The lesson looks at one input at a time. In a whole box, low_j <= x_j <= high_j, the number
    z_i = A0_i · x + b0_i takes all values between a smallest and a largest. They lie in corners of
    the box, but a box has 2^d corners: find both without visiting them. Each input by itself may
    be as small or as large as it likes.

    A neuron is called unstable if its smallest z is below 0 and its largest above: its seam cuts
    the box. All others are linear there, so that the box holds no kink of them.

    A0 : (h, d) input weights, one row for each neuron;  b0 : (h,) biases
    low, high : (d,) the ends of the box, low < high
    Returns (h,) of True and False.
    Example: for A0 = [[1, -1]], b0 = [0.5] and the box from [0, 0] to [1, 1], z goes from -0.5 to
    1.5: array([True]).
    """
    ends = np.stack([A0 * low, A0 * high])
    smallest, largest = ends.min(axis=0).sum(axis=1) + b0, ends.max(axis=0).sum(axis=1) + b0
    return (smallest < 0) & (largest > 0)


def patch_map(A0, b0, A1, b1, x):
    """The linear map that the network is in the patch around one input.

        f = W x + c,    W = A1 D A0,    c = A1 D b0 + b1
        D = diagonal, 1 where a neuron is on at x, 0 where it is off

    A0 (h, d), b0 (h,), A1 (K, h), b1 (K,) : the network A1 relu(A0 x + b0) + b1
    x : (d,) one input
    Returns W (K, d) and c (K,), as a tuple.
    Example: where all neurons are off, W is zero and c is b1.
    """
    on = (A0 @ x + b0 > 0).astype(float)
    return (A1 * on) @ A0, (A1 * on) @ b0 + b1


def scales_between(A0, b0, B0, c0):
    """By which factor was each neuron rescaled? The inverse of what the lesson does.

        B0_i = s_i A0_i   and   c0_i = s_i b0_i,     with s_i > 0

    Two hidden layers A0, b0 and B0, c0 are given. If every neuron of the second is one of the first
    (the one with the same number) made s_i times larger, tell the factors. Weights may be 0, so
    that a quotient of single entries will not do; a whole row is not 0.

    A0, B0 : (h, d);  b0, c0 : (h,)
    Returns the factors (h,).
    Raises ValueError if a neuron is not the other made larger or smaller: another direction,
    another bias, or a factor that is not above 0 (miss at most a millionth of the row's length).
    Example: A0 = [[1, 0]], b0 = [2], B0 = [[3, 0]], c0 = [6]: array([3.]).
    """
    before, after = np.column_stack([A0, b0]), np.column_stack([B0, c0])
    s = np.linalg.norm(after, axis=1) / np.linalg.norm(before, axis=1)
    rest = np.linalg.norm(after - s[:, None] * before, axis=1)
    if np.any((rest > 1e-6 * np.linalg.norm(after, axis=1)) | (s <= 0)):
        raise ValueError("the layers differ by more than a factor above 0 for each neuron")
    return s


def normal_form(A0, b0, A1):
    """The same network without free scales: every row of A0 has length 1.

        length_i = ‖A0_i‖ = sqrt(Σ_j A0_ij²);  divide row and bias by it, multiply column i of A1

    Two networks that differ by scales only have the same normal form.

    A0 (h, d) without zero rows, b0 (h,), A1 (K, h)
    Returns new A0, b0, A1, as a tuple.
    """
    length = np.sqrt((A0**2).sum(axis=1))
    return A0 / length[:, None], b0 / length, A1 * length


def unknowns(widths):
    """How many numbers of a network of any depth its answers can ever tell.

    The lesson counts for one hidden layer. A network with the widths [d, h_1, ..., h_m, K] has a
    matrix and a bias vector between any two neighbouring widths, and one free scale for each
    hidden neuron, in whatever layer it stands.

    widths : list of whole numbers: inputs, hidden layers (perhaps none), outputs
    Returns a whole number.
    Example: unknowns([1, 1, 1]) is 3: four numbers, one free scale.
    """
    total = sum((before + 1) * after for before, after in itertools.pairwise(widths))
    return total - sum(widths[1:-1])
