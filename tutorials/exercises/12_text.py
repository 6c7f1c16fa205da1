"""Exercise 12: texts as rows of numbers, and how a network reads them.

Replace each `...` by your code, save, then run:   mstheft learn check 12
A hint when you are stuck:                         mstheft learn hint 12
The story behind it:                               tutorials/lessons/12_text.py

Edit this file only. Write plain NumPy: the functions run in a process of their own, which refuses
mstheft itself.
"""

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
    ...  # your code


def encode(texts, vocabulary, length):
    """The numbers of each text's first `length` words; 1 for an unknown word, 0 after the end.

    texts : list of n str;  vocabulary : list of str, a word's number being its place
    Returns (n, length) whole numbers.
    Example: encode(["b c"], ["<pad>", "<unk>", "b"], 3) is array([[2, 1, 0]]).
    """
    ...  # your code


def best_fit(E, W, b):
    """What one filter says of a text: its best fit over all windows, or 0.

        max_t relu(b + sum_ij W_ij E_(t+i, j)),     t = 0 ... n - w

    E : (n, m) the text, one vector for each word;  W : (w, m) the filter, w <= n;  b : a number
    Returns a float.
    Example: for E = [[1.], [2.], [4.]], W = [[1.], [1.]] and b = 0 it is 6.0.
    """
    ...  # your code


def unknown_share(ids):
    """Which share of the words in all texts together is unknown? Padding is no word.

    ids : (n, length) whole numbers: 0 padding, 1 unknown
    Returns a float.
    Example: unknown_share(np.array([[5, 1, 0, 0], [7, 8, 0, 0]])) is 0.25.
    """
    ...  # your code
