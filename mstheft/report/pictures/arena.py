"""The pictures of an arena: a heat map for each detector, and naive beside adaptive thieves."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mstheft.experiments.arena.verdict import Pair
from mstheft.plots.arena import heat, side_by_side
from mstheft.report.formatting import Picture
from mstheft.report.pictures.captions import captioned

Values = Mapping[str, Any]


def arena_pictures(groups: Mapping[tuple[str, str, str], Sequence[Values]]) -> Iterator[Picture]:
    """Agreement by attack and defence, for each detector.

    groups : the values of all seeds by (attack, defence, detector), as `arena.grouped` gives them
    """
    attacks, defences, detectors = (
        list(dict.fromkeys(names)) for names in zip(*groups, strict=True)
    )
    for detector in detectors:
        cells = [[groups.get((a, d, detector), ()) for d in defences] for a in attacks]
        shares = [[_mean(values, "agreement") for values in row] for row in cells]
        alarms = [[_alarm(values) for values in row] for row in cells]
        columns = zip(*cells, strict=True)
        honest = [_mean([v for values in column for v in values], "honest") for column in columns]
        ax = heat(shares, attacks, defences, noticed=alarms, honest=honest)
        ax.set_title(f"detector: {detector}", loc="left", fontsize="medium")
        file = "arena-" + re.sub(r"\W+", "_", detector)
        yield captioned("arena.agreement", ax, file, detector=detector)


def adaptive_picture(pairs: Sequence[Pair]) -> Picture:
    """The naive and the adaptive thief of each pair. Before a detector its name is written too."""
    names = [
        pair.defence + (f", {pair.detector}" if pair.detector != "none" else "") for pair in pairs
    ]
    shares = [[list(values.values()) for values in (p.naive, p.adaptive)] for p in pairs]
    naive, adaptive = zip(*shares, strict=True)
    ax = side_by_side(names, naive, adaptive, [pair.way for pair in pairs])
    return captioned("arena.adaptive", ax, "arena-adaptive")


def _mean(values: Sequence[Values], name: str) -> float:
    present = [each[name] for each in values if each[name] is not None]
    return float(np.mean(present)) if present else float("nan")


def _alarm(values: Sequence[Values]) -> str:
    after = [each["noticed"] for each in values if each["noticed"] is not None]
    if not after:
        return ""
    some = f" ({len(after)} of {len(values)})" if len(after) < len(values) else ""
    return f"alarm at {np.mean(after):,.0f}{some}"
