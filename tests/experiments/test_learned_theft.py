"""One theft by a learned copy: fair to every strategy, and the same whole or resumed."""

import json

import numpy as np
import pytest

from mstheft.experiments import experiment as experiments
from mstheft.experiments import learned_theft as thefts
from mstheft.experiments import tasks as victims
from mstheft.experiments.grid import Grid, missing
from mstheft.nn import Network, zoo

CELL = thefts.SETTINGS | {
    **{"victim": "mlp", "victim_epochs": 1, "copy": "mlp", "pool_size": 200, "budget": 60},
    **{"rounds": 2, "epochs": 2, "candidates": 30},
}


@pytest.fixture(autouse=True)
def little(monkeypatch):
    monkeypatch.setattr(victims, "GENERATED", (400, 100))
    thefts.load.cache_clear()
    yield
    thefts.load.cache_clear()


def test_the_test_part_is_split_without_overlap_and_without_order():
    """A file sorted by class would otherwise judge on one class alone."""
    task = victims.load("glyphs")
    order = np.argsort(task.y_test, kind="stable")
    task = victims.Task("sorted", task.x, task.y, task.x_test[order], task.y_test[order], "")
    parts = thefts.split_test(task)
    assert [len(part) for part in parts] == [70, 15, 15]
    assert len(np.unique(np.concatenate(parts))) == 100
    assert len(np.unique(task.y_test[parts[0]])) == 10


@pytest.mark.parametrize("strategy", ["k-center", "dfal+k-center", "noise", "jbda"])
def test_a_resumed_cell_equals_a_whole_one(tmp_path, monkeypatch, strategy):
    """All figures, those of PRADA and the number of queries among them."""
    cell = CELL | {"strategy": strategy, "budget": 400, "pool_size": 600, "rounds": 3}
    whole = thefts.steal(cell, tmp_path / "whole.run")
    if strategy != "jbda":  # which keeps no checkpoint
        real, calls = thefts.Oracle.query, []

        def query(self, x):
            calls.append(len(x))
            if len(calls) == 4:
                raise OSError("planted")
            return real(self, x)

        monkeypatch.setattr(thefts.Oracle, "query", query)
        with pytest.raises(OSError, match="planted"):
            thefts.steal(cell, tmp_path / "cut.run")
        monkeypatch.setattr(thefts.Oracle, "query", real)
    assert json.dumps(thefts.steal(cell, tmp_path / "cut.run")) == json.dumps(whole)
    assert whole["queries"] == (120 if strategy == "jbda" else 400)  # 15 seeds, doubled 3 times
    assert (whole["prada"]["w"] is not None) == (strategy != "jbda")  # a test takes 100 distances


def test_another_victim_is_refused_by_the_checkpoint(tmp_path):
    task = thefts.load("glyphs")
    pool = thefts.thief_rows(CELL, task)
    for seed in range(2):
        network = zoo.mlp([784, 10], rng=seed)
        judge, oracle = thefts.judged_by(task, network, 50), thefts.Oracle(network, "probs")
        if seed == 0:
            thefts.attack(CELL, oracle, task, pool, judge, tmp_path, thefts.mark(network))
        else:
            with pytest.raises(ValueError, match="about was"):
                thefts.attack(CELL, oracle, task, pool, judge, tmp_path, thefts.mark(network))
            assert oracle.count == 0


def test_a_half_trained_victim_is_not_kept(tmp_path, monkeypatch):
    def interrupted(*args, **options):
        return victims.fit.History(interrupted=True)

    monkeypatch.setattr(victims, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        thefts.victim(CELL, tmp_path)
    assert not list(tmp_path.iterdir())


def test_seeds_of_jacobian_augmentation_judge_nothing():
    task = thefts.load("glyphs")
    rows = thefts.few_of_each(task, 80, 3, np.random.default_rng(0))
    judged = task.x_test[thefts.split_test(task)[0]].reshape(-1, 784)
    assert len(rows) == 10
    assert not any((judged == row).all(axis=1).any() for row in rows)
    with pytest.raises(ValueError, match="at least 80 for 3 rounds"):
        thefts.few_of_each(task, 79, 3, np.random.default_rng(0))


def test_a_victim_that_cannot_be_had_fails_its_cells_alone(tmp_path):
    fixed = {name: CELL[name] for name in CELL if name != "data"} | {"strategy": "traffic"}
    grid = Grid({"data": ["spam", "glyphs"]}, fixed)
    outcome = experiments.compute(experiments.Experiment("x", "x", "", grid), tmp_path)
    assert [cell["data"] for cell, _ in outcome.done] == ["glyphs"]
    assert "mlp does not fit" in outcome.failed[0][1]
    assert [cell["data"] for cell in missing(grid, tmp_path)] == ["spam"]


def test_a_file_tells_what_its_network_has_learned(tmp_path):
    network = zoo.mlp([3, 2], rng=0)
    network.about = {"data": "glyphs"}
    network.save(tmp_path / "v.npz")
    assert Network.load(tmp_path / "v.npz").about == {"data": "glyphs"}
    zoo.mlp([3, 2], rng=0).save(tmp_path / "w.npz")
    assert Network.load(tmp_path / "w.npz").about == {}
