"""Attacks against defences and detectors on drawn digits: `arenas/*.toml`, tables and figures.

    python tests/benchmarks/arena.py --out results/ [--workers 2] [--only glyphs]

    glyphs          every attack against every defence, with and without PRADA
    adaptive        the naive and the adaptive thief side by side, at each defence of one answer
    adaptive-prada  the same before PRADA, with several keys and among ordinary rows

What came of every match is written beside the TOML file as CSV; the tables go to RESULTS.md, and
the pictures to `tutorials/figures/`. A run that is ended goes on, cell by cell.
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

from mstheft.experiments.arena import arena, verdict
from mstheft.experiments.grid import Outcome
from mstheft.report import formatting, pictures

HERE = Path(__file__).parent / "arenas"
Rows = list[dict[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder for the cells")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--only", choices=ARENAS, help="one of them")
    args = parser.parse_args()
    for name in [args.only] if args.only else ARENAS:
        described = arena.read(HERE / f"{name}.toml")
        pool = ProcessPoolExecutor(args.workers) if args.workers > 1 else contextlib.nullcontext()
        with pool as executor:
            outcome = arena.compute(described, args.out, executor=executor)
        for cell, why in outcome.failed:
            aside(f"FAILED {described.grid.name(cell)}: {why}")
        (HERE / f"{name}.csv").write_text(arena.table(outcome))
        text = ARENAS[name](outcome)
        print(text)
        if not outcome.failed:
            write("arena" if name == "glyphs" else name, text)
            for picture in PICTURES[name](outcome):
                file = picture.name.replace("arena-adaptive", f"arena-{name}")
                (FIGURES / f"{file}.png").write_bytes(picture.png)


def rows_of(outcome: Outcome) -> Rows:
    """The lines of the CSV."""
    return list(csv.DictReader(arena.table(outcome).splitlines()))


def beside(outcome: Outcome) -> str:
    """A line for each adaptation: agreement of both thieves, their distance, and the verdict.

    Distance is the mean ‖p̂ - p‖₁ of copy and victim, smaller is better.
    """
    agreement, apart = (verdict.pairs(outcome, figure) for figure in ("agreement", "apart"))
    head, body = verdict.overview(agreement)
    head = [*head[:1], *head[2:5], "distance, naive", "distance, adaptive", *head[5:]]
    lines = [
        [*line[:1], *line[2:5], _distance(pair.naive), _distance(pair.adaptive), *line[5:]]
        for line, pair in zip(body, apart, strict=True)
    ]
    return table(head, lines)


def _distance(values: verdict.Values) -> str:
    low, high = min(values.values()), max(values.values())
    return f"{np.mean([*values.values()]):.2f} ({low:.2f} to {high:.2f})"


def before_a_detector(outcome: Outcome) -> str:
    """A line for each thief: when it was noticed, and what it had by then; and without PRADA."""
    body, rows = [], rows_of(outcome)
    for attack in dict.fromkeys(row["attack"] for row in rows):
        free, watched = (
            [row for row in rows if (row["attack"], row["detector"]) == (attack, detector)]
            for detector in ("none", "prada")
        )
        alarms = sorted(int(row["noticed"]) for row in watched if row["noticed"])
        text = f"{len(alarms)} of {len(watched)}"
        text += f", after {alarms[0]} to {alarms[-1]} queries" if alarms else ""
        shares = [percent([float(row["agreement"]) for row in part], 0) for part in (free, watched)]
        pair = [p for p in verdict.pairs(outcome) if (p.way, p.detector) == (attack, "prada")]
        body.append([attack, text, *shares, pair[0].verdict if pair else "-"])
    head = ["thief", "noticed", "agreement, no detector", "agreement, PRADA blocks", "verdict"]
    return table(head, body)


def adaptive_picture(outcome: Outcome) -> list[formatting.Picture]:
    """Naive beside adaptive."""
    return [pictures.adaptive_picture(verdict.pairs(outcome))]


def overview(rows: Rows) -> str:
    """A line for each attack; a second, watched, where the detector changes anything."""
    cells = defaultdict(list)
    for row in rows:
        cells[row["attack"], row["defence"], row["detector"]].append(row)
    attacks, defences = (list(dict.fromkeys(key[i] for key in cells)) for i in (0, 1))
    body = []
    for attack in attacks:
        free, watched = (
            [words(cells[attack, defence, detector]) for defence in defences]
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


def words(cell: Rows) -> str:
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


ARENAS = {
    "glyphs": lambda outcome: overview(rows_of(outcome)),
    "adaptive": beside,
    "adaptive-prada": before_a_detector,
}
PICTURES = {
    "glyphs": lambda outcome: pictures.arena_pictures(arena.grouped(outcome)),
    "adaptive": adaptive_picture,
    "adaptive-prada": adaptive_picture,
}


if __name__ == "__main__":
    main()
