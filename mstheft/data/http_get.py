"""Asking a web server for a file, and telling what may pass from what will not."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from mstheft.errors import DataError

__all__ = ["Broken", "ask", "read"]

_TIMEOUT = 20.0  # seconds without a byte until a connection is given up
_MOST_REDIRECTS = 5
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that may be different next time


class Broken(Exception):
    """A connection failed in a way that may pass."""


def ask(address: str, headers: dict[str, str]) -> Any:
    """Send a GET request, and follow a few redirects to http or https, never from https to http.

    Returns the answer, whose status is 200, 206 or 416: a context manager with `.status`,
    `.headers`, and the body for `read`.
    Raises Broken if it may work next time, DataError if not.
    """
    _check_scheme(address)
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "mstheft", **headers})
        answer = _opener().open(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            return error
        error.close()
        if error.code in _PASSING:
            raise Broken(f"HTTP {error.code} {error.reason}") from error
        got = "redirects in a circle" if 300 <= error.code < 400 else f"HTTP {error.code}"
        raise DataError(
            f"{address}: expected the file, got {got}; look for its new address, or put it into "
            "the data folder by hand"
        ) from error
    except DataError:  # from a redirect
        raise
    except (ValueError, http.client.InvalidURL) as error:
        raise DataError(f"expected an address to fetch, got {address!r} ({error})") from error
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        raise Broken(_words(error)) from error
    if answer.status not in (200, 206):
        answer.close()
        raise Broken(f"HTTP {answer.status} {answer.reason}")
    return answer


def read(answer: Any, most: int) -> bytes:
    """Read what has come of the body, at most `most` bytes; b"" at its end.

    Raises Broken if the connection breaks, or nothing comes for a while.
    """
    try:
        return answer.read1(most)
    except (OSError, http.client.HTTPException) as error:
        raise Broken(_words(error)) from error


def _words(error: Exception) -> str:
    """Say what happened to a connection."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"nothing for {_TIMEOUT:g} seconds"
    words = " ".join(str(reason).split())[:100]
    return f"a broken connection ({words or type(reason).__name__})"


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow a few redirects, and judge each address before it is asked."""

    max_redirections = _MOST_REDIRECTS

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """Follow one redirect."""
        target = urllib.parse.urljoin(req.full_url, headers.get("location") or "")
        _check_scheme(target, secure=req.type == "https")
        code = 307 if code == 308 else code  # which Python 3.10 does not know
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _check_scheme(address: str, secure: bool = False) -> None:
    """Accept http and https, or only https where the way has been secure so far."""
    allowed = ("https",) if secure else ("http", "https")
    try:
        parts = urllib.parse.urlsplit(address)
        good = parts.scheme in allowed and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        raise DataError(
            f"expected an address with {' or '.join(allowed)}, got {address!r}, which is not asked"
        )


def _opener() -> urllib.request.OpenerDirector:
    """Build an opener that knows http and https, and neither files nor ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener
