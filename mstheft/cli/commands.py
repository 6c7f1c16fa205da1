"""The table of commands. A further one is a line here, and a file of its name beside this one."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from mstheft.cli.console import Console, UsageError
from mstheft.cli.parser import Parser

GROUPS = {
    "attack": {
        "steal": "steal one model and judge the copy",
        "evade": "steal a filter, and get past it with the copy",
    },
    "defend and detect": {
        "serve": "a model behind HTTP, for others to ask",
        "detect": "would these queries have been noticed?",
        "arena": "attacks against defences and detectors, resumable",
    },
    "victims and data": {
        "train": "train a victim and keep it",
        "data": "real data sets: list, fetch, verify, where",
    },
    "study": {
        "grid": "an experiment of many attacks, resumable",
        "study": "measure the attacks under changed conditions",
        "vectors": "known answers, to hold any code against",
    },
    "course": {
        "tour": "steal small victims and write a page about it",
        "learn": "the course: lessons, exercises, hints, grades",
    },
}
EXAMPLES = """examples:
  mstheft tour
  mstheft steal relu --shape 784-64-10
  mstheft steal deep --data mnist --hidden 64-32 --save copy.npz
  mstheft steal active --victim victim.npz --data cifar10 --strategy k-center --budget 1000
  mstheft steal sweep --victim http://localhost:8000 --key KEY --journal run.db

`mstheft COMMAND --help` tells more. Steal only models that are yours or that you may test."""
SHELLS = ("bash", "zsh", "tcsh")


class _TopParser(Parser):
    """The parser of `mstheft`, whose help shows the commands in their groups."""

    def format_help(self) -> str:
        """Usage, commands, options, examples."""
        groups = [
            f"{title}:\n" + "\n".join(f"  {name:<9}{what}" for name, what in commands.items())
            for title, commands in GROUPS.items()
        ]
        options = self._get_formatter()
        options.start_section("options")
        options.add_arguments(self._optionals._group_actions)
        options.end_section()
        parts = [self.format_usage().strip(), str(self.description), *groups]
        return "\n\n".join([*parts, options.format_help().strip(), EXAMPLES, ""])


def parser_for(words: Sequence[str]) -> Parser:
    """The parser of `mstheft`; only the command among the words is loaded with its arguments."""
    return build(next((word for word in words if not word.startswith("-")), ""))


def build(only: str | None = None) -> Parser:
    """The parser of `mstheft` with the arguments of every command, or of one alone."""
    parser = _TopParser(prog="mstheft", usage="mstheft [-h] [-V] COMMAND ...")
    parser.description = "Model theft, explained by doing it."
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version")
    add, words = parser.add_argument, "for bash, zsh or tcsh: what completes commands and options"
    add("--print-completion", choices=SHELLS, action=_Completion, metavar="SHELL", help=words)
    parser.set_defaults(run=_help, usage=parser.format_help, quiet=False, json=None)
    commands = parser.add_subparsers(metavar="COMMAND", prog="mstheft", parser_class=Parser)
    for name, what in (pair for group in GROUPS.values() for pair in group.items()):
        command = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        if only in (None, name):
            importlib.import_module(f"mstheft.cli.{name}").add_arguments(command)
    return parser


def version() -> str:
    """The installed version."""
    try:
        return metadata.version("mstheft")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def completion(shell: str) -> str:
    """The script for a shell; file names are completed where files are meant."""
    try:
        import shtab
    except ModuleNotFoundError as error:
        raise UsageError("completion needs shtab; pip install 'mstheft[completion]'") from error
    parser = build()
    for action in _actions(parser):
        if action.metavar in ("FILE", "DIR", "FILE|URL"):
            action.complete = shtab.DIR if action.metavar == "DIR" else shtab.FILE  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell))


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The arguments of a parser and of all below it."""
    found = list(parser._actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                found += _actions(each)
    return found


class _Version(argparse.Action):
    def __call__(self, parser: Any, *rest: Any) -> None:
        print(f"mstheft {version()}")
        parser.exit()


class _Completion(argparse.Action):
    def __call__(self, parser: Any, args: Any, shell: Any, *rest: Any) -> None:
        print(completion(shell))
        parser.exit()


def _help(args: argparse.Namespace, console: Console) -> int:
    console.say(args.usage().rstrip("\n"))
    return 0
