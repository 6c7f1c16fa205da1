"""A text as the set of its words: what a bag-of-words filter looks at."""

from __future__ import annotations

from typing import Any

import numpy as np

from mstheft.errors import WrongRows
from mstheft.nn.functions import Array
from mstheft.nn.layers import Grads, Layer


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
        if len(shape) != 1:
            raise ValueError(
                f"expected texts of shape (length,) for BagOfWords, got {shape}; "
                "give one word number per position"
            )
        return (self.words,)

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Any]:
        """(n, length) whole numbers -> (n, words) of 0 and 1."""
        words = x.astype(np.int64)
        if words.size and not (
            words.min() >= 0 and words.max() < self.words and (words == x).all()
        ):
            raise WrongRows(
                f"expected whole word numbers from 0 to {self.words - 1}, got {x.min():g} to "
                f"{x.max():g}; encode the texts with the network's own vocabulary"
            )
        kind = x.dtype if x.dtype.kind == "f" else np.float64
        out = self.buffers.empty("out", (len(words), self.words), kind)
        out[...] = 0
        out[np.arange(len(words))[:, None], words] = 1
        out[:, 0] = 0
        return out, x.shape

    def backward(self, dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array, Grads]:
        """Word numbers have no derivative: dx = 0."""
        return np.zeros(cache, dout.dtype), {}
