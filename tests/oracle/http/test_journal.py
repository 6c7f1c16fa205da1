"""The journal: what was paid for is told again, and nothing is bought twice."""

import itertools
import sqlite3
from types import SimpleNamespace

import numpy as np
import pytest
import service_worker as worker
from service_checks import kills, restarts_at_random, same

from mstheft import errors
from mstheft.defend import pate, responses
from mstheft.defend.responses import option
from mstheft.direct import relu
from mstheft.nn import zoo
from mstheft.oracle import Oracle
from mstheft.oracle.http.client import HttpVictim
from mstheft.oracle.http.journal import Journal
from mstheft.oracle.view import View


def rounding(decimals):
    return option(responses.rounding, decimals=decimals)


class Counted:
    """A victim that counts its rows and may die after so many batches."""

    def __init__(self, network, batches=None):
        self.network, self.batches, self.rows = network, batches, 0

    def __call__(self, x):
        if self.batches is not None:
            if self.batches == 0:
                raise KeyboardInterrupt
            self.batches -= 1
        self.rows += len(x)
        return self.network.logits(x)


def attack(victim, path, **options):
    with Journal(path) as journal:
        oracle = Oracle(victim, inputs=20, journal=journal, **options)
        result = relu.extract(oracle, rng=1)
        return result, oracle, journal


@pytest.fixture
def network():
    return worker.victim()


def test_a_second_run_pays_nothing_and_ends_the_same(network, tmp_path):
    first, second = Counted(network), Counted(network)
    plain = relu.extract(Oracle(network), rng=1)
    one, _, paid = attack(first, tmp_path / "run.db")
    two, oracle, replayed = attack(second, tmp_path / "run.db")
    assert same(one.model, two.model)
    assert same(one.model, plain.model)
    assert one.queries == two.queries == plain.queries
    assert (first.rows, second.rows) == (plain.total, 0)
    assert (paid.paid, paid.replayed) == (plain.total, 0)
    assert (replayed.paid, replayed.replayed) == (0, plain.total)
    assert oracle.count == plain.total


@pytest.mark.parametrize("batches", [0, 1, 7, 30])
def test_a_run_that_was_stopped_goes_on_where_it_stood(network, tmp_path, batches):
    stopped, rest = Counted(network, batches), Counted(network)
    with pytest.raises(KeyboardInterrupt):
        attack(stopped, tmp_path / "run.db")
    result, _, journal = attack(rest, tmp_path / "run.db")
    assert journal.replayed == stopped.rows
    assert stopped.rows + rest.rows == result.total


def test_a_spent_budget_is_raised_and_the_run_goes_on(network, tmp_path):
    first, second = Counted(network), Counted(network)
    with pytest.raises(errors.BudgetExhausted):
        attack(first, tmp_path / "run.db", budget=300)
    result, _, _ = attack(second, tmp_path / "run.db", budget=5000)
    assert result.verified
    assert first.rows <= 300
    assert first.rows + second.rows == result.total


@pytest.mark.parametrize(
    "settings",
    [{}, {"output": "label"}, {"decimals": 2}, {"output": "top_k", "top": 2}, {"output": "probs"}],
)
def test_every_form_of_answer_comes_back_as_it_was(network, tmp_path, settings):
    x = np.random.default_rng(0).normal(size=(6, 20))
    told = []
    for _ in range(2):
        with Journal(tmp_path / "run.db") as journal:
            told.append(Oracle(network, journal=journal, **settings).query(x))
    assert np.array_equal(told[0], told[1])
    assert told[0].dtype == told[1].dtype
    assert np.array_equal(told[0], Oracle(network, **settings).query(x))
    told[1] += 1  # the answer belongs to whoever asked


def test_monitors_and_outputs_are_as_without_a_journal(tmp_path):
    class Seen(list):
        def observe(self, x, labels):
            self.append((x.tolist(), labels.tolist()))

    x = np.random.default_rng(0).normal(size=(6, 3))
    seen = []
    for _ in range(2):
        with Journal(tmp_path / "run.db") as journal:
            seen.append(Seen())
            weights = np.random.default_rng(1).normal(size=(3, 4))
            oracle = Oracle(
                lambda x, w=weights: x @ w, inputs=3, journal=journal, monitors=seen[-1:]
            )
            oracle.query(x)
            assert oracle.outputs == 4
    assert seen[0] == seen[1]
    assert len(seen[0]) == 1


def test_another_question_at_the_same_place_is_an_error_and_no_purchase(network, tmp_path):
    x = np.random.default_rng(0).normal(size=(2, 20))
    with Journal(tmp_path / "run.db") as journal:
        Oracle(Counted(network), inputs=20, journal=journal).query(x)
    victim = Counted(network)
    with Journal(tmp_path / "run.db") as journal:
        oracle = Oracle(victim, inputs=20, journal=journal)
        with pytest.raises(errors.DataError, match=r"batch 0 .*got another"):
            oracle.query(np.nextafter(x, 9))
        assert (oracle.count, victim.rows) == (0, 0)
        assert np.array_equal(oracle.query(x), network.logits(x))


@pytest.mark.parametrize(
    ("about", "settings", "said"),
    [
        ({"seed": 1}, {}, "seed was 0 and is 1"),
        ({"seed": 0}, {"decimals": 3}, "decimals was None and is 3"),
        ({"seed": 0}, {"output": "probs"}, "output was 'logits' and is 'probs'"),
        ({"seed": 0}, {"output": "probs", "defences": [rounding(2)]}, r"defences was \[\]"),
    ],
)
def test_the_journal_of_another_run_is_refused(network, tmp_path, about, settings, said):
    with Journal(tmp_path / "run.db", {"seed": 0}) as journal:
        Oracle(network, journal=journal)
    with (
        Journal(tmp_path / "run.db", about) as journal,
        pytest.raises(errors.DataError, match=said),
    ):
        Oracle(network, journal=journal, **settings)


def test_other_defences_are_another_run(network, tmp_path):
    def opened(*defences):
        with Journal(tmp_path / "run.db") as journal:
            Oracle(network, "probs", defences=defences, journal=journal)

    noisy = {"scale": 0.1, "rng": 3}
    opened(option(responses.noise, **noisy), rounding(2))
    opened(option(responses.noise, **noisy), rounding(2))
    for other in (
        [option(responses.noise, **noisy), rounding(1)],
        [option(responses.noise, scale=0.1, rng=4), rounding(2)],
        [rounding(2), option(responses.noise, **noisy)],
        [rounding(2)],
        [],
    ):
        with pytest.raises(errors.DataError, match="defences was"):
            opened(*other)


def test_another_victim_is_another_run(network, tmp_path):
    other = zoo.mlp(worker.SHAPE, bias=0.1, rng=1)
    served = SimpleNamespace(
        oracle_view=lambda: View(network.logits, "logits", (20,), 4), fingerprint="served"
    )

    def opened(victim, **options):
        with Journal(tmp_path / "run.db") as journal:
            return Oracle(victim, journal=journal, **options)

    opened(network)
    opened(network.copy())
    for victim, options in (
        (other, {}),
        (served, {}),
        (network.logits, {"inputs": 20}),  # of which nothing is known
    ):
        with pytest.raises(errors.DataError, match=r"victim was '\w+' and is "):
            opened(victim, **options)


def test_a_victim_without_a_fingerprint_may_be_named(network, tmp_path):
    for name in "aa":
        with Journal(tmp_path / "run.db", {"victim": name}) as journal:
            Oracle(network.logits, inputs=20, journal=journal)
    with (
        Journal(tmp_path / "run.db", {"victim": "b"}) as journal,
        pytest.raises(errors.DataError, match="victim was 'a' and is 'b'"),
    ):
        Oracle(network.logits, inputs=20, journal=journal)


def test_a_victim_with_a_bill_has_no_journal(tmp_path):
    taught = [zoo.softmax(3, 2, rng=seed) for seed in range(3)]
    ensemble = pate.Ensemble(taught, 2, pate.GNMax(1.0), rng=0)
    with (
        Journal(tmp_path / "run.db") as journal,
        pytest.raises(ValueError, match="keeps no bill with journal=, got a Ensemble"),
    ):
        Oracle(ensemble, "label", gives="labels", inputs=3, journal=journal)
    assert ensemble.accountant.count == 0


def test_what_a_service_rounds_to_is_a_setting(network, tmp_path):
    def opened(decimals):
        seen = View(network.probs, "probs", (20,), 4, decimals=decimals)
        victim = SimpleNamespace(oracle_view=lambda: seen)
        with Journal(tmp_path / "run.db") as journal:
            return Oracle(victim, "probs", journal=journal)

    assert opened(4).decimals == 4
    with pytest.raises(errors.DataError, match="decimals was 4 and is 3"):
        opened(3)


def test_one_journal_is_for_one_oracle_and_one_process(network, tmp_path):
    with Journal(tmp_path / "run.db") as journal:
        Oracle(network, journal=journal)
        with pytest.raises(ValueError, match="for one oracle"):
            Oracle(network, journal=journal)
        with pytest.raises(errors.DataError, match="another process"):
            Journal(tmp_path / "run.db")


def test_files_that_are_no_journal_are_refused(tmp_path):
    (tmp_path / "text").write_text(
        "no data base, but a text that is long enough to be looked at" * 9
    )
    with pytest.raises(errors.DataError, match="cannot be read"):
        Journal(tmp_path / "text")
    with pytest.raises(errors.DataError, match="folder does not exist"):
        Journal(tmp_path / "nowhere" / "run.db")


@pytest.mark.parametrize(
    "damage",
    [
        "answers SET answer = substr(answer, 1, 100)",
        "answers SET answer = CAST(substr(answer, 1, 130) || x'00' || substr(answer, 132) AS BLOB)",
        "answers SET answer = labels",
        "answers SET outputs = 3",
        *(f"answers SET {name} = NULL" for name in ("question", "answer", "labels", "outputs")),
        *(f"answers SET {name} = 'text'" for name in ("answer", "labels", "outputs")),
        *(
            f"about SET value = {value} WHERE name = '{name}'"
            for value in ("NULL", "'[]'", "x'00'")
            for name in ("settings", "run")
            if (value, name) != ("'[]'", "run")
        ),
    ],
)
def test_a_damaged_file_is_found(network, tmp_path, damage):
    x = np.ones((2, 20))
    with Journal(tmp_path / "run.db") as journal:
        Oracle(network, journal=journal).query(x)
    base = sqlite3.connect(tmp_path / "run.db")
    with base:
        base.execute(f"UPDATE {damage}")
    base.close()
    with (
        Journal(tmp_path / "run.db") as journal,
        pytest.raises(errors.DataError, match="read and write"),
    ):
        Oracle(network, journal=journal).query(x)


def test_a_full_disk_is_one_sentence(network, tmp_path):
    with Journal(tmp_path / "run.db", {"seed": "0" * 100_000}) as journal:
        (pages,) = journal._base.execute("PRAGMA page_count").fetchone()
        journal._base.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(errors.DataError, match=r"read and write, but .*full; make room"):
            Oracle(network, journal=journal)


# ---- killed


def test_killed_at_random_moments_it_ends_with_the_same_copy(tmp_path):
    assert sorted(kills(tmp_path, [3, 30]))[1] > 0


@pytest.mark.slow
def test_killed_at_fifty_random_moments(tmp_path):
    came_back = kills(tmp_path, np.random.default_rng(1).integers(1, 50, size=50))
    assert len(set(came_back)) > 5, "the moments were not spread over the attack"


def test_server_killed_during_an_attack(tmp_path):
    restarts(tmp_path, 2)


@pytest.mark.slow
def test_server_killed_ten_times_during_an_attack(tmp_path):
    restarts(tmp_path, 10)


def restarts(folder, times):
    """The server is killed between batches and started again; the attack sees nothing of it."""
    plain = relu.extract(Oracle(worker.victim()), rng=1)
    port = worker.free_port()
    server = worker.start("serve", port, folder / "accounts.db", "key")
    worker.reachable(port)
    at = set(np.linspace(3, 50, times).astype(int).tolist())

    try:
        with HttpVictim(f"http://127.0.0.1:{port}", "key", retries=14) as victim:
            inner, place = victim._transport.handle_request, itertools.count()

            def request(asked):
                nonlocal server
                if next(place) in at:
                    worker.end(server)
                    server = worker.start("serve", port, folder / "accounts.db", "key")
                return inner(asked)

            victim._transport.handle_request = request
            result = relu.extract(Oracle(victim), rng=1)
            assert victim._model()["count"] == plain.total == result.total
    finally:
        worker.end(server)
    assert same(result.model, plain.model)


@pytest.mark.slow
def test_server_killed_ten_times_at_random_moments(tmp_path):
    assert restarts_at_random(tmp_path, 10) > 2


def test_the_attack_of_these_tests_asks_in_many_batches():
    batches = []
    network = zoo.mlp(worker.SHAPE, bias=0.1, rng=0)
    victim = lambda x: batches.append(len(x)) or network.logits(x)  # noqa: E731
    relu.extract(Oracle(victim, inputs=20), rng=1)
    assert len(batches) > 50
