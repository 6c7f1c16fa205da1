"""The cases of the JSON files, and the meaning of their entries.

Numbers, lists of lists of numbers, words, true, false and null mean themselves. The rest:

    "inf", "-inf", "nan"                      numbers that JSON does not have
    {"network": {weights, activation}}        a network: [[W, b], …] from the first layer on
    {"oracle": {weights, activation, output}} the same network as a black box that answers `output`
    {"generator": seed}                       a numpy.random.Generator

`schema.json` lays down the form of the files. `functions.json` has the function of this library for
each formula, and the formula's earlier names.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from mstheft.vectors.victim import Victim, Weights

UNWRITTEN = {"inf": np.inf, "-inf": -np.inf, "nan": np.nan}

Build = Callable[[Weights, str], Any]  # (weights, activation) -> a network


@dataclass(frozen=True)
class Case:
    """One known answer."""

    id: str  # the name of the case, such as 'softmax-large'
    name: str  # of the formula, 'activations/softmax', which stays wherever functions move
    equation: str
    arguments: dict[str, str]  # {argument: shape and meaning}
    returns: str
    source: str
    inputs: dict[str, Any]  # {argument: value} as in the file; `decoded` makes arrays of them
    options: dict[str, Any]  # inputs that are passed by name
    expected: Any  # the answer, or {name: answer} if the function has several results
    relative: float  # |got - expected| ≤ absolute + relative |expected| for every number
    absolute: float
    catches: str  # the bug that this case catches

    def decoded(self, network: Build = Victim) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments of a call, new objects every time.

        network : (weights, activation) -> the object to pass where the case has a network
        """
        positional = [decode(self.inputs[name], network) for name in self.arguments]
        return positional, {name: decode(value, network) for name, value in self.options.items()}


def subjects() -> list[str]:
    """The names of the files: 'activations', 'losses', …"""
    files = [item.name for item in resources.files(__package__).iterdir()]
    other = ("functions.json", "schema.json")
    return sorted(name[:-5] for name in files if name.endswith(".json") and name not in other)


def load(subject: str) -> dict[str, Any]:
    """One file: {'subject', 'formulas': [{'name', 'cases', …}]}."""
    if subject not in subjects():
        raise ValueError(f"expected one of the subjects {', '.join(subjects())}, got {subject!r}")
    return _read(subject)


def table() -> dict[str, Any]:
    """`functions.json`: {'functions': {name: 'room.module:function'}, 'formerly': …}."""
    return _read("functions")


def _read(file: str) -> dict[str, Any]:
    text = (resources.files(__package__) / f"{file}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def names() -> dict[str, int]:
    """{formula: number of its cases}, subject by subject."""
    return dict(Counter(case.name for case in _all()))


def cases(name: str | None = None) -> list[Case]:
    """All cases, the cases of one formula, or the one case of that id.

    name : 'activations/softmax', or 'softmax' if only one formula has that name. The name of the
        function that computes it here, such as 'nn.functions:softmax', works as well
    Raises ValueError for an unknown name and for a name that several formulas have.
    """
    if name is None:
        return list(_all())
    wanted, index = name.removeprefix("mstheft."), _index()
    if wanted not in index:
        near = difflib.get_close_matches(wanted, index, 1, 0.7)
        hint = f" (the nearest is {' or '.join(sorted(index[near[0]]))})" if near else ""
        got = f"{name!r}{hint}; `mstheft vectors list` shows them all"
        raise ValueError(f"expected a formula or case with known answers, got {got}")
    meant = index[wanted]
    if len(meant) > 1:
        options = " or ".join(sorted(meant))
        raise ValueError(f"expected one formula, but {name!r} can be {options}; write one of them")
    return [case for case in _all() if {case.id, case.name} & meant]


@functools.cache
def _index() -> dict[str, set[str]]:
    """{name that a user may write: the formulas, or the case, that it means}."""
    index = {case.id: {case.id} for case in _all()}
    paths = [*table()["functions"].items()]
    paths += [(name, path) for path, name in table()["formerly"].items()]
    for name, path in paths:
        short = name.split("/")[1]
        for alias in (name, short, short.replace("-", "_"), path, path.split(":")[1]):
            index.setdefault(alias, set()).add(name)
    return index


@functools.cache
def _all() -> tuple[Case, ...]:
    return tuple(
        _case(formula, case)
        for subject in subjects()
        for formula in load(subject)["formulas"]
        for case in formula["cases"]
    )


def _case(formula: dict[str, Any], case: dict[str, Any]) -> Case:
    arguments = {a["name"]: a["is"] for a in formula["arguments"] if a["name"] in case["inputs"]}
    return Case(
        **{field: formula[field] for field in ("name", "equation", "returns", "source")},
        **{field: case[field] for field in ("id", "inputs", "expected", "catches")},
        **case["tolerance"],
        arguments=arguments,
        options=case.get("options", {}),
    )


def decode(value: object, network: Build = Victim) -> Any:
    """The meaning of an entry of a file: an array, number, word, network or oracle."""
    if isinstance(value, dict):
        ((kind, inner),) = value.items()
        if kind == "generator":
            return np.random.default_rng(inner)
        weights = [(decode(weight), decode(bias)) for weight, bias in inner["weights"]]
        if kind == "oracle":
            return Victim(weights, inner["activation"], inner["output"])
        return network(weights, inner["activation"])
    return np.array(_numbers(value)) if isinstance(value, list) else _numbers(value)


def _numbers(value: object) -> object:
    """The same nested lists, with the numbers that JSON cannot write in place of their names."""
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    return UNWRITTEN.get(value, value) if isinstance(value, str) else value
