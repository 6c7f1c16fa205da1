"""A port, and uvicorn behind it, which closes connections that keep it waiting or are too many."""

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.applications import Starlette

SECONDS = 10.0  # for the whole head of a request, and for taking in an answer
EACH, ALL = 128, 512  # connections of an address, and at all


class Connection(H11Protocol):
    """A connection without a request in progress is closed after SECONDS, whatever trickles in.

    Where there are too many, the one that has been without a request for longest makes room.
    """

    since: float
    timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Is there no request in progress?"""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for it."""
        super().connection_made(transport)
        self.wait()
        host = self.client and self.client[0]
        everyone: Any = self.connections
        mine = [each for each in everyone if each.client and each.client[0] == host]
        proxy = self.config.proxy_headers and host == self.config.forwarded_allow_ips
        for group, most in ((mine, ALL if proxy else EACH), (everyone, ALL)):
            if len(group) > most:
                oldest = min((each for each in group if each.idle), key=lambda each: each.since)
                everyone.discard(oldest)
                oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for."""
        super().connection_lost(exc)
        self.stop()

    def on_response_complete(self) -> None:
        """The next request may come."""
        self.wait()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self.wait()

    def wait(self) -> None:
        """From now on the client has SECONDS."""
        self.stop()
        self.since = self.loop.time()
        self.timer = self.loop.call_later(SECONDS, self.late)

    def stop(self) -> None:
        """It has as long as it takes."""
        if self.timer:
            self.timer.cancel()

    def late(self) -> None:
        """They are over."""
        if self.idle or self.flow.write_paused:
            self.transport.abort()


def listen(host: str = "127.0.0.1", port: int = 8000) -> socket.socket:
    """Take a port before the service starts; 0 takes any free one. Raises ValueError if none is."""
    # With the protocol named, asyncio sends small answers at once; else each waits 40 ms for an
    # acknowledgement (Nagle's algorithm).
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, os.name == "posix")
        taken.bind((host, port))
        taken.listen()
        return taken
    except (OSError, UnicodeError) as error:
        taken.close()
        why = getattr(error, "strerror", None) or "no such host"
        what = f"expected an address to listen at, but {host}, port {port}, cannot be had ({why})"
        raise ValueError(f"{what}; choose another port or host") from error


def serve(app: "Starlette", listening: socket.socket, proxy: str | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests that are being answered are finished first.

    app, listening : of `service.application` and of `listen`, which is closed at the end
    proxy : address of a reverse proxy, whose X-Forwarded-For is believed
    """
    quiet: Any = {"access_log": False, "log_level": "warning", "log_config": None}
    bounds: Any = {"limit_concurrency": 1024, "backlog": 128, "timeout_keep_alive": 5}
    known: Any = {"proxy_headers": proxy is not None, "forwarded_allow_ips": proxy or ""}
    config = Config(app, http=Connection, ws="none", **bounds, **known, **quiet)
    with listening, contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again
        Server(config).run(sockets=[listening])
