"""Small inputs for pictures, and what a picture shows."""

from types import SimpleNamespace

import numpy as np
from matplotlib.figure import Figure

from mstheft.nn import zoo
from mstheft.nn.regions import slice_regions


def a_line():
    """Two outputs along a line: kinks at -2, 0.5 and 3, asked from -1e6 to 1e6 as attacks do."""
    kinks, jumps = np.array([-2, 0.5, 3]), np.array([[1.0, -0.5], [-2.0, 0.25], [0.5, 1.0]])
    slopes = np.concatenate([[[0.3, -0.2]], np.cumsum(jumps, axis=0) + np.array([0.3, -0.2])])
    t = np.array([-1e6, -4, -2, -1, 0, 0.5, 1, 3, 5, 1e6])
    answers = 1 + 0.3 * t[:, None] * [1, -2 / 3]
    answers += np.maximum(t[:, None] - kinks, 0) @ jumps
    return SimpleNamespace(
        start=np.zeros(4), direction=np.eye(4)[0], t=t, answers=answers, kinks=kinks, jumps=jumps,
        slopes=slopes,
    )  # fmt: skip


def a_plan():
    """For the three kinks of `a_line`: two groups that share the Jacobian in gap 2."""
    steps = np.array([0.5, 0.02, 0.1, 0.3])
    return SimpleNamespace(groups=[(0, 2), (2, 3)], gaps=[0, 2, 3], steps=steps, t=steps, left=[])


def a_slice(widths=(2, 6, 5, 3)):
    network = zoo.mlp(list(widths), bias=0.8, rng=5)
    return slice_regions(network, [0, 0], [1, 0], [0, 1], points=60, arrows=5)


RNG = np.random.default_rng(0)
W = RNG.normal(size=(5, 12))
X = np.linspace(-3, 3, 9)
P = 1 / (1 + np.exp(-2 * X))
A = np.hstack([RNG.normal(size=(4, 3)), np.ones((4, 1))])
SHARES = np.linspace(0.4, 0.9, 9)
SURE = np.random.default_rng(1).dirichlet(np.ones(3), size=40)
COUNTS = np.array([[7, 1], [0, 12]])


def fresh():
    return Figure().add_subplot()


def in_colour(ax, colour):
    """The lines on ax that are drawn in a colour of the style, marker edges included."""
    return [line for line in ax.lines if colour in (line.get_color(), line.get_markeredgecolor())]


def texts(ax):
    return " | ".join(text.get_text() for text in ax.texts)
