"""The stages of the sweep, as they are drawn."""

from types import SimpleNamespace

import matplotlib
import numpy as np
from pictures import W, a_line, a_plan, fresh, in_colour, texts

from mstheft.plots import style, sweep


def test_jumps_draws_one_arrow_of_length_one_for_each_kink():
    ax = sweep.jumps(a_line(), ax=fresh())
    (arrows,) = ax.collections
    np.testing.assert_allclose(np.hypot(arrows.U, arrows.V), 1)
    np.testing.assert_allclose(arrows.V / arrows.U, [-0.5, -0.125, 2])
    assert "3 slope jumps" in texts(ax)
    one = SimpleNamespace(jumps=np.array([[2.0], [-3.0]]))
    (arrows,) = sweep.jumps(one, ax=fresh()).collections
    np.testing.assert_array_equal(arrows.U, [1, -1])
    np.testing.assert_array_equal(arrows.V, 0)


def test_gaps_fills_the_chosen_ones_and_keeps_the_heights():
    ax = sweep.gaps(a_line(), a_plan(), ax=fresh())
    filled = [bar for bar in ax.patches if matplotlib.colors.to_hex(bar.get_fc()) == style.QUERY]
    assert [round(bar.get_x() + bar.get_width() / 2) for bar in filled] == [0, 2, 3]
    np.testing.assert_allclose([bar.get_height() for bar in filled], [0.5, 0.1, 0.3])
    assert len(ax.patches) == 4
    assert "3 Jacobians in 2 groups" in texts(ax)
    assert len(in_colour(ax, style.KINK)) == 3


def test_group_draws_change_directions_and_rows():
    change = W[:3, :2] @ W[:2]
    ax = sweep.group(change, W[:3, :2].T, W[:2], ax=fresh())
    shown = [np.ma.filled(image.get_array(), np.nan) for image in ax.images]
    np.testing.assert_array_equal(shown[0], change)
    np.testing.assert_array_equal(shown[1], W[:3, :2])
    np.testing.assert_array_equal(shown[2], W[:2])
    np.testing.assert_allclose(shown[1] @ shown[2], shown[0])


def test_signs_draws_every_sign_unrounded():
    solved = np.array([1, -1, 1 + 1e-3, -0.98])
    ax = sweep.signs(solved, ax=fresh())
    dots = np.concatenate([line.get_xydata() for line in ax.lines if line.get_marker() == "o"])
    np.testing.assert_array_equal(dots[np.argsort(dots[:, 0]), 1], solved)
    assert "2.0e-02 off" in texts(ax)
