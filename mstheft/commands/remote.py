"""A victim behind a service: `--victim http://localhost:8000 --key KEY`."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any

from mstheft.arguments.values import is_url
from mstheft.commands.shared import Wrong
from mstheft.errors import BudgetExhausted

TOLD = ("label", "probs", "log_probs", "logits")  # each can be had of those after it
FIRST, LATER = 3, 10  # tries again: a wrong URL is soon told, a service may take 18 s to restart


def opened(url: str, args: argparse.Namespace, output: str) -> Any:
    """The client of the service there, an `oracle.client.HttpVictim`; with the key of --key.

    output : what the oracle over it is to tell
    """
    if args.key is None:
        raise Wrong(f"{url}: expected --key KEY with a URL; mstheft serve tells one")
    try:
        from mstheft.oracle.http.client import HttpVictim
    except ModuleNotFoundError as error:
        raise Wrong(f"a URL needs {error.name}; pip install 'mstheft[service]'") from error
    victim = HttpVictim(url, args.key, retries=FIRST)
    victim.retries = LATER
    gives = {"labels": "label"}.get(victim.gives, victim.gives)
    if TOLD.index(output) > TOLD.index(gives):
        victim.close()
        exact_from_labels = gives == "label" and args.command == "steal"
        less = "" if exact_from_labels else f"pass --output {gives}, or "
        raise Wrong(
            f"expected {output} of {url}, which tells {gives}; {less}serve --output {output}"
        )
    return victim


def spent(error: BudgetExhausted, url: str) -> str:
    """A budget that only the owner of the service can raise, in words."""
    return (
        f"this key's budget at {url} is spent: the next batch has {error.asked:,} rows and "
        f"{error.left:,} of {error.budget:,} are left; ask whoever serves it for more"
    )


def check(place: Any, args: argparse.Namespace) -> None:
    """A key is for a URL, and what the oracle in this process would do is not for one."""
    if is_url(place):
        if args.defence:
            raise Wrong("--defence is for a victim in this process; give it to mstheft serve")
        for option in ("plot", "log"):
            if getattr(args, option, None):
                raise Wrong(
                    f"--{option} needs the victim itself, which a service does not show; leave it "
                    "out"
                )
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
