"""Known mistakes of exercise 12: each function is FUNCTION__KEY, and KEY its diagnosis."""

import collections

import numpy as np


def count(texts):
    return collections.Counter(word for text in texts for word in text.lower().split())


def build_vocabulary__alphabetical(texts, size):
    return ["<pad>", "<unk>", *sorted(count(texts))][:size]


def build_vocabulary__rarest_first(texts, size):
    counts = count(texts)
    return ["<pad>", "<unk>", *sorted(counts, key=lambda word: (counts[word], word))][:size]


def build_vocabulary__first_seen_first(texts, size):
    return ["<pad>", "<unk>", *[word for word, _ in count(texts).most_common()]][:size]


def build_vocabulary__no_reserved(texts, size):
    counts = count(texts)
    return sorted(counts, key=lambda word: (-counts[word], word))[:size]


def build_vocabulary__size_of_the_words(texts, size):
    counts = count(texts)
    return ["<pad>", "<unk>", *sorted(counts, key=lambda word: (-counts[word], word))[:size]]


def build_vocabulary__texts_not_words(texts, size):
    counts = collections.Counter(word for text in texts for word in set(text.lower().split()))
    return ["<pad>", "<unk>", *sorted(counts, key=lambda word: (-counts[word], word))][:size]


def build_vocabulary__backwards_alphabet(texts, size):
    counts = count(texts)
    order = sorted(counts, key=lambda word: (counts[word], word), reverse=True)
    return ["<pad>", "<unk>", *order][:size]


def build_vocabulary__capitals(texts, size):
    counts = collections.Counter(word for text in texts for word in text.split())
    return ["<pad>", "<unk>", *sorted(counts, key=lambda word: (-counts[word], word))][:size]


def build_vocabulary__reserved_behind(texts, size):
    counts = count(texts)
    order = sorted(counts, key=lambda word: (-counts[word], word))
    return [*order[: size - 2], "<pad>", "<unk>"]


def build_vocabulary__one_too_few(texts, size):
    counts = count(texts)
    order = sorted(counts, key=lambda word: (-counts[word], word))
    return ["<pad>", "<unk>", *order][: size - 1]


def build_vocabulary__cut_too_early(texts, size):
    counts = dict(count(texts).most_common(size - 2))
    return ["<pad>", "<unk>", *sorted(counts, key=lambda word: (-counts[word], word))]


def table(rows, length):
    return np.array([(row + [0] * length)[:length] for row in rows])


def encode__unknown_left_out(texts, vocabulary, length):
    rows = [[vocabulary.index(w) for w in words(t) if w in vocabulary] for t in texts]  # noqa: F821
    return table(rows, length)


def encode__unknown_as_padding(texts, vocabulary, length):
    number = {word: i for i, word in enumerate(vocabulary)}
    return table([[number.get(w, 0) for w in words(t)] for t in texts], length)  # noqa: F821


def encode__padded_in_front(texts, vocabulary, length):
    number = {word: i for i, word in enumerate(vocabulary)}
    rows = [[number.get(w, 1) for w in words(t)][:length] for t in texts]  # noqa: F821
    return np.array([[0] * (length - len(row)) + row for row in rows])


def encode__kept_the_end(texts, vocabulary, length):
    number = {word: i for i, word in enumerate(vocabulary)}
    return table([[number.get(w, 1) for w in words(t)][-length:] for t in texts], length)  # noqa: F821


def encode__capitals(texts, vocabulary, length):
    number = {word: i for i, word in enumerate(vocabulary)}
    return table([[number.get(w, 1) for w in t.split()] for t in texts], length)


def encode__padded_with_unknown(texts, vocabulary, length):
    number = {word: i for i, word in enumerate(vocabulary)}
    rows = [[number.get(w, 1) for w in words(t)] for t in texts]  # noqa: F821
    return np.array([(row + [1] * length)[:length] for row in rows])


def encode__counted_from_one(texts, vocabulary, length):
    number = {word: i + 1 for i, word in enumerate(vocabulary)}
    return table([[number.get(w, 1) for w in words(t)] for t in texts], length)  # noqa: F821


def encode__reserved_counted_twice(texts, vocabulary, length):
    number = {word: i + 2 for i, word in enumerate(vocabulary)}
    return table([[number.get(w, 1) for w in words(t)] for t in texts], length)  # noqa: F821


def encode__not_whole(texts, vocabulary, length):
    number = {word: i for i, word in enumerate(vocabulary)}
    ids = np.zeros((len(texts), length))
    for row, text in zip(ids, texts, strict=True):
        found = [number.get(w, 1) for w in words(text)[:length]]  # noqa: F821
        row[: len(found)] = found
    return ids


def fits(E, W, b):
    return np.array([b + (W * E[t : t + len(W)]).sum() for t in range(len(E) - len(W) + 1)])


def best_fit__mean_over_time(E, W, b):
    return float(np.maximum(fits(E, W, b), 0).mean())


def best_fit__turned_filter(E, W, b):
    return float(max(0, fits(E, W[::-1], b).max()))


def best_fit__last_window(E, W, b):
    return float(max(0, fits(E, W, b)[:-1].max()))


def best_fit__no_bias(E, W, b):
    return float(max(0, fits(E, W, 0).max()))


def best_fit__no_relu(E, W, b):
    return float(fits(E, W, b).max())


def best_fit__sum_over_time(E, W, b):
    return float(np.maximum(fits(E, W, b), 0).sum())


def best_fit__two_rows_alone(E, W, b):
    return float(max(0, *[b + (W[:2] * E[t : t + 2]).sum() for t in range(len(E) - len(W) + 1)]))


def best_fit__bias_for_each_entry(E, W, b):
    return float(max(0, fits(E, W, b * W.size).max()))


def best_fit__steps_of_w(E, W, b):
    return float(max(0, fits(E, W, b)[:: len(W)].max()))


def best_fit__bias_after_relu(E, W, b):
    return float(max(0, fits(E, W, 0).max()) + b)


def best_fit__last_window__2(E, W, b):
    return float(max([0, *fits(E, W, b)[1:]]))


def best_fit__beyond_the_end(E, W, b):
    out = np.zeros((len(W) - 1, E.shape[1]))
    return float(max(0, fits(np.vstack([E, out]), W, b).max()))


def best_fit__beyond_the_end__2(E, W, b):
    out = np.zeros((len(W) - 1, E.shape[1]))
    return float(max(0, fits(np.vstack([out, E, out]), W, b).max()))


def unknown_share__against_the_known(ids):
    return float((ids == 1).sum() / (ids > 1).sum())


def unknown_share__padding_as_unknown(ids):
    return float((ids == 0).mean())


def unknown_share__each_text(ids):
    return (ids == 1).sum(axis=1) / (ids != 0).sum(axis=1)


def unknown_share__counted_padding(ids):
    return float((ids == 1).mean())


def unknown_share__mean_of_texts(ids):
    return float(((ids == 1).sum(axis=1) / (ids != 0).sum(axis=1)).mean())


def unknown_share__known_share(ids):
    return float((ids > 1).sum() / (ids != 0).sum())
