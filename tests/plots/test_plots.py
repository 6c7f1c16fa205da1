"""Plots: data in, Axes out, nothing else touched; and what they draw is what they were given."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from mstheft import plots
from mstheft.nn import zoo
from mstheft.nn.regions import slice_regions
from mstheft.plots import (
    deep,
    detection,
    learning,
    linear,
    lines,
    privacy,
    regions,
    style,
    weights,
)
from mstheft.report.pictures.deep import layers_of

HELPERS = {"style"}  # modules of plots/ that hold no plots


def public_plots():
    """{'lines.kinks': function, …} for every public function of every module in plots/."""
    found = {}
    for info in pkgutil.iter_modules(plots.__path__):
        module = importlib.import_module(f"mstheft.plots.{info.name}")
        if info.name in HELPERS:
            continue
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{info.name}.{name}"] = function
    return found


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

# One call for each public plot. Who adds a plot adds a line here and has the checks below for free.
EXAMPLES = {
    "regions.regions": lambda: (a_slice(),),
    "lines.kinks": lambda: (a_line(),),
    "lines.slopes": lambda: (a_line(),),
    "lines.intersection": lambda: ((-1, 0, 1), (2, -1, -2), (0.0, 1.0)),
    "detection.distances": lambda: (RNG.normal(3, 0.4, 300),),
    "detection.over_queries": lambda: ({"noise": ([110, 120], [0.98, 0.97]), "none": ([], [])},),
    "learning.agreement": lambda: ({"random": (100 * X + 400, SHARES), "noise": (X + 4, [X, X])},),
    "learning.output_space": lambda: (SURE, [np.arange(4), np.arange(9, 12)]),
    "learning.deepfool_paths": lambda: ((X, X, np.sign(X + X[:, None]) + 1), [W[:3, :2]]),
    "learning.entropies": lambda: (P, [P[:3], P[4:]]),
    "learning.confusion": lambda: (COUNTS,),
    "learning.transfer": lambda: (COUNTS / 12, ["copy", "victim"], ["copy", "victim"]),
    "precision.error_against_digits": lambda: ({"a": ([3, 3, 12], [1e-2, 1e-3, 1e-11])},),
    "arena.heat": lambda: ([[1.0, np.nan], [0.4, 0.2]], ["sweep", "random"], ["none", "noise"]),
    "evasion.passed": lambda: ({"copy": [[0, 0.3], [0, 0.5]], "random": [0, 0.1]},),
    "privacy.votes": lambda: (np.array([3, 41, 6]),),
    "privacy.epsilon": lambda: ({"GNMax": (np.arange(9), X + 4), "LNMax": ([1, 2], [1, 1.5])},),
    "privacy.agreement": lambda: ({"GNMax": (X + 4, SHARES), "LNMax": ([1], [0.9])}, 0.95),
    "training.curves": lambda: (SimpleNamespace(loss=[1, 0.5], validation=[0.4, 0.7], best=1),),
    "deep.boundaries": lambda: (a_slice(),),
    "deep.directions": lambda: ([(W[:, :3] / 5, [1, 2, 2, 1, 2]), (W[:2, :3] / 5, [2, 1])],),
    "deep.meeting": lambda: (a_line(), np.array([0.5 + 1e-12, 1.0, 3.0]), np.array([1, 2, 1])),
    "deep.coefficients": lambda: (np.array([0.5, 1e-14, -1.0, 0]), np.array([1, 0, 1, 0])),
    "deep.errors": lambda: ({"hidden 1": [1e-9, 1e-8], "last": [0, 1e-10, 1e-9]},),
    "sweep.line": lambda: (a_line(),),
    "sweep.jumps": lambda: (a_line(),),
    "sweep.gaps": lambda: (a_line(), a_plan()),
    "sweep.group": lambda: (W[:3, :2] @ W[:2], W[:3, :2].T, W[:2]),
    "sweep.signs": lambda: (np.array([1, -1, 1 + 1e-9, -0.98]),),
    "smooth.spectrum": lambda: (np.array([2, 1, 0.5, 1e-8, 5e-9]), 3),
    "smooth.bends": lambda: (np.stack([np.diag([1, -2, 3.0]), np.diag([2, 1, -1.0]) + 1e-6]),),
    "smooth.separation": lambda: (np.stack([np.diag([1, -2, 3.0]), np.diag([2, 1, -1.0])]),),
    "smooth.curve": lambda: (X, np.tanh(X), (X, np.tanh(X))),
    "smooth.errors": lambda: ({"lines": 1e-3, "fit": 1e-15, "verify": 1e-12},),
    "weights.matrices": lambda: (W, W + 0.1),
    "weights.rows": lambda: (W, W + 1e-9),
    "weights.signs": lambda: (np.abs(W), W),
    "weights.errors": lambda: (1e-8 * W,),
    "weights.second_differences": lambda: (np.arange(12), np.abs(W[0])),
    "linear.logit_line": lambda: (X, P, 2 * X, 2 * X),
    "linear.equations": lambda: (A, A @ W[0, :4], W[0, :4]),
    "linear.boundary": lambda: (W[:, :2], np.arange(5) % 2, ([1, 2], 0.1), ([1, 2.1], 0.1)),
    "linear.saturation": lambda: (X, {2: 0.01 / (P * (1 - P)), 4: 1e-4 / (P * (1 - P))}),
}


def fresh():
    return Figure().add_subplot()


def settings():
    """All of matplotlib's, but for the backend: looking at that one would choose it."""
    return {key: matplotlib.rcParams[key] for key in matplotlib.rcParams if key != "backend"}


def in_colour(ax, colour):
    """The lines on ax that are drawn in a colour of the style, marker edges included."""
    return [line for line in ax.lines if colour in (line.get_color(), line.get_markeredgecolor())]


def texts(ax):
    return " | ".join(text.get_text() for text in ax.texts)


# ---- what holds for every plot


def test_every_plot_has_an_example():
    assert set(EXAMPLES) == set(public_plots()), "add a line to EXAMPLES"


@pytest.mark.parametrize("name", EXAMPLES)
class TestEveryPlot:
    def test_signature(self, name):
        signature = inspect.signature(public_plots()[name])
        assert signature.parameters["ax"].default is None
        assert signature.return_annotation == "Axes"

    def test_draws_on_the_axes_it_is_given(self, name):
        ax = fresh()
        assert public_plots()[name](*EXAMPLES[name](), ax=ax) is ax
        assert ax.has_data()
        ax.figure.canvas.draw()

    def test_makes_axes_with_labels_when_none_are_given(self, name):
        ax = public_plots()[name](*EXAMPLES[name]())
        assert isinstance(ax, Axes)
        assert ax.get_xlabel()
        assert all(one.get_ylabel() for one in ax.figure.axes)
        other = public_plots()[name](*EXAMPLES[name]())
        assert other.figure is not ax.figure
        ax.figure.canvas.draw()

    def test_leaves_the_settings_and_the_data_alone(self, name):
        before = settings()
        arguments = EXAMPLES[name]()
        kept = [a.copy() if isinstance(a, np.ndarray) else None for a in arguments]
        public_plots()[name](*arguments).figure.canvas.draw()
        assert settings() == before
        for now, then in zip(arguments, kept, strict=True):
            if then is not None:
                np.testing.assert_array_equal(now, then)


def test_importing_and_drawing_needs_no_pyplot_and_importing_no_matplotlib():
    code = (
        "import sys, numpy as np\n"
        "from mstheft import plots\n"
        "assert not {m for m in sys.modules if m.split('.')[0] in ('matplotlib', 'scipy')}\n"
        "ax = plots.weights.errors(np.array([1e-9, 1e-8]))\n"
        "import io; ax.figure.savefig(io.BytesIO())\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---- style


def test_no_two_meanings_share_a_colour():
    names = ["VICTIM", "COPY", "QUERY", "KINK", "POSITIVE", "NEGATIVE", "ERROR", "QUIET"]
    colours = [getattr(style, name) for name in names] + list(style.DEPTHS[1:])
    colours += [*style.CLASSES, *style.REGIONS]
    rgb = np.array([matplotlib.colors.to_rgb(colour) for colour in colours])
    apart = np.abs(rgb[:, None] - rgb[None]).max(axis=2) + np.eye(len(rgb))
    assert apart[:20].min() > 0.05, "lines must be told apart"
    assert apart.min() > 0, "and no colour occurs twice"
    assert style.of_class(13) == style.of_class(3)


def test_sign_colours_have_white_at_zero():
    cmap = style.signed()
    assert matplotlib.colors.to_hex(cmap(0.0)) == style.NEGATIVE
    assert matplotlib.colors.to_hex(cmap(1.0)) == style.POSITIVE
    assert min(cmap(0.5)[:3]) > 0.98


def test_labels_are_moved_apart_in_their_order():
    wanted = np.array([0.5, 0.0, 0.51, 1.0, 0.505])
    places = style.spread(wanted, 0.1)
    assert np.diff(np.sort(places)).min() >= 0.1 - 1e-12
    np.testing.assert_array_equal(np.argsort(places), np.argsort(wanted))
    assert places.min() >= 0
    assert places.max() <= 1
    np.testing.assert_array_equal(style.spread([0.2, 0.8], 0.1), [0.2, 0.8])


def test_end_labels_stand_at_the_ends_of_their_curves():
    ax = fresh()
    ax.plot([0, 1], [0, 10])
    ax.plot([0, 1], [0, -30])
    style.end_labels(ax, [10, -30], ["a", "b"], ["k", "k"])
    (a, b), (low, high) = (text.get_position()[1] for text in ax.texts), ax.get_ylim()
    np.testing.assert_allclose([a, b], [(10 - low) / (high - low), (-30 - low) / (high - low)])


# ---- regions


def test_regions_draws_every_region_and_every_boundary():
    s = a_slice()
    ax = regions.regions(s, ax=fresh())
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), s.active[s.region] % len(style.REGIONS))
    contours = [c for c in ax.collections if isinstance(c, QuadContourSet)]
    kinks = [c for c in contours if matplotlib.colors.to_hex(c.get_edgecolor()[0]) == style.KINK]
    assert len(kinks) == len(s.boundaries)
    for contour, boundary in zip(kinks, s.boundaries, strict=True):
        for x, y in np.concatenate([path.vertices for path in contour.get_paths()])[::7]:
            i, j = np.searchsorted(s.x, x) - 1, np.searchsorted(s.y, y) - 1
            around = boundary.values[max(j, 0) : j + 3, max(i, 0) : i + 3]
            assert around.min() <= 0 <= around.max()
    (arrows,) = (c for c in ax.collections if hasattr(c, "U"))
    np.testing.assert_allclose(np.stack([arrows.U, arrows.V], axis=1), s.gradient)
    np.testing.assert_allclose(arrows.get_offsets(), s.gradient_at)
    assert f"{len(s.patterns)} linear regions" in ax.get_title(loc="left")
    assert len(ax.texts) >= 2, "classes too small for a name have none"
    for name in ax.texts:
        x, y = name.get_position()
        assert name.get_text() == f"class {s.label[s.y == y, s.x == x].item()}"


def test_regions_of_a_linear_model_and_of_a_dead_network():
    network = zoo.softmax(2, 2, rng=0)
    s = slice_regions(network, [0, 0], [1, 0], [0, 1], points=20)
    assert "1 linear region, 0 hyperplanes" in regions.regions(s).get_title(loc="left")
    dead = zoo.mlp([2, 3, 2])
    for p in dead.parameters().values():
        p[:] = 0
    regions.regions(slice_regions(dead, [0, 0], [1, 0], [0, 1], points=20)).figure.canvas.draw()


# ---- lines


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
    assert [float(label) for label in labels] == ax.get_xticks().tolist()
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


# ---- weights


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


# ---- linear


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


# ---- sweep


def test_jumps_draws_one_arrow_of_length_one_for_each_kink():
    ax = plots.sweep.jumps(a_line(), ax=fresh())
    (arrows,) = ax.collections
    np.testing.assert_allclose(np.hypot(arrows.U, arrows.V), 1)
    np.testing.assert_allclose(arrows.V / arrows.U, [-0.5, -0.125, 2])
    assert "3 slope jumps" in texts(ax)
    one = SimpleNamespace(jumps=np.array([[2.0], [-3.0]]))
    (arrows,) = plots.sweep.jumps(one, ax=fresh()).collections
    np.testing.assert_array_equal(arrows.U, [1, -1])
    np.testing.assert_array_equal(arrows.V, 0)


def test_gaps_fills_the_chosen_ones_and_keeps_the_heights():
    ax = plots.sweep.gaps(a_line(), a_plan(), ax=fresh())
    filled = [bar for bar in ax.patches if matplotlib.colors.to_hex(bar.get_fc()) == style.QUERY]
    assert [round(bar.get_x() + bar.get_width() / 2) for bar in filled] == [0, 2, 3]
    np.testing.assert_allclose([bar.get_height() for bar in filled], [0.5, 0.1, 0.3])
    assert len(ax.patches) == 4
    assert "3 Jacobians in 2 groups" in texts(ax)
    assert len(in_colour(ax, style.KINK)) == 3


def test_group_draws_change_directions_and_rows():
    change = W[:3, :2] @ W[:2]
    ax = plots.sweep.group(change, W[:3, :2].T, W[:2], ax=fresh())
    shown = [np.ma.filled(image.get_array(), np.nan) for image in ax.images]
    np.testing.assert_array_equal(shown[0], change)
    np.testing.assert_array_equal(shown[1], W[:3, :2])
    np.testing.assert_array_equal(shown[2], W[:2])
    np.testing.assert_allclose(shown[1] @ shown[2], shown[0])


def test_signs_draws_every_sign_unrounded():
    solved = np.array([1, -1, 1 + 1e-3, -0.98])
    ax = plots.sweep.signs(solved, ax=fresh())
    dots = np.concatenate([line.get_xydata() for line in ax.lines if line.get_marker() == "o"])
    np.testing.assert_array_equal(dots[np.argsort(dots[:, 0]), 1], solved)
    assert "2.0e-02 off" in texts(ax)


# ---- detection


def test_distances_draws_every_one_and_the_normal_curve_with_area_one():
    found = RNG.normal(3, 0.4, 400)
    ax = detection.distances(found, ax=fresh(), w=0.987)
    areas = [bar.get_width() * bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(sum(areas), 1, rtol=1e-12)
    (curve,) = in_colour(ax, style.VICTIM)
    t, density = curve.get_xydata().T
    np.testing.assert_allclose((np.diff(t) * (density[1:] + density[:-1]) / 2).sum(), 1, atol=5e-3)
    np.testing.assert_allclose(t[density.argmax()], found.mean(), rtol=1e-12)
    assert "W = 0.987" in texts(ax)
    assert "400 distances" in texts(ax)


def test_distances_that_are_all_equal_have_no_curve_and_one_is_too_few():
    assert not in_colour(detection.distances(np.full(20, 1.5), ax=fresh()), style.VICTIM)
    with pytest.raises(ValueError, match="two distances or more, got 1"):
        detection.distances([1.0])


def test_over_queries_draws_each_attack_and_rings_the_first_alarm():
    histories = {"a": ([110, 120, 130], [0.95, 0.89, 0.8]), "b": ([110, 120], [0.99, 0.98])}
    ax = detection.over_queries(histories, ax=fresh(), delta=0.9)
    for n, (queries, w) in enumerate(histories.values()):
        curve, ring = in_colour(ax, style.of_class(n))
        np.testing.assert_array_equal(curve.get_xydata(), np.transpose([queries, w]))
        assert ring.get_xydata().tolist() == ([[120, 0.89]] if n == 0 else [])
    (line,) = in_colour(ax, style.KINK)
    assert set(line.get_ydata()) == {0.9}
    assert texts(ax) == "a | b | δ = 0.9"


# ---- learning


def test_agreement_shows_the_mean_and_all_seeds_between_lowest_and_highest():
    queries, shares = np.array([10, 20, 30]), np.array([[0.1, 0.5, 0.6], [0.3, 0.4, 0.8]])
    ax = learning.agreement({"k-center": (queries, shares), "mine": (queries, shares[0])})
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.2, 0.45, 0.7])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), shares[0])
    assert ax.lines[0].get_color() == learning.STRATEGIES["k-center"]
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    for x, low, high in zip(queries, shares.min(axis=0), shares.max(axis=0), strict=True):
        there = corners[corners[:, 0] == x, 1]
        assert (there.min(), there.max()) == (low, high)
    assert texts(ax) == "k-center | mine"


def test_output_space_puts_sure_rows_into_corners_and_torn_ones_between():
    outputs = np.array([[1.0, 0, 0, 0], [0, 0.5, 0, 0.5], [0, 0, 1, 0]])
    ax = learning.output_space(outputs, [[2], [0, 1]])
    pool, first, second = ax.lines
    np.testing.assert_allclose(pool.get_xydata(), [[0, 1], [0, 0], [0, -1]], atol=1e-12)
    np.testing.assert_allclose(first.get_xydata(), [[0, -1]], atol=1e-12)
    np.testing.assert_allclose(second.get_xydata(), [[0, 1], [0, 0]], atol=1e-12)
    assert "round 0 | round 1" in texts(ax)


def test_deepfool_paths_begin_at_the_clean_row_and_end_at_the_example():
    labels = (np.arange(9) > 4) + np.zeros((9, 1), int)
    path = np.array([[-1.0, 0.5], [0.2, 0.6], [0.4, 0.6]])
    ax = learning.deepfool_paths((X, X, labels), [path])
    (asked,), (example,) = in_colour(ax, style.QUERY), in_colour(ax, style.NEGATIVE)
    np.testing.assert_array_equal(asked.get_xydata(), path[:1])
    np.testing.assert_array_equal(example.get_xydata(), path[-1:])


def test_confusion_and_transfer_write_every_number():
    ax = learning.confusion(np.array([[7, 1], [0, 12]]), names=["ham", "spam"])
    assert texts(ax) == "7 | 1 |  | 12"
    assert ax.get_title(loc="left") == "they agree on 95.0%"
    assert [t.get_text() for t in ax.get_yticklabels()] == ["ham", "spam"]
    ax = learning.transfer([[0.5, 1.0]], ["copy"], ["copy", "victim"])
    assert texts(ax) == "50% | 100%"
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0.5, 1.0]])


# ---- deep


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


def test_directions_nest_the_rings_of_the_second_layer():
    ways = np.array([[0.6, 0.8, 0.0], [1.0, 0.0, 0.0]])
    ax = deep.directions([(ways, [1, 2]), (ways, [1, 2])], ax=fresh())
    rings = in_colour(ax, style.of_layer(2))
    assert len(rings) == 2
    assert rings[0].get_markersize() < rings[1].get_markersize()
    for ring in rings:
        np.testing.assert_array_equal(ring.get_xydata(), [[1, 0]])
        assert ring.get_markerfacecolor() == "none"
    shown = deep.directions([(ways, [1, 2])], ax=fresh(), outputs=(1, 2))
    np.testing.assert_array_equal(in_colour(shown, style.of_layer(1))[0].get_xydata(), [[0.8, 0]])


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


# ---- privacy


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
