"""Checks of exercise 12."""

import numpy as np


def made_words(rng, n):
    """So many different words, in alphabetical order."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    found: set[str] = set()
    while len(found) < n:
        found.add("".join(rng.choice(letters, 5)))
    return sorted(found)


def test_build_vocabulary(learner, rng):
    a, b, c, d, e = made_words(rng, 5)
    # d: 4 times in one text; b: 3 times in three texts; a, c: once; e: twice, and first of all
    texts = [f"{e} {e}", f"{d} {b} {d} {d} {d}", f"{b.upper()} {c}", f"{b} {a}"]
    front = ["<pad>", "<unk>"]
    learner.call("build_vocabulary", texts, 6).equals(
        [*front, d, b, e, a],
        mistakes={
            "alphabetical": [*front, a, b, c, d],
            "rarest_first": [*front, a, c, e, b],
            "first_seen_first": [*front, d, b, e, c],
            "no_reserved": [d, b, e, a, c],
            "size_of_the_words": [*front, d, b, e, a, c],
            "texts_not_words": [*front, b, a, c, d],
        },
    )


def test_encode(learner, rng):
    known = made_words(rng, 6)
    vocabulary = ["<pad>", "<unk>", *rng.permutation(known).tolist()]
    n = [vocabulary.index(word) for word in known]
    texts = [
        f"{known[0]} 123 {known[1].upper()}",
        " ".join([known[2], known[3], known[4], known[5], known[0]]),
    ]
    learner.call("encode", texts, vocabulary, 4).equals(
        np.array([[n[0], 1, n[1], 0], [n[2], n[3], n[4], n[5]]]),
        mistakes={
            "unknown_left_out": np.array([[n[0], n[1], 0, 0], [n[2], n[3], n[4], n[5]]]),
            "unknown_as_padding": np.array([[n[0], 0, n[1], 0], [n[2], n[3], n[4], n[5]]]),
            "padded_in_front": np.array([[0, n[0], 1, n[1]], [n[2], n[3], n[4], n[5]]]),
            "kept_the_end": np.array([[n[0], 1, n[1], 0], [n[3], n[4], n[5], n[0]]]),
        },
    )


def test_best_fit(learner, rng):
    # The filter stands in the text itself: once at the beginning, and twice as large at the end.
    W, b = rng.normal(size=(2, 3)), float(rng.uniform(0.1, 0.4))
    E = np.concatenate([W, 0.1 * rng.normal(size=(4, 3)), 2 * W])
    windows = np.stack([E[:-1], E[1:]], axis=1)  # (7, 2, 3)
    plain = np.einsum("twm,wm->t", windows, W)
    best, other = plain.max(), np.einsum("twm,wm->t", windows, W[::-1]).max()
    learner.call("best_fit", E, W, b).equals(
        best + b,
        mistakes={
            "mean_over_time": np.maximum(plain + b, 0).mean(),
            "mean_over_time__2": max(plain.mean() + b, 0.0),
            "turned_filter": other + b,
            "last_window": plain[:-1].max() + b,
            "no_bias": best,
        },
    )


def test_best_fit__below_zero(learner, rng):
    E, W, b = -rng.uniform(0.5, 1, (5, 3)), rng.uniform(0.5, 1, (2, 3)), -1.0
    fits = [b + float((W * E[t : t + 2]).sum()) for t in range(4)]
    learner.call("best_fit", E, W, b).equals(0.0, mistakes={"no_relu": max(fits)})


def test_unknown_share(learner, rng):
    lengths, unknown = np.array([2, 5, 9]), np.array([1, 1, 4])
    ids = np.zeros((3, 12), int)
    for row, n, m in zip(ids, lengths, unknown, strict=True):
        row[:n] = rng.permutation(np.concatenate([np.ones(m, int), rng.integers(2, 50, n - m)]))
    order = rng.permutation(3)
    learner.call("unknown_share", ids[order]).equals(
        6 / 16,
        mistakes={
            "counted_padding": 6 / 36,
            "mean_of_texts": float((unknown / lengths).mean()),
            "known_share": 10 / 16,
        },
    )
