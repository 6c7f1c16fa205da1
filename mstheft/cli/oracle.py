"""The oracle between victim and attack: what it tells, budget, decimals, defence, journal."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any

from mstheft.cli.console import Console, usage_errors
from mstheft.cli.values import path, whole
from mstheft.cli.victim import closing
from mstheft.defend import named
from mstheft.nn import Network
from mstheft.oracle import Oracle, fingerprint
from mstheft.typing import Rng

EXACT = ("logits", "log_probs", "probs")  # what exact attacks on numbers take


def add_answers(parser: Any, usual: str) -> None:
    """--output and --decimals of the attacks that read numbers."""
    words = "what it tells (default: %(default)s)"
    parser.add_argument("--output", choices=EXACT, default=usual, help=words)
    parser.add_argument("--decimals", type=whole(0), metavar="N", help="to which it rounds")


def add_defence(parser: Any) -> None:
    """--defence."""
    words = f"changes answers: {named.FORMS}; several with commas"
    parser.add_argument("--defence", metavar="WORDS", help=words)


def add_journal(parser: Any) -> None:
    """--journal."""
    words = "keeps every answer; a run that was killed goes on from it"
    parser.add_argument("--journal", type=path, metavar="FILE", help=words)


def defences_of(words: str | None, victim: Network, rng: Rng) -> list[Any]:
    """The defences that --defence names, for an oracle over this victim."""
    if words is None:
        return []
    return named.named(words, inputs=victim.inputs, classes=max(2, victim.outputs), rng=rng)


@contextlib.contextmanager
def opened(
    args: argparse.Namespace,
    console: Console,
    victim: Any,
    about: dict[str, Any],
    *,
    chance: int = 0,
    **settings: Any,
) -> Iterator[Oracle]:
    """An oracle over a victim, with the journal and the defence that are asked for.

    victim : a Network, or the client of a service, which is closed at the end
    about : what tells this run from others in the journal
    chance : tells the random numbers of the defence from others of the same seed
    settings : of `Oracle`
    """
    with closing(victim), contextlib.ExitStack() as held:
        journal = None
        with usage_errors():
            if args.journal:
                from mstheft.oracle.http.journal import Journal

                journal = Journal(args.journal, {**about, "victim": fingerprint.victim(victim)})
                held.enter_context(journal)
            words = getattr(args, "defence", None)
            defences = defences_of(words, victim, [args.seed, chance])
            oracle = Oracle(victim, defences=defences, journal=journal, **settings)
        yield oracle
        if journal:
            told = f"{journal.replayed:,} rows told again at no cost, {journal.paid:,} asked"
            console.say(f"journal: {told}\n")
