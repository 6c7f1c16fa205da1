"""Who may query how much: keys, budgets and counts in a SQLite file that survives a restart."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from mstheft.errors import BudgetExhausted, DataError, MstheftError
from mstheft.oracle.http import journal, wire
from mstheft.typing import Array

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts
(digest TEXT PRIMARY KEY, name TEXT, budget INTEGER, count INTEGER);
CREATE TABLE IF NOT EXISTS purchases
(digest TEXT, purchase TEXT, question TEXT, answer BLOB,
PRIMARY KEY (digest, purchase)) WITHOUT ROWID
"""


class Unpaid(MstheftError):
    """A payment could not be written, so nothing was paid: the same rows may be sent again."""


class Mismatch(ValueError):
    """The name of a purchase that was paid for comes again with other rows."""


class Detector(Protocol):
    """A monitor whose findings the status page shows, such as `defend.prada.Detector`."""

    w: float | None
    alarm: bool
    distances: Array

    def observe(self, x: Array, labels: Array) -> object:
        """Rows (n, d), and the victim's most likely classes (n,)."""


@dataclass
class Account:
    """One key of the service.

    name : on the status page; the key itself is stored nowhere, only its SHA-256
    budget : rows that it may query in all; None for any number
    count : rows that it has been answered
    watch : its detector, if there is one
    """

    name: str
    budget: int | None = None
    digest: str = ""
    count: int = 0
    watch: Detector | None = field(default=None, repr=False)

    @property
    def left(self) -> int | None:
        """Rows that it may still query; None without a budget."""
        return None if self.budget is None else max(0, self.budget - self.count)


class Accounts:
    """The accounts of a service. One thread uses all of it.

    path : SQLite file; ':memory:' forgets
    keys : (name, key, budget) each. A key that is in the file keeps its count and takes over this
        budget: so a budget is raised. A key that is not given here is not let in
    Raises `DataError` for a file that is damaged, in use, or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], keys: Iterable[tuple[str, str, int | None]]):
        self._path, self._base = path, journal.connect(path, "accounts", SCHEMA)
        self._by_digest: dict[str, Account] = {}
        try:
            for name, key, budget in keys:
                self._open(name, key, budget)
        except BaseException as error:
            self._base.close()
            if not isinstance(error, sqlite3.Error):
                raise
            why = f"expected {path} to keep the accounts, but {error}; make room"
            raise DataError(why) from error

    def _open(self, name: str, key: str, budget: int | None) -> None:
        digest = _digest(key)
        if digest in self._by_digest or not key:
            got = "the same again" if key else "an empty one"
            raise ValueError(f"{name!r}: expected a key, got {got}; give each account its own")
        self._base.execute(
            "INSERT INTO accounts VALUES (?, ?, ?, 0) "
            "ON CONFLICT DO UPDATE SET name = excluded.name, budget = excluded.budget",
            (digest, name, budget),
        )
        select = "SELECT count FROM accounts WHERE digest = ?"
        (count,) = self._base.execute(select, (digest,)).fetchone()
        if not isinstance(count, int):
            raise sqlite3.DataError(f"the count of {name!r} is {count!r}")
        self._by_digest[digest] = Account(name, budget, digest, count)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_digest.values())

    def find(self, key: str) -> Account | None:
        """The account of a key. Looked up by its hash: the time it takes tells nothing of keys."""
        return self._by_digest.get(_digest(key))

    def buy(
        self,
        account: Account,
        rows: Array,
        ask: Callable[[Array], Array],
        purchase: str | None = None,
    ) -> Array:
        """The answers to rows, paid for once: count and answer are written together, or neither.

        purchase : a name that makes this the same purchase whenever it comes again: it is paid
            once and gets the same answer again. Raises `Mismatch` if it was paid for other rows
        Raises `BudgetExhausted` before `ask` is called, what `ask` raises, and `Unpaid` if the
        disk does not take the payment: then nothing is counted.
        """
        question = _digest_of_rows(rows)
        select = "SELECT question, answer FROM purchases WHERE digest = ? AND purchase = ?"
        with journal.damaged(self._path):
            paid = self._base.execute(select, (account.digest, purchase)).fetchone()
            if paid is not None:
                answers, again = wire.unpack(paid[1]), bytes.fromhex(paid[0]).hex()
        if paid is not None:
            if again == question:
                return answers
            raise Mismatch("expected the rows of this Idempotency-Key, got others; take a new key")
        if account.left is not None and len(rows) > account.left:
            raise BudgetExhausted(len(rows), account.left, account.budget or 0)
        answers = ask(rows)
        try:
            self._pay(account, len(rows), purchase, question, answers)
        except sqlite3.Error as error:
            why = f"expected to write down the payment, but {error}; nothing was paid"
            raise Unpaid(why) from error
        return answers

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def _pay(
        self, account: Account, rows: int, purchase: str | None, question: str, answers: Array
    ) -> None:
        base, update = self._base, "UPDATE accounts SET count = count + ? WHERE digest = ?"
        base.execute("BEGIN")
        try:
            base.execute(update, (rows, account.digest))
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


def _digest_of_rows(rows: Array) -> str:
    head = f"{rows.dtype.str} {rows.shape} ".encode()
    return hashlib.sha256(head + rows.tobytes()).hexdigest()
