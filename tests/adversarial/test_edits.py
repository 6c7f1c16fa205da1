"""Edits one at a time: against filters for which the best ones are known."""

import itertools

import numpy as np
import pytest

from mstheft.adversarial import edits
from mstheft.nn import zoo

WEIGHTS = np.array([3.0, -1.0, -4.0, 0.5, -2.0])


def linear(x):
    """s(x) = <w, x> + 2: what it finds worst is feature 0, what calms it most is feature 2."""
    return x @ WEIGHTS + 2


def bag(weights):
    """A filter of two classes whose margin for class 1 is the sum of its words' weights."""
    network = zoo.text_bag(len(weights), 4, 2, rng=0, dtype=np.float64)
    network.layers[1].params["W"][...] = [np.zeros(len(weights)), weights]
    network.layers[1].params["b"][...] = 0
    return network


# ---- additions


def test_the_best_additions_to_a_linear_filter_are_its_lowest_weights():
    x = np.array([[1.0, 0, 0, 0, 0], [1, 1, 1, 0, 0], [0, 1, 1, 1, 1]])
    path = edits.greedy(linear, x, edits.Additions(), 3)
    np.testing.assert_array_equal(path.rows[1], [[1, 0, 1, 0, 0], [1, 1, 1, 0, 1], x[2]])
    np.testing.assert_array_equal(path.rows[2], [[1, 0, 1, 0, 1], [1, 1, 1, 0, 1], x[2]])
    np.testing.assert_array_equal(path.rows[3], [[1, 1, 1, 0, 1], [1, 1, 1, 0, 1], x[2]])
    expected = [[5, 0, -4.5], [1, -2, -4.5], [-1, -2, -4.5], [-2, -2, -4.5]]
    np.testing.assert_allclose(path.scores, expected, rtol=0, atol=1e-12)


def test_greedy_is_best_of_all_sets_for_a_linear_filter():
    rng = np.random.default_rng(1)
    weights = rng.normal(size=9)
    x = (rng.random((6, 9)) < 0.4).astype(float)
    path = edits.greedy(lambda rows: rows @ weights, x, edits.Additions(), 3)
    for i, row in enumerate(x):
        sets = itertools.chain.from_iterable(
            itertools.combinations(np.flatnonzero(row == 0), k) for k in range(4)
        )
        best = min(float(row @ weights + weights[list(each)].sum()) for each in sets)
        assert path.scores[-1, i] == pytest.approx(best, rel=1e-12, abs=1e-12)


def test_candidates_are_the_row_with_one_feature_more():
    found = edits.Additions().candidates(np.array([0.0, 1, 0]))
    np.testing.assert_array_equal(found, [[1, 1, 0], [0, 1, 1]])
    assert edits.Additions().candidates(np.ones(3)).shape == (0, 3)


@pytest.mark.parametrize("make", ["greedy", "random"])
def test_nothing_is_ever_removed(make):
    rng = np.random.default_rng(2)
    x = (rng.random((20, 12)) < 0.5).astype(np.float32)
    x[0] = 1
    score = edits.margin(zoo.mlp([12, 8, 2], rng=3, dtype=np.float32), 1)
    if make == "greedy":
        path = edits.greedy(score, x, edits.Additions(), 5)
    else:
        path = edits.at_random(x, edits.Additions(), 5, rng=4)
    steps = np.diff(path.rows, axis=0)
    assert set(np.unique(steps)) <= {0, 1}
    assert steps.sum(axis=2).max() == 1
    np.testing.assert_array_equal(path.rows[0], x)
    np.testing.assert_array_equal(path.rows[:, 0], 1)
    if make == "random":
        room = np.minimum((x == 0).sum(axis=1), 5)
        np.testing.assert_array_equal(path.rows[-1].sum(axis=1) - x.sum(axis=1), room)


def test_the_score_never_rises_and_is_that_of_the_rows(monkeypatch):
    rng = np.random.default_rng(5)
    x = (rng.random((30, 12)) < 0.3).astype(float)
    score = edits.margin(zoo.mlp([12, 8, 3], rng=6), 1)
    path = edits.greedy(score, x, edits.Additions(), 4)
    assert (np.diff(path.scores, axis=0) <= 0).all()
    for rows, scores in zip(path.rows, path.scores, strict=True):
        np.testing.assert_allclose(score(rows), scores, rtol=1e-12, atol=1e-12)
    monkeypatch.setattr(edits, "ROWS", 7)
    np.testing.assert_array_equal(
        edits.greedy(score, x, edits.Additions(), 4).rows, path.rows, "batches change nothing"
    )


# ---- words


def test_a_bag_of_words_loses_its_worst_word_and_gains_its_best():
    """Weights by word number; the text is (2, 3). With room, the last place may be filled."""
    score = edits.margin(bag([0, 0, 5.0, 1.0, -2.0, -3.0]), 1)
    x = np.array([[2, 3, 0, 0]])
    path = edits.greedy(score, x, edits.Words([4, 5]), 4)
    np.testing.assert_allclose(path.scores[:, 0], [6, -2, -5, -5, -5], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(path.rows[1], [[5, 3, 0, 0]], "5 for 2: -3 - 5")
    np.testing.assert_array_equal(path.rows[2], [[5, 4, 0, 0]], "4 for 3: -2 - 1, 4 behind: -2")
    np.testing.assert_array_equal(path.rows[4], [[5, 4, 0, 0]], "no word is left that helps")


def test_a_full_text_gets_no_longer_and_an_empty_one_gets_a_word():
    words = edits.Words([3, 2, 3])
    np.testing.assert_array_equal(words.candidates(np.array([0, 0])), [[2, 0], [3, 0]])
    np.testing.assert_array_equal(words.candidates(np.array([2, 0])), [[3, 0], [2, 2], [2, 3]])
    np.testing.assert_array_equal(words.candidates(np.array([2, 5])), [[3, 5], [2, 2], [2, 3]])
    assert len(edits.Words([2]).candidates(np.array([2, 2]))) == 0


def test_random_words_are_among_the_candidates_and_reach_all_of_them():
    words, row, rng = edits.Words([2, 3, 4]), np.array([2, 9, 0, 0]), np.random.default_rng(7)
    candidates = {tuple(each) for each in words.candidates(row).tolist()}
    drawn = {tuple(words.draw(row, rng).tolist()) for _ in range(300)}
    assert drawn == candidates
    assert len(candidates) == 8
    np.testing.assert_array_equal(edits.Words([2]).draw(np.array([2, 2]), rng), [2, 2])


@pytest.mark.parametrize("wrong", [[], [0, 3], [-1]])
def test_words_that_are_none(wrong):
    with pytest.raises(ValueError, match="word numbers above 0"):
        edits.Words(wrong)


def test_the_most_harmless_words_of_a_bag_are_those_of_least_weight(monkeypatch):
    weights = np.array([0, 0, 5.0, 1.0, -2.0, -3.0, 0.5])
    score = edits.margin(bag(weights), 1)
    texts = np.array([[2, 3, 0, 0], [2, 2, 3, 3]])
    for rows in (20_000, 3):
        monkeypatch.setattr(edits, "ROWS", rows)
        np.testing.assert_array_equal(edits.harmless(score, texts, [6, 4, 5], 2), [5, 4])


# ---- where a row stops, and what a margin is


def test_rows_stop_where_they_first_pass():
    rows = np.arange(3)[:, None, None] * np.ones((3, 3, 2))
    path = edits.Path(rows, np.zeros((3, 3)))
    passed = np.array([[True, False, False], [True, True, False], [False, True, False]])
    steps, stopped = path.until(passed)
    np.testing.assert_array_equal(steps, [0, 1, 2])
    np.testing.assert_array_equal(stopped, [[0, 0], [1, 1], [2, 2]])


def test_margins_of_one_logit_and_of_many():
    x = np.random.default_rng(8).normal(size=(9, 4))
    one, many = zoo.logistic(4, rng=0), zoo.mlp([4, 3], rng=1)
    np.testing.assert_array_equal(edits.margin(one, 1)(x), one.logits(x)[:, 0])
    np.testing.assert_array_equal(edits.margin(one, 0)(x), -one.logits(x)[:, 0])
    z = many.logits(x)
    np.testing.assert_array_equal(edits.margin(many, 1)(x), z[:, 1] - np.maximum(z[:, 0], z[:, 2]))
    np.testing.assert_array_equal(edits.margin(many, 1)(x) > 0, many.labels(x) == 1)
