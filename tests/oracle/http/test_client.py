"""A victim behind HTTP is a victim like any other, and is paid once for one answer."""

import socket
import time

import httpx
import numpy as np
import pytest
import service_worker as worker
from service_checks import count, crowd, same

from mstheft.direct import linear, relu, smooth, sweep
from mstheft.direct.linear import boundary as label_only
from mstheft.errors import BudgetExhausted, DataError
from mstheft.learning import active, jacobian
from mstheft.nn import zoo
from mstheft.oracle import Oracle
from mstheft.oracle.http import client, server, service, wire
from mstheft.oracle.http.accounts import Accounts
from mstheft.oracle.http.client import HttpVictim
from mstheft.oracle.http.journal import Journal
from mstheft.oracle.view import View

X = np.random.default_rng(0).normal(size=(7, 20))


class Plain:
    """A victim of which nothing can be told but its answers."""

    def oracle_view(self):
        return View(worker.victim().logits, "logits", (20,), 4)


class Faulty(httpx.BaseTransport):
    """A service that fails now and then, before or after it has answered and was paid.

    faults : {number of the request: status, or 'before', 'after' for a broken connection}
    """

    def __init__(self, app, faults=()):
        self.inner, self.faults, self.requests = worker.InProcess(app), dict(faults), []

    def handle_request(self, request):
        fault = self.faults.get(len(self.requests))
        self.requests.append(request)
        if fault == "before":
            raise httpx.ConnectError("refused")
        if isinstance(fault, int):
            return httpx.Response(fault, headers={"Retry-After": "0"}, json={"error": "busy today"})
        answer = self.inner.handle_request(request)
        if fault == "after":
            raise httpx.RemoteProtocolError("broke off")
        return answer


@pytest.fixture
def there(monkeypatch):
    """there(network, faults, **options) -> HttpVictim of a service in this process."""
    opened = []
    monkeypatch.setattr(client, "PAUSE", 0.001)

    def build(network=None, faults=(), budget=None, limits=None, retries=10, **told):
        accounts = Accounts(":memory:", [("ann", "secret", budget)])
        app = service.application(network or worker.victim(), accounts, limits=limits, **told)
        transport = Faulty(app, faults)
        opened.append((app, transport))
        victim = HttpVictim("http://test", "secret", transport=transport, retries=retries)
        opened.append((victim,))
        return victim

    yield build
    for each in opened:
        if len(each) == 1:
            each[0].close()
        else:
            each[1].inner.stop()
            each[0].state.service.close()


# ---- a victim like any other


@pytest.mark.parametrize(
    ("network", "attack", "output"),
    [
        (zoo.mlp([20, 8, 4], bias=0.1, rng=0), relu, "logits"),
        (zoo.mlp([20, 8, 4], bias=0.1, rng=0), sweep, "logits"),
        (zoo.mlp([20, 8, 4], bias=0.1, rng=0), relu, "probs"),
        (zoo.softmax(6, 3, rng=0), linear, "probs"),
        (zoo.softmax(6, 3, rng=0), linear, "log_probs"),
        (zoo.logistic(6, rng=0), linear, "probs"),
        (zoo.logistic(6, rng=0), linear, "log_probs"),
        (zoo.logistic(6, rng=0), label_only, "label"),
    ],
    ids=lambda each: getattr(each, "__name__", None) if hasattr(each, "extract") else None,
)
def test_attacks_run_unchanged_to_the_same_copy_and_count(there, network, attack, output):
    here = attack.extract(Oracle(network, output), rng=1)
    victim = there(network, output=output)
    oracle = Oracle(victim, output)
    result = attack.extract(oracle, rng=1)
    assert same(result.model, here.model)
    assert result.queries == here.queries
    assert count(victim) == victim.count == oracle.count == here.total


def smooth_theft(oracle):
    return smooth.extract(oracle, rng=1, activation="tanh")


def active_theft(oracle):
    pool = np.random.default_rng(0).normal(size=(300, 20))
    how = {"strategy": "k-center", "budget": 60, "rounds": 2, "epochs": 3}
    return active.steal(oracle, pool, lambda: zoo.softmax(20, 4, rng=1), rng=0, **how)


def jacobian_theft(oracle):
    rows = np.random.default_rng(0).normal(size=(10, 20))
    return jacobian.augment(
        oracle, rows, lambda: zoo.softmax(20, 4, rng=1), rounds=2, rng=0, epochs=3
    )


@pytest.mark.parametrize(
    ("activation", "steal", "output"),
    [
        ("tanh", smooth_theft, "logits"),
        ("relu", active_theft, "probs"),
        ("relu", active_theft, "label"),
        ("relu", jacobian_theft, "probs"),
    ],
)
def test_smooth_and_learned_thefts_too(there, activation, steal, output):
    network = zoo.mlp([20, 8, 4], activation=activation, bias=0.1, rng=0)
    here = steal(Oracle(network, output))
    victim = there(network, output=output)
    result = steal(Oracle(victim, output))
    assert same(result.model, here.model)
    assert result.queries == here.queries
    assert count(victim) == victim.count == here.total


def test_an_oracle_may_tell_less_than_the_service(there):
    victim = there(output="probs", decimals=3)
    assert (victim.gives, victim.inputs, victim.outputs, victim.decimals) == ("probs", 20, 4, 3)
    expected = Oracle(worker.victim(), "label").query(X)
    assert np.array_equal(Oracle(victim, "label").query(X), expected)
    with pytest.raises(ValueError, match="logits"):
        Oracle(victim, "logits")
    with pytest.raises(ValueError, match="got a HttpVictim; omit them"):
        Oracle(victim, "probs", inputs=20)


def test_pictures_keep_their_shape_and_their_32_bits(there):
    network = zoo.cnn((8, 8, 1), 3, blocks=1, rng=0)
    x = np.random.default_rng(0).normal(size=(3, *network.shape))
    victim = there(network)
    assert (victim.shape, victim.dtype) == (network.shape, np.float32)
    expected = Oracle(network).query(x)
    assert np.array_equal(Oracle(victim).query(x), expected)


def test_large_batches_go_in_parts(there):
    x = np.random.default_rng(0).normal(size=(95, 20))
    victim = there(limits=service.Limits(rows=40))
    np.testing.assert_allclose(victim(x), worker.victim().logits(x), rtol=1e-12)
    posts = [r for r in victim._transport.requests if r.method == "POST"]
    assert [len(wire.unpack(r.read())) for r in posts] == [40, 40, 15]
    victim = there(limits=service.Limits(bytes=20 * 8 * 30 + 128))
    victim(x)
    posts = [r for r in victim._transport.requests if r.method == "POST"]
    assert [len(wire.unpack(r.read())) for r in posts] == [30, 30, 30, 5]
    assert count(victim) == 95


# ---- never pays twice


@pytest.mark.parametrize("fault", [429, 503, 502, "before", "after"])
def test_after_a_failure_the_same_batch_is_sent_again_and_paid_once(there, fault):
    victim = there(faults={1: fault, 2: fault, 4: fault})
    assert np.array_equal(victim(X), worker.victim().logits(X))
    assert np.array_equal(victim(X), worker.victim().logits(X))
    assert count(victim) == 14
    keys = [r.headers["idempotency-key"] for r in victim._transport.requests[1:6]]
    assert keys[0] == keys[1] == keys[2] != keys[3] == keys[4]


def test_after_it_gave_up_the_same_batch_is_still_paid_once(there):
    victim = there(faults={1: "after", 2: "after"}, retries=1)
    with pytest.raises(ConnectionError, match=r"2 tries .*broke off"):
        victim(X)
    assert victim.count == 0
    victim(X)
    assert count(victim) == victim.count == 7


def test_what_was_paid_but_not_in_the_journal_yet_is_told_again(there, tmp_path):
    first = there(faults={1: "after"}, retries=0)
    with Journal(tmp_path / "run.db") as journal, pytest.raises(ConnectionError):
        Oracle(first, journal=journal).query(X)
    assert count(first) == 7
    second = HttpVictim("http://test", "secret", transport=first._transport)
    with Journal(tmp_path / "run.db") as journal:
        told = Oracle(second, journal=journal).query(X)
        assert (journal.paid, journal.replayed) == (7, 0)
    assert np.array_equal(told, worker.victim().logits(X))
    assert count(second) == 7


def test_the_journal_of_another_model_behind_a_service_is_refused(there, tmp_path):
    def opened(victim):
        with Journal(tmp_path / "run.db") as journal:
            return Oracle(victim, journal=journal).query(X)

    first, same_model = there(), there()
    other = there(zoo.mlp([20, 8, 4], bias=0.1, rng=5))
    assert np.array_equal(opened(first), opened(same_model))
    with pytest.raises(DataError, match=r"victim was '.*' and is '.*'; repeat that run"):
        opened(other)
    assert other.count == same_model.count == 0


def test_of_a_service_of_something_else_the_url_is_known(there):
    assert there(Plain()).fingerprint == "http://test"


def test_a_faulty_line_changes_nothing_for_an_attack(there):
    rng = np.random.default_rng(3)
    kinds = [429, 503, "before", "after"]
    faults = {int(i): kinds[i % 4] for i in rng.choice(np.arange(1, 150), 60, replace=False)}
    network = zoo.mlp([20, 8, 4], bias=0.1, rng=0)
    here = relu.extract(Oracle(network), rng=1)
    victim = there(network, faults)
    result = relu.extract(Oracle(victim), rng=1)
    assert same(result.model, here.model)
    assert count(victim) == here.total


def test_it_waits_longer_each_time_and_as_long_as_it_is_told(there, monkeypatch):
    victim = there(faults={1: "before", 2: "before", 3: 503, 4: "before"})
    slept = []
    monkeypatch.setattr(client, "PAUSE", 0.05)
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(client, "_seconds", lambda text: 7.0 if text else 0.0)
    victim(X)
    assert slept == [0.05, 0.1, 7.0, 0.4]


@pytest.mark.parametrize(
    ("text", "seconds"), [("3", 3), ("99", 30), ("", 0), ("-1", 0), ("Mon, 01 Jan", 0)]
)
def test_retry_after(text, seconds):
    assert client._seconds(text) == seconds


# ---- what is refused


def test_a_spent_budget_is_the_error_of_an_oracle(there):
    victim = there(budget=10)
    assert victim.left == 10
    victim(X)
    with pytest.raises(BudgetExhausted) as caught:
        Oracle(victim).query(X)
    assert (caught.value.asked, caught.value.left, caught.value.budget) == (7, 3, 10)
    assert victim.left == 3
    victim(X[:3])


def test_an_attack_that_spends_the_budget_keeps_its_partial_result(there):
    with pytest.raises(BudgetExhausted) as caught:
        relu.extract(Oracle(there(budget=300)), rng=1)
    assert caught.value.partial.total <= 300


def told(victim, code, body):
    answer = httpx.Response(code, content=body)
    victim._transport = httpx.MockTransport(lambda request: answer)
    return victim


@pytest.mark.parametrize(
    ("code", "body", "error", "said"),
    [
        (401, b'{"error": "no such key"}', ValueError, "401: no such key"),
        (404, b"<html>", ValueError, "is it a service of mstheft"),
        (402, b'{"error": "pay"}', ValueError, "402"),
        (500, b'{"error": "it failed"}', ConnectionError, "it failed"),
        (301, b"", ValueError, "301"),
        (200, b"not npy", ValueError, "npy"),
        (200, wire.pack(np.zeros((3, 2))), ValueError, "expected 7 answers"),
    ],
)
def test_other_answers_are_errors_that_say_what_came(there, code, body, error, said):
    victim = there()
    with pytest.raises(error, match=said):
        told(victim, code, body)(X)


def test_wrong_key_and_nobody_there():
    app = service.application(worker.victim(), Accounts(":memory:", [("a", "secret", 1)]))
    transport = worker.InProcess(app)
    with pytest.raises(ValueError, match="401"):
        HttpVictim("http://test", "wrong", transport=transport)
    transport.stop()
    app.state.service.close()
    with pytest.raises(ConnectionError, match="start the service there"):
        HttpVictim(f"http://127.0.0.1:{worker.free_port()}", "key", retries=1)


# ---- over a real connection


def test_a_small_answer_is_sent_at_once():
    """asyncio sets TCP_NODELAY only where the protocol is named; else each answer waits 40 ms."""
    with server.listen(port=0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_eight_clients_at_once(tmp_path):
    crowd(tmp_path, 8, 200)


@pytest.mark.slow
def test_sixty_four_clients_and_200_000_rows(tmp_path):
    crowd(tmp_path, 64, 3125)
