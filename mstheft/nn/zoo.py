"""Ready-made architectures, untrained: He-initialised weights and zero biases by default."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from mstheft.nn.bag import BagOfWords
from mstheft.nn.conv import Conv2D
from mstheft.nn.layers import Activation, Dense, Flatten, Layer
from mstheft.nn.network import Network
from mstheft.nn.norm import BatchNorm, Dropout
from mstheft.nn.pool import MaxPool2D
from mstheft.nn.sequence import GRU, Conv1DMax, Embedding
from mstheft.typing import Rng


def logistic(inputs: int, *, rng: Rng = None, dtype: DTypeLike = np.float64) -> Network:
    """Logistic regression: one logit w·x + β, P(class 1) = σ(w·x + β)."""
    return mlp([inputs, 1], rng=rng, dtype=dtype)


def softmax(
    inputs: int, classes: int, *, rng: Rng = None, dtype: DTypeLike = np.float64
) -> Network:
    """Multinomial logistic regression: K logits W x + b."""
    return mlp([inputs, classes], rng=rng, dtype=dtype)


def given(weights: Sequence[tuple[ArrayLike, ArrayLike]], activation: str = "relu") -> Network:
    """The float64 network with these weights: [(A0, b0), (A1, b1), …], A (out, in) and b (out,)."""
    layers: list[Layer] = []
    for W, b in weights:
        layers += [Activation(activation)] if layers else []
        dense = Dense(np.shape(W)[1], np.shape(W)[0], rng=0)
        dense.params = {"W": np.array(W, float), "b": np.array(b, float)}
        layers.append(dense)
    return Network(layers, np.shape(weights[0][0])[1])


def mlp(
    widths: Sequence[int],
    *,
    activation: str = "relu",
    bias: float = 0.0,
    rng: Rng = None,
    dtype: DTypeLike = np.float64,
) -> Network:
    """Fully connected network f(x) = A_L σ(… σ(A0 x + b0) …) + b_L.

    widths : [d, h1, …, K]; [784, 64, 10] is the lecture's 784-64-10
    activation : 'relu', 'tanh', 'sigmoid' or 'softplus', after every layer but the last
    bias : standard deviation of the initial biases, N(0, bias²)
    """
    if len(widths) < 2 or any(int(w) != w or w < 1 for w in widths):
        raise ValueError(f"expected two or more positive whole widths, got {list(widths)}")
    widths = [int(w) for w in widths]
    rng = np.random.default_rng(rng)
    layers: list[Layer] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [Activation(activation)] if layers else []
        dense = Dense(inputs, outputs, rng=rng, dtype=dtype)
        if bias:
            dense.params["b"] = rng.normal(0, bias, outputs).astype(dtype)
        layers.append(dense)
    return Network(layers, widths[0])


def cnn(
    shape: tuple[int, int, int],
    classes: int,
    blocks: int = 3,
    filters: Sequence[int] = (32, 64, 128, 256),
    convs: int = 2,
    dropout: float = 0.1,
    *,
    rng: Rng = None,
    dtype: DTypeLike = np.float32,
) -> Network:
    """ActiveThief's image network: blocks of convolutions, each followed by pooling and dropout.

    A block is `convs` times (3x3 convolution, ReLU, batch norm), then 2x2 max-pool and dropout;
    after the blocks one dense layer gives the logits.

    shape : (h, w, channels) of an image; filters : of the first, second, … block
    Source: Pal et al. 2020, section 'Experimental setup'.
    """
    if not 1 <= blocks <= len(filters):
        raise ValueError(f"expected blocks= from 1 to {len(filters)}, got {blocks}")
    rng = np.random.default_rng(rng)
    layers: list[Layer] = []
    channels, sides = shape[2], shape[:2]
    for width in filters[:blocks]:
        for _ in range(convs):
            layers += [Conv2D(channels, width, rng=rng, dtype=dtype), Activation("relu")]
            layers.append(BatchNorm(width, dtype=dtype))
            channels = width
        layers += [MaxPool2D(2), Dropout(dropout, rng=rng)]
        sides = sides[0] // 2, sides[1] // 2
    layers += [Flatten(), Dense(channels * sides[0] * sides[1], classes, rng=rng, dtype=dtype)]
    return Network(layers, shape)


def small_cnn(
    shape: tuple[int, int, int],
    classes: int,
    filters: tuple[int, int] = (32, 64),
    *,
    rng: Rng = None,
    dtype: DTypeLike = np.float32,
) -> Network:
    """A network for lessons: two convolutions with pooling, then 128 dense neurons.

    Pooling comes before the ReLU: max and ReLU may change places, and a quarter is left to do.
    """
    rng = np.random.default_rng(rng)
    layers: list[Layer] = []
    for inputs, width in ((shape[2], filters[0]), filters):
        layers += [Conv2D(inputs, width, rng=rng, dtype=dtype), MaxPool2D(2), Activation("relu")]
    features = filters[1] * (shape[0] // 4) * (shape[1] // 4)
    layers += [Flatten(), Dense(features, 128, rng=rng, dtype=dtype), Activation("relu")]
    return Network([*layers, Dense(128, classes, rng=rng, dtype=dtype)], shape)


def text_cnn(
    words: int,
    length: int,
    classes: int,
    *,
    size: int = 100,
    filters: int = 100,
    dropout: float = 0.5,
    rng: Rng = None,
    dtype: DTypeLike = np.float32,
) -> Network:
    """Kim's text network: embedding, windows of 3, 4 and 5 words, max over time, dropout, dense.

    words : size of the vocabulary, padding and unknown included; length : words per text
    Source: Kim 2014.
    """
    rng = np.random.default_rng(rng)
    layers: list[Layer] = [Embedding(words, size, rng=rng, dtype=dtype)]
    layers += [Conv1DMax(size, filters, (3, 4, 5), rng=rng, dtype=dtype), Dropout(dropout, rng=rng)]
    return Network([*layers, Dense(3 * filters, classes, rng=rng, dtype=dtype)], length)


def text_gru(
    words: int,
    length: int,
    classes: int,
    *,
    size: int = 100,
    units: int = 64,
    rng: Rng = None,
    dtype: DTypeLike = np.float32,
) -> Network:
    """Embedding, a GRU's last state, dropout, dense. Source: Cho et al. 2014; Pal et al. 2020."""
    rng = np.random.default_rng(rng)
    layers: list[Layer] = [Embedding(words, size, rng=rng, dtype=dtype)]
    layers += [GRU(size, units, rng=rng, dtype=dtype), Dropout(0.1, rng=rng)]
    return Network([*layers, Dense(units, classes, rng=rng, dtype=dtype)], length)


def text_bag(
    words: int, length: int, classes: int, *, rng: Rng = None, dtype: DTypeLike = np.float32
) -> Network:
    """The classical mail filter: a weight for each word that occurs, whatever the order."""
    return Network([BagOfWords(words), Dense(words, classes, rng=rng, dtype=dtype)], length)
