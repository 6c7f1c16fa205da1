"""`mstheft learn challenge | submit | board`, with the service in a process of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mstheft import cli
from mstheft.course import manifest
from mstheft.experiments import challenge

COURSE = manifest.find(Path(__file__).parents[2])


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the manifest of the course."""
    home = tmp_path / "tutorials"
    (home / "checks").mkdir(parents=True)
    for name in ("course.toml", "course.zh-CN.toml"):
        (home / name).write_bytes((COURSE.home / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def learn(capsys, *arguments):
    status = cli.main(["learn", *map(str, arguments)])
    return (status, *capsys.readouterr())


def test_a_level_from_its_door_to_the_board(here, capsys):
    status, out, _ = learn(capsys, "challenge", "--name", "anna")
    assert status == 0
    assert len(out.splitlines()) == 13
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    door = subprocess.Popen(
        [sys.executable, "-m", "mstheft", "learn", "challenge", "2", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        words = "".join(door.stdout.readline() for _ in range(4))
        key = re.search(r"with the key (\w+)", words).group(1)
        url = f"http://127.0.0.1:{port}"
        assert cli.main(["steal", "softmax", "--victim", url, "--key", key, "--save", "copy.npz",
                         "--seed", "1"]) == 0  # fmt: skip
    finally:
        door.send_signal(signal.SIGINT)
        door.communicate(timeout=20)
    capsys.readouterr()
    status, out, err = learn(capsys, "submit", "copy.npz", 2)
    assert (status, err) == (0, "")
    assert "113 rows" in out
    assert out.splitlines()[0].endswith("gold")
    assert "gold" in learn(capsys, "challenge")[1].splitlines()[1]
    certificate = here / "tutorials" / "challenge" / "level-02.json"
    secret = json.loads((here / "tutorials" / "challenge" / "me.json").read_text())["secret"]
    (here / "secret").write_text(secret)
    status, out, _ = learn(capsys, "board", certificate, "--secret", "secret")
    assert status == 0
    assert "anna" in out
    raw = json.loads(certificate.read_text())
    raw["score"]["queries"] = 1
    certificate.write_text(json.dumps(raw))
    status, out, err = learn(capsys, "board", certificate, "--secret", "secret")
    assert (status, out) == (1, "")
    assert "signed" in err


def test_nothing_is_handed_in_before_the_beginning(here, capsys):
    status, _, err = learn(capsys, "submit", "copy.npz", 1)
    assert status == 1
    assert "have not begun" in err


def test_a_class_has_one_secret_and_a_learner_one_name(here, capsys):
    (here / "secret").write_text("short")
    status, _, err = learn(capsys, "challenge", "--secret", "secret")
    assert status == 2
    assert "8 characters" in err
    (here / "secret").write_text("the secret of the class\n")
    assert learn(capsys, "challenge", "--secret", "secret", "--name", "anna")[0] == 0
    me = json.loads((here / "tutorials" / "challenge" / "me.json").read_text())
    assert me == {"name": "anna", "secret": "the secret of the class"}
    status, _, err = learn(capsys, "challenge", "--name", "bert")
    assert status == 2
    assert "you play as anna" in err


def test_a_wrong_copy_is_told_and_ends_with_1(here, capsys):
    learn(capsys, "challenge", "--name", "anna")
    challenge.victim(1, "another secret", "x").save("copy.npz")
    status, out, _ = learn(capsys, "submit", "copy.npz", 1)
    assert status == 1
    assert out.splitlines()[0].endswith("none")
