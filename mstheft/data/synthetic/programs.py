"""Programs as a virus scanner sees them without running them: which features a file has.

    1 or 0 for each import, section and string in `FEATURES`       -> harmless (0) or malicious (1)

A program has abilities (`ABILITIES`: it shows windows, it encrypts, it reads keys …), and each
ability leaves some of its traces in the file. What a program is makes some abilities likely
(`KINDS`). Nothing here can run: a program is a row of zeros and ones.

Features can be put into a file without changing what it does (an import that is never called, a
section that is never read), and not so easily be taken out. So an author who wants a program to
be overlooked adds features.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mstheft.data.synthetic.clouds import Cloud, labels
from mstheft.files import read_toml
from mstheft.typing import Rng

_TABLE = read_toml(Path(__file__).with_name("programs.toml"))
ABILITIES = _TABLE["abilities"]  # {ability: its traces in a file}
KINDS = _TABLE["harmless"], _TABLE["malicious"]  # {kind: {ability besides "run": probability}}
_RARELY = 0.04  # probability of an ability that a kind does not name
_PROPER, _PACKED = (0.9, 0.35), (0.08, 0.4)  # harmless, malicious
_TRACE = 0.65  # of an ability's features that show up
_STRAY = 0.02  # of all others
_SEEN_THROUGH = 0.5  # of its traces that a packed file still shows

_OF = {name: tuple(re.findall(r'"[^"]*"|\S+', traces)) for name, traces in ABILITIES.items()}
FEATURES = tuple(dict.fromkeys(trace for traces in _OF.values() for trace in traces))
_ROWS = {name: np.isin(FEATURES, traces) for name, traces in _OF.items()}


def programs(n: int, *, rng: Rng) -> Cloud:
    """Make up programs of fourteen kinds, eight of them harmless.

    A packed file hides most of its features. Debuggers and help from afar resemble malice, and some
    downloaders resemble installers, so no classifier gets all of them right.

    n : number of programs;  rng : Generator or int seed
    Returns x (n, d) float32 of 0 and 1, d = len(FEATURES), and y (n,) int64: 0 harmless, 1
    malicious, both equally frequent.
    """
    rng = np.random.default_rng(rng)
    y = labels(n, 2, rng)
    return np.stack([_program(int(k), rng) for k in y]).astype(np.float32), y


def _program(label: int, rng: np.random.Generator) -> np.ndarray:
    """One row of 0 and 1."""
    likely = list(KINDS[label].values())
    chances = likely[int(rng.integers(len(likely)))]
    chances = chances | {"run": 1.0, "built properly": _PROPER[label], "packed": 0.0}
    shown = rng.random(len(FEATURES)) < _STRAY  # (d,) of True where the file has a feature
    for name, row in _ROWS.items():
        if rng.random() < chances.get(name, _RARELY):
            shown |= row & (rng.random(len(FEATURES)) < _TRACE)
    if rng.random() < _PACKED[label]:
        shown &= rng.random(len(FEATURES)) < _SEEN_THROUGH
        shown |= _ROWS["packed"] & (rng.random(len(FEATURES)) < _TRACE)
    return shown
