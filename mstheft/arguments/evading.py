"""The arguments of `mstheft evade` and `mstheft arena`: what a theft is good for, and against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mstheft.arguments.values import add_common, url, whole
from mstheft.learning import strategies


def add_evade(commands: Any) -> None:
    """mstheft evade spam | malware."""
    evade = commands.add_parser("evade", help="steal a filter, and get past it with the copy")
    kinds = evade.add_subparsers(metavar="KIND", dest="kind", required=True)
    spam = kinds.add_parser("spam", help="messages are changed word by word")
    malware = kinds.add_parser("malware", help="features are added to programs, none removed")
    spam.add_argument("--data", choices=("spam", "mr"), help="(default: spam)")
    spam.add_argument("--pool", choices=("spam", "topics", "wikitext-2"), help="the thief's texts")
    for parser in (spam, malware):
        parser.set_defaults(command="evade", save=None, model=None)
        add = parser.add_argument
        add("--victim", type=Path, dest="victim_file", metavar="FILE", help="by mstheft train")
        words = "ask the filter of --victim here, where mstheft serve has it"
        add("--url", type=url, metavar="URL", help=words)
        add("--key", metavar="KEY", help="of the account there")
        words = "keeps every answer; a run that was killed goes on from it"
        add("--journal", type=Path, metavar="FILE", help=words)
        add("--output", choices=("probs", "label"), help="(default: probs; label for malware)")
        add("--copy", metavar="KIND", help="text-bag, text-cnn, text-gru; mlp-64, softmax")
        add("--strategy", choices=strategies.STRATEGIES, help="(default: k-center)")
        add("--budget", type=whole(10), metavar="N", help="queries of the theft (default: 500)")
        add("--rounds", type=whole(1), metavar="N", help="of the theft (default: 5)")
        add("--edits", type=whole(1), metavar="N", help="of each message (default: 10)")
        add("--messages", type=whole(1), metavar="N", help="that are changed (default: 100)")
        add("--json", type=Path, metavar="FILE", help="everything that is printed, and more")
        add("--plot", type=Path, metavar="DIR", help="share that passes against edits, .png")
        add_common(parser)


def add_arena(commands: Any) -> None:
    """mstheft arena FILE."""
    parser = commands.add_parser("arena", help="attacks against defences and detectors, resumable")
    parser.set_defaults(command="arena")
    add = parser.add_argument
    add("arena", type=Path, metavar="FILE", help="TOML: victim, attacks, defences, detectors")
    out = Path("mstheft-arena")
    add("--out", type=Path, default=out, metavar="DIR", help="(default: %(default)s)")
    add("--workers", type=whole(1), default=1, metavar="N", help="processes (default: 1)")
    add("--quiet", action="store_true", help="say only what went wrong")
