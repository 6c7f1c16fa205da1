"""Labels alone, as they are drawn."""

import matplotlib
import numpy as np
import pytest
from matplotlib.contour import QuadContourSet
from pictures import fresh, in_colour, texts

from mstheft.plots import labels, style

GRID = np.linspace(-1, 1, 201)
X, Y = np.meshgrid(GRID, GRID)


def curves(ax, colour):
    """The vertices of all contour lines of a colour."""
    found = [
        path.vertices
        for each in ax.collections
        if isinstance(each, QuadContourSet)
        and not each.filled
        and matplotlib.colors.to_hex(each.get_edgecolor()[0]) == colour
        for path in each.get_paths()
    ]
    return np.vstack(found)


def test_the_boundary_is_where_the_label_changes_and_its_walls_and_bends_stand_on_it():
    """f = y - |x - 0.3|: a boundary with one bend, at the wall x = 0.3."""
    ax = labels.boundary(
        GRID, GRID, (Y - np.abs(X - 0.3) > 0).astype(int), ax=fresh(), walls=[X - 0.3],
        bends=[[0.3, 0.0]],
    )  # fmt: skip
    line = curves(ax, style.VICTIM)
    np.testing.assert_allclose(line[:, 1], np.abs(line[:, 0] - 0.3), atol=0.011)
    assert np.ptp(line[:, 0]) > 1.2
    np.testing.assert_allclose(curves(ax, style.KINK)[:, 0], 0.3, atol=1e-9)
    (dots,) = in_colour(ax, style.QUERY)
    np.testing.assert_array_equal(dots.get_xydata(), [[0.3, 0]])
    assert "label 0" in texts(ax)
    assert "a bend" in texts(ax)


def test_without_walls_and_bends_none_are_named():
    ax = labels.boundary(GRID, GRID, (X > 0).astype(int), ax=fresh())
    assert "label 1" in texts(ax)
    assert "walls" not in texts(ax)
    assert "bend" not in texts(ax)


@pytest.mark.parametrize("length", [1.0, 7.0, -0.5])
def test_the_row_of_a_bend_lies_in_the_plane_of_its_normals(length):
    rng = np.random.default_rng(0)
    g, row = rng.normal(size=(2, 6))
    ax = labels.normals_and_row(g, g + 0.3 * row, length * row, ax=fresh())
    assert "1.000000000" in texts(ax)
    (line,) = in_colour(ax, style.KINK)
    (dotted,) = in_colour(ax, style.QUIET)
    along = [np.diff(each.get_xydata(), axis=0)[0] for each in (line, dotted)]
    assert abs(np.linalg.det([v / np.linalg.norm(v) for v in along])) < 1e-9, "parallel"
    start, end = dotted.get_xydata()
    np.testing.assert_allclose(start, [1, 0], atol=1e-12)
    size = np.linalg.norm(g + 0.3 * row) / np.linalg.norm(g)
    assert np.linalg.norm(end) == pytest.approx(size)


def test_a_row_of_another_neuron_is_seen_not_to_lie_there():
    rng = np.random.default_rng(1)
    g, row, other = rng.normal(size=(3, 6))
    ax = labels.normals_and_row(g, g + row, other, ax=fresh())
    n, m = np.linalg.qr(np.stack([g, row], axis=1))[0].T
    inside = np.hypot(n @ other, m @ other) / np.linalg.norm(other)
    assert f"{inside:.9f}" in texts(ax)
    assert inside < 0.99
