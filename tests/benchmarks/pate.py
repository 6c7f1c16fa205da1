"""PATE on drawn glyphs: 50 teachers, what the answers cost, and what a student learns from them.

    python tests/benchmarks/pate.py [--seeds 3] [--rows 60000] [--questions 150]

Teachers are MLPs 784-64-10 on disjoint parts of `rows` private glyphs. A student of the same kind
asks the ensemble about public glyphs, and is compared on 4000 others with the student that is given
the plain majority's answers to the same questions ('without privacy'). Both students then
learn twice more, from all public glyphs as they themselves label them: that costs no privacy.
Printed per seed: ε by the votes and by the noise alone at δ = 1e-5, answers given and right, and
the two students' accuracy. Goal: ε ≤ 3, and at most 2 points less than without privacy. Last, the
accountant's time for 10,000 answers (goal: under 2 s).
The settings were chosen on seed 0; printed are seeds 1, 2 and so on.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import mstheft as mt
from mstheft.data.synthetic import glyphs
from mstheft.defend import pate
from mstheft.nn import zoo
from mstheft.nn.fit import accuracy, fit
from mstheft.nn.network import Network

TEACHERS, PUBLIC, TEST, DELTA = 50, 6000, 4000, 1e-5
MECHANISM = pate.GNMax(8.0)


def network(rng: np.random.Generator) -> Network:
    return zoo.mlp([784, 64, 10], rng=rng, dtype=np.float32)


def learned(x: np.ndarray, answers: np.ndarray, public: np.ndarray, seed: int) -> Network:
    """A student of the answers, and then of its own labels on all public rows, twice."""
    rng = np.random.default_rng(seed)
    student = pate.student(network(rng), x, answers, epochs=100, batch=16, rng=rng)
    for _ in range(2):
        labels = student.labels(public)
        student = network(rng)
        fit(student, public, labels, epochs=5, batch=64, rng=rng)
    return student


def one(seed: int, rows: int, questions: int) -> None:
    x, y = glyphs(rows + PUBLIC + TEST, rng=seed)
    x = x.astype(np.float32)
    private, public, test = np.split(x, [rows, rows + PUBLIC])
    own, known, right = np.split(y, [rows, rows + PUBLIC])
    parts = pate.partition(rows, TEACHERS, rng=seed)
    taught = pate.teachers(private, own, parts, network, rng=seed, epochs=25, batch=32)
    ensemble = pate.Ensemble(taught, 10, MECHANISM, rng=seed)
    oracle = mt.Oracle(ensemble, "label", gives="labels", inputs=784, budget=questions)
    asked, truth = public[:questions], known[:questions]
    answers = oracle.query(asked)
    majority = pate.votes(taught, asked, 10).argmax(axis=1)
    told = answers != pate.NO_ANSWER
    students = [learned(asked, given, public, seed) for given in (answers, majority)]
    shares = [accuracy(student, test, right) for student in students]
    teacher = np.mean([accuracy(t, test, right) for t in taught])
    bills = [ensemble.epsilon(DELTA, by_data=by_data) for by_data in (True, False)]
    print(
        f"seed {seed}: teachers {teacher:.1%}, epsilon {bills[0]:.2f} by the votes, {bills[1]:.1f} "
        f"by the noise, {told.sum()} of {questions} answered, "
        f"{(answers == truth)[told].mean():.1%} right, student {shares[0]:.1%}, "
        f"without privacy {shares[1]:.1%}, lost {100 * (shares[1] - shares[0]):.1f} points",
        flush=True,
    )


def accountant() -> None:
    rng = np.random.default_rng(0)
    votes = rng.multinomial(250, 0.9 * np.eye(10)[rng.integers(0, 10, 10_000)] + 0.01)
    bill, began = pate.Accountant(), time.perf_counter()
    bill.spend(pate.GNMax(20.0), votes, votes.argmax(axis=1))
    print(f"accountant, 10,000 answers: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--questions", type=int, default=150)
    args = parser.parse_args()
    for seed in range(1, args.seeds + 1):
        one(seed, args.rows, args.questions)
    accountant()
