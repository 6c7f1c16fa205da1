"""What the benchmarks of exact copies share: how a copy is judged, and which rows are run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from results import block, recorded

import mstheft as mt


def gaussian(victim: Any, seed: int) -> np.ndarray:
    """10,000 inputs of N(0, I) that no attack has seen."""
    return np.random.default_rng(seed + 20_000).normal(size=(10_000, victim.inputs))


def judge(victim: Any, model: Any, oracle: Any, x: np.ndarray) -> dict[str, Any]:
    """Queries, queries / F, largest |Δlogit| and agreement on x; no copy is as wrong as can be."""
    weights = sum(w.size for w, _ in victim.dense())
    told = {
        "verified": model is not None,
        "queries": oracle.count,
        "F": oracle.count / mt.result.floor(weights, victim.outputs),
        "error": np.inf,
        "agreement": 0.0,
        "size": float(np.abs(victim.logits(x)).max()),
    }
    if model is not None:
        told["error"] = float(np.abs(victim.logits(x) - model.logits(x)).max())
        told["agreement"] = mt.compare.agreement(victim, model, x)
    return told


def run(
    name: str,
    about: str,
    cases: Sequence[Any],
    columns: Sequence[str],
    row: Callable[[Any, int], None],
    small: Callable[[int], None],
    usual: int,
) -> None:
    """Read the arguments, print the head of the table and every row that was chosen.

    name : of the table in RESULTS.md; that of the small victims is name-small
    row : (case, seeds), small : seeds, of which there are `usual` for the small victims
    """
    names = [*(case.name for case in cases), "small"]
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--only", default=",".join(names), help=f"some of {', '.join(names)}")
    parser.add_argument("--seeds", type=int, help="fewer (or more) than the table's, for each row")
    parser.add_argument("--write", action="store_true", help="keep the other rows of the table")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    if unknown := set(chosen) - set(names):
        parser.error(f"expected some of {names}, got {sorted(unknown)}")
    rows = [case for case in cases if case.name in chosen]
    if rows:
        is_whole = rows == list(cases) and not arguments.seeds
        before = block(name).splitlines() if arguments.write else []
        with recorded(name, whole=is_whole or arguments.write):
            print(f"| {' | '.join(columns)} |\n" + "|---" * len(columns) + "|", flush=True)
            for case in cases:
                if case in rows:
                    row(case, arguments.seeds or case.seeds)
                for line in before:
                    if case not in rows and line.startswith(f"| {case.name} |"):
                        print(line)
    if "small" in chosen:
        with recorded(f"{name}-small", whole=not arguments.seeds or arguments.write):
            small(arguments.seeds or usual)
