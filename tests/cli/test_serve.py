"""`mstheft serve`, and `mstheft steal ... --journal`."""

import itertools
import json
import re
import signal
import subprocess
import sys

import httpx
import numpy as np
import pytest
import service_worker as worker

from mstheft.defend import responses
from mstheft.direct import relu
from mstheft.nn import Network, zoo
from mstheft.oracle import Oracle
from mstheft.oracle.http import server, service
from mstheft.oracle.http.accounts import Accounts
from mstheft.oracle.http.client import HttpVictim

X = np.random.default_rng(0).normal(size=(5, 20))


@pytest.fixture
def run(run, tmp_path):
    """The command line, in a folder that holds a victim."""
    worker.victim().save(tmp_path / "victim.npz")
    return run


@pytest.fixture
def started(monkeypatch):
    """The applications that `mstheft serve` would have served, with host and port."""
    seen = []

    def serve(app, listening, proxy):
        with listening:
            seen.append((app.state.service, *listening.getsockname()))
        app.state.service.close()

    def listen(host="127.0.0.1", port=8000):
        return free(host, 0 if port == 8000 else port)  # somebody may use 8000

    free = server.listen
    monkeypatch.setattr(server, "listen", listen)
    monkeypatch.setattr(server, "serve", serve)
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


def test_ctrl_c_twice_is_no_traceback(tmp_path):
    worker.victim().save(tmp_path / "victim.npz")
    port = worker.free_port()
    command = [sys.executable, "-m", "mstheft", "serve", "victim.npz", "--port", str(port)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=tmp_path, **pipes)
    try:
        worker.reachable(port)
        httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30)  # it serves, and minds signals
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, complained = process.communicate(timeout=20)
    finally:
        worker.end(process)
    assert "Traceback" not in complained


def test_the_victim_is_named_as_everywhere_and_once(run, started):
    words = ["--output", "probs", "--detector", "none"]
    assert run("serve", "--victim", "victim.npz", *words)[0] == 0
    assert run("serve", "victim.npz", *words)[0] == 0
    one, two = (each[0].oracle.query(X) for each in started)
    assert np.array_equal(one, two)
    for named, got in ([], 0), (["victim.npz", "--victim", "victim.npz"], 2):
        status, _, complaint = run("serve", *named)
        assert (status, f"expected one victim, --victim FILE, got {got}" in complaint) == (2, True)


def test_keys_come_from_a_file_with_budgets_of_their_own(run, started, tmp_path):
    (tmp_path / "keys.txt").write_text("# name key budget\nann k1\n\nbob k2 7\n")
    words = "serve victim.npz --keys keys.txt --budget 100 --detector none --port {} --output label"
    free = worker.free_port()
    status, said, _ = run(*words.format(free).split())
    assert status == 0
    ((there, host, port),) = started
    assert (host, port) == ("127.0.0.1", free)
    assert [(a.name, a.budget, a.watch) for a in there.accounts] == [
        ("ann", 100, None),
        ("bob", 7, None),
    ]
    assert there.oracle.output == "label"
    assert "k1" not in said


def test_an_address_that_cannot_be_had_is_told_before_anything_is_promised(run, started):
    with server.listen(port=0) as taken:
        port = taken.getsockname()[1]
        for place in (["--port", port], ["--host", "203.0.113.1"], ["--host", "no such"]):
            status, said, complaint = run("serve", "victim.npz", *place)
            assert (status, said, complaint.count("\n")) == (2, "", 1)
            assert "choose another port or host" in complaint
    assert started == []


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
        ("serve victim.npz --output top_k", "", "top="),
        ("serve victim.npz --port 70000", "", "at most 65535"),
        ("serve victim.npz --defence rond:2", "", "out of round:DECIMALS"),
        ("serve victim.npz --output logits --defence round:2", "", "ask for output='probs'"),
        ("serve victim.npz --keys keys.txt", "ann", "NAME KEY"),
        ("serve victim.npz --keys keys.txt", "ann k -5", "a whole number of at least 0"),
        ("serve victim.npz --keys keys.txt", "\n", "at least one line"),
        ("serve victim.npz --keys keys.txt", "ann k\nbob k", "each account its own"),
        ("serve victim.npz --keys keys.txt", "ann k 1234567890123456", "at most 15 digits"),
        ("serve victim.npz --keys keys.txt", "# a\nann ké", "line 2: expected a key of printable"),
        ("serve victim.npz --keys no.txt", "", "none to read (No such file"),
        ("serve victim.npz --keys victim.npz", "", "text in UTF-8"),
        ("serve .", "", "that is a folder"),
        ("serve /dev/null", "", "no ordinary file"),
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
    monkeypatch.delitem(sys.modules, "mstheft.oracle.http.service", raising=False)
    monkeypatch.delattr("mstheft.oracle.http.service", raising=False)
    status, _, complaint = run("serve", "victim.npz")
    assert status == 2
    assert "mstheft[service]" in complaint


def test_serve_with_defences(run, started):
    words = "serve victim.npz --output probs --defence top:2,round:1 --detector none"
    assert run(*words.split())[0] == 0
    told = started[0][0].oracle.query(X)
    expected = responses.rounding(responses.top_k(worker.victim().probs(X), 2), 1)
    assert np.array_equal(told, expected)


def test_noise_of_a_service_is_not_the_same_twice(run, started):
    words = "serve victim.npz --output probs --defence noise:0.1 --detector none"
    for _ in range(2):
        run(*words.split())
    one, two = (each[0].oracle.query(X) for each in started)
    assert not np.array_equal(one, two)


# ---- steal --victim URL


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """URL of a service of `worker.victim()` in a process of its own, with the keys a, b and c."""
    with worker.serving(tmp_path_factory.mktemp("there") / "accounts.db", *"abc") as url:
        yield url


def counted(url, key):
    with HttpVictim(url, key) as victim:
        return victim._model()["count"]


def test_an_exact_attack_on_a_service_ends_as_in_process(run, there, tmp_path):
    words = f"steal relu --victim {there} --key a --seed 3 --journal run.db --save copy.npz"
    status, said, _ = run(*words.split(), "--json", "out.json", "--log", "q.npz")
    assert status == 0
    plain = relu.extract(Oracle(worker.victim()), rng=np.random.default_rng([3, 1]))
    assert counted(there, "a") == plain.total
    with np.load("q.npz") as log:
        expected = worker.victim().labels(log["queries"])
        assert len(expected) == plain.total
        np.testing.assert_array_equal(log["labels"], expected)
    assert json.loads((tmp_path / "out.json").read_text())["queries"] == plain.total
    copy, expected = Network.load("copy.npz").parameters(), plain.model.parameters()
    assert all(np.array_equal(copy[name], expected[name]) for name in expected)
    assert "its own check speaks for the copy" in said
    status, said, _ = run(*words.split())
    assert (status, counted(there, "a")) == (0, plain.total)
    assert f"{plain.total:,} rows told again at no cost, 0 asked" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--key wrong", "refused with 401"),
        ("", "expected --key KEY"),
        ("--key ä", "printable ASCII"),
        ("--key a --defence round:2", "give it to mstheft serve"),
        ("--key a --plot out", "--plot needs the victim itself"),
    ],
)
def test_wrong_words_for_a_service_are_one_sentence(run, there, words, said):
    status, _, complaint = run("steal", "relu", "--victim", there, *words.split())
    assert (status, complaint.count("\n")) == (2, 1)
    assert said in complaint


def test_a_refused_picture_leaves_no_folder(run, there, tmp_path):
    for words in (["relu"], ["active", "--data", "glyphs"]):
        run("steal", *words, "--victim", there, "--key", "a", "--plot", "out")
        assert not (tmp_path / "out").exists()


@pytest.fixture
def told(monkeypatch):
    """told(**options): the client meets a service in this process that is made so."""
    made = []

    def make(budget=None, **options):
        accounts = Accounts(":memory:", [("a", "a", budget)])
        app = service.application(options.pop("victim", worker.victim()), accounts, **options)
        transport = worker.InProcess(app)
        monkeypatch.setattr(httpx, "HTTPTransport", lambda: transport)
        made.append((app, transport))

    yield make
    for app, transport in made:
        transport.stop()
        app.state.service.close()


def test_a_service_that_tells_less_says_what_to_pass(run, told):
    told(output="probs")
    status, _, complaint = run("steal", "sweep", "--victim", "http://test", "--key", "a")
    assert (status, complaint.count("\n")) == (2, 1)
    assert "pass --output probs, or serve --output logits" in complaint
    told(output="label")
    status, _, complaint = run("steal", "sweep", "--victim", "http://test", "--key", "a")
    assert (status, "tells label; serve --output logits" in complaint) == (2, True)


def test_a_budget_of_the_service_is_not_raised_here(run, told):
    told(budget=50)
    words = "steal relu --victim http://test --key a"
    status, _, complaint = run(*words.split())
    assert status == 1
    assert re.search(r"50 (queries )?that this key has at http://test", complaint)
    assert "raise" not in complaint
    told(budget=50)
    assert "raise --budget" in run(*words.split(), "--budget", 20)[2]
    told(budget=50, victim=zoo.mlp([784, 8, 10], rng=0), output="probs")
    words = "steal active --victim http://test --key a --data glyphs --budget 60 --rounds 2"
    words += " --copy softmax --epochs 1 --pool-size 200"
    status, _, complaint = run(*words.split())
    assert status == 1
    assert "this key's budget at http://test is spent" in complaint
    assert "raise" not in complaint


def test_no_service_there(run, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    for place in ("localhost:1", "http://", "http://[::1", "http://127.0.0.1:1"):
        status, _, complaint = run("steal", "relu", "--victim", place, "--key", "a")
        assert status == 2
        assert complaint.count("\n") == 1
        assert "URL" in complaint
    status, _, complaint = run("steal", "relu", "--shape", "4-3-2", "--key", "a")
    assert (status, "--key goes with --victim URL" in complaint) == (2, True)


def test_a_service_that_goes_away_is_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    app = service.application(worker.victim(), Accounts(":memory:", [("a", "a", None)]))
    transport, asked = worker.InProcess(app), itertools.count()

    class Dying(httpx.BaseTransport):
        def handle_request(self, request):
            if next(asked) > 9:
                raise httpx.ConnectError("gone")
            return transport.handle_request(request)

    monkeypatch.setattr(httpx, "HTTPTransport", Dying)
    words = "steal relu --victim http://test --key a --journal run.db"
    status, said, complaint = run(*words.split())
    monkeypatch.setattr(httpx, "HTTPTransport", lambda: transport)
    again, told, _ = run(*words.split())
    transport.stop()
    app.state.service.close()
    assert (status, again) == (1, 0)
    assert "start again with the same --journal" in complaint
    assert "no verified copy" in said
    assert "journal: 0 rows told again" not in told


def test_a_learned_copy_of_a_service(run, monkeypatch, tmp_path):
    victim = zoo.mlp([784, 8, 10], rng=0)
    app = service.application(
        victim, Accounts(":memory:", [("a", "a", 60)]), output="probs", decimals=3
    )
    transport = worker.InProcess(app)
    monkeypatch.setattr(httpx, "HTTPTransport", lambda: transport)
    words = "steal active --victim http://test --key a --data glyphs --budget 60 --rounds 2"
    words += " --copy softmax --epochs 1 --pool-size 200 --journal run.db --save copy.npz"
    status, said, _ = run(*words.split())
    more, told, _ = run(*words.split())
    transport.stop()
    counts = [account.count for account in app.state.service.accounts]
    app.state.service.close()
    assert (status, more, counts) == (0, 0, [60])
    assert "60 rows told again at no cost, 0 asked" in told
    assert "agreement" in said
    assert Network.load(tmp_path / "copy.npz").outputs == 10


def test_a_service_of_something_else_is_told_before_any_question(run, there):
    words = f"steal active --victim {there} --key b --data glyphs --budget 60"
    status, _, complaint = run(*words.split())
    assert (status, counted(there, "b")) == (2, 0)
    assert "expected a network for glyphs" in complaint


def test_a_defence_in_this_process_is_told_and_belongs_to_the_journal(run):
    words = "steal softmax --dim 4 --classes 3 --journal run.db --defence"
    status, said, _ = run(*words.split(), "round:3")
    assert status == 0  # rounding does not stop equation solving
    assert "defended by round:3" in said
    status, _, complaint = run(*words.split(), "round:9")
    assert (status, "defences was" in complaint) == (2, True)
    status, _, complaint = run("steal", "relu", "--shape", "4-3-2", "--defence", "round:3")
    assert (status, "ask for output='probs'" in complaint) == (2, True)


def test_a_checkpoint_of_another_defence_is_refused(run, tmp_path):
    zoo.mlp([784, 8, 10], rng=0).save(tmp_path / "picture.npz")
    words = "steal active --victim picture.npz --data glyphs --budget 60 --rounds 1 --copy softmax"
    words += " --epochs 1 --pool-size 200 --checkpoint there --json out.json --defence"
    assert run(*words.split(), "round:2")[0] == 0
    assert json.loads((tmp_path / "out.json").read_text())["defence"] == "round:2"
    assert run(*words.split(), "round:2")[0] == 0
    status, _, complaint = run(*words.split(), "round:1")
    assert status != 0
    assert "defence" in complaint


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
