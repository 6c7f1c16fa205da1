"""Tasks, architectures and training together; the commands `mstheft train` and `mstheft data`."""

import dataclasses

import numpy as np
import pytest

from mstheft import cli
from mstheft.data.vocabulary import Vocabulary
from mstheft.experiments import tasks
from mstheft.nn import Network, fit


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(tasks, "GENERATED", (300, 100))


@pytest.mark.parametrize("name", ["glyphs", "signs", "spam", "topics", "programs"])
def test_tasks_that_are_made_on_the_spot(name):
    task, again = tasks.load(name, seed=1), tasks.load(name, seed=1)
    assert len(task.x) == len(task.y) == 300
    assert len(task.x_test) == len(task.y_test) == 100
    assert task.x.shape[1:] == task.shape == task.x_test.shape[1:]
    np.testing.assert_array_equal(task.x, again.x)
    assert not np.array_equal(task.x, tasks.load(name, seed=2).x)
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
    task = tasks.load(name)
    assert task.shape == shape
    assert task.classes == classes
    assert set(np.unique(task.y)) == set(np.unique(task.y_test)) == set(range(classes))
    assert task.extent


@pytest.mark.parametrize("architecture", ["softmax", "mlp", "small", "cnn"])
def test_image_architectures_fit_their_task(architecture):
    task = tasks.load("glyphs")
    network = tasks.build(architecture, task, hidden=8, blocks=1, rng=0)
    assert network.outputs == 10
    assert network.dtype == (np.float64 if architecture in ("softmax", "mlp") else np.float32)
    assert network.logits(task.x[:3].reshape(3, -1)).shape == (3, 10)


def test_a_name_may_hold_the_size_of_its_network():
    task = tasks.load("glyphs")
    assert tasks.architecture("cnn-2") == ("cnn", 2)
    assert tasks.architecture("text-cnn") == ("text-cnn", None)
    narrow = tasks.build("mlp-7", task, rng=0)
    assert [len(b) for _, b in narrow.dense()] == [7, 10]
    blocks = [len(tasks.build(name, task, rng=0).layers) for name in ("cnn-1", "cnn-2", "cnn")]
    assert blocks[0] < blocks[1] < blocks[2]


@pytest.mark.parametrize("architecture", ["text-bag", "text-cnn", "text-gru"])
def test_text_architectures_fit_their_task(architecture):
    task = tasks.load("spam")
    network = tasks.build(architecture, task, rng=0)
    assert network.logits(task.x[:3]).shape == (3, 2)


@pytest.mark.parametrize("architecture", ["softmax", "mlp"])
def test_architectures_for_rows_of_numbers(architecture):
    task = tasks.load("programs")
    network = tasks.build(architecture, task, hidden=8, rng=0)
    assert network.logits(task.x[:3]).shape == (3, 2)
    with pytest.raises(ValueError, match=r"small does not fit: programs holds rows of numbers"):
        tasks.build("small", task, rng=0)


def test_training_learns_and_keeps_its_test_part_apart():
    task = tasks.load("glyphs")
    network = tasks.build("mlp", task, hidden=32, rng=0)
    history = tasks.train(network, task, epochs=8, batch=16, rng=0)
    assert len(history.validation) == 8
    right = fit.accuracy(network, task.x_test, task.y_test)
    assert 0.6 < right <= 1  # 300 glyphs; guessing gets 0.1

    blind = dataclasses.replace(task, x_test=0 * task.x_test, y_test=0 * task.y_test)
    other = tasks.build("mlp", blind, hidden=32, rng=0)
    tasks.train(other, blind, epochs=8, batch=16, rng=0)
    np.testing.assert_array_equal(other.logits(task.x_test), network.logits(task.x_test))


def test_the_images_of_a_victim_may_move_at_every_step(monkeypatch):
    given = []
    monkeypatch.setattr(fit, "fit", lambda *_, augment, **how: given.append(augment))
    task = tasks.load("small-glyphs")
    for kind in ("none", "flips+crops"):
        tasks.train(tasks.build("tiny", task, rng=0), task, augment=kind, rng=0)
    assert given[0] is None
    rows = task.x[:50]
    moved = given[1](rows, np.random.default_rng(0))
    assert moved.shape == rows.shape
    assert not np.array_equal(moved, rows)
    usual = {name: how.get("augment", "none") for name, (_, how) in tasks.USUAL.items()}
    assert usual["cifar10"] == "flips+crops", "photographs, which may be mirrored"
    assert usual["gtsrb"] == "crops", "a mirrored sign is another sign"


def test_a_victim_is_trained_once_for_a_folder(tmp_path, monkeypatch):
    task = tasks.load("glyphs")
    first = tasks.victim("mlp-8", task, epochs=1, folder=tmp_path / "kept")
    assert [file.name for file in (tmp_path / "kept").iterdir()] == ["glyphs-mlp-8-1.npz"]
    monkeypatch.setattr(tasks, "train", lambda *_, **__: pytest.fail("it is there"))
    again = tasks.victim("mlp-8", task, epochs=1, folder=tmp_path / "kept")
    np.testing.assert_array_equal(first.logits(task.x_test), again.logits(task.x_test))
    assert again.about == {"data": "glyphs"}
    assert tasks.victim_file("usual", "mnist", 5) == "mnist-usual.npz"
    assert tasks.victim_file("usual", "glyphs", 5) == "glyphs-usual-5.npz"


def test_a_half_trained_victim_is_not_kept(tmp_path, monkeypatch):
    interrupted = fit.History(interrupted=True)
    monkeypatch.setattr(tasks, "train", lambda *_, **__: interrupted)
    with pytest.raises(KeyboardInterrupt, match="training"):
        tasks.victim("mlp", tasks.load("glyphs"), folder=tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        tasks.dense_victim(tasks.load("glyphs"))


def test_a_dense_victim_of_two_classes_has_one_output():
    task = tasks.load("glyphs", dtype=np.float64)
    pair = task.two_classes(3, 8)
    assert len(pair.x) == len(pair.y) == np.isin(task.y, (3, 8)).sum()
    assert pair.y.sum() == (task.y == 8).sum()
    assert pair.y_test.sum() == (task.y_test == 8).sum()
    network = tasks.dense_victim(pair, (6,), activation="tanh", rng=0)
    assert [len(b) for _, b in network.dense()] == [6, 1]
    assert fit.accuracy(network, pair.x_test, pair.y_test) > 0.8
    ten = tasks.dense_victim(task, rng=0)
    assert ten.outputs == 10
    assert fit.accuracy(ten, task.x_test, task.y_test) > 0.6


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: tasks.load("imagenet"), "expected data= to be one of"),
        (lambda: tasks.build("vit", tasks.load("glyphs")), "cnn-BLOCKS, mlp-NEURONS, got 'vit'"),
        (lambda: tasks.build("cnn-5", tasks.load("glyphs")), "got 'cnn-5'"),
        (lambda: tasks.build("text-cnn", tasks.load("glyphs")), "holds images"),
        (lambda: tasks.build("mlp", tasks.load("spam")), "holds texts"),
        (lambda: tasks.build("cnn", tasks.load("glyphs"), blocks=7), "blocks= from 1 to 4"),
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
