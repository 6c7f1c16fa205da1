"""Defences by their words."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import mstheft as mt
from mstheft.defend import responses
from mstheft.defend.parse import FORMS, WORDS, named
from mstheft.nn import zoo
from mstheft.oracle import Oracle

NET = zoo.mlp([5, 6, 4], bias=0.5, rng=0)
X = np.random.default_rng(0).normal(size=(9, 5))
PROBS = NET.probs(X)
ABOUT = {"inputs": 5, "classes": 4, "rng": 0}


def told(words, **about):
    return Oracle(NET, "probs", defences=named(words, **{**ABOUT, **about})).query(X)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("round:2", np.round(PROBS, 2)),
        ("top:2", responses.top_k(PROBS, 2)),
        ("label", responses.label_only(PROBS)),
        ("reverse-sigmoid:0.5:1", responses.reverse_sigmoid(PROBS, 0.5, 1.0)),
        ("top:2,round:1", np.round(responses.top_k(PROBS, 2), 1)),
        (" round:1 , top:2 ", responses.top_k(np.round(PROBS, 1), 2)),
    ],
)
def test_a_word_is_its_function_with_its_numbers(words, expected):
    assert_array_equal(told(words), expected)


def test_noise_is_drawn_anew_and_repeats_with_the_seed():
    once, again = told("noise:0.1"), told("noise:0.1")
    assert_array_equal(once, again)
    assert 0.02 < np.abs(once - PROBS).mean() < 0.15
    assert not np.array_equal(once, told("noise:0.1", rng=1))
    oracle = Oracle(NET, "probs", defences=named("noise:0.1,noise:0.1", **ABOUT))
    assert not np.array_equal(oracle.query(X), oracle.query(X))


def test_mad_stays_within_its_radius_and_is_not_the_answer():
    away = np.abs(told("mad:0.4") - PROBS).sum(axis=1)
    assert (away <= 0.4 + 1e-12).all()
    assert away.max() > 0.3


def test_every_word_stands_in_the_forms_with_as_many_numbers():
    assert FORMS.split(", ") == [
        ":".join((word, *numbers)) for word, (numbers, *_) in WORDS.items()
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "got ''"),
        ("round", "got 'round'"),
        ("round:2,", "got ''"),
        ("round:2:3", "got 'round:2:3'"),
        ("round:two", "got 'round:two'"),
        ("rond:2", "out of round:DECIMALS"),
        ("round:2.5", "round:2.5: expected a whole number"),
        ("round:nan", "round:nan: expected a whole number"),
        ("round:18", "from 0 to 17"),
        ("top:5", "top:5: expected k from 1 to 4"),
        ("top:0", "top:0: expected k from 1"),
        ("noise:-1", "noise:-1: expected scale from 0 to 1"),
        ("noise:nan", "noise:nan: expected scale from 0 to 1"),
        ("mad:3", "mad:3: expected radius from 0 to 2"),
        ("reverse-sigmoid:2:1", "expected 0 <= beta <= 1"),
    ],
)
def test_wrong_words_are_told_before_any_question(words, said):
    with pytest.raises(ValueError, match=said.replace(":", r"\:")):
        named(words, **ABOUT)


def test_the_module_has_its_earlier_name_too():
    assert mt.defend.named.named is named
