"""Arenas: what their files may hold, what comes of a match, and that an alarm ends it."""

import csv
import json

import numpy as np
import pytest

from mstheft.defend.prada import Detector
from mstheft.errors import BudgetExhausted
from mstheft.experiments import tasks
from mstheft.experiments.arena import arena, match
from mstheft.nn import zoo
from mstheft.oracle import Oracle
from mstheft.plots.arena import heat
from mstheft.report import pictures as figures

TINY = """
title = "Tiny"
seeds = [0, 1]
[victim]
data = "glyphs"
victim = "mlp-8"
victim_epochs = 4
[attacks.sweep]
attack = "sweep"
[attacks.random]
attack = "random"
copy = "mlp-16"
budget = 60
rounds = 1
epochs = 40
pool_size = 80
[defences.none]
[defences."labels only"]
output = "label"
[defences.noise]
noise = { scale = 0.1 }
[detectors.none]
[detectors.prada]
delta = 0.9
"""


@pytest.fixture(autouse=True)
def little(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tasks, "GENERATED", (400, 150))
    tasks.cached.cache_clear()
    yield
    tasks.cached.cache_clear()


@pytest.fixture
def written(tmp_path):
    def write(text=TINY, name="tiny.toml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


# ---- the whole of it


def test_every_attack_meets_every_defence_and_detector(run, written, tmp_path):
    status, said, complaint = run("arena", written(), "--out", "out")
    assert (status, complaint) == (0, "")
    assert "24 cells" in said
    assert "24 computed now" in said
    rows = list(csv.DictReader((tmp_path / "out" / "tiny.csv").read_text().splitlines()))
    assert len(rows) == 24
    by = {(r["attack"], r["defence"], r["detector"], r["seed"]): r for r in rows}
    exact = by["sweep", "none", "none", "0"]
    assert float(exact["agreement"]) == 1, "an undefended network is copied exactly"
    assert (exact["ended"], exact["noticed"]) == ("", "")
    for defence in ("labels only", "noise"):
        stopped = by["sweep", defence, "none", "0"]
        assert stopped["agreement"] == ""
        assert stopped["ended"].startswith("stage '")
    watched = by["sweep", "none", "prada", "0"]
    assert watched["agreement"] == "", "no verified copy after an alarm"
    assert watched["ended"] == "blocked by the monitor"
    assert 100 < int(watched["noticed"]) <= int(watched["queries"]) < 1000
    for seed in "01":
        learned = by["random", "labels only", "none", seed]
        assert 0.12 < float(learned["agreement"]) < 1
        assert learned["queries"] == "60"
        assert float(learned["honest"]) == float(by["random", "none", "none", seed]["honest"])
    assert float(by["random", "none", "none", "0"]["l1"]) == 0
    assert float(by["random", "noise", "none", "0"]["l1"]) > 0.05
    names = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert names == ["tiny-arena-none.png", "tiny-arena-prada.png"]
    assert "0 computed now" in run("arena", written(), "--out", "out")[1]


def test_what_is_added_leaves_the_other_cells_alone(written, tmp_path):
    """A cell's file is named by its own settings, not by those of its neighbours."""
    small = TINY.replace("seeds = [0, 1]", "seeds = [0]")
    first = arena.read(written(small)).grid
    more = small + "[defences.rounded]\ndecimals = 3\n"
    second = arena.read(written(more)).grid
    before = {first.name(cell) for cell in first.cells()}
    after = {second.name(cell) for cell in second.cells()}
    assert before < after
    assert len(after) == len(before) + 4
    other = arena.read(written(small.replace("scale = 0.1", "scale = 0.2"))).grid
    changed = before - {other.name(cell) for cell in other.cells()}
    assert len(changed) == 4, "those with noise"


def test_a_failed_cell_is_reported_and_stops_no_other(run, written, monkeypatch):
    real = match.run_match

    def fails_for_noise(own, *others):
        if "noise" in own["defence"]:
            raise ZeroDivisionError("planted")
        return real(own, *others)

    monkeypatch.setattr(match, "run_match", fails_for_noise)
    small = TINY.replace("seeds = [0, 1]", "seeds = [0]")
    status, said, complaint = run("arena", written(small), "--out", "out")
    assert status == 1
    assert complaint.count("ZeroDivisionError: planted") == 4
    assert "8 computed now" in said
    monkeypatch.setattr(match, "run_match", real)
    assert "4 computed now" in run("arena", written(small), "--out", "out")[1]


ADAPTIVE = """
[attacks."random, averaging"]
attack = "random"
copy = "mlp-16"
budget = 60
rounds = 1
epochs = 40
pool_size = 80
adapt = { repeats = 2 }
"""


def test_an_adaptive_attack_meets_what_it_is_made_for_and_stands_beside_the_naive(
    run, written, monkeypatch, tmp_path
):
    """Planted: the naive copy agrees on 50 %, on 40 % behind noise; averages give 60 % there."""
    path = written(TINY.replace("seeds = [0, 1]", "seeds = [0, 1, 2]") + ADAPTIVE)
    cells = [c for c in arena.read(path).grid.cells() if c["attack"] == "random, averaging"]
    assert {(c["defence"], c["detector"]) for c in cells} == {("none", "none"), ("noise", "none")}

    def planted(own, *_):
        agreement = 0.5 - 0.1 * bool(own["defence"]) + 0.2 * bool(own["attack"].get("adapt"))
        agreement -= 0.2 * (not own["defence"] and bool(own["attack"].get("adapt")))
        values = {"queries": 60, "noticed": None, "honest": 0.9, "l1": 0, "ended": ""}
        return values | {"agreement": agreement, "apart": 0.1, "false_alarm": None}

    monkeypatch.setattr(match, "run_match", planted)
    status, said, _ = run("arena", path, "--out", "out")
    assert status == 0
    lines = [line.split("  ") for line in said.splitlines() if line.endswith(("helps", "control"))]
    words = [[word.strip() for word in line if word.strip()] for line in lines]
    assert words[0][2:] == [
        "random, averaging",
        "50 % (50 to 50)",
        "50 % (50 to 50)",
        "+0 points",
        "control",
    ]
    assert words[1][3:] == ["40 % (40 to 40)", "60 % (60 to 60)", "+0 points", "helps"]
    assert (tmp_path / "out" / "tiny-arena-adaptive.png").exists()


# ---- alarms


def test_nothing_is_answered_from_the_first_alarm_on():
    """Rows that are a fixed step from one another: PRADA notices after a hundred distances."""
    detector = Detector(0.9)
    monitor = match.BlockingMonitor(detector)
    oracle = Oracle(lambda x: x[:, :2], inputs=4, monitors=[monitor])
    rng = np.random.default_rng(0)
    grown = [rng.normal(size=(20, 4)) * [9, 1, 1, 1]]
    for _ in range(5):
        step = rng.choice([-0.1, 0.1], size=grown[-1].shape)
        grown.append(grown[-1] + step)

    def steal():
        for part in [*grown, *grown, *grown]:
            oracle.query(part + 1e-9 * rng.normal(size=part.shape))

    with pytest.raises(match.Blocked):
        steal()
    asked = oracle.count
    assert detector.first_alarm <= asked
    with pytest.raises(BudgetExhausted):
        oracle.query(rng.normal(size=(1, 4)))


def test_a_learned_copy_of_before_the_alarm_is_kept(tmp_path):
    """Jacobian augmentation is noticed in a late round: its copy of the round before is judged."""
    task = tasks.cached("glyphs")
    network = tasks.build("mlp", task, hidden=16, rng=0)
    tasks.train(network, task, epochs=3, rng=0)
    attack = {"attack": "jbda", "copy": "mlp-16", "budget": 240, "rounds": 3, "epochs": 4}
    watched = {"attack": attack, "defence": {}, "detector": {"delta": 0.9}}
    values = match.run_match(watched, task, network, 0)
    assert values["ended"] == "blocked by the monitor"
    assert values["noticed"] <= values["queries"] <= 184
    assert 0 < values["agreement"] < 1
    free = match.run_match(watched | {"detector": {}}, task, network, 0)
    assert (free["ended"], free["noticed"]) == ("", None)
    assert 92 < free["queries"] <= 184, "23 rows, doubled three times but for equal ones"


def test_honest_users_are_asked_behind_the_same_defence():
    task = tasks.cached("glyphs")
    network = tasks.build("mlp", task, hidden=16, rng=0)
    right = float((network.labels(task.x_test) == task.y_test).mean())
    for defence in ({"output": "label"}, {"output": "top_k", "top": 1}, {"mad": {"radius": 0.0}}):
        own = {"defence": defence, "detector": {}}
        kept = match.honest_users(own, task, network, 0)
        assert kept["honest"] == pytest.approx(right, abs=1e-12)
        assert kept["false_alarm"] is None
    for output in ("logits", "log_probs"):
        own = {"defence": {"output": output}, "detector": {}}
        same = match.honest_users(own, task, network, 0)
        assert same["l1"] == pytest.approx(0, abs=1e-5)
        assert same["honest"] == pytest.approx(right, abs=1e-12)
    rough = {"defence": {"reverse_sigmoid": {"beta": 0.8, "gamma": 0.4}}, "detector": {}}
    assert match.honest_users(rough, task, network, 0)["l1"] > 0.1
    low = match.honest_users({"defence": {}, "detector": {"delta": 0.999}}, task, network, 0)
    assert low["false_alarm"] is not None


# ---- tables and pictures


def test_words_for_cells_with_and_without_copies():
    values = [{"agreement": 0.5, "noticed": 100}, {"agreement": None, "noticed": None}]
    assert arena.agreement(values) == "50.0%, 1 of 2 without"
    assert arena.agreement(values[1:]) == "no copy"
    assert arena.noticed(values) == "100, 1 of 2"
    assert arena.noticed(values[:1] * 2) == "100"
    assert arena.noticed(values[1:]) == "-"


def test_pictures_leave_out_what_is_not_there():
    value = {"agreement": 0.5, "noticed": 7, "honest": 0.9}
    none = {"agreement": None, "noticed": None, "honest": 0.8}
    found = {("a", "x", "d"): [value, none], ("b", "y", "d"): [none]}
    (picture,) = figures.arena_pictures(found)
    assert picture.name == "arena-d"
    assert picture.png.startswith(b"\x89PNG")


def test_the_heat_map_tells_shares_alarms_and_what_honest_users_keep():
    ax = heat(
        [[1.0, np.nan], [0.5, 0.2]],
        ["sweep", "random"],
        ["none", "noise"],
        noticed=[["", "alarm at 120"], ["", ""]],
        honest=[0.964, 0.9],
    )
    words = [text.get_text() for text in ax.texts]
    assert words == ["100%", "no copy\nalarm at 120", "50%", "20%"]
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["none\nhonest: 96.4%", "noise\nhonest: 90.0%"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["sweep", "random"]
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array().mask, [[False, True], [False, False]])


def test_labels_only_do_not_stop_the_attack_that_is_made_for_labels():
    victim = zoo.mlp([8, 4, 1], bias=0.3, rng=0)
    own = {"attack": {"attack": "labels"}, "defence": {}}
    copy, ended = match.attempt(own, Oracle(victim, output="label"), None, None, 0)
    x = np.random.default_rng(1).normal(size=(2000, 8))
    assert ended == ""
    np.testing.assert_array_equal(copy.labels(x), victim.labels(x))
    copy, ended = match.attempt(own, Oracle(victim, output="logits"), None, None, 0)
    assert copy is None
    assert "needs labels" in ended


# ---- what may be said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('attack = "sweep"', 'attack = "burglary"', "attack as one of sweep, relu"),
        ('attack = "sweep"', 'attack = "sweep"\nrounds = 3', "expected budget, test, got rounds"),
        ("budget = 60", 'budget = "60"', "expected budget as a whole number"),
        ("budget = 60", "bugdet = 60", "bugdet; correct it"),
        ("budget = 60", "budget = 60\nadapt = { repeats = 0 }", "adapt: expected repeats of at"),
        ("budget = 60", 'budget = 60\nadapt = { estimate = "x" }', "estimate as one of"),
        ("budget = 60", "budget = 60\nadapt = { repeats = 50 }", "expected budget"),
        ('attack = "sweep"', 'attack = "sweep"\nadapt = { keys = 2 }', "got adapt"),
        ('output = "label"', 'output = "word"', "output as one of logits"),
        ('output = "label"', 'output = "label"\ndecimals = "2"', "decimals as a whole number"),
        ("scale = 0.1", "size = 0.1", r"\[defences.noise\].*got size"),
        ("noise = {", "hiss = {", "reverse_sigmoid, mad"),
        ("delta = 0.9", "delta = 2.0", "0 < delta < 1, got 2.0"),
        ("seeds = [0, 1]", "seeds = [0.5]", "seeds as a list of whole numbers"),
        ("seeds = [0, 1]", "seeds = 3", "seeds as a list of whole numbers, got 3"),
        ('output = "label"', "decimals = 99", r"\[defences.labels only\].*decimals"),
        ('output = "label"', 'output = "top_k"', "expected top= with output='top_k'"),
        ('output = "label"', 'output = "top_k"\ntop = 11', "top"),
        ("budget = 60", "budget = -5", r"\[attacks.random\]: expected budget of at least 1"),
        ("budget = 60", "budget = 4", "expected budget= for 1 rounds"),
        ("rounds = 1", "rounds = 0", "expected rounds of at least 1"),
        ('copy = "mlp-16"', 'copy = "mlp"\npool = "attic"', r"\[attacks.random\].*attic"),
        ('copy = "mlp-16"', 'copy = "mlp"\npool = "programs"', "a pool of rows with 784"),
        ('copy = "mlp-16"', 'copy = "clay"', r"\[attacks.random\].*clay"),
        ("scale = 0.1", "scale = -1", r"\[defences.noise\].*scale from 0 to 1"),
        ("scale = 0.1", 'scale = "a"', "scale as a number, got 'a'"),
        ('victim = "mlp-8"', 'victim = "unusual"', "mlp-NEURONS, got 'unusual'"),
        ('victim = "mlp-8"', 'victim = "text-cnn"', "text-cnn does not fit"),
        ('data = "glyphs"', 'data = "runes"', "runes"),
        ("[defences.none]", "[responses.none]", "got responses; take it out"),
        ("[victim]", "[[victim]]", r"\[victim\]: expected a table"),
        ("[detectors.none]\n[detectors.prada]\ndelta = 0.9", "", "at least one table .detectors"),
    ],
)
def test_arenas_that_cannot_be(written, old, new, says):
    with pytest.raises(ValueError, match=says):
        arena.read(written(TINY.replace(old, new, 1)))


def test_a_victim_that_is_not_described_is_the_usual_one_of_its_data(written):
    usual = arena.read(written(TINY.replace('victim = "mlp-8"\n', "")))
    assert next(usual.grid.cells())["victim"]["victim"] == "usual"
    with pytest.raises(ValueError, match=r"at least one table \[attacks.NAME\], got None"):
        arena.read(written(""))


def test_an_arena_that_cannot_be_is_one_sentence(run, written):
    status, _, complaint = run("arena", written(TINY.replace("scale", "size")), "--out", "out")
    assert status == 2
    assert complaint.count("\n") == 1


def test_results_go_into_a_folder(run, written):
    path = written()
    for place in (path, path / "there"):
        status, _, complaint = run("arena", path, "--out", place)
        assert (status, complaint.count("\n")) == (2, 1)
        assert "expected a folder, got a file" in complaint


def test_nothing_done_is_no_picture(run, written, monkeypatch, tmp_path):
    def fails(*_):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(match, "run_match", fails)
    status, _, complaint = run("arena", written(), "--out", "out")
    assert status == 1
    assert complaint.count("\n") == complaint.count("planted") == 24
    assert list((tmp_path / "out").glob("*.png")) == []


def test_the_arenas_of_the_benchmarks_can_be_read():
    folder = arena.Path(__file__).parents[2] / "benchmarks" / "arenas"
    for path in folder.glob("*.toml"):
        cells = list(arena.read(path).grid.cells())
        assert len(cells) >= 24
        json.dumps(cells)
