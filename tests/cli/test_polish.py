"""`mstheft polish`, and the logs that it reads."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from mstheft.experiments import tasks
from mstheft.nn import Network, zoo
from mstheft.nn import gauss_newton as gn
from mstheft.nn.layers import Activation, Dense
from mstheft.nn.norm import Dropout


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def write(form="logits", decimals=3, **arrays):
    """A victim, a rough copy.npz of it, and a q.npz of 300 answers; returns the victim."""
    rng = np.random.default_rng(0)
    victim = zoo.mlp([8, 5, 3], bias=0.3, rng=1)
    weights, _ = gn.chain(victim)
    rough = [w + 0.2 * w.std() * rng.normal(size=w.shape) for w in weights]
    gn.assemble(victim, rough).save("copy.npz")
    x = rng.normal(size=(300, 8))
    answers = np.round(gn.OUTPUTS[form].answer(victim.logits(x)), decimals)
    log = {"queries": x, "answers": answers, "output": form} | arrays
    np.savez("q.npz", **{name: value for name, value in log.items() if value is not None})
    return victim


def test_a_rough_copy_is_polished_to_the_noise_kept_and_told(run):
    victim = write()
    files = ["--save", "p.npz", "--json", "out.json", "--plot", "figures"]
    status, said, complaint = run("polish", "copy.npz", "--log", "q.npz", *files)
    assert (status, complaint) == (0, "")
    told = json.loads(Path("out.json").read_text())
    assert told["misfit"][0] > 0.1 > 1e-3 > told["misfit"][-1]
    assert told["noise"] == pytest.approx(1e-3 / np.sqrt(12))
    assert (told["kind"], told["decimals"], told["converged"]) == ("decimals", 3, True)
    assert told["ratio"] == pytest.approx(1, abs=0.15)
    for misfit in told["misfit"]:
        assert f"{misfit:.2e}" in said
    assert f"{told['bound']:.2e}" in said
    assert told["verdict"] in said
    x = np.random.default_rng(1).normal(size=(1000, 8))
    difference = Network.load("p.npz").logits(x) - victim.logits(x)
    assert 0.5 < np.sqrt(np.mean(difference**2)) / told["bound"] < 2
    assert sorted(os.listdir("figures")) == ["error_bars.png", "misfit.png"]


def test_a_copy_that_cannot_be_right_is_told_and_kept(run):
    write()
    zoo.mlp([8, 2, 3], rng=0).save("narrow.npz")
    status, said, complaint = run("polish", "narrow.npz", "--log", "q.npz", "--save", "p.npz")
    assert (status, complaint.count("\n")) == (1, 1)
    assert "not converged: the misfit is" in complaint
    assert "converged: what is left is noise" not in said
    assert Network.load("p.npz").outputs == 3


def test_the_output_and_the_noise_can_be_given(run):
    write("probs", 4, output=None)
    words = ["polish", "copy.npz", "--log", "q.npz", "--output", "probs", "--json", "out.json"]
    assert run(*words)[0] == 0
    assert json.loads(Path("out.json").read_text())["output"] == "probs"
    assert run(*words, "--noise", "1e-3")[0] == 0
    told = json.loads(Path("out.json").read_text())
    assert (told["kind"], told["noise"]) == ("given", pytest.approx(1e-3))
    assert run(*words, "--steps", "0")[0] == 1
    assert len(json.loads(Path("out.json").read_text())["misfit"]) == 1


@pytest.mark.parametrize(
    ("words", "arrays", "says"),
    [
        ("", {"output": None}, "pass --output"),
        ("", {"output": "label"}, "expected answers that are numbers, got label"),
        ("", {"answers": None}, "queries (n, d) and answers (n, K)"),
        ("", {"answers": np.zeros((3, 3))}, "one row of answers per row asked"),
        ("", {"queries": np.zeros((300, 7))}, "expected rows (n, 8)"),
        ("--log none.npz", {}, "none.npz"),
        ("--save copy.npz", {}, "is the rough copy"),
        ("--save p.txt", {}, "ends in .npz"),
        ("--steps -1", {}, "whole number"),
        ("--noise 0", {}, "a number above 0"),
    ],
)
def test_wrong_arguments_are_one_sentence(run, words, arrays, says):
    write(**arrays)
    status, said, complaint = run("polish", "copy.npz", "--log", "q.npz", *words.split())
    assert status == 2
    assert says in complaint
    assert complaint.count("\n") == 1
    assert "step" not in said


def test_other_networks_and_too_few_answers_are_refused(run):
    write()
    layers = [Dense(8, 5, rng=0), Dropout(0.1), Activation("relu"), Dense(5, 3, rng=0)]
    Network(layers, 8).save("other.npz")
    status, _, complaint = run("polish", "other.npz", "--log", "q.npz")
    assert (status, "other networks cannot be polished" in complaint) == (2, True)
    zoo.mlp([8, 200, 3], rng=0).save("wide.npz")
    status, _, complaint = run("polish", "wide.npz", "--log", "q.npz")
    assert (status, "more answered numbers than" in complaint) == (2, True)


# ---- the logs


def test_an_exact_attack_logs_every_row_that_it_asked(run):
    zoo.mlp([8, 5, 3], bias=0.3, rng=1).save("victim.npz")
    words = ["steal", "relu", "--victim", "victim.npz", "--log", "q.npz", "--save", "copy.npz"]
    assert run(*words, "--json", "out.json")[0] == 0
    victim = Network.load("victim.npz")
    with np.load("q.npz") as log:
        assert len(log["queries"]) == json.loads(Path("out.json").read_text())["queries"]
        np.testing.assert_allclose(log["answers"], victim.logits(log["queries"]), rtol=1e-9)
        np.testing.assert_array_equal(log["labels"], victim.labels(log["queries"]))
        assert str(log["output"]) == "logits"


def test_labels_are_logged_as_they_came_and_not_polished(run):
    assert run("steal", "label", "--dim", "3", "--log", "q.npz", "--save", "copy.npz")[0] == 0
    with np.load("q.npz") as log:
        assert log["answers"].shape == log["labels"].shape == (len(log["queries"]),)
    status, _, complaint = run("polish", "copy.npz", "--log", "q.npz")
    assert (status, "got label" in complaint) == (2, True)


@pytest.mark.parametrize("kind", ["active", "jacobian"])
def test_what_a_learned_copy_has_asked_polishes_it(run, monkeypatch, kind):
    """Validation rows included. Of Jacobian augmentation there are too few rows here."""
    monkeypatch.setattr(tasks, "GENERATED", (400, 400))
    tasks.cached.cache_clear()
    victim = zoo.mlp([784, 10], rng=0)
    victim.save("victim.npz")
    words = ["--data", "glyphs", "--victim", "victim.npz", "--copy", "mlp-1", "--epochs", "2"]
    words += ["--budget", "400", "--rounds", "2", "--log", "q.npz", "--save", "copy.npz"]
    words += ["--pool-size", "500", "--strategy", "random"] if kind == "active" else []
    assert run("steal", kind, *words, "--json", "out.json")[0] == 0
    with np.load("q.npz") as log:
        x, answers = log["queries"], log["answers"]
        assert len(x) == json.loads(Path("out.json").read_text())["queries"]
        np.testing.assert_allclose(answers, victim.probs(x), rtol=1e-12)
        np.testing.assert_array_equal(log["labels"], victim.labels(x))
    words = ["polish", "copy.npz", "--log", "q.npz", "--steps", "1", "--json", "out.json"]
    status, _, complaint = run(*words)
    expected = (1, "not converged") if kind == "active" else (2, "more answered numbers")
    assert (status, complaint.count("\n")) == (expected[0], 1)
    assert expected[1] in complaint
    if status == 1:
        misfit = json.loads(Path("out.json").read_text())["misfit"]
        assert misfit[-1] < misfit[0]
    tasks.cached.cache_clear()


def test_a_misfit_far_below_the_noise_is_told_as_that(run):
    write()
    status, said, _ = run("polish", "copy.npz", "--log", "q.npz", "--noise", "0.1")
    assert status == 0
    assert "times what noise explains, so that nothing is left to gain" in said
    assert "is --noise too large?" in said
    assert "what is left is noise" not in said


@pytest.mark.parametrize("steps", ["0", "1"])
def test_who_allowed_few_steps_is_told_to_allow_more(run, steps):
    write()
    status, _, complaint = run("polish", "copy.npz", "--log", "q.npz", "--steps", steps)
    assert status == 1
    assert "allow more --steps" in complaint
    assert "own victim" not in complaint


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), None])
def test_a_folder_without_write_access_is_one_clear_sentence(run, monkeypatch, error):
    """Before anything is spent, whether it is there already or cannot be made."""
    write()
    if error is None:
        monkeypatch.setattr("os.access", lambda *_: False)
        Path("there").mkdir()
    else:
        monkeypatch.setattr(Path, "mkdir", lambda *_, **__: (_ for _ in ()).throw(error))
    status, said, complaint = run("polish", "copy.npz", "--log", "q.npz", "--plot", "there")
    assert (status, said, complaint.count("\n")) == (2, "", 1)
    assert "--plot there" in complaint
    assert "choose another" in complaint
    assert "rrno" not in complaint
