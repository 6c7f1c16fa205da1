"""Equation solving, as it is drawn."""

import numpy as np
import pytest
from pictures import RNG, P, W, X, fresh, in_colour, texts

from mstheft.plots import linear, style


def test_logit_line_draws_curve_and_line():
    ax = linear.logit_line(X, P, 2 * X, 2 * X + 0.1, ax=fresh())
    (line,) = in_colour(ax, style.COPY)
    np.testing.assert_array_equal(line.get_ydata(), 2 * X + 0.1)
    (dots,) = in_colour(ax, style.QUERY)
    np.testing.assert_array_equal(dots.get_ydata(), 2 * X)
    right = ax.figure.axes[1]
    assert "probability" in right.get_ylabel()
    for one in right.lines:
        np.testing.assert_array_equal(one.get_xydata(), np.stack([X, P], axis=1))


@pytest.mark.parametrize("n", [4, 15])
def test_equations_draws_matrix_unknowns_and_right_side(n):
    matrix = np.hstack([RNG.normal(size=(n, 3)), np.ones((n, 1))])
    solution = W[0, :4]
    ax = linear.equations(matrix, matrix @ solution, solution, ax=fresh())
    shown = [image.get_array() for image in ax.images]
    np.testing.assert_array_equal(shown[0], matrix)
    np.testing.assert_array_equal(shown[1], solution[:, None])
    np.testing.assert_array_equal(shown[2], (matrix @ solution)[:, None])
    assert (f"{matrix[0, 0]:.2f}" in texts(ax)) == (n == 4), "figures only where there is room"
    extents = [image.get_extent() for image in ax.images]
    assert extents[0][1] < extents[1][0]
    assert extents[1][1] < extents[2][0]


def test_boundary_lines_satisfy_their_equation():
    true, stolen = (np.array([1.0, 2.0]), 0.5), (np.array([0.5, -1.0]), -0.2)
    points, labels = RNG.normal(size=(40, 2)), np.arange(40) % 3
    ax = linear.boundary(points, labels, true, stolen, ax=fresh())
    ax.figure.canvas.draw()
    for (w, bias), colour in ((true, style.VICTIM), (stolen, style.COPY)):
        (line,) = in_colour(ax, colour)
        through = np.array([line.get_xy1(), line.get_xy2()])
        np.testing.assert_allclose(through @ w + bias, 0, atol=1e-12)
    for k in range(3):
        (cloud,) = in_colour(ax, style.of_class(k))
        np.testing.assert_array_equal(cloud.get_xydata(), points[labels == k])


def test_saturation_leaves_gaps_where_the_logit_is_lost():
    errors = {2: np.array([np.inf, 0.1, 0.0, 0.2]), 4: np.full(4, 1e-4), 1: np.full(4, np.inf)}
    ax = linear.saturation(np.arange(4.0), errors, ax=fresh())
    one, two, four = ax.lines
    assert np.isnan(one.get_ydata()).all()
    np.testing.assert_array_equal(two.get_ydata(), [np.nan, 0.1, np.nan, 0.2])
    np.testing.assert_array_equal(four.get_ydata(), 1e-4)
    assert ax.get_yscale() == "log"
    assert texts(ax) == "2 decimals | 4 decimals"
