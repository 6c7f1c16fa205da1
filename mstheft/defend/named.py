"""Defences by their words, for command lines and for files: 'noise:0.1,round:2'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mstheft.defend import responses
from mstheft.nn import zoo
from mstheft.typing import Rng

Maker = Callable[..., dict[str, Any]]  # numbers, then inputs=, classes=, rng= -> settings

# Word -> its numbers, the function, and what they are to it.
WORDS: dict[str, tuple[tuple[str, ...], Callable[..., Any], Maker]] = {
    "round": (("DECIMALS",), responses.rounding, lambda n, **_: {"decimals": _whole(n)}),
    "top": (("K",), responses.top_k, lambda k, **_: {"k": _whole(k)}),
    "label": ((), responses.label_only, lambda **_: {}),
    "noise": (("SCALE",), responses.noise, lambda s, rng, **_: {"scale": s, "rng": rng}),
    "reverse-sigmoid": (
        ("BETA", "GAMMA"),
        responses.reverse_sigmoid,
        lambda beta, gamma, **_: {"beta": beta, "gamma": gamma},
    ),
    "mad": (
        ("RADIUS",),
        responses.mad,
        lambda radius, **about: {"radius": radius, "gradients": _guess(**about)},
    ),
}
FORMS = ", ".join(":".join((word, *numbers)) for word, (numbers, _, _) in WORDS.items())
HIDDEN = 64  # neurons of MAD's guess at the copy


def named(words: str, *, inputs: int, classes: int, rng: Rng) -> list[Callable[..., Any]]:
    """The defences of an Oracle, in the order of their words.

        round:DECIMALS   top:K   label   noise:SCALE   reverse-sigmoid:BETA:GAMMA   mad:RADIUS

    The numbers are those of the functions of `responses`. MAD's guess at the copy is an untrained
    network with 64 hidden neurons. Adaptive misinformation needs a network that has learned to be
    wrong: `responses.option` takes one.

    inputs, classes : of the victim, at least two classes
    Raises ValueError for a word that is none, or numbers that cannot be, before any question.
    """
    rng, found = np.random.default_rng(rng), []
    for word in words.split(","):
        name, *told = word.strip().split(":")
        numbers = [_number(text) for text in told]
        if name not in WORDS or len(numbers) != len(WORDS[name][0]) or None in numbers:
            raise ValueError(f"expected defences out of {FORMS}, got {word.strip()!r}; correct it")
        _, function, settings = WORDS[name]
        try:
            given = settings(*numbers, inputs=inputs, classes=classes, rng=rng.spawn(1)[0])
            found.append(responses.option(function, **given))
            found[-1](np.full((1, classes), 1 / classes), np.zeros((1, inputs)))  # told off now
        except ValueError as error:
            raise ValueError(f"{word.strip()}: {error}") from error
    return found


def _guess(inputs: int, classes: int, rng: np.random.Generator) -> Callable[..., Any]:
    return responses.surrogate_gradients(zoo.mlp([inputs, HIDDEN, classes], rng=rng))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(value: float) -> int:
    if not (value.is_integer() and 0 <= value <= 17):
        raise ValueError(f"expected a whole number from 0 to 17, got {value:g}; change it")
    return int(value)
