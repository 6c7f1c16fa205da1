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

# Traces of each ability: imports by name, sections with a dot, strings in quotation marks.
ABILITIES = read_toml(Path(__file__).with_name("abilities.toml"))
# Probability of each ability besides "run"; what is not named has `_RARELY`.
KINDS: dict[str, tuple[int, dict[str, float]]] = {
    "editor": (0, {"windows": 0.95, "files": 0.9, "printing": 0.7, "registry": 0.5}),
    "game": (0, {"drawing": 0.95, "sound": 0.9, "threads": 0.7, "network": 0.4, "hides": 0.3}),
    "browser": (0, {"windows": 0.9, "network": 0.95, "crypto": 0.8, "threads": 0.8, "steals": 0.3}),
    "installer": (0, {"files": 0.9, "registry": 0.9, "updates": 0.8, "processes": 0.6}),
    "backup": (0, {"files": 0.95, "crypto": 0.8, "network": 0.6, "services": 0.5, "extorts": 0.2}),
    "driver tool": (0, {"services": 0.95, "registry": 0.7, "windows": 0.5, "starts again": 0.5}),
    "remote help": (0, {"network": 0.9, "windows": 0.8, "reads keys": 0.6, "processes": 0.6}),
    "debugger": (0, {"processes": 0.9, "injects": 0.7, "windows": 0.8, "hides": 0.4}),
    "ransomware": (1, {"files": 0.9, "crypto": 0.9, "extorts": 0.8, "starts again": 0.4}),
    "keylogger": (1, {"reads keys": 0.9, "files": 0.6, "network": 0.6, "starts again": 0.7}),
    "downloader": (1, {"network": 0.9, "updates": 0.5, "processes": 0.7, "starts again": 0.6}),
    "banker": (1, {"injects": 0.8, "steals": 0.8, "network": 0.8, "hides": 0.5}),
    "miner": (1, {"mines": 0.85, "threads": 0.8, "network": 0.6, "services": 0.4}),
    "worm": (1, {"network": 0.9, "files": 0.7, "starts again": 0.7, "processes": 0.5}),
}
_RARELY = 0.04
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
    likely = [chances for k, chances in KINDS.values() if k == label]
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
