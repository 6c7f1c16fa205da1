"""Plots of the attack on smooth networks that need no attack."""

import numpy as np

from mstheft.direct.smooth import lines
from mstheft.plots import smooth as plots


def test_dots_of_different_measures_are_not_joined():
    """The largest miss on fresh inputs stands above a root mean square: no falling curve."""
    ax = plots.errors({"fit": 1e-15, "verify": 1e-12})
    (dots,) = ax.lines
    assert (dots.get_linestyle(), dots.get_marker()) == ("None", "o")


def test_a_curve_has_no_ticks_where_its_axis_is_linear():
    t = np.concatenate([-lines.OCTAVES[::-1], lines.OCTAVES])
    ax = plots.curve(t, np.tanh(t), (t, np.tanh(t)))
    np.testing.assert_allclose(ax.get_xticks(), [-10, -1, -0.1, 0, 0.1, 1, 10])
