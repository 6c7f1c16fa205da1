"""The black box over HTTP: one model, many keys, each with its own budget and detector.

    POST /v1/predict   rows in, answers out: JSON {"inputs": [[...]]} -> {"outputs": [[...]]}, or
                       .npy -> .npy (Content-Type: application/x-npy), every bit of it
    GET  /v1/model     the model: shape, classes, output, decimals, limits; what this key has left
    GET  /metrics      counts for a monitoring system (the Prometheus text format)
    GET  /             a page for a person: budgets, distances of the queries, alarms

The two of /v1 want a key, `Authorization: Bearer KEY` or `X-API-Key: KEY`. The other two are for
whoever runs the service, and open: keep the port on localhost, as `serve` does by default.

A bad request ends in a 4xx with one sentence, {"error": ...}, and a line for the log; a fault of
the service ends in a 5xx:

    400 malformed   401 no or a wrong key   402 budget spent   408 too slow   413 too large
    415 neither JSON nor .npy   422 Idempotency-Key of other rows   429 too much for nothing
    500 the model or the service has a fault, such as a NaN: nothing is charged
    503 too busy, no room to write, or the model cannot be reached: come again

A request with `Idempotency-Key: NAME` is paid once however often it is sent, and gets the same
answer again, also after a restart: a client whose connection broke simply sends it again.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mstheft.errors import BudgetExhausted, Unreachable, VictimError, WrongRows
from mstheft.oracle import fingerprint
from mstheft.oracle.http import status, wire
from mstheft.oracle.http.accounts import Account, Accounts, Detector, Mismatch, Unpaid
from mstheft.oracle.http.requests import UNIT, Limits, Purses, account_of, body_of, claimed, form_of
from mstheft.oracle.oracle import Oracle
from mstheft.typing import Array

Log = Callable[[str], object]
SMALL = 16 * 2**10  # bytes of a body that are read and answered in well under a millisecond
REFUSALS: dict[type[Exception], int] = {
    **{BudgetExhausted: 402, Mismatch: 422, WrongRows: 400},
    **{VictimError: 500, Unpaid: 503, Unreachable: 503},
}
LATER = {"Retry-After": "1"}


class Batches(list[tuple[Array, Array]]):
    """What an oracle shows its monitors, until it is paid for: an unpaid batch may come again."""

    def observe(self, x: Array, labels: Array) -> None:
        """As of a monitor."""
        self.append((x, labels))


class Service:
    """The model, its accounts, and the one thread in which everything that costs is done.

    One thread needs no locks: the count, the budget, the detector and the file of the accounts see
    the requests in one order, while the loop goes on reading from slow clients.
    """

    def __init__(
        self,
        victim: object,
        accounts: Accounts,
        detector: Callable[[], Detector] | None,
        limits: Limits,
        log: Log,
        options: Mapping[str, Any],
    ):
        self.accounts, self.limits, self.log = accounts, limits, log
        self._oracles, self._batches = {}, Batches()
        for account in accounts:
            account.watch = detector() if detector is not None else None
            monitors = [self._batches] if detector is not None else []
            self._oracles[account.digest] = Oracle(victim, monitors=monitors, **options)
        self.oracle = Oracle(victim, **options)  # never queried: it knows shape and output
        self._fingerprint = fingerprint.victim(victim)
        self.dtype = np.dtype(self.oracle._dtype or np.float64).name
        self.tally, self.purses = status.Tally(), Purses(limits)
        shape, lists = self.oracle.shape, 1
        for size in reversed(shape[:-1]):
            lists = 1 + size * lists
        self._signs = {b"[": 1 + limits.rows * lists, b",": limits.rows * math.prod(shape) - 1}
        self._waiting = 0
        self._worker = ThreadPoolExecutor(1, "mstheft-service")

    async def work(
        self, function: Callable[..., Any], *arguments: object, small: bool = False
    ) -> Any:
        """Run in the one thread; refused when too many wait for it.

        A small job runs on the spot while that thread has nothing to do: to change threads takes
        longer. Nobody else can give it work meanwhile, so jobs still run one after the other.
        """
        if small and self._waiting == 0:
            return function(*arguments)
        if self._waiting >= self.limits.waiting:
            raise HTTPException(503, "too many requests at once; try again", LATER)
        loop = asyncio.get_running_loop()
        job = self._worker.submit(function, *arguments)
        self._waiting += 1
        # Not when the request ends: a client that gives up leaves the thread at work.
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        return await asyncio.wrap_future(job)

    def _done(self) -> None:
        self._waiting -= 1

    def answer(
        self, account: Account, body: bytes, npy: bool, purchase: str | None
    ) -> tuple[bytes, bool]:
        """From a body to a body, and was it paid just now? Raises `WrongRows` before it is."""
        before = account.count
        try:
            rows = wire.unpack(body) if npy else wire.read_json(body, self.oracle.shape)
        except ValueError as error:
            raise WrongRows(str(error)) from error
        rows = np.atleast_1d(rows)  # a single number is no row, and the oracle says so
        most, inputs = self.limits.rows, math.prod(self.oracle.shape)
        if len(rows) > most or rows.size > most * inputs:  # before a copy in the victim's dtype
            why = f"expected at most {most:,} rows of {inputs:,} numbers"
            raise HTTPException(413, f"{why}, got shape {rows.shape}; send fewer"[:300])
        self._batches.clear()
        query = self._oracles[account.digest].query
        answers = self.accounts.buy(account, rows, query, purchase)
        if account.watch is not None:
            for batch in self._batches:
                account.watch.observe(*batch)
        self.tally.answered(len(rows))
        return wire.pack(answers) if npy else wire.write_json(answers), account.count > before

    async def admit(self, request: Request) -> None:
        """Find who asks, and let them pay: `state` holds account, who and price."""
        account, npy = account_of(request), form_of(request) == wire.NPY
        most, times = (self.limits.bytes, 1) if npy else (self.limits.json, 4)
        price = UNIT + times * min(most, claimed(request, most))
        who = account.digest if account else request.client.host if request.client else ""
        await self.purses.take(who, price)
        request.state.account, request.state.who, request.state.price = account, who, price

    async def predict(self, request: Request) -> Response:
        """Rows in, answers out."""
        account = let_in(request)
        form = form_of(request)
        if form not in (wire.NPY, wire.JSON):
            raise HTTPException(415, f"expected Content-Type {wire.JSON} or {wire.NPY}; set it")
        purchase = request.headers.get("idempotency-key")
        if purchase is not None and not (0 < len(purchase) <= 128 and purchase.isascii()):
            raise HTTPException(400, "expected an Idempotency-Key of 1 to 128 ASCII characters")
        limits, is_npy = self.limits, form == wire.NPY
        most, signs = (limits.bytes, {}) if is_npy else (limits.json, self._signs)
        body = await body_of(request, most, limits.seconds, signs)
        small = len(body) <= SMALL
        answers, paid = await self.work(self.answer, account, body, is_npy, purchase, small=small)
        if paid:
            kept = 0 if is_npy or small else len(body)
            self.purses.give(request.state.who, request.state.price - kept)
        return Response(answers, media_type=form)

    async def model(self, request: Request) -> Response:
        """What the model is, and what this key has left."""
        account, oracle, limits = let_in(request), self.oracle, self.limits
        about = {
            "shape": list(oracle.shape),
            "classes": oracle.outputs and max(2, oracle.outputs),
            **{name: getattr(oracle, name) for name in ("outputs", "output", "decimals", "top")},
            **{"dtype": self.dtype, "fingerprint": self._fingerprint},
            "limits": {"rows": limits.rows, "bytes": limits.bytes},
            **{name: getattr(account, name) for name in ("budget", "count", "left")},
        }
        return JSONResponse(about)

    async def metrics(self, request: Request) -> Response:
        """Counts, one line each."""
        return PlainTextResponse(await self.work(status.metrics, self.accounts, self.tally))

    async def page(self, request: Request) -> Response:
        """The status page."""
        oracle = self.oracle
        rounded = "" if oracle.decimals is None else f" rounded to {oracle.decimals} decimals"
        facts = {"model": f"{oracle.output}{rounded} of {oracle.inputs} inputs"}
        facts = asdict(self.tally) | facts
        return HTMLResponse(await self.work(status.page, self.accounts, facts))

    def close(self) -> None:
        """Finish what is being answered and close the file."""
        self._worker.shutdown()
        self.accounts.close()


def application(
    victim: object,
    accounts: Accounts,
    *,
    detector: Callable[[], Detector] | None = None,
    limits: Limits | None = None,
    log: Log = lambda line: None,
    **options: Any,
) -> Starlette:
    """The service as an ASGI application, for uvicorn or for a test in the same process.

    victim, options : as of an `Oracle`: output=, decimals=, top=, gives=, inputs=, defences=.
        Budgets are those of the accounts
    detector : makes a monitor for each account, for instance `defend.prada.Detector`. It starts
        anew with each start of the service
    log : gets one line about each request that was refused
    """
    service = Service(victim, accounts, detector, limits or Limits(), log, options)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    routes = [
        Route("/v1/predict", service.predict, methods=["POST"]),
        Route("/v1/model", service.model),
        Route("/metrics", service.metrics),
        Route("/", service.page),
    ]
    handlers: Any = {HTTPException: refused, Exception: broken, **dict.fromkeys(REFUSALS, refused)}
    gate = [Middleware(Gate, service=service)]
    app = Starlette(False, routes, gate, exception_handlers=handlers, lifespan=lifespan)
    app.state.service = service
    return app


class Gate:
    """Around the application: whoever comes is known, and pays, before anything else is done."""

    def __init__(self, app: ASGIApp, service: Service):
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As of ASGI."""
        answer: ASGIApp = self.app
        if scope["type"] == "http":
            request = Request(scope, receive)
            try:
                await self.service.admit(request)
            except HTTPException as error:
                answer = await refused(request, error)
        await answer(scope, receive, send)


def let_in(request: Request) -> Account:
    """The account of a request that the gate has seen, or 401."""
    account: Account | None = request.state.account
    if account is None:
        why, hint = "expected a valid key; send Authorization: Bearer KEY", "Bearer"
        raise HTTPException(401, why, {"WWW-Authenticate": hint})
    return account


def line(request: Request, what: str) -> str:
    """For the log, without the line breaks and control signs that a client may send."""
    text = f"{request.method} {request.scope['path']} {what}"
    return text[:500].encode("unicode_escape").decode()


async def refused(request: Request, error: Exception) -> Response:
    """Every refusal has the same form, is counted and logged."""
    if isinstance(error, HTTPException):
        code, why, headers = error.status_code, error.detail, error.headers
    else:
        code = next(code for kind, code in REFUSALS.items() if isinstance(error, kind))
        why, headers = str(error), LATER if code == 503 else None
    more = {}
    if isinstance(error, BudgetExhausted):
        more = {"asked": error.asked, "left": error.left, "budget": error.budget}
    service: Service = request.app.state.service
    service.tally.refused(code)
    service.log(line(request, f"refused with {code}: {why}"))
    if code == 429 or claimed(request, 2**60) > service.limits.bytes:  # none of it is read
        headers = {**(headers or {}), "Connection": "close"}
    return JSONResponse({"error": why, **more}, code, headers)


async def broken(request: Request, error: Exception) -> Response:
    """A fault of the service or its victim: the details go to the log, not to the client."""
    why = f"{type(error).__name__}: {error}"
    request.app.state.service.log(line(request, f"failed: {why}"))
    return JSONResponse({"error": "the service failed; it has been logged"}, 500)
