"""The key and the body of a request to the service, read without trust."""

import asyncio
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
    """

    bytes: int = 16 * 2**20
    json: int = 4 * 2**20
    rows: int = 8192
    seconds: float = 10.0
    waiting: int = 256


def account_of(request: Request) -> Account:
    """The account whose key the request shows, or 401."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        key = request.headers.get("x-api-key", "")
    account: Account | None = request.app.state.service.accounts.find(key.strip())
    if account is None:
        why, hint = "expected a valid key; send Authorization: Bearer KEY", "Bearer"
        raise HTTPException(401, why, {"WWW-Authenticate": hint})
    return account


async def body_of(request: Request, most: int, seconds: float) -> bytes:
    """The whole body, or 408 if it is slow, 413 if it is large, 400 if it breaks off."""
    too_large = HTTPException(413, f"expected at most {most:,} bytes; send fewer rows")
    claimed = request.headers.get("content-length", "0")
    if claimed.isdigit() and int(claimed[:18]) > most:
        raise too_large

    async def read() -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise too_large
        return bytes(body)

    try:
        return await asyncio.wait_for(read(), seconds)
    except asyncio.TimeoutError:
        why = f"expected the body within {seconds:g} s; send it at once"
        raise HTTPException(408, why) from None
    except ClientDisconnect:
        raise HTTPException(400, "expected a whole body, but it broke off; send it again") from None
