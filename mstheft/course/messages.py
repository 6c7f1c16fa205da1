"""The sentences of the course, read from `messages.toml` (or `messages.zh-CN.toml`)."""

import functools
from pathlib import Path
from typing import Any

from mstheft.course import manifest
from mstheft.files import read_toml


@functools.cache
def _all(language: str) -> dict[str, Any]:
    folder = Path(__file__).parent
    words = read_toml(folder / "messages.toml")
    other = folder / f"messages.{language}.toml"
    if other.is_file():
        for section, sentences in read_toml(other).items():
            words[section] = {**words[section], **sentences}
    return words


def say(key: str, **facts: object) -> str:
    """One sentence with its facts filled in."""
    return str(_all(manifest.language())["say"][key]).format(**facts)


def advice(error: str) -> str:
    """The usual meaning of an error of Python to a beginner; '' if messages.toml has none."""
    advice_for = _all(manifest.language())["error"]
    return next((str(text) for part, text in advice_for.items() if part in error), "")


def cause(key: str) -> str | None:
    """A general cause of a wrong answer in words; None for another `key`."""
    return _all(manifest.language())["cause"].get(key)
