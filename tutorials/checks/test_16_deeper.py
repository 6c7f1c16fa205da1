"""Checks of exercise 16."""

import itertools

import numpy as np

from mstheft.direct.deep.boundary import Prefix


def test_kink_pair(learner, rng):
    K, d = 3, 5
    g = rng.uniform(1, 2, K) * rng.permutation([1, -1, -1])
    v = rng.uniform(1, 2, d) * rng.choice([-1, 1], d)
    a = rng.uniform(0.5, 1, d) * np.sign(v)
    a = a / (a @ v)
    before = rng.normal(size=(K, d))
    after = before + np.outer(g, a)
    learner.call("kink_pair", before, after, v).equals(
        (g, a),
        mistakes={
            "other_way_round": (-g, a),
            "turned_both": (-g, -a),
            "swapped": (a, g),
            "not_scaled": (g, a * (g @ g)),
            "divided_by_length": (g, a * np.sqrt(g @ g)),
            "unit_row": (g, a / np.linalg.norm(a)),
            "one_side_only": (after @ v, (after @ v) @ after / ((after @ v) @ (after @ v))),
            "one_side_only__2": (after @ v, a),
            "one_side_only__3": (
                before @ v,
                (before @ v) @ before / ((before @ v) @ (before @ v)),
            ),
            "unit_direction": (g / np.linalg.norm(v), a * np.linalg.norm(v)),
        },
    )


def test_kink_pair__deaf_output(learner, rng):
    """The first output does not hear the neuron: its row of the change is 0."""
    K, d = 4, 3
    g, v = rng.uniform(1, 2, K) * rng.choice([-1, 1], K), rng.uniform(1, 2, d)
    g[0] = 0
    a = rng.uniform(0.5, 1, d)
    a = a / (a @ v)
    before = rng.normal(size=(K, d))
    after = before + np.outer(g, a)
    after[0] = before[0]
    learner.call("kink_pair", before, after, v).equals(
        (g, a), mistakes={"one_output_alone": (g, np.full(d, np.nan))}
    )


def test_wall_meets(learner, rng):
    n, d = 4, 3
    u, v = rng.normal(size=d), rng.uniform(1, 2, d)
    a = rng.uniform(0.5, 2, (n, d)) * rng.permutation([1, -1, 1, -1])[:, None]
    t = rng.uniform(1, 3, n) * rng.permutation([1, -1, -1, 1])
    on_line = u + t[:, None] * v
    aside = rng.uniform(0.5, 1, (n, d))  # from there along the wall, to a point p of its own
    aside -= (np.einsum("nd,nd->n", aside, a) / np.einsum("nd,nd->n", a, a))[:, None] * a
    p, speed = on_line + aside, a @ v
    at_p, at_u = np.einsum("nd,nd->n", a, p), a @ u
    length = np.linalg.norm(v)
    learner.call("wall_meets", a, p, u, v).equals(
        t,
        mistakes={
            "sign": -t,
            "forgot_the_start": at_p / speed,
            "added_the_start": (at_p + at_u) / speed,
            "not_divided": t * speed,
            "divided_by_length": t * speed / length,
            "projected": (p - u) @ v / length**2,
            "nearest_point": t * speed / np.einsum("nd,nd->n", a, a),
            "nearest_point__2": t * speed / np.linalg.norm(a, axis=1),
            "size_of_the_speed": t * np.sign(speed),
            "unit_direction": t * length,
            "mean_of_products": t / d,
            "one_point_for_all": a @ (p[0] - u) / speed,
            "points_not_t": on_line,
        },
    )


def drawn(rng, *widths):
    """A layer (A, b) for each pair of neighbouring widths."""
    pairs = itertools.pairwise(widths)
    return [(rng.normal(size=(b, a)), 0.7 * rng.normal(size=b)) for a, b in pairs]


def lifted(x, layers, rows, offsets, before=None, last=np.abs, bias=1, behind=None):
    """phi, or what a mistake makes of it."""
    h = x
    for A, b in layers:
        h = (before or (lambda z: np.maximum(z, 0)))(h @ A.T + bias * b)
    phi = last(h @ rows.T + offsets)
    return np.hstack([phi, h if behind is None else behind])


def test_lift(learner, rng):
    """Behind two layers that are known."""
    *layers, (rows, offsets) = drawn(rng, 3, 5, 4, 6)
    x = rng.normal(size=(7, 3))
    given = x, layers, rows, offsets
    right = Prefix(3, layers, (rows, offsets)).features(x)[:, :-1]
    learner.call("lift", *given).equals(
        right,
        mistakes={
            "relu_for_absolute": lifted(*given, last=lambda z: np.maximum(z, 0)),
            "no_absolute": lifted(*given, last=lambda z: z),
            "absolute_before": lifted(*given, before=np.abs),
            "no_relu": lifted(*given, before=lambda z: z),
            "forgot_the_bias": lifted(*given, bias=0),
            "forgot_the_bias__2": lifted(x, layers, rows, 0),
            "forgot_the_bias__3": lifted(x, layers, rows, 0, bias=0),
            "lifted_the_input": lifted(*given, behind=x),
            "values_first": np.hstack([right[:, -4:], right[:, :-4]]),
            "absolute_alone": right[:, :-4],
            "with_a_one": np.hstack([right, np.ones((7, 1))]),
        },
    )


def test_lift__no_layer(learner, rng):
    """Of the first layer nothing is known but the walls: the input itself must not be clipped."""
    x, rows, offsets = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=4)
    x[0] = -np.abs(x[0])
    right = np.hstack([np.abs(x @ rows.T + offsets), x])
    clipped = np.maximum(x, 0)
    learner.call("lift", x, [], rows, offsets).equals(
        right,
        mistakes={
            "clipped_the_input": np.hstack([np.abs(clipped @ rows.T + offsets), clipped]),
            "clipped_the_input__2": np.hstack([right[:, :4], clipped]),
        },
    )


def solved_signs(B, C, rows):
    table = np.concatenate([(each[:, None] * rows).T for each in B])
    return np.linalg.lstsq(table, C.ravel(), rcond=None)[0]


def test_oriented(learner, rng):
    h, d, m = 6, 3, 4
    while True:
        rows, offsets = rng.normal(size=(h, d)), rng.uniform(1, 2, h)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        B = rng.uniform(0.5, 2, (m, h)) * rng.choice([-1, 1], (m, h))
        s, beta = rng.choice([-1.0, 1.0], h), rng.normal(size=m)
        C = (B * s) @ rows * (1 + 1e-4 * rng.normal(size=(m, d)))
        raw, alone = solved_signs(B, C, rows), np.sign(solved_signs(B[:1], C[:1], rows))
        products = np.sign(np.einsum("mh,md,hd->h", B, C, rows))
        mean = np.sign((C @ np.linalg.pinv(rows) / B).mean(axis=0))
        wrong = [s, -s, alone, products, mean]
        if len(np.unique(wrong, axis=0)) == 5 and np.abs(np.abs(raw) - 1).max() < 0.1:
            break  # no mistake looks like another
    w = np.column_stack([B, C, beta])

    def with_signs(s):
        return s, 2 * B, beta - B @ (s * offsets)

    right = with_signs(s)
    learner.call("oriented", w, rows, offsets).equals(
        right,
        mistakes={
            "forgot_the_factor": (s, B, right[2]),
            "half_for_twice": (s, B / 2, right[2]),
            "not_rounded": (raw, 2 * B, beta - B @ (raw * offsets)),
            "not_rounded__2": (raw, *right[1:]),
            "turned_signs": with_signs(-s),
            "turned_signs__2": (-s, *right[1:]),
            "one_neuron_alone": with_signs(alone),
            "products_for_solving": with_signs(products),
            "neuron_by_neuron": with_signs(mean),
            "forgot_the_offsets": (s, 2 * B, beta),
            "offsets_without_signs": (s, 2 * B, beta - B @ offsets),
            "added_the_offsets": (s, 2 * B, beta + B @ (s * offsets)),
            "twice_the_offsets": (s, 2 * B, beta - 2 * B @ (s * offsets)),
            "signs_in_the_weights": (s, 2 * B * s, right[2]),
            "twice_the_bias": (s, 2 * B, 2 * beta - B @ (s * offsets)),
            "twice_the_bias__2": (s, 2 * B, 2 * right[2]),
        },
    )


def switches(layers, u, v, low, high, split=True, relu=True, place=None, once=False):
    """t and layer of all switches, layer after layer; or what a mistake makes of them.

    split : cut at the kinks of all layers before, of none, or of the "first"
    place : (a, b) -> the share of a piece at which a line from a to b is 0
    """
    ends, found = np.array([low, high]), []
    for n, (A, b) in enumerate(layers):
        h = u + ends[:, None] * v
        for weights, bias in layers[:n]:
            h = h @ weights.T + bias
            h = np.maximum(h, 0) if relu else h
        z = h @ A.T + b
        neuron, piece = np.nonzero((z[:-1] * z[1:] < 0).T)
        if once:
            neuron, which = np.unique(neuron, return_index=True)
            piece = piece[which]
        first, last = z[piece, neuron], z[piece + 1, neuron]
        share = place(first, last) if place else first / (first - last)
        t = ends[piece] + share * (ends[piece + 1] - ends[piece])
        found.append((t, np.full(len(t), n + 1)))
        if split is True or (split == "first" and n == 0):
            ends = np.sort(np.concatenate([ends, t]))
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))


def in_order(found):
    t, layer = found
    return t[np.argsort(t)], layer[np.argsort(t)]


def test_whose_kinks(learner, rng):
    """Three hidden layers, all of which bend the line."""
    while True:
        layers = drawn(rng, 3, 5, 5, 5)
        u, v = rng.normal(size=(2, 3))
        given = layers, u, v, -2.5, 3.0
        found = switches(*given)
        t, layer = in_order(found)
        wide = switches(layers[:1], u, v, -50.0, 50.0)[0]
        outside = wide[(wide < -2.5) | (wide > 3)]
        wrong = {
            "not_split": switches(*given, split=False),
            "split_by_the_first_alone": switches(*given, split="first"),
            "no_relu": switches(*given, relu=False),
            "each_neuron_once": switches(*given, once=True),
        }
        sizes = {len(t), *(len(each[0]) for each in wrong.values())}
        mixed = (layer != found[1]).any() and np.diff(t).min() > 1e-3
        if mixed and len(sizes) == 5 and len(outside) and set(layer) == {1, 2, 3}:
            break  # no mistake looks like another
    more = np.concatenate([found[0], outside]), np.append(found[1], np.ones(len(outside), int))
    halves = switches(*given, place=lambda a, b: 0.5 + 0 * a)
    learner.call("whose_kinks", *given).equals(
        (t, layer),
        mistakes={
            "layer_from_zero": (t, layer - 1),
            "not_sorted": found,
            "layers_not_sorted": (t, found[1]),
            "first_layer_alone": (t[layer == 1], layer[layer == 1]),
            "last_layer_alone": (t[layer == 3], layer[layer == 3]),
            **{key: in_order(each) for key, each in wrong.items()},
            "middle_of_the_piece": in_order(halves),
            "out_of_reach": in_order(more),
            "ends_as_kinks": (np.r_[-2.5, t, 3.0], np.r_[1, layer, 1]),
            "swapped": (layer, t),
            "points_not_t": (u + t[:, None] * v, layer),
        },
    )


def test_unseen_share(learner, rng):
    n, certainty = int(rng.integers(15, 60)), float(rng.uniform(0.8, 0.94))
    doubt = 1 - certainty
    learner.call("unseen_share", n, certainty).equals(
        1 - doubt ** (1 / n),
        mistakes={
            "rule_of_thumb": 3 / n,
            "rule_of_thumb__2": -np.log(doubt) / n,
            "certainty_for_doubt": 1 - certainty ** (1 / n),
            "not_subtracted": doubt ** (1 / n),
            "not_subtracted__2": certainty ** (1 / n),
            "divided_not_rooted": doubt / n,
            "divided_not_rooted__2": 1 - doubt / n,
            "power_for_root": 1 - doubt**n,
            "two_sided": 1 - (doubt / 2) ** (1 / n),
            "percent": 100 * (1 - doubt ** (1 / n)),
        },
    )


def test_why_both_sides(learner):
    answer = learner.call("why_both_sides")
    answer.equals("B", mistakes={"not_rounding": "A", "kinks_on_both": "C", "one_point_does": "D"})
