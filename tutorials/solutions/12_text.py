"""Solutions of exercise 12: texts as rows of numbers, and how a network reads them."""

import numpy as np


def words(text):
    """The words of a text, in lower case. Given to you."""
    return text.lower().split()


def build_vocabulary(texts, size):
    """Which word has which number: "<pad>" is 0, "<unk>" is 1, then the most frequent words.

    Words that are equally frequent stand in alphabetical order. Every occurrence counts. `words`
    splits a text.

    texts : list of str;  size : greatest length of the answer, "<pad>" and "<unk>" included
    Returns a list of str.
    Example: build_vocabulary(["b a b"], 3) is ["<pad>", "<unk>", "b"].
    """
    counts = {}
    for text in texts:
        for word in words(text):
            counts[word] = counts.get(word, 0) + 1
    return ["<pad>", "<unk>", *sorted(counts, key=lambda word: (-counts[word], word))][:size]


def encode(texts, vocabulary, length):
    """The numbers of each text's first `length` words; 1 for an unknown word, 0 after the end.

    texts : list of n str;  vocabulary : list of str, a word's number being its place
    Returns (n, length) whole numbers.
    Example: encode(["b c"], ["<pad>", "<unk>", "b"], 3) is array([[2, 1, 0]]).
    """
    number = {word: i for i, word in enumerate(vocabulary)}
    ids = np.zeros((len(texts), length), int)
    for row, text in zip(ids, texts, strict=True):
        found = [number.get(word, 1) for word in words(text)[:length]]
        row[: len(found)] = found
    return ids


def best_fit(E, W, b):
    """What one filter says of a text: its best fit over all windows, or 0.

        max_t relu(b + sum_ij W_ij E_(t+i, j)),     t = 0 ... n - w

    E : (n, m) the text, one vector for each word;  W : (w, m) the filter, w <= n;  b : a number
    Returns a float.
    Example: for E = [[1.], [2.], [4.]], W = [[1.], [1.]] and b = 0 it is 6.0.
    """
    w = len(W)
    fits = [b + (W * E[t : t + w]).sum() for t in range(len(E) - w + 1)]
    return float(max(0, *fits))


def unknown_share(ids):
    """Which share of the words in all texts together is unknown? Padding is no word.

    ids : (n, length) whole numbers: 0 padding, 1 unknown
    Returns a float.
    Example: unknown_share(np.array([[5, 1, 0, 0], [7, 8, 0, 0]])) is 0.25.
    """
    return float((ids == 1).sum() / (ids != 0).sum())
