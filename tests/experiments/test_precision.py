"""What coarse answers leave of each attack: every run is told as it came out."""

import dataclasses

import numpy as np
import pytest

from mstheft.direct.answers.noise import lattice
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.experiments import precision
from mstheft.nn import zoo
from mstheft.result import Result

SHAPE = [8, 3, 4]
CLOUDS = precision.task_of(SHAPE, 0)


@pytest.fixture(scope="module")
def runs():
    """An attack that solves and one that polishes, behind fine and coarse answers."""
    some = {"attacks": ["linear", "sweep"], "answers": ["float64", "float32", "logits-2"]}
    return list(precision.study(SHAPE, seeds=1, rng=0, **some))


def test_the_study_has_a_run_for_each_attack_and_form(runs):
    assert [(run.attack, run.answers, run.seed) for run in runs] == [
        (attack, answers, 0)
        for attack in ("linear", "sweep")
        for answers in ("float64", "float32", "logits-2")
    ]
    done = {(run.attack, run.answers, run.seed) for run in runs}
    again = precision.study(
        SHAPE, seeds=1, attacks=["linear"], answers=["float64", "bfloat16"], done=done
    )
    assert [run.answers for run in again] == ["bfloat16"], "what is there is not run again"


def test_coarser_answers_make_worse_copies_and_no_wrong_ones(runs):
    """Of logits of some 10 units: float32 leaves 1e-6, two decimals 1e-2, and all agree."""
    for run in runs:
        assert run.verified
        assert run.stage == ""
        assert run.agreement > 0.99
    for attack in ("linear", "sweep"):
        fine, single, coarse = (run.error for run in runs if run.attack == attack)
        assert fine < 1e-10 < single < 1e-4 < coarse < 0.1


def test_a_polished_copy_is_about_as_good_as_its_bound(runs):
    ratios = {(run.attack, run.answers): run.ratio for run in runs}
    assert 0.1 < ratios["sweep", "logits-2"] < 5, "far answers tell more than the bound counts"
    assert 0.2 < ratios["sweep", "float32"] < 10, "σ of arithmetic is known to a factor"
    assert ratios["sweep", "float64"] is None, "solved for, and not polished"


def test_the_victims_have_learned_something():
    x, y = CLOUDS.x, CLOUDS.y
    for name, layers in (("linear", 1), ("sweep", 2), ("smooth", 2), ("deep", 3)):
        victim = precision.trained(name, CLOUDS, [8, 6, 4], 0)
        assert len(victim.dense()) == layers
        assert 0.7 < (victim.labels(x) == y).mean() < 1, "clouds overlap"


def test_digits_are_drawn_where_d_is_a_square():
    digits = precision.task_of([64, 3, 10], 0)
    assert digits.x.shape[1] == 64
    assert 0 <= digits.x.min() < digits.x.max() <= 1
    assert CLOUDS.x.min() < 0, "eight numbers are no picture"


@pytest.mark.parametrize("name", precision.FORMS)
def test_the_oracle_answers_in_the_form_that_it_is_called_by(name):
    form, victim = precision.FORMS[name], zoo.mlp([8, 30, 4], rng=0)
    oracle = precision.behind(victim, form)
    x = np.random.default_rng(0).normal(size=(300, 8))
    answers = oracle.query(x)
    assert oracle.decimals is None or name == "probs-0", "nobody tells"
    if form.decimals is None:
        assert lattice(answers).kind == form.kind
    else:
        assert lattice(answers).decimals in (form.decimals, None)
    exact = victim.logits(x) if form.output == "logits" else victim.probs(x)
    size = np.abs(exact).max()
    step = 10.0**-form.decimals if form.decimals is not None else 0
    allowed = max(step / 2, size * 10 ** -precision.digits(form)) * 1.01
    error = np.abs(answers - exact).max()
    assert allowed / 1e3 <= error + 1e-15 <= 40 * allowed


def test_single_precision_is_that_of_the_arithmetic():
    """More than half a unit in the last place of the answers: all layers round."""
    victim = zoo.mlp([50, 200, 3], rng=0)
    x = np.random.default_rng(0).normal(size=(200, 50))
    answers = precision.behind(victim, precision.FORMS["float32"]).query(x)
    off = np.abs(answers - victim.logits(x)).max()
    assert 0.6 < off / np.spacing(np.abs(answers).max().astype(np.float32)) < 20


def test_a_failure_is_a_run_too(monkeypatch):
    def fails(oracle, rng):
        oracle.query(np.zeros((7, 8)))
        raise ExtractionError("line", "planted", "nothing", partial=Result())

    monkeypatch.setitem(precision.ATTACKS, "sweep", fails)
    run = precision.one("sweep", zoo.mlp(SHAPE, rng=0), "float32", [0, 5, 1])
    assert (run.stage, run.verified, run.error, run.ratio) == ("line", False, None, None)
    assert (run.queries, run.seed) == (7, 5)


def test_an_attack_that_asks_on_and_on_ends(monkeypatch):
    """F of 8-3-4 is (24 + 12 + 4) / 4 = 10."""

    def endless(oracle, rng):
        while True:
            oracle.query(np.zeros((100, 8)))

    monkeypatch.setitem(precision.ATTACKS, "sweep", endless)
    run = precision.one("sweep", zoo.mlp(SHAPE, rng=0), "float64", [0, 0, 1])
    assert (run.queries, run.verified) == (1000, False)
    assert run.stage, "the failure is told"
    with pytest.raises(BudgetExhausted):
        endless(precision.behind(zoo.mlp(SHAPE, rng=0), precision.Form()), None)


MADE = precision.Run("sweep", "logits-1", 1.0, 0, True, 1e-2, 1.25, 1.0, 1, "")


def test_the_table_counts_verified_copies_only():
    failed = dataclasses.replace(MADE, seed=1, verified=False, error=9.0, ratio=50.0)
    other = dataclasses.replace(MADE, attack="linear", answers="probs-float32", ratio=None)
    head, *rows = precision.table([MADE, failed, other])
    assert head == ["answers", "linear", "sweep"]
    assert rows == [
        ["logits, 1 decimal", "", "1e-02 · 1.2 (1 of 2)"],
        ["probabilities, float32 arithmetic", "1e-02 (1 of 1)", ""],
    ]
    assert precision.cell([failed]) == "- (0 of 1)"


def test_the_figure_draws_verified_copies_of_one_output():
    failed = dataclasses.replace(MADE, verified=False)
    other = dataclasses.replace(MADE, answers="probs-1")
    half = dataclasses.replace(MADE, answers="bfloat16")
    assert precision.by_digits([MADE, failed, other, half], "logits") == {"sweep": ([1.0], [1e-2])}
