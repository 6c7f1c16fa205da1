"""The pictures of copies that learn, and of who notices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mstheft.defend.prada import Detector
from mstheft.learning.result import LearnedResult
from mstheft.nn import Network
from mstheft.plots import detection, learning, style
from mstheft.report.tables import Picture, picture

WIDE = (5.0, 3.4)  # inches: small, so that words stay readable on a phone


def learned_pictures(
    victim: Network, result: LearnedResult, x: np.ndarray, pool: np.ndarray | None = None
) -> Iterator[Picture]:
    """The figures of `learning`: agreement round by round, and what is confused on rows x.

    pool : with it also where the chosen rows lie in the eyes of the copy
    """
    if not result.curve or result.model is None:
        return
    judged = [p for p in result.curve if "agreement" in p.evaluated]
    if judged:
        curve = [p.queries for p in judged], [p.evaluated["agreement"] for p in judged]
        yield picture(
            "agreement",
            learning.agreement({"this copy": curve}, style.axes(size=WIDE)),
            "A curve that rises with the number of queries.",
            "The share of unseen rows on which copy and victim give the same label, after each "
            "round of questions. The test rows choose nothing: the thief does not have them.",
        )
    counts = np.zeros((max(2, victim.outputs),) * 2, int)
    np.add.at(counts, (victim.labels(x), result.model.labels(x)), 1)
    yield picture(
        "confusion",
        learning.confusion(counts, style.axes(size=(5.2, 4.8))),
        "A table of classes by classes, dark along its diagonal.",
        "Rows are what the victim says, columns what the copy says; off the diagonal they differ.",
    )
    if pool is not None and result.model.outputs > 2:
        yield picture(
            "output_space",
            learning.output_space(result.model.probs(pool), result.chosen),
            "Grey dots inside a ring of classes, and in colour those that each round chose.",
            "The pool as the copy sees it: in a corner lies what it is sure of, between two "
            "corners what it takes for half of each. In colour what each round asked.",
        )


def strategy_pictures(
    results: dict[str, LearnedResult], detectors: dict[str, Detector]
) -> Iterator[Picture]:
    """Several attacks side by side: agreement, and whether PRADA would have noticed."""
    curves = {name: (each.of("queries"), each.of("agreement")) for name, each in results.items()}
    yield picture(
        "strategies",
        learning.agreement(curves, style.axes(size=WIDE)),
        "Curves of agreement against queries, one for each way to choose them.",
        "The same budget, spent on rows chosen in different ways.",
    )
    histories = {name: each.history for name, each in detectors.items()}
    yield picture(
        "noticed",
        detection.over_queries(histories, style.axes(size=WIDE)),
        "Curves of W against the number of queries, and a dashed line below which there is alarm.",
        "PRADA looks at how far each query lies from the nearest one before it. Distances that "
        "look like a bell curve give W near 1. An attack that grows its queries out of one another "
        "does not.",
    )
