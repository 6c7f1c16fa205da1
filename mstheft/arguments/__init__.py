"""The arguments of the command line: what may be said, and how a wrong word is answered.

A further `mstheft steal KIND` is one more function in `stealing`; a further command one more in
`others`, with a function of that name in `cli.COMMANDS`.
"""

from __future__ import annotations

import argparse
from importlib import metadata
from typing import Any, NoReturn

from mstheft.arguments.course import add_learn
from mstheft.arguments.evading import add_arena, add_evade
from mstheft.arguments.others import (
    add_data,
    add_detect,
    add_grid,
    add_study,
    add_tour,
    add_train,
    add_vectors,
)
from mstheft.arguments.serving import add_serve
from mstheft.arguments.stealing import add_steal

EXAMPLES = """examples:
  mstheft tour                                     steal small victims and read how it went
  mstheft steal logistic --dim 20
  mstheft steal softmax --dim 20 --classes 5
  mstheft steal label --dim 20                     from labels alone
  mstheft steal relu --shape 784-64-10             one hidden layer, in four steps
  mstheft steal relu --data mnist --hidden 128 --plot out/
  mstheft steal sweep --shape 784-128-10           the same in 30 times fewer queries
  mstheft steal smooth --shape 100-16-10 --activation sigmoid
  mstheft steal deep --shape 784-32-16-10          two hidden layers
  mstheft steal deep --data mnist --hidden 64-32 --save copy.npz
  mstheft study precision                          how much rounding stops which attack
  mstheft steal relu --model victim.npz --budget 300000 --json report.json --save copy.npz
  mstheft train cnn --data cifar10 --blocks 2 --epochs 5 --save victim.npz
  mstheft steal active --data glyphs --strategy k-center --budget 1000
  mstheft steal active --data cifar10 --victim victim.npz --strategy dfal+k-center --log q.npz
  mstheft detect prada --log q.npz
  mstheft evade spam --budget 500 --edits 10       past a filter, with its copy
  mstheft arena attacks.toml --out results/        attacks against defences
  mstheft grid experiment.toml --out results/
  mstheft steal sweep --shape 784-64-10 --journal run.db    goes on from it after a crash
  mstheft serve victim.npz --output probs --decimals 4 --budget 20000 --detector prada
  mstheft steal relu --victim http://localhost:8000 --key KEY --output probs --journal run.db
  mstheft data list
  mstheft vectors check my_code:softmax            known answers for your own functions
  mstheft learn                                    the course: where you are, what is next

Steal only models that are yours or that you may test."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def __init__(self, **settings: Any):
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(**{"allow_abbrev": False, "formatter_class": raw, **settings})

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def build() -> argparse.ArgumentParser:
    """The parser of `mstheft`; `args.command` names what `cli` shall run."""
    parser = _Parser(prog="mstheft", description="Model theft, explained by doing it.")
    parser.epilog = EXAMPLES
    parser.add_argument("--version", action="version", version=f"mstheft {version()}")
    parser.set_defaults(command="help", usage=parser.format_help, quiet=False)
    commands = parser.add_subparsers(metavar="COMMAND")
    add_steal(commands)
    add_tour(commands)
    add_train(commands)
    add_data(commands)
    add_detect(commands)
    add_evade(commands)
    add_arena(commands)
    add_grid(commands)
    add_study(commands)
    add_serve(commands)
    add_vectors(commands)
    add_learn(commands)
    return parser


def version() -> str:
    """The installed version."""
    try:
        return metadata.version("mstheft")
    except metadata.PackageNotFoundError:
        return "(not installed)"
