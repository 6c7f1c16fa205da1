"""The service under load, under fire and dying; and what PATE costs. The table of RESULTS.md.

    python tests/benchmarks/service.py [--only crowd,single,batch,…] [--rows N] [--kills N] …

crowd      64 clients at once, 200,000 rows in all: wrong answers, errors, and the server's count
single     rows a second through `HttpVictim`, one row in a request, of an MLP 784-64-10
batch      the same with 256 rows in a request
sweep      `direct.sweep` on that MLP through HTTP, beside the same attack in process
kills      an attack with a journal, SIGKILL at random moments, resumed
restarts   the server killed and started again during an attack
hostile    10 requests a second, each timed from when it was due, while four clients send 4 MB of
           brackets, empty lists, texts, rows whose last number is none; quiet: before and after
idle       new connections answered while another address holds 2,000 that say nothing
malformed  requests that hypothesis makes up, and how much the server's memory grew over them
pate       50 teachers on glyphs, at δ = 1e-5 (three seeds; a minute or two each)
accountant seconds for 10,000 answers

Server and client are two processes on one machine; without a detector unless `--detector` is said.
The server writes every answer to its accounts file before it tells it. The attack that is killed
and the requests that are made up are those of the tests.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))  # shared with the tests
import pate
import service_checks as checks
import service_worker as worker
from results import aside, recorded

from mstheft.defend.prada import Detector
from mstheft.direct import sweep
from mstheft.nn import Network, zoo
from mstheft.oracle import Oracle
from mstheft.oracle.http import server, service
from mstheft.oracle.http.accounts import Accounts
from mstheft.oracle.http.client import HttpVictim

Row = tuple[str, str, str]  # what, goal, found


def victim() -> Network:
    return zoo.mlp([784, 64, 10], bias=0.1, rng=0)


@contextlib.contextmanager
def serving(folder: Path, detector: bool) -> Iterator[str]:
    """The MLP behind a real server in a process of its own; yields its URL."""
    port = worker.free_port()
    words = ["serve", port, folder / "accounts.db", *(["detector"] if detector else [])]
    process = subprocess.Popen([sys.executable, __file__, *map(str, words)])
    try:
        worker.reachable(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        worker.end(process)


def serve(port: int, accounts: str, detector: bool) -> None:
    watch = Detector if detector else None
    keys = [(key, key, None) for key in ("key", *HOSTILE)]
    app = service.application(victim(), Accounts(accounts, keys), detector=watch)
    server.serve(app, server.listen(port=port))


# ---- rows of the table


def crowd(folder: Path, args: argparse.Namespace) -> Row:
    each = args.rows // args.clients
    began = time.perf_counter()
    checks.crowd(folder, args.clients, each)  # raises if an answer or a count is wrong
    took = time.perf_counter() - began
    asked = f"{args.clients} clients at once, {each * args.clients:,} rows in all"
    found = f"all right, counts equal, no error; {each * args.clients / took:,.0f} rows/s"
    return asked, "every answer right, counts equal, no error", found


def throughput(folder: Path, args: argparse.Namespace, size: int, goal: int) -> Row:
    x = np.random.default_rng(0).normal(size=(size, 784))
    with serving(folder, args.detector) as url, HttpVictim(url, "key") as asked:
        rates = []
        for _ in range(5):
            asked(x)  # the first request opens the connection
            count, began = 0, time.perf_counter()
            while (took := time.perf_counter() - began) < args.seconds / 5:
                asked(x)
                count += size
            rates.append(count / took)
    what = f"rows a second, {size} in a request" + (", with PRADA" if args.detector else "")
    found = f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
    return what, f"≥ {goal:,}", found


def through(folder: Path, args: argparse.Namespace) -> Row:
    plain = Oracle(victim())
    expected = sweep.extract(plain, rng=1)
    with serving(folder, args.detector) as url, HttpVictim(url, "key") as there:
        oracle, began = Oracle(there), time.perf_counter()
        result = sweep.extract(oracle, rng=1)
        took = time.perf_counter() - began
    same = checks.same(result.model, expected.model)
    copy = "the same bits" if same else "ANOTHER copy"
    found = f"{copy}; {oracle.count:,} queries, {plain.count:,} in process; {took:.1f} s"
    return "`steal sweep` of 784-64-10 over HTTP", "same copy, same count", found


def kills(folder: Path, args: argparse.Namespace) -> Row:
    # raises if a copy differs or an answer was bought twice
    moments = np.random.default_rng(1).integers(1, 50, size=args.kills)
    replayed = checks.kills(folder, moments)
    middle = sum(each > 0 for each in replayed)
    found = f"{len(replayed)} of {args.kills}, 0 rows bought twice; {middle} had paid for answers"
    return "attack killed (SIGKILL) and resumed", "all the same copy, none bought twice", found


def restarts(folder: Path, args: argparse.Namespace) -> Row:
    # raises if copy or counts differ
    amid = checks.restarts_at_random(folder, args.restarts)
    what = f"server killed (SIGKILL) and restarted {args.restarts} times"
    found = f"the same copy, the same count; {amid} kills before the attack had ended"
    return what, "the attack ends, counts survive", found


HOSTILE: dict[str, Callable[[], bytes]] = {
    "brackets": lambda: b"[" * SIZE + b"]" * SIZE,
    "lists": lambda: b"[" + b",".join([b"[]"] * (2 * SIZE // 3)) + b"]",
    "texts": lambda: b'["' + b'","'.join([b"a" * 29] * (SIZE // 16)) + b'"]',
    "rows": lambda: (
        json.dumps(np.random.default_rng(0).normal(size=(256, 784)).tolist()).encode()[:-3] + b"-]]"
    ),
}
SIZE = 2 * 2**20 - 16


def attack(port: int, seconds: float) -> None:
    """One client for each hostile body: as fast as it can, until the time is over."""
    bodies = {key: b'{"inputs":' + make() + b"}" for key, make in HOSTILE.items()}
    print("ready", flush=True)
    until, sent = time.monotonic() + seconds, dict.fromkeys(HOSTILE, 0)

    def one(key: str, body: bytes) -> None:
        head = f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: "
        head += f"application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        while time.monotonic() < until:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), 30) as there,
            ):
                there.sendall(head.encode() + body)
                there.recv(100)
            sent[key] += 1

    threads = [threading.Thread(target=one, args=each) for each in bodies.items()]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    print(sum(sent.values()))


def hostile(folder: Path, args: argparse.Namespace) -> Row:
    x = np.zeros((1, 784))

    def waits(seconds: float) -> list[float]:
        took, began = [], time.perf_counter()
        for due in np.arange(began, began + seconds, 0.1):
            time.sleep(max(0, due - time.perf_counter()))
            asked(x)
            took.append(1e3 * (time.perf_counter() - due))
        return took

    with serving(folder, args.detector) as url, HttpVictim(url, "key") as asked:
        quiet = waits(args.seconds / 2)
        words = ["attack", url.rpartition(":")[2], str(2 * args.seconds)]
        others = subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE)
        try:
            others.stdout.readline()  # it is ready
            loud = waits(2 * args.seconds)
            sent = int(others.communicate()[0])
        finally:
            others.kill()
        quiet += waits(args.seconds / 2)
    middle, worst = (statistics.median(each) for each in (quiet, loud)), np.quantile(loud, 0.99)
    found = "{:.2f} ms quiet, {:.2f} ms".format(*middle)
    found += f" beside {sent:,} such bodies (99 in 100 within {worst:.0f} ms)"
    return (
        "4 MB hostile bodies from 4 clients",
        "others' median at most twice its quiet value",
        found,
    )


def idle(folder: Path, args: argparse.Namespace) -> Row:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    served = dict.fromkeys(("127.0.0.1", "127.0.0.2"), 0)
    with serving(folder, args.detector) as url, contextlib.ExitStack() as held:
        port = int(url.rpartition(":")[2])
        for _ in range(2000):
            there = socket.create_connection(("127.0.0.1", port), 30, ("127.0.0.2", 0))
            held.enter_context(there)
        for _ in range(50):
            for address in served:
                way = httpx.HTTPTransport(local_address=address)
                with httpx.Client(base_url=url, trust_env=False, transport=way) as client:
                    told = client.get("/v1/model", headers={"X-API-Key": "key"})
                    served[address] += told.status_code == 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    found = "{} of 50 others served, and {} of 50 from that address".format(*served.values())
    return "2,000 idle connections from one address", "others served", found


def malformed(folder: Path, args: argparse.Namespace) -> Row:
    port = worker.free_port()
    process = worker.start("serve", port, folder / "a.db", "secret")
    try:
        worker.reachable(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            checks.refuses(client, min(500, args.requests))
            before = checks.resident(process.pid)
            checks.refuses(client, args.requests)  # raises at anything but a clean 4xx
            grown = checks.resident(process.pid) - before
    finally:
        worker.end(process)
    found = f"only 4xx; memory grew by {grown / 1e6:.1f} MB"
    return f"{args.requests:,} malformed requests", "only 4xx, no traceback, memory flat", found


def private(folder: Path, args: argparse.Namespace) -> Row:
    told = [pate.one(seed, 60_000, 150) for seed in range(1, args.seeds + 1)]
    for seed, each in enumerate(told, 1):
        aside(pate.sentence(seed, each, 150))
    bills = ", ".join(f"{each['epsilon']:.2f}" for each in told)
    lost = ", ".join(f"{100 * (each['open'] - each['student']):.1f}" for each in told)
    goal = "ε ≤ 3, at most 2 points less than without privacy"
    return "PATE on glyphs, 50 teachers, δ = 1e-5", goal, f"ε {bills}; {lost} points less"


def accountant(folder: Path, args: argparse.Namespace) -> Row:
    return "accountant, 10,000 answers", "< 2 s", f"{pate.accountant():.2f} s"


ROWS: dict[str, Callable[[Path, argparse.Namespace], Row]] = {
    "crowd": crowd,
    "single": functools.partial(throughput, size=1, goal=1000),
    "batch": functools.partial(throughput, size=256, goal=20_000),
    "sweep": through,
    "kills": kills,
    "restarts": restarts,
    "hostile": hostile,
    "idle": idle,
    "malformed": malformed,
    "pate": private,
    "accountant": accountant,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--only", default=",".join(ROWS), help=f"some of {', '.join(ROWS)}")
    add("--rows", type=int, default=200_000, help="of the crowd")
    add("--clients", type=int, default=64)
    add("--seconds", type=float, default=10.0, help="of a measurement of throughput")
    add("--detector", action="store_true", help="with PRADA, for throughput and sweep")
    add("--kills", type=int, default=50)
    add("--restarts", type=int, default=10)
    add("--requests", type=int, default=10_000)
    add("--seeds", type=int, default=3, help="of PATE")
    args = parser.parse_args()
    chosen = args.only.split(",")
    if unknown := set(chosen) - ROWS.keys():
        parser.error(f"expected some of {', '.join(ROWS)}, got {', '.join(sorted(unknown))}")
    with recorded("service", whole=vars(args) == vars(parser.parse_args([]))):
        print("| what | goal | found |\n|---|---|---|", flush=True)
        for name in chosen:
            with tempfile.TemporaryDirectory() as folder:
                print(f"| {' | '.join(ROWS[name](Path(folder), args))} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]), sys.argv[3], "detector" in sys.argv[4:])
    elif sys.argv[1:2] == ["attack"]:
        attack(int(sys.argv[2]), float(sys.argv[3]))
    else:
        main()
