"""The black box over HTTP: one model, many keys, each with its own budget and detector.

    POST /v1/predict   rows in, answers out: JSON {"inputs": [[...]]} -> {"outputs": [[...]]}, or
                       .npy -> .npy (Content-Type: application/x-npy), every bit of it
    GET  /v1/model     what it is: shape, classes, output, decimals, limits; what this key has left
    GET  /metrics      counts for a monitoring system (the Prometheus text format)
    GET  /             a page for a person: budgets, distances of the queries, alarms

The two of /v1 want a key, `Authorization: Bearer KEY` or `X-API-Key: KEY`. The other two are for
whoever runs the service, and open: keep the port on localhost, as `serve` does unless told else.

Whatever is wrong with a request ends in a 4xx with one sentence, {"error": ...}, and a line for the
log; so does what is wrong with the service, with a 5xx:

    400 malformed   401 no or a wrong key   402 budget spent   408 too slow   413 too large
    415 neither JSON nor .npy   422 Idempotency-Key of other rows
    500 the model or the service has a fault   503 too busy, or no room to write: come again

A request with `Idempotency-Key: NAME` is paid once however often it is sent, and gets the same
answer again, also after a restart: so a client whose connection broke simply asks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mstheft.errors import BudgetExhausted, WrongRows
from mstheft.oracle import fingerprint
from mstheft.oracle.http import status, wire
from mstheft.oracle.http.accounts import Account, Accounts, Mismatch, Unpaid
from mstheft.oracle.http.requests import Limits, account_of, body_of
from mstheft.oracle.oracle import Oracle

Log = Callable[[str], object]
SMALL = 16 * 2**10  # bytes of a body that are read and answered in well under a millisecond


class Seen(list[Any]):
    """What an oracle shows its monitors, kept until it is paid for: what is not may come again."""

    def observe(self, x: np.ndarray, labels: np.ndarray) -> None:
        """As of a monitor."""
        self.append((x, labels))


class Service:
    """The model, its accounts, and the one thread in which everything that costs is done.

    One thread after the other needs no locks: the count, the budget, the detector and the file of
    the accounts see the requests in one order, while the loop goes on reading from slow clients.
    """

    def __init__(
        self, victim: Any, accounts: Accounts, detector: Any, limits: Limits, log: Log, told: Any
    ):
        self.accounts, self.limits, self.log = accounts, limits, log
        self._oracles, self._seen = {}, Seen()
        for account in accounts:
            account.watch = detector() if detector is not None else None
            monitors = [self._seen] if detector is not None else []
            self._oracles[account.digest] = Oracle(victim, monitors=monitors, **told)
        self.oracle = Oracle(victim, **told)  # never asked: it knows shape and output
        self._model = fingerprint.victim(victim)
        self.dtype = np.dtype(getattr(victim, "dtype", None) or np.float64).name
        self.tally = status.Tally()
        self._waiting = 0
        self._worker = ThreadPoolExecutor(1, "mstheft-service")

    async def work(self, function: Callable[..., Any], *arguments: Any, small: bool = False) -> Any:
        """Run in the one thread; refused when too many wait for it.

        What is small is done on the spot while that thread has nothing to do: to change threads
        takes longer. Nobody else can give it work meanwhile, so there is still one after the other.
        """
        if small and self._waiting == 0:
            return function(*arguments)
        if self._waiting >= self.limits.waiting:
            raise HTTPException(503, "too many requests at once; try again", {"Retry-After": "1"})
        loop = asyncio.get_running_loop()
        job = self._worker.submit(function, *arguments)
        self._waiting += 1
        # Not when the request ends: one that is given up leaves the thread at work.
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        return await asyncio.wrap_future(job)

    def _done(self) -> None:
        self._waiting -= 1

    def answer(self, account: Account, body: bytes, npy: bool, purchase: str | None) -> bytes:
        """From a body to a body. Raises `WrongRows` for what is malformed, before it is paid."""
        try:
            rows = wire.unpack(body) if npy else wire.read_json(body)
        except ValueError as error:
            raise WrongRows(str(error)) from error
        if rows.ndim == 0:
            raise WrongRows("expected rows, got a single number; a single input goes in as [x]")
        if len(rows) > self.limits.rows:
            raise HTTPException(
                413, f"expected at most {self.limits.rows:,} rows, got {len(rows):,}; send fewer"
            )
        query = self._oracles[account.digest].query
        self._seen.clear()
        answers = self.accounts.buy(account, rows, query, purchase)
        for x, labels in self._seen:
            account.watch.observe(x, labels)
        self.tally.answered(len(rows))
        return wire.pack(answers) if npy else wire.write_json(answers)

    def model(self, account: Account) -> dict[str, Any]:
        """What `GET /v1/model` tells."""
        oracle = self.oracle
        return {
            "shape": list(oracle.shape),
            "classes": oracle.outputs and max(2, oracle.outputs),
            "outputs": oracle.outputs,
            "output": oracle.output,
            "decimals": oracle.decimals,
            "top": oracle.top,
            "dtype": self.dtype,
            "fingerprint": self._model,
            "limits": {"rows": self.limits.rows, "bytes": self.limits.bytes},
            "budget": account.budget,
            "count": account.count,
            "left": account.left,
        }

    def close(self) -> None:
        """Finish what is being answered and close the file."""
        self._worker.shutdown()
        self.accounts.close()


def application(
    victim: Any,
    accounts: Accounts,
    *,
    detector: Callable[[], Any] | None = None,
    limits: Limits | None = None,
    log: Log = lambda line: None,
    **told: Any,
) -> Starlette:
    """The service as an ASGI application, for uvicorn or for a test in the same process.

    victim, told : as of an `Oracle`: output=, decimals=, top=, gives=, inputs=. Budgets are those
        of the accounts
    detector : makes a monitor for each account, for instance `defend.prada.Detector`; the page
        shows its `distances`, `w` and `alarm`. It starts anew with each start of the service
    log : is told one line about each request that was refused
    """
    service = Service(victim, accounts, detector, limits or Limits(), log, told)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> Any:
        yield
        service.close()

    routes = [
        Route("/v1/predict", predict, methods=["POST"]),
        Route("/v1/model", model),
        Route("/metrics", metrics),
        Route("/", page),
    ]
    handlers: Any = {HTTPException: refused, Exception: broken}
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)
    app.state.service = service
    return app


async def predict(request: Request) -> Response:
    """Rows in, answers out."""
    service: Service = request.app.state.service
    account = account_of(request)
    form = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if form not in (wire.NPY, wire.JSON):
        raise HTTPException(415, f"expected Content-Type {wire.JSON} or {wire.NPY}; set it")
    purchase = request.headers.get("idempotency-key")
    if purchase is not None and not (0 < len(purchase) <= 128 and purchase.isascii()):
        raise HTTPException(
            400, "expected an Idempotency-Key of 1 to 128 ASCII characters, got another; shorten it"
        )
    limits = service.limits
    most = limits.bytes if form == wire.NPY else limits.json
    body = await body_of(request, most, limits.seconds)
    try:
        what = account, body, form == wire.NPY, purchase
        told = await service.work(service.answer, *what, small=len(body) <= SMALL)
    except BudgetExhausted as error:
        spent = {"asked": error.asked, "left": error.left, "budget": error.budget}
        return _refusal(request, 402, str(error), spent)
    except Mismatch as error:
        raise HTTPException(422, str(error)) from error
    except WrongRows as error:
        raise HTTPException(400, str(error)) from error
    except Unpaid as error:
        raise HTTPException(503, str(error), {"Retry-After": "1"}) from error
    return Response(told, media_type=form)


async def model(request: Request) -> Response:
    """What the model is, and what this key has left."""
    return JSONResponse(request.app.state.service.model(account_of(request)))


async def metrics(request: Request) -> Response:
    """Counts, one line each."""
    service: Service = request.app.state.service
    return PlainTextResponse(await service.work(status.metrics, service.accounts, service.tally))


async def page(request: Request) -> Response:
    """The status page."""
    service: Service = request.app.state.service
    oracle = service.oracle
    rounded = "" if oracle.decimals is None else f" rounded to {oracle.decimals} decimals"
    facts = asdict(service.tally) | {"model": f"{oracle.output}{rounded} of {oracle.inputs} inputs"}
    return HTMLResponse(await service.work(status.page, service.accounts, facts))


async def refused(request: Request, error: HTTPException) -> Response:
    """Every refusal looks the same and is in the log."""
    return _refusal(request, error.status_code, error.detail, {}, error.headers)


async def broken(request: Request, error: Exception) -> Response:
    """A fault of the service or its victim: the log knows, the client is told nothing of it."""
    what = f"{type(error).__name__}: {error}"
    request.app.state.service.log(f"{request.method} {request.url.path} failed: {what}")
    return JSONResponse({"error": "the service failed; it has been logged"}, 500)


def _refusal(
    request: Request, code: int, why: str, more: dict[str, Any], headers: Any = None
) -> Response:
    request.app.state.service.tally.refused(code)
    request.app.state.service.log(f"{request.method} {request.url.path} refused with {code}: {why}")
    return JSONResponse({"error": why, **more}, code, headers)
