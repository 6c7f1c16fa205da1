"""Layers for texts: against slow obvious versions, padding left out, gradients through time."""

import numpy as np
import pytest

from mstheft.nn import gradcheck, losses, zoo
from mstheft.nn.bag import BagOfWords
from mstheft.nn.functions import sigmoid
from mstheft.nn.layers import Dense
from mstheft.nn.network import Network
from mstheft.nn.sequence import GRU, Conv1DMax, Embedding

WORDS, LENGTH, SIZE = 50, 12, 7


def texts(rng=0):
    ids = np.random.default_rng(rng).integers(1, WORDS, (6, LENGTH))
    ids[2, 5:] = 0
    ids[3, 2:] = 0
    ids[4, 1:] = 0
    ids[5, :] = 0
    return ids


def vectors(rng=0):
    x = np.random.default_rng(rng).normal(size=(6, LENGTH, SIZE))
    return x * (texts() > 0)[:, :, None]


def conv_naive(layer, x):
    rows = []
    for text in x:
        words = text.any(axis=1)
        row = []
        for size in layer.sizes:
            w, b = layer.params[f"W{size}"], layer.params[f"b{size}"]
            starts = [t for t in range(len(text) - size + 1) if t == 0 or words[t]]
            scores = [w @ text[t : t + size].ravel() + b for t in starts]
            row.append(np.maximum(np.max(scores, axis=0), 0))
        rows.append(np.concatenate(row))
    return np.array(rows)


def gru_naive(layer, x):
    w, u, b, c = (layer.params[name] for name in "WUbc")
    wr, wz, wn = np.split(w, 3)
    ur, uz, un = np.split(u, 3)
    br, bz, bn = np.split(b, 3)
    cr, cz, cn = np.split(c, 3)
    rows = []
    for text in x:
        h = np.zeros(layer.units)
        for word in text:
            if not word.any():
                continue
            r = sigmoid(wr @ word + br + ur @ h + cr)
            z = sigmoid(wz @ word + bz + uz @ h + cz)
            new = np.tanh(wn @ word + bn + r * (un @ h + cn))
            h = (1 - z) * new + z * h
        rows.append(h)
    return np.array(rows)


def layer_of(kind):
    rng = np.random.default_rng(1)
    if kind == "conv":
        layer, naive = Conv1DMax(SIZE, 4, (2, 3, 5), rng=rng), conv_naive
    else:
        layer, naive = GRU(SIZE, 5, rng=rng), gru_naive
    for name in layer.params:
        layer.params[name] += 0.1 * rng.normal(size=layer.params[name].shape)
    return layer, naive


@pytest.mark.parametrize("kind", ["conv", "gru"])
def test_equals_the_obvious_version(kind):
    """One text and one word at a time; the same sums in another order: within 1e-12."""
    layer, naive = layer_of(kind)
    x = vectors()
    assert np.abs(layer.forward(x)[0] - naive(layer, x)).max() < 1e-12


@pytest.mark.parametrize("kind", ["conv", "gru"])
def test_gradients(kind):
    """Central differences, padding kept at zero: below 1e-6 for input and parameters."""
    layer, _ = layer_of(kind)
    x, shown = vectors(), (texts() > 0)[:, :, None]
    dout = np.random.default_rng(2).normal(size=layer.forward(x)[0].shape)
    dx, grads = layer.backward(dout, layer.forward(x)[1])

    def value(moved):
        return (layer.forward(moved * shown)[0] * dout).sum()

    assert gradcheck.directional_error(value, dx * shown, x, rng=0) < 1e-6
    for name, kept in list(layer.params.items()):

        def with_param(moved, name=name, kept=kept):
            layer.params[name] = moved
            try:
                return (layer.forward(x)[0] * dout).sum()
            finally:
                layer.params[name] = kept

        assert gradcheck.directional_error(with_param, grads[name], kept, rng=0) < 1e-6, name


@pytest.mark.parametrize("make", [zoo.text_cnn, zoo.text_gru])
def test_padding_changes_nothing(make):
    """A longer row of the same words: the same answer to the last digit but rounding."""
    short = make(WORDS, LENGTH, 3, rng=0, dtype=np.float64)
    long = Network(short.layers, LENGTH + 9)
    ids = texts()[:5]
    longer = np.pad(ids, ((0, 0), (0, 9)))
    longer_full = ids.all(axis=1)  # a full text loses no window only if windows past its end count
    a, b = short.logits(ids), long.logits(longer)
    same = ~longer_full if make is zoo.text_cnn else slice(None)
    np.testing.assert_allclose(a[same], b[same], rtol=1e-10, atol=1e-12)


def test_embedding_sums_over_repeated_words():
    layer = Embedding(WORDS, 3, rng=0)
    ids = np.array([[1, 2, 1, 0], [2, 2, 2, 49]])
    out, cache = layer.forward(ids.astype(float))
    np.testing.assert_array_equal(out, layer.params["W"][ids])
    assert (out[0, 3] == 0).all()
    dout = np.random.default_rng(0).normal(size=out.shape)
    expected = np.zeros((WORDS, 3))
    np.add.at(expected, ids, dout)
    expected[0] = 0
    dx, grads = layer.backward(dout, cache)
    np.testing.assert_allclose(grads["W"], expected, rtol=1e-12, atol=1e-14)
    assert (dx == 0).all()


@pytest.mark.parametrize("wrong", [-1, WORDS, 1.5])
def test_words_outside_the_vocabulary(wrong):
    with pytest.raises(ValueError, match="expected whole word numbers from 0 to 49"):
        Embedding(WORDS, 3).forward(np.array([[1.0, wrong]]))


@pytest.mark.parametrize("make", [zoo.text_cnn, zoo.text_gru, zoo.text_bag])
def test_text_networks_learn_and_are_stored(make, tmp_path):
    """Texts that hold word 7 against texts that do not: learned in a few epochs."""
    from mstheft.nn.fit import accuracy, fit
    from mstheft.nn.optim import Adam

    rng = np.random.default_rng(3)
    ids = rng.integers(1, WORDS, (600, LENGTH))
    y = (ids == 7).any(axis=1).astype(int)
    ids[y == 0, 3], y[:300] = 5, y[:300]
    network = make(WORDS, LENGTH, 2, rng=0)
    rate = 1e-2 if make is zoo.text_bag else 1e-3
    fit(network, ids, y, epochs=25, batch=50, optimizer=Adam(rate), rng=0)
    assert accuracy(network, ids, y) > 0.95
    network.save(tmp_path / "text.npz")
    again = Network.load(tmp_path / "text.npz")
    np.testing.assert_array_equal(again.logits(ids[:9]), network.logits(ids[:9]))


def test_gradients_reach_the_embedding():
    ids = texts()
    network = Network(
        [Embedding(WORDS, SIZE, rng=1), GRU(SIZE, 5, rng=2), Dense(5, 3, rng=3)], LENGTH
    )
    y = np.arange(6) % 3
    logits, caches = network.forward(ids)
    _, grads = network.backward(losses.cross_entropy(logits, y)[1], caches)
    layer = network.layers[0]
    kept, free = layer.params["W"], (np.arange(WORDS) > 0)[:, None]

    def value(moved):
        layer.params["W"] = moved * free
        try:
            return losses.cross_entropy(network.forward(ids)[0], y)[0]
        finally:
            layer.params["W"] = kept

    assert gradcheck.directional_error(value, grads[0]["W"], kept, rng=0) < 1e-6


def test_a_bag_holds_each_word_once_and_no_padding():
    layer = BagOfWords(6)
    out, cache = layer.forward(np.array([[3.0, 3, 1, 0], [0, 0, 0, 0], [5, 4, 3, 2]]))
    expected = [[0, 1, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1]]
    np.testing.assert_array_equal(out, expected)
    assert layer.out_shape((4,)) == (6,)
    dx, grads = layer.backward(np.ones((3, 6)), cache)
    assert grads == {}
    np.testing.assert_array_equal(dx, np.zeros((3, 4)))
    assert layer.forward(np.empty((0, 4)))[0].shape == (0, 6)
    with pytest.raises(ValueError, match=r"shape \(length,\) for BagOfWords"):
        layer.out_shape((4, 2))


@pytest.mark.parametrize("wrong", [-1, WORDS, 1.5])
def test_a_bag_of_words_outside_the_vocabulary(wrong):
    with pytest.raises(ValueError, match="expected whole word numbers from 0 to 49"):
        BagOfWords(WORDS).forward(np.array([[1.0, wrong]]))


@pytest.mark.parametrize("layer", [Conv1DMax(SIZE, 2), GRU(SIZE, 2)])
@pytest.mark.parametrize("shape", [(LENGTH,), (LENGTH, SIZE + 1)])
def test_layers_that_do_not_fit(layer, shape):
    with pytest.raises(ValueError, match="expected"):
        layer.out_shape(shape)
