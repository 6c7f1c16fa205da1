"""Answers that survive a crash: every answer that was paid for is on disk before anyone sees it.

An attack is deterministic given its seed. So the n-th batch of a second run is the n-th batch of
the first run. The journal answers a batch that the first run paid for, at no cost, up to the place
at which the first run was killed; from there on the victim answers.

                 place   0    1    2    3 |  4    5
    first run            paid paid paid paid  (killed)
    second run           from the journal |  paid paid ...
"""

import contextlib
import hashlib
import json
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from mstheft.errors import DataError
from mstheft.oracle.http import wire
from mstheft.typing import Array

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers
(place INTEGER PRIMARY KEY, question TEXT, rows INTEGER, answer BLOB, labels BLOB, outputs INTEGER)
"""
Answers = tuple[Array, "int | None", Array]  # answers (n, K) or (n,), K, labels (n,)
Ask = Callable[..., Answers]  # (rows, name)


class Journal:
    """The answers of one run, in a SQLite file: `Oracle(victim, journal=Journal("run.db"))`.

    path : of the file; created if it is missing
    about : JSON values that tell this run from others: the attack, its seed. The settings of the
        run are these, the form of the answers (output, decimals, top, shape), the defences, each
        by its name and its settings, and the victim

    A victim is recognised by `oracle.fingerprint.victim`: a Network by its layers and parameters, a
    service by its own fingerprint of the model. Estimators and callables have none unless they
    have an attribute `fingerprint` (a text): then `about` should name the victim.

    The first question of a run is looked up at place 0, the next at place 1, and so on, by the
    SHA-256 of (settings, place, rows). A `Journal` object is good for one run; to replay, open the
    file again.

    Another question at a place that has an answer is an error and not a purchase: it means that
    the attack is another one (seed, version, number of threads: a last bit is enough), and going
    on would silently pay for everything again. Other settings are refused when the oracle is made.
    A larger budget= is no other setting: a run that had spent its budget goes on from there.

    Anything random between victim and attack, such as noise as a defence in the same process,
    starts anew with the process: such a run goes on at no cost as well, but towards a copy that may
    differ from that of a run that was never killed. Behind a service this does not arise.

    Rows that the journal answers count in `oracle.count`, against its budget and in
    `Result.queries` like all others, so a run that was killed ten times ends with the numbers of
    one that never was; monitors see them too. What they saved is here:

    replayed : rows that the journal answered, at no cost
    paid : rows that the victim answered to this object

    Raises `DataError` for a file that is damaged, in use, or of another run.
    """

    def __init__(self, path: str | os.PathLike[str], about: dict[str, object] | None = None):
        self.path, self.about = path, about or {}
        self.replayed = self.paid = 0
        self._place, self._used = 0, False
        self._base = connect(path, "a journal", SCHEMA)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; it can be opened again."""
        self._base.close()

    def around(self, ask: Ask, settings: dict[str, object]) -> Ask:
        """The same function, through the journal. The oracle calls this once.

        ask : (rows (n, …), name) -> answers (n, K) or (n,), K, labels (n,). The name is the
            same for the same purchase in every run of this journal, and of no other: a victim
            that takes it (`HttpVictim`) can recognise a purchase that was paid for, if the process
            died between the answer and the line in this file.
        """
        if self._used:
            raise ValueError("expected a journal for one oracle, got it for two; open it again")
        self._used = True
        run = self._run(json.dumps({**self.about, **settings}, sort_keys=True))

        def answer(rows: Array) -> Answers:
            question = _question(run, self._place, rows)
            answers = self._read(question)
            if answers is None:
                answers = ask(rows, question)
                self._write(question, *answers)
                self.paid += len(rows)
            else:
                self.replayed += len(rows)
            self._place += 1
            return answers

        return answer

    def _run(self, settings: str) -> str:
        """A name for this run, the same whenever its journal is opened; checks the settings."""
        with damaged(self.path), self._base:
            for name, value in (("settings", settings), ("run", uuid.uuid4().hex)):
                self._base.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
            about = dict(self._base.execute("SELECT name, value FROM about"))
            name, old, new = (
                about["run"] + settings,
                *map(json.loads, (about["settings"], settings)),
            )
            other = sorted(n for n in old.keys() | new.keys() if old.get(n) != new.get(n))
            changes = ", ".join(f"{n} was {old.get(n)!r} and is {new.get(n)!r}" for n in other)
        if about["settings"] != settings:
            what = f"expected {self.path} to be the journal of this run, but it is of another one"
            raise DataError(f"{what}: {changes}; repeat that run or name a new file")
        return hashlib.sha256(name.encode()).hexdigest()

    def _read(self, question: str) -> Answers | None:
        select = "SELECT question, answer, labels, outputs FROM answers WHERE place = ?"
        with damaged(self.path):
            row = self._base.execute(select, (self._place,)).fetchone()
            if row is None:
                return None
            asked, _, checksum = row[0].partition(" ")
        if asked != question:
            what = f"{self.path}: expected batch {self._place} as it was paid for, got another one"
            how = "take the same seed, version and number of threads, or name a new file"
            raise DataError(f"{what}; {how}")
        with damaged(self.path):
            answers, labels, outputs = wire.unpack(row[1]), wire.unpack(row[2]), row[3]
            if checksum not in ("", _checksum(*row)) or not isinstance(outputs, int | None):
                raise ValueError(f"the answers of batch {self._place} are damaged")
            return answers.copy(), outputs, labels.copy()

    def _write(self, question: str, answers: Array, outputs: int | None, labels: Array) -> None:
        kept = wire.pack(answers), wire.pack(labels), outputs
        line = self._place, f"{question} {_checksum(question, *kept)}", len(answers), *kept
        with damaged(self.path):
            self._base.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", line)


@contextlib.contextmanager
def damaged(path: str | os.PathLike[str]) -> Iterator[None]:
    """What is read from the file at `path` is not what was written, or it takes no more."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError, AttributeError) as error:
        why = f"expected to read and write, but {error}; make room or name another"
        raise DataError(f"{path}: {why}") from error


def _checksum(question: str, answer: bytes, labels: bytes, outputs: int | None) -> str:
    """Of a line of the journal; it stands behind the question, after a space."""
    head = f"{question[:64]} {len(answer)} {outputs} ".encode()
    return hashlib.sha256(head + answer + labels).hexdigest()


def _question(run: str, place: int, rows: Array) -> str:
    head = f"{run} {place} {rows.dtype.str} {rows.shape} "
    return hashlib.sha256(head.encode() + rows.tobytes()).hexdigest()


def connect(path: str | os.PathLike[str], kind: str, schema: str) -> sqlite3.Connection:
    """Open or create the SQLite file at `path`, for this process alone.

    kind : of the file, 'a journal' or 'accounts'; stored in it, so that it is not taken for another
    schema : SQL that creates its tables if they are missing

    A transaction that was committed survives the death of the process (SIGKILL); after a power
    cut the last few may be missing, but the others are whole (write-ahead log, synchronous
    NORMAL). Raises `DataError` if the file is something else, damaged, or in use.
    """
    base = None
    try:
        base = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        for setting in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
            base.execute(f"PRAGMA {setting}")
        base.execute("BEGIN EXCLUSIVE")
        base.execute("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT)")
        base.execute("INSERT OR IGNORE INTO about VALUES ('mstheft', ?)", (kind,))
        (holds,) = base.execute("SELECT value FROM about WHERE name = 'mstheft'").fetchone()
        if holds == kind:
            for statement in schema.split(";"):
                base.execute(statement)
            base.execute("COMMIT")
            return base
        why = f"it holds {holds}; name another file"
    except sqlite3.Error as error:
        why = f"it cannot be read or written: {error}; make room or name another file"
        if "locked" in str(error):
            why = "another process uses it; end that process or name another file"
        if not Path(path).parent.is_dir():
            why = "its folder does not exist; create the folder"
    if base is not None:
        base.close()
    raise DataError(f"expected {path} to hold {kind}, but {why}")
