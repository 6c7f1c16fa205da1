"""All experiments on learned copies: compute what is missing, write tables and figures.

    MSTHEFT_DATA=… OPENBLAS_NUM_THREADS=1 python tests/benchmarks/experiments.py \
        --out results/ [--only images,texts] [--workers 2]

Each experiment is a TOML file in `experiments/` beside this one; its table is written there as CSV,
the figures to `tutorials/figures/`. A run that is ended goes on, cell by cell.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from mstheft.experiments import experiment as experiments
from mstheft.experiments.grid import Outcome
from mstheft.plots import detection, learning, style

HERE = Path(__file__).parent / "experiments"
FIGURES = Path(__file__).parents[2] / "tutorials" / "figures"
Rows = list[dict[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = sorted(path.stem for path in HERE.glob("*.toml"))
    parser.add_argument("--only", default=",".join(known), help=f"some of {', '.join(known)}")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the cells")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    args = parser.parse_args()
    for name in args.only.split(","):
        experiment = experiments.read(HERE / f"{name}.toml")
        pool = ProcessPoolExecutor(args.workers) if args.workers > 1 else contextlib.nullcontext()
        with pool as executor:
            outcome = experiments.compute(experiment, args.out, executor=executor)
        axes = list(experiment.grid.axes)
        path = HERE / f"{name}.csv"
        path.write_text(experiments.table(outcome, axes))
        print(f"\n**{experiment.title}.** Claim: {experiment.claim}\n")
        rows = list(csv.DictReader(path.read_text().splitlines()))
        print(summary(rows, [axis for axis in axes if axis != "seed"]), flush=True)
        for cell, why in outcome.failed:
            print(f"FAILED {experiment.grid.name(cell)}: {why}")
        if name in DRAWN:
            DRAWN[name](rows, name)
        if name == "prada" and not outcome.failed:
            noticed(outcome)


def last(rows: Rows, axes: list[str]) -> dict[tuple[str, ...], Rows]:
    """The last round of every cell, by its axes without the seed."""
    ends: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        ends[(*(row[axis] for axis in axes), row["seed"])] = row
    cells = defaultdict(list)
    for key, row in ends.items():
        cells[key[:-1]].append(row)
    return cells


def summary(rows: Rows, axes: list[str]) -> str:
    """A line for each cell: mean over seeds, lowest and highest."""
    names = ["final", "agreement", "accuracy", "prada_w", "transfer", "white_box", "noise"]
    names = [name for name in names if any(row[name] for row in rows)]
    lines = ["| " + " | ".join([*axes, "queries", *names]) + " |"]
    lines.append("|" + "---|" * (len(axes) + 1 + len(names)))
    for key, cell in last(rows, axes).items():
        texts = [spread([row[name] for row in cell], name == "prada_w") for name in names]
        lines.append("| " + " | ".join([*key, cell[0]["queries"], *texts]) + " |")
    return "\n".join(lines)


def spread(values: list[str], plain: bool) -> str:
    """0.712 (0.69 to 0.73), as a share in percent unless `plain`."""
    numbers = np.array([float(value) for value in values if value])
    if not len(numbers):
        return "-"
    if plain:
        return f"{numbers.mean():.3f} ({numbers.min():.3f} to {numbers.max():.3f})"
    low, high = 100 * numbers.min(), 100 * numbers.max()
    return f"{100 * numbers.mean():.1f} % ({low:.1f} to {high:.1f})"


def curves(rows: Rows, name: str) -> None:
    """Agreement against queries, a figure for each data set."""
    for data in dict.fromkeys(row.get("data", "mnist") for row in rows):
        found: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for row in rows:
            if row.get("data", "mnist") == data:
                point = float(row["queries"]), float(row["agreement"])
                found[row["strategy"]][row["seed"]].append(point)
        drawn = {}
        for strategy, seeds in found.items():
            points = np.array(list(seeds.values()))
            drawn[strategy] = points[0, :, 0], points[:, :, 1]
        ax = learning.agreement(drawn)
        ax.set_title(data, loc="left", fontsize="medium")
        save(ax, f"{name}-{data}")


def noticed(outcome: Outcome) -> None:
    """W against the number of queries for each attack, and two histograms of distances; seed 0."""
    first = {c["strategy"]: v["prada"] for c, v in outcome.done if c["seed"] == 0}
    histories = {name: (each["queries"], each["history"]) for name, each in first.items()}
    save(detection.over_queries(histories), "prada-w")
    for name in ("k-center", "jbda"):
        found = first[name]
        ax = detection.distances(found["distances"], w=found["w"])
        ax.set_title(name, loc="right", fontsize="medium")
        save(ax, f"prada-distances-{name}")


def transferred(rows: Rows, name: str) -> None:
    """Share of adversarial examples that transfer, against agreement."""
    ax = style.bare(style.axes(None, (5.6, 3.8)))
    for cell in last(rows, ["budget"]).values():
        for row in cell:
            ax.plot(float(row["final"]), float(row["transfer"]), "o", color=style.COPY)
            ax.plot(float(row["final"]), float(row["noise"]), "o", color=style.QUIET)
    ax.set_xlabel("agreement of the copy with the victim (share of test rows)")
    ax.set_ylabel("share that fools the victim")
    style.note(ax, 0.02, 0.95, "examples made on the copy", color=style.COPY)
    style.note(ax, 0.02, 0.88, "noise of the same size", color=style.QUIET)
    save(ax, name)


def save(ax: object, name: str) -> None:
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure = ax.get_figure()  # type: ignore[attr-defined]
    figure.savefig(FIGURES / f"{name}.png", dpi=110, bbox_inches="tight")


DRAWN = {
    "images": curves,
    "images10000": curves,
    "texts": curves,
    "transfer": transferred,
}

if __name__ == "__main__":
    main()
