"""`mstheft serve`, and `mstheft steal ... --journal`."""

import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import service_worker as worker

from mstheft import cli
from mstheft.nn import Network
from mstheft.oracle import Oracle, service
from mstheft.oracle.client import HttpVictim

X = np.random.default_rng(0).normal(size=(5, 20))


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """run(*arguments) -> (status, what it printed, what it complained of), in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        status = cli.main([str(each) for each in arguments])
        return (status, *capsys.readouterr())

    worker.victim().save(tmp_path / "victim.npz")
    return call


@pytest.fixture
def started(monkeypatch):
    """The applications that `mstheft serve` would have served, with host and port."""
    seen = []

    def serve(app, host, port):
        seen.append((app.state.service, host, port))
        app.state.service.close()

    monkeypatch.setattr(service, "serve", serve)
    return seen


# ---- serve


def test_serve_in_a_process_of_its_own_until_ctrl_c(tmp_path):
    worker.victim().save(tmp_path / "victim.npz")
    port = worker.free_port()
    words = "serve victim.npz --output probs --decimals 4 --budget 20 --detector prada --port"
    command = [sys.executable, "-m", "mstheft", *words.split(), str(port)]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        key = process.stdout.readline().removeprefix("key: ").strip()
        said = process.stdout.readline() + process.stdout.readline()
        worker.reachable(port)
        url = f"http://127.0.0.1:{port}"
        with HttpVictim(url, key) as victim:
            expected = Oracle(worker.victim(), "probs", decimals=4).query(X)
            assert np.array_equal(victim(X), expected)
            assert victim.left == 15
        with pytest.raises(ValueError, match="401"):
            HttpVictim(url, "wrong")
        process.send_signal(signal.SIGINT)
        more, complained = process.communicate(timeout=20)
    finally:
        worker.end(process)
    assert process.returncode == 0
    assert "account default: 0 rows asked, 20 left" in said
    assert url in said
    assert more == ""
    assert "GET /v1/model refused with 401" in complained
    assert key not in complained
    assert (tmp_path / "victim.accounts.db").is_file()


def test_keys_come_from_a_file_with_budgets_of_their_own(run, started, tmp_path):
    (tmp_path / "keys.txt").write_text("ann k1\n\nbob k2 7\n")
    words = "serve victim.npz --keys keys.txt --budget 100 --detector none --port 9 --output label"
    status, said, _ = run(*words.split())
    assert status == 0
    ((there, host, port),) = started
    assert (host, port) == ("127.0.0.1", 9)
    assert [(a.name, a.budget, a.watch) for a in there.accounts] == [
        ("ann", 100, None),
        ("bob", 7, None),
    ]
    assert there.oracle.output == "label"
    assert "k1" not in said


def test_each_account_has_a_detector_of_its_own(run, started, tmp_path):
    (tmp_path / "keys.txt").write_text("ann k1\nbob k2\n")
    run(*["serve", "victim.npz", "--keys", "keys.txt", "--delta", "0.95"])
    one, two = (account.watch for account in started[0][0].accounts)
    assert one is not two
    assert one.delta == 0.95


@pytest.mark.parametrize(
    ("words", "keys", "said"),
    [
        ("serve nothing.npz", "", "no such file"),
        ("serve victim.npz --output label --decimals 3", "", "leave one out"),
        ("serve victim.npz --output top_k", "", "top="),
        ("serve victim.npz --port 70000", "", "port up to 65535"),
        ("serve victim.npz --keys keys.txt", "ann", "NAME KEY"),
        ("serve victim.npz --keys keys.txt", "ann k -5", "NAME KEY"),
        ("serve victim.npz --keys keys.txt", "\n", "at least one line"),
        ("serve victim.npz --keys keys.txt", "ann k\nbob k", "each account its own"),
        ("serve victim.npz --keys no.txt", "", "no.txt"),
        ("serve victim.npz --accounts nowhere/a.db", "", "folder"),
        ("serve victim.npz --accounts victim.npz", "", "cannot be read"),
    ],
)
def test_wrong_arguments_are_one_sentence(run, started, tmp_path, words, keys, said):
    (tmp_path / "keys.txt").write_text(keys)
    status, _, complaint = run(*words.split())
    assert status == 2
    assert said in complaint
    assert complaint.count("\n") == 1
    assert started == []


def test_without_the_extra_it_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    monkeypatch.delitem(sys.modules, "mstheft.oracle.service", raising=False)
    monkeypatch.delattr("mstheft.oracle.service", raising=False)
    status, _, complaint = run("serve", "victim.npz")
    assert status == 2
    assert "mstheft[service]" in complaint


# ---- --journal


def test_steal_with_a_journal_pays_nothing_the_second_time(run, tmp_path):
    words = "steal relu --shape 12-5-3 --journal run.db --json {0}.json --save {0}.npz"
    _, one, _ = run(*words.format("a").split())
    status, two, _ = run(*words.format("b").split())
    assert status == 0
    total = json.loads((tmp_path / "a.json").read_text())["queries"]
    assert total == json.loads((tmp_path / "b.json").read_text())["queries"]
    paid, again = (re.search(r"journal: ([\d,]+) rows .* ([\d,]+) asked", t) for t in (one, two))
    assert paid.group(1) == again.group(2) == "0"
    assert paid.group(2) == again.group(1) == f"{total:,}"
    copies = [Network.load(tmp_path / f"{n}.npz").parameters() for n in "ab"]
    assert all(np.array_equal(copies[0][name], copies[1][name]) for name in copies[0])


def test_a_spent_budget_goes_on_from_the_journal(run):
    words = "steal relu --shape 12-5-3 --journal run.db --budget"
    status, _, complaint = run(*words.split(), 200)
    assert status == 1
    assert "raise --budget" in complaint
    status, said, _ = run(*words.split(), 5000)
    assert status == 0
    assert "journal: 0 rows" not in said


@pytest.mark.parametrize("other", ["--seed 1", "--decimals 9", "--output probs"])
def test_the_journal_of_another_run_is_refused(run, other):
    words = "steal relu --shape 12-5-3 --journal run.db"
    run(*words.split())
    status, _, complaint = run(*words.split(), *other.split())
    assert status == 2
    assert "of another one" in complaint


def test_journal_must_be_a_place_of_its_own(run):
    status, _, complaint = run(
        *["steal", "relu", "--shape", "12-5-3", "--journal", "a.npz", "--save", "a.npz"]
    )
    assert (status, "twice" in complaint) == (2, True)
    words = "steal active --data glyphs --journal a.db --checkpoint there"
    status, _, complaint = run(*words.split())
    assert (status, "choose one" in complaint) == (2, True)
