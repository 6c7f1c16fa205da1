"""A filter is stolen and passed: by the copy's edits, and hardly by random ones."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import service_worker

from mstheft.errors import BudgetExhausted
from mstheft.experiments import evasion, learned_theft, tasks
from mstheft.nn import zoo
from mstheft.oracle import Oracle
from mstheft.oracle.http.accounts import Accounts
from mstheft.oracle.http.client import HttpVictim
from mstheft.plots.evasion import passed

LITTLE = {"messages": 12, "edits": 4, "budget": 150, "rounds": 2, "epochs": 15, "pool_size": 400}


@pytest.fixture(autouse=True)
def little(monkeypatch, tmp_path):
    """Filters that learn in a moment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tasks, "GENERATED", (1500, 300))
    made = evasion.settings
    monkeypatch.setattr(evasion, "settings", lambda kind, **own: made(kind, **(LITTLE | own)))
    tasks.cached.cache_clear()
    yield
    tasks.cached.cache_clear()


@pytest.mark.parametrize("kind", ["spam", "malware"])
def test_the_copys_edits_get_past_the_filter_and_random_ones_do_not(kind, tmp_path):
    cell = evasion.settings(kind, edits=8, messages=30, budget=300, epochs=40)
    task, victim, found = evasion.evade(cell, tmp_path)
    assert found.queries == 300
    assert 0.8 < found.accuracy < 1
    assert 0.8 < found.agreement <= 1
    assert all(shares.shape == (9,) for shares in found.passed.values())
    assert all(shares[0] == 0 for shares in found.passed.values()), "all are held back at first"
    last = {name: shares[-1] for name, shares in found.passed.items()}
    assert last["filter"] >= last["copy"] > last["random"] + 0.15
    assert found.believed[-1] > 0.6
    assert 0 < found.made <= 8
    again = evasion.run(cell, task, victim, Oracle(victim, cell.output))
    np.testing.assert_array_equal(again.after, found.after)
    assert {k: v.tolist() for k, v in again.passed.items()} == {
        k: v.tolist() for k, v in found.passed.items()
    }


def test_a_thief_of_a_virus_scanner_sees_labels_only_and_only_adds(tmp_path):
    cell = evasion.settings("malware")
    assert cell.output == "label"
    _, _, found = evasion.evade(cell, tmp_path)
    assert (found.after >= found.before).all()
    assert ((found.after - found.before).sum(axis=1) <= 4).all()


def test_rows_that_are_changed_judge_no_copy(tmp_path):
    cell = evasion.settings("spam", messages=1000)
    task, victim = learned_theft.victim_of(cell, tmp_path)
    rows = evasion.held_back(cell, task, victim)
    assert (victim.labels(rows) == 1).all()
    judging = {tuple(row) for row in task.x_test[learned_theft.split_test(task)[0]].tolist()}
    known = [tuple(row) in judging for row in rows.tolist()]
    assert np.mean(known) < 0.1, "the generator may write a short message twice"


def test_a_filter_that_holds_nothing_back(tmp_path):
    cell = evasion.settings("malware")
    task = tasks.cached("programs")
    victim = zoo.mlp([task.shape[0], 2], rng=0)
    for name, value in victim.parameters().items():
        value[...] = 0 if name.endswith("W") else [1, 0]
    with pytest.raises(ValueError, match="train longer"):
        evasion.run(cell, task, victim, Oracle(victim, "label"))


def test_a_budget_is_a_wall(tmp_path):
    cell = evasion.settings("spam")
    task, victim = learned_theft.victim_of(cell, tmp_path)
    with pytest.raises(BudgetExhausted):
        evasion.run(cell, task, victim, Oracle(victim, "probs", budget=100))


@pytest.mark.parametrize(
    ("kind", "said", "says"),
    [
        ("phishing", {}, "kind as one of spam, malware"),
        ("spam", {"data": "topics"}, "data as one of spam, mr, got 'topics'"),
        ("malware", {"data": "spam"}, "data as one of programs, got 'spam'"),
        ("spam", {"edits": 0}, "edits of at least 1"),
    ],
)
def test_settings_that_cannot_be(kind, said, says):
    with pytest.raises(ValueError, match=says):
        evasion.settings(kind, **said)


def test_reviews_stand_in_for_mail_with_a_foreign_pool():
    assert evasion.settings("spam", data="mr").pool == "wikitext-2"
    assert evasion.settings("spam", data="mr", pool="topics").pool == "topics"


# ---- the command


@pytest.mark.parametrize("kind", ["spam", "malware"])
def test_the_command_tells_draws_and_keeps(run, kind):
    status, said, complaint = run("evade", kind, "--json", "out.json", "--plot", "figures")
    assert (status, complaint) == (0, "")
    assert "filter itself" in said
    assert ("before: " if kind == "spam" else "and added: ") in said
    told = json.loads(Path("out.json").read_text())
    assert told["queries"] == 150
    assert len(told["passed"]["copy"]) == 5
    assert (Path("figures") / "evasion.png").stat().st_size > 10_000


def test_the_theft_runs_through_the_service(run):
    """The same copy as in process, from the answers of `mstheft serve`, paid from its budget."""
    service = pytest.importorskip("mstheft.oracle.http.service", reason="needs the extra service")
    uvicorn = pytest.importorskip("uvicorn")
    cell = evasion.settings("spam")
    task, victim = learned_theft.victim_of(cell, Path("kept"))
    direct = evasion.run(cell, task, victim, Oracle(victim, "probs"))
    accounts = Accounts("accounts.db", [("thief", "key", 200), ("again", "other", 50)])
    app = service.application(victim, accounts, output="probs")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        with HttpVictim(f"http://127.0.0.1:{port}", "key") as served:
            found = evasion.run(cell, task, victim, Oracle(served, "probs"))
            assert served.left == 50
        victim.save("filter.npz")
        words = ["--victim", "filter.npz", "--url", f"http://127.0.0.1:{port}", "--key", "key"]
        status, _, complaint = run("evade", "spam", *words, "--budget", "60")
        words[-1] = "other"
        more = ["--budget", "50", "--rounds", "2", "--journal", "run.db"]
        once, paid, _ = run("evade", "spam", *words, *more)
        twice, free, _ = run("evade", "spam", *words, *more)
        network = learned_theft.victim_of(evasion.settings("malware"), Path("kept"))[1]
        network.save("programs.npz")
        other = run("evade", "malware", "--victim", "programs.npz", *words[2:])
    finally:
        server.should_exit = True
        thread.join()
    np.testing.assert_array_equal(found.after, direct.after)
    assert status == 1
    assert "this key's budget at http://127.0.0.1" in complaint
    assert (once, twice) == (0, 0)
    assert "0 rows told again at no cost, 50 asked" in paid
    assert "50 rows told again at no cost, 0 asked" in free
    assert paid.split("filter:")[1] == free.split("filter:")[1]
    assert (other[0], "expected the filter of --victim" in other[2]) == (2, True)


def test_a_filter_that_only_the_service_has_is_asked_what_passes(run, monkeypatch):
    """The same shares as those of a judge in process; all is paid, and with a journal once."""
    httpx = pytest.importorskip("httpx", reason="needs the extra service")
    service = pytest.importorskip("mstheft.oracle.http.service", reason="needs the extra service")
    cell = evasion.settings("spam")
    task, victim = learned_theft.victim_of(cell, Path("kept"))
    direct = evasion.run(cell, task, victim, Oracle(victim, "probs"))
    app = service.application(victim, Accounts(":memory:", [("a", "a", None)]), output="probs")
    transport = service_worker.InProcess(app)
    monkeypatch.setattr(httpx, "HTTPTransport", lambda: transport)
    words = "evade spam --victim http://test --key a --journal run.db --json out.json --plot out"
    status, said, complaint = run(*words.split())
    ((paid,), told) = ([each.count for each in app.state.service.accounts], Path("out.json"))
    found = json.loads(told.read_text())
    again, free, _ = run(*words.split())
    transport.stop()
    counts = [each.count for each in app.state.service.accounts]
    app.state.service.close()
    assert (status, complaint, again) == (0, "", 0)
    assert "the service has judged what passes" in said
    assert set(found["passed"]) == {"copy", "random"}
    for name, shares in found["passed"].items():
        np.testing.assert_allclose(shares, direct.passed[name])
    assert found["stopped"] == direct.stopped
    assert (found["accuracy"], found["agreement"], found["queries"]) == (None, None, 150)
    edited = 2 * cell.edits * cell.messages
    assert 150 + cell.messages < paid <= 150 + (task.y_test == 1).sum() + edited
    assert counts == [paid], "the second run pays nothing"
    assert f"{paid:,} rows told again at no cost, 0 asked" in free
    assert Path("out/evasion.png").exists()


@pytest.mark.parametrize("output", ["label", "probs"])
def test_a_filter_known_by_its_answers_is_asked_for_each_row_once(output):
    victim = zoo.softmax(4, 2, rng=0)
    x = np.random.default_rng(0).normal(size=(6, 4))
    asked = evasion.Answering(Oracle(victim, output))
    for rows in (x[[0, 1, 0, 2]], x, x[::-1]):
        np.testing.assert_array_equal(asked.labels(rows), victim.labels(rows))
    assert asked.oracle.count == 6


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["spam", "--copy", "mlp"], "mlp does not fit: spam holds texts"),
        (["malware", "--copy", "text-bag"], "programs holds rows of numbers"),
        (["spam", "--victim", "http://127.0.0.1:1"], "expected --key KEY with a URL"),
        (["spam", "--key", "k"], "--key goes with --victim URL"),
        (["spam", "--victim", "other.npz"], "expected a network for spam"),
        (["spam", "--budget", "12", "--rounds", "40"], "budget"),
    ],
)
def test_wrong_arguments_are_one_sentence(run, words, says):
    zoo.mlp([5, 2], rng=0).save("other.npz")
    status, _, complaint = run("evade", *words)
    assert status == 2
    assert says in complaint
    assert complaint.count("\n") == 1


# ---- the picture


def test_the_picture_has_means_bands_and_names():
    seeds = [[0, 0.2, 0.4], [0, 0.4, 0.8]]
    ax = passed({"copy": seeds, "random": [0, 0, 0.1], "else": [0, 1, 1]})
    lines = [line.get_ydata() for line in ax.lines]
    np.testing.assert_allclose(lines, [[0, 0.3, 0.6], [0, 0, 0.1], [0, 1, 1]], atol=1e-12)
    assert len(ax.collections) == 1, "a band where there are several seeds"
    names = {text.get_text() for text in ax.texts}
    assert names == {"chosen on the copy", "chosen at random", "else"}
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [0, 1, 2])
