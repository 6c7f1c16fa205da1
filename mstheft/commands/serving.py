"""`mstheft serve`: a model behind HTTP, with keys, budgets and detectors."""

from __future__ import annotations

import argparse
import contextlib
import secrets
from collections.abc import Callable
from logging import LogRecord, getLogger
from pathlib import Path
from typing import Any

from mstheft.arguments.values import whole
from mstheft.commands.shared import Desk, Wrong, arguments_of_user, defences_of
from mstheft.defend.prada import Detector
from mstheft.nn import Network

Key = tuple[str, str, "int | None"]  # name, key, budget


def run(args: argparse.Namespace, desk: Desk) -> int:
    """Serve until Ctrl-C. Counts are in a file: the next start goes on from them.

    Each refused request is a line on standard error; keys are in none.
    """
    try:
        from mstheft.oracle.http import server, service
        from mstheft.oracle.http.accounts import Accounts
    except ModuleNotFoundError as error:
        raise Wrong(f"serve needs {error.name}; pip install 'mstheft[service]'") from error
    with contextlib.ExitStack() as held, arguments_of_user():
        victim = Network.load(args.model)
        keys = _keys(args.keys, args.budget) if args.keys else [_new_key(args.budget)]
        # Chance that nobody can repeat: noise that is known can be subtracted.
        defences = defences_of(args.defence, victim, secrets.randbits(64))
        told = {"output": args.output, "decimals": args.decimals, "top": args.top}
        told["defences"] = defences
        listening = held.enter_context(server.listen(args.host, args.port))
        accounts = Accounts(args.accounts or args.model.with_suffix(".accounts.db"), keys)
        held.callback(accounts.close)
        log = (lambda line: None) if args.quiet else (lambda line: desk.fail(0, line))
        app = service.application(victim, accounts, detector=_detector(args), log=log, **told)
        held.pop_all()  # all is well: the server closes them
    if not args.keys:
        desk.say(f"key: {keys[0][1]}")
    for account in accounts:
        left = "no budget" if account.left is None else f"{account.left:,} left"
        desk.say(f"account {account.name}: {account.count:,} rows asked, {left}")
    desk.say(f"{args.output} of {args.model} at http://{args.host}:{args.port}/, Ctrl-C ends it")
    # A second Ctrl-C cancels what still runs, which uvicorn would report as an error.
    getLogger("uvicorn.error").addFilter(_no_cancelled)
    server.serve(app, listening)
    return 0


def _no_cancelled(record: LogRecord) -> bool:
    return "CancelledError" not in record.getMessage()


def _detector(args: argparse.Namespace) -> Callable[[], Any] | None:
    return (lambda: Detector(args.delta)) if args.detector == "prada" else None


def _new_key(budget: int | None) -> Key:
    return "default", secrets.token_urlsafe(18), budget


def _keys(path: Path, budget: int | None) -> list[Key]:
    """From a file with a line `NAME KEY` or `NAME KEY BUDGET` for each account.

    Empty lines, and those that begin with #, are skipped.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise Wrong(
            f"--keys {path}: expected text in UTF-8, got other bytes; save it so"
        ) from error
    except OSError as error:
        why = error.strerror or error
        raise Wrong(
            f"--keys {path}: expected a file, but there is none to read ({why}); name one"
        ) from error
    found: list[Key] = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                found.append(_account(line.split(), budget))
            except (ValueError, argparse.ArgumentTypeError) as error:
                raise Wrong(f"--keys {path}, line {number}: {error}; correct it") from error
    if not found:
        raise Wrong(f"--keys {path}: expected at least one line NAME KEY, got none; add one")
    return found


def _account(words: list[str], budget: int | None) -> Key:
    if len(words) not in (2, 3):
        raise ValueError(f"expected NAME KEY or NAME KEY BUDGET, got {len(words)} words")
    name, key, *own = words
    if not (key.isascii() and key.isprintable()):
        raise ValueError("expected a key of printable ASCII characters, which alone can be sent")
    return name, key, whole(0)(own[0]) if own else budget
