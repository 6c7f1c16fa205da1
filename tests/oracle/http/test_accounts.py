"""Accounts: keys, budgets and counts, paid once and together with the answer."""

import contextlib

import numpy as np
import pytest

from mstheft.errors import BudgetExhausted, DataError
from mstheft.oracle.http import journal
from mstheft.oracle.http.accounts import Accounts, Mismatch

X = np.random.default_rng(0).normal(size=(5, 20))


def test_accounts_on_a_full_disk_are_one_sentence(tmp_path, monkeypatch):
    plain = journal.connect

    def connect(*what):
        base = plain(*what)
        (pages,) = base.execute("PRAGMA page_count").fetchone()
        base.execute(f"PRAGMA max_page_count = {pages}")
        return base

    monkeypatch.setattr(journal, "connect", connect)
    with pytest.raises(DataError, match=r"to keep the accounts, but .*full; make room"):
        Accounts(tmp_path / "a.db", [("a" * 10_000, "k", 1)])
    monkeypatch.undo()
    Accounts(tmp_path / "a.db", [("a", "k", 1)]).close()  # it has let go of the file


@pytest.mark.parametrize("held", ["NULL", "'text'"])
@pytest.mark.parametrize("column", ["count", "question", "answer"])
def test_a_null_or_a_text_in_the_file_is_a_data_error(tmp_path, column, held):
    accounts = Accounts(tmp_path / "a.db", [("a", "k", 10)])
    accounts.buy(accounts.find("k"), X, lambda rows: rows, "p")
    table = "accounts" if column == "count" else "purchases"
    accounts._base.execute(f"UPDATE {table} SET {column} = {held}")
    accounts.close()
    keys = [("a", "k", 10)]
    with pytest.raises(DataError), contextlib.closing(Accounts(tmp_path / "a.db", keys)) as again:
        again.buy(again.find("k"), X, lambda rows: rows, "p")


def test_accounts_refuse_the_same_key_twice(tmp_path):
    with pytest.raises(ValueError, match="each account its own"):
        Accounts(tmp_path / "a.db", [("a", "k", 1), ("b", "k", 1)])
    Accounts(tmp_path / "a.db", [("a", "k", 1)]).close()


def test_keys_are_not_in_the_file(tmp_path):
    Accounts(tmp_path / "a.db", [("a", "very-secret-key", 1)]).close()
    assert b"very-secret-key" not in (tmp_path / "a.db").read_bytes()


def test_accounts_are_no_journal(tmp_path):
    journal.Journal(tmp_path / "a.db").close()
    with pytest.raises(DataError, match="holds a journal"):
        Accounts(tmp_path / "a.db", [])


def test_a_failure_between_answer_and_payment_charges_nothing(tmp_path):
    accounts = Accounts(tmp_path / "a.db", [("a", "k", 10)])
    account = accounts.find("k")

    def fails(rows):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        accounts.buy(account, X, fails, "p")
    assert account.count == 0
    assert accounts.buy(account, X, lambda rows: rows, "p") is X
    with pytest.raises(Mismatch):
        accounts.buy(account, X + 1, lambda rows: rows, "p")
    accounts.buy(account, X, lambda rows: rows)
    with pytest.raises(BudgetExhausted):
        accounts.buy(account, X, lambda rows: rows)
    accounts.close()
