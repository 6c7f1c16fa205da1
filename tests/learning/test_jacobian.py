"""Augmentation by Jacobian signs: each step by hand, and what the whole costs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mstheft as mt
from mstheft.errors import BudgetExhausted
from mstheft.learning import active, distinct, jacobian
from mstheft.nn import zoo

W = np.array([[1.0, -2.0, 0.0], [-0.5, 3.0, 1.0]])


def linear():
    return zoo.given([(W, np.zeros(2))])


def network(inputs=3, outputs=2):
    return zoo.mlp([inputs, 8, outputs], bias=0.5, rng=0)


def extract(oracle, rows, **changes):
    options = {"rounds": 2, "rng": 0, "epochs": 3}
    return jacobian.extract(
        oracle,
        rows,
        changes.pop("copy", lambda: zoo.mlp([3, 6, 2], rng=1)),
        **{**options, **changes},
    )


ROWS = np.random.default_rng(0).random((7, 3))


# ---- stages


def test_a_row_moves_by_the_sign_of_its_labels_gradient():
    x = np.zeros((3, 3))
    moved = jacobian.grown(linear(), x, np.array([0, 1, 0]), 0.1)
    np.testing.assert_allclose(moved, 0.1 * np.sign(W[[0, 1, 0]]))
    np.testing.assert_array_equal(x, 0)
    clipped = jacobian.grown(linear(), x, np.array([0, 1, 0]), 0.1, bounds=(0, 1))
    np.testing.assert_allclose(clipped, np.clip(moved, 0, 1))
    sigmoid = zoo.given([(W[:1], np.zeros(1))])
    np.testing.assert_allclose(
        jacobian.grown(sigmoid, x, np.array([1, 0, 1]), 0.1), 0.1 * np.sign([W[0], -W[0], W[0]])
    )


def test_growing_follows_the_gradient_of_any_network_in_chunks_and_shapes(monkeypatch):
    copy, x = zoo.small_cnn((8, 8, 1), 3, rng=0), np.random.default_rng(1).random((5, 8, 8, 1))
    labels, step = np.array([0, 2, 1, 1, 0]), 0.05
    slopes = copy.jacobian(x)[np.arange(5), labels].reshape(x.shape)
    wanted = x + step * np.sign(slopes)
    np.testing.assert_allclose(jacobian.grown(copy, x, labels, step), wanted)
    monkeypatch.setattr(jacobian, "CHUNK", 2)
    np.testing.assert_allclose(jacobian.grown(copy, x, labels, step), wanted)
    flat = jacobian.grown(copy, x.reshape(5, 64), labels, step)
    np.testing.assert_allclose(flat, wanted.reshape(5, 64))


@given(n=st.integers(1, 60), k=st.integers(1, 60), seed=st.integers(0, 2**32 - 1))
def test_a_reservoir_holds_k_different_rows(n, k, seed):
    kept = jacobian.reservoir(np.arange(n), k, seed)
    assert len(set(kept)) == len(kept) == min(n, k)
    assert set(kept) <= set(range(n))


def test_a_reservoir_holds_every_row_equally_often():
    count, rng = np.zeros(10), np.random.default_rng(0)
    for _ in range(4000):
        count[jacobian.reservoir(np.arange(10), 3, rng)] += 1
    assert np.abs(count - 1200).max() < 5 * np.sqrt(4000 * 0.3 * 0.7)


def test_the_sign_changes_after_every_tau_rounds():
    steps = [jacobian.step_of(turn, 0.1, 2) for turn in range(6)]
    assert steps == [0.1, 0.1, -0.1, -0.1, 0.1, 0.1]
    assert {jacobian.step_of(turn, 0.1, None) for turn in range(6)} == {0.1}


# ---- rows of equal content


@given(st.lists(st.tuples(st.sampled_from([-0.0, 0.0, 1.5]), st.integers(0, 2)), max_size=30))
def test_the_first_of_equal_rows(rows):
    array = np.array(rows, float).reshape(-1, 2)
    places = distinct.first_places(array)
    assert list(places) == [rows.index(row) for row in dict.fromkeys(rows)]
    cut = len(rows) // 2
    others = set(rows[:cut])
    new = [row for row in dict.fromkeys(rows[cut:]) if row not in others]
    np.testing.assert_array_equal(
        distinct.unlike(array[cut:], array[:cut]), np.array(new).reshape(-1, 2)
    )


def test_equal_rows_are_found_in_chunks_and_pictures(monkeypatch):
    monkeypatch.setattr(distinct, "CHUNK", 3)
    pictures = np.random.default_rng(0).integers(0, 255, (5, 4, 4, 3), np.uint8)[
        [0, 1, 2, 1, 3, 0, 4]
    ]
    assert list(distinct.first_places(pictures)) == [0, 1, 2, 4, 6]
    assert list(distinct.first_places(pictures[:, ::2])) == [0, 1, 2, 4, 6]


# ---- the story


@pytest.mark.parametrize("tau", [None, 1])
def test_every_round_asks_what_the_copy_makes_of_all_rows_each_content_once(tau):
    """By hand, and as slow as it is plain."""
    copies, oracle = [], mt.Oracle(network(), output="label")
    options = {"tau": tau, "lam": 0.25, "evaluate": lambda copy: copies.append(copy) or 0}
    result = extract(oracle, np.concatenate([ROWS, ROWS[:3]]), rounds=3, **options)
    rows = [tuple(row) for row in ROWS]
    bought = [7]
    for turn, copy in enumerate(copies[:-1]):
        x = np.array(rows)
        step = -0.25 if tau and turn % 2 else 0.25
        made = jacobian.grown(copy, x, network().labels(x), step)
        rows += [row for row in dict.fromkeys(map(tuple, made)) if row not in rows]
        bought.append(len(rows) - len(x))
    np.testing.assert_array_equal(result.trace.rows, rows)
    np.testing.assert_array_equal(result.trace.answers, network().labels(np.array(rows)))
    assert [len(chosen) for chosen in result.chosen] == bought
    assert oracle.count == result.total == len(rows) < 56
    np.testing.assert_array_equal(result.of("queries"), np.cumsum(bought))
    assert result.model is copies[-1]
    assert len(result.curve) == 4
    assert not result.verified
    assert f"% of the {bought[-1]} rows bought after it" in result.found["verify"]


def test_a_round_without_a_new_row_costs_nothing():
    """Steps this long end in a corner of the bounds, and stay there."""
    oracle = mt.Oracle(network())
    result = extract(oracle, ROWS, rounds=6, lam=9.0, bounds=(0, 1))
    assert oracle.count == len(np.unique(result.trace.rows, axis=0)) <= 7 + 8
    assert 0 in [len(rows) for rows in result.chosen]
    assert len(result.chosen) == len(result.curve) == 7


def test_reservoir_and_budget_limit_what_is_asked():
    result = extract(mt.Oracle(network()), ROWS, rounds=4, sigma=2, kappa=5)
    assert [len(rows) for rows in result.chosen] == [7, 7, 7, 5, 5]
    oracle = mt.Oracle(network(), budget=31)
    result = extract(oracle, ROWS, rounds=4, budget=31)
    assert [len(rows) for rows in result.chosen] == [7, 7, 7, 7, 3]
    assert oracle.left == 0
    assert len(result.curve) == 5


def test_same_seed_same_rows():
    one, same, other = (
        extract(mt.Oracle(network()), ROWS, rounds=3, sigma=1, kappa=3, rng=rng)
        for rng in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.trace.rows, same.trace.rows)
    assert not np.array_equal(one.trace.rows, other.trace.rows)


def test_it_learns_glyphs_from_a_few_of_them():
    x, y = mt.data.synthetic.glyphs(1500, size=8, classes=4, noise=0.02, rng=0)
    owner = zoo.mlp([64, 24, 4], rng=0)
    mt.nn.fit.fit(owner, x, y, epochs=25, rng=0)
    result = extract(
        mt.Oracle(owner, output="label"), x[:20], copy=lambda: zoo.mlp([64, 24, 4], rng=3),
        rounds=5, epochs=50, batch=20, bounds=(0, 1),
        evaluate=lambda copy: mt.compare.agreement(owner, copy, x[500:]),
    )  # fmt: skip
    assert result.of("agreement")[-1] > max(0.6, result.of("agreement")[0])


# ---- endings and refusals


def test_a_wall_keeps_what_was_paid_for():
    with pytest.raises(BudgetExhausted) as caught:
        extract(mt.Oracle(network(), budget=20), ROWS)
    partial = caught.value.partial
    assert partial.total == len(partial.trace.rows) == 14
    assert len(partial.curve) == 2
    assert partial.stopped == "query"


def test_ctrl_c_keeps_what_was_paid_for(monkeypatch):
    def interrupted(copy, *args, **kwargs):
        history = mt.nn.fit.fit(copy, *args, **kwargs)
        history.interrupted = len(args[0]) > 10
        return history

    monkeypatch.setattr(jacobian, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        extract(mt.Oracle(network()), ROWS)
    partial = caught.value.partial
    assert partial.stopped == "train"
    assert len(partial.trace.rows) == 14
    assert len(partial.curve) == 1
    assert partial.model is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tau": 0}, "tau= of at least 1"),
        ({"kappa": 0}, "kappa="),
        ({"rounds": -1}, "rounds="),
        ({"budget": 6}, "at least the 7 seed rows"),
        ({"epochs": 0}, "epochs="),
        ({"copy": lambda: zoo.mlp([3, 5], rng=0)}, "3 inputs and 2 outputs"),
        ({"copy": lambda: zoo.text_gru(9, 3, 2, rng=0)}, "differentiable in its inputs"),
    ],
)
def test_what_cannot_work_is_refused_before_it_costs(change, said):
    oracle = mt.Oracle(network())
    with pytest.raises(ValueError, match=said):
        extract(oracle, ROWS, **change)
    assert oracle.count == 0


# ---- noise


def test_noise_is_uniform_and_of_the_asked_shape():
    pool = jacobian.noise_pool((4, 5, 2), 5000, 0)
    assert pool.shape == (5000, 4, 5, 2)
    assert pool.dtype == np.float32
    assert pool.min() >= 0
    assert pool.max() < 1
    assert abs(pool.mean() - 0.5) < 5 * 0.2887 / np.sqrt(pool.size)
    assert abs(pool.std() - 0.2887) < 0.003
    np.testing.assert_array_equal(pool, jacobian.noise_pool((4, 5, 2), 5000, 0))


def test_noise_texts_hold_every_word_but_no_padding():
    pool = jacobian.noise_pool((6,), 500, 0, words=9)
    assert pool.shape == (500, 6)
    assert pool.dtype == np.int64
    np.testing.assert_array_equal(np.unique(pool), np.arange(1, 9))


def test_noise_texts_are_a_pool_for_stealing_a_text_network():
    owner = zoo.text_cnn(30, 8, 2, size=8, filters=6, rng=0)
    result = active.extract(
        mt.Oracle(owner, output="probs"), jacobian.noise_pool((8,), 200, 1, words=30),
        lambda: zoo.text_cnn(30, 8, 2, size=8, filters=6, rng=2), strategy="dfal+k-center",
        budget=90, rounds=2, rng=0, epochs=4,
    )  # fmt: skip
    assert result.total == 90
