"""The cases as they lie in the JSON files, and what their entries mean.

A number, a list of lists of them, a word, true, false and null are themselves; beside that

    "inf", "-inf", "nan"                      numbers that JSON does not have
    {"network": {weights, activation}}        a network: [[W, b], …] from the first layer on
    {"oracle": {weights, activation, output}} the same as a black box that tells `output`
    {"generator": seed}                       a numpy.random.Generator

The form of the files is laid down in `schema.json` beside them; `functions.json` says which
function of this library computes each formula, and which names it had before.
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

from mstheft.vectors.victim import Victim

UNWRITTEN = {"inf": np.inf, "-inf": -np.inf, "nan": np.nan}

Build = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Case:
    """One known answer.

    id : its name, such as 'softmax-large'
    name : of the formula, 'activations/softmax': it stays, wherever functions move
    equation, arguments, returns, source : of the formula; {argument: shape and meaning}
    inputs : {argument: value}, as in the file; `decoded` makes arrays of them
    options : inputs that are passed by name
    expected : the answer, or {name: answer} of a function with several
    relative, absolute : |got - expected| ≤ absolute + relative |expected| for every number
    catches : the bug that this case catches
    """

    id: str
    name: str
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
    beside = ("functions.json", "schema.json")
    return sorted(name[:-5] for name in found if name.endswith(".json") and name not in beside)


@functools.cache
def _text(file: str) -> str:
    return (resources.files(__package__) / f"{file}.json").read_text(encoding="utf-8")


def load(subject: str) -> dict[str, Any]:
    """One file as it stands: {'subject', 'formulas': [{'name', 'cases', …}]}."""
    if subject not in subjects():
        raise ValueError(
            f"expected one of the subjects {', '.join(subjects())}, got {subject!r}; pick one"
        )
    document: dict[str, Any] = json.loads(_text(subject))
    return document


def table() -> dict[str, dict[str, Any]]:
    """`functions.json`: {'functions': {name: 'room.module:function'}, 'formerly': …}."""
    told: dict[str, dict[str, Any]] = json.loads(_text("functions"))
    return told


def names() -> dict[str, int]:
    """{formula: number of its cases}, subject by subject."""
    return dict(Counter(case.name for case in _all()))


def cases(name: str | None = None) -> list[Case]:
    """All cases, or those of one formula, or the one of that id.

    name : 'activations/softmax', or 'softmax' where only one formula is called so; the path or the
        name of the function that computes it here, 'nn.functions:softmax', does as well
    Raises ValueError for a name that nothing has, and for one that several have.
    """
    if name is None:
        return list(_all())
    wanted, known = name.removeprefix("mstheft."), _known()
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, 1, 0.7)
        hint = f" (the nearest is {' or '.join(sorted(known[near[0]]))})" if near else ""
        raise ValueError(
            f"expected a formula or case with known answers, got {name!r}{hint}; `mstheft vectors "
            "list` shows them all"
        )
    meant = known[wanted]
    if len(meant) > 1:
        alike = " or ".join(sorted(meant))
        raise ValueError(f"expected one formula, but {name!r} can be {alike}; say which")
    return [case for case in _all() if {case.id, case.name} & meant]


@functools.cache
def _known() -> dict[str, set[str]]:
    """{what may be said: the formulas, or the case, that it means}."""
    known = {case.id: {case.id} for case in _all()}
    paths = [*table()["functions"].items()]
    paths += [(name, path) for path, name in table()["formerly"].items()]
    for name, path in paths:
        short = name.split("/")[1]
        for said in (name, short, short.replace("-", "_"), path, path.split(":")[1]):
            known.setdefault(said, set()).add(name)
    return known


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
        name=formula["name"],
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
