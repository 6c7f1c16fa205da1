"""All experiments on learned copies: compute what is missing, write tables and figures.

    MSTHEFT_DATA=… OPENBLAS_NUM_THREADS=1 python tests/benchmarks/experiments.py \
        --out results/ [--only images,texts] [--workers 2]

Each experiment is a TOML file in `experiments/` beside this one; its table is written there as
CSV, the figures to `tutorials/figures/`, and the table of RESULTS.md is made from the CSV. A run
that is ended goes on, cell by cell.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import re
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from results import FIGURES, aside, percent, table, write

from mstheft.experiments import experiment as experiments
from mstheft.experiments.grid import Outcome
from mstheft.plots import detection, learning, style

HERE = Path(__file__).parent / "experiments"
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
        print(TABLES[name](rows), flush=True)
        for cell, why in outcome.failed:
            aside(f"FAILED {experiment.grid.name(cell)}: {why}")
        if not outcome.failed:
            write(name, TABLES[name](rows))
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


# ---- tables

NAMES = {
    "mnist": "MNIST", "cifar10": "CIFAR-10", "gtsrb": "GTSRB",
    "mr": "MR", "ag-news": "AG News", "imdb": "IMDB",
    "dfal": "DFAL", "dfal+k-center": "DFAL+k-center", "jbda": "Jacobian augmentation",
    "traffic": "ordinary test traffic", "probs": "probabilities", "label": "labels",
}  # fmt: skip


def pivot(
    rows: Rows, line: str, column: str, *, head: Callable[[str], str] = str, first: str = ""
) -> str:
    """Final agreement: a line for each value of one axis, a column for each of another."""
    cells = last(rows, [line, column])
    lines, columns = (list(dict.fromkeys(key[i] for key in cells)) for i in (0, 1))
    body = [[head(a), *(percent(finals(cells[a, b])) for b in columns)] for a in lines]
    return table([first or line, *map(head, columns)], body)


def finals(cell: Rows, name: str = "final") -> list[float]:
    return [float(row[name]) for row in cell if row[name]]


def named(value: str) -> str:
    return NAMES.get(value, value)


def images(rows: Rows) -> str:
    return pivot(rows, "strategy", "data", head=named)


def texts(rows: Rows) -> str:
    return images(rows).replace("| noise |", "| noise (random words) |")


def images10000(rows: Rows) -> str:
    cells = last(rows, ["strategy"])
    body = [[name, percent(finals(cell))] for (name,), cell in cells.items()]
    return table(["strategy", "agreement at 10,000 queries"], body)


def rounds(rows: Rows) -> str:
    def head(value: str) -> str:
        return f"{value} round{'' if value == '1' else 's'}" if value.isdigit() else value

    return pivot(rows, "strategy", "rounds", head=head)


def outputs(rows: Rows) -> str:
    cells = last(rows, ["data", "strategy", "output"])
    kinds = list(dict.fromkeys(key[2] for key in cells))
    body = [
        [*pair, *(percent(finals(cells[(*pair, kind)])) for kind in kinds)]
        for pair in dict.fromkeys(key[:2] for key in cells)
    ]
    return table(["victim", "strategy", *map(named, kinds)], body)


def architectures(rows: Rows) -> str:
    return pivot(rows, "victim", "copy").replace("| text", "| copy: text", 2)


def blocks(rows: Rows) -> str:
    def head(value: str) -> str:
        number = value.removeprefix("cnn-")
        return f"{number} block{'' if number == '1' else 's'}"

    first, *others = pivot(rows, "victim", "copy", head=head).split("\n")
    return "\n".join([re.sub(r"(\d blocks?)", r"copy: \1", first), *others])


def transfer(rows: Rows) -> str:
    body = [
        [
            f"{int(budget):,}",
            *(percent(finals(cell, name)) for name in ("final", "transfer", "noise")),
        ]
        for (budget,), cell in last(rows, ["budget"]).items()
    ]
    return table(["queries", "agreement", "fool the victim", "noise of the same size"], body)


def prada(rows: Rows) -> str:
    body = []
    for (name,), cell in last(rows, ["strategy"]).items():
        agreement, alarms = finals(cell), finals(cell, "prada_alarm")
        body.append([
            named(name),
            f"{100 * np.mean(agreement):.1f} %" if agreement else "-",
            f"{np.mean(finals(cell, 'prada_w')):.3f}",
            f"{np.mean(alarms):.0f} queries" if alarms else "never",
        ])  # fmt: skip
    return table(
        ["queries come from", "agreement of the copy", "W at the end", "alarm after"], body
    )


TABLES: dict[str, Callable[[Rows], str]] = {
    "images": images,
    "texts": texts,
    "images10000": images10000,
    "rounds": rounds,
    "outputs": outputs,
    "architectures": architectures,
    "blocks": blocks,
    "transfer": transfer,
    "prada": prada,
}


# ---- figures


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
