"""A port, and uvicorn behind it."""

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.applications import Starlette


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


def serve(app: "Starlette", listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; requests that are being answered are finished first.

    app, listening : of `service.application` and of `listen`, which is closed at the end
    """
    import uvicorn

    quiet: Any = {"access_log": False, "log_level": "warning", "log_config": None}
    config = uvicorn.Config(app, limit_concurrency=1024, **quiet)
    with listening, contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again
        uvicorn.Server(config).run(sockets=[listening])
