"""What the tests of the service run in processes of their own, and share.

python service_worker.py serve PORT ACCOUNTS.db KEY...
python service_worker.py steal URL KEY JOURNAL.db COPY.npz
"""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from mstheft.direct import relu
from mstheft.nn import zoo
from mstheft.oracle import Oracle
from mstheft.oracle.http import server, service
from mstheft.oracle.http.accounts import Accounts
from mstheft.oracle.http.client import HttpVictim
from mstheft.oracle.http.journal import Journal

SHAPE = [20, 8, 4]


def victim():
    return zoo.mlp(SHAPE, bias=0.1, rng=0)


def steal(oracle):
    return relu.extract(oracle, rng=1)


class InProcess(httpx.BaseTransport):
    """The service in the same process, for a client that waits: an ASGI loop in a thread."""

    def __init__(self, app):
        self.inner = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def handle_request(self, request):
        body = request.read()
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=body)

        async def answer():
            told = await self.inner.handle_async_request(asked)
            return httpx.Response(
                told.status_code, headers=told.headers, content=await told.aread()
            )

        return asyncio.run_coroutine_threadsafe(answer(), self.loop).result(60)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(*words):
    """This file in a process of its own; its output is a pipe."""
    command = [sys.executable, __file__, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def end(process):
    process.kill()
    process.communicate()


def reachable(port, seconds=30):
    """Wait until somebody listens."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on {port}")


@contextlib.contextmanager
def serving(accounts, *keys, port=None):
    """A real uvicorn in a process of its own; yields its URL."""
    port = port or free_port()
    process = start("serve", port, accounts, *keys)
    try:
        reachable(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        end(process)


def tell(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(task, *words):
    if task == "serve":
        port, path, *keys = words
        app = service.application(victim(), Accounts(path, [(k, k, None) for k in keys]))
        server.serve(app, server.listen(port=int(port)))
        return
    url, key, journal, copy = words
    with HttpVictim(url, key, retries=14) as there, Journal(journal) as answers:
        send = there._transport.handle_request
        there._transport.handle_request = lambda request: tell("request") or send(request)
        result = steal(Oracle(there, journal=answers))
    result.model.save(Path(copy))
    tell(result.total, answers.replayed, answers.paid)


if __name__ == "__main__":
    main(*sys.argv[1:])
