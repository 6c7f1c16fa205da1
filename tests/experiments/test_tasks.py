"""Tasks, architectures and training together; the commands `mstheft train` and `mstheft data`."""

import dataclasses

import numpy as np
import pytest

from mstheft import cli
from mstheft.data.vocabulary import Vocabulary
from mstheft.experiments import tasks as victims
from mstheft.nn import Network, fit


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(victims, "GENERATED", (300, 100))


@pytest.mark.parametrize("name", ["glyphs", "signs", "spam", "topics", "programs"])
def test_tasks_that_are_made_on_the_spot(name):
    task, again = victims.load(name, seed=1), victims.load(name, seed=1)
    assert len(task.x) == len(task.y) == 300
    assert len(task.x_test) == len(task.y_test) == 100
    assert task.x.shape[1:] == task.shape == task.x_test.shape[1:]
    np.testing.assert_array_equal(task.x, again.x)
    assert not np.array_equal(task.x, victims.load(name, seed=2).x)
    assert 2 <= task.classes <= 12
    if task.vocabulary is not None:
        assert 0 <= task.x.min() <= task.x.max() < len(task.vocabulary)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("mnist", (28, 28, 1), 10),
        ("cifar10", (32, 32, 3), 10),
        ("gtsrb", (32, 32, 3), 43),
        ("mr", (40,), 2),
        ("imdb", (300,), 2),
        ("ag-news", (60,), 4),
    ],
)
def test_tasks_of_real_data(name, shape, classes):
    task = victims.load(name)
    assert task.shape == shape
    assert task.classes == classes
    assert set(np.unique(task.y)) == set(np.unique(task.y_test)) == set(range(classes))
    assert task.found


@pytest.mark.parametrize("architecture", ["softmax", "mlp", "small", "cnn"])
def test_image_architectures_fit_their_task(architecture):
    task = victims.load("glyphs")
    network = victims.build(architecture, task, hidden=8, blocks=1, rng=0)
    assert network.outputs == 10
    assert network.dtype == (np.float64 if architecture in ("softmax", "mlp") else np.float32)
    assert network.logits(task.x[:3].reshape(3, -1)).shape == (3, 10)


@pytest.mark.parametrize("architecture", ["text-bag", "text-cnn", "text-gru"])
def test_text_architectures_fit_their_task(architecture):
    task = victims.load("spam")
    network = victims.build(architecture, task, rng=0)
    assert network.logits(task.x[:3]).shape == (3, 2)


@pytest.mark.parametrize("architecture", ["softmax", "mlp"])
def test_architectures_for_rows_of_numbers(architecture):
    task = victims.load("programs")
    network = victims.build(architecture, task, hidden=8, rng=0)
    assert network.logits(task.x[:3]).shape == (3, 2)
    with pytest.raises(ValueError, match=r"small does not fit: programs holds rows of numbers"):
        victims.build("small", task, rng=0)


def test_training_learns_and_keeps_its_test_part_apart():
    task = victims.load("glyphs")
    network = victims.build("mlp", task, hidden=32, rng=0)
    history = victims.train(network, task, epochs=8, batch=16, rng=0)
    assert len(history.validation) == 8
    right = fit.accuracy(network, task.x_test, task.y_test)
    assert 0.6 < right <= 1  # 300 glyphs; guessing gets 0.1

    blind = dataclasses.replace(task, x_test=0 * task.x_test, y_test=0 * task.y_test)
    other = victims.build("mlp", blind, hidden=32, rng=0)
    victims.train(other, blind, epochs=8, batch=16, rng=0)
    np.testing.assert_array_equal(other.logits(task.x_test), network.logits(task.x_test))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: victims.load("imagenet"), "expected data= to be one of"),
        (lambda: victims.build("vit", victims.load("glyphs")), "expected an architecture"),
        (lambda: victims.build("text-cnn", victims.load("glyphs")), "holds images"),
        (lambda: victims.build("mlp", victims.load("spam")), "holds texts"),
        (lambda: victims.build("cnn", victims.load("glyphs"), blocks=7), "blocks= from 1 to 4"),
    ],
)
def test_what_does_not_fit_is_told(call, told):
    with pytest.raises(ValueError, match=told):
        call()


def test_train_command(tmp_path, capsys):
    told = ["--save", str(tmp_path / "v.npz"), "--plot", str(tmp_path / "out")]
    status = cli.main(["train", "text-cnn", "--data", "spam", "--epochs", "2", *told])
    printed = capsys.readouterr().out
    assert status == 0
    assert "accuracy on 100 test items" in printed
    network = Network.load(tmp_path / "v.npz")
    vocabulary = Vocabulary.load(tmp_path / "v.vocabulary.json")
    assert network.logits(vocabulary.encode(["free money"], 40)).shape == (1, 2)
    assert (tmp_path / "out" / "training.png").stat().st_size > 1000


def test_train_command_keeps_the_best_on_ctrl_c(tmp_path, capsys, monkeypatch):
    passes = fit._epoch

    def interrupted(*args):
        if interrupted.count == 2:
            raise KeyboardInterrupt
        interrupted.count += 1
        return passes(*args)

    interrupted.count = 0
    monkeypatch.setattr(fit, "_epoch", interrupted)
    save = ["--save", str(tmp_path / "v.npz")]
    assert cli.main(["train", "mlp", "--data", "glyphs", "--epochs", "9", *save]) == 130
    assert "2 epochs" in capsys.readouterr().out
    assert Network.load(tmp_path / "v.npz").outputs == 10


@pytest.mark.parametrize(
    "words",
    [
        ["train", "cnn", "--data", "spam"],
        ["train", "cnn", "--data", "glyphs", "--blocks", "9"],
        ["train", "cnn", "--data", "glyphs", "--rate", "-1"],
        ["train", "mlp", "--data", "glyphs", "--save", "missing/folder/v.npz"],
        ["data", "burn"],
    ],
)
def test_wrong_arguments(words, capsys):
    assert cli.main(words) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_data_commands(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path))
    assert cli.main(["data", "where"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path)
    assert cli.main(["data", "list"]) == 0
    assert "cifar10" in capsys.readouterr().out
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(b"no")
    assert cli.main(["data", "verify"]) == 1
    told = capsys.readouterr()
    assert "wrong" in told.out
    assert "train-labels" in told.err
    assert cli.main(["data", "fetch", "nothing"]) == 1
    assert "expected a data set" in capsys.readouterr().err
