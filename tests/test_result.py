"""What an attack returns: the book-keeping, the floor, and the errors."""

import itertools
import math
import time
from types import SimpleNamespace

import numpy as np
import pytest

from mstheft import errors
from mstheft.direct import relu
from mstheft.nn import zoo
from mstheft.oracle import Oracle
from mstheft.result import Result, floor


@pytest.mark.parametrize(
    ("widths", "want"),
    [
        ([784, 128, 1], 100_481),
        ([784, 128, 10], 10_164.2),
        ([20, 1], 21),  # logistic: d + 1
        ([20, 5], 21),  # softmax: d + 1
        ([64, 32, 16, 10], (64 * 32 + 32 * 16 + 16 * 10 + 10) / 10),
    ],
)
def test_floor(widths, want):
    weights = sum(a * b for a, b in itertools.pairwise(widths))
    assert floor(weights, widths[-1]) == pytest.approx(want, rel=1e-15)
    assert Result(model=zoo.mlp(widths, rng=0)).floor == pytest.approx(want, rel=1e-15)


def test_a_result_starts_empty_and_unverified():
    result = Result()
    assert result.model is None
    assert result.verified is False
    assert math.isnan(result.error)
    assert math.isnan(result.floor)
    assert result.total == 0
    assert result.queries == result.seconds == result.notes == {}
    assert result.trace is None
    assert Result().queries is not result.queries


def test_the_earlier_name_of_the_notes_holds():
    result = Result(notes={"line": "64 kinks"})
    result.found["signs"] = "8 of 8"
    assert result.notes == {"line": "64 kinks", "signs": "8 of 8"}


def test_stages_book_rows_and_time(monkeypatch):
    clock = itertools.accumulate([10, 2, 100, 1, 100, 4])  # a stage reads it twice
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    oracle, result = Oracle(zoo.mlp([4, 3], rng=0)), Result()
    oracle.query(np.zeros((7, 4)))  # before: belongs to no stage
    with result.stage("one", oracle):
        oracle.query(np.zeros((5, 4)))
    with result.stage("two", oracle):
        pass
    with result.stage("one", oracle):
        oracle.query(np.zeros((3, 4)))
    assert result.queries == {"one": 8, "two": 0}
    assert result.total == 8
    assert result.seconds == {"one": 2 + 4, "two": 1}


def test_a_stage_that_fails_is_booked_too():
    oracle, result = Oracle(zoo.mlp([4, 3], rng=0), budget=10), Result()

    def spend():
        with result.stage("greedy", oracle):
            oracle.query(np.zeros((6, 4)))
            oracle.query(np.zeros((6, 4)))

    with pytest.raises(errors.BudgetExhausted):
        spend()
    assert result.queries == {"greedy": 6}
    assert result.seconds.keys() == {"greedy"}


def test_anything_that_counts_can_be_booked():
    counter, result = SimpleNamespace(count=100), Result()
    with result.stage("x", counter):
        counter.count += 11
    assert result.queries == {"x": 11}


def test_budget_exhausted_says_how_many_are_left():
    error = errors.BudgetExhausted(12_000, 345, 50_000)
    assert (error.asked, error.left, error.budget) == (12_000, 345, 50_000)
    assert str(error) == (
        "this batch asks 12,000 rows but only 345 of the budget of 50,000 are left; "
        "ask a smaller batch or raise budget="
    )


def test_extraction_error_names_stage_assumption_and_advice():
    error = errors.ExtractionError("signs", "needs h < d", "try sweep", partial=Result())
    assert str(error) == "stage 'signs': needs h < d; try sweep"
    assert (error.stage, error.assumption, error.advice) == ("signs", "needs h < d", "try sweep")
    assert isinstance(error.partial, Result)


def test_one_base_class():
    for kind in (errors.ExtractionError, errors.BudgetExhausted, errors.DataError):
        assert issubclass(kind, errors.MstheftError)
    assert issubclass(errors.DataError, ValueError)
    assert not issubclass(errors.BudgetExhausted, ValueError)


@pytest.mark.parametrize("end", [KeyboardInterrupt, ConnectionError])
def test_whatever_ends_an_attack_keeps_what_it_has(end):
    """Ctrl-C or a victim that breaks: the error holds the result, with the stage it stopped in."""
    calls = []

    def victim(x):
        calls.append(len(x))
        if len(calls) > 20:
            raise end
        return np.maximum(x, 0) @ np.ones((4, 2))

    oracle = Oracle(victim, inputs=4)
    with pytest.raises(end) as caught:
        relu.extract(oracle, rng=0)
    partial = caught.value.partial
    assert partial.stopped in partial.queries
    assert partial.total == oracle.count == sum(calls[:20])


def test_a_victim_without_its_oracle_is_told_apart():
    with pytest.raises(TypeError, match="wrap it"):
        relu.extract(lambda x: x, rng=0)
