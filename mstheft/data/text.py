"""Text data sets in the archives in which they were published: reviews, news, encyclopaedia.

    MR       10,662 sentences from film reviews   0 negative, 1 positive        `mr`
    IMDB     50,000 film reviews                  0 negative, 1 positive        `imdb`
    AG News  127,600 news articles                world sports business sci/tech `ag_news`
    WikiText-2  articles, a thief's pool          no labels                     `wikitext2`

A complete archive in the data folder is preferred to a subset; the `.extent` of a result of `mr`,
`imdb` and `ag_news` is how much of the set it has.
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

from mstheft.data import registry
from mstheft.data.archives import members
from mstheft.data.loaded import Loaded, Texts, check_split, damaged, how_many

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


def mr(split: str = "train") -> Texts:
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
    path = _find("mr", split)
    sentences = {}
    for name, content in members(path, lambda name: name.endswith((".pos", ".neg"))):
        try:
            lines = content.decode("utf-8-sig").split("\n")
        except UnicodeDecodeError:
            lines = content.decode("cp1252", "replace").split("\n")
        sentences[name[-3:]] = [line.strip() for line in lines if line.strip()]
    # The first distribution has no published checksum.
    if set(sentences) != {"neg", "pos"}:
        raise damaged(path, "rt-polarity.neg and rt-polarity.pos", f"{len(sentences)} of them")
    every = [(text, label) for label, kind in enumerate(("neg", "pos")) for text in sentences[kind]]
    rows = (row for row in every if _is_test(row[0]) == (split == "test"))
    return _loaded("mr", split, path, rows)


def _is_test(text: str) -> bool:
    """Decide by its own letters whether a text belongs to the test part: one in ten does."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big") % 10 == 0


def imdb(split: str = "train") -> Texts:
    """Read the film reviews of IMDB, the Large Movie Review Dataset.

    Runs of ``<br />`` become one space. 0 negative (1 to 4 stars), 1 positive (7 to 10).

    split : "train" or "test", with 25,000 reviews each in the complete archive and 5,000 in
        the subset
    Returns n texts and their labels (n,) int64, the negative ones first, then by number.
    Raises ValueError for another split, DataError if the file is missing or damaged.
    Source: Maas et al. 2011, 'Learning word vectors for sentiment analysis'.
    """
    path = _find("imdb", split)
    wanted = re.compile(rf"aclImdb/{split}/(neg|pos)/\d+_\d+\.txt")
    rows = []
    for name, content in members(path, lambda name: wanted.fullmatch(name) is not None):
        _, _, kind, file = name.split("/")
        text = re.sub(r"\s*(<br\s*/>\s*)+", " ", content.decode("utf-8-sig")).strip()
        rows.append((kind == "pos", int(file.split("_")[0]), text))
    return _loaded("imdb", split, path, ((text, label) for label, _, text in sorted(rows)))


def ag_news(split: str = "train") -> Texts:
    r"""Read the news articles of AG News: title and description, joined by a space.

    The remains of HTML are undone: `` #39;`` and `` quot;`` (which have lost their &), tags, and
    backslashes, in place of a dollar's escape or the end of a line.

    split : "train" (120,000 in the complete file, 11,997 in the subset) or "test" (7,600)
    Returns n texts in the order of the file and their labels (n,) int64: 0 world, 1 sports,
    2 business, 3 science and technology (one less than in the file).
    Raises ValueError for another split, DataError if a file is missing or damaged.
    Source: Zhang, Zhao and LeCun 2015, 'Character-level convolutional networks'.
    """
    path = _find("ag-news", split)
    if path.suffix == ".csv":
        content = path.read_bytes()
    else:
        _, content = next(members(path, lambda name: name == f"ag_news_csv/{split}.csv"))
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    pairs = ((_plain(f"{title} {body}"), int(label) - 1) for label, title, body in rows)
    return _loaded("ag-news", split, path, pairs)


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
    path = _find("wikitext-2", "train")
    pattern = re.compile(r"wikitext-2/(?:wiki\.)?(train|valid|test)\.(?:txt|tokens)")
    parts = {}
    for name, content in members(path, lambda name: pattern.fullmatch(name) is not None):
        parts[pattern.sub(r"\1", name)] = content.decode("utf-8-sig")
    sentences: dict[str, None] = {}  # keeps the order and drops repetitions
    for part in ("train", "valid", "test"):
        for line in parts.get(part, "").split("\n"):
            if not re.fullmatch(r"\s*(= .* =)?\s*", line):
                for sentence in re.split(r"(?<= [.?!]) ", re.sub(r" @(.)@ ", r"\1", line)):
                    words = sentence.split()[:n_words]
                    if len(words) >= 4:
                        sentences[" ".join(words)] = None
    return list(sentences)


def _find(name: str, split: str) -> Path:
    check_split(split, ("train", "test"))
    return registry.find(*(file.format(split=split) for file in _FILES[name]))


def _loaded(name: str, split: str, path: Path, rows: Iterable[tuple[str, int]]) -> Texts:
    """Separate texts and labels, with their number out of the complete set."""
    pairs = list(rows)
    extent = how_many(len(pairs), *_COMPLETE[name][split], path.name)
    labels = np.array([label for _, label in pairs], dtype=np.int64)
    return Loaded([text for text, _ in pairs], labels, extent)
