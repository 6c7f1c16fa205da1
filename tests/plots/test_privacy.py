"""Votes and bills, as they are drawn."""

import numpy as np
from pictures import fresh, texts

from mstheft.plots import privacy


def test_votes_are_drawn_by_class_with_the_noise_that_hides_them():
    ax = privacy.votes(np.array([3, 41, 6]), ax=fresh(), sigma=5)
    np.testing.assert_array_equal([bar.get_height() for bar in ax.patches], [3, 41, 6])
    (noise,) = [c for c in ax.collections if hasattr(c, "get_segments")]
    ends = [segment[:, 1] for segment in noise.get_segments()]
    np.testing.assert_allclose(ends, [[-2, 8], [36, 46], [1, 11]])
    assert "35 votes ahead" in texts(ax)
    assert "1 vote ahead" in texts(privacy.votes(np.array([3, 4, 2])))
    assert "classes 0 and 1 have the same number" in texts(privacy.votes(np.array([4, 4, 2])))
    assert "σ" not in texts(privacy.votes(np.array([3, 41, 6])))


def test_the_bill_is_drawn_as_given_and_stays_within_view():
    ax = privacy.epsilon({"GNMax": ([1, 2, 3], [0.5, 0.8, 1.0])}, ax=fresh())
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(line.get_ydata(), [0.5, 0.8, 1.0])
    assert ax.get_ylim()[0] == 0
    assert "GNMax" in texts(ax)


def test_agreement_is_drawn_against_the_bill_beside_the_student_without_privacy():
    ax = privacy.agreement({"GNMax": ([1, 2], [0.7, 0.8])}, 0.95, ax=fresh())
    curve, ceiling = ax.lines
    np.testing.assert_array_equal(curve.get_ydata(), [0.7, 0.8])
    np.testing.assert_array_equal(ceiling.get_ydata(), [0.95, 0.95])
    assert "without privacy" in texts(ax)
    assert len(privacy.agreement({"GNMax": ([1, 2], [0.7, 0.8])}).lines) == 1
