"""Learned to exact: rows that nobody chose, a student that is too wide, and what is left of it.

The victims are small (20-8-3, 64-16-10), and rows are 6 F: four answered numbers for each weight of
the student. Errors of float32 victims are some of their own roundings, 1e-7 to 1e-6.
"""

from dataclasses import replace

import numpy as np
import pytest

import mstheft as mt
from mstheft.errors import ExtractionError
from mstheft.learning import exact, students
from mstheft.nn import zoo
from mstheft.nn.network import Network


def victim(widths, seed, dtype=np.float32):
    network = zoo.mlp(widths, bias=0.1, rng=seed)
    return Network(network.layers, network.shape, dtype)


def width(model):
    return len(model.dense()[0][0])


def largest_error(model, network, seed=9):
    x = np.random.default_rng(seed).normal(size=(2000, network.inputs)).astype(np.float32)
    return np.abs(network.logits(x) - model.logits(x)).max()


class Rows:
    """A monitor that keeps every row."""

    def __init__(self):
        self.seen = []

    def observe(self, x, labels):
        self.seen.append(x)


@pytest.fixture(scope="module")
def theft():
    network, rows = victim([64, 16, 10], 0), Rows()
    oracle = mt.Oracle(network, monitors=[rows])
    return network, exact.extract(oracle, hidden=16, rng=100), np.concatenate(rows.seen)


# ---- from end to end


def test_float32_logits_end_at_the_victims_width_and_noise(theft):
    network, result, _ = theft
    assert result.verified
    assert width(result.model) == 16
    assert 1e-8 < largest_error(result.model, network) < 5e-6
    assert 0.5 < result.trace.polished.ratio < 1.5
    assert set(result.notes) == {"query", "train", "polish", "merge", "eliminate", "verify"}


def test_every_row_is_asked_once_and_they_are_6_f_and_200(theft):
    _, result, seen = theft
    assert result.queries["verify"] == 200
    assert result.queries["query"] == np.ceil(6 * result.floor)
    assert result.total == len(seen) == len(np.unique(seen, axis=0))
    assert np.array_equal(seen[:200], result.trace.fresh)


def test_the_trace_tells_the_way_down(theft):
    trace = theft[1].trace
    assert trace.widths[0] == 24
    assert trace.widths[-1] == 16
    assert trace.widths == sorted(trace.widths, reverse=True)
    refused = [each for each in trace.tries if not each.kept]
    assert 15 in [each.width for each in refused]
    assert min(each.misfit for each in refused) > 1000 * max(trace.misfits)


def test_a_copy_with_one_wrong_weight_is_not_verified(theft):
    _, result, _ = theft
    copy = result.model.copy()
    copy.dense()[0][0][3, 5] += 1e-3
    polished = replace(result.trace.polished, model=copy)
    wrong = mt.result.Result(trace=replace(result.trace, polished=polished))
    exact.verify(wrong, "logits")
    assert not wrong.verified
    assert 1e-4 < wrong.error < 1e-2


def test_given_rows_are_all_that_is_asked_the_width_comes_out_and_the_seed_decides(monkeypatch):
    monkeypatch.setattr(students, "UPDATES", 2000)
    network = victim([20, 8, 3], 14, np.float64)
    rows = np.random.default_rng(1).normal(size=(600, 20))
    first, second = (exact.extract(mt.Oracle(network), rows=rows, rng=5) for _ in "12")
    assert first.verified
    assert first.total == 600
    assert first.queries["verify"] == 120
    assert width(first.model) == 8
    assert largest_error(first.model, network) < 1e-12
    for mine, other in zip(first.model.dense(), second.model.dense(), strict=True):
        assert np.array_equal(mine[0], other[0])


def test_rows_of_equal_content_are_bought_once_and_never_judge_what_they_taught(monkeypatch):
    """Float32 makes rows equal, too. Were the check among the rows, any copy would pass it."""
    monkeypatch.setattr(students, "UPDATES", 1000)
    rows = np.random.default_rng(1).normal(size=(np.int64(300), 10))
    oracle = mt.Oracle(victim([10, 4, 3], 1))
    twice = np.concatenate([rows, rows + 1e-12])
    result = exact.extract(oracle, rows=twice, hidden=4, rng=0)
    assert oracle.count == 300
    assert result.queries["verify"] == 60
    learned, fresh = ({row.tobytes() for row in x} for x in (result.trace.rows, result.trace.fresh))
    assert (len(learned), len(fresh)) == (240, 60)
    assert not learned & fresh


def test_probabilities_of_3_decimals_and_mirrored_neurons():
    network = victim([20, 8, 3], 20)
    result = exact.extract(mt.Oracle(network, output="probs", decimals=3), hidden=8, rng=120)
    assert "turn" in [each.stage for each in result.trace.tries if each.kept]
    assert result.verified
    assert width(result.model) == 8
    x = np.random.default_rng(2).normal(size=(2000, 20))
    error = np.sqrt(np.mean((network.probs(x) - result.model.probs(x)) ** 2))
    assert 1e-5 < error < 2 * result.trace.polished.bound < 1e-3


# ---- what ends it


def test_a_stuck_student_says_its_misfit_the_noise_and_its_width(monkeypatch):
    monkeypatch.setattr(students, "UPDATES", 300)
    monkeypatch.setattr(students, "EPOCHS", 1)
    network = victim([10, 6, 6, 2], 0)
    with pytest.raises(
        ExtractionError, match=r"misfit stopped at .* noise of .*11 neurons"
    ) as info:
        exact.extract(mt.Oracle(network), hidden=6, rng=0)
    partial = info.value.partial
    assert partial.stopped == "polish"
    assert width(partial.model) == 11
    assert [each.width for each in partial.trace.tries] == [9, 11, 11]
    assert not partial.verified


def test_what_cannot_work_is_refused_before_a_query():
    network = victim([10, 4, 2], 0)
    oracle = mt.Oracle(network, output="label")
    with pytest.raises(ValueError, match="expected an oracle that answers one of"):
        exact.extract(oracle)
    normal = np.random.default_rng(0).normal(size=(4, 10))
    for rows in (normal, np.tile(normal, (50, 1)), normal[0], 3, -3, 300.0):
        with pytest.raises(ValueError, match="at least 5 different ones, got shape"):
            exact.extract(mt.Oracle(network), rows=rows)
    with pytest.raises(ValueError, match="hidden="):
        exact.extract(mt.Oracle(network), hidden=0)
    assert oracle.count == 0


def test_too_few_rows_are_said_to_be():
    rows = np.random.default_rng(0).normal(size=(12, 10))
    with pytest.raises(ExtractionError, match="got 10 rows; give more"):
        exact.extract(mt.Oracle(victim([10, 4, 2], 0)), rows=rows)


def test_a_neuron_whose_part_is_below_the_noise_is_seen_by_many_answers_together():
    """It adds a third of σ: far less than the misfit that any one student may have."""
    (a0, b0), (a1, b1) = zoo.mlp([8, 5, 3], bias=0.1, rng=3).dense()
    x = np.random.default_rng(0).normal(size=(2000, 8))
    part = np.maximum(x @ a0.T + b0, 0).std(axis=0) * np.linalg.norm(a1, axis=0) / np.sqrt(3)
    a1[:, 0] *= 0.4 * (0.1 / np.sqrt(12)) / part[0]
    victim = zoo.given([(a0, b0), (a1, b1)])
    result = exact.extract(mt.Oracle(victim, decimals=1), rows=4000, hidden=5, rng=0)
    assert result.verified
    assert len(result.model.dense()[0][1]) == 5
