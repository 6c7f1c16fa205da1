"""A victim that counts on disk, and the run that is killed while it steals from it.

    python learning_worker.py FOLDER

steals with its checkpoint in FOLDER/checkpoint. The victim's side appends a check sum of every row
that it has answered to FOLDER/asked; the thief's writes FOLDER/copy.npz and FOLDER/chosen.npy when
it is done.
"""

import sys
import zlib
from pathlib import Path

import numpy as np

import mstheft as mt

D, BUDGET, ROUNDS = 64, 203, 6


def pool():
    return np.random.default_rng(1).random((600, D))


def mark(row):
    return zlib.crc32(np.ascontiguousarray(row))


class Counted:
    """A network that writes down what it has answered."""

    def __init__(self, asked):
        self.network = mt.nn.zoo.mlp([D, 16, 4], bias=1.0, rng=7)
        self.asked = asked

    def __call__(self, x):
        answers = self.network.logits(x)
        with open(self.asked, "ab") as file:
            file.write(np.array([mark(row) for row in x], np.uint32).tobytes())
        return answers


def new_copy():
    return mt.nn.zoo.mlp([D, 24, 4], rng=3)


def run(folder, epochs=40, evaluate=None):
    oracle = mt.Oracle(Counted(folder / "asked"), output="probs", inputs=D)
    return mt.learning.active.extract(
        *(oracle, pool(), new_copy),
        strategy="k-center",
        budget=BUDGET,
        rounds=ROUNDS,
        rng=5,
        epochs=epochs,
        patience=None,
        batch=10,
        checkpoint=folder / "checkpoint",
        evaluate=evaluate,
    )


if __name__ == "__main__":
    home = Path(sys.argv[1])
    stolen = run(home)
    np.save(home / "chosen.npy", np.concatenate(stolen.chosen))
    stolen.model.save(home / "copy.npz")
