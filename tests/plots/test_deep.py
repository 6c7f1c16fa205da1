"""Two hidden layers, as they are drawn."""

import matplotlib
import numpy as np
from matplotlib.contour import QuadContourSet
from pictures import a_line, a_slice, fresh, in_colour, texts

from mstheft.nn import zoo
from mstheft.plots import deep, style
from mstheft.report.pictures.deep import layers_of


def test_boundaries_are_coloured_by_layer_and_kinks_stand_on_the_line():
    s = a_slice()
    ax = deep.boundaries(s, ax=fresh(), kinks=([0.5, -1.0, 2.0], [1, 2, 1]))
    contours = [c for c in ax.collections if isinstance(c, QuadContourSet)]
    colours = [matplotlib.colors.to_hex(c.get_edgecolor()[0]) for c in contours]
    assert colours == [style.of_layer(boundary.layer) for boundary in s.boundaries]
    assert {style.of_layer(1), style.of_layer(2)} == set(colours)
    first, second = (in_colour(ax, style.of_layer(n)) for n in (1, 2))
    np.testing.assert_array_equal(first[0].get_xydata(), [[0.5, 0], [2, 0]])
    np.testing.assert_array_equal(second[0].get_xydata(), [[-1, 0]])
    assert "hidden layer 2" in texts(ax)


def test_a_bent_boundary_is_straight_in_the_lifted_coordinates():
    """z = x - |y - 0.3|, in (x, y) and in (x, -|y - 0.3|)."""
    grid = np.linspace(-1, 1, 200)
    x, y = np.meshgrid(grid, grid)
    lifted = -np.abs(y - 0.3)
    bent = deep.sides(x, y, x + lifted, ax=fresh(), walls=[y - 0.3])
    straight = deep.sides(x, lifted, x + lifted, ax=fresh())

    def curve(ax):
        (found,) = (
            c
            for c in ax.collections
            if isinstance(c, QuadContourSet)
            and matplotlib.colors.to_hex(c.get_edgecolor()[0]) == style.of_layer(2)
        )
        return np.vstack([path.vertices for path in found.get_paths()])

    found = curve(bent)
    np.testing.assert_allclose(found[:, 0], np.abs(found[:, 1] - 0.3), atol=0.011)
    assert np.ptp(found.sum(axis=1)) > 0.5, "it is bent in the plane"
    found = curve(straight)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-9)
    on, off = (in_colour(bent, colour)[0] for colour in (style.POSITIVE, style.NEGATIVE))
    for dots, sign in ((on, 1), (off, -1)):
        at = dots.get_xydata()
        assert (sign * (at[:, 0] - np.abs(at[:, 1] - 0.3)) > -1e-12).all()
    meet = np.vstack([dot.get_xydata() for dot in bent.lines if dot.get_marker() == "o"])
    np.testing.assert_allclose(meet, [[0, 0.3]] * len(meet), atol=0.02)
    assert len(meet)


def test_a_line_has_its_kinks_in_the_colours_of_their_layers():
    line = a_line()
    ax = deep.line(line, [1, 3, 2], ax=fresh())
    assert "hidden layer 2" in texts(ax)
    (middle,) = (dots for dots in in_colour(ax, style.of_layer(3)) if dots.get_marker() == "D")
    at = np.interp(0.5, line.t, line.answers[:, 0]), np.interp(0.5, line.t, line.answers[:, 1])
    np.testing.assert_allclose(middle.get_xydata(), [[0.5, at[0]], [0.5, at[1]]])
    (stroke,) = (one for one in in_colour(ax, style.of_layer(3)) if one.get_marker() == "None")
    assert stroke.get_xdata()[0] == 0.5
    line.kinks, line.jumps = np.zeros(0), np.zeros((0, 2))
    deep.line(line, [], ax=fresh()).figure.canvas.draw()


def test_directions_nest_the_rings_of_the_second_layer():
    ways = np.array([[0.6, 0.8, 0.0], [1.0, 0.0, 0.0]])
    ax = deep.directions([(ways, [1, 2]), (ways, [1, 2])], ax=fresh())
    rings = in_colour(ax, style.of_layer(2))
    assert len(rings) == 2
    assert rings[0].get_markersize() < rings[1].get_markersize()
    for ring in rings:
        np.testing.assert_array_equal(ring.get_xydata(), [[1, 0]])
        assert ring.get_markerfacecolor() == "none"


def test_meeting_draws_the_distance_to_the_nearest_kink():
    ax = deep.meeting(a_line(), np.array([0.5, 2.0, np.inf]), np.array([1, 2, 2]), ax=fresh())
    (right,) = (x for x in in_colour(ax, style.of_layer(1)) if x.get_marker() == "o")
    np.testing.assert_allclose(right.get_ydata(), deep.LEAST)
    (wrong,) = in_colour(ax, style.of_layer(2))
    np.testing.assert_allclose(wrong.get_ydata(), [1 / 3])  # one away from the kink at 3, 1 + |2|
    strokes = in_colour(ax, style.QUIET)
    np.testing.assert_allclose([x.get_xdata()[0] for x in strokes], np.arctan([-1, 0.25, 1.5]))
    nothing = a_line()
    nothing.kinks = np.zeros(0)
    deep.meeting(nothing, np.array([1.0]), np.array([1])).figure.canvas.draw()


def test_coefficients_draws_shares_of_the_largest_by_side():
    ax = deep.coefficients([2.0, 0, -4.0], [True, False, True], ax=fresh(), zero=[4e-9] * 3)
    on, off = (in_colour(ax, colour)[0] for colour in (style.POSITIVE, style.NEGATIVE))
    np.testing.assert_allclose(on.get_xydata(), [[0, 0.5], [2, 1]])
    np.testing.assert_allclose(off.get_xydata(), [[1, deep.LEAST]])
    (dashed,) = in_colour(ax, style.QUIET)
    np.testing.assert_allclose(dashed.get_ydata(), 1e-9)
    assert "2 neurons are on" in texts(ax)


def test_the_layer_that_switches_nearest_is_told_by_hand():
    """z1 = x - 1; z2 = φ1 - 2 switches at x = 3; z3 = 5 - φ2 at x = 8."""
    one = [([[1.0]], [-1.0]), ([[1.0]], [-2.0]), ([[-1.0]], [5.0]), ([[1.0]], [0.0])]
    copy = zoo.given([(np.array(w), np.array(b)) for w, b in one])
    np.testing.assert_array_equal(layers_of(copy, np.array([[1.0], [3.0], [8.0]])), [1, 2, 3])


def test_errors_by_layer_draws_a_dot_for_each_neuron_and_the_median():
    ax = deep.errors({"hidden 1": [1e-9, 1e-8, 1e-7], "last": [1e-10]}, ax=fresh())
    first, last = in_colour(ax, style.ERROR)
    np.testing.assert_array_equal(first.get_ydata(), [1e-9, 1e-8, 1e-7])
    assert np.abs(last.get_xdata() - 1).max() < 0.5
    assert [label.get_text() for label in ax.get_xticklabels()] == ["hidden 1", "last"]
    assert "1e-08" in texts(ax)
