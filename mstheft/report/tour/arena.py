"""The last chapter of the tour: a small arena, attacks against the defences of a service."""

import itertools
import time
from typing import Any

import numpy as np

from mstheft.experiments.arena.match import run_match
from mstheft.experiments.tasks import Task
from mstheft.nn.fit import accuracy
from mstheft.report import pictures
from mstheft.report.formatting import Chapter
from mstheft.report.tour.exact import Setting, relu_victim, widths
from mstheft.report.tour.words import words

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


def arena(setting: Setting, digits: Task) -> Chapter:
    """Three attacks on the victim of the four steps, four defences, with and without a detector."""
    victim, task = relu_victim(setting, digits), digits.astype(np.float32)
    matches, rows = {}, []
    for names in itertools.product(ATTACKS, DEFENCES, DETECTORS):
        began = time.perf_counter()
        attack, defence, detector = names
        own = {"attack": ATTACKS[attack], "defence": DEFENCES[defence]}
        values = run_match(own | {"detector": DETECTORS[detector]}, task, victim, setting.seed)
        matches[names] = [values]
        took = time.perf_counter() - began
        what = f"{attack}, {defence}" + (", watched" if DETECTORS[detector] else "")
        rows.append((what, f"{values['queries']:,}", f"{took:.2f}", _outcome(values)))
    copies = [v["agreement"] for (v,) in matches.values() if v["agreement"] is not None]
    queries = sum(v["queries"] for (v,) in matches.values())
    return Chapter(
        *words("arena"),
        list(pictures.arena_pictures(matches)),
        {
            "victim": widths(victim),
            "accuracy": f"{accuracy(victim, task.x_test, task.y_test):.1%}".replace("%", " %"),
            "queries": f"{queries:,}",
            "agreement": f"{100 * np.min(copies):.1f} to {100 * np.max(copies):.1f} %",
            "seconds": f"{sum(float(row[2]) for row in rows):.2f}",
        },
        rows,
    )


def _outcome(values: dict[str, Any]) -> str:
    """The outcome of a match in a line."""
    got = "no copy" if values["agreement"] is None else f"agrees on {values['agreement']:.1%}"
    seen = f", noticed after {values['noticed']:,}" if values["noticed"] is not None else ""
    return f"{got}{seen}; honest users: {values['honest']:.1%}"
