"""The log of an attack: what it asked, and what came back, as `detect` and `polish` read it.

queries   (n, d) the rows, in order of purchase
answers   (n, K) as they came, or (n,) labels
labels    (n,) the most likely class of each answer
output    the form of the answers, a word
"""

import io
import zipfile
from typing import Any

import numpy as np

from mstheft.cli.console import Console, UsageError
from mstheft.cli.options import Args
from mstheft.learning.targets import labels_of, targets
from mstheft.report import formatting
from mstheft.typing import Array, Oracle

HELP = "every query and its answer, for detect and polish, .npz"
SHAPES = {"queries": "(n, d)", "answers": "(n, K)", "labels": "(n,)"}


class Recorder:
    """An oracle that remembers what it was asked."""

    def __init__(self, oracle: Oracle):
        self._oracle = oracle
        self.rows: list[Array] = []
        self.answers: list[Array] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._oracle, name)  # count, left, budget, output, inputs, outputs, …

    def query(self, x: Array) -> Array:
        """The oracle's own answers. Costs n queries."""
        answers: Array = self._oracle.query(x)
        self.rows.append(np.asarray(x).reshape(len(x), -1).copy())
        self.answers.append(np.asarray(answers).copy())
        return answers

    def exchange(self) -> tuple[Array, Array]:
        """The rows that were answered, (n, d), and their answers, (n, K) or (n,)."""
        if not self.rows:
            return np.zeros((0, self._oracle.inputs)), np.zeros((0, 1))
        return np.concatenate(self.rows), np.concatenate(self.answers)


def write(args: Args, console: Console, rows: Array, answers: Array, output: str) -> None:
    """What --log asks for, where anything was answered."""
    if not len(rows):
        return
    with console.attempt("--log"):
        rows = rows.reshape(len(rows), -1)
        if rows.dtype.kind != "f" or answers.dtype == np.float32:
            rows = rows.astype(np.float32)  # as a victim in float32 saw them
        labels = answers if output == "label" else _labels(answers, output)
        file = io.BytesIO()
        np.savez(file, queries=rows, answers=answers, labels=labels, output=np.array(output))
        formatting.write(args.log, file.getvalue())


def _labels(answers: Array, output: str) -> np.ndarray:
    return labels_of(targets(answers, output, answers.shape[1]))


def read(args: Args, *names: str) -> dict[str, np.ndarray]:
    """The arrays of the log of --log, or of anybody's own npz file, which must have these."""
    try:
        with np.load(args.log, allow_pickle=False) as file:
            return {name: file[name] for name in (*names, *set(file.files) - set(names))}
    except (TypeError, OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        arrays = " and ".join(f"{name} {SHAPES[name]}" for name in names)
        got = "no such file" if isinstance(error, FileNotFoundError) else "something else"
        what = f"expected an .npz file with the arrays {arrays}, got {got}"
        how = "write one with mstheft steal KIND --log"
        raise UsageError(f"--log {args.log}: {what}; {how}") from error
