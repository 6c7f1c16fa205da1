"""The pictures of copies that learn, and of detectors."""

from collections.abc import Iterator

import numpy as np

from mstheft.defend.prada import Detector
from mstheft.learning.result import LearnedResult
from mstheft.nn import Network
from mstheft.plots import detection, learning, style
from mstheft.report.formatting import WIDE, Picture
from mstheft.report.pictures.captions import captioned


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
        yield captioned(
            "learned.agreement", learning.agreement({"this copy": curve}, style.axes(size=WIDE))
        )
    counts = np.zeros((max(2, victim.outputs),) * 2, int)
    np.add.at(counts, (victim.labels(x), result.model.labels(x)), 1)
    yield captioned("learned.confusion", learning.confusion(counts, style.axes(size=(5.2, 4.8))))
    if pool is not None and result.model.outputs > 2:
        yield captioned(
            "learned.output_space", learning.output_space(result.model.probs(pool), result.chosen)
        )


def strategy_pictures(
    results: dict[str, LearnedResult], detectors: dict[str, Detector]
) -> Iterator[Picture]:
    """Several attacks side by side: agreement, and whether PRADA would have noticed."""
    curves = {name: (each.of("queries"), each.of("agreement")) for name, each in results.items()}
    yield captioned("learned.strategies", learning.agreement(curves, style.axes(size=WIDE)))
    histories = {name: each.history for name, each in detectors.items()}
    yield captioned("learned.noticed", detection.over_queries(histories, style.axes(size=WIDE)))
