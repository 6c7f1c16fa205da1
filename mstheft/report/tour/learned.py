"""The chapter of a copy that learns, and of the detector that notices it."""

import numpy as np

from mstheft.data import pools
from mstheft.defend.prada import Detector
from mstheft.experiments.tasks import Task, dense_victim
from mstheft.learning import active, jacobian
from mstheft.learning.result import LearnedResult
from mstheft.nn import Network, zoo
from mstheft.oracle import Oracle
from mstheft.report import pictures
from mstheft.report.formatting import Chapter
from mstheft.report.tour.exact import Setting, chapter
from mstheft.report.tour.words import words
from mstheft.typing import Array

LETTERS, BUDGET = 3000, 800  # rows of the pool, and queries


def learned_copy(setting: Setting, digits: Task) -> Chapter:
    """A copy that learns from unrelated pictures, labelled by the victim, and its detection."""
    victim, rows = dense_victim(digits, (setting.hidden,), rng=[setting.seed, 7]), digits.flat()
    letters = pools.pool("letters", digits.shape[:2], LETTERS, [setting.seed, 8])
    letters = letters.reshape(len(letters), -1)
    results, detectors = {}, {}
    for name in ("random", "k-center", "jacobian"):
        detectors[name] = Detector()
        oracle = Oracle(victim, output="probs", monitors=[detectors[name]])
        results[name] = _learn(name, oracle, letters, rows, setting, victim.labels(rows.x_test))
    best = results["k-center"]
    learned = pictures.learned_pictures(victim, best, rows.x_test)
    figures = [
        *pictures.strategy_pictures(results, detectors),
        *(each for each in learned if each.name != "agreement"),
    ]
    text = words("learned_copy", letters=LETTERS, budget=BUDGET)
    return chapter(text, figures, victim, best, digits, gauge=True)


def _learn(
    name: str, oracle: Oracle, letters: Array, digits: Task, setting: Setting, labels: np.ndarray
) -> LearnedResult:
    def new_copy() -> Network:
        return zoo.mlp([letters.shape[1], 64, 10], rng=[setting.seed, 9], dtype=np.float32)

    def judge(copy: Network) -> float:
        return float((copy.labels(digits.x_test) == labels).mean())

    common = {"rng": setting.seed, "evaluate": judge, "epochs": 30, "batch": 50}
    if name == "jacobian":
        seeds = digits.x[:: len(digits.x) // (BUDGET // 8)][: BUDGET // 8]
        return jacobian.extract(oracle, seeds, new_copy, rounds=3, bounds=(0, 1), **common)  # type: ignore[arg-type]
    spend = {"budget": BUDGET, "rounds": 4, "strategy": name, "patience": 10}
    return active.extract(oracle, letters, new_copy, **spend, **common)  # type: ignore[arg-type]
