"""Six pages to drag: each is one HTML file that loads nothing and obeys mouse, finger and keys.

PAGES         name -> title, words, and the figures of the lesson that it replays
page, write   one page as text; all of them as files
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from mstheft import nn
from mstheft.report.page import STYLE
from mstheft.typing import Array

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Draggable:
    """lesson : its number; try_this : what to drag, and what to look for"""

    lesson: int
    title: str
    try_this: str
    data: Callable[[], dict[str, object]]


def page(name: str) -> str:
    """One page, whole: style, script and figures are inside it."""
    one = PAGES[name]
    style = STYLE + (HERE / "draggable.css").read_text(encoding="utf-8")
    script = "".join((HERE / f"{part}.js").read_text(encoding="utf-8") for part in ("lib", name))
    data = json.dumps(_plain(one.data())).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{escape(one.title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>{escape(one.title)}</h1>
<p>{escape(one.try_this)}</p>
<div id="controls"></div>
<p id="readout" role="status"></p>
<div id="stage"></div>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def write(folder: Path) -> list[Path]:
    """All pages as `folder`/NAME.html."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.html" for name in PAGES]
    for path in paths:
        path.write_text(page(path.stem), encoding="utf-8")
    return paths


def _plain(data: dict[str, object]) -> dict[str, object]:
    return {k: v.round(12).tolist() if isinstance(v, np.ndarray) else v for k, v in data.items()}


def _line() -> dict[str, object]:
    (A0, b0), (A1, b1) = nn.zoo.mlp([2, 5, 1], bias=0.9, rng=4).dense()
    return {
        "A0": A0,
        "b0": b0,
        "A1": 0.6 * A1[0],
        "b1": float(b1[0]),
        "u": np.array([-0.5, -1.0]),
        "v": np.array([0.9, 0.7]),
    }


def _step() -> dict[str, object]:
    return {"slopes": [0.8, 1.1, -0.7, 0.5], "kinks": [0.0, 0.61, -0.9, 1.4]}


def _decimals() -> dict[str, object]:
    """The errors are the median of 200 draws of three queries, for each number of decimals."""
    w, b, rng = np.array([1.3, -0.8]), 0.4, np.random.default_rng(2)
    x = rng.uniform(-1.5, 1.5, size=(200, 3, 2))
    A = np.concatenate([x, np.ones((200, 3, 1))], axis=2)
    exact = 1 / (1 + np.exp(-(x @ w + b)))
    errors = []
    for decimals in range(1, 17):
        p = exact.round(decimals).clip(1e-16, 1 - 1e-16)
        copies = np.linalg.solve(A, np.log(p / (1 - p))[:, :, None])[:, :, 0]
        miss = np.abs(copies - [*w, b]).max(axis=1)
        errors.append([decimals, float(np.median(miss))])
    queries = np.array([[-1.0, 0.5], [1.2, 1.0], [0.3, -1.4]])
    return {"w": w, "b": b, "queries": queries, "errors": errors}


def _kcenter() -> dict[str, object]:
    rng = np.random.default_rng(10)
    centres = np.array([[-2.2, -1.5], [2.0, -2.0], [0.3, 2.2]])
    pool = np.concatenate([c + 0.75 * rng.normal(size=(45, 2)) for c in centres])
    return {"pool": pool.clip(-3.9, 3.9).round(3), "first": 0}


def _prada() -> dict[str, object]:
    rng = np.random.default_rng(14)
    side = np.linspace(-3.5, 3.5, 14)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    honest: Array = rng.normal(size=(200, 20)).clip(-3.9, 3.9)
    return {"honest": honest.round(2), "grid": grid.round(3)}


def _pate() -> dict[str, object]:
    draws = np.random.default_rng(15).normal(size=(1000, 4)).round(4)
    return {"votes": [148, 62, 25, 15], "labels": ["3", "8", "5", "9"], "draws": draws}


PAGES = {
    "line": Draggable(
        4,
        "Walk along a line through a patchwork",
        "Drag the two points: the walk turns, its kinks move, and the staircase of slopes "
        "follows. Can you make a kink disappear, or two of them meet?",
        _line,
    ),
    "step": Draggable(
        5,
        "How long a step?",
        "Move the step of the second difference. Where does it cross the next kink, and where does "
        "rounding win? Then give the answers fewer digits.",
        _step,
    ),
    "decimals": Draggable(
        8,
        "What decimals hide",
        "Three queries steal a logistic regression. Take decimals away, then drag the queries: "
        "which places keep the copy right?",
        _decimals,
    ),
    "kcenter": Draggable(
        10,
        "Greedy k-center, pick by pick",
        "Add picks one by one. Before each, guess which point comes next. Click on another point "
        "to begin there.",
        _kcenter,
    ),
    "prada": Draggable(
        14,
        "Drawn in front of PRADA",
        "Honest rows have 20 coordinates, of which two are shown. Draw a stream of your own: it "
        "changes these two of one row. Can you raise the alarm? Can you avoid it?",
        _prada,
    ),
    "pate": Draggable(
        15,
        "The bill of PATE",
        "Drag the votes and move the noise: when is the label still right, and what do a thousand "
        "answers cost?",
        _pate,
    ),
}
