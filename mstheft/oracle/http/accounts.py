"""Who may ask how much: keys, budgets and counts in a SQLite file that survives a restart."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mstheft.errors import BudgetExhausted, DataError, MstheftError
from mstheft.oracle.http import tables, wire

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts
(digest TEXT PRIMARY KEY, name TEXT, budget INTEGER, count INTEGER);
CREATE TABLE IF NOT EXISTS purchases
(digest TEXT, purchase TEXT, question TEXT, answer BLOB,
PRIMARY KEY (digest, purchase)) WITHOUT ROWID
"""


class Unpaid(MstheftError):
    """A payment could not be written, so nothing was paid: what was asked may be asked again."""


class Mismatch(ValueError):
    """A purchase that was paid for is asked again with other rows."""


@dataclass
class Account:
    """One key of the service.

    name : what the status page calls it; the key itself is nowhere kept, only its SHA-256
    budget : rows that it may ask in all; None for any number
    count : rows that it has been answered
    """

    name: str
    budget: int | None = None
    digest: str = ""
    count: int = 0
    watch: Any = field(default=None, repr=False)  # the detector, if there is one

    @property
    def left(self) -> int | None:
        """Rows that it may still ask; None without a budget."""
        return None if self.budget is None else max(0, self.budget - self.count)


class Accounts:
    """The accounts of a service. All of it is used by one thread.

    path : SQLite file; ':memory:' forgets
    keys : (name, key, budget) each. A key that the file knows keeps its count and takes over the
        budget that is given now: so a budget is raised. A key that is not given is not let in
    Raises `DataError` for a file that is damaged, in use, or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], keys: Iterable[tuple[str, str, int | None]]):
        self._base = tables.connect(path, "accounts", SCHEMA)
        self._by_digest: dict[str, Account] = {}
        try:
            for name, key, budget in keys:
                self._open(name, key, budget)
        except sqlite3.Error as error:
            self._base.close()
            raise DataError(
                f"expected {path} to keep the accounts, but {error}; make room on the disk or name "
                "another file"
            ) from error
        except BaseException:
            self._base.close()
            raise

    def _open(self, name: str, key: str, budget: int | None) -> None:
        digest = _digest(key)
        if digest in self._by_digest or len(key) < 1:
            got = "the same again" if key else "an empty one"
            raise ValueError(
                f"expected a key for each account, got {got} for {name!r}; give each account "
                "its own"
            )
        self._base.execute(
            "INSERT INTO accounts VALUES (?, ?, ?, 0) "
            "ON CONFLICT DO UPDATE SET name = excluded.name, budget = excluded.budget",
            (digest, name, budget),
        )
        (count,) = self._base.execute(
            "SELECT count FROM accounts WHERE digest = ?", (digest,)
        ).fetchone()
        self._by_digest[digest] = Account(name, budget, digest, count)

    def __iter__(self) -> Any:
        return iter(self._by_digest.values())

    def find(self, key: str) -> Account | None:
        """The account of a key. Looked up by its hash: the time it takes tells nothing of keys."""
        return self._by_digest.get(_digest(key))

    def buy(
        self,
        account: Account,
        rows: np.ndarray,
        ask: Callable[[np.ndarray], np.ndarray],
        purchase: str | None = None,
    ) -> np.ndarray:
        """The answers to rows, paid for once: count and answer are written together, or neither.

        purchase : a name that makes this the same purchase whenever it is asked again: it is paid
            once and told again as it was. Raises `Mismatch` if it was paid for other rows
        Raises `BudgetExhausted` before anything is asked, what `ask` raises, and `Unpaid` if the
        disk does not take the payment: then nothing is counted.
        """
        question = _digest_of_rows(rows) if purchase is not None else ""
        if purchase is not None:
            known = self._base.execute(
                "SELECT question, answer FROM purchases WHERE digest = ? AND purchase = ?",
                (account.digest, purchase),
            ).fetchone()
            if known is not None:
                if known[0] != question:
                    raise Mismatch(
                        "expected the rows that this Idempotency-Key was paid for, got others; "
                        "make a new key for each batch"
                    )
                return wire.unpack(known[1])
        if account.left is not None and len(rows) > account.left:
            raise BudgetExhausted(len(rows), account.left, account.budget or 0)
        answers = ask(rows)
        try:
            self._pay(account, len(rows), purchase, question, answers)
        except sqlite3.Error as error:
            raise Unpaid(
                f"expected to write down what is paid, but {error}, so nothing was; ask again when "
                "the service has been mended"
            ) from error
        return answers

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def _pay(
        self, account: Account, rows: int, purchase: str | None, question: str, answers: Any
    ) -> None:
        base = self._base
        base.execute("BEGIN")
        try:
            base.execute(
                "UPDATE accounts SET count = count + ? WHERE digest = ?", (rows, account.digest)
            )
            if purchase is not None:
                line = (account.digest, purchase, question, wire.pack(answers))
                base.execute("INSERT INTO purchases VALUES (?, ?, ?, ?)", line)
            base.execute("COMMIT")
        except BaseException:
            if base.in_transaction:  # a full disk has rolled back already
                base.execute("ROLLBACK")
            raise
        account.count += rows


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _digest_of_rows(rows: np.ndarray) -> str:
    head = f"{rows.dtype.str} {rows.shape} ".encode()
    return hashlib.sha256(head + rows.tobytes()).hexdigest()
