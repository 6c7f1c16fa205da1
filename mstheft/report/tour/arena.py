"""The last chapter of the tour: a small arena, attacks against what a service can do."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from mstheft.experiments.arena import match as fight
from mstheft.experiments.tasks import Task
from mstheft.nn import Network
from mstheft.nn.fit import accuracy
from mstheft.report import pictures as figures
from mstheft.report.tables import Chapter

LEARNS: dict[str, Any] = {"copy": "mlp-32", "budget": 300, "rounds": 2, "epochs": 20}
ATTACKS: dict[str, dict[str, Any]] = {
    "sweep": {"attack": "sweep"},
    "k-center": LEARNS | {"attack": "k-center", "pool_size": 600},
    "Jacobian": LEARNS | {"attack": "jbda"},
}
DEFENCES: dict[str, dict[str, Any]] = {
    "none": {},
    "2 decimals": {"decimals": 2},
    "noise": {"noise": {"scale": 0.1}},
    "labels only": {"output": "label"},
}
DETECTORS: dict[str, dict[str, Any]] = {"none": {}, "PRADA": {"delta": 0.9}}


def chapter(victim: Network, task: Task, seed: int) -> Chapter:
    """Three attacks, four defences, with and without a detector: who gets what.

    victim : behind every defence in turn;  task : digits that judge, and that honest users ask
    """
    found, rows = {}, []
    for name, attack in ATTACKS.items():
        for defence, says in DEFENCES.items():
            for detector, watches in DETECTORS.items():
                began = time.perf_counter()
                own = {"attack": attack, "defence": says, "detector": watches}
                values = fight.meet(own, task, victim, seed)
                found[name, defence, detector] = [values]
                took = time.perf_counter() - began
                what = f"{name}, {defence}" + (", watched" if watches else "")
                rows.append((what, f"{values['queries']:,}", f"{took:.2f}", _told(values)))
    copies = [v["agreement"] for (v,) in found.values() if v["agreement"] is not None]
    asked = sum(v["queries"] for (v,) in found.values())
    return Chapter(
        "The arena: every attack against every defence",
        [
            "So far nobody has defended the counter. A service can say less: round its numbers, or "
            "tell nothing but the class. It can add noise. Or it can look at the questions, and "
            "shut the door when they look like a thief's (PRADA).",
            "The exact attack needs exact answers: rounding or noise stops it, and its questions, "
            "so close to one another, are noticed after a hundred or so. The copies that learn may "
            "lose some of their agreement to noise and to labels, and are not stopped. The one "
            "that asks about letters is not even noticed; the one that grows its questions out of "
            "one another is.",
        ],
        list(figures.arena_pictures(found)),
        {
            "victim": "-".join(
                str(n) for n in [victim.inputs, *(len(b) for _, b in victim.dense())]
            ),
            "accuracy": f"{accuracy(victim, task.x_test, task.y_test):.1%}".replace("%", " %"),
            "queries": f"{asked:,}",
            "agreement": f"{100 * np.min(copies):.1f} to {100 * np.max(copies):.1f} %",
            "seconds": f"{sum(float(row[2]) for row in rows):.2f}",
        },
        rows,
    )


def _told(values: dict[str, Any]) -> str:
    """What came of a fight, in a line."""
    got = "no copy" if values["agreement"] is None else f"agrees on {values['agreement']:.1%}"
    seen = f", noticed after {values['noticed']:,}" if values["noticed"] is not None else ""
    return f"{got}{seen}; honest users: {values['honest']:.1%}"
