"""`mstheft train`: nothing that was learned is lost, and what is lost is said."""

import os

import pytest

from mstheft.cli import files
from mstheft.cli import train as command
from mstheft.nn import Network, fit, zoo


def test_ctrl_c_before_the_first_epoch_spares_the_old_file(run, monkeypatch):
    zoo.mlp([4, 2], rng=0).save("old.npz")
    with open("old.npz", "rb") as file:
        before = file.read()

    def stop(*args, **options):
        return fit.History(interrupted=True)

    monkeypatch.setattr(command.tasks, "train", stop)
    monkeypatch.setattr(command.tasks, "GENERATED", (60, 20))
    status, _, complaint = run("train", "mlp", "--data", "glyphs", "--save", "old.npz")
    assert status == 130
    assert "nothing was saved" in complaint
    with open("old.npz", "rb") as file:
        assert file.read() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--save", "notes.txt"], "ends in .npz"),
        (["--save", "."], "got a folder"),
        (["--save", "nowhere/v.npz"], "there is no folder"),
        (["--save", "v.npz", "--plot", "v.npz"], "one place twice"),
        (["--rate", "1e6"], "above 0 and below 1e6"),
    ],
)
def test_places_and_numbers_are_checked_before_training(run, words, says):
    status, _, complaint = run("train", "mlp", "--data", "glyphs", *words)
    assert status == 2
    assert says in complaint
    assert complaint.count("\n") == 1


def test_a_trained_network_is_never_lost(run, monkeypatch, tmp_path):
    """The folder goes while the victim learns: it is kept elsewhere, and the place is said."""
    os.mkdir("gone")

    def vanish(*args, **options):
        os.rmdir("gone")
        return fit.History(loss=[1.0], validation=[0.5], best=0)

    monkeypatch.setattr(command.tasks, "train", vanish)
    monkeypatch.setattr(command.tasks, "GENERATED", (60, 20))
    monkeypatch.setattr(files.tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    status, _, complaint = run("train", "mlp", "--data", "glyphs", "--save", "gone/v.npz")
    assert status == 1
    assert f"the network is at {tmp_path / 'v.npz'} instead" in complaint
    assert Network.load(tmp_path / "v.npz").outputs == 10


def test_a_network_that_is_not_saved_is_no_secret(run, monkeypatch):
    monkeypatch.setattr(command.tasks, "GENERATED", (60, 20))
    words = ["train", "softmax", "--data", "glyphs", "--epochs", "1"]
    status, said, _ = run(*words)
    assert status == 0
    assert "the network was not saved; add --save FILE.npz to keep it" in said
    assert "not saved" not in run(*words, "--save", "v.npz")[1]
