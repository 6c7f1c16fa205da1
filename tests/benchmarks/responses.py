"""What each defence of the answers costs honest users, and what it costs a thief, on drawn glyphs.

    python tests/benchmarks/responses.py [--seed 0] [--queries 2000]

The victim is an MLP 784-64-10 of 10,000 glyphs. Honest users ask about 4000 others: printed are the
accuracy of the answers and their mean L1 distance from the victim's. The thief trains the same
architecture on the answers to `queries` letters: printed is the copy's agreement with the
victim on the glyphs. `wrong` of adaptive misinformation has learned labels that are all wrong; the
surrogate of MAD is untrained. With the usual settings the table of RESULTS.md is written.
"""

from __future__ import annotations

import argparse

import numpy as np
from results import recorded

import mstheft as mt
from mstheft.data.synthetic import glyphs, letters
from mstheft.defend import responses
from mstheft.nn import zoo
from mstheft.nn.fit import fit
from mstheft.nn.network import Network

SEED, QUERIES = 0, 2000


def trained(x: np.ndarray, targets: np.ndarray, seed: int, epochs: int) -> Network:
    network = zoo.mlp([784, 64, 10], rng=seed, dtype=np.float32)
    fit(network, x, targets, epochs=epochs, batch=64, rng=seed)
    return network


def settings(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, list]:
    """Name -> the Oracle's defences."""
    other = (y + np.random.default_rng(seed).integers(1, 10, len(y))) % 10
    wrong = trained(x, other, seed + 1, 10).probs
    guess = responses.surrogate_gradients(zoo.mlp([784, 64, 10], rng=seed + 2))
    one = responses.option
    misinform = one(responses.adaptive_misinformation, wrong=wrong, tau=0.8, nu=1000.0)
    poison = one(responses.mad, gradients=guess, radius=0.5)
    return {
        "none": [],
        "rounding to 1 decimal": [one(responses.rounding, decimals=1)],
        "top 1": [one(responses.top_k, k=1)],
        "label only": [one(responses.label_only)],
        "noise 0.1": [one(responses.noise, scale=0.1, rng=seed)],
        "reverse sigmoid 0.8, 0.4": [one(responses.reverse_sigmoid, beta=0.8, gamma=0.4)],
        "adaptive misinformation": [misinform],
        "MAD 0.5": [poison],
        "MAD 0.5, label kept": [
            one(responses.mad, gradients=guess, radius=0.5, keep_label=True),
        ],
        "misinformation, MAD, 2 decimals": [misinform, poison, one(responses.rounding, decimals=2)],
    }


def main(seed: int, queries: int) -> None:
    x, y = (part[:14_000] for part in glyphs(14_000, rng=seed))
    x, asked = x.astype(np.float32), letters(queries, rng=seed)[0].astype(np.float32)
    victim = trained(x[:10_000], y[:10_000], seed, 20)
    test, right = x[10_000:], y[10_000:]
    print("| defence | accuracy | mean L1 | copy agrees |\n|---|---|---|---|")
    for name, defences in settings(x[:10_000], y[:10_000], seed).items():
        answers = mt.Oracle(victim, "probs", defences=defences).query(test)
        cost = responses.cost(victim.probs(test), answers, right)
        told = mt.Oracle(victim, "probs", defences=defences).query(asked)
        copy = trained(asked, told, seed + 3, 40)
        agrees = mt.compare.agreement(victim, copy, test)
        print(
            f"| {name} | {100 * cost.after:.2f} % | {cost.l1:.3f} | {100 * agrees:.2f} % |",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--queries", type=int, default=QUERIES)
    args = parser.parse_args()
    with recorded("responses", whole=(args.seed, args.queries) == (SEED, QUERIES)):
        main(args.seed, args.queries)
