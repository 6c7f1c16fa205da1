"""Attacks against defences and detectors on drawn digits: `arenas/glyphs.toml`, table and figures.

    python tests/benchmarks/arena.py --out results/ [--workers 2]

What came of every match is written beside the TOML file as CSV, the table of RESULTS.md is made
from the CSV, and the heat maps go to `tutorials/figures/`. A run that is ended goes on, cell by
cell.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from results import FIGURES, aside, percent, table, write

from mstheft.experiments.arena import arena
from mstheft.report import pictures

HERE = Path(__file__).parent / "arenas"
Rows = list[dict[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder for the cells")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    args = parser.parse_args()
    described = arena.read(HERE / "glyphs.toml")
    pool = ProcessPoolExecutor(args.workers) if args.workers > 1 else contextlib.nullcontext()
    with pool as executor:
        outcome = arena.compute(described, args.out, executor=executor)
    for cell, why in outcome.failed:
        aside(f"FAILED {described.grid.name(cell)}: {why}")
    path = HERE / "glyphs.csv"
    path.write_text(arena.table(outcome))
    text = overview(list(csv.DictReader(path.read_text().splitlines())))
    print(text)
    if not outcome.failed:
        write("arena", text)
        for picture in pictures.arena_pictures(arena.grouped(outcome)):
            (FIGURES / f"{picture.name}.png").write_bytes(picture.png)


def overview(rows: Rows) -> str:
    """A line for each attack; a second, watched, where the detector changes anything."""
    cells = defaultdict(list)
    for row in rows:
        cells[row["attack"], row["defence"], row["detector"]].append(row)
    attacks, defences = (list(dict.fromkeys(key[i] for key in cells)) for i in (0, 1))
    body = []
    for attack in attacks:
        free, watched = (
            [outcome(cells[attack, defence, detector]) for defence in defences]
            for detector in ("none", "prada")
        )
        body.append([attack, *free])
        if watched != free:
            body.append([f"{attack}, watched", *watched])
    honest = [[row for row in rows if row["defence"] == defence] for defence in defences]
    accuracy = [f"{100 * mean(group, 'honest'):.1f} %" for group in honest]
    change = [f"{mean(group, 'l1'):.2f}" for group in honest]
    body += [["honest users: accuracy", *accuracy], ["honest users: mean L1 change", *change]]
    return table(["attack", *defences], body)


def outcome(cell: Rows) -> str:
    """'77 % (76 to 79), alarm at 120 to 130', over the seeds."""
    shares = [float(row["agreement"]) for row in cell if row["agreement"]]
    none = len(cell) - len(shares)
    text = percent(shares, 0) if shares else "no copy"
    text += f", {none} of {len(cell)} without" if shares and none else ""
    alarms = sorted(int(row["noticed"]) for row in cell if row["noticed"])
    if alarms:
        text += f", alarm at {alarms[0]}" + (f" to {alarms[-1]}" if alarms[-1] > alarms[0] else "")
    return text


def mean(rows: Rows, name: str) -> float:
    return float(np.mean([float(row[name]) for row in rows]))


if __name__ == "__main__":
    main()
