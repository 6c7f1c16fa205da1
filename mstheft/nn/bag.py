"""A text as the set of its words: what a bag-of-words filter looks at."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.nn.layers import Grads, Layer
from mstheft.nn.sequence import length_of, word_numbers
from mstheft.typing import Array


class BagOfWords(Layer):
    """Which words occur in a text:  out[n, w] = 1 if word w stands anywhere in x[n], else 0.

    Order and repetition are lost. Word number 0 is padding and never counts.

    words : of the vocabulary, padding and unknown included
    """

    def __init__(self, words: int):
        super().__init__()
        self.words = words

    def config(self) -> dict[str, Any]:
        """Words."""
        return {"words": self.words}

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(length,) -> (words,)."""
        length_of(shape, "BagOfWords")
        return (self.words,)

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """(n, length) whole numbers -> (n, words) of 0 and 1."""
        words = word_numbers(x, self.words)
        kind = x.dtype if x.dtype.kind == "f" else np.float64
        out = self.buffers.empty("out", (len(words), self.words), kind)
        out[...] = 0
        out[np.arange(len(words))[:, None], words] = 1
        out[:, 0] = 0
        return out, x.shape

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """Word numbers have no derivative: dx = 0."""
        return np.zeros(cache, dout.dtype), {}
