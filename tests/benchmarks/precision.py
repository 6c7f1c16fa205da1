"""What coarse answers leave of each attack: `mstheft study precision`, its tables and its figure.

    python tests/benchmarks/precision.py [--shape 784-64-10] [--attacks sweep,deep] [--table]

Trained victims behind each form of answers. Every run is written at once into a file beside this
one, `precision/SHAPE.jsonl`, and is not repeated when the script is started again. The table of all
runs of 64-32-10 goes to RESULTS.md: a cell tells of how many, and an empty one was not run.
`--table` runs nothing more.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from matplotlib.figure import Figure
from results import FIGURES, aside, table, write

from mstheft.experiments import precision
from mstheft.experiments.precision import Run
from mstheft.plots.precision import error_against_digits

HERE = Path(__file__).parent / "precision"
SEEDS = {  # of each attack; a run that learns, and most on the larger shape, take minutes
    "64-32-10": {**dict.fromkeys(precision.ATTACKS, 3), "learned": 1},
    "784-64-10": {"linear": 1, "sweep": 1, "smooth": 1},
}
NAMES = {"64-32-10": "precision"}  # of a shape's table in RESULTS.md


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SEEDS, default="64-32-10")
    parser.add_argument("--attacks", help="some of the table's, separated by commas")
    parser.add_argument("--table", action="store_true", help="write what there is, run nothing")
    args = parser.parse_args()
    seeds, path = SEEDS[args.shape], HERE / f"{args.shape}.jsonl"
    names = args.attacks.split(",") if args.attacks else list(seeds)
    runs = read(path)
    for name in () if args.table else names:
        done = {(run.attack, run.answers, run.seed) for run in runs}
        shape = [int(width) for width in args.shape.split("-")]
        for run in precision.study(shape, seeds=seeds[name], attacks=[name], done=done):
            with path.open("a") as file:
                file.write(json.dumps(asdict(run)) + "\n")
            aside(f"{args.shape} {run}")
    runs = read(path)
    head, *rows = precision.table(runs)
    print(table(head, rows))
    if args.shape in NAMES:
        write(NAMES[args.shape], table(head, rows))
        draw(runs)


def read(path: Path) -> list[Run]:
    """The runs of a file; none if there is no file yet."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [Run(**json.loads(line)) for line in lines]


def draw(runs: Sequence[Run]) -> None:
    """Error against decimals, for logits and for probabilities side by side."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for ax, output in zip(panels, ("logits", "probs"), strict=True):
        error_against_digits(precision.by_digits(runs, output), ax)
        ax.set_title("logits" if output == "logits" else "probabilities")
    figure.savefig(FIGURES / "precision.png", dpi=110)


if __name__ == "__main__":
    main()
