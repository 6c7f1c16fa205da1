"""Thefts row by row and seed by seed, each a line of a file: what was stopped goes on later."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from results import aside

Runs = dict[str, dict[int, Any]]  # of each row, by seed


def read(file: Path, rows: Collection[str], kind: Callable[..., Any]) -> Runs:
    """All thefts so far, as `kind` of their numbers."""
    found: Runs = {name: {} for name in rows}
    for text in file.read_text().splitlines() if file.exists() else []:
        run = json.loads(text)
        name, seed = run.pop("row"), run.pop("seed")
        found[name][seed] = kind(**run)
    return found


def missing(
    words: str,
    file: Path,
    rows: Collection[str],
    kind: Callable[..., Any],
    steal: Callable[[str, int], Any],
    seeds: int,
) -> dict[str, list[Any]]:
    """Steal what the command line asks for and the file lacks; the outcomes of every row with any.

    words : what the script measures; steal : (row, seed) -> outcome, a dataclass
    """
    parser = argparse.ArgumentParser(description=words.splitlines()[0])
    parser.add_argument("--only", default=",".join(rows), help=f"some of {', '.join(rows)}")
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--table", action="store_true", help="write what there is, steal nothing")
    args = parser.parse_args()
    for seed in () if args.table else range(args.seeds):
        for name in args.only.split(","):
            if seed not in read(file, rows, kind)[name]:
                outcome = steal(name, seed)
                aside(f"{name}, seed {seed}: {outcome}")
                file.parent.mkdir(exist_ok=True)
                with file.open("a") as lines:
                    lines.write(json.dumps({"row": name, "seed": seed} | asdict(outcome)) + "\n")
    found = read(file, rows, kind)
    return {name: list(outcomes.values()) for name, outcomes in found.items() if outcomes}
