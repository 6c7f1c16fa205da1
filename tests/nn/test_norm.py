"""Batch normalisation and dropout: in training, and outside of it."""

import numpy as np
import pytest

from mstheft.nn import gradcheck
from mstheft.nn.fast import threads as parallel
from mstheft.nn.norm import BatchNorm, Dropout, column_products


@pytest.mark.parametrize("shape", [(40, 3), (4, 5, 6, 3)])
def test_batch_norm_in_training(shape):
    """Output has mean β and deviation γ; its gradient is that of the whole formula (1e-6)."""
    rng = np.random.default_rng(3)
    layer = BatchNorm(3)
    layer.params["gamma"][:], layer.params["beta"][:] = [1, 2, 0.5], [0, -1, 3]
    x = rng.normal(2, 3, shape)
    out, cache = layer.forward(x, train=True)
    flat = out.reshape(-1, 3)
    np.testing.assert_allclose(flat.mean(axis=0), [0, -1, 3], atol=1e-12)
    np.testing.assert_allclose(flat.std(axis=0), [1, 2, 0.5], rtol=1e-5)
    dout = rng.normal(size=shape)
    dx, grads = layer.backward(dout, cache)
    error = gradcheck.directional_error(
        lambda moved: (layer.forward(moved, train=True)[0] * dout).sum(), dx, x, rng=0
    )
    assert error < 1e-6
    scaled = (flat - layer.params["beta"]) / layer.params["gamma"]
    np.testing.assert_allclose(grads["gamma"], (scaled * dout.reshape(-1, 3)).sum(axis=0))
    np.testing.assert_allclose(grads["beta"], dout.reshape(-1, 3).sum(axis=0))


def test_batch_norm_follows_and_then_uses_running_statistics():
    rng = np.random.default_rng(4)
    layer = BatchNorm(2, momentum=0.5)
    x = rng.normal([1, -2], [2, 3], (1000, 2))
    for _ in range(40):  # 0.5^40 is below rounding
        layer.forward(x, train=True)
    np.testing.assert_allclose(layer.params["mean"], x.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(layer.params["var"], x.var(axis=0), rtol=1e-9)
    out, _ = layer.forward(np.array([[1.0, 1.0]]))
    expected = (1 - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    np.testing.assert_allclose(out[0], expected, rtol=1e-9)


def test_dropout_keeps_the_mean_and_only_in_training():
    x = np.ones((200, 500))
    layer = Dropout(0.3, rng=0)
    assert layer.forward(x)[0] is x
    out, cache = layer.forward(x, train=True)
    assert set(np.unique(out)) == {0, 1 / 0.7}
    assert abs(out.mean() - 1) < 0.01  # 100,000 draws: standard error 0.002
    np.testing.assert_array_equal(layer.backward(x, cache)[0], out)
    again = Dropout(0.3, rng=0).forward(x, train=True)[0]
    np.testing.assert_array_equal(out, again)


def test_dropout_of_a_split_batch_draws_for_each_part_and_layer():
    """Four parts of a batch in two layers of one generator: eight masks, the same each time."""

    def masks():
        rng, team = np.random.default_rng(3), parallel._Team(1)
        layers, x = [Dropout(0.5, rng=rng), Dropout(0.5, rng=rng)], (np.ones((1, 60)),)
        return [
            tuple(team.run(i, lambda x, la=layer: la.forward(x, train=True)[0], x)[0])
            for layer in layers
            for i in range(4)
        ]

    assert len(set(masks())) == 8
    assert masks() == masks()


def test_column_products():
    a, b = np.random.default_rng(5).normal(size=(2, 30, 4))
    np.testing.assert_allclose(column_products(a.copy(), b), (a * b).sum(axis=0), rtol=1e-13)


@pytest.mark.parametrize("rate", [1.0, -0.1])
def test_rates_that_are_none(rate):
    with pytest.raises(ValueError, match="expected rate="):
        Dropout(rate)
