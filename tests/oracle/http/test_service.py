"""The model behind HTTP: right answers, right counts, and a clean 4xx for everything else."""

import asyncio
import contextlib
import io
import json
import re
import resource
import socket
import threading
from html.parser import HTMLParser
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import service_worker as worker
from service_checks import JSON, KEY, NPY, ask, header, is_clean, refuses, resident
from uvicorn import Config
from uvicorn.server import ServerState

from mstheft.errors import Unreachable
from mstheft.nn import zoo
from mstheft.oracle import Oracle, fingerprint
from mstheft.oracle.http import server, service, wire
from mstheft.oracle.http.accounts import Accounts
from mstheft.oracle.view import View

NETWORK = worker.victim()
X = np.random.default_rng(0).normal(size=(5, 20))
SMALL = service.Limits(bytes=20_000, json=20_000, rows=40, seconds=0.3)


class Watch:
    """A detector that is easy to foresee."""

    def __init__(self):
        self.distances, self.w, self.alarm = np.empty(0), None, False

    def observe(self, x, labels):
        self.distances = np.append(self.distances, x[:, 0])
        self.w, self.alarm = 0.5, len(self.distances) >= 5


def predict(body, headers=NPY):
    return ("POST", "/v1/predict", headers, body)


@pytest.fixture
def make():
    """make(path, keys, **options) -> application; closed at the end."""
    made = []

    def build(path=":memory:", keys=(("ann", "secret", None),), victim=NETWORK, **options):
        made.append(service.application(victim, Accounts(path, keys), **options))
        return made[-1]

    yield build
    for app in made:
        app.state.service.close()


# ---- answers


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"output": "probs", "decimals": 3},
        {"output": "log_probs"},
        {"output": "label"},
        {"output": "top_k", "top": 2},
    ],
)
def test_answers_are_those_of_an_oracle_in_both_forms(make, told):
    app, expected = make(**told), Oracle(NETWORK, **told).query(X)
    npy, text = ask(
        app, predict(wire.pack(X)), predict(json.dumps({"inputs": X.tolist()}).encode(), JSON)
    )
    assert npy.status_code == text.status_code == 200
    assert npy.headers["content-type"] == wire.NPY
    assert np.array_equal(np.load(io.BytesIO(npy.content)), expected)
    assert np.array_equal(np.array(text.json()["outputs"]), expected)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "<i8", "u1"])
def test_every_kind_of_number_is_taken(make, dtype):
    x = np.arange(40).reshape(2, 20).astype(dtype)
    told = ask(make(), predict(wire.pack(x)))
    assert np.array_equal(wire.unpack(told.content), NETWORK.logits(x.astype(float)))


def test_what_is_not_finite_is_null_in_json_and_itself_in_npy(make):
    app = make(victim=lambda x: np.array([[-np.inf, 1.5]]), inputs=2)
    body = json.dumps({"inputs": [[1, 2]]}).encode()
    text, npy = ask(app, predict(body, JSON), predict(wire.pack(np.ones((1, 2)))))
    assert text.json() == {"outputs": [[None, 1.5]]}
    assert wire.unpack(npy.content).tolist() == [[-np.inf, 1.5]]


def test_model_tells_what_a_client_needs(make):
    app = make(keys=[("ann", "secret", 100)], output="probs", decimals=4)
    told = ask(app, predict(wire.pack(X)), ("GET", "/v1/model", KEY, b""))[1].json()
    assert told == {
        **{"shape": [20], "classes": 4, "outputs": 4, "output": "probs", "decimals": 4},
        **{"top": None, "dtype": "float64", "budget": 100, "count": 5, "left": 95},
        "fingerprint": fingerprint.network(NETWORK),
        "limits": {"rows": 8192, "bytes": 16 * 2**20},
    }


def test_both_headers_for_the_key(make):
    told = ask(make(), ("GET", "/v1/model", {"X-API-Key": "secret"}, b""))
    assert told.status_code == 200


# ---- budgets


def test_each_key_has_its_own_budget(make):
    app = make(keys=[("ann", "secret", 7), ("bob", "other", 5)])
    other = {**NPY, "Authorization": "Bearer other"}
    body = wire.pack(X)
    codes = [t.status_code for t in ask(app, *[predict(body), predict(body)], predict(body, other))]
    assert codes == [200, 402, 200]
    spent = ask(app, predict(body))
    assert spent.status_code == 402
    assert {n: spent.json()[n] for n in ("asked", "left", "budget")} == {
        **{"asked": 5, "left": 2, "budget": 7}
    }
    assert ask(app, predict(wire.pack(X[:2]))).status_code == 200


def test_counts_and_paid_answers_survive_a_restart(make, tmp_path):
    once = {**NPY, "Idempotency-Key": "batch-1"}
    app = make(tmp_path / "a.db", [("ann", "secret", 7)])
    first = ask(app, predict(wire.pack(X), once))
    app.state.service.close()
    app = make(tmp_path / "a.db", [("ann", "secret", 7)], output="probs")  # another model now
    again, more, model = ask(
        app, predict(wire.pack(X), once), predict(wire.pack(X)), ("GET", "/v1/model", KEY, b"")
    )
    assert again.content == first.content
    assert more.status_code == 402
    assert (model.json()["count"], model.json()["left"]) == (5, 2)
    app.state.service.close()
    app = make(tmp_path / "a.db", [("ann", "secret", 10)])
    assert ask(app, predict(wire.pack(X))).status_code == 200  # the operator has raised it


def test_an_idempotency_key_pays_once_and_is_for_its_rows_and_its_account(make):
    app = make(keys=[("ann", "secret", None), ("bob", "other", None)])
    once = {**NPY, "Idempotency-Key": "k"}
    other = {**once, "Authorization": "Bearer other"}
    told = ask(
        app,
        *[predict(wire.pack(X), once)] * 3,
        predict(wire.pack(X + 1), once),
        predict(wire.pack(X + 1), other),
    )
    assert [t.status_code for t in told] == [200, 200, 200, 422, 200]
    assert told[0].content == told[1].content == told[2].content != told[4].content
    assert [a.count for a in app.state.service.accounts] == [5, 5]


def test_a_refused_batch_is_not_paid_and_may_come_again(make):
    app = make()
    once = {**NPY, "Idempotency-Key": "k"}
    bad = wire.pack(np.full((2, 20), np.nan))
    codes = [t.status_code for t in ask(app, predict(bad, once), predict(wire.pack(X), once))]
    assert codes == [400, 200]
    assert [a.count for a in app.state.service.accounts] == [5]


def test_many_at_once_are_counted_rightly(make):
    app = make(keys=[(f"k{i}", f"k{i}", 100) for i in range(4)])
    x = np.random.default_rng(1).normal(size=(64, 6, 20))

    async def go():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.gather(
                *(
                    client.post(
                        "/v1/predict",
                        content=wire.pack(rows),
                        headers={"X-API-Key": f"k{i % 4}", "Content-Type": wire.NPY},
                    )
                    for i, rows in enumerate(x)
                )
            )

    told = asyncio.run(go())
    for rows, each in zip(x, told, strict=True):
        if each.status_code == 200:
            assert np.array_equal(wire.unpack(each.content), NETWORK.logits(rows))
    assert sorted(t.status_code for t in told) == [200] * 64
    assert [a.count for a in app.state.service.accounts] == [96] * 4


def test_a_request_that_is_given_up_still_waits_for_its_thread(make):
    gate = threading.Event()
    app = make(victim=lambda x: gate.wait(20) and x, inputs=20, limits=service.Limits(waiting=1))
    many = np.zeros((200, 20))  # more than is answered on the spot

    async def go():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

            def post():
                return client.post("/v1/predict", content=wire.pack(many), headers=NPY)

            given_up = asyncio.create_task(post())
            await asyncio.sleep(0.2)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            meanwhile = await post()
            gate.set()
            while app.state.service._waiting:
                await asyncio.sleep(0.01)
            return meanwhile.status_code, (await post()).status_code

    assert asyncio.run(asyncio.wait_for(go(), 30)) == (503, 200)


def test_more_than_may_wait_are_sent_away(make):
    gate = threading.Event()

    def slow(x):
        gate.wait(20)
        return x

    app = make(victim=slow, inputs=20, limits=service.Limits(waiting=2))
    many = np.zeros((200, 20))  # more than is answered on the spot

    async def go():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            post = [
                client.post("/v1/predict", content=wire.pack(many), headers=NPY) for _ in range(5)
            ]
            tasks = [asyncio.create_task(each) for each in post]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            gate.set()
            return await asyncio.gather(*tasks)

    told = asyncio.run(go())
    assert sorted(t.status_code for t in told) == [200, 200, 503, 503, 503]
    assert all(t.headers["retry-after"] == "1" for t in told if t.status_code == 503)


# ---- what is wrong with a request


CLASSICS = {
    "nothing": (NPY, b"", 400),
    "no npy": (NPY, b"hello", 400),
    "cut off": (NPY, wire.pack(X)[:-1], 400),
    "too long": (NPY, wire.pack(X) + b"1", 400),
    "header only": (NPY, header(), 400),
    "an exabyte": (NPY, header("(10**9, 10**9)") + b"1" * 320, 400),
    "sizes that overflow": (NPY, header("(0, 10000000000000000000000000000)"), 400),
    "a billion empty rows": (NPY, header("(1000000000, 0)"), 413),
    "negative shape": (NPY, header("(-2, -20)") + b"1" * 320, 400),
    "a truth among the sizes": (NPY, header("(True, 20)") + bytes(160), 400),
    "a truth for the order": (NPY, header("(1, 20)", order="0") + bytes(160), 400),
    "long integers of Python 2": (NPY, header("(1L, 20L)") + bytes(160), 400),
    "pickled objects": (NPY, header("(2, 20)", "'|O'") + b"cos\nsystem\n(S'true'\ntR.", 400),
    "text": (NPY, header("(1,)", "'<U4'") + b"1" * 16, 400),
    "complex": (NPY, header("(1, 20)", "'<c16'") + bytes(320), 400),
    "bool": (NPY, header("(1, 20)", "'|b1'") + bytes(20), 400),
    "fields": (NPY, header("(1,)", "[('a', '<f8')]") + bytes(8), 400),
    "Fortran": (NPY, header("(2, 20)", "'<f8'", "True") + bytes(320), 400),
    "code in the header": (NPY, header("__import__('os').getcwd()"), 400),
    "brackets": (NPY, header("(" * 90), 400),
    "no rows": (NPY, wire.pack(np.empty((0, 20))), 400),
    "one number": (NPY, wire.pack(np.array(1.0)), 400),
    "one row without its brackets": (NPY, wire.pack(X[0]), 400),
    "too wide": (NPY, wire.pack(np.zeros((2, 21))), 400),
    "NaN": (NPY, wire.pack(np.full((1, 20), np.nan)), 400),
    "infinity": (NPY, wire.pack(np.full((1, 20), np.inf)), 400),
    "too many rows": (NPY, wire.pack(np.zeros((41, 20))), 413),
    "few rows of too many small numbers": (NPY, wire.pack(np.zeros((2, 401), np.uint8)), 413),
    "too many bytes": (NPY, b"1" * 20_001, 413),
    "no JSON": (JSON, b"{", 400),
    "no object": (JSON, b"[[1]]", 400),
    "no inputs": (JSON, b"{}", 400),
    "more than inputs": (JSON, b'{"inputs": [[1]], "model": 1}', 400),
    "bad UTF-8": (JSON, b'{"inputs": "\xff"}', 400),
    "UTF-16": (JSON, '{"inputs": [[1]]}'.encode("utf-16"), 400),
    "a text": (JSON, b'{"inputs": "12"}', 400),
    "texts": (JSON, b'{"inputs": [["1", "2"]]}', 400),
    "truths": (JSON, b'{"inputs": [[true, false]]}', 400),
    "null": (JSON, b'{"inputs": null}', 400),
    "objects": (JSON, b'{"inputs": [{}]}', 400),
    "ragged": (JSON, b'{"inputs": [[1, 2], [1]]}', 400),
    "mixed": (JSON, b'{"inputs": [[1, 2], 1]}', 400),
    "JSON with NaN": (JSON, b'{"inputs": [[NaN]]}', 400),
    "JSON with infinity": (JSON, b'{"inputs": [[-Infinity]]}', 400),
    "1e999": (JSON, b'{"inputs": [[' + b",".join([b"1e999"] * 20) + b"]]}", 400),
    "400 digits": (JSON, b'{"inputs": [[' + b",".join([b"9" * 400] * 20) + b"]]}", 400),
    "9000 digits": (JSON, b'{"inputs": [[' + b"9" * 9000 + b"]]}", 400),
    "huge integer beside a float": (JSON, b'{"inputs": [[1.5, ' + b"9" * 400 + b"]]}", 400),
    "deep": (JSON, b'{"inputs": ' + b"[" * 9000 + b"]" * 9000 + b"}", 413),
    "deep as NumPy is not": (JSON, b'{"inputs": ' + b"[" * 90 + b"1" + b"]" * 90 + b"}", 413),
    "one level deeper": (JSON, json.dumps({"inputs": [X.tolist()]}).encode(), 400),
    "more numbers than rows take": (JSON, b'{"inputs": [[' + b"1," * 801 + b"1]]}", 413),
    "one long text": (JSON, json.dumps({"inputs": [["a" * 9000] + [""] * 2000]}).encode(), 413),
    "rows twice": (JSON, b'{"inputs": [[1]], "inputs": [[1]]}', 400),
    "wrong key": ({**NPY, "Authorization": "Bearer wrong"}, wire.pack(X), 401),
    "no key": ({"Content-Type": wire.NPY}, wire.pack(X), 401),
    "another scheme": ({**NPY, "Authorization": "Basic c2VjcmV0"}, wire.pack(X), 401),
    "a key that is not ASCII": ({**NPY, "Authorization": b"Bearer \xff"}, wire.pack(X), 401),
    "no type": (KEY, wire.pack(X), 415),
    "a form": ({**KEY, "Content-Type": "application/x-www-form-urlencoded"}, b"inputs=1", 415),
    "empty Idempotency-Key": ({**NPY, "Idempotency-Key": ""}, wire.pack(X), 400),
    "long Idempotency-Key": ({**NPY, "Idempotency-Key": "k" * 129}, wire.pack(X), 400),
}


@pytest.mark.parametrize("name", CLASSICS)
def test_the_classics_are_refused_cleanly_logged_and_cost_nothing(make, name):
    log = []
    app = make(limits=SMALL, log=log.append)
    headers, body, code = CLASSICS[name]
    told, after = ask(app, predict(body, headers), predict(wire.pack(X)))
    assert is_clean(told, code)
    assert after.status_code == 200
    assert [a.count for a in app.state.service.accounts] == [5]
    assert len(log) == 1
    assert "POST /v1/predict refused with" in log[0]
    assert "secret" not in log[0]


def test_other_places_and_methods(make):
    told = ask(
        make(),
        *[
            ("GET", "/v1/predict", KEY, b""),
            ("DELETE", "/", {}, b""),
            ("GET", "/etc/passwd", {}, b""),
        ],
        ("POST", "/v1/model", KEY, b""),
    )
    assert [t.status_code for t in told] == [405, 405, 404, 405]
    assert all(map(is_clean, told))


HOSTILE = [b"[" * 2**20, b"[" + b"[]," * 2**18, b"[" + b"{}," * 2**18, b"[" + b'"",' * 2**18]


@pytest.mark.parametrize("inputs", HOSTILE)
def test_hostile_json_is_refused_before_it_is_parsed(make, monkeypatch, inputs):
    def loads(text):
        parsed.append(text)

    parsed = []
    monkeypatch.setattr(wire, "json", SimpleNamespace(loads=loads))
    assert is_clean(ask(make(), predict(b'{"inputs": ' + inputs + b"]}", JSON)))
    assert parsed == []


def test_json_of_nested_rows_is_taken_as_deep_as_a_row_and_no_deeper(make):
    seen = View(lambda x: x[:, 0, 0], "logits", (2, 3, 3), 3)
    app = make(victim=SimpleNamespace(oracle_view=lambda: seen))
    x = np.arange(36.0).reshape(2, 2, 3, 3)
    for rows, code in ((x, 200), (x.reshape(2, 18), 200), (x.reshape(2, 6, 3), 400)):
        told = ask(app, predict(json.dumps({"inputs": rows.tolist()}).encode(), JSON))
        assert told.status_code == code
    assert told.json()["error"].startswith("expected JSON")


def test_brackets_are_counted_as_they_come(make):
    read = []

    async def pieces():
        for i in range(1000):
            read.append(i)
            yield b"[" * 20_000

    assert ask(make(), predict(pieces(), JSON)).status_code == 413
    assert len(read) < 5, "it was read to its end"


def test_whoever_is_refused_pays_from_a_purse_of_their_own(make):
    limits = service.Limits(purse=20_000, income=1, seconds=0.1, bytes=4000)
    app = make(keys=[("ann", "secret", None), ("bob", "other", None)], limits=limits)
    fine, bob = predict(wire.pack(X)), {**NPY, "Authorization": "Bearer other"}
    told = ask(app, *[fine] * 5, *[predict(b"1")] * 3, fine, predict(wire.pack(X), bob))
    assert [each.status_code for each in told] == [200] * 5 + [400] * 2 + [429] * 2 + [200]
    assert told[-2].headers["retry-after"] == "5"
    unknown = ask(app, *[("GET", path, {}, b"") for path in ("/", "/nowhere", "/metrics")])
    assert [each.status_code for each in unknown] == [200, 404, 429]
    assert [each.count for each in app.state.service.accounts] == [25, 5]


def test_an_answer_that_was_paid_for_long_ago_has_its_price_again(make):
    app = make(limits=service.Limits(purse=20_000, income=1, seconds=0.1, bytes=4000))
    once = predict(wire.pack(X), {**NPY, "Idempotency-Key": "k"})
    assert [each.status_code for each in ask(app, *[once] * 4)] == [200] * 3 + [429]


def test_much_json_is_paid_as_well_and_waits_for_its_price(make):
    limits = service.Limits(purse=250_000, income=500_000, seconds=30)
    app, x = make(limits=limits), np.random.default_rng(0).normal(size=(100, 20))
    body = json.dumps({"inputs": x.tolist()}).encode()
    told = ask(app, *[predict(body, JSON)] * 5)
    assert [each.status_code for each in told] == [200] * 5
    purses = app.state.service.purses
    (account,) = app.state.service.accounts
    assert purses.give(account.digest, 0) < 250_000


def test_a_log_has_one_line_for_each_refusal_whatever_was_sent(make):
    log = []
    told = ask(
        make(log=log.append),
        ("GET", "/x%0d%0aall is well%1b[2J%e2%80%ae" + "y" * 900, {}, b""),
        ("GET", "/nowhere", {"Host": "["}, b""),
    )
    assert [each.status_code for each in told] == [404, 404]
    assert log[0].startswith(r"GET /x\r\nall is well\x1b[2J\u202eyyy")
    assert all(line.isascii() and line.isprintable() and len(line) < 600 for line in log)


def test_malformed_requests_are_refused(make):
    app = make(limits=SMALL)
    transport = worker.InProcess(app)
    try:
        with httpx.Client(transport=transport, base_url="http://test") as client:
            refuses(client, 150)
    finally:
        transport.stop()
    assert [a.count for a in app.state.service.accounts] == [5]


@pytest.mark.slow
def test_ten_thousand_malformed_requests_leave_the_memory_of_the_server_flat(tmp_path):
    port = worker.free_port()
    process = worker.start("serve", port, tmp_path / "a.db", "secret")
    try:
        worker.reachable(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            refuses(client, 500)
            before = resident(process.pid)
            refuses(client, 10_000)
            assert resident(process.pid) - before < 10e6
    finally:
        worker.end(process)


def test_a_victim_that_fails_tells_the_client_nothing(make):
    def fails(x):
        raise RuntimeError("the weights are 1, 2, 3")

    log = []
    told = ask(make(victim=fails, inputs=20, log=log.append), predict(wire.pack(X)))
    assert told.status_code == 500
    assert "weights" not in told.text
    assert log == ["POST /v1/predict failed: RuntimeError: the weights are 1, 2, 3"]


def test_a_value_error_of_the_victim_is_its_own_fault(make):
    def fails(x):
        raise ValueError("the weights are 1, 2, 3")

    log = []
    broken, short = (
        ask(make(victim=each, inputs=20, log=log.append), predict(wire.pack(X)))
        for each in (fails, lambda x: np.ones((1, 3)))
    )
    assert broken.status_code == short.status_code == 500
    assert "weights" not in broken.text
    assert log[0] == "POST /v1/predict failed: ValueError: the weights are 1, 2, 3"
    assert "expected the victim to answer 5 rows" in log[1]


@pytest.mark.parametrize("purchase", [None, "name"])
def test_an_answer_that_is_none_is_the_services_fault_and_is_not_charged(make, purchase):
    def half(x):
        return np.where(x[:, :1] > 1, np.nan, x[:, :3])

    log = []
    app = make(victim=half, inputs=20, log=log.append)
    rows = np.zeros((5, 20))
    rows[3:, 0] = 2
    headers = NPY if purchase is None else {**NPY, "idempotency-key": purchase}
    refused, answered = (
        ask(app, predict(wire.pack(each), headers)) for each in (rows, rows[:3] + 0.5)
    )
    assert refused.status_code == 500
    assert refused.json() == {
        "error": "expected the victim to answer logits, finite or -inf, got nan, nan, nan in row "
        "3 of 5; nothing is charged"
    }
    assert log == [f"POST /v1/predict refused with 500: {refused.json()['error']}"]
    assert answered.status_code == 200
    assert [each.count for each in app.state.service.accounts] == [3]


def test_a_victim_that_cannot_be_reached_is_asked_again_later(make):
    def gone(x):
        raise Unreachable("expected an answer of the victim, got none in 3 calls")

    app = make(victim=gone, inputs=20)
    refused = ask(app, predict(wire.pack(X)))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert [each.count for each in app.state.service.accounts] == [0]


def test_words_that_a_network_does_not_know_are_a_fault_of_the_rows(make):
    for network in (zoo.text_bag(7, 5, 2, rng=0), zoo.text_cnn(7, 5, 2, rng=0)):
        told = ask(make(victim=network), predict(wire.pack(np.full((1, 5), 7))))
        assert (told.status_code, "from 0 to 6" in told.text) == (400, True)


# ---- a full disk


def full(base):
    """No page more for this file, as on a full disk."""
    (pages,) = base.execute("PRAGMA page_count").fetchone()
    base.execute(f"PRAGMA max_page_count = {pages}")


@pytest.mark.parametrize("rows", [200, 2000])  # on the spot, and in the thread
def test_a_payment_that_a_full_disk_does_not_take_is_503_and_seen_once(make, tmp_path, rows):
    log = []
    app = make(tmp_path / "a.db", detector=Watch, log=log.append)
    (account,) = accounts = app.state.service.accounts
    x = np.random.default_rng(1).normal(size=(rows, 20))
    asked = predict(wire.pack(x), {**NPY, "Idempotency-Key": "k"})
    full(accounts._base)
    told = ask(app, asked)
    assert (told.status_code, told.headers["retry-after"]) == (503, "1")
    assert re.fullmatch("expected to write down .* full; nothing was paid", told.json()["error"])
    assert len(log) == 1
    assert (account.count, len(account.watch.distances)) == (0, 0)
    small = ask(app, predict(wire.pack(X)))  # no answer to keep: it has room
    assert (small.status_code, account.count, len(account.watch.distances)) == (200, 5, 5)
    accounts._base.execute("PRAGMA max_page_count = 10000")
    again, replayed = ask(app, asked, asked)
    assert again.status_code == replayed.status_code == 200
    assert (account.count, len(account.watch.distances)) == (5 + rows, 5 + rows)


# ---- over a real connection


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with worker.serving(tmp_path_factory.mktemp("served") / "a.db", "secret") as url:
        yield url


def connect(url):
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), 10)


def test_half_sent_and_garbled_requests_leave_the_server_up(url):
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
    half = head + b"Content-Type: application/x-npy\r\nContent-Length: 1000\r\n\r\n" + b"1" * 10
    lies = head + b"Content-Type: application/x-npy\r\nContent-Length: 999999999999\r\n\r\n"
    for sent in (half, head, b"", b"\0\xff" * 500, b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 300):
        with connect(url) as line:
            line.sendall(sent)
    with connect(url) as line:
        line.sendall(lies)
        assert b" 413 " in line.recv(100)
    with connect(url) as line:
        line.sendall(b"nonsense\r\n\r\n")
        assert b" 400 " in line.recv(100)
    with httpx.Client(base_url=url, trust_env=False) as client:
        told = client.post("/v1/predict", headers=NPY, content=wire.pack(X))
        assert np.array_equal(wire.unpack(told.content), NETWORK.logits(X))


def test_idle_connections_shut_nobody_out(url):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with contextlib.ExitStack() as idle:
        for _ in range(1100):
            idle.enter_context(connect(url))
        with httpx.Client(base_url=url, trust_env=False) as client:
            told = client.post("/v1/predict", headers=NPY, content=wire.pack(X))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert told.status_code == 200


def test_a_body_that_does_not_say_its_length_is_measured_as_it_comes(make):
    read = []

    async def pieces():
        for i in range(1000):
            read.append(i)
            yield b"1" * 1000

    assert ask(make(limits=SMALL), predict(pieces())).status_code == 413
    assert len(read) < 30, "it was read to its end"


@contextlib.asynccontextmanager
async def listening(app):
    """The application behind connections of the service, in this loop; yields them and a port."""
    config, state = Config(app, log_level="error", log_config=None), ServerState()
    loop = asyncio.get_running_loop()
    there = await loop.create_server(lambda: server.Connection(config, state, {}), "127.0.0.1", 0)
    yield state.connections, there.sockets[0].getsockname()[1]
    there.close()


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"])
def test_who_never_ends_a_request_is_hung_up_on(make, monkeypatch, first):
    monkeypatch.setattr(server, "SECONDS", 0.2)

    async def go():
        async with listening(make()) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(first)
            with contextlib.suppress(ConnectionError):
                while not reader.at_eof():  # a byte now and then, for ever
                    writer.write(b"G")
                    await writer.drain()
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(reader.read(10_000), 0.01)
            writer.close()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_who_does_not_read_an_answer_is_hung_up_on(make, monkeypatch):
    monkeypatch.setattr(server, "SECONDS", 0.2)
    app = make(victim=lambda x: np.zeros((len(x), 300)), inputs=1)
    body = wire.pack(np.zeros((8192, 1)))
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nX-API-Key: secret\r\nContent-Type: "
    head += b"application/x-npy\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def go():
        async with listening(app) as (connections, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
            writer.write(head + body)
            while app.state.service.tally.requests == 0 or connections:
                await asyncio.sleep(0.01)
            writer.close()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_a_slow_body_is_ended(make):
    app = make(limits=SMALL)

    async def drip():
        yield b"1"
        await asyncio.sleep(30)

    async def go():
        messages, sent = drip(), []

        async def receive():
            chunk = await anext(messages)
            return {"type": "http.request", "body": chunk, "more_body": True}

        async def send(message):
            sent.append(message)

        headers = [(n.lower().encode(), v.encode()) for n, v in NPY.items()]
        scope = {"type": "http", "method": "POST", "path": "/v1/predict", "headers": headers}
        scope |= {"query_string": b"", "http_version": "1.1", "server": ("test", 80)}
        await app(scope, receive, send)
        return sent[0]["status"]

    assert asyncio.run(go()) == 408


def test_a_body_that_breaks_off_is_logged(make):
    log = []
    app = make(log=log.append)

    async def go():
        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            pass

        headers = [(n.lower().encode(), v.encode()) for n, v in NPY.items()]
        scope = {"type": "http", "method": "POST", "path": "/v1/predict", "headers": headers}
        await app({**scope, "query_string": b"", "http_version": "1.1"}, receive, send)

    asyncio.run(go())
    assert [line for line in log if "broke off" in line] == log
    assert len(log) == 1


# ---- for whoever runs it


class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.text = ""

    def handle_data(self, data):
        self.text += data


def test_page_and_metrics_show_budgets_distances_and_alarms(make):
    app = make(keys=[("ann & <b>bob</b>", "secret", 20), ("idle", "other", None)], detector=Watch)
    _, _, page, metrics = ask(
        app,
        *[
            predict(wire.pack(X)),
            predict(b"1"),
            ("GET", "/", {}, b""),
            ("GET", "/metrics", {}, b""),
        ],
    )
    assert page.headers["content-type"].startswith("text/html")
    parser = Balanced()
    parser.feed(page.text)
    for words in (
        "15 of 20 left",
        "5 rows asked",
        "ALARM",
        "W = 0.500",
        "1 with 400",
        "no budget",
        "logits of 20 inputs",
    ):
        assert words in parser.text, words
    assert "<b>bob" not in page.text
    assert "secret" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")  # loads nothing from elsewhere
    assert page.text.count("<svg") == 1
    assert 'mstheft_rows_total{account="ann & <b>bob</b>"} 5' in metrics.text
    assert 'mstheft_rows_left{account="ann & <b>bob</b>"} 15' in metrics.text
    assert 'mstheft_alarm{account="idle"} 0' in metrics.text
    assert 'mstheft_refused_total{code="400"} 1' in metrics.text
    assert "mstheft_requests_total 1" in metrics.text


def test_page_without_a_detector(make):
    assert "no detector" in ask(make(), ("GET", "/", {}, b"")).text


def test_one_sigmoid_is_two_classes(make):
    logistic = zoo.logistic(20, rng=0)
    app = make(victim=logistic, output="probs")
    told, model = ask(app, predict(wire.pack(X)), ("GET", "/v1/model", KEY, b""))
    assert wire.unpack(told.content).shape == (5, 1)
    assert (model.json()["outputs"], model.json()["classes"]) == (1, 2)
