"""`mstheft serve`: a model behind HTTP, with keys, budgets and detectors."""

import argparse
import contextlib
import secrets
from logging import getLogger
from typing import Any

from mstheft.cli import options, victim
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.options import USUAL, Args, Parser, add, path, share, whole
from mstheft.defend.prada import Detector
from mstheft.nn import Network

Key = tuple[str, str, "int | None"]  # name, key, budget
OUTPUTS = ("logits", "log_probs", "probs", "top_k", "label")


def add_arguments(parser: Parser) -> None:
    """--victim FILE."""
    parser.set_defaults(run=run)
    add(parser, "model VICTIM", path, "the same as --victim VICTIM", nargs="?")
    add(parser, "--victim FILE", path, "written by mstheft train or Network.save")
    add(parser, "--output", OUTPUTS, USUAL, default="probs")
    add(parser, "--decimals N", whole(0), "to which answers are rounded")
    add(parser, "--top N", whole(1), "how many probabilities top_k tells")
    victim.add_options(parser, "defence")
    add(parser, "--budget N", whole(0), "rows for each key that names no other")
    add(parser, "--detector", ("prada", "none"), USUAL, default="prada")
    add(parser, "--delta D", share, f"alarm below {USUAL}", default=0.9)
    add(parser, "--keys FILE", path, "lines NAME KEY [BUDGET] (default: a new key)")
    add(parser, "--accounts FILE", path, "counts (default: VICTIM.accounts.db)")
    add(parser, "--host HOST", str, USUAL, default="127.0.0.1")
    add(parser, "--port N", whole(1, 65535), USUAL, default=8000)
    add(parser, "--proxy ADDRESS", str, "of a reverse proxy: its X-Forwarded-For is believed")
    options.add_results(parser, json=False)


def run(args: Args, console: Console) -> int:
    """Serve until Ctrl-C. Counts are in a file: the next start goes on from them.

    Each refused request is a line on standard error; keys are in none.
    """
    try:
        from mstheft.oracle.http import server, service
        from mstheft.oracle.http.accounts import Accounts
    except ModuleNotFoundError as error:
        raise UsageError(f"serve needs {error.name}; pip install 'mstheft[service]'") from error
    with contextlib.ExitStack() as held, usage_errors():
        named = [at for at in (args.victim, args.model) if at]
        if len(named) != 1:
            raise UsageError(f"expected one victim, --victim FILE, got {len(named)}; name it")
        at = named[0]
        network = Network.load(at)
        keys = _keys(args)
        # chance that nobody can repeat: noise that is known can be subtracted
        defences = victim.defences_of(args.defence, network, secrets.randbits(64))
        watch = (lambda: Detector(args.delta)) if args.detector == "prada" else None
        settings = {"output": args.output, "decimals": args.decimals, "top": args.top}
        listening = held.enter_context(server.listen(args.host, args.port))
        accounts = Accounts(args.accounts or at.with_suffix(".accounts.db"), keys)
        held.callback(accounts.close)
        log = (lambda line: None) if args.quiet else (lambda line: console.fail(0, line))
        more: dict[str, Any] = {"defences": defences, "detector": watch, "log": log}
        app = service.application(network, accounts, **settings, **more)
        held.pop_all()  # all is well: the server closes them
    if not args.keys:
        console.say(f"key: {keys[0][1]}")
    for account in accounts:
        left = "no budget" if account.left is None else f"{account.left:,} left"
        console.say(f"account {account.name}: {account.count:,} rows asked, {left}")
    console.say(f"{args.output} of {at} at http://{args.host}:{args.port}/, Ctrl-C ends it")
    # A second Ctrl-C cancels what still runs, which uvicorn would report as an error.
    getLogger("uvicorn.error").addFilter(lambda line: "CancelledError" not in line.getMessage())
    server.serve(app, listening, args.proxy)
    return 0


def _keys(args: Args) -> list[Key]:
    """A new key; or those of a file, a line `NAME KEY` or `NAME KEY BUDGET` for each account.

    Empty lines, and those that begin with #, are skipped.
    """
    if not args.keys:
        return [("default", secrets.token_urlsafe(18), args.budget)]
    try:
        lines = args.keys.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        what = "expected text in UTF-8, got other bytes; save it so"
        raise UsageError(f"--keys {args.keys}: {what}") from error
    except OSError as error:
        what = f"expected a file, but there is none to read ({error.strerror or error})"
        raise UsageError(f"--keys {args.keys}: {what}; name one") from error
    accounts: list[Key] = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                accounts.append(_account(line.split(), args.budget))
            except (ValueError, argparse.ArgumentTypeError) as error:
                where = f"--keys {args.keys}, line {number}"
                raise UsageError(f"{where}: {error}; correct it") from error
    if not accounts:
        what = "expected at least one line NAME KEY, got none; add one"
        raise UsageError(f"--keys {args.keys}: {what}")
    return accounts


def _account(words: list[str], budget: int | None) -> Key:
    if len(words) not in (2, 3):
        raise ValueError(f"expected NAME KEY or NAME KEY BUDGET, got {len(words)} words")
    name, key, *own = words
    if not (key.isascii() and key.isprintable()):
        raise ValueError("expected a key of printable ASCII characters, which alone can be sent")
    return name, key, whole(0)(own[0]) if own else budget
