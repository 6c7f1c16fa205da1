"""--json: what every command writes has the documented form, and all else stays out of its way."""

import argparse
import json
import os
import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from mstheft.cli import commands
from mstheft.course import manifest
from mstheft.experiments import evasion, tasks
from mstheft.nn import zoo
from mstheft.report import tour

SCHEMA = json.loads(resources.files("mstheft.cli").joinpath("report.schema.json").read_text())
SMALL = "--copy mlp --epochs 2 --budget 60 --rounds 2 --pool-size 200 --strategy random"
GRID = 'title = "g"\n[axes]\nseed = [0]\n[fixed]\nstrategy = "random"\ncopy = "mlp"\nbudget = 60\n'
GRID += "rounds = 2\nepochs = 1\npool_size = 200\nvictim_epochs = 1\n"
ARENA = 'seeds = [0]\n[victim]\ndata = "glyphs"\nvictim = "mlp-8"\nvictim_epochs = 1\n'
ARENA += '[attacks.random]\nattack = "random"\nbudget = 60\nrounds = 1\nepochs = 1\ncopy = "mlp"\n'
ARENA += "pool_size = 200\n[defences.none]\n[detectors.none]\n"

# command: (arguments, status); every command that has --json stands here
RUNS = {
    "steal logistic": ("--dim 5", 0),
    "steal softmax": ("--shape 5-3", 0),
    "steal label": ("--dim 3", 0),
    "steal labels": ("--shape 8-3-1", 0),
    "steal relu": ("--shape 12-5-3 --save copy.npz", 0),
    "steal sweep": ("--shape 12-5-3 --budget 20", 1),
    "steal auto": ("--shape 12-5-3", 0),
    "steal exact": ("--shape 12-5-3 --budget 20", 1),
    "steal smooth": ("--shape 8-3-4", 0),
    "steal deep": ("--shape 20-8-6-4", 0),
    "steal active": (f"--data glyphs {SMALL}", 0),
    "steal jacobian": ("--victim v.npz --data glyphs --budget 60 --rounds 2 --copy mlp", 0),
    "polish": ("rough.npz --log q.npz --save p.npz", 0),
    "evade spam": ("--edits 2", 0),
    "evade malware": ("--edits 2", 0),
    "detect prada": ("--log log.npz", 0),
    "train": ("mlp --data glyphs --epochs 2", 0),
    "data list": ("", 0),
    "data verify": ("", 1),
    "data where": ("", 0),
    "data fetch": ("mnist", 0),
    "grid": ("grid.toml", 0),
    "arena": ("arena.toml", 0),
    "study precision": ("--shape 6-3-3 --seeds 1 --attacks linear --answers float64 probs-3", 0),
    "vectors list": ("", 0),
    "vectors show": ("softmax", 0),
    "vectors check": ("mstheft.nn.functions:softmax", 0),
    "tour": ("", 0),
    "learn list": ("", 0),
    "learn check": ("2", 1),
    "learn grade": ("class", 0),
}


@pytest.fixture
def validate():
    """validate(document) raises where the document has another form than the schema's."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA).validate


@pytest.fixture
def run(run, monkeypatch, tmp_path):
    """The command line in a folder with all that the runs need, small."""
    course = manifest.find(Path(__file__).parents[2])
    ignored = shutil.ignore_patterns("progress.json*", "notebooks", "__pycache__", "figures")
    shutil.copytree(course.home, tmp_path / "tutorials", ignore=ignored)
    monkeypatch.setattr(tasks, "GENERATED", (400, 100))
    monkeypatch.setattr(tour, "CHAPTERS", tour.CHAPTERS[:1])
    monkeypatch.setattr(tour, "Setting", lambda seed: SETTING)
    made, little = evasion.settings, {"messages": 3, "budget": 60, "rounds": 2, "epochs": 5}
    monkeypatch.setattr(
        evasion, "settings", lambda kind, **own: made(kind, **({"pool_size": 200} | little | own))
    )
    tasks.cached.cache_clear()
    zoo.mlp([784, 8, 10], rng=0).save("v.npz")
    rows = np.random.default_rng(0).normal(size=(150, 4))
    np.savez("log.npz", queries=rows, labels=np.arange(150) % 3)
    rough, x = zoo.mlp([4, 3], rng=0), rows.astype(np.float32)
    np.savez("q.npz", queries=x, answers=np.round(2 * rough.logits(x), 3), output="logits")
    rough.save("rough.npz")
    Path("grid.toml").write_text(GRID)
    Path("arena.toml").write_text(ARENA)
    (tmp_path / "class" / "anna").mkdir(parents=True)
    shutil.copy(course.lesson(2).solution, "class/anna/02_logistic.py")
    data = tmp_path / "data" / "mnist"
    data.mkdir(parents=True)
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path / "data"))
    (data / "train-labels-idx1-ubyte.gz").write_bytes(b"no")
    monkeypatch.setattr("mstheft.data.registry.fetch", lambda name: [data / name])
    yield run
    tasks.cached.cache_clear()


SETTING = tour.Setting(train=200, test=100, side=8, hidden=3)


def with_json(parser):
    """The names of all commands below a parser that have --json."""
    below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not below:
        return [parser.get_default("command")] if "--json" in parser._option_string_actions else []
    return [
        name for action in below for each in action.choices.values() for name in with_json(each)
    ]


def test_every_command_that_measures_or_lists_has_json_and_a_run_here():
    assert sorted(with_json(commands.build())) == sorted(RUNS)


@pytest.mark.parametrize("command", RUNS)
def test_what_a_command_writes_has_the_documented_form(run, validate, command):
    words, expected = RUNS[command]
    status, said, complaint = run(*command.split(), *words.split(), "--json", "out.json")
    assert status == expected, complaint
    assert said, "the text is still printed"
    document = json.loads(Path("out.json").read_text())
    assert document["command"] == command
    validate(document)


def test_the_schema_refuses_other_forms(run, validate):
    run("steal", "relu", "--shape", "12-5-3", "--json", "out.json")
    document = json.loads(Path("out.json").read_text())
    for change in ({"extra": 1}, {"queries": "many"}, {"command": "steal all"}, {"stages": [1]}):
        with pytest.raises(Exception, match="is not valid under any of the given schemas"):
            validate(document | change)
    del document["verified"]
    with pytest.raises(Exception, match="is not valid under any of the given schemas"):
        validate(document)


@pytest.mark.parametrize("words", ["steal relu --shape 12-5-3", "vectors list", "data where"])
def test_on_standard_output_there_is_nothing_else(run, words):
    status, printed, text = run(*words.split(), "--json", "-")
    assert status == 0
    assert json.loads(printed)["command"] in words
    assert text == run(*words.split())[1] or words.startswith("steal")
    assert not os.path.exists("-")
    assert run(*words.split(), "--json", "-", "-q")[2] == ""


def test_a_place_that_cannot_be_is_told_before_anything_is_done(run):
    for command, (words, _) in RUNS.items():
        status, said, complaint = run(*command.split(), *words.split(), "--json", "no/out.json")
        assert (status, said) == (2, ""), command
        assert "there is no folder no" in complaint
