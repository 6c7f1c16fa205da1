"""Linear victims from their largest probabilities: pairs of classes in one answer."""

import numpy as np
import pytest
from linear_victims import gauged, victim

from mstheft.direct import linear
from mstheft.direct.linear import top_k
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.oracle import Oracle


@pytest.mark.parametrize("top", [2, 3, 5])
@pytest.mark.parametrize(("d", "K"), [(3, 5), (12, 10), (40, 10)])
def test_random_victims(d, K, top):
    for seed in range(3):
        true = victim(d, K, seed=seed, weights=2 / np.sqrt(d))
        oracle = Oracle(true, "top_k", top=top)
        result = linear.extract(oracle, rng=seed)
        assert result.verified
        assert result.total == oracle.count
        x = np.random.default_rng(0).normal(size=(500, d))
        expected = gauged(true.logits(x))
        assert np.abs(gauged(result.model.logits(x)) - expected).max() < 1e-9 * expected.std()
        np.testing.assert_array_equal(result.model.labels(x), true.labels(x))


def test_the_price_is_one_system_for_every_k_minus_1_classes():
    true = victim(200, 10, weights=0.1)
    result = linear.extract(Oracle(true, "top_k", top=4), rng=0)
    assert result.queries["base"] == 64
    assert 3 * 201 <= result.queries["equations"] < 4.5 * 201  # 9 classes hung on by three each
    assert "3 points" in result.notes["base"] or "4 points" in result.notes["base"]


def test_parts_hang_together_at_what_they_share():
    rng = np.random.default_rng(0)
    theta = rng.normal(size=(4, 5))
    parts = [(np.array([0, 1, 3]), 2.0), (np.array([2, 3]), -1.0), (np.array([4, 2, 0]), 7.0)]
    whole = np.zeros((0, 0))
    for classes, shift in parts:
        whole = top_k.hung(whole, theta[:, classes] + shift, classes, 5)
    np.testing.assert_allclose(whole, theta + 2.0, atol=1e-14)


def test_one_class_in_an_answer_tells_no_pair():
    oracle = Oracle(victim(5, 4), "top_k", top=1)
    with pytest.raises(ExtractionError, match="links"):
        linear.extract(oracle, rng=0)


@pytest.mark.parametrize("seed", range(4))
def test_a_hidden_layer_is_never_a_verified_copy(seed):
    oracle = Oracle(zoo.mlp([10, 6, 5], bias=0.3, rng=seed), "top_k", top=3)
    with pytest.raises(ExtractionError) as caught:
        linear.extract(oracle, rng=0)
    assert not caught.value.partial.verified
    assert caught.value.partial.total == oracle.count
