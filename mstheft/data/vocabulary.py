"""From texts to numbers: words and punctuation marks, each with an id of its own.

    "It's GOOD, really!"  ->  it's good , really !  ->  [12, 45, 3, 1, 9, 0, 0, 0]
      text                     `words`                  `Vocabulary.encode`, length 8

The victim has a vocabulary of its own texts, which a thief does not have: the thief builds another
one of the thief's own texts.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from mstheft.errors import DataError
from mstheft.files import write

PADDING, UNKNOWN = 0, 1  # ids that are no word's
FORMAT = 1
_KIND = "mstheft vocabulary"
_RESERVED = ("<pad>", "<unk>")
_WORD = re.compile(r"<unk>|\w+(?:['’]\w+)*|[^\w\s]")
_MOST_BYTES = 1 << 26  # of a saved vocabulary: a million words have about 10 MB


def words(text: str) -> list[str]:
    """Split a text into lower-case words and single punctuation marks.

    A word is a run of letters, digits and underscores, with apostrophes inside ("don't"); what
    is neither that nor white space is a mark of one character. ``<unk>`` stays whole.
    """
    return _WORD.findall(text.lower())


class Vocabulary:
    """Words in the order of their ids: 0 is padding, 1 any unknown word, 2 the first word.

    entries : distinct words, as `words` would return them
    ``len(vocabulary)`` counts both reserved ids: it is the number of rows an embedding needs.
    """

    def __init__(self, entries: Iterable[str]):
        self.entries = (*_RESERVED, *entries)
        self._ids = {word: i for i, word in enumerate(self.entries)}
        if len(self._ids) < len(self.entries):
            twice = [word for word, count in Counter(self.entries).items() if count > 1]
            raise ValueError(f"words must be distinct and not {_RESERVED}; got {twice[:5]} twice")

    @classmethod
    def build(
        cls, texts: Iterable[str], *, size: int | None = None, min_count: int = 1
    ) -> Vocabulary:
        """Count the words of texts and keep the most frequent ones.

        size : greatest number of ids, the two reserved ones among them; all words unless given
        min_count : how often a word must occur
        Words of equal frequency are in alphabetical order, so that the order of the texts does
        not matter.
        Raises ValueError for an argument outside its range or one text instead of several.
        """
        _check_texts(texts)
        if size is not None and size < len(_RESERVED):
            raise ValueError(f"size must be at least 2, for padding and unknown; got {size}")
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(words(text))
        del counts["<unk>"]  # <pad> in a text is three words and needs no such care
        ranked = sorted((-count, word) for word, count in counts.items() if count >= min_count)
        return cls(word for _, word in ranked[: None if size is None else size - len(_RESERVED)])

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, word: object) -> bool:
        return word in self._ids and word not in _RESERVED

    def encode(self, texts: Sequence[str], length: int) -> np.ndarray:
        """Turn each text into the ids of its first `length` words.

        length : at least 1; what is longer is cut off, what is shorter is filled with 0 at its
            end, so that a word's place does not depend on the texts around it
        Returns ids (n, length) int64: 0 padding, 1 unknown.
        Raises ValueError for one text instead of several.
        """
        _check_texts(texts)
        ids = np.full((len(texts), length), PADDING, dtype=np.int64)
        get = self._ids.get  # looked up once, not for each word
        for row, text in zip(ids, texts, strict=True):
            numbers = [get(word, UNKNOWN) for word in words(text)[:length]]
            row[: len(numbers)] = numbers
        return ids

    def decode(self, ids: np.ndarray) -> list[str]:
        """Turn ids (n, length) back into texts, words apart by spaces, padding left out.

        Raises ValueError if an id is not of this vocabulary.
        """
        ids = np.asarray(ids)
        if ids.size and not 0 <= ids.min() <= ids.max() < len(self):
            got = f"{ids.min()} to {ids.max()}"
            raise ValueError(f"ids must be 0 to {len(self) - 1}; got {got}")
        return [" ".join(self.entries[i] for i in row if i != PADDING) for row in ids]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the words as JSON, whole or not at all. Raises DataError if it cannot."""
        content = {"kind": _KIND, "format": FORMAT, "words": self.entries[len(_RESERVED) :]}
        body = json.dumps(content, ensure_ascii=False, indent=0).encode("utf-8", "surrogatepass")
        write(path, body)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read what `save` wrote; nothing in the file is ever executed.

        Raises DataError if the file is missing, damaged, of another kind or format.
        """
        try:
            with open(path, "rb") as file:
                body = file.read(_MOST_BYTES + 1)
            content = json.loads(body[:_MOST_BYTES].decode("utf-8", "surrogatepass"))
            entries = content["words"]
            if (content["kind"], content["format"]) != (_KIND, FORMAT):
                raise ValueError(f"{content['kind']!r} of format {content['format']!r}")
            if not isinstance(entries, list) or not all(isinstance(each, str) for each in entries):
                raise ValueError("no list of words")
            return cls(entries)
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            wanted = "expected a vocabulary written by Vocabulary.save"
            raise DataError(f"{path}: {wanted}, got {error!s:.90}; save it again") from error


def _check_texts(texts: Iterable[str]) -> None:
    """Refuse the classic slip: a single text, whose characters would pass for texts."""
    if isinstance(texts, str):
        raise ValueError(f"expected several texts, got one str; write [{texts[:20]!r}]")
