"""What holds for every picture: data in, Axes out, nothing else touched."""

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
from pictures import COUNTS, RNG, SHARES, SURE, A, P, W, X, a_line, a_plan, a_slice, fresh

from mstheft import plots

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
    "polish.misfit": lambda: ([0.3, 1e-2, 2e-4], 3e-4),
    "polish.error_bars": lambda: (W.ravel(), np.abs(W.ravel()) / 5),
    "polish.true_errors": lambda: (W.ravel() / 9, np.full(W.size, 0.1)),
    "precision.error_against_digits": lambda: ({"a": ([3, 3, 12], [1e-2, 1e-3, 1e-11])},),
    "arena.heat": lambda: ([[1.0, np.nan], [0.4, 0.2]], ["sweep", "random"], ["none", "noise"]),
    "arena.side_by_side": lambda: (["noise", "top 1"], [[0.4, 0.6], []], [[0.9], [0.8, 0.7]]),
    "evasion.passed": lambda: ({"copy": [[0, 0.3], [0, 0.5]], "random": [0, 0.1]},),
    "privacy.votes": lambda: (np.array([3, 41, 6]),),
    "privacy.epsilon": lambda: ({"GNMax": (np.arange(9), X + 4), "LNMax": ([1, 2], [1, 1.5])},),
    "privacy.agreement": lambda: ({"GNMax": (X + 4, SHARES), "LNMax": ([1], [0.9])}, 0.95),
    "training.curves": lambda: (SimpleNamespace(loss=[1, 0.5], validation=[0.4, 0.7], best=1),),
    "deep.boundaries": lambda: (a_slice(),),
    "deep.line": lambda: (a_line(), np.array([1, 3, 2])),
    "deep.sides": lambda: (*np.meshgrid(X, X), X - np.abs(X[:, None]) + 0.1),
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


def settings():
    """All of matplotlib's, but for the backend: to read that one would choose it."""
    return {key: matplotlib.rcParams[key] for key in matplotlib.rcParams if key != "backend"}


def test_every_plot_has_an_example():
    assert set(EXAMPLES) == set(public_plots()), "add a line to EXAMPLES"


def test_everything_listed_exists():
    assert all(inspect.ismodule(getattr(plots, name)) for name in plots.__all__)
    assert {name.split(".")[0] for name in EXAMPLES} == set(plots.__all__) - HELPERS


def test_every_plot_takes_axes_or_none_and_returns_axes():
    for name, function in public_plots().items():
        signature = inspect.signature(function)
        assert signature.parameters["ax"].default is None, name
        assert signature.return_annotation == "Axes", name


@pytest.mark.parametrize("name", EXAMPLES)
class TestEveryPlot:
    def test_draws_on_the_axes_it_is_given_and_changes_nothing_else(self, name):
        ax, before, arguments = fresh(), settings(), EXAMPLES[name]()
        copies = [a.copy() if isinstance(a, np.ndarray) else None for a in arguments]
        assert public_plots()[name](*arguments, ax=ax) is ax
        assert ax.has_data()
        ax.figure.canvas.draw()
        assert settings() == before
        for now, then in zip(arguments, copies, strict=True):
            if then is not None:
                np.testing.assert_array_equal(now, then)

    def test_makes_axes_with_labels_when_none_are_given(self, name):
        ax = public_plots()[name](*EXAMPLES[name]())
        assert isinstance(ax, Axes)
        assert ax.get_xlabel()
        assert all(one.get_ylabel() for one in ax.figure.axes)
        assert public_plots()[name](*EXAMPLES[name]()).figure is not ax.figure


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
