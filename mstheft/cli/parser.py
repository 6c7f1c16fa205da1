"""A parser that says what is wrong in one sentence, with the word that was probably meant."""

from __future__ import annotations

import argparse
import difflib
import itertools
import sys
from collections.abc import Iterable
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """Of `mstheft`, of a command, of one kind of it: `args.command` says which was asked for."""

    def __init__(self, **settings: Any):
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(**{"allow_abbrev": False, "formatter_class": raw, **settings})
        self.set_defaults(command=self.prog.partition(" ")[2])

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse here what is unknown: the parser of a command knows which words are near."""
        words = sys.argv[1:] if args is None else list(args)
        if self._subparsers is None:
            options = itertools.takewhile(lambda word: word != "--", words)
            self._refuse(word for word in options if self._is_unknown(word))
        namespace, rest = super().parse_known_args(words, namespace)
        self._refuse(rest)
        return namespace, rest

    def _is_unknown(self, word: str) -> bool:
        name = word.partition("=")[0]
        return name.startswith("--") and " " not in name and name not in self._option_string_actions

    def _refuse(self, words: Iterable[str]) -> None:
        if words := list(words):
            near = nearest(words[0].partition("=")[0], self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(words)}{near}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += nearest(str(value), map(str, action.choices or ()))
            raise


class Former(argparse.Action):
    """An option's name of before: it works, and one sentence tells the name of today."""

    def __init__(self, *args: Any, today: str, **settings: Any):
        super().__init__(*args, **settings)
        self.today, self.help = today, argparse.SUPPRESS

    def __call__(self, parser: Any, args: argparse.Namespace, value: Any, option: Any = "") -> None:
        """Take the value."""
        print(f"{parser.prog}: {option} is now {self.today}; write that", file=sys.stderr)
        setattr(args, self.dest, value)


def nearest(word: str, words: Iterable[str]) -> str:
    """'; the nearest is --budget' for '--bugdet', or nothing."""
    near = difflib.get_close_matches(word, list(words), n=1)
    return f"; the nearest is {near[0]}" if near else ""
