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
    a, b, c, d, e, f, g = made_words(rng, 7)
    # d: 4 times in one text; b: 3 times in three texts; e: twice, and first of all; the rest once
    texts = [f"{e} {e}", f"{d} {b} {d} {d} {d}  {f}", f"{b.upper()} {c}", f"{b} {a}\t{g}"]
    front = ["<pad>", "<unk>"]
    learner.call("build_vocabulary", texts, 7).equals(
        [*front, d, b, e, a, c],
        mistakes={
            "alphabetical": [*front, a, b, c, d, e],
            "rarest_first": [*front, a, c, f, g, e],
            "first_seen_first": [*front, d, b, e, f, c],
            "backwards_alphabet": [*front, d, b, e, g, f],
            "capitals": [*front, d, b, e, b.upper(), a],
            "no_reserved": [d, b, e, a, c, f, g],
            "reserved_behind": [d, b, e, a, c, *front],
            "reserved_swapped": [*front[::-1], d, b, e, a, c],
            "size_of_the_words": [*front, d, b, e, a, c, f, g],
            "one_too_few": [*front, d, b, e, a],
            "cut_too_early": [*front, d, b, e, c, f],
            "texts_not_words": [*front, b, a, c, d, e],
        },
    )


def test_build_vocabulary__large(learner, rng):
    words = made_words(rng, 5)
    texts = [" ".join(words[:3]), words[4], words[3]]
    front = ["<pad>", "<unk>"]
    learner.call("build_vocabulary", texts, 6).equals(
        [*front, *words[:4]],
        mistakes={"size_of_the_words": [*front, *words], "size_ignored": [*front, *words]},
    )
    learner.call("build_vocabulary", texts, 20).equals([*front, *words])


def test_encode(learner, rng):
    known = made_words(rng, 6)
    vocabulary = ["<pad>", "<unk>", *rng.permutation(known).tolist()]
    n = [vocabulary.index(word) for word in known]
    texts = [
        f"{known[0]} 123 {known[1].upper()}",
        " ".join([known[2], known[3], known[4], known[5], known[0]]),
        f"{known[1]} 45 {known[4]} 6 {known[3]} {known[0]}",
    ]

    def table(*rows):
        return np.array([row + [0] * (4 - len(row)) for row in rows])

    middle = [n[2], n[3], n[4], n[5]]
    right = table([n[0], 1, n[1]], middle, [n[1], 1, n[4], 1])
    learner.call("encode", texts, vocabulary, 4).equals(
        right,
        mistakes={
            "unknown_left_out": table([n[0], n[1]], middle, [n[1], n[4], n[3], n[0]]),
            "unknown_left_out__2": table([n[0], n[1]], middle, [n[1], n[4]]),
            "unknown_as_padding": table([n[0], 0, n[1]], middle, [n[1], 0, n[4], 0]),
            "unknown_negative": np.where(right == 1, -1, right),
            "padded_in_front": np.array([[0, n[0], 1, n[1]], middle, [n[1], 1, n[4], 1]]),
            "padded_with_unknown": np.where(right == 0, 1, right),
            "kept_the_end": table([n[0], 1, n[1]], [*middle[1:], n[0]], [n[4], 1, n[3], n[0]]),
            "capitals": table([n[0], 1, 1], middle, [n[1], 1, n[4], 1]),
            "counted_from_one": np.where(right > 1, right + 1, right),
            "reserved_counted_twice": np.where(right > 1, right + 2, right),
            "reserved_left_out": np.where(right > 1, right - 2, right),
        },
    )


def test_encode__short(learner, rng):
    known = made_words(rng, 3)
    vocabulary = ["<pad>", "<unk>", *known]
    answer = learner.call("encode", ["", f"{known[2]}  {known[0]}"], vocabulary, 3)
    answer.equals(np.array([[0, 0, 0], [4, 2, 0]]))
    answer.holds(
        answer.value.dtype.kind in "iu", "the numbers are whole ones: dtype int", "not_whole"
    )


def test_best_fit(learner, rng):
    # The filter stands in the text itself: once at the beginning, and twice as large at the end.
    W, b = rng.normal(size=(3, 4)), float(rng.uniform(0.1, 0.4))
    E = np.concatenate([W, 0.1 * rng.normal(size=(6, 4)), 2 * W])
    windows = np.stack([E[:-2], E[1:-1], E[2:]], axis=1)  # (10, 3, 4)
    plain = np.einsum("twm,wm->t", windows, W)
    best, other = plain.max(), np.einsum("twm,wm->t", windows, W[::-1]).max()
    learner.call("best_fit", E, W, b).equals(
        best + b,
        mistakes={
            "mean_over_time": np.maximum(plain + b, 0).mean(),
            "mean_over_time__2": max(plain.mean() + b, 0.0),
            "sum_over_time": np.maximum(plain + b, 0).sum(),
            "turned_filter": max(other + b, 0.0),
            "last_window": plain[:-1].max() + b,
            "two_rows_alone": (plain - np.einsum("tm,m->t", windows[:, 2], W[2])).max() + b,
            "no_bias": best,
            "bias_for_each_entry": best + b * W.size,
            "mean_in_the_window": best / W.size + b,
            "place_not_fit": int(plain.argmax()),
        },
    )


def test_best_fit__inside(learner, rng):
    """The best window is neither the first nor the last, and not at a multiple of w."""
    W, b = rng.uniform(0.5, 1, (2, 5)), float(rng.uniform(0.1, 0.4))
    E = np.zeros((6, 5))
    E[3:5] = W
    E[[0, 1, 2, 5]] = 0.2 * W[[0, 1, 0, 1]]
    E[5] -= 0.1
    even = max(float((W * E[t : t + 2]).sum()) for t in (0, 2, 4))
    learner.call("best_fit", E, W, b).equals(
        float((W * W).sum()) + b, mistakes={"steps_of_w": even + b}
    )


def test_best_fit__below_zero(learner, rng):
    E, W, b = -rng.uniform(0.5, 1, (5, 3)), rng.uniform(0.5, 1, (2, 3)), -float(rng.uniform(0.5, 2))
    fits = np.array([b + float((W * E[t : t + 2]).sum()) for t in range(4)])
    learner.call("best_fit", E, W, b).equals(
        0.0,
        mistakes={
            "no_relu": fits.max(),
            "bias_after_relu": b,
            "size_of_the_fit": np.abs(fits).max(),
            "size_of_the_fit__2": np.abs(fits).min(),
        },
    )


def test_best_fit__end_of_the_text(learner, rng):
    """Windows that stand out of the text would fit, but there are none; those inside do not."""
    W, b = rng.uniform(0.5, 1, (2, 3)), float(rng.uniform(0.1, 0.4))
    E = np.ones((3, 3)) * np.array([[0.6], [-5.0], [0.9]])
    outside = b + np.array([W[0] @ E[2], W[1] @ E[0]])
    learner.call("best_fit", E, W, b).equals(
        0.0, mistakes={"beyond_the_end": outside[0], "beyond_the_end__2": outside.max()}
    )


def test_best_fit__one_window(learner, rng):
    E, W, b = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), float(rng.uniform(1, 2))
    E *= np.sign((E * W).sum())
    fit = float((E * W).sum()) + b
    learner.call("best_fit", E, W, b).equals(fit, mistakes={"last_window": 0.0})


def test_unknown_share(learner, rng):
    lengths, unknown = np.array([2, 5, 9]), np.array([1, 1, 4])
    lengths += rng.permutation(3)
    unknown[2] += rng.integers(2)
    ids = np.zeros((3, 14), int)
    for row, n, m in zip(ids, lengths, unknown, strict=True):
        row[:n] = rng.permutation(np.concatenate([np.ones(m, int), rng.integers(2, 50, n - m)]))
    order, all_unknown, every = rng.permutation(3), unknown.sum(), lengths.sum()
    learner.call("unknown_share", ids[order]).equals(
        all_unknown / every,
        mistakes={
            "counted_padding": all_unknown / 42,
            "mean_of_texts": float((unknown / lengths).mean()),
            "known_share": 1 - all_unknown / every,
            "against_the_known": all_unknown / (every - all_unknown),
            "padding_as_unknown": 1 - every / 42,
            "padding_as_unknown__2": (42 - every + all_unknown) / every,
            "each_text": (unknown / lengths)[order],
            "counted": all_unknown,
        },
    )
