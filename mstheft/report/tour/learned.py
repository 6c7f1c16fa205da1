"""The chapters of a copy that learns, of who notices, and of what defends."""

from __future__ import annotations

import numpy as np

from mstheft.data import pools
from mstheft.defend.prada import Detector
from mstheft.experiments import tasks as victims
from mstheft.learning import active, jacobian
from mstheft.learning.stolen import Stolen
from mstheft.nn import Network, zoo
from mstheft.oracle import Oracle
from mstheft.report import pictures as figures
from mstheft.report import tables as report
from mstheft.report.tables import Chapter
from mstheft.report.tour import arena as finale
from mstheft.report.tour.digits import Digits, Setting, trained
from mstheft.report.tour.exact import numbers

LETTERS, ASKED = 3000, 800  # what a learned copy may ask about, and how much of it


def learned_copy(setting: Setting, digits: Digits) -> Chapter:
    """A copy that learns: unrelated pictures, labelled by the victim; and who notices."""
    victim = trained((setting.hidden,), digits, rng=np.random.default_rng([setting.seed, 7]))
    told = victim.labels(digits.x_test)
    letters = pools.pool("letters", (digits.side, digits.side), LETTERS, [setting.seed, 8])
    letters = letters.reshape(len(letters), -1)
    results, detectors = {}, {}
    for name in ("random", "k-center", "jacobian"):
        detectors[name] = Detector()
        oracle = Oracle(victim, output="probs", monitors=[detectors[name]])
        results[name] = _learn(name, oracle, letters, digits, setting, told)
    best = results["k-center"]
    return Chapter(
        "A copy that learns: ask about letters, learn the digits",
        [
            "Equations need to know what kind of network stands behind the counter. A thief who "
            "does not know can still let a network of his own learn from the answers. He has no "
            f"digits, only {LETTERS:,} drawn letters; he asks about {ASKED:,} of them and keeps "
            "the probabilities that come back.",
            "Which letters? Random ones, or in each round those that lie farthest from everything "
            "known so far in the eyes of the copy (k-center). The third attack has a few digits, "
            "and moves them along the copy's own gradients (Jacobian augmentation).",
            "A learned copy agrees most of the time and is never equal: compare its numbers with "
            "those of the chapters before.",
        ],
        [
            *figures.strategy_pictures(results, detectors),
            *(
                p
                for p in figures.learned_pictures(victim, best, digits.x_test)
                if p.name != "agreement"
            ),
        ],
        numbers(victim, best, digits, gauge=True),
        report.stage_rows(best),
    )


def _learn(
    name: str,
    oracle: Oracle,
    letters: np.ndarray,
    digits: Digits,
    setting: Setting,
    told: np.ndarray,
) -> Stolen:
    def new_copy() -> Network:
        return zoo.mlp([letters.shape[1], 64, 10], rng=[setting.seed, 9], dtype=np.float32)

    def judge(copy: Network) -> float:
        return float((copy.labels(digits.x_test) == told).mean())

    common = {"rng": setting.seed, "evaluate": judge, "epochs": 30, "batch": 50}
    if name == "jacobian":
        few = digits.x[:: len(digits.x) // (ASKED // 8)][: ASKED // 8]
        return jacobian.augment(oracle, few, new_copy, rounds=3, bounds=(0, 1), **common)  # type: ignore[arg-type]
    spend = {"budget": ASKED, "rounds": 4, "strategy": name}
    return active.steal(oracle, letters, new_copy, **spend, **common)  # type: ignore[arg-type]


def arena(setting: Setting, digits: Digits) -> Chapter:
    """The victim of the four steps behind one defence after the other."""
    victim = trained((setting.hidden,), digits, rng=np.random.default_rng([setting.seed, 5]))
    shape = -1, digits.side, digits.side, 1
    x, x_test = (each.reshape(shape).astype(np.float32) for each in (digits.x, digits.x_test))
    task = victims.Task(digits.name, x, digits.y, x_test, digits.y_test, "")
    return finale.chapter(victim, task, setting.seed)
