"""Linear victims of several classes, from labels alone."""

import numpy as np
import pytest
from linear_victims import victim

from mstheft.direct import boundary
from mstheft.direct.linear import one_vs_one
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.oracle import Oracle


def shape_of(model):
    """θ (K, d+1) less its mean, weights of norm 1: what labels can tell."""
    W, b = model.dense()[0]
    theta = np.column_stack([W, b]).astype(float)
    theta -= theta.mean(axis=0)
    return theta / np.linalg.norm(theta[:, :-1])


@pytest.mark.parametrize(("d", "K"), [(3, 3), (5, 4), (30, 5), (20, 10)])
def test_random_victims(d, K):
    for seed in range(3):
        true = victim(d, K, seed=seed)
        oracle = Oracle(true, "label")
        result = boundary.extract(oracle, rng=seed)
        assert result.verified
        assert result.total == oracle.count
        assert np.abs(shape_of(result.model) - shape_of(true)).max() < 1e-6
        x = np.random.default_rng(0).normal(size=(2000, d))
        np.testing.assert_array_equal(result.model.labels(x), true.labels(x))
        assert len(result.trace.boundaries) >= 2 * K - 3


def test_a_triangle_that_does_not_close_is_an_error():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(3, 5))
    pairs = [(0, 1), (0, 2), (1, 2)]
    sides = [one_vs_one.Boundary(p, rng.uniform(1, 9) * (true[p[1]] - true[p[0]])) for p in pairs]
    theta = np.full((3, 5), np.nan)
    theta[0] = 0
    one_vs_one.place(theta, sides[:1], 1, 1e-9)
    one_vs_one.place(theta, sides, 2, 1e-9)
    moved = true - true[0]
    np.testing.assert_allclose(theta, moved / np.linalg.norm(moved[1]), atol=1e-12)
    sides[2].u[0] += 1e-3
    theta[2] = np.nan
    with pytest.raises(ExtractionError, match="miss one another"):
        one_vs_one.place(theta, sides, 2, 1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_a_hidden_layer_is_never_a_verified_copy(seed):
    oracle = Oracle(zoo.mlp([10, 6, 4], bias=0.3, rng=seed), "label")
    with pytest.raises(ExtractionError) as caught:
        boundary.extract(oracle, rng=0)
    assert not caught.value.partial.verified
    assert caught.value.partial.total == oracle.count


def test_verification_rejects_weights_that_are_slightly_off():
    true = victim(10, 4)
    result = boundary.extract(Oracle(true, "label"), rng=0)
    result.model.dense()[0][0][1, 2] += 1e-3
    one_vs_one.verify_labels(result, Oracle(true, "label"), np.random.default_rng(1), 200, 1e-6, 1)
    assert not result.verified
    assert 1e-6 < result.error < 1e-1


def test_a_class_that_is_never_answered_is_named():
    true = victim(5, 4)
    W, b = true.dense()[0]
    W[3], b[3] = W[:3].mean(axis=0), -5  # inside the others: never the largest
    with pytest.raises(ExtractionError, match="none of"):
        boundary.extract(Oracle(true, "label"), rng=0)
