"""The key, the price and the body of a request to the service, read without trust."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from mstheft.oracle.http.accounts import Account


@dataclass(frozen=True)
class Limits:
    """What one request may cost the service.

    bytes : in an .npy body; json : bytes in a JSON body, which takes many times its size in memory
    rows : in a body
    seconds : until the whole body is there
    waiting : requests in line; more are sent away with 503
    purse, income : bytes that a key, or an address without one, may send for nothing at once, and
        in each second: see `Purses`
    """

    bytes: int = 16 * 2**20
    json: int = 4 * 2**20
    rows: int = 8192
    seconds: float = 10.0
    waiting: int = 256
    purse: int = 24 * 2**20
    income: int = 2 * 2**20


UNIT = 8 * 2**10  # bytes; what a request costs besides those of its body


class Purses:
    """A token bucket for each key, and for each address without one: refusals have a price too.

    A request is paid with UNIT and the bytes of its body, those of JSON four times, before they are
    read, and waits while its purse is short. If rows are answered, and paid for by a budget, the
    price is given back, but for the bytes of JSON that is not small.
    """

    def __init__(self, limits: Limits):
        self.limits, self._line = limits, 0
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()  # bytes, at which time

    def give(self, who: str, more: float) -> float:
        """What somebody holds after `more` bytes."""
        now, full = time.monotonic(), self.limits.purse
        held, then = self._held.pop(who, (full, now))
        held = min(full, held + (now - then) * self.limits.income + more)
        self._held[who] = held, now
        if len(self._held) > 4096:  # whoever was away for longest has a full one again
            self._held.popitem(last=False)
        return held

    async def take(self, who: str, price: int) -> None:
        """Pay, at once or in some seconds, or 429."""
        until = time.monotonic() + self.limits.seconds
        while self.give(who, 0) < price:
            if self._line >= self.limits.waiting or time.monotonic() > until:
                why = "too much that was refused, or too much JSON; wait, or send .npy"
                raise HTTPException(429, why, {"Retry-After": "5"})
            self._line += 1
            try:
                await asyncio.sleep(0.1)
            finally:
                self._line -= 1
        self.give(who, -price)


def account_of(request: Request) -> Account | None:
    """The account whose key the request shows."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        key = request.headers.get("x-api-key", "")
    account: Account | None = request.app.state.service.accounts.find(key.strip())
    return account


def form_of(request: Request) -> str:
    """The media type of the body."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def claimed(request: Request, most: int) -> int:
    """Bytes that the body will have; `most` where that is not said."""
    if "transfer-encoding" in request.headers:
        return most
    length = request.headers.get("content-length", "")
    return int(length[:18]) if length.isdecimal() else 0


async def body_of(request: Request, most: int, seconds: float, signs: Mapping[bytes, int]) -> bytes:
    """The whole body, or 408 if it is slow, 413 if it is large, 400 if it breaks off.

    signs : how often each may come in it
    """
    too_large = HTTPException(413, f"expected at most {most:,} bytes; send fewer rows")
    if claimed(request, 0) > most:
        raise too_large

    async def read() -> bytes:
        body, left = bytearray(), dict(signs)
        async for chunk in request.stream():
            body += chunk
            for sign in left:
                left[sign] -= chunk.count(sign)
            if len(body) > most:
                raise too_large
            if min(left.values(), default=0) < 0:
                raise HTTPException(413, "expected fewer brackets and numbers; send fewer rows")
        return bytes(body)

    try:
        return await asyncio.wait_for(read(), seconds)
    except asyncio.TimeoutError:
        why = f"expected the body within {seconds:g} s; send it at once"
        raise HTTPException(408, why) from None
    except ClientDisconnect:
        raise HTTPException(400, "expected a whole body, but it broke off; send it again") from None
