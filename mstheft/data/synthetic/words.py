"""Sentences with gaps, and the words that fill them, out of `words.toml`."""

import re
from pathlib import Path

from mstheft.files import read_toml


def _entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in re.split(r"[\n|]", text) if entry.strip())


_TABLE = read_toml(Path(__file__).with_name("words.toml"))
WORDS = {name: _entries(text) for name, text in _TABLE["words"].items()}
# (task, class) -> its sentences; class None holds those that every class of the task may have
SENTENCES = {
    (task, None if number == "any" else int(number)): _entries(text)
    for task, classes in _TABLE["sentences"].items()
    for number, text in classes.items()
}
