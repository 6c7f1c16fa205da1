"""One theft by a learned copy: fair to every strategy, and the same whole or resumed."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from mstheft.experiments import experiment, learned_theft, tasks
from mstheft.experiments.grid import Grid, missing
from mstheft.nn import zoo

SETTINGS = learned_theft.Settings(
    victim="mlp", victim_epochs=1, copy="mlp", pool_size=200, budget=60, rounds=2, epochs=2,
    candidates=30,
)  # fmt: skip


@pytest.fixture(autouse=True)
def little(monkeypatch):
    monkeypatch.setattr(tasks, "GENERATED", (400, 100))
    tasks.cached.cache_clear()
    yield
    tasks.cached.cache_clear()


def test_the_test_part_is_split_without_overlap_and_without_order():
    """A file sorted by class would otherwise judge on one class alone."""
    task = tasks.load("glyphs")
    order = np.argsort(task.y_test, kind="stable")
    task = tasks.Task("sorted", task.x, task.y, task.x_test[order], task.y_test[order], "")
    parts = learned_theft.split_test(task)
    assert [len(part) for part in parts] == [70, 15, 15]
    assert len(np.unique(np.concatenate(parts))) == 100
    assert len(np.unique(task.y_test[parts[0]])) == 10


@pytest.mark.parametrize("strategy", ["k-center", "dfal+k-center", "noise", "jbda"])
def test_a_resumed_cell_equals_a_whole_one(tmp_path, monkeypatch, strategy):
    """All figures, those of PRADA and the number of queries among them."""
    larger = replace(SETTINGS, strategy=strategy, budget=400, pool_size=600, rounds=3)
    cell = asdict(larger)
    whole = learned_theft.run_cell(cell, tmp_path / "whole.run")
    if strategy != "jbda":  # which keeps no checkpoint
        real, calls = learned_theft.Oracle.query, []

        def query(self, x):
            calls.append(len(x))
            if len(calls) == 4:
                raise OSError("planted")
            return real(self, x)

        monkeypatch.setattr(learned_theft.Oracle, "query", query)
        with pytest.raises(OSError, match="planted"):
            learned_theft.run_cell(cell, tmp_path / "cut.run")
        monkeypatch.setattr(learned_theft.Oracle, "query", real)
    assert json.dumps(learned_theft.run_cell(cell, tmp_path / "cut.run")) == json.dumps(whole)
    assert whole["queries"] == (120 if strategy == "jbda" else 400)  # 15 seeds, doubled 3 times
    assert (whole["prada"]["w"] is not None) == (strategy != "jbda")  # a test takes 100 distances


def test_another_victim_is_refused_by_the_checkpoint(tmp_path):
    task = tasks.cached("glyphs")
    pool = learned_theft.thief_pool(SETTINGS, task)

    def extract(network, oracle):
        judge = learned_theft.judge_of(task, network, 50)
        about = learned_theft.victim_checksum(network)
        how = {"checkpoint": tmp_path, "about": about}
        return learned_theft.extract(SETTINGS, oracle, task, pool, judge, **how)

    first, second = (zoo.mlp([784, 10], rng=seed) for seed in range(2))
    extract(first, learned_theft.Oracle(first, "probs"))
    oracle = learned_theft.Oracle(second, "probs")
    with pytest.raises(ValueError, match="about was"):
        extract(second, oracle)
    assert oracle.count == 0


def test_seeds_of_jacobian_augmentation_judge_nothing():
    task = tasks.cached("glyphs")
    rows = learned_theft.seed_rows(task, 80, 3, np.random.default_rng(0))
    judged = task.x_test[learned_theft.split_test(task)[0]].reshape(-1, 784)
    assert len(rows) == 10
    assert not any((judged == row).all(axis=1).any() for row in rows)
    with pytest.raises(ValueError, match="at least 80 for 3 rounds"):
        learned_theft.seed_rows(task, 79, 3, np.random.default_rng(0))


def test_a_victim_that_cannot_be_had_fails_its_cells_alone(tmp_path):
    fixed = asdict(SETTINGS) | {"strategy": "traffic"}
    del fixed["data"]
    grid = Grid({"data": ["spam", "glyphs"]}, fixed)
    outcome = experiment.compute(experiment.Experiment("x", "x", "", grid), tmp_path)
    assert [cell["data"] for cell, _ in outcome.done] == ["glyphs"]
    assert "mlp does not fit" in outcome.failed[0][1]
    assert [cell["data"] for cell in missing(grid, tmp_path)] == ["spam"]


def test_the_experiments_of_the_benchmarks_can_be_read():
    folder = Path(__file__).parents[1] / "benchmarks" / "experiments"
    files = sorted(folder.glob("*.toml"))
    assert len(files) >= 9
    for path in files:
        cells = list(experiment.read(path).grid.cells())
        assert all(learned_theft.Settings(**cell) for cell in cells)
        assert len(cells) >= 8
