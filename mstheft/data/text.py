"""Text data sets in the archives in which they were published: reviews, news, encyclopaedia.

    MR       10,662 sentences from film reviews   0 negative, 1 positive        `mr`
    IMDB     50,000 film reviews                  0 negative, 1 positive        `imdb`
    AG News  127,600 news articles                world sports business sci/tech `ag_news`
    WikiText-2  articles, a thief's pool          no labels                     `wikitext2`

A complete archive is taken where it lies in the data folder, a known subset otherwise.
What `mr`, `imdb` and `ag_news` return knows as `.found` how much of it that is.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mstheft.data import store
from mstheft.data.archives import members
from mstheft.data.loaded import Loaded, how_many
from mstheft.errors import DataError

__all__ = ["ag_news", "describe", "imdb", "mr", "wikitext2"]

# What each data set can be read from, the complete file first.
_FILES = {
    "mr": ("text/rt-polaritydata-original.tar.gz", "text/rt-polaritydata.tar.gz"),
    "imdb": ("text/aclImdb_v1.tar.gz", "text/aclImdb-subset.tar.gz"),
    "ag-news": ("text/ag_news_csv/{split}.csv", "text/ag_news_csv-subset.tar.gz"),
    "wikitext-2": ("text/wikitext-2-v1.zip", "text/wikitext-2-valid-test.tar.gz"),
}
# Items in the complete parts. MR is split by `mr` itself.
_COMPLETE = {
    "mr": {"train": (9_601, "training sentences"), "test": (1_061, "test sentences")},
    "imdb": {"train": (25_000, "training reviews"), "test": (25_000, "test reviews")},
    "ag-news": {"train": (120_000, "training articles"), "test": (7_600, "test articles")},
}


def mr(split: str = "train") -> Loaded:
    """Read the sentences of MR, the movie review data (sentence polarity v1.0).

    It comes without a split. Here a sentence is in the test part if the SHA-256 of its UTF-8
    text, as a number, is a multiple of 10: the same on every machine, in any order of the
    file, and the same sentence is never in both parts.

    split : "train" (n = 9,601) or "test" (n = 1,061)
    Returns n texts, lower case with spaces around punctuation, and their labels (n,) int64:
    0 negative, 1 positive, the negative ones first.
    Raises ValueError for another split, DataError if the file is missing or damaged.
    Source: Pang and Lee 2005, 'Seeing stars'; the first distribution is in Windows-1252, later
    ones in UTF-8, and both are read.
    """
    _check_split(split)
    path = _find("mr", split)
    found = {}
    for name, content in members(path, lambda name: name.endswith((".pos", ".neg"))):
        lines = _decode(content, f"{path}, {name}", second="cp1252").split("\n")
        found[name[-3:]] = [line.strip() for line in lines if line.strip()]
    _need(len(found) == 2, path, "rt-polarity.pos and rt-polarity.neg", f"{len(found)} of them")
    rows = (
        (text, label)
        for label, kind in enumerate(("neg", "pos"))
        for text in found[kind]
        if _is_test(text) == (split == "test")
    )
    return _loaded("mr", split, path, rows)


def _is_test(text: str) -> bool:
    """Decide by its own letters whether a text belongs to the test part: one in ten does."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big") % 10 == 0


def imdb(split: str = "train") -> Loaded:
    """Read the film reviews of IMDB, the Large Movie Review Dataset.

    Runs of ``<br />`` become one space. 0 negative (1 to 4 stars), 1 positive (7 to 10).

    split : "train" or "test", with 25,000 reviews each in the complete archive and 5,000 in
        the subset
    Returns n texts and their labels (n,) int64, the negative ones first, then by number.
    Raises ValueError for another split, DataError if the file is missing or damaged.
    Source: Maas et al. 2011, 'Learning word vectors for sentiment analysis'.
    """
    _check_split(split)
    path = _find("imdb", split)
    wanted = re.compile(rf"aclImdb/{split}/(neg|pos)/\d+_\d+\.txt")
    rows = []
    for name, content in members(path, lambda name: wanted.fullmatch(name) is not None):
        _, _, kind, file = name.split("/")
        text = re.sub(r"\s*(<br\s*/>\s*)+", " ", _decode(content, f"{path}, {name}")).strip()
        rows.append((kind == "pos", int(file.split("_")[0]), text))
    _need({row[0] for row in rows} == {False, True}, path, f"{split} reviews of both kinds", "none")
    return _loaded("imdb", split, path, ((text, label) for label, _, text in sorted(rows)))


def ag_news(split: str = "train") -> Loaded:
    r"""Read the news articles of AG News: title and description, joined by a space.

    What the corpus has left of HTML is undone: `` #39;`` and `` quot;`` (which have lost their
    &), tags, and backslashes, which stand for a dollar's escape or the end of a line.

    split : "train" (120,000 in the complete file, 11,997 in the subset) or "test" (7,600)
    Returns n texts in the order of the file and their labels (n,) int64: 0 world, 1 sports,
    2 business, 3 science and technology (one less than in the file).
    Raises ValueError for another split, DataError if a file is missing or damaged.
    Source: Zhang, Zhao and LeCun 2015, 'Character-level convolutional networks'.
    """
    _check_split(split)
    path = _find("ag-news", split)
    if path.suffix == ".csv":
        content = path.read_bytes()
    else:
        wanted = f"ag_news_csv/{split}.csv"
        content = next((body for _, body in members(path, lambda name: name == wanted)), b"")
    rows = _ag_rows(_decode(content, f"{path}, {split}.csv"), path)
    return _loaded("ag-news", split, path, rows)


def _ag_rows(content: str, path: Path) -> Iterable[tuple[str, int]]:
    """Read rows of class, title and description, all quoted."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    row: list[str] = []
    try:
        for row in reader:
            good = len(row) == 3 and row[0] in ("1", "2", "3", "4")
            _need(good, path, "a class 1-4, a title and a text", f"{row} in line {reader.line_num}")
            yield _plain(f"{row[1]} {row[2]}"), int(row[0]) - 1
    except csv.Error as error:
        raise _wrong(path, "CSV", f"{error} in line {reader.line_num}") from error
    _need(bool(row), path, "rows", "none")


def _plain(text: str) -> str:
    r"""Undo the half-undone HTML of AG News: `` #39;s \$5 &lt;b&gt;`` -> ``'s $5``."""
    text = re.sub(r" ?(?<!&)(#\d{2,5}|#x\w{2,4}|quot|amp|lt|gt|hellip);", r"&\1;", text)
    text = re.sub(r"<[^<>]*>", " ", html.unescape(text))
    return " ".join(text.replace("\\$", "$").replace("\\", " ").split())


def wikitext2(*, n_words: int = 60) -> list[str]:
    """Read sentences of WikiText-2, a pool of text that has nothing to do with a victim's.

    Headings, empty lines, repetitions and sentences of fewer than 4 words are left out, and
    marks such as ``@-@`` for a hyphen are undone; ``<unk>`` stands for a rare word.

    n_words : sentences are cut after so many words, punctuation counted
    Returns the sentences in the order of the files: what is in the validation and test files
    of the subset, and in the training file where the archive has one.
    Raises ValueError for n_words < 4, DataError if the file is missing or damaged.
    Source: Merity et al. 2016, 'Pointer sentinel mixture models'.
    """
    if n_words < 4:
        raise ValueError(f"n_words must be at least 4, or nothing is left; got {n_words}")
    sentences: dict[str, None] = {}  # keeps the order and drops repetitions
    for article in _wiki_parts().values():
        for line in article.split("\n"):
            if not re.fullmatch(r"\s*(= .* =)?\s*", line):
                for sentence in re.split(r"(?<= [.?!]) ", re.sub(r" @(.)@ ", r"\1", line)):
                    words = sentence.split()[:n_words]
                    if len(words) >= 4:
                        sentences[" ".join(words)] = None
    return list(sentences)


def _wiki_parts() -> dict[str, str]:
    """Read each part that is there, by its name in words."""
    path = _find("wikitext-2", "train")
    pattern = re.compile(r"wikitext-2/(?:wiki\.)?(train|valid|test)\.(?:txt|tokens)")
    titles = {"train": "training", "valid": "validation", "test": "test"}
    parts = {}
    for name, content in members(path, lambda name: pattern.fullmatch(name) is not None):
        part = pattern.sub(r"\1", name)
        parts[titles[part]] = _decode(content, f"{path}, {name}")
    _need(bool(parts), path, "a text in wikitext-2/", "none")
    return {title: parts[title] for title in titles.values() if title in parts}


def describe(name: str) -> str:
    """Count what the data folder holds of a data set, and say how much of it is missing.

    name : "mr", "imdb", "ag-news" or "wikitext-2"
    Returns for instance "11,997 of 120,000 training articles: ag_news_csv-subset.tar.gz, all
    7,600 test articles".
    Raises ValueError for another name, DataError if the file is missing or damaged.
    """
    if name not in _FILES:
        raise ValueError(f"name must be one of {', '.join(_FILES)}; got {name!r}")
    if name == "wikitext-2":
        return f"{len(wikitext2()):,} sentences from the {' and '.join(_wiki_parts())} text"
    load = {"mr": mr, "imdb": imdb, "ag-news": ag_news}[name]
    return ", ".join(load(split).found for split in _COMPLETE[name])


def _find(name: str, split: str) -> Path:
    return store.find_any(*(file.format(split=split) for file in _FILES[name]))


def _loaded(name: str, split: str, path: Path, rows: Iterable[tuple[str, int]]) -> Loaded:
    """Put texts and labels into two, and say how many of the complete set they are."""
    pairs = list(rows)
    found = how_many(len(pairs), *_COMPLETE[name][split], path.name)
    labels = np.array([label for _, label in pairs], dtype=np.int64)
    return Loaded([text for text, _ in pairs], labels, found)


def _decode(content: bytes, where: str, second: str | None = None) -> str:
    """Decode UTF-8, or what the second encoding makes of it."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if second:
            return content.decode(second, "replace")
        got = f"the byte {content[error.start]:#04x} at {error.start:,}"
        raise DataError(
            f"{where}: expected text in UTF-8, got {got}; get the file again"
        ) from error


def _check_split(split: str) -> None:
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test'; got {split!r}")


def _need(holds: bool, path: Path, expected: str, got: str) -> None:
    if not holds:
        raise _wrong(path, expected, got)


def _wrong(path: Path, expected: str, got: str) -> DataError:
    return DataError(f"{path}: expected {expected}, got {got}; get the file again")
