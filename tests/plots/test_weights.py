"""True against recovered weights, as they are drawn."""

import numpy as np
import pytest
from pictures import W, fresh, in_colour, texts

from mstheft.plots import style, weights


def test_matrices_draws_one_dot_for_each_pair():
    ax = weights.matrices(W, W + 0.1, ax=fresh())
    (dots,) = in_colour(ax, style.COPY)
    np.testing.assert_array_equal(dots.get_xydata(), np.stack([W, W + 0.1], -1).reshape(-1, 2))
    (diagonal,) = in_colour(ax, style.VICTIM)
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert ax.get_xlim() == ax.get_ylim()


@pytest.mark.parametrize("plot", [weights.matrices, weights.rows, weights.signs])
def test_unaligned_weights_are_refused(plot):
    with pytest.raises(ValueError, match=r"one shape, got \(5, 12\) and \(4, 12\)"):
        plot(W, W[:4])


def test_rows_draws_true_recovered_and_difference():
    ax = weights.rows(W, W + 0.25, ax=fresh(), count=3)
    true, recovered, difference = (image.get_array() for image in ax.images)
    np.testing.assert_array_equal(true, W[:3])
    np.testing.assert_array_equal(recovered, W[:3] + 0.25)
    np.testing.assert_allclose(difference, 0.25)
    assert ax.images[0].get_clim() == ax.images[1].get_clim()
    assert "at most 2.5e-01" in ax.get_yticklabels()[2].get_text()


def test_rows_as_pictures_keep_their_shape():
    ax = weights.rows(W, W, image_shape=(3, 4), count=2)
    shown = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert shown.shape == (3, 9)
    assert np.isnan(shown[:, 4]).all()
    np.testing.assert_array_equal(shown[:, :4], W[0].reshape(3, 4))
    np.testing.assert_array_equal(shown[:, 5:], W[1].reshape(3, 4))


def test_signs_marks_what_turned():
    ax = weights.signs(np.abs(W), W, ax=fresh())
    before, after = (image.get_array() for image in ax.images)
    assert (before == 1).all()
    np.testing.assert_array_equal(after, np.sign(W))
    (dots,) = in_colour(ax, style.VICTIM)
    marked = np.zeros(W.shape, bool)
    top = ax.images[1].get_extent()[3]
    marked[(dots.get_ydata() - top - 0.5).round().astype(int), dots.get_xdata().astype(int)] = True
    np.testing.assert_array_equal(marked, W < 0)
    assert f"{(W < 0).sum()} of 60 signs turned" in texts(ax)


def test_errors_counts_every_number_once():
    difference = np.array([[0, 1e-9, -1e-9], [3e-7, 2e-8, 0]])
    ax = weights.errors(difference, ax=fresh())
    assert sum(bar.get_height() for bar in ax.patches) == 4
    assert ax.get_xscale() == "log"
    assert "2 exactly zero" in texts(ax)
    assert "3.0e-07" in texts(ax)
    assert "3 exactly zero" in texts(weights.errors(np.zeros(3)))


def test_second_differences_draws_a_bar_for_each_input():
    ax = weights.second_differences([3, 7, 9], [0.5, 0.1, 2.0], ax=fresh())
    centres = [bar.get_x() + bar.get_width() / 2 for bar in ax.patches]
    np.testing.assert_allclose(centres, [3, 7, 9])
    assert [bar.get_height() for bar in ax.patches] == [0.5, 0.1, 2.0]
