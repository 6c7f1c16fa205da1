"""What a word of the command line must be, and the sentence that says so."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def positive(text: str) -> float:
    """A number above 0 and below a million."""
    return _between(text, 1e6, "above 0 and below 1e6")


def share(text: str) -> float:
    """A number between 0 and 1."""
    return _between(text, 1, "between 0 and 1")


def _between(text: str, high: float, words: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < high:
        raise argparse.ArgumentTypeError(f"expected a number {words}, got {text!r}")
    return value


def whole(low: int, high: int = 10**15 - 1) -> Callable[[str], int]:
    """A type of argument: whole numbers from `low` on."""
    most = "at most 15 digits" if high == 10**15 - 1 else f"at most {high}"

    def read(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) < 16
        if not (digits and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(
                f"expected a whole number of at least {low} and {most}, got {text!r}"
            )
        return int(text)

    return read


def widths(example: str, *others: str) -> Callable[[str], list[int]]:
    """A type of argument: as many widths as an example has, '784-64-10' -> [784, 64, 10]."""
    lengths = [len(each.split("-")) for each in (example, *others)]

    def read(text: str) -> list[int]:
        parts = text.split("-")
        with contextlib.suppress(argparse.ArgumentTypeError):
            if len(parts) in lengths:
                return [whole(1)(part) for part in parts]
        raise argparse.ArgumentTypeError(f"expected widths such as {example}, got {text!r}")

    return read


def path(text: str) -> Path:
    """A file or a folder; ~ is the home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"expected a path, got {text!r}: {error}") from error


def is_url(place: Any) -> bool:
    """Is this a service, and not a file?"""
    return isinstance(place, str)


def url(text: str) -> str:
    """'http://localhost:8000'."""
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"expected a URL that starts with http://, got {text!r}")
    return text


def file_or_url(text: str) -> Path | str:
    """A file; or a URL, which stays a word."""
    return text if text.startswith(("http://", "https://")) else path(text)
