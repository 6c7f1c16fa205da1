"""A text as the set of its words: what a bag-of-words filter takes as its input."""

import numpy as np

from mstheft.nn.layers import Grads, Layer, Shape
from mstheft.nn.sequence import text_length, word_numbers
from mstheft.typing import Array


class BagOfWords(Layer):
    """Which words occur in a text:  out[n, w] = 1 if word w is anywhere in x[n], else 0.

    Order and repetition are lost. Word number 0 is padding and never counts.

    words : size of the vocabulary, padding and unknown included
    """

    def __init__(self, words: int):
        super().__init__()
        self.words = words

    def out_shape(self, shape: Shape) -> Shape:
        """(length,) -> (words,)."""
        text_length(self, shape)
        return (self.words,)

    def forward(self, x: Array, train: bool = False) -> tuple[Array, Shape]:
        """(n, length) whole numbers -> (n, words) of 0 and 1."""
        words = word_numbers(x, self.words)
        dtype = x.dtype if x.dtype.kind == "f" else np.float64
        out = self.buffers.empty("out", (len(words), self.words), dtype)
        out[...] = 0
        out[np.arange(len(words))[:, None], words] = 1  # rows (n, 1) beside columns (n, length)
        out[:, 0] = 0
        return out, x.shape

    def backward(self, dout: Array, cache: Shape, need_dx: bool = True) -> tuple[Array, Grads]:
        """Word numbers have no derivative: dx = 0."""
        return np.zeros(cache, dout.dtype), {}
