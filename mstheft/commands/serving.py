"""`mstheft serve`: a model behind HTTP, with keys, budgets and detectors."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mstheft.commands.shared import Desk, Wrong, arguments_of_user
from mstheft.defend.prada import Detector
from mstheft.nn import Network

Key = tuple[str, str, "int | None"]  # name, key, budget


def run(args: argparse.Namespace, desk: Desk) -> int:
    """Serve until Ctrl-C. Counts are in a file: the next start goes on from them.

    Each refused request is a line on standard error; keys are in none.
    """
    try:
        from mstheft.oracle import service
        from mstheft.oracle.accounts import Accounts
    except ModuleNotFoundError as error:
        raise Wrong(f"serve needs {error.name}; pip install 'mstheft[service]'") from error
    with arguments_of_user():
        victim = Network.load(args.model)
        keys = _keys(args.keys, args.budget) if args.keys else [_new_key(args.budget)]
        told = {"output": args.output, "decimals": args.decimals, "top": args.top}
        accounts = Accounts(args.accounts or args.model.with_suffix(".accounts.db"), keys)
        log = (lambda line: None) if args.quiet else (lambda line: desk.fail(0, line))
        app = service.application(victim, accounts, detector=_detector(args), log=log, **told)
    if not args.keys:
        desk.say(f"key: {keys[0][1]}")
    for account in accounts:
        left = "no budget" if account.left is None else f"{account.left:,} left"
        desk.say(f"account {account.name}: {account.count:,} rows asked, {left}")
    desk.say(f"{args.output} of {args.model} at http://{args.host}:{args.port}/, Ctrl-C ends it")
    service.serve(app, args.host, args.port)
    return 0


def _detector(args: argparse.Namespace) -> Callable[[], Any] | None:
    return (lambda: Detector(args.delta)) if args.detector == "prada" else None


def _new_key(budget: int | None) -> Key:
    return "default", secrets.token_urlsafe(18), budget


def _keys(path: Path, budget: int | None) -> list[Key]:
    """From a file with a line `NAME KEY` or `NAME KEY BUDGET` for each account."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for line in lines:
        if len(line) not in (2, 3) or not all(
            word.isascii() and word.isdigit() for word in line[2:]
        ):
            raise Wrong(f"--keys {path}: expected lines NAME KEY or NAME KEY BUDGET; correct it")
    if not lines:
        raise Wrong(f"--keys {path}: expected at least one line NAME KEY, got none; add one")
    return [(name, key, int(own[0]) if own else budget) for name, key, *own in lines]
