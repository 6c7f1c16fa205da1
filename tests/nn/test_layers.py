"""Layers one by one: shapes, values, gradients, and what is refused.

Sizes: values against sums written out in loops, 1e-14 for a few products of size 1; gradients by
random projections, 1e-9 when right and judged at 1e-6.
"""

import json

import numpy as np
import pytest

from mstheft.nn.gradcheck import directional_error
from mstheft.nn.layers import Activation, Dense, Flatten, Layer
from mstheft.nn.network import KINDS

rng = np.random.default_rng(11)
CASES = {
    "dense": (Dense(4, 3, rng=0), rng.normal(size=(5, 4))),
    "dense 1 to 1": (Dense(1, 1, rng=0), rng.normal(size=(5, 1))),
    **{name: (Activation(name), rng.normal(size=(5, 4))) for name in Activation.FUNCTIONS},
    "activation of images": (Activation("tanh"), rng.normal(size=(2, 3, 4, 2))),
    "flatten": (Flatten(), rng.normal(size=(2, 3, 4, 2))),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients(name):
    """L = Σ out ∘ seed, so that dL/dout is the seed. Normal numbers stay clear of the kink at 0."""
    layer, x = CASES[name]
    out, cache = layer.forward(x)
    seed = np.random.default_rng(0).normal(size=out.shape)
    dx, grads = layer.backward(seed, cache)
    assert dx.shape == x.shape
    assert grads.keys() == layer.params.keys()

    def loss(moved):
        return float((layer.forward(moved)[0] * seed).sum())

    assert 0 <= directional_error(loss, dx, x, rng=0) < 1e-6
    assert 4e-4 < directional_error(loss, 1.001 * dx, x, rng=0) < 6e-4
    for key, gradient in grads.items():
        kept = layer.params[key]

        def loss_of_parameter(moved, key=key):
            layer.params[key] = moved
            return loss(x)

        assert 0 <= directional_error(loss_of_parameter, gradient, kept, rng=0) < 1e-6
        layer.params[key] = kept


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_purity(name):
    layer, x = CASES[name]
    before = x.copy()
    out, cache = layer.forward(x)
    assert out.shape == (len(x), *layer.out_shape(x.shape[1:]))
    kept = out.copy()
    seed = np.ones_like(out)
    layer.backward(seed, cache)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(out, kept)
    np.testing.assert_array_equal(seed, 1)
    empty, _ = layer.forward(x[:0])
    assert empty.shape == (0, *out.shape[1:])


@pytest.mark.parametrize("name", CASES)
def test_config_and_shapes_describe_the_layer(name):
    layer, x = CASES[name]
    config = json.loads(json.dumps(layer.config()))
    again = KINDS[type(layer).__name__](**config)
    assert again.config() == layer.config()
    shapes = {key: p.shape for key, p in layer.params.items()}
    assert type(layer).shapes(**config) == shapes
    again.params = layer.params
    np.testing.assert_array_equal(again.forward(x)[0], layer.forward(x)[0])


def test_dense_by_loops():
    layer, x = CASES["dense"]
    layer.params["b"][...] = [0.5, -1, 2]
    weights, bias = layer.params["W"], layer.params["b"]
    out, cache = layer.forward(x)
    dout = np.random.default_rng(2).normal(size=out.shape)
    dx, grads = layer.backward(dout, cache)
    for n in range(5):
        for o in range(3):
            want = sum(weights[o, i] * x[n, i] for i in range(4)) + bias[o]
            assert out[n, o] == pytest.approx(want, rel=1e-14, abs=1e-14)
        for i in range(4):
            want = sum(dout[n, o] * weights[o, i] for o in range(3))
            assert dx[n, i] == pytest.approx(want, rel=1e-14, abs=1e-14)
    want = sum(dout[n, 1] * x[n, 2] for n in range(5))
    assert grads["W"][1, 2] == pytest.approx(want, rel=1e-14, abs=1e-14)
    assert grads["b"][1] == pytest.approx(dout[:, 1].sum(), rel=1e-14, abs=1e-14)


def test_he_initialisation():
    """400 x 500 draws: the deviation comes out within 1/sqrt(2 · 2e5) = 0.16 %; 4 of it."""
    layer = Dense(500, 400, rng=0)
    assert layer.params["W"].shape == (400, 500)
    assert layer.params["W"].std() == pytest.approx(np.sqrt(2 / 500), rel=0.0064)
    assert abs(layer.params["W"].mean()) < 4 * np.sqrt(2 / 500 / 200_000)
    np.testing.assert_array_equal(layer.params["b"], 0)


def test_same_seed_same_weights():
    np.testing.assert_array_equal(Dense(4, 3, rng=5).params["W"], Dense(4, 3, rng=5).params["W"])
    assert (Dense(4, 3, rng=5).params["W"] != Dense(4, 3, rng=6).params["W"]).all()


@pytest.mark.parametrize("name", ["dense", *Activation.FUNCTIONS])
def test_float32_stays_float32(name):
    layer = Dense(4, 3, rng=0, dtype=np.float32) if name == "dense" else Activation(name)
    out, cache = layer.forward(np.ones((2, 4), np.float32))
    dx, grads = layer.backward(np.ones_like(out), cache)
    assert {a.dtype for a in (out, dx, *grads.values(), *layer.params.values())} == {np.dtype("f4")}


def test_dx_may_be_skipped():
    layer, x = CASES["dense"]
    out, cache = layer.forward(x)
    _, grads = layer.backward(np.ones_like(out), cache, need_dx=False)
    _, want = layer.backward(np.ones_like(out), cache)
    np.testing.assert_array_equal(grads["W"], want["W"])
    np.testing.assert_array_equal(grads["b"], want["b"])


def test_flatten_is_row_major():
    x = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(Flatten().forward(x)[0], [range(12), range(12, 24)])


@pytest.mark.parametrize("width", [0, -1, 2.5, 4.0, "4", None, True])
def test_widths_that_are_none(width):
    with pytest.raises(
        ValueError, match="expected inputs of Dense as a positive whole number, got"
    ):
        Dense(width, 3)
    with pytest.raises(
        ValueError, match="expected outputs of Dense as a positive whole number, got"
    ):
        Dense(3, width)


def test_errors_name_what_does_not_fit():
    with pytest.raises(
        ValueError, match=r"expected an input of shape \(4,\) for Dense, got \(5,\)"
    ):
        Dense(4, 3).out_shape((5,))
    with pytest.raises(ValueError, match="put a Flatten before it"):
        Dense(4, 3).out_shape((2, 2))
    with pytest.raises(ValueError, match=r"expected an activation from .*'relu'.*, got 'swish'"):
        Activation("swish")


def test_a_layer_alone_must_say_what_it_does():
    layer = Layer()
    assert layer.config() == {}
    assert Layer.shapes() == {}
    with pytest.raises(NotImplementedError):
        layer.forward(np.ones((1, 1)))
    with pytest.raises(NotImplementedError):
        layer.backward(np.ones((1, 1)), None)
