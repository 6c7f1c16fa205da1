"""What the file of an arena may say."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mstheft.experiments import learned_theft as thefts
from mstheft.experiments import tasks as victims
from mstheft.experiments.arena import match as fight
from mstheft.experiments.grid import Cell
from mstheft.learning import active, strategies
from mstheft.oracle import Oracle
from mstheft.oracle.oracle import OUTPUTS

VICTIM = ("data", "victim", "victim_epochs")
LEARNED = (*strategies.STRATEGIES, "jbda")
TOLD = {"output": str, "decimals": int, "top": int}  # Oracle's own ways to say less


def parts(said: Mapping[str, Any]) -> dict[str, Any]:
    """{'attack': …, 'defence': …, 'detector': …, 'victim': …}: the tables of an arena, checked.

    Each attack and each defence is tried on its own, as far as it can be on a single row: what
    cannot be is told now, and not by every cell after its victim is trained.
    Raises ValueError that names the table.
    """
    found: dict[str, Any] = {axis: _tables(said, f"{axis}s", rule) for axis, rule in _RULES.items()}
    found["victim"] = _victim(said.get("victim", {}))
    task = thefts.load(found["victim"]["data"])
    network = thefts.architecture(found["victim"]["victim"], task, 0)
    row = task.x_test[:1].reshape(1, -1)
    for word, attack in found["attack"].items():
        with _named("attacks", word):
            _try_attack(attack, task, row)
    for word, defence in found["defence"].items():
        with _named("defences", word):
            Oracle(network, **fight.answers_of(defence, task, 0)).query(row)
    return found


@contextlib.contextmanager
def _named(table: str, word: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError) as error:
        raise ValueError(f"[{table}.{word}]: {error}") from error


def _tables(said: Mapping[str, Any], name: str, check: Any) -> dict[str, dict[str, Any]]:
    tables = said.get(name, {})
    if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
        raise ValueError(f"expected tables [{name}.NAME], got {tables!r}; write them so")
    if not tables:
        raise ValueError(f"expected at least one table [{name}.NAME], got none; add one")
    for word, settings in tables.items():
        with _named(name, word):
            check(settings)
    return {str(word): dict(settings) for word, settings in tables.items()}


def _victim(said: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(said, Mapping):
        raise ValueError(f"expected one table [victim], got {said!r}; write it so")
    _kinds(said, VICTIM)
    cell = thefts.SETTINGS | dict(said)
    thefts.architecture(_known(cell["victim"]), thefts.load(cell["data"]), 0)
    return {name: cell[name] for name in VICTIM}


def _known(word: str) -> str:
    if word == "usual":
        raise ValueError("expected [victim] with victim as a network, such as mlp-32; name one")
    return word


def _attack(said: Mapping[str, Any]) -> None:
    word = said.get("attack")
    if word not in (*fight.DIRECT, *LEARNED):
        raise ValueError(
            f"expected attack as one of {', '.join((*fight.DIRECT, *LEARNED))}, got {word!r}"
        )
    others = set(thefts.SETTINGS) - {*VICTIM, "strategy", "output", "seed", "transfer", "delta"}
    names = others if word in LEARNED else {"budget", "test"}
    _kinds({name: value for name, value in said.items() if name != "attack"}, names)
    for name, value in said.items():
        if type(value) is int and value < (name != "candidates"):
            raise ValueError(f"expected {name} of at least 1, got {value}; raise it")


def _defence(said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        if name in TOLD:
            if type(value) is not TOLD[name]:
                raise ValueError(f"expected {name} as {TOLD[name].__name__}, got {value!r}")
            if name == "output" and value not in OUTPUTS:
                raise ValueError(f"expected output as one of {', '.join(OUTPUTS)}, got {value!r}")
        elif name not in fight.RESPONSES or not isinstance(value, dict):
            known = ", ".join((*TOLD, *fight.RESPONSES))
            raise ValueError(f"expected {known}, the last as tables, got {name} = {value!r}")
        else:
            _response(name, value)


def _response(name: str, given: Mapping[str, Any]) -> None:
    """All settings that the function needs, and no others."""
    takes = list(inspect.signature(fight.RESPONSES[name]).parameters.values())[1:]
    known = {each.name: each.default for each in takes if each.name not in fight.SUPPLIED}
    needed = {word for word, default in known.items() if default is inspect.Parameter.empty}
    if given.keys() - known.keys() or needed - given.keys():
        raise ValueError(
            f"expected {name} with {', '.join(known)}, got {', '.join(given) or 'nothing'}; "
            "correct it"
        )
    for word, value in given.items():
        flag = isinstance(known[word], bool)
        if type(value) not in ((bool,) if flag else (int, float)):
            kind = "true or false" if flag else "a number"
            raise ValueError(f"expected {word} of {name} as {kind}, got {value!r}; correct it")


def _try_attack(said: Cell, task: victims.Task, row: np.ndarray) -> None:
    if said["attack"] in fight.DIRECT:
        return
    cell = thefts.SETTINGS | thefts.usual(task) | said
    thefts.architecture(cell["copy"], task, 0)
    if said["attack"] == "jbda":
        rng = np.random.default_rng(0)
        thefts.few_of_each(task, cell["budget"], cell["rounds"], rng)
        return
    active.shares(cell["budget"], cell["rounds"])
    rows = thefts.thief_rows(cell | {"pool_size": 1}, task)
    if rows.shape[1] != row.shape[1]:
        raise ValueError(
            f"expected a pool of rows with {row.shape[1]} numbers, got {rows.shape[1]} in "
            f"{cell['pool']!r}; name another"
        )


def _detector(said: Mapping[str, Any]) -> None:
    delta = said.get("delta", 0.9)
    if said.keys() - {"delta"} or type(delta) is not float or not 0 < delta < 1:
        raise ValueError(f"expected delta from 0 to 1 or nothing, got {dict(said)}; correct it")


def _kinds(said: Mapping[str, Any], allowed: Any) -> None:
    """Known names, and values of the kind that the usual ones have."""
    for name, value in said.items():
        if name not in allowed:
            raise ValueError(f"expected {', '.join(sorted(allowed))}, got {name}; correct it")
        if type(value) is not type(thefts.SETTINGS[name]):
            usual = thefts.SETTINGS[name]
            raise ValueError(f"expected {name} like {usual!r}, got {value!r}; correct it")


_RULES = {"attack": _attack, "defence": _defence, "detector": _detector}
