"""What the tests and the benchmark of the service share: requests, crowds, and sudden deaths."""

import asyncio
import io
import json
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import service_worker as worker
from hypothesis import given, settings
from hypothesis import strategies as st

from mstheft.direct import relu
from mstheft.nn import Network
from mstheft.oracle import Oracle
from mstheft.oracle.http import wire
from mstheft.oracle.http.client import HttpVictim

X = np.random.default_rng(0).normal(size=(5, 20))
KEY = {"Authorization": "Bearer secret"}
NPY = {**KEY, "Content-Type": wire.NPY}
JSON = {**KEY, "Content-Type": wire.JSON}


def ask(app, *requests):
    """Send requests (method, path, headers, body) to the application in this process."""

    async def go():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [
                await client.request(method, path, headers=headers, content=body)
                for method, path, headers, body in requests
            ]

    told = asyncio.run(go())
    return told[0] if len(told) == 1 else told


def header(shape="(2, 20)", descr="'<f8'", order="False"):
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def is_clean(told, code=None):
    """A refusal: one sentence, no traceback, nothing of the model."""
    assert 400 <= told.status_code < 500, told.text
    assert code is None or told.status_code == code, told.text
    why = told.json()["error"]
    assert "Traceback" not in why
    assert "secret" not in why
    assert 8 < len(why) < 400
    return True


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


def mutated(body, edits):
    """A body with some bytes of it deleted, doubled or replaced."""
    for at, copies, byte in edits:
        at %= len(body) or 1
        body = body[:at] + bytes([byte]) * copies + body[at + 1 :]
    return body


def readable(request):
    """Would others read rows in it that the model takes?"""
    headers, body = request
    try:
        if headers is JSON:
            rows = np.array(json.loads(body)["inputs"], float)
        else:
            rows = np.load(io.BytesIO(body), allow_pickle=False)
        return rows.ndim == 2 and rows.shape[1] == 20 and rows.dtype.kind in "fiu"
    except Exception:
        return False


edits = st.tuples(
    st.integers(0, 130) | st.integers(0, 2500),
    st.integers(0, 3),
    st.integers(0, 255) | st.sampled_from(b"[]{}()\"',:.-+eE0TFN \n"),
)
mutants = st.tuples(
    st.sampled_from([(NPY, wire.pack(X)), (JSON, json.dumps({"inputs": X.tolist()}).encode())]),
    st.lists(edits, min_size=1, max_size=4),
).map(lambda drawn: (drawn[0][0], mutated(drawn[0][1], drawn[1])))
malformed = st.one_of(
    *[mutants.filter(lambda request: not readable(request))] * 3,
    st.tuples(st.just(NPY), st.binary(max_size=300)),
    st.tuples(st.just(JSON), st.binary(max_size=300)),
    st.tuples(st.just(JSON), st.builds(lambda v: json.dumps({"inputs": v}).encode(), json_values)),
    st.tuples(st.just(JSON), st.builds(lambda v: json.dumps(v).encode(), json_values)),
    st.tuples(
        st.just(NPY),
        st.builds(
            lambda at, byte: wire.pack(X)[:at] + bytes([byte]) + wire.pack(X)[at + 1 : 800],
            st.integers(0, 799),
            st.integers(0, 255),
        ),
    ),
    st.tuples(
        st.just(NPY),
        st.builds(
            lambda shape, descr, body: header(repr(shape), repr(descr)) + body,
            st.lists(st.integers(-3, 10**12), max_size=4).map(tuple),
            st.sampled_from(["<f8", "<f4", "|O", "<U3", "<c8", "|V0", "<m8", "f16"]),
            st.binary(max_size=64),
        ),
    ),
    st.tuples(
        st.fixed_dictionaries(
            {
                "X-API-Key": st.text("secrt", max_size=7).filter(lambda key: key != "secret"),
                "Content-Type": st.text("ajx/", max_size=5),
            }
        ),
        st.binary(max_size=20),
    ),
)


def refuses(client, examples):
    """Every request of hypothesis is refused cleanly; then an honest one is answered."""

    @settings(max_examples=examples, deadline=None)
    @given(malformed)
    def each(request):
        headers, body = request
        assert is_clean(client.post("/v1/predict", headers=headers, content=body))

    each()
    assert client.post("/v1/predict", headers=NPY, content=wire.pack(X)).status_code == 200


def resident(process):
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096


def same(a, b):
    pairs = zip(a.parameters().values(), b.parameters().values(), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


def count(victim):
    return victim._model()["count"]


def crowd(folder, clients, rows, keys=4):
    """Many clients at once; every answer is right and the counts add up."""
    names = [f"key{i}" for i in range(keys)]
    network, wrong, done = worker.victim(), [], []

    def one(i):
        x = np.random.default_rng(i).normal(size=(rows, 20))
        try:
            with HttpVictim(url, names[i % keys]) as victim:
                sizes = np.random.default_rng(i).integers(1, 60, size=rows)
                cuts = [c for c in np.cumsum(sizes) if c < rows]
                answers = np.concatenate([victim(part) for part in np.split(x, cuts)])
                if not np.allclose(answers, network.logits(x), rtol=1e-12, atol=1e-13):
                    wrong.append(i)
                done.append(victim.count)
        except Exception as error:
            wrong.append(error)

    with worker.serving(folder / "a.db", *names) as url:
        threads = [threading.Thread(target=one, args=(i,)) for i in range(clients)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        counts = []
        for name in names:
            with HttpVictim(url, name) as victim:
                counts.append(count(victim))
    assert wrong == []
    assert sum(counts) == sum(done) == clients * rows


def killed_and_resumed(url, key, folder, requests):
    """Kill an attack after so many requests, start it again. (total, replayed, paid)."""
    words = ("steal", url, key, folder / f"{key}.db", folder / f"{key}.npz")
    process = worker.start(*words)
    try:
        for _ in range(requests):
            assert process.stdout.readline() == "request\n"
    finally:
        worker.end(process)  # SIGKILL, wherever it is by now
    process = worker.start(*words)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return tuple(map(int, output.splitlines()[-1].split()))


def kills(folder, moments):
    """Attacks that are killed, each after so many requests, and resumed."""
    keys = [f"key{i}" for i in range(len(moments))]
    plain = relu.extract(Oracle(worker.victim()), rng=1)
    came_back = []
    with worker.serving(folder / "accounts.db", *keys) as url:
        for key, requests in zip(keys, moments, strict=True):
            total, replayed, paid = killed_and_resumed(url, key, folder, requests)
            assert total == replayed + paid == plain.total
            assert same(Network.load(folder / f"{key}.npz"), plain.model)
            with HttpVictim(url, key) as victim:
                assert victim._model()["count"] == plain.total, "an answer was bought twice"
            came_back.append(replayed)
    return came_back


def restarts_at_random(folder, times):
    """The same at random moments, amid requests. Returns the kills before the attack had ended."""
    plain, rng = relu.extract(Oracle(worker.victim()), rng=1), np.random.default_rng(0)
    port, told, amid = worker.free_port(), [], 0
    server = worker.start("serve", port, folder / "accounts.db", "key")
    worker.reachable(port)

    def attack():
        with HttpVictim(f"http://127.0.0.1:{port}", "key", retries=14) as victim:
            result = relu.extract(Oracle(victim), rng=1)
            told.append((result, victim._model()["count"]))

    attacker = threading.Thread(target=attack)
    try:
        attacker.start()
        for _ in range(times):
            time.sleep(rng.uniform(0, 0.01))
            worker.end(server)
            amid += attacker.is_alive()
            server = worker.start("serve", port, folder / "accounts.db", "key")
            worker.reachable(port)
        attacker.join(120)
    finally:
        worker.end(server)
    ((result, count),) = told
    assert same(result.model, plain.model)
    assert count == plain.total == result.total
    return amid
