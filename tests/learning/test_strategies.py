"""Strategies: by hand, against the naive greedy, and what must hold whatever the copy says."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstheft.errors import ExtractionError
from mstheft.learning import kcenter, strategies
from mstheft.learning.strategies import STRATEGIES
from mstheft.nn import zoo
from mstheft.nn.functions import softmax


def two_classes():
    """p(class 1) = σ(2 x0): the boundary is x0 = 0, and the distance to it is |x0|."""
    return zoo.given([(np.array([[-1.0, 0.0], [1.0, 0.0]]), np.zeros(2))])


def select(name, copy, labelled, pool, k, rng=0):
    options = {"rho": max(k, len(pool) // 2)} if name == "dfal+k-center" else {}
    return STRATEGIES[name](copy, labelled, pool, k, rng, **options)


LINE = np.array([[-3.0, 0], [0.5, 7], [-0.1, -7], [2.0, 0], [0.1, 1]])


# ---- by hand


def test_uncertainty_takes_the_answers_nearest_to_even_in_their_order():
    np.testing.assert_array_equal(
        strategies.uncertainty(two_classes(), [], LINE, 4, 0), [2, 4, 1, 3]
    )  # |x0| = 0.1 twice: the first in the pool comes first
    np.testing.assert_array_equal(strategies.uncertainty(two_classes(), [2, 1], LINE, 2, 0), [4, 3])


def test_dfal_takes_the_rows_nearest_to_the_boundary():
    chosen = strategies.dfal(two_classes(), [4], LINE, 3, 0)
    np.testing.assert_array_equal(chosen, [2, 1, 3])
    distances = strategies.boundary_distances(two_classes(), LINE, np.arange(5))
    np.testing.assert_allclose(distances, 1.02 * np.abs(LINE[:, 0]), rtol=1e-6)


def test_a_row_that_deepfool_cannot_turn_comes_last():
    flat = zoo.given([(np.zeros((3, 2)), np.array([0.0, 1, 0]))])
    assert np.isinf(strategies.boundary_distances(flat, LINE, np.arange(5))).all()
    np.testing.assert_array_equal(strategies.dfal(flat, [0], LINE, 2, 0), [1, 2])


def test_k_center_takes_the_farthest_in_output_space():
    p = np.array([0, 0.125, 0.5, 0.875, 1])  # exact on the grid: 1/8 twice is a tie
    outputs = np.column_stack([p, 1 - p])
    free = np.array([1, 2, 3, 4])
    np.testing.assert_array_equal(kcenter.greedy(outputs, [0], free, 4), [4, 2, 1, 3])
    np.testing.assert_array_equal(kcenter.greedy(outputs, [], np.arange(5), 2), [0, 4])
    copy = two_classes()
    pool = np.column_stack([np.log(np.clip(p, 1e-9, 1 - 1e-9) / (1 - p.clip(1e-9, 1 - 1e-9))), p])
    pool[:, 0] /= 2
    np.testing.assert_array_equal(strategies.k_center(copy, [0], pool, 2, 0), [4, 2])


def test_dfal_k_center_is_k_center_among_the_nearest():
    rng = np.random.default_rng(0)
    copy, pool, labelled = zoo.mlp([4, 8, 3], rng=1), rng.normal(size=(60, 4)), [3, 17, 40]
    free = np.setdiff1d(np.arange(60), labelled)
    near = strategies.boundary_distances(copy, pool, free)
    shortlist = np.sort(free[np.argsort(near, kind="stable")[:20]])
    wanted = kcenter.greedy_naive(copy.probs(pool), labelled, shortlist, 6)
    chosen = strategies.dfal_k_center(copy, labelled, pool, 6, 0, rho=20)
    np.testing.assert_array_equal(chosen, wanted)
    all_of_them = strategies.dfal_k_center(copy, labelled, pool, 6, 0, rho=1000)
    np.testing.assert_array_equal(all_of_them, strategies.k_center(copy, labelled, pool, 6, 0))
    as_dfal = strategies.dfal_k_center(copy, labelled, pool, 6, 0, rho=6)
    assert set(as_dfal) == set(strategies.dfal(copy, labelled, pool, 6, 0))


def test_random_takes_every_row_equally_often():
    count = np.zeros(6)
    rng = np.random.default_rng(0)
    for _ in range(3000):
        count[strategies.random(two_classes(), [2], np.zeros((6, 2)), 2, rng)] += 1
    assert count[2] == 0
    assert np.abs(count[[0, 1, 3, 4, 5]] - 1200).max() < 5 * np.sqrt(3000 * 0.4 * 0.6)


# ---- k-center: the fast one is the naive one


@given(
    n=st.integers(1, 60),
    classes=st.integers(1, 5),
    coarse=st.sampled_from([0, 1, 3]),
    shortlist=st.integers(1, 80),
    block=st.sampled_from([1, 7, 1 << 16]),
    seed=st.integers(0, 2**32 - 1),
)
def test_greedy_is_the_naive_greedy(n, classes, coarse, shortlist, block, seed):
    rng = np.random.default_rng(seed)
    outputs = softmax(rng.normal(size=(n, classes)) * rng.choice([0.01, 1, 30, 1000]))
    if coarse:  # many ties, and many points in one place
        outputs = np.round(outputs * coarse) / coarse
    order = rng.permutation(n)
    labelled = order[: rng.integers(n)]
    rest = np.sort(order[len(labelled) :][: rng.integers(1, n - len(labelled) + 1)])
    k = int(rng.integers(1, len(rest) + 1))
    before = kcenter.SHORTLIST, kcenter.BLOCK
    try:
        kcenter.SHORTLIST, kcenter.BLOCK = shortlist, block
        chosen = kcenter.greedy(outputs, labelled, rest, k)
    finally:
        kcenter.SHORTLIST, kcenter.BLOCK = before
    np.testing.assert_array_equal(chosen, kcenter.greedy_naive(outputs, labelled, rest, k))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_greedy_is_the_naive_greedy_on_a_larger_pool(dtype):
    rng = np.random.default_rng(1)
    outputs = softmax(3 * rng.normal(size=(5000, 10))).astype(dtype)
    labelled, free = np.arange(40), np.arange(40, 5000)
    fast = kcenter.greedy(outputs, labelled, free, 700)
    np.testing.assert_array_equal(fast, kcenter.greedy_naive(outputs, labelled, free, 700))


def test_distances_on_the_grid_are_exact():
    outputs = softmax(4 * np.random.default_rng(2).normal(size=(50, 10)))
    points = kcenter.on_grid(outputs)
    np.testing.assert_allclose(points * kcenter.UNIT, outputs, rtol=0, atol=kcenter.UNIT / 2)
    told = kcenter._left(points) @ kcenter._right(points).T
    whole = [[int(v) for v in row] for row in points]
    exact = [[sum((a - b) ** 2 for a, b in zip(x, c, strict=True)) for c in whole] for x in whole]
    assert [[int(v) for v in row] for row in told] == exact


def test_k_center_needs_little_memory():
    """All distances at once would be 50,000 x 2,000 numbers, 800 MB."""
    outputs = softmax(np.random.default_rng(3).normal(size=(50_000, 10)))
    tracemalloc.start()
    kcenter.greedy(outputs, [0], np.arange(1, 50_000), 2000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


# ---- what holds for all


@pytest.mark.parametrize("name", STRATEGIES)
@given(n=st.integers(2, 30), seed=st.integers(0, 2**32 - 1), sigmoid=st.booleans())
def test_choices_are_distinct_unlabelled_and_repeatable(name, n, seed, sigmoid):
    rng = np.random.default_rng(seed)
    copy = zoo.mlp([3, 4, 1 if sigmoid else 3], bias=0.5, rng=seed)
    pool = rng.normal(size=(n, 3))
    pool[rng.integers(n, size=n // 2)] = pool[0]  # rows that come more than once
    labelled = rng.permutation(n)[: rng.integers(n)]
    k = int(rng.integers(1, n - len(labelled) + 1))
    kept = pool.copy()
    chosen = select(name, copy, labelled, pool, k, rng=seed)
    assert chosen.shape == (k,)
    assert chosen.dtype.kind == "i"
    assert len(set(chosen)) == k
    assert not set(chosen) & set(labelled)
    assert chosen.min() >= 0
    assert chosen.max() < n
    np.testing.assert_array_equal(pool, kept)
    np.testing.assert_array_equal(chosen, select(name, copy, labelled, pool, k, rng=seed))


@pytest.mark.parametrize("name", [n for n in STRATEGIES if n != "random"])
def test_choices_stand_in_the_order_in_which_they_were_made(name):
    rng = np.random.default_rng(4)
    copy, pool = zoo.mlp([5, 8, 4], rng=0), rng.normal(size=(80, 5))
    many, few = (
        STRATEGIES[name](copy, [1, 2], pool, k, 0, **({"rho": 40} if "+" in name else {}))
        for k in (30, 7)
    )
    np.testing.assert_array_equal(many[:7], few)


@pytest.mark.parametrize("name", STRATEGIES)
def test_images_of_small_numbers_and_texts_are_pools_too(name):
    rng = np.random.default_rng(5)
    images = rng.integers(0, 2, size=(20, 6, 6, 1), dtype=np.uint8)
    copy = zoo.cnn((6, 6, 1), 3, blocks=1, filters=(4,), rng=0)
    assert len(set(select(name, copy, [0, 5], images, 5))) == 5
    words = rng.integers(0, 9, size=(20, 6))
    texts = zoo.text_cnn(9, 6, 2, size=4, filters=3, rng=0)
    assert len(set(select(name, texts, [0, 5], words, 5))) == 5


def test_the_pool_is_looked_at_in_chunks(monkeypatch):
    copy, pool = zoo.mlp([3, 4, 3], rng=0), np.random.default_rng(6).normal(size=(23, 3))
    whole = {name: select(name, copy, [4], pool, 9) for name in STRATEGIES}
    monkeypatch.setattr(strategies, "CHUNK", 5)
    for name, chosen in whole.items():
        np.testing.assert_array_equal(select(name, copy, [4], pool, 9), chosen)


# ---- refusals


@pytest.mark.parametrize(("name", "k"), [*((name, 5) for name in STRATEGIES), ("random", 0)])
def test_more_than_there_is_cannot_be_chosen(name, k):
    with pytest.raises(ValueError, match="expected k from 1 to 4"):
        STRATEGIES[name](
            two_classes(), [0], LINE, k, 0, **({"rho": 9} if name == "dfal+k-center" else {})
        )


def test_refusals_say_what_is_wrong():
    with pytest.raises(ValueError, match="indices from 0 to 4, got 0 to 5"):
        strategies.random(two_classes(), [0, 5], LINE, 1, 0)
    with pytest.raises(ValueError, match=r"rho= of at least k = 3 rows, got 2"):
        strategies.dfal_k_center(two_classes(), [], LINE, 3, 0, rho=2)
    with pytest.raises(ValueError, match="one of random, uncertainty"):
        strategies.named("k-centre", 10)
    wild = zoo.given([(np.full((2, 2), np.inf), np.zeros(2))])
    with (
        pytest.raises(ExtractionError, match="finite answers"),
        np.errstate(invalid="ignore"),
    ):
        strategies.k_center(wild, [], LINE, 1, 0)


def test_a_shortlist_is_of_the_rows_of_least_margin():
    """DFAL among so many candidates: those with the smallest difference of the two best logits."""
    rng = np.random.default_rng(5)
    copy, pool = zoo.mlp([4, 8, 3], rng=0), rng.normal(size=(60, 4))
    labelled = np.arange(10)
    best = np.sort(copy.logits(pool), axis=1)
    margin = best[:, -1] - best[:, -2]
    near = 10 + np.argsort(margin[10:])[:12]
    chosen = strategies.shortlisted("dfal", 12)(copy, labelled, pool, 5, 0)
    assert set(chosen) <= set(near)
    expected = near[np.argsort(strategies.boundary_distances(copy, pool, near))[:5]]
    np.testing.assert_array_equal(np.sort(chosen), np.sort(expected))


def test_a_shortlist_leaves_dfal_something_to_say_before_k_center():
    """Only half of the candidates, the nearest to the boundary, are handed on."""
    rng = np.random.default_rng(6)
    copy, pool = zoo.mlp([4, 8, 3], rng=0), rng.normal(size=(80, 4))
    labelled = np.arange(10)
    best = np.sort(copy.logits(pool), axis=1)
    near = 10 + np.argsort((best[:, -1] - best[:, -2])[10:])[:20]
    handed = near[np.argsort(strategies.boundary_distances(copy, pool, near))[:10]]
    chosen = strategies.shortlisted("dfal+k-center", 20)(copy, labelled, pool, 6, 0)
    assert set(chosen) <= set(handed)
    plain = strategies.k_center(copy, labelled, pool, 6, 0)
    assert set(chosen) != set(plain)
    assert "among 20" in strategies.shortlisted("dfal", 20).__qualname__
    with pytest.raises(ValueError, match="candidates"):
        strategies.shortlisted("dfal", 0)
