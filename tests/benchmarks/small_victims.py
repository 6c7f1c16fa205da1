"""Small random victims of mixed noise: what does `mt.steal` make of each of them?

    python tests/benchmarks/small_victims.py [N] [--seed S] [--log FILE.jsonl]

Victim i of seed S is always the same one. Each outcome is a line of the log, so that a run that was
stopped goes on where it was. A verified copy is wrong if on more than 3 / n of fresh rows it is
farther from the victim than twice the error that its own check of n rows has stated.
Writes the table of RESULTS.md when there are 300 victims or more.
"""

from __future__ import annotations

import argparse
import collections
import json
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from results import aside, recorded, table

import mstheft as mt
from mstheft.direct.verify import expected

KINDS = ("linear", "relu", "tanh", "sigmoid", "softplus")
FORMATS = ("float64", "float32", "1 decimal", *(f"{k} decimals" for k in range(2, 7)))
BUDGET = 10_000  # rows
LONGEST = 120  # seconds of a processor for a theft: one that takes longer hangs
CHECKED = 100  # rows of a check, at least: 3 / n of all rows may be wrong
FRESH = 3000  # rows on which a copy is judged here
WHOLE = 300  # victims from which the table is written
OUTCOMES = ("verified", "wrong", "named error", "budget spent", "hang", "other exception")


@dataclass
class Drawn:
    """A victim, its oracle, and what it is in words."""

    network: mt.Network
    oracle: mt.Oracle
    words: dict[str, object]


class Hang(BaseException):
    """The theft took too long."""


def draw(seed: int, number: int) -> Drawn:
    """d from 2 to 20, h from 1 to 12, K from 1 to 5; kind, format and output drawn alike."""
    rng = np.random.default_rng([seed, number])
    d, h, K = (int(rng.integers(low, high + 1)) for low, high in ((2, 20), (1, 12), (1, 5)))
    kind, form = str(rng.choice(KINDS)), str(rng.choice(FORMATS))
    output, bias = str(rng.choice(["logits", "probs"])), float(10 ** rng.uniform(-2, 0))
    shape = [d, K] if kind == "linear" else [d, h, K]
    how = {} if kind == "linear" else {"activation": kind}
    dtype = np.float32 if form == "float32" else np.float64
    network = mt.nn.zoo.mlp(shape, bias=bias, rng=rng, dtype=dtype, **how)
    decimals = int(form.split()[0]) if "decimal" in form else None
    declared = output == "probs" or bool(rng.integers(2))  # rounded rows do not add up to 1
    if decimals is None or declared:
        oracle = mt.Oracle(network, output, decimals=decimals, budget=BUDGET)
    else:
        rounded = lambda x: np.round(network.logits(x), decimals)  # noqa: E731
        oracle = mt.Oracle(rounded, inputs=d, budget=BUDGET)
    words = {"kind": kind, "shape": "-".join(map(str, shape)), "format": form, "output": output}
    return Drawn(network, oracle, {"number": number, **words, "bias": round(bias, 3)})


def outcome(seed: int, number: int) -> dict[str, object]:
    """Steal victim number i of that seed, and judge the copy."""
    drawn, began = draw(seed, number), time.process_time()

    def too_long(*_: object) -> None:
        raise Hang

    signal.signal(signal.SIGVTALRM, too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        result = mt.steal(drawn.oracle, rng=np.random.default_rng([seed, number, 1]))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        found = judged(drawn, result)
    except mt.errors.BudgetExhausted as error:
        found = {"outcome": "budget spent", "message": str(error)}
    except mt.errors.MstheftError as error:
        found = {"outcome": "named error", "message": str(error)}
    except Hang:
        found = {"outcome": "hang"}
    except Exception as error:
        found = {"outcome": "other exception", "message": f"{type(error).__name__}: {error}"}
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    seconds = round(time.process_time() - began, 2)
    return drawn.words | {"queries": drawn.oracle.count, "seconds": seconds} | found


def judged(drawn: Drawn, result: mt.result.Result) -> dict[str, object]:
    """Was the copy right on rows that nobody has asked?

    In the units in which the check has stated its error: probabilities where those are rounded and
    the copy was polished, logits up to the gauge elsewhere.
    """
    victim = mt.Network(drawn.network.copy().layers, drawn.network.shape, np.float64)
    x = np.random.default_rng(99).normal(size=(FRESH, victim.inputs))
    polished = getattr(result.trace, "polished", None)
    polished = polished or getattr(getattr(result.trace, "polishing", None), "polished", None)
    if polished is not None and polished.output == "probs":
        off = np.abs(victim.probs(x) - result.model.probs(x))
    else:
        off = np.abs(expected(drawn.oracle, victim, x) - expected(drawn.oracle, result.model, x))
    share = float(np.mean(off.max(axis=1) > 2 * result.error))
    wrong = not result.verified or share > 3 / CHECKED
    return {
        "outcome": "wrong" if wrong else "verified",
        "stated": result.error,
        "largest": float(off.max()),
        "rms": float(np.sqrt(np.mean(off**2))),
        "bound": polished.bound if polished is not None else None,
        "share": share,
        "agreement": mt.compare.agreement(victim, result.model, x),
    }


def overview(found: Sequence[dict[str, object]]) -> str:
    """A row for each kind of victim, and one for each format of the answers."""
    lines = []
    for name, values in (("kind", KINDS), ("format", FORMATS)):
        for value in values:
            those = [each for each in found if each[name] == value]
            counts = collections.Counter(str(each["outcome"]) for each in those)
            lines.append([value, f"{len(those):,}", *(f"{counts[one]:,}" for one in OUTCOMES)])
    counts = collections.Counter(str(each["outcome"]) for each in found)
    lines.append(["all", f"{len(found):,}", *(f"{counts[one]:,}" for one in OUTCOMES)])
    return table(["victims", "drawn", *OUTCOMES], lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("victims", nargs="?", type=int, default=WHOLE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, default=None)
    args = parser.parse_args()
    log = args.log or Path(f"small_victims_{args.seed}.jsonl")
    lines = log.read_text().splitlines() if log.exists() else []
    done = {each["number"]: each for each in map(json.loads, lines)}
    with recorded("small-victims", whole=args.victims >= WHOLE):
        for number in range(args.victims):
            if number not in done:
                done[number] = outcome(args.seed, number)
                with log.open("a") as file:
                    file.write(json.dumps(done[number]) + "\n")
                aside(json.dumps(done[number]))
        print(overview([done[number] for number in range(args.victims)]))


if __name__ == "__main__":
    main()
