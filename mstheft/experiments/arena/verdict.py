"""Naive and adaptive side by side: does knowing the defence help the thief, by more than chance?

A pair is two attacks of an arena whose tables are the same but for `adapt`, at one defence and one
detector, with the same seeds. Its control is the same pair where nothing is defended: an adaptation
that gains as much there is a better attack, and no answer to the defence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mstheft.experiments.grid import Cell, Outcome

FEWEST = 3  # seeds for any verdict
Values = Mapping[int, float]  # of each seed
Key = tuple[str, str, str]  # attack, defence, detector


@dataclass(frozen=True)
class Pair:
    """A figure of the naive and of the adaptive thief, {seed: value}.

    way : the name of the adaptive attack
    control : the same two where nothing is defended; None where the arena has no such cells
    is_control : nothing is defended here
    """

    way: str
    defence: str
    detector: str
    naive: Values
    adaptive: Values
    control: tuple[Values, Values] | None = None
    is_control: bool = False

    @property
    def verdict(self) -> str:
        """'helps', 'hurts', 'helps as much undefended', 'not shown', or 'control'.

        With the gains of all seeds, of this pair and of its control: it helps if every gain is
        above 0 and above every gain of the control, and hurts if all are below.
        """
        if self.is_control:
            return "control"
        gains, undefended = gains_of(self.naive, self.adaptive), self.undefended_gains
        if min(len(gains), len(undefended)) < FEWEST:
            return "not shown"
        if min(gains) > max(0.0, max(undefended)):
            return "helps"
        if max(gains) < min(0.0, min(undefended)):
            return "hurts"
        return "helps as much undefended" if min(*gains, *undefended) > 0 else "not shown"

    @property
    def undefended_gains(self) -> np.ndarray:
        """adaptive - naive of the control, for each seed; empty where there is no control."""
        return gains_of(*(self.control or ({}, {})))


def gains_of(naive: Values, adaptive: Values) -> np.ndarray:
    """adaptive - naive, for the seeds that both have."""
    return np.array([adaptive[seed] - naive[seed] for seed in naive if seed in adaptive])


def pairs(outcome: Outcome, figure: str = "agreement") -> list[Pair]:
    """Every pair of the arena's cells, in the order of their defences. figure : of `run_match`."""
    values: dict[Key, dict[int, float]] = {}
    own: dict[Key, Cell] = {}
    for cell, measured in outcome.done:
        key = cell["attack"], cell["defence"], cell["detector"]
        own[key] = cell["own"]
        seeds = values.setdefault(key, {})
        if measured.get(figure) is not None:
            seeds[cell["seed"]] = float(measured[figure])
    found = []
    for key, tables in own.items():
        attack, logits = tables["attack"], tables["defence"].get("output") == "logits"
        bare: Cell = {"defence": {"output": "logits"} if logits else {}, "detector": {}}
        plain = {name: value for name, value in attack.items() if name != "adapt"}
        naive = _named(own, tables | {"attack": plain})
        if plain == attack or naive is None:
            continue
        first = _named(own, bare | {"attack": plain})
        # an estimate of what nobody has changed is the answer itself, so such cells are not run
        same = set(attack["adapt"]) == {"estimate"}
        second = first if same else _named(own, bare | {"attack": attack})
        control = (values[first], values[second]) if first and second else None
        alone = tables == bare | {"attack": attack}
        found.append(Pair(*key, values[naive], values[key], control, alone))
    order = list(dict.fromkeys(key[1:] for key in own))
    return sorted(found, key=lambda pair: order.index((pair.defence, pair.detector)))


def _named(own: Mapping[Key, Cell], tables: Cell) -> Key | None:
    """The names of the cells with these tables, if there are any."""
    return next((key for key, each in own.items() if each == tables), None)


def overview(found: list[Pair]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a table: naive and adaptive side by side, and the verdict."""
    head = ["defence", "detector", "adaptation", "naive", "adaptive", "gain undefended", "verdict"]
    rows = []
    for pair in found:
        gains = pair.undefended_gains
        undefended = f"{round(100 * gains.mean()):+d} points" if len(gains) else "-"
        shares = spread(pair.naive), spread(pair.adaptive)
        rows.append([pair.defence, pair.detector, pair.way, *shares, undefended, pair.verdict])
    return head, rows


def spread(values: Values) -> str:
    """'83 % (76 to 87)': mean, lowest and highest over seeds; 'no copy' without any."""
    shares = [100 * value for value in values.values()]
    if not shares:
        return "no copy"
    return f"{np.mean(shares):.0f} % ({min(shares):.0f} to {max(shares):.0f})"
