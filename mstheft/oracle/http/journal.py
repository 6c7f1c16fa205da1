"""Answers that survive a crash: every one that was paid for is on disk before anyone sees it.

An attack is deterministic given its seed. So the n-th batch of a second run is the n-th batch of
the first, and what the first run paid for is told again at no cost, until the place is reached at
which it was killed; from there on the victim is asked.

                 place   0    1    2    3 |  4    5
    first run            ask  ask  ask  ask  (killed)
    second run           told again ......   ask  ask ...
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mstheft.errors import DataError
from mstheft.oracle.http import tables, wire

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers
(place INTEGER PRIMARY KEY, question TEXT, rows INTEGER, answer BLOB, labels BLOB, outputs INTEGER)
"""
Ask = Callable[..., Any]  # (rows, name) -> answers, K, labels


class Journal:
    """The answers of one run, in a SQLite file: `Oracle(victim, journal=Journal("run.db"))`.

    path : of the file; created if it is missing
    about : JSON values that tell this run from others: the attack, its seed. With what the oracle
        tells (output, decimals, top, shape), its defences, each by its name and its settings, and
        its victim, they are the settings of the run

    A victim is known by its `oracle.fingerprint.victim`: a Network by what it is made of and its
    parameters, a service by what it says of the model that it serves. Estimators and callables
    have none unless they have an attribute `fingerprint` (a text), and cannot be told apart: then
    `about` should name the victim.

    The first question of a run is looked up at place 0, the next at place 1, and so on, by the
    SHA-256 of (settings, place, rows). A `Journal` object is good for one run; to replay, open the
    file again.

    Another question at a place that has an answer is an error and not a purchase: it means that
    the attack is another one (seed, version, number of threads: a last bit is enough), and going
    on would silently pay for everything again. Other settings are refused when the oracle is made.
    A larger budget= is no other setting: a run that had spent its budget goes on from there.

    What draws chance between victim and attack, such as noise as a defence in the same process,
    starts anew with the process: such a run goes on at no cost as well, but towards a copy that may
    differ from that of a run that was never killed. Behind a service this does not arise.

    Rows that are told again count in `oracle.count`, against its budget and in `Result.queries` as
    if they had been asked, so a run that was killed ten times ends with the numbers of one that
    never was; monitors see them too. What they saved is here:

    replayed : rows told again at no cost
    paid : rows that the victim was asked, by this object

    Raises `DataError` for a file that is damaged, in use, or of another run.
    """

    def __init__(self, path: str | os.PathLike[str], about: dict[str, Any] | None = None):
        self.path, self.about = path, about or {}
        self.replayed = self.paid = 0
        self._place, self._taken = 0, False
        self._base = tables.connect(path, "a journal", SCHEMA)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *how: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; it can be opened again."""
        self._base.close()

    def around(self, ask: Ask, settings: dict[str, Any]) -> Ask:
        """The same function, through the journal. Called once, by the oracle that is given this.

        ask : (rows (n, …), name) -> answers (n, K) or (n,), K, labels (n,). The name is the
            same for the same purchase in every run of this journal, and of no other: a victim
            that takes it (`HttpVictim`) can recognize what it has been paid for, if the process
            died between its answer and the line in this file.
        """
        if self._taken:
            raise ValueError("expected a journal for one oracle, got it for two; open it again")
        self._taken = True
        run = self._run(json.dumps({**self.about, **settings}, sort_keys=True))

        def told(rows: Any) -> Any:
            question = _question(run, self._place, rows)
            known = self._known(question)
            if known is None:
                known = ask(rows, question)
                self._write(question, *known)
                self.paid += len(rows)
            else:
                self.replayed += len(rows)
            self._place += 1
            return known

        return told

    def _run(self, settings: str) -> str:
        """A name for this run, the same whenever its journal is opened; checks the settings."""
        with self._sound(), self._base:
            for name, value in (("settings", settings), ("run", uuid.uuid4().hex)):
                self._base.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
            about = dict(self._base.execute("SELECT name, value FROM about"))
        if about["settings"] != settings:
            old, new = json.loads(about["settings"]), json.loads(settings)
            other = sorted(n for n in old.keys() | new.keys() if old.get(n) != new.get(n))
            raise DataError(
                f"expected {self.path} to be the journal of this run, but it is of another one: "
                + ", ".join(f"{n} was {old.get(n)!r} and is {new.get(n)!r}" for n in other)
                + "; repeat that run or name a new file"
            )
        return hashlib.sha256((about["run"] + settings).encode()).hexdigest()

    def _known(self, question: str) -> tuple[np.ndarray, int | None, np.ndarray] | None:
        columns, where = "question, answer, labels, outputs", (self._place,)
        with self._sound():
            row = self._base.execute(
                f"SELECT {columns} FROM answers WHERE place = ?", where
            ).fetchone()
        if row is None:
            return None
        if row[0] != question:
            raise DataError(
                f"{self.path}: expected batch {self._place} to be the one that this journal has an "
                "answer to, but the attack asks another; run it with the same seed, version and "
                "number of threads, or name a new file"
            )
        with self._sound():
            return wire.unpack(row[1]).copy(), row[3], wire.unpack(row[2]).copy()

    def _write(self, question: str, answers: Any, outputs: int | None, labels: Any) -> None:
        line = (self._place, question, len(answers), wire.pack(answers), wire.pack(labels), outputs)
        with self._sound():
            self._base.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", line)

    @contextlib.contextmanager
    def _sound(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            raise DataError(
                f"{self.path}: expected a journal that can be read and written, but {error}; make "
                "room on the disk, or name a new file if this one is damaged"
            ) from error


def _question(run: str, place: int, rows: np.ndarray) -> str:
    head = f"{run} {place} {rows.dtype.str} {rows.shape} "
    return hashlib.sha256(head.encode() + rows.tobytes()).hexdigest()
