"""Polishing, as it is drawn."""

import numpy as np
from pictures import fresh, in_colour, texts

from mstheft.plots import polish, style


def test_misfit_draws_every_step_and_the_noise_as_a_line():
    ax = polish.misfit([0.3, 0.01, 2e-4], 3e-4, "logits", ax=fresh())
    (curve,) = in_colour(ax, style.COPY)
    np.testing.assert_array_equal(curve.get_xydata(), [[0, 0.3], [1, 0.01], [2, 2e-4]])
    (line,) = in_colour(ax, style.VICTIM)
    assert set(line.get_ydata()) == {3e-4}
    assert ax.get_yscale() == "log"
    assert "(logits)" in ax.get_ylabel()
    assert texts(ax) == "noise | copy"


def test_error_bars_stand_against_the_sizes_and_infinite_ones_are_counted():
    ax = polish.error_bars([1.0, -0.5, 0.2, 3.0], [0.1, 0.3, 0.01, np.inf], ax=fresh())
    (dots,) = in_colour(ax, style.ERROR)
    np.testing.assert_array_equal(dots.get_xydata(), [[1, 0.1], [0.5, 0.3], [0.2, 0.01]])
    assert "50.0% above two error bars" in texts(ax)
    assert "1 not told" in texts(ax)


def test_true_errors_stand_against_their_bars():
    ax = polish.true_errors([0.1, -0.5, 0.2, 7.0], [0.1, 0.1, 0.2, np.inf], ax=fresh())
    (dots,) = in_colour(ax, style.ERROR)
    np.testing.assert_allclose(dots.get_xydata(), [[0.1, 0.1], [0.1, 0.5], [0.2, 0.2]])
    (equal,) = in_colour(ax, style.VICTIM)
    np.testing.assert_array_equal(*equal.get_xydata().T)
    assert "66.7% within two error bars" in texts(ax)


def test_of_very_many_weights_some_are_drawn():
    many = np.full(20_000, 0.1)
    (dots,) = in_colour(polish.true_errors(many, many, ax=fresh()), style.ERROR)
    assert polish.MOST <= len(dots.get_xdata()) < 2 * polish.MOST
