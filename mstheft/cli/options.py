"""A parser that says what is wrong in one sentence, and the options that several commands have."""

import argparse
import difflib
import itertools
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

Args = argparse.Namespace
Kinds: TypeAlias = "argparse._SubParsersAction[Parser]"  # of `add_subparsers`
Options = argparse._ActionsContainer  # a parser, or a group of its options
USUAL = "(default: %(default)s)"
MOST = 10**15 - 1  # 15 digits


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
    bare = {each.lstrip("-"): each for each in words}  # two dashes would make any two options near
    near = difflib.get_close_matches(word.lstrip("-"), list(bare), n=1)
    return f"; the nearest is {bare[near[0]]}" if near else ""


# ---- options


def add(
    to: Options, name: str, kind: Callable[[str], Any] | Sequence[str], help: str, **more: Any
) -> None:
    """An option such as '--budget N', of a type or with choices."""
    name, _, metavar = name.partition(" ")
    what: dict[str, Any] = {"choices": kind}
    if callable(kind):
        what = {"type": kind, "metavar": metavar}
    to.add_argument(name, help=help, **what, **more)


def add_results(
    to: Options, *, save: str = "", plot: str = "", seed: bool = False, json: bool = True
) -> None:
    """--save and --plot, where words say of what; --seed, --json, and -q."""
    group = to.add_argument_group("results")
    if save:
        add(group, "--save FILE", path, f"{save}, .npz")
    if plot:
        add(group, "--plot DIR", path, f"{plot}, .png")
    if seed:
        add(group, "--seed N", whole(0), USUAL, default=0)
    if json:
        words = "everything that is printed, and more, as JSON; - for standard output"
        add(group, "--json FILE", path, words)
    group.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")


def add_out(to: Options, folder: str) -> None:
    """--out."""
    add(to, "--out DIR", path, USUAL, default=Path(folder))


def add_workers(to: Options) -> None:
    """--workers."""
    add(to, "--workers N", whole(1), f"processes {USUAL}", default=1)


# ---- types of arguments


def _type(what: str, read: Callable[[str], Any]) -> Callable[[str], Any]:
    """A type of argument: `read` takes a word, or raises ValueError for what is not `what`."""

    def convert(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, RuntimeError):
            raise argparse.ArgumentTypeError(f"expected {what}, got {text!r}") from None

    return convert


def _checked(value: Any, right: bool) -> Any:
    if right:
        return value
    raise ValueError


def whole(low: int, high: int = MOST) -> Callable[[str], int]:
    """Whole numbers from `low` on."""
    most = "at most 15 digits" if high == MOST else f"at most {high}"
    what = f"a whole number of at least {low} and {most}"
    return _type(what, lambda text: _whole(text, low, high))


def _whole(text: str, low: int, high: int = MOST) -> Any:
    digits = text.isascii() and text.isdigit() and len(text) < 16
    return _checked(digits and int(text), digits and low <= int(text) <= high)


def widths(example: str, *others: str, least: float = math.inf) -> Callable[[str], list[int]]:
    """As many widths as an example has, '784-64-10' -> [784, 64, 10]; or `least` and more."""
    lengths = [len(each.split("-")) for each in (example, *others)]

    def read(text: str) -> Any:
        parts = text.split("-")
        right = len(parts) in lengths or len(parts) >= least
        return _checked([_whole(part, 1) for part in parts], right)

    return _type(f"widths such as {example}", read)


def _between(high: float) -> Callable[[str], Any]:
    return lambda text: _checked(float(text), 0 < float(text) < high)


def file_or_url(text: str) -> Path | str:
    """A file; or a URL, which stays a word."""
    return text if text.startswith(WEB) else path(text)


def is_url(place: object) -> bool:
    """Is this a service, and not a file?"""
    return isinstance(place, str)


WEB = "http://", "https://"
positive = _type("a number above 0 and below 1e6", _between(1e6))
share = _type("a number between 0 and 1", _between(1))
path = _type("a path, whose ~NAME is a user's", lambda text: Path(text).expanduser())
url = _type("a URL that starts with http://", lambda text: _checked(text, text.startswith(WEB)))
