"""Words and ids: the rule of the tokenizer, ties, padding, and files that lie."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstheft.data.vocabulary import PADDING, UNKNOWN, Vocabulary, words
from mstheft.errors import DataError

TEXTS = ["The cat sat.", "the DOG sat, the cat ran!", "a dog"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's GOOD, really!", ["it's", "good", ",", "really", "!"]),
        (" \t\n\u00a0", []),
        ("rock 'n' roll", ["rock", "'", "n", "'", "roll"]),
        ("well-made 3.5 $20", ["well", "-", "made", "3", ".", "5", "$", "20"]),
        ("Ünïcode straße 東京", ["ünïcode", "straße", "東京"]),
        ("a <unk> b", ["a", "<unk>", "b"]),
        ("<UNK>", ["<unk>"]),
        ("snake_case", ["snake_case"]),
    ],
)
def test_the_rule_of_words(text, expected):
    assert words(text) == expected


def test_most_frequent_first_and_ties_by_alphabet():
    vocabulary = Vocabulary.build(TEXTS)
    # the 3, cat dog sat 2, then once: ! , . a ran
    expected = ("the", "cat", "dog", "sat", "!", ",", ".", "a", "ran")
    assert vocabulary.entries == ("<pad>", "<unk>", *expected)
    assert Vocabulary.build(TEXTS[::-1]).entries == vocabulary.entries
    assert len(vocabulary) == 11


def test_size_counts_the_reserved_ids_and_min_count_cuts():
    assert Vocabulary.build(TEXTS, size=4).entries[2:] == ("the", "cat")
    assert len(Vocabulary.build(TEXTS, size=2)) == 2
    assert Vocabulary.build(TEXTS, min_count=2).entries[2:] == ("the", "cat", "dog", "sat")
    assert Vocabulary.build(TEXTS, min_count=2, size=3).entries[2:] == ("the",)
    assert len(Vocabulary.build([])) == 2


def test_encode_pads_and_cuts_at_the_end():
    vocabulary = Vocabulary.build(TEXTS)
    ids = vocabulary.encode(["the cat flew", "", "sat sat sat sat sat"], 4)
    assert ids.tolist() == [[2, 3, UNKNOWN, PADDING], [PADDING] * 4, [5] * 4]
    assert ids.dtype == np.int64
    assert vocabulary.encode([], 4).shape == (0, 4)


def test_marks_for_rare_words_and_padding_are_no_words():
    vocabulary = Vocabulary.build(["<unk> <unk> <unk> <pad> dog"])
    assert "<unk>" not in vocabulary.entries[2:]
    assert vocabulary.encode(["<unk> dog"], 2)[0, 0] == UNKNOWN
    # '<pad>' in a text is three words; nothing that anybody writes becomes padding.
    assert (vocabulary.encode(["<pad>"], 3) >= UNKNOWN).all()
    assert "dog" in vocabulary
    assert "<unk>" not in vocabulary


@given(st.lists(st.text(max_size=40), max_size=6))
def test_what_is_known_comes_back(texts):
    vocabulary = Vocabulary.build(texts)
    ids = vocabulary.encode(texts, 50)
    assert vocabulary.decode(ids) == [" ".join(words(text)) for text in texts]


def test_save_and_load(tmp_path):
    vocabulary = Vocabulary(["don't", '"', "\\", "東京", "\ud800", "é"])
    path = tmp_path / "words.json"
    vocabulary.save(path)
    assert Vocabulary.load(path).entries == vocabulary.entries
    assert json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))["format"] == 1
    vocabulary.save(path)  # over the old one
    assert [file.name for file in tmp_path.iterdir()] == ["words.json"]


GOOD = {"kind": "mstheft vocabulary", "format": 1, "words": ["a", "b"]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Expecting value"),
        (b"\x80\x04K\x01.", "decode byte"),
        (b"[" * 100_000, "recursion|Recursion|too deep|Expecting"),
        (b"[1]", "list indices"),
        (json.dumps({**GOOD, "kind": "x"}).encode(), "'x' of format 1"),
        (json.dumps({**GOOD, "format": 2}).encode(), "vocabulary' of format 2"),
        (json.dumps({**GOOD, "words": ["a", 1]}).encode(), "no list of words"),
        (json.dumps({**GOOD, "words": ["a", "b", "a"]}).encode(), r"distinct .* \['a'\] twice"),
        (json.dumps({**GOOD, "words": ["<pad>"]}).encode(), r"distinct .* \['<pad>'\] twice"),
        (json.dumps(GOOD).encode()[:-1], "Expecting"),
    ],
)
def test_files_that_are_no_vocabulary(tmp_path, content, says):
    path = tmp_path / "words.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"words\.json: expected a vocabulary .*({says})"):
        Vocabulary.load(path)


def test_missing_huge_and_unwritable(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"cannot read .*nothing\.json: No such file"):
        Vocabulary.load(tmp_path / "nothing.json")
    with pytest.raises(DataError, match="expected a folder"):
        Vocabulary([]).save(tmp_path / "no" / "words.json")
    path = tmp_path / "words.json"
    path.write_text(json.dumps(GOOD))
    monkeypatch.setattr("mstheft.data.vocabulary._MOST_BYTES", 30)
    with pytest.raises(DataError, match="expected a vocabulary"):
        Vocabulary.load(path)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda v: v.encode("a text", 5), r"several texts, got one str; write \['a text'\]"),
        (lambda v: Vocabulary.build("a text"), "several texts, got one str"),
        (lambda v: Vocabulary.build(["a"], size=1), "size must be at least 2, .* got 1"),
        (lambda v: Vocabulary(["a", "a"]), r"distinct .* \['a'\] twice"),
        (lambda v: v.decode(np.array([[0, 3]])), "ids must be 0 to 2; got 0 to 3"),
    ],
)
def test_arguments_outside_their_range(call, says):
    with pytest.raises(ValueError, match=says):
        call(Vocabulary(["word"]))
