"""The pictures of copies that learn, and of detectors."""

from collections.abc import Iterator

import numpy as np

from mstheft.defend.prada import Detector
from mstheft.learning.result import LearnedResult
from mstheft.nn import Network
from mstheft.plots import detection, learning, style
from mstheft.report.tables import WIDE, Picture, picture


def learned_pictures(
    victim: Network, result: LearnedResult, x: np.ndarray, pool: np.ndarray | None = None
) -> Iterator[Picture]:
    """The figures of `learning`: agreement round by round, and what is confused on rows x.

    pool : (n, d); with it also the chosen rows in the output space of the copy
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
        "Rows are labels of the victim, columns of the copy; off the diagonal they differ.",
    )
    if pool is not None and result.model.outputs > 2:
        yield picture(
            "output_space",
            learning.output_space(result.model.probs(pool), result.chosen),
            "Grey dots inside a ring of classes, and in colour those that each round chose.",
            "The pool in the copy's eyes: sure of the rows in a corner, undecided between two "
            "corners. In colour the rows that each round queried.",
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
        "PRADA measures the distance of each query to the nearest one before it. Distances in a "
        "bell curve give W near 1. An attack that makes queries out of its own earlier ones gives "
        "a lower W.",
    )
