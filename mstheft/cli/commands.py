"""The table of commands. A further one is a line here, and a file of its name beside this one."""

import argparse
import importlib
from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Any

from mstheft.cli.console import Console, UsageError
from mstheft.cli.options import Args, Parser

GROUPS = {
    "attack": {
        "steal": "steal one model and judge the copy",
        "polish": "fit a rough copy to a log of answers, down to their noise",
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
  mstheft steal active --victim victim.npz --data cifar10 --log q.npz --save copy.npz
  mstheft polish copy.npz --log q.npz --save polished.npz
  mstheft steal sweep --victim http://localhost:8000 --key KEY --journal run.db

`mstheft COMMAND --help` tells more. Steal only models that are yours or that you may test."""
SHELLS = ("bash", "zsh", "tcsh")


def parser_for(words: Sequence[str]) -> Parser:
    """The parser of `mstheft`; only the command among the words is loaded with its arguments."""
    return build(next((word for word in words if not word.startswith("-")), ""))


def build(only: str | None = None) -> Parser:
    """The parser of `mstheft` with the arguments of every command, or of one alone."""
    groups = ["Model theft, explained by doing it."]
    for title, group in GROUPS.items():
        lines = [f"  {name:<9}{what}" for name, what in group.items()]
        groups.append("\n".join([f"{title}:", *lines]))
    texts = {"description": "\n\n".join(groups), "epilog": EXAMPLES}
    parser = Parser(prog="mstheft", usage="mstheft [-h] [-V] COMMAND ...", **texts)
    add, words = parser.add_argument, "for bash, zsh or tcsh: what completes commands and options"
    add(
        "-V", "--version", action="version", version=f"mstheft {version()}", help="show the version"
    )
    add("--print-completion", choices=SHELLS, metavar="SHELL", help=words)
    parser.set_defaults(run=_help, check=lambda args: None, quiet=False, json=None)
    parser.set_defaults(usage=parser.format_help)
    hidden: Any = {"metavar": "COMMAND", "prog": "mstheft", "help": argparse.SUPPRESS}
    commands = parser.add_subparsers(**hidden, parser_class=Parser)
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
        if isinstance(action, argparse._SubParsersAction):
            action.help = None  # else shtab leaves it out
        elif action.metavar in ("FILE", "DIR", "FILE|URL"):
            action.complete = shtab.DIR if action.metavar == "DIR" else shtab.FILE  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a parser and of all below it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _actions(each)


def _help(args: Args, console: Console) -> int:
    shell = args.print_completion
    console.say(completion(shell) if shell else args.usage().rstrip("\n"))
    return 0
