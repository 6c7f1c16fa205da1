"""Piecewise linear victims that are no dense ReLU network: which does an exact attack copy?

    python tests/benchmarks/piecewise.py [--seeds N] [--only WORD]

Prints a Markdown table and writes it to RESULTS.md. Victims are callables of float64 logits, see
`tests/helpers/piecewise_victims.py`. A verified copy that is off by more than 1e-6 of the largest
of 10,000 fresh N(0, I) logits is wrong. F is the floor of the copy's shape. A failed seed counts
as failed, and the others give the figures.
"""

from __future__ import annotations

import argparse
import collections
import sys
from pathlib import Path
from typing import Any

import numpy as np
from results import aside, recorded

import mstheft as mt

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))  # shared with the tests
from piecewise_victims import DEEPER, MAX_POOLING, ONE_LAYER, Victim

SEEDS = 10
WRONG = 1e-6  # of the largest logit
BUDGET = 5_000  # rows after which a victim is given up
ATTACKS = {
    "sweep": mt.direct.sweep.extract,
    "deep": mt.direct.deep.extract,
    "steal": mt.steal,
}
PLAN = ((ONE_LAYER, ("sweep", "steal")), (DEEPER, ("deep",)), (MAX_POOLING, ("sweep", "deep")))
ROWS = [
    (name, victim, attack)
    for victims, attacks in PLAN
    for name, victim in victims.items()
    for attack in attacks
]
COLUMNS = (
    *("victim", "attack", "copied", "wrong", "queries (median)", "queries / F (median)"),
    *("max abs Δlogit (worst)", "what the copy looks like, or how the attack ends"),
)


def one(victim: Victim, attack: str, seed: int) -> dict[str, Any]:
    """A seed: queries, and the copy with its error or the stage that ended the attack."""
    answers = victim.build(seed)
    oracle = mt.Oracle(answers, inputs=victim.d, budget=BUDGET)
    try:
        result = ATTACKS[attack](oracle, rng=seed + 10_000)
    except mt.errors.ExtractionError as error:
        aside(f"  seed {seed}: {error}; {oracle.count:,} queries")
        return {"copied": False, "queries": oracle.count, "end": f"error at '{error.stage}'"}
    except mt.errors.BudgetExhausted:
        return {"copied": False, "queries": oracle.count, "end": f"{BUDGET:,} queries spent"}
    x = np.random.default_rng(seed + 20_000).normal(size=(10_000, victim.d))
    right = answers(x)
    error = float(np.abs(result.model.logits(x) - right).max())
    return {
        "copied": True,
        "wrong": error > WRONG * max(1.0, np.abs(right).max()),
        "queries": oracle.count,
        "F": oracle.count / result.floor,
        "error": error,
        "end": looks(result.model, victim),
    }


def looks(model: mt.Network, victim: Victim) -> str:
    """The widths of the hidden layers, and the kernels if they are recognised."""
    widths = "-".join(str(len(b)) for _, b in model.dense()[:-1])
    found = victim.shape and mt.compare.as_convolution(model, victim.shape)
    if not found:
        return f"{widths} neurons"
    many = mt.result.count(found.layer.filters, "kernel")
    return f"{widths} neurons: {many} of {found.layer.size}×{found.layer.size}"


def row(name: str, victim: Victim, attack: str, seeds: int) -> str:
    aside(f"{name}, {attack}")
    told = [one(victim, attack, seed) for seed in range(seeds)]
    good = [each for each in told if each["copied"]]
    wrong = sum(each["wrong"] for each in good)
    ends = collections.Counter(each["end"] for each in told)
    end = "; ".join(f"{n} × {what}" if len(ends) > 1 else what for what, n in ends.most_common())
    queries = np.median([each["queries"] for each in good or told])
    floor, error = "–", "–"
    if good:
        floor = f"{np.median([each['F'] for each in good]):.1f}"
        error = f"{max(each['error'] for each in good):.1e}"
    cells = (name, attack, f"{len(good)} of {seeds}", str(wrong), f"{queries:,.0f}", floor, error)
    return f"| {' | '.join((*cells, end))} |"


def short(whole: str) -> str:
    """The table of the guide: what the attacks themselves copy, without `mt.steal`."""
    lines = [line.strip("| ").split(" | ") for line in whole.splitlines()[2:]]
    kept = [[each[n] for n in (0, 1, 2, 5, 7)] for each in lines if each[1] != "steal"]
    return "\n".join(f"| {' | '.join(each)} |" for each in kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", default="", help="rows in whose 'victim, attack' this stands")
    args = parser.parse_args()
    rows = [each for each in ROWS if args.only in f"{each[0]}, {each[2]}"]
    with recorded("piecewise", whole=rows == ROWS and args.seeds == SEEDS):
        print(f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|", flush=True)
        for each in rows:
            print(row(*each, args.seeds), flush=True)


if __name__ == "__main__":
    main()
