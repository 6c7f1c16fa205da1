"""Parse the words of --defence, 'noise:0.1,round:2'; a new defence itself goes into `responses`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mstheft.defend import responses
from mstheft.nn import zoo
from mstheft.typing import Array, Rng

Maker = Callable[..., dict[str, Any]]  # numbers, then inputs=, classes=, rng= -> settings

# Word -> names of its numbers, the function, and its settings out of them.
WORDS: dict[str, tuple[tuple[str, ...], Callable[..., Any], Maker]] = {
    "round": (("DECIMALS",), responses.rounding, lambda n, **_: {"decimals": _whole(n)}),
    "top": (("K",), responses.top_k, lambda k, **_: {"k": _whole(k)}),
    "label": ((), responses.label_only, lambda **_: {}),
    "noise": (("SCALE",), responses.noise, lambda s, rng, **_: {"scale": s, "rng": rng}),
    "reverse-sigmoid": (
        *(("BETA", "GAMMA"), responses.reverse_sigmoid),
        lambda beta, gamma, **_: {"beta": beta, "gamma": gamma},
    ),
    "mad": (
        ("RADIUS",),
        responses.mad,
        lambda r, **of: {"radius": r, "gradients": _surrogate(**of)},
    ),
}
FORMS = ", ".join(":".join((word, *numbers)) for word, (numbers, _, _) in WORDS.items())
HIDDEN = 64  # neurons of MAD's surrogate


def named(words: str, *, inputs: int, classes: int, rng: Rng) -> list[Callable[..., Any]]:
    """The defences of an Oracle, in the order of their words.

        round:DECIMALS   top:K   label   noise:SCALE   reverse-sigmoid:BETA:GAMMA   mad:RADIUS

    The numbers are those of the functions of `responses`. MAD's surrogate is an untrained network
    with 64 hidden neurons. Adaptive misinformation takes a network: see `responses.option`.

    inputs, classes : of the victim, at least two classes
    Raises ValueError for a word that is none, or numbers that cannot be, before any question.
    """
    rng, defences = np.random.default_rng(rng), []
    for word in map(str.strip, words.split(",")):
        name, *texts = word.split(":")
        try:
            numbers, (forms, function, settings) = [float(text) for text in texts], WORDS[name]
            if len(numbers) != len(forms):
                raise ValueError
        except (KeyError, ValueError):
            raise ValueError(f"expected defences out of {FORMS}, got {word!r}") from None
        try:
            options = settings(*numbers, inputs=inputs, classes=classes, rng=rng.spawn(1)[0])
            defence = responses.option(function, **options)
            defence(np.full((1, classes), 1 / classes), np.zeros((1, inputs)))  # try the numbers
        except ValueError as error:
            raise ValueError(f"{word}: {error}") from error
        defences.append(defence)
    return defences


def _surrogate(inputs: int, classes: int, rng: np.random.Generator) -> Callable[[Array], Array]:
    return responses.surrogate_gradients(zoo.mlp([inputs, HIDDEN, classes], rng=rng))


def _whole(value: float) -> int:
    if not (value.is_integer() and 0 <= value <= 17):
        raise ValueError(f"expected a whole number from 0 to 17, got {value:g}; change it")
    return int(value)
