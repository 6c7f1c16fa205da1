"""How much rounding stops which attack: every run is told as it came out."""

import numpy as np
import pytest

from mstheft.errors import ExtractionError
from mstheft.experiments import precision
from mstheft.nn import zoo
from mstheft.result import Result

SHAPE = [8, 3, 4]


@pytest.fixture(scope="module")
def runs():
    return list(precision.study(SHAPE, seeds=1, rng=0))


def test_every_attack_meets_every_kind_of_answer(runs):
    told = len(precision.FORMATS) + len(precision.DECIMALS)
    assert len(runs) == told * len(precision.attacks(SHAPE)) == 60
    assert {run.attack for run in runs} == {"linear", "four steps", "sweep", "smooth (tanh)"}


def test_coarser_answers_make_worse_copies_and_never_wrong_ones(runs):
    """A verified copy is off by the rounding times a factor that grows with the steps: 1e5."""
    for run in runs:
        if run.verified:
            assert run.error < 1e5 * 10.0**-run.digits
            assert run.agreement > 0.9
            assert run.stage == ""
        else:
            assert run.stage
    exact = [run for run in runs if run.answers == "float64"]
    assert all(run.verified and run.error < 1e-8 for run in exact)
    coarse = {run.attack: run.verified for run in runs if run.answers == "1 decimals"}
    assert coarse["sweep"]  # it asks far out, where rounding is finer
    assert not coarse["four steps"]


def test_the_oracle_answers_in_the_float_format():
    victim, x = zoo.mlp(SHAPE, rng=0), np.random.default_rng(0).normal(size=(5, 8))
    logits = victim.logits(x)
    for kind in ("float32", "float16"):
        told = precision.behind(victim, kind, None).query(x)
        np.testing.assert_array_equal(told, logits.astype(kind))
    np.testing.assert_array_equal(precision.behind(victim, None, 3).query(x), np.round(logits, 3))


def test_a_failure_is_a_run_too():
    def fails(oracle, rng):
        oracle.query(np.zeros((7, 8)))
        raise ExtractionError("line", "planted", "nothing", partial=Result())

    run = precision.one("x", zoo.mlp(SHAPE, rng=0), fails, ("float32", None), [0, 5, 1])
    assert (run.stage, run.verified, run.error, run.queries, run.seed) == (
        "line",
        False,
        None,
        7,
        5,
    )


def test_the_table_counts_verified_copies_only():
    common = {"attack": "sweep", "answers": "3 decimals", "digits": 3.0, "agreement": 1.0}
    runs = [
        precision.Run(**common, seed=0, verified=True, error=1e-2, queries=1, stage=""),
        precision.Run(**common, seed=1, verified=False, error=9.0, queries=1, stage="verify"),
    ]
    assert precision.table(runs) == [["answers", "sweep"], ["3 decimals", "1e-02 (1 of 2)"]]
