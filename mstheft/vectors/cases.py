"""The cases as they lie in the JSON files, and what their entries mean.

A number, a list of lists of them, a word, true, false and null are themselves; beside that

    "inf", "-inf", "nan"                      numbers that JSON does not have
    {"network": {weights, activation}}        a network: [[W, b], …] from the first layer on
    {"oracle": {weights, activation, output}} the same as a black box that tells `output`
    {"generator": seed}                       a numpy.random.Generator

The form of the files is laid down in `schema.json` beside them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from mstheft.vectors.victim import Victim

UNWRITTEN = {"inf": np.inf, "-inf": -np.inf, "nan": np.nan}

Build = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Case:
    """One known answer.

    id : its name, such as 'softmax-large'
    function : 'room.module:function' of the formula in this package, without 'mstheft.'
    equation, arguments, returns, source : of the formula; {argument: shape and meaning}
    inputs : {argument: value}, as in the file; `decoded` makes arrays of them
    options : inputs that are passed by name
    expected : the answer, or {name: answer} of a function with several
    relative, absolute : |got - expected| ≤ absolute + relative |expected| for every number
    catches : the bug that this case catches
    """

    id: str
    function: str
    equation: str
    arguments: dict[str, str]
    returns: str
    source: str
    inputs: dict[str, Any]
    options: dict[str, Any]
    expected: Any
    relative: float
    absolute: float
    catches: str

    def decoded(self, network: Build = Victim) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments of a call, new ones every time.

        network : (weights, activation) -> what stands for a network
        """
        given = [decode(self.inputs[name], network) for name in self.arguments]
        return given, {name: decode(value, network) for name, value in self.options.items()}


def subjects() -> list[str]:
    """The files, by name: 'activations', 'losses', …"""
    found = [item.name for item in resources.files(__package__).iterdir()]
    return sorted(name[:-5] for name in found if name.endswith(".json") and name != "schema.json")


@functools.cache
def _text(subject: str) -> str:
    return (resources.files(__package__) / f"{subject}.json").read_text(encoding="utf-8")


def load(subject: str) -> dict[str, Any]:
    """One file as it stands: {'subject', 'formulas': [{'function', 'cases', …}]}."""
    if subject not in subjects():
        raise ValueError(
            f"expected one of the subjects {', '.join(subjects())}, got {subject!r}; pick one"
        )
    document: dict[str, Any] = json.loads(_text(subject))
    return document


def names() -> dict[str, int]:
    """{function: number of its cases}, subject by subject."""
    count: dict[str, int] = {}
    for case in _all():
        count[case.function] = count.get(case.function, 0) + 1
    return count


def cases(name: str | None = None) -> list[Case]:
    """All cases, or those of one function, or the one of that id.

    name : 'nn.functions:softmax', or 'softmax' alone where only one function is called so
    Raises ValueError for a name that nothing has, and for one that several have.
    """
    if name is None:
        return list(_all())
    wanted = name.removeprefix("mstheft.")
    known = dict.fromkeys(case.function for case in _all())
    alike = [full for full in known if wanted in (full, full.split(":")[1])]
    alike = [wanted] if wanted in alike else alike
    found = [case for case in _all() if case.id == wanted or case.function in alike]
    if len(alike) > 1:
        raise ValueError(f"expected one function, but {name!r} can be {' or '.join(alike)}; say it")
    if not found:
        raise ValueError(
            f"expected a function or case with known answers, got {name!r}; `mstheft vectors list` "
            "shows them all"
        )
    return found


@functools.cache
def _all() -> tuple[Case, ...]:
    return tuple(
        _case(formula, each)
        for subject in subjects()
        for formula in load(subject)["formulas"]
        for each in formula["cases"]
    )


def _case(formula: dict[str, Any], case: dict[str, Any]) -> Case:
    arguments = {each["name"]: each["is"] for each in formula["arguments"]}
    inputs = case["inputs"]
    return Case(
        id=case["id"],
        function=formula["function"],
        equation=formula["equation"],
        arguments={name: said for name, said in arguments.items() if name in inputs},
        returns=formula["returns"],
        source=formula["source"],
        inputs=inputs,
        options=case.get("options", {}),
        expected=case["expected"],
        relative=case["tolerance"]["relative"],
        absolute=case["tolerance"]["absolute"],
        catches=case["catches"],
    )


def decode(value: Any, network: Build = Victim) -> Any:
    """What an entry of a file stands for: arrays, numbers, words, networks, oracles."""
    if isinstance(value, dict):
        ((kind, inner),) = value.items()
        if kind == "generator":
            return np.random.default_rng(inner)
        weights = [tuple(decode(each) for each in pair) for pair in inner["weights"]]
        if kind == "oracle":
            return Victim(weights, inner["activation"], inner["output"])
        return network(weights, inner["activation"])
    if isinstance(value, list):
        return np.array(_numbers(value))
    return UNWRITTEN.get(value, value) if isinstance(value, str) else value


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    return UNWRITTEN.get(value, value) if isinstance(value, str) else value
