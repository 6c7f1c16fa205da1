"""`mstheft serve`: a model behind HTTP, with keys, budgets and detectors."""

from __future__ import annotations

import argparse
import contextlib
import secrets
from logging import LogRecord, getLogger
from pathlib import Path
from typing import Any

from mstheft.cli import options, oracle
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.values import path, share, whole
from mstheft.defend.prada import Detector
from mstheft.nn import Network

Key = tuple[str, str, "int | None"]  # name, key, budget


OUTPUTS = ("logits", "log_probs", "probs", "top_k", "label")

# ---- arguments


def add_arguments(parser: Any) -> None:
    """--victim FILE."""
    parser.set_defaults(run=run)
    add, usual = parser.add_argument, "(default: %(default)s)"
    add("model", nargs="?", type=path, metavar="VICTIM", help="the same as --victim VICTIM")
    add("--victim", type=path, metavar="FILE", help="written by mstheft train or Network.save")
    add("--output", choices=OUTPUTS, default="probs", help=usual)
    add("--decimals", type=whole(0), metavar="N", help="to which answers are rounded")
    add("--top", type=whole(1), metavar="N", help="how many probabilities top_k tells")
    oracle.add_defence(parser)
    add("--budget", type=whole(0), metavar="N", help="rows for each key that names no other")
    add("--detector", choices=("prada", "none"), default="prada", help=usual)
    add("--delta", type=share, default=0.9, metavar="D", help="alarm below (default: 0.9)")
    add("--keys", type=path, metavar="FILE", help="lines NAME KEY [BUDGET] (default: a new key)")
    add("--accounts", type=path, metavar="FILE", help="counts (default: VICTIM.accounts.db)")
    add("--host", default="127.0.0.1", help=usual)
    add("--port", type=whole(1, 65535), default=8000, metavar="N", help=usual)
    options.add_results(parser, json=False)


# ---- what it does


def run(args: argparse.Namespace, console: Console) -> int:
    """Serve until Ctrl-C. Counts are in a file: the next start goes on from them.

    Each refused request is a line on standard error; keys are in none.
    """
    try:
        from mstheft.oracle.http import server, service
        from mstheft.oracle.http.accounts import Accounts
    except ModuleNotFoundError as error:
        raise UsageError(f"serve needs {error.name}; pip install 'mstheft[service]'") from error
    with contextlib.ExitStack() as held, usage_errors():
        at = _victim(args)
        network = Network.load(at)
        keys = _keys(args.keys, args.budget) if args.keys else [_new_key(args.budget)]
        settings = _settings(args, network)
        listening = held.enter_context(server.listen(args.host, args.port))
        accounts = Accounts(args.accounts or at.with_suffix(".accounts.db"), keys)
        held.callback(accounts.close)
        log = (lambda line: None) if args.quiet else (lambda line: console.fail(0, line))
        app = service.application(network, accounts, log=log, **settings)
        held.pop_all()  # all is well: the server closes them
    if not args.keys:
        console.say(f"key: {keys[0][1]}")
    for account in accounts:
        left = "no budget" if account.left is None else f"{account.left:,} left"
        console.say(f"account {account.name}: {account.count:,} rows asked, {left}")
    console.say(f"{args.output} of {at} at http://{args.host}:{args.port}/, Ctrl-C ends it")
    # A second Ctrl-C cancels what still runs, which uvicorn would report as an error.
    getLogger("uvicorn.error").addFilter(_no_cancelled)
    server.serve(app, listening)
    return 0


def _victim(args: argparse.Namespace) -> Path:
    named = [at for at in (args.victim, args.model) if at]
    if len(named) != 1:
        raise UsageError(f"expected one victim, --victim FILE, got {len(named)}; name it")
    return named[0]


def _settings(args: argparse.Namespace, network: Network) -> dict[str, Any]:
    """Of the service. Chance that nobody can repeat: noise that is known can be subtracted."""
    defences = oracle.defences_of(args.defence, network, secrets.randbits(64))
    watch = (lambda: Detector(args.delta)) if args.detector == "prada" else None
    answers = {"output": args.output, "decimals": args.decimals, "top": args.top}
    return {**answers, "defences": defences, "detector": watch}


def _no_cancelled(record: LogRecord) -> bool:
    return "CancelledError" not in record.getMessage()


def _new_key(budget: int | None) -> Key:
    return "default", secrets.token_urlsafe(18), budget


def _keys(path: Path, budget: int | None) -> list[Key]:
    """From a file with a line `NAME KEY` or `NAME KEY BUDGET` for each account.

    Empty lines, and those that begin with #, are skipped.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"--keys {path}: expected text in UTF-8, got other bytes; save it so"
        ) from error
    except OSError as error:
        why = error.strerror or error
        raise UsageError(
            f"--keys {path}: expected a file, but there is none to read ({why}); name one"
        ) from error
    found: list[Key] = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                found.append(_account(line.split(), budget))
            except (ValueError, argparse.ArgumentTypeError) as error:
                raise UsageError(f"--keys {path}, line {number}: {error}; correct it") from error
    if not found:
        raise UsageError(f"--keys {path}: expected at least one line NAME KEY, got none; add one")
    return found


def _account(words: list[str], budget: int | None) -> Key:
    if len(words) not in (2, 3):
        raise ValueError(f"expected NAME KEY or NAME KEY BUDGET, got {len(words)} words")
    name, key, *own = words
    if not (key.isascii() and key.isprintable()):
        raise ValueError("expected a key of printable ASCII characters, which alone can be sent")
    return name, key, whole(0)(own[0]) if own else budget
