"""Filters stolen and passed: the share of changed messages and programs that gets through.

    MSTHEFT_DATA=… python tests/benchmarks/applications.py --out results/ [--only spam,mr,programs]

One filter of each kind, three thefts of it; the table of RESULTS.md and a figure for each kind. A
run that is ended goes on, cell by cell.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from results import FIGURES, aside, recorded

from mstheft.experiments import evasion
from mstheft.experiments.grid import Grid, run
from mstheft.plots.evasion import passed

REAL = ("mr",)
# data: (kind, ((filter, copy), …), what differs from the usual)
LARGE: dict[str, Any] = {"messages": 40, "words": 6, "rounds": 2, "epochs": 15, "patience": 5}
CASES = {
    "spam": (
        "spam",
        {
            ("text-bag", "text-bag"): {},
            ("text-cnn", "text-cnn"): LARGE | {"victim_epochs": 3},
        },
    ),
    "mr": ("spam", {("text-bag", "text-bag"): {"victim_epochs": 5}}),
    "programs": ("malware", {("mlp-64", "mlp-64"): {}, ("mlp-64", "softmax"): {}}),
}


def work(cell: dict[str, Any], scratch: Path) -> dict[str, Any]:
    said = {name: value for name, value in cell.items() if name != "kind"}
    settings = evasion.settings(cell["kind"], **said)
    _, _, found = evasion.evade(settings, scratch.parent / "victims")
    return {
        "accuracy": found.accuracy,
        "agreement": found.agreement,
        "queries": found.queries,
        "rows": len(found.before),
        "passed": {name: shares.tolist() for name, shares in found.passed.items()},
        "stopped": found.stopped,
        "made": found.made,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(CASES), help=f"some of {', '.join(CASES)}")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the cells")
    args = parser.parse_args()
    only = args.only.split(",")
    with recorded("applications", whole=only == list(CASES)) as record:
        print(
            "| data | filter, right | copy | queries | agreement | changed on the copy "
            "| at random | on the filter | stopped at the copy's pass |\n" + "|---" * 9 + "|"
        )
        record.whole = rows(only, args.out) and record.whole


def rows(only: list[str], out: Path) -> bool:
    """Print the rows. Did every theft come to its end?"""
    whole = True
    for data in only:
        kind, pairs = CASES[data]
        for i, ((victim, copy), other) in enumerate(pairs.items()):
            fixed = {"kind": kind, "data": data, "victim": victim, "copy": copy} | other
            outcome = run(Grid({"seed": [0, 1, 2]}, fixed), work, out)
            for cell, why in outcome.failed:
                aside(f"FAILED {cell}: {why}")
            whole = whole and not outcome.failed
            if outcome.done:
                found = [values for _, values in outcome.done]
                print(line(data, victim, copy, found), flush=True)
                if i == 0:
                    draw(data, found)
    return whole


def line(data: str, victim: str, copy: str, found: list[dict[str, Any]]) -> str:
    """A row of the table; shares after the last edit, mean and lowest to highest over the seeds."""
    last = {
        name: [each["passed"][name][-1] for each in found] for name in ("copy", "random", "filter")
    }
    stopped = [each["stopped"]["copy"] for each in found]
    right, made = found[0]["accuracy"], np.mean([each["made"] for each in found])
    name = f"{data} (real)" if data in REAL else data
    return (
        f"| {name} | {victim}, {right:.1%} | {copy} | {found[0]['queries']} | "
        f"{spread([each['agreement'] for each in found])} | "
        + " | ".join(spread(last[name]) for name in ("copy", "random", "filter"))
        + f" | {spread(stopped)}, after {made:.1f} edits |"
    )


def spread(values: list[float]) -> str:
    """62 % (55 to 70)."""
    low, high = 100 * min(values), 100 * max(values)
    return f"{100 * np.mean(values):.0f} % ({low:.0f} to {high:.0f})"


def draw(data: str, found: list[dict[str, Any]]) -> None:
    shares = {
        name: [each["passed"][name] for each in found] for name in ("filter", "copy", "random")
    }
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure = passed(shares).get_figure()
    figure.savefig(FIGURES / f"evasion-{data}.png", dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
