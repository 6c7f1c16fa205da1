"""The command line: exit status, one clear sentence, what is printed and what is written."""

import errno
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from mstheft import compare
from mstheft.cli import files, steal_exact
from mstheft.direct import linear, relu
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.relu import attack as relu_attack
from mstheft.errors import ExtractionError
from mstheft.experiments import tasks
from mstheft.nn import Network, zoo
from mstheft.report import pictures as figures
from mstheft.report import tour
from mstheft.result import Result

RELU = ["steal", "relu", "--shape", "12-5-3"]
SMALL = tour.Setting(train=400, test=200, side=8, hidden=4)


def one_sentence(complaint):
    return complaint.count("\n") == 1 and complaint.startswith("mstheft") and len(complaint) > 30


@pytest.fixture
def small_digits(monkeypatch):
    monkeypatch.setattr(tour, "Setting", lambda *args, **more: SMALL)


# ---- attacks that succeed


@pytest.mark.parametrize(
    "arguments",
    [
        "logistic --dim 20",
        "logistic --dim 1",
        "logistic --dim 8 --output logits --seed 7",
        "softmax --dim 20 --classes 5",
        "softmax --dim 4 --output log_probs --budget 1000",
        "label --dim 6",
        "relu --shape 20-6-4",
        "auto --shape 20-5",
        pytest.param("auto --shape 20-8-8-3", marks=pytest.mark.slow),
        "relu --shape 12-4-1 --seed 3",
        "relu --shape 12-5-3 --output probs",
        "relu --shape 12-5-3 --decimals 12",
        "exact --shape 20-8-3 --rows 574 --guess 8 --seed 1",
        "deep --shape 20-8-6-4",
        "deep --shape 20-8-6-4 --output log_probs",
        "deep --shape 12-6-4-1",
        "deep --shape 40-24-8-6-8 --seed 3",
    ],
)
def test_a_verified_copy_is_status_0(run, arguments):
    status, printed, complaint = run("steal", *arguments.split())
    assert (status, complaint) == (0, "")
    assert re.search(r"^stage +queries +seconds +found$", printed, re.M)
    assert re.search(r"^total .*a verified copy$", printed, re.M)
    assert re.search(r"^agreement +100\.00 %", printed, re.M)
    assert re.search(
        r"^queries / F = [\d,]+ / [\d.]+ = [\d.]+ +\([\d.]+ without the check", printed, re.M
    )
    assert printed.index("total ") < printed.index("fidelity on") < printed.index("queries / F")
    assert "10,000 rows of N(0, I), none of them seen by the attack" in printed


def test_stages_say_what_they_found(run):
    _, printed, _ = run(*RELU)
    assert "10 kinks on 2 lines" in printed
    assert "5 signs" in printed


def test_the_same_seed_steals_the_same(run):
    first, second, other = (
        re.sub(r"\d\.\d\d  ", "", run(*RELU, "--seed", seed)[1]) for seed in (1, 1, 2)
    )
    assert first == second != other


@pytest.mark.parametrize(
    "kind",
    [
        "relu",
        *(
            pytest.param(k, marks=pytest.mark.slow)
            for k in ("logistic", "softmax", "label", "deep")
        ),
    ],
)
def test_data_trains_a_victim_and_judges_on_test_pictures(run, small_digits, kind):
    width = {"relu": ["--hidden", "4"], "deep": ["--hidden", "8-6"]}.get(kind, [])
    status, printed, complaint = run("steal", kind, "--data", "glyphs", *width, "--plot", "out")
    assert (status, complaint) == (0, "")
    assert "trained on drawn digits" in printed
    assert "test pictures, none of them seen by the attack" in printed
    assert ("accuracy of the copy" in printed) == (kind != "label")
    figures = {"layers.png", "votes.png"} if kind == "deep" else {"rows.png", "weights.png"}
    assert figures <= set(os.listdir("out"))


def test_any_set_of_images_trains_a_victim(run, monkeypatch):
    monkeypatch.setattr(tasks, "GENERATED", (300, 100))
    words = "steal sweep --data signs --hidden 6 --json o.json --plot out"
    status, printed, complaint = run(*words.split())
    assert (status, complaint) == (0, "")
    assert "3072-6-12, trained on signs" in printed
    assert "100 test pictures, none of them seen by the attack" in printed
    assert "100.00 %  (100 of 100)" in printed
    assert "--data" in run("steal", "relu", "--data", "spam")[2], "texts are no images"


@pytest.mark.realdata
@pytest.mark.slow
def test_cifar10(run):
    status, printed, _ = run("steal", "sweep", "--data", "cifar10", "--hidden", "8")
    assert status == 0
    assert "3072-8-10, trained on cifar10" in printed


@pytest.mark.realdata
@pytest.mark.slow
def test_mnist(run):
    status, printed, _ = run("steal", "relu", "--data", "mnist", "--hidden", "16")
    assert status == 0
    assert "agreement                     100.00 %  (10,000 of 10,000)" in printed


def test_everything_that_can_be_written(run):
    Network.save(zoo.mlp([12, 5, 3], bias=0.2, rng=3), "victim.npz")
    places = ["--json", "report.json", "--save", "copy.npz", "--plot", "a/b"]
    limits = ["--output", "logits", "--budget", "300000", "--seed", "4"]
    status, printed, complaint = run("steal", "relu", "--victim", "victim.npz", *limits, *places)
    assert (status, complaint) == (0, "")
    assert "copy saved to copy.npz" in printed
    x = np.random.default_rng(0).normal(size=(100, 12))
    copy, victim = Network.load("copy.npz"), Network.load("victim.npz")
    assert compare.logit_difference(victim, copy, x).max < 1e-6  # 1e-9 as a rule
    names = ("kinks", "slopes", "second_differences", "signs", "weights", "errors")
    assert sorted(os.listdir("a/b")) == sorted(f"{name}.png" for name in names)
    with open("report.json", encoding="utf-8") as file:
        told = json.load(file)
    assert told["verified"] is True
    assert (told["attack"], told["output"], told["budget"]) == ("relu", "logits", 300000)
    assert (told["seed"], told["decimals"], told["failure"]) == (4, None, None)
    assert told["copy"] == "copy.npz"
    assert told["queries"] == sum(stage["queries"] for stage in told["stages"])
    assert told["queries_per_floor"] == pytest.approx(told["queries"] / told["floor"])
    assert told["fidelity"]["agreement"] == 1
    assert 0 < told["fidelity"]["difference"]["max"] < 1e-6


def test_plots_of_equation_solving(run):
    assert run("steal", "softmax", "--dim", 6, "--plot", "out")[0] == 0
    assert {"equations.png", "logit_line.png"} <= set(os.listdir("out"))


def test_quiet_says_nothing(run):
    assert run(*RELU, "--quiet") == (0, "", "")


# ---- attacks that fail


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("relu --shape 12-5-3 --budget 300", ["budget of 300", "raise --budget", "stage '"]),
        ("relu --shape 12-5-3 --budget 0", ["stage 'critical points'", "budget of 0"]),
        ("softmax --dim 6 --budget 5", ["budget of 5", "raise --budget"]),
        ("label --dim 6 --budget 30", ["budget of 30", "raise --budget"]),
        ("relu --shape 12-5-3 --decimals 0", ["stage '", "digits"]),
        ("deep --shape 20-8-6-4 --budget 400", ["budget of 400", "raise --budget"]),
    ],
)
def test_a_failed_attack_is_status_1_and_says_why(run, arguments, words):
    status, printed, complaint = run("steal", *arguments.split(), "--json", "r.json")
    assert status == 1
    assert one_sentence(complaint)
    assert all(word in complaint for word in words)
    assert "no verified copy" in printed
    with open("r.json", encoding="utf-8") as file:
        told = json.load(file)
    assert told["verified"] is False
    assert set(told["failure"]) == {"stage", "assumption", "advice"}
    assert told["queries"] <= (told["budget"] if told["budget"] is not None else 10**6)


def test_a_linear_victim_is_no_relu_network(run):
    zoo.softmax(6, 3, rng=0).save("victim.npz")
    status, printed, complaint = run("steal", "relu", "--victim", "victim.npz", "--plot", "out")
    assert status == 1
    assert "direct.linear" in complaint
    assert "0 kinks" in printed
    assert "kinks.png" in os.listdir("out")


def test_a_linear_victim_is_no_deep_network(run):
    zoo.mlp([6, 3], bias=0.1, rng=1).save("victim.npz")
    status, printed, complaint = run("steal", "deep", "--victim", "victim.npz", "--plot", "out")
    assert status == 1
    assert one_sentence(complaint)
    assert "direct.linear" in complaint
    assert "no verified copy" in printed
    assert "kinks.png" in os.listdir("out")


def unverified(oracle, *, rng):
    """An attack that ends with a copy of which it does not approve."""
    model = zoo.mlp([12, 5, 3], rng=0)
    result = Result(model=model, queries={"verify": 10}, seconds={"verify": 0.1}, error=1.0)
    result.trace = relu_attack.Trace(Hyperplanes.none(12))
    raise ExtractionError("verify", "needs more", "pay more", partial=result)


def test_an_unverified_copy_is_kept_beside_and_never_replaces(run, monkeypatch):
    monkeypatch.setattr(relu, "extract", unverified)
    zoo.mlp([12, 5, 3], rng=9).save("copy.npz")
    with open("copy.npz", "rb") as file:
        before = file.read()
    status, printed, complaint = run(*RELU, "--save", "copy.npz", "--plot", "out")
    assert status == 1
    assert "NOT verified, saved to copy.unverified.npz" in printed
    assert "agreement" in printed
    assert "needs more; pay more" in complaint
    with open("copy.npz", "rb") as file:
        assert file.read() == before
    assert Network.load("copy.unverified.npz").inputs == 12


# ---- a paid copy is never lost


def test_the_copy_is_saved_before_anything_can_fail(run, monkeypatch):
    def broken(*args, **more):
        raise RuntimeError("a bug in a plot")
        yield

    monkeypatch.setattr(figures, "relu_pictures", broken)
    with pytest.raises(RuntimeError, match="a bug in a plot"):
        run(*RELU, "--save", "copy.npz", "--json", "r.json", "--plot", "out")
    assert Network.load("copy.npz").inputs == 12
    assert os.path.exists("r.json")


def test_a_full_disk_takes_figures_and_json_but_not_the_copy(run, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(steal_exact.formatting, "write", full)
    places = ["--save", "copy.npz", "--json", "r.json", "--plot", "out"]
    status, printed, complaint = run(*RELU, *places)
    assert status == 1
    assert Network.load("copy.npz").inputs == 12
    assert "a verified copy" in printed
    assert complaint.count("No space left on device") == 2
    assert "--json" in complaint
    assert "--plot" in complaint


def test_a_copy_that_cannot_be_saved_goes_elsewhere(run, monkeypatch, tmp_path):
    def vanish(oracle, *, rng):
        os.rmdir("place")
        return attack(oracle, rng=rng)

    attack = linear.extract
    monkeypatch.setattr(linear, "extract", vanish)
    monkeypatch.setattr(files.tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    os.mkdir("place")
    status, _, complaint = run("steal", "logistic", "--dim", 3, "--save", "place/c.npz", "--quiet")
    assert status == 1
    assert f"the network is at {tmp_path / 'c.npz'} instead" in complaint
    assert Network.load(tmp_path / "c.npz").inputs == 3


def test_a_closed_pipe_loses_nothing(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "mstheft", *RELU, "--save", "copy.npz"]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.close()
    complaint = child.stderr.read()
    child.stderr.close()
    assert (child.wait(30), complaint) == (0, b"")
    assert Network.load(tmp_path / "copy.npz").inputs == 12


def test_ctrl_c_is_130_and_says_where(run, monkeypatch):
    def interrupted(oracle, *, rng):
        oracle.query(np.zeros((17, oracle.inputs)))
        raise KeyboardInterrupt

    monkeypatch.setattr(relu, "extract", interrupted)
    status, _, complaint = run(*RELU)
    assert status == 130
    assert complaint == "mstheft: stage 'relu': stopped by Ctrl-C after 17 queries; start again\n"


def test_no_memory_is_a_sentence(run, monkeypatch):
    def greedy(*args, **more):
        raise MemoryError

    monkeypatch.setattr(zoo, "mlp", greedy)
    status, _, complaint = run(*RELU)
    assert status == 2
    assert "not enough memory" in complaint


# ---- wrong arguments


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("steal", "KIND"),
        ("steal relu", "--shape"),
        ("steal everything", "everything"),
        ("burgle", "burgle"),
        ("steal relu --shape 784-64", "784-64-10"),
        ("steal relu --shape 784-64-10-5", "784-64-10"),
        ("steal relu --shape 784-0-10", "784-64-10"),
        ("steal relu --shape -3-4-5", "--shape"),
        ("steal relu --shape 1e3-4-5", "784-64-10"),
        ("steal relu --shape 1000000-1000000-10", "weights"),
        ("steal deep --shape 5-4-3-2 --layers 1", "--layers"),
        ("steal deep --shape 784-64-10", "784-64-32-10"),
        ("steal deep --data glyphs --hidden 64", "64-32"),
        ("steal logistic --dim -5", "at least 1"),
        ("steal logistic --dim 0", "at least 1"),
        ("steal logistic --dim 2.5", "whole number"),
        ("steal logistic --dim 99999999999999999999999", "whole number"),
        ("steal softmax --dim 5 --classes 1", "at least 2"),
        ("steal softmax --data glyphs --classes 5", "--classes"),
        ("steal relu --shape 5-4-3 --hidden 9", "--hidden"),
        ("steal relu --shape 5-4-3 --victim x.npz", "not allowed with"),
        ("steal relu --shape 5-4-3 --seed -1", "--seed"),
        ("steal relu --shape 5-4-3 --budget many", "--budget"),
        ("steal relu --shape 5-4-3 --decimals 99", "decimals"),
        ("steal relu --shape 5-4-3 --output everything", "--output"),
        ("steal relu --shape 5-4-3 --out probs", "--out"),
        ("steal label --dim 5 --decimals 3", "--decimals"),
        ("steal relu --victim none.npz", "none.npz"),
        ("steal relu --victim text.npz", "text.npz"),
        ("steal relu --victim .", "saved network"),
        ("steal relu --shape 5-4-3 --json none/r.json", "none/r.json"),
        ("steal relu --shape 5-4-3 --save none/c.npz", "none/c.npz"),
        ("steal relu --shape 5-4-3 --save .", "--save"),
        ("steal relu --shape 5-4-3 --plot text.npz", "text.npz"),
        ("steal relu --shape 5-4-3 --plot text.npz/out", "text.npz"),
        ("steal relu --shape 5-4-3 --save a --json ./a", "twice"),
        ("steal sweep --shape 5-4-3 --low 0", "low= and high= together"),
        ("steal sweep --shape 5-4-3 --low 1 --high 0", "low < high"),
        ("tour --out text.npz", "text.npz"),
        ("tour --seed x", "--seed"),
    ],
)
def test_wrong_arguments_are_status_2_and_cost_nothing(run, monkeypatch, arguments, words):
    def spent(oracle, *, rng):
        pytest.fail("the attack has begun")

    for module in (linear, relu):
        monkeypatch.setattr(module, "extract", spent)
    with open("text.npz", "w", encoding="utf-8") as file:
        file.write("not a network")
    status, printed, complaint = run(*arguments.split())
    assert (status, printed) == (2, "")
    assert one_sentence(complaint)
    assert words in complaint
    assert os.listdir() == ["text.npz"]


def test_missing_data_is_a_wrong_argument(run, monkeypatch, tmp_path):
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path))
    status, _, complaint = run("steal", "relu", "--data", "mnist")
    assert status == 2
    assert one_sentence(complaint)
    assert "--data glyphs" in complaint


def test_a_damaged_model_is_a_wrong_argument(run):
    zoo.mlp([5, 4, 3], rng=0).save("victim.npz")
    with open("victim.npz", "r+b") as file:
        file.truncate(300)
    status, _, complaint = run("steal", "relu", "--victim", "victim.npz")
    assert status == 2
    assert one_sentence(complaint)


def test_exact_attacks_refuse_a_convolution_at_once(run):
    zoo.small_cnn((8, 8, 1), 3, rng=0).save("cnn.npz")
    status, _, complaint = run("steal", "relu", "--victim", "cnn.npz")
    assert status == 2
    assert "expected dense layers" in complaint
    assert "steal active" in complaint


def test_auto_takes_any_shape_and_the_others_only_their_own(run):
    status, _, complaint = run("steal", "auto", "--shape", "10-3-3-3-3-2", "--budget", "1")
    assert (status, "budget of 1" in complaint) == (1, True)
    status, _, complaint = run("steal", "auto", "--shape", "20")
    assert (status, "widths such as 20-8-3" in complaint) == (2, True)
    status, _, complaint = run("steal", "relu", "--shape", "20-5")
    assert (status, "widths such as 784-64-10" in complaint) == (2, True)


def test_why_no_weights_are_compared(run, monkeypatch):
    wide = Result(model=zoo.mlp([12, 7, 3], rng=0), queries={"line": 0}, verified=True)
    monkeypatch.setattr("mstheft.direct.relu.extract", lambda *_, **__: wide)
    _, said, _ = run(*RELU)
    assert "no weights compared: the layers have 5-3 neurons, the copy's 7-3" in said
    assert "aligned" not in said
