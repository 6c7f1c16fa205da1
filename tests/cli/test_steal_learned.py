"""`mstheft steal active | jacobian`, `detect`, `grid`: on drawn digits, with little victims."""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mstheft.experiments import learned_theft, tasks
from mstheft.nn import Network, zoo

SMALL = ["--copy", "mlp", "--epochs", "3", "--budget", "60", "--rounds", "2"]


@pytest.fixture(autouse=True)
def little(monkeypatch, tmp_path):
    """Victims that learn in a moment: 400 drawn digits, one epoch of a dense network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tasks, "GENERATED", (400, 100))

    @dataclass(frozen=True)
    class Little(learned_theft.Settings):
        victim_epochs: int = 1
        pool_size: int = 200
        candidates: int = 50

    monkeypatch.setattr(learned_theft, "Settings", Little)
    tasks.cached.cache_clear()
    yield
    tasks.cached.cache_clear()


@pytest.fixture
def victim():
    zoo.mlp([784, 16, 10], rng=0, dtype=np.float32).save("victim.npz")
    return ["--data", "glyphs", "--victim", "victim.npz"]


@pytest.mark.parametrize("strategy", ["random", "k-center", "dfal+k-center", "noise"])
def test_a_copy_is_learned_kept_and_told(run, victim, strategy):
    files = ["--save", "copy.npz", "--json", "out.json", "--log", "log.npz", "--plot", "figures"]
    status, said, complaint = run(
        "steal", "active", *victim, *SMALL, "--strategy", strategy, *files
    )
    assert (status, complaint) == (0, "")
    assert "a learned copy" in said
    assert "copies, judged on the test part" in said
    assert Network.load("copy.npz").outputs == 10
    told = json.loads(Path("out.json").read_text())
    assert told["queries"] == 60
    assert [point["round"] for point in told["curve"]] == [0, 1, 2]
    assert 0 <= told["curve"][-1]["evaluated"]["agreement"] <= 1
    with np.load("log.npz") as log:
        assert log["queries"].shape == (60, 784)
        assert log["labels"].shape == (60,)
    assert sorted(os.listdir("figures")) == ["agreement.png", "confusion.png", "output_space.png"]


def test_without_a_file_the_victim_is_trained_on_the_spot(run):
    status, said, _ = run("steal", "active", "--data", "glyphs", *SMALL)
    assert status == 0
    assert "training a victim on glyphs" in said


def test_the_victim_trained_on_the_spot_has_the_neurons_asked_for(run):
    words = ["steal", "active", "--data", "glyphs", *SMALL, "--hidden", "12"]
    assert run(*words, "--json", "out.json")[0] == 0
    assert json.loads(Path("out.json").read_text())["settings"]["victim"] == "mlp-12"
    status, _, complaint = run(*words, "--victim", "v.npz")
    assert (status, "--hidden is for a victim that is trained" in complaint) == (2, True)


def test_texts_are_stolen_with_other_texts(run):
    words = ["--epochs", "1", "--budget", "40", "--rounds", "1", "--copy", "text-gru"]
    status, said, complaint = run("steal", "active", "--data", "spam", *words)
    assert (status, complaint) == (0, "")
    assert "a learned copy" in said


def test_jacobian_augmentation_is_noticed_and_random_letters_are_not(run, victim):
    words = ["--budget", "512", "--rounds", "4", "--copy", "mlp", "--epochs", "2"]
    for kind, noticed in (("jacobian", True), ("active", False)):
        own = ["--strategy", "random", "--pool-size", "600"] if kind == "active" else []
        assert run("steal", kind, *victim, *words, *own, "--log", "log.npz")[0] == 0
        status, said, _ = run("detect", "prada", "--log", "log.npz", "--plot", "seen")
        assert status == int(noticed), "an alarm is status 1"
        assert ("alarm after" in said) == noticed
        assert sorted(os.listdir("seen")) == ["distances.png", "over_queries.png"]


def test_ctrl_c_keeps_what_was_paid_for(run, victim, monkeypatch):
    """The second purchase is interrupted; the same command goes on from the checkpoint."""
    words = ["steal", "active", *victim, *SMALL, "--checkpoint", "kept", "--save", "copy.npz"]
    real, calls = learned_theft.Oracle.query, []

    def query(self, x):
        calls.append(len(x))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, x)

    monkeypatch.setattr(learned_theft.Oracle, "query", query)
    status, _, complaint = run(*words)
    assert status == 130
    assert "goes on from its --checkpoint" in complaint
    assert os.path.exists("copy.npz")
    calls.clear()
    monkeypatch.setattr(learned_theft.Oracle, "query", real)
    status, said, _ = run(*words)
    assert status == 0
    assert "60" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--victim", "none.npz"], "none.npz"),
        (["--victim", "other.npz"], "expected a network for glyphs"),
        (["--copy", "resnet"], "resnet"),
        (["--pool", "holidays"], "holidays"),
        (["--budget", "12", "--rounds", "40"], "budget"),
        (["--pool-size", "20"], "got 20; raise --pool-size or lower --budget"),
        (["--save", "nowhere/copy.npz"], "nowhere"),
    ],
)
def test_wrong_arguments_are_one_sentence(run, words, says):
    zoo.mlp([5, 2], rng=0).save("other.npz")
    status, _, complaint = run("steal", "active", "--data", "glyphs", *SMALL, *words)
    assert status == 2
    assert says in complaint
    assert complaint.count("\n") == 1
    assert complaint.startswith("mstheft: ")


@pytest.mark.parametrize("spoil", ["missing", "text", "empty", "names", "shape"])
def test_a_log_that_is_none(run, spoil):
    if spoil == "text":
        Path("log.npz").write_text("hello")
    elif spoil == "empty":
        Path("log.npz").write_text("")
    elif spoil == "names":
        np.savez("log.npz", rows=np.zeros((3, 2)))
    elif spoil == "shape":
        np.savez("log.npz", queries=np.zeros((3, 2)), labels=np.zeros(5, int))
    status, _, complaint = run("detect", "prada", "--log", "log.npz")
    assert status == 2
    assert complaint.count("\n") == 1
    assert "expected" in complaint


GRID = """
title = "little"
[axes]
strategy = ["random", "traffic"]
seed = [0, 1]
[fixed]
copy = "mlp"
budget = 60
rounds = 2
epochs = 2
"""


def test_a_grid_is_computed_once_and_written_as_a_table(run):
    Path("little.toml").write_text(GRID)
    status, said, complaint = run("grid", "little.toml", "--out", "results")
    assert (status, complaint) == (0, "")
    assert "4 computed now, 4 in" in said
    rows = list(csv.DictReader(Path("results/little.csv").read_text().splitlines()))
    assert len(rows) == 2 * 3 + 2
    assert {row["strategy"] for row in rows} == {"random", "traffic"}
    assert [row["queries"] for row in rows[:3]] == ["18", "39", "60"]
    assert "0 computed now, 4 in" in run("grid", "little.toml", "--out", "results")[1]


def test_a_failed_cell_is_named_and_stops_no_other(run):
    Path("little.toml").write_text(GRID.replace('"random"', '"random", "dfal"'))
    real = learned_theft.active.extract
    try:
        learned_theft.active.extract = lambda *args, **options: (
            real(*args, **options)
            if options["strategy"] == "random"
            else (_ for _ in ()).throw(RuntimeError("planted"))
        )
        status, said, complaint = run("grid", "little.toml", "--out", "results")
    finally:
        learned_theft.active.extract = real
    assert status == 1
    assert "4 in" in said
    assert complaint.count("planted") == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = ", "expected TOML"),
        ("title = 'x'", "no axes"),
        ("[axes]\nstratgy = ['random']", "stratgy"),
        ("[axes]\nstrategy = ['best']", "best"),
        ("[axes]\nbudget = ['many']", "expected budget as a whole number"),
        ("[axes]\ndata = ['faces']", "faces"),
        ("[axes]\nseed = 3", "list of values"),
        ("axes = 3", "tables"),
    ],
)
def test_experiments_that_cannot_be_read(run, text, says):
    Path("bad.toml").write_text(text)
    status, _, complaint = run("grid", "bad.toml")
    assert status in (1, 2)
    assert says in complaint
    assert complaint.count("\n") == 1


def test_a_scheduler_that_is_not_there(run):
    Path("little.toml").write_text(GRID)
    status, _, complaint = run("grid", "little.toml", "--scheduler", "tcp://127.0.0.1:1")
    assert status == 2
    assert "--scheduler" in complaint
