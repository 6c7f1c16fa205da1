"""A victim behind a service: `--victim http://localhost:8000 --key KEY`."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any

from mstheft.arguments.values import is_url
from mstheft.commands.shared import Wrong

FIRST, LATER = 3, 10  # tries again: a wrong URL is soon told, a service may take 18 s to restart


def opened(url: str, args: argparse.Namespace) -> Any:
    """The client of the service there, an `oracle.client.HttpVictim`; with the key of --key."""
    if args.key is None:
        raise Wrong(f"--victim {url}: expected --key KEY with a URL; mstheft serve tells one")
    for option in ("plot", "log"):
        if getattr(args, option, None):
            raise Wrong(
                f"--{option} needs the victim itself, which a service does not show; leave it out"
            )
    try:
        from mstheft.oracle.client import HttpVictim
    except ModuleNotFoundError as error:
        raise Wrong(f"a URL needs {error.name}; pip install 'mstheft[service]'") from error
    victim = HttpVictim(url, args.key, retries=FIRST)
    victim.retries = LATER
    return victim


def check(place: Any, args: argparse.Namespace) -> None:
    """A key is for a URL, and what the oracle in this process would do is not for one."""
    if is_url(place):
        if args.defence:
            raise Wrong("--defence is for a victim in this process; give it to mstheft serve")
    elif args.key is not None:
        raise Wrong("--key goes with --victim URL; leave it out")


@contextlib.contextmanager
def closing(victim: Any) -> Iterator[None]:
    """Close the connections of a client at the end; a network has none."""
    try:
        yield
    finally:
        if hasattr(victim, "close"):
            victim.close()
