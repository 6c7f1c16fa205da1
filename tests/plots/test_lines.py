"""Logits and slopes along a line, as they are drawn."""

import numpy as np
import pytest
from pictures import a_line, fresh, in_colour, texts

from mstheft.plots import lines, style


def test_kinks_draws_the_answers_the_kinks_and_all_of_them_in_view():
    line = a_line()
    ax = lines.kinks(line, ax=fresh())
    low, high = ax.get_xlim()
    assert -4 < low < -2, "all kinks, and not as far as -1e6"
    assert 3 < high < 5
    inside = (line.t > low) & (line.t < high)
    dots = in_colour(ax, style.QUERY)
    for k, dot in enumerate(dots):
        np.testing.assert_array_equal(dot.get_xdata(), line.t[inside])
        np.testing.assert_allclose(dot.get_ydata(), line.answers[inside, k], rtol=1e-12)
    rings = [one for one in in_colour(ax, style.KINK) if one.get_marker() == "o"]
    assert len(dots) == len(rings) == 2
    np.testing.assert_array_equal(rings[0].get_xdata(), line.kinks)
    verticals = [one for one in in_colour(ax, style.KINK) if one.get_marker() != "o"]
    assert [one.get_xdata()[0] for one in verticals] == line.kinks.tolist()
    assert "3 kinks" in texts(ax)
    assert f"{inside.sum()} of 10 queries" in texts(ax)
    assert "logit 0" in texts(ax)
    assert "logit 1" in texts(ax)


@pytest.mark.parametrize("plot", [lines.kinks, lines.slopes])
def test_arctan_axis_keeps_its_numbers_in_t(plot):
    line = a_line()
    ax = plot(line, scale="arctan")
    ax.figure.canvas.draw()
    shown = ax.transData.transform([[t, 1] for t in (-2.0, 0.0, 2.0)])[:, 0]
    np.testing.assert_allclose(shown[1] - shown[0], shown[2] - shown[1], rtol=1e-9)
    width = np.median(np.abs(line.kinks))
    angle = ax.transData.transform([[0, 1], [width, 1], [-width, 1]])[:, 0]
    far = ax.transData.transform([[3.0, 1]])[0, 0]
    np.testing.assert_allclose(
        (far - angle[0]) / (angle[1] - angle[0]), np.arctan(3.0 / width) / (np.pi / 4)
    )
    labels = [label.get_text().replace("\N{MINUS SIGN}", "-") for label in ax.get_xticklabels()]
    np.testing.assert_allclose([float(label) for label in labels], ax.get_xticks(), atol=1e-12)
    assert len(labels) >= 4
    assert "0" in labels


def test_arctan_axis_shows_kinks_far_apart():
    line = a_line()
    line.kinks = np.array([-3000.0, 0.5, 70000.0])
    ax = lines.kinks(line, scale="arctan")
    low, high = ax.get_xlim()
    assert -1e6 < low < -3000
    assert 70000 < high < 1e6
    ax.figure.canvas.draw()


def test_slopes_draws_each_piece_at_its_slope():
    line = a_line()
    ax = lines.slopes(line, ax=fresh())
    for k in range(2):
        (step,) = in_colour(ax, style.of_class(k))
        edges, heights = step.get_data()
        np.testing.assert_array_equal(edges[1:-1], line.kinks)
        np.testing.assert_array_equal(heights[:-1], line.slopes[:, k])
        assert step.get_drawstyle() == "steps-post"


@pytest.mark.parametrize("scale", ["t", "arctan"])
@pytest.mark.parametrize("n", [0, 1])
def test_lines_with_hardly_a_kink(scale, n):
    line = a_line()
    line.kinks, line.jumps, line.slopes = line.kinks[:n], line.jumps[:n], line.slopes[: n + 1]
    for plot in (lines.kinks, lines.slopes):
        ax = plot(line, scale=scale)
        ax.figure.canvas.draw()
        assert ("0 kinks" if n == 0 else "1 kink") in texts(ax)


def test_unknown_scale_is_named():
    with pytest.raises(ValueError, match="'log'"):
        lines.kinks(a_line(), scale="log")


def test_intersection_draws_two_lines_through_their_ends():
    curve = (np.array([-1.0, 0.0, 2.0]), np.array([0.0, 1.0, -3.0]))
    ax = lines.intersection((-1, 0, 1), (2, -3, -2), (0, 1), ax=fresh(), curve=curve)
    (truth,) = in_colour(ax, style.VICTIM)
    np.testing.assert_array_equal(truth.get_xydata(), np.transpose(curve))
    for line, (t, f, slope) in zip(
        in_colour(ax, style.COPY), [(-1, 0, 1), (2, -3, -2)], strict=True
    ):
        np.testing.assert_allclose(line.get_ydata(), f + slope * (line.get_xdata() - t))
        assert line.get_xdata()[0] == t
        assert line.get_xdata().min() <= 0 <= line.get_xdata().max(), "each passes the kink"
    (ring,) = in_colour(ax, style.KINK)
    assert ring.get_xydata().tolist() == [[0, 1]]
    assert [dot.get_xydata().tolist() for dot in in_colour(ax, style.QUERY)] == [
        [[-1, 0]],
        [[2, -3]],
    ]
