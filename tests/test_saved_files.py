"""Files that an earlier version has saved still load, and hold what they held.

They lie in `fixtures/saved`, with the script that once made them. A test that fails here means that
a user's files of that time are refused, or read as something else: mend the code, not the files.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

import mstheft as mt
from mstheft.course import manifest, state
from mstheft.data.vocabulary import Vocabulary
from mstheft.defend import responses
from mstheft.defend.prada import Detector
from mstheft.experiments import grid
from mstheft.learning import active, strategies
from mstheft.oracle.http.accounts import Accounts
from mstheft.oracle.http.journal import Journal

HERE = Path(__file__).parent
with np.load(HERE / "fixtures" / "saved" / "expected.npz") as kept:
    EXPECTED = dict(kept)


@pytest.fixture
def saved(tmp_path):
    """A copy of the files, since most of them are written to when they are used."""
    return shutil.copytree(HERE / "fixtures" / "saved", tmp_path / "saved")


@pytest.fixture
def victim(saved):
    return mt.Network.load(saved / "dense.npz")


def steal(saved, oracle, strategy, **kept):
    """The theft of `make.py`, for 20 rows: the same call, so that it goes on from its files."""

    def new_copy():
        return mt.Network.load(saved / "untrained.npz")

    sizes = {"budget": 20, "rounds": 2, "epochs": 60, "batch": 2, "patience": None}
    pool = EXPECTED["dense.x"]
    return active.steal(oracle, pool, new_copy, strategy=strategy, rng=1, **sizes, **kept)


def refuse(*_):
    pytest.fail("this has been paid for, or computed, before")


# ---- networks


@pytest.mark.parametrize("name", ["dense", "untrained", "cnn", "pooled", "text-cnn", "gru", "bag"])
def test_a_network_gives_the_logits_that_it_gave(saved, name):
    network = mt.Network.load(saved / f"{name}.npz")
    wanted = EXPECTED[f"{name}.logits"]
    assert network.dtype == wanted.dtype
    near = 1e-12 if network.dtype == np.float64 else 1e-5
    logits = network.logits(EXPECTED[f"{name}.x"])
    np.testing.assert_allclose(logits, wanted, rtol=near, atol=near)


def test_a_vocabulary_gives_its_words_the_numbers_that_the_network_knows(saved):
    vocabulary = Vocabulary.load(saved / "gru.vocabulary.json")
    texts = ["Buy cheap pills now!", "don't buy it", "we meet at noon, now", "cheap, cheap, cheap"]
    assert np.array_equal(vocabulary.encode(texts, 6), EXPECTED["gru.x"])
    assert mt.Network.load(saved / "gru.npz").about == {"data": "spam"}


# ---- thefts


def noisy_and_rounded():
    noisy = responses.option(responses.noise, scale=0.1, rng=1)
    return [noisy, responses.option(responses.rounding, decimals=2)]


@pytest.mark.parametrize(("name", "defences"), [("journal", list), ("defended", noisy_and_rounded)])
def test_a_journal_tells_its_answers_again_at_no_cost(saved, victim, name, defences):
    with Journal(saved / f"{name}.db", {"seed": 0}) as journal:
        oracle = mt.Oracle(victim, "probs", defences=defences(), journal=journal)
        result = steal(saved, oracle, "random")
    assert (journal.replayed, journal.paid) == (20, 0)
    assert np.array_equal(result.trace.answers, EXPECTED[f"{name}.answers"])


def test_a_journal_still_knows_its_victim(saved):
    other = mt.Network.load(saved / "untrained.npz")
    with (
        Journal(saved / "journal.db", {"seed": 0}) as journal,
        pytest.raises(mt.errors.DataError, match="victim was '7abd619647ef0227' and is"),
    ):
        mt.Oracle(other, "probs", journal=journal)


@pytest.mark.parametrize("name", ["k-center", "dfal"])
def test_a_checkpoint_goes_on_to_the_same_copy(saved, victim, name):
    strategy = strategies.shortlisted("dfal", 12) if name == "dfal" else name
    oracle, kept = mt.Oracle(victim), saved / f"checkpoint-{name}"
    result = steal(saved, oracle, strategy, checkpoint=kept, about={"victim": "6-3-2"})
    assert oracle.count == 7, "13 of the 20 rows were paid for before"
    assert result.total == 20
    assert np.array_equal(np.concatenate(result.chosen), EXPECTED[f"{name}.chosen"])
    logits = result.model.logits(EXPECTED["dense.x"])
    np.testing.assert_allclose(logits, EXPECTED[f"{name}.logits"], rtol=1e-6, atol=1e-6)


def test_a_grid_counts_its_cells_as_done(saved):
    cells = grid.Grid({"seed": [0, 1]}, {"budget": 20, "strategy": "random"})
    outcome = grid.run(cells, refuse, saved / "grid")
    assert (outcome.computed, outcome.failed) == (0, [])
    assert [(cell["seed"], values) for cell, values in outcome.done] == [
        (0, {"agreement": 0.575, "queries": 20}),
        (1, {"agreement": 0.9, "queries": 20}),
    ]


# ---- a service and its detector


def test_accounts_keep_counts_and_what_was_paid_for(saved):
    accounts = Accounts(saved / "accounts.db", [("ann", "key-a", 50), ("bob", "key-b", None)])
    ann, bob = accounts.find("key-a"), accounts.find("key-b")
    assert [(each.name, each.count, each.left) for each in (ann, bob)] == [
        ("ann", 12, 38),
        ("bob", 3, None),
    ]
    again = accounts.buy(ann, EXPECTED["dense.x"][:10], refuse, "first")
    assert np.array_equal(again, EXPECTED["dense.logits"][:10])
    assert ann.count == 12
    accounts.close()


def test_a_detector_goes_on_where_it_stood(saved, victim):
    detector = Detector.load(saved / "detector.npz")
    assert (detector.delta, detector.queries, detector.first_alarm) == (0.9, 250, 230)
    assert np.array_equal(detector.distances, EXPECTED["detector.distances"])
    detector.observe(EXPECTED["dense.x"], victim.labels(EXPECTED["dense.x"]))
    assert np.array_equal(detector.history.queries, range(110, 300, 10))
    np.testing.assert_allclose(detector.history.w, EXPECTED["detector.w"], rtol=1e-6)


# ---- the course


def test_a_learner_keeps_what_was_solved(saved):
    shutil.copy(manifest.find(HERE).home / "course.toml", saved)
    course = manifest.Course(saved, "")
    progress = state.load(course)
    first, second = course.lesson(1), course.lesson(2)
    assert progress.done(first)
    assert progress.open(second).name == "solve_logistic"
    assert (progress.current, progress.here(course)) == ("02_logistic", second)
    assert progress.hints == {"02_logistic": {"logit": 1, "solve_logistic": 2}}
    assert progress.solutions_seen == ["labels"]
