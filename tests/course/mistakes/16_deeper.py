"""Known mistakes of exercise 16: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def kink_pair__other_way_round(before, after, v):
    change = before - after
    g = change @ v
    return g, g @ change / (g @ g)


def kink_pair__swapped(before, after, v):
    change = after - before
    g = change @ v
    return g @ change / (g @ g), g


def kink_pair__not_scaled(before, after, v):
    change = after - before
    g = change @ v
    return g, g @ change


def kink_pair__divided_by_length(before, after, v):
    change = after - before
    g = change @ v
    return g, g @ change / np.linalg.norm(g)


def kink_pair__unit_row(before, after, v):
    change = after - before
    a = (change @ v) @ change
    return change @ v, a / np.linalg.norm(a)


def kink_pair__one_side_only(before, after, v):
    g = after @ v
    return g, g @ after / (g @ g)


def kink_pair__unit_direction(before, after, v):
    change = after - before
    g = change @ v / np.linalg.norm(v)
    return g, g @ change / (g @ g)


def kink_pair__one_output_alone(before, after, v):
    change = after - before
    g = change @ v
    return g, change[0] / g[0]


def wall_meets__size_of_the_speed(a, p, u, v):
    return np.einsum("nd,nd->n", a, p - u) / np.abs(a @ v)


def wall_meets__nearest_point__2(a, p, u, v):
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    return np.einsum("nd,nd->n", a, p - u)


def wall_meets__one_point_for_all(a, p, u, v):
    return a @ (p[0] - u) / (a @ v)


def wall_meets__points_not_t(a, p, u, v):
    return u + (np.einsum("nd,nd->n", a, p - u) / (a @ v))[:, None] * v


def wall_meets__sign(a, p, u, v):
    return np.einsum("nd,nd->n", a, u - p) / (a @ v)


def wall_meets__forgot_the_start(a, p, u, v):
    return np.einsum("nd,nd->n", a, p) / (a @ v)


def wall_meets__added_the_start(a, p, u, v):
    return np.einsum("nd,nd->n", a, p + u) / (a @ v)


def wall_meets__not_divided(a, p, u, v):
    return np.einsum("nd,nd->n", a, p - u)


def wall_meets__divided_by_length(a, p, u, v):
    return np.einsum("nd,nd->n", a, p - u) / np.linalg.norm(v)


def wall_meets__projected(a, p, u, v):
    return (p - u) @ v / (v @ v)


def wall_meets__nearest_point(a, p, u, v):
    return np.einsum("nd,nd->n", a, p - u) / (a**2).sum(axis=1)


def behind(x, layers):
    for A, b in layers:
        x = np.maximum(x @ A.T + b, 0)
    return x


def lift__relu_for_absolute(x, layers, rows, offsets):
    h = behind(x, layers)
    return np.hstack([np.maximum(h @ rows.T + offsets, 0), h])


def lift__no_absolute(x, layers, rows, offsets):
    h = behind(x, layers)
    return np.hstack([h @ rows.T + offsets, h])


def lift__absolute_before(x, layers, rows, offsets):
    h = x
    for A, b in layers:
        h = np.abs(h @ A.T + b)
    return np.hstack([np.abs(h @ rows.T + offsets), h])


def lift__no_relu(x, layers, rows, offsets):
    h = x
    for A, b in layers:
        h = h @ A.T + b
    return np.hstack([np.abs(h @ rows.T + offsets), h])


def lift__forgot_the_bias(x, layers, rows, offsets):
    h = behind(x, [(A, 0 * b) for A, b in layers])
    return np.hstack([np.abs(h @ rows.T + offsets), h])


def lift__forgot_the_bias__2(x, layers, rows, offsets):
    h = behind(x, layers)
    return np.hstack([np.abs(h @ rows.T), h])


def lift__lifted_the_input(x, layers, rows, offsets):
    return np.hstack([np.abs(behind(x, layers) @ rows.T + offsets), x])


def lift__values_first(x, layers, rows, offsets):
    h = behind(x, layers)
    return np.hstack([h, np.abs(h @ rows.T + offsets)])


def lift__absolute_alone(x, layers, rows, offsets):
    return np.abs(behind(x, layers) @ rows.T + offsets)


def lift__with_a_one(x, layers, rows, offsets):
    h = behind(x, layers)
    return np.hstack([np.abs(h @ rows.T + offsets), h, np.ones((len(x), 1))])


def lift__clipped_the_input(x, layers, rows, offsets):
    h = np.maximum(x, 0) if not layers else behind(x, layers)
    return np.hstack([np.abs(h @ rows.T + offsets), h])


def parts(w, rows):
    h = len(rows)
    return w[:, :h], w[:, h:-1], w[:, -1]


def solved(B, C, rows):
    table = np.concatenate([(each[:, None] * rows).T for each in B])
    return np.linalg.lstsq(table, C.ravel(), rcond=None)[0]


def turned(B, beta, s, offsets):
    return s, 2 * B, beta - B @ (s * offsets)


def oriented__forgot_the_factor(w, rows, offsets):
    B, C, beta = parts(w, rows)
    s = np.sign(solved(B, C, rows))
    return s, B, beta - B @ (s * offsets)


def oriented__half_for_twice(w, rows, offsets):
    B, C, beta = parts(w, rows)
    s = np.sign(solved(B, C, rows))
    return s, B / 2, beta - B @ (s * offsets)


def oriented__not_rounded(w, rows, offsets):
    B, C, beta = parts(w, rows)
    return turned(B, beta, solved(B, C, rows), offsets)


def oriented__turned_signs(w, rows, offsets):
    B, C, beta = parts(w, rows)
    return turned(B, beta, np.sign(solved(B, -C, rows)), offsets)


def oriented__one_neuron_alone(w, rows, offsets):
    B, C, beta = parts(w, rows)
    return turned(B, beta, np.sign(solved(B[:1], C[:1], rows)), offsets)


def oriented__products_for_solving(w, rows, offsets):
    B, C, beta = parts(w, rows)
    return turned(B, beta, np.sign(((C @ rows.T) * B).sum(axis=0)), offsets)


def oriented__neuron_by_neuron(w, rows, offsets):
    B, C, beta = parts(w, rows)
    each = np.linalg.lstsq(rows.T, C.T, rcond=None)[0].T / B
    return turned(B, beta, np.sign(each.mean(axis=0)), offsets)


def oriented__forgot_the_offsets(w, rows, offsets):
    B, C, beta = parts(w, rows)
    return np.sign(solved(B, C, rows)), 2 * B, beta


def oriented__offsets_without_signs(w, rows, offsets):
    B, C, beta = parts(w, rows)
    return np.sign(solved(B, C, rows)), 2 * B, beta - B @ offsets


def oriented__added_the_offsets(w, rows, offsets):
    B, C, beta = parts(w, rows)
    s = np.sign(solved(B, C, rows))
    return s, 2 * B, beta + B @ (s * offsets)


def oriented__twice_the_offsets(w, rows, offsets):
    B, C, beta = parts(w, rows)
    s = np.sign(solved(B, C, rows))
    return s, 2 * B, beta - 2 * B @ (s * offsets)


def oriented__signs_in_the_weights(w, rows, offsets):
    B, C, beta = parts(w, rows)
    s = np.sign(solved(B, C, rows))
    return s, 2 * B * s, beta - B @ (s * offsets)


def kinks(layers, u, v, low, high, split=None, relu=None, once=False):
    """A right way, with places to go wrong; layer after layer."""
    relu, split = relu or (lambda z: np.maximum(z, 0)), split or (lambda n: True)
    ends, found, whose = np.array([low, high]), [], []
    for n, (A, b) in enumerate(layers):
        h = u + ends[:, None] * v
        for weights, bias in layers[:n]:
            h = relu(h @ weights.T + bias)
        z = h @ A.T + b
        piece, neuron = np.nonzero(z[:-1] * z[1:] < 0)
        if once:
            keep = np.unique(neuron, return_index=True)[1]
            piece, neuron = piece[keep], neuron[keep]
        left, right = z[piece, neuron], z[piece + 1, neuron]
        mine = ends[piece] + left / (left - right) * np.diff(ends)[piece]
        found.append(mine)
        whose.append(np.full(len(mine), n + 1))
        if split(n):
            ends = np.sort(np.concatenate([ends, mine]))
    return np.concatenate(found), np.concatenate(whose)


def sorted_kinks(*args, **kwargs):
    t, layer = kinks(*args, **kwargs)
    return np.sort(t), layer[np.argsort(t)]


def whose_kinks__layer_from_zero(layers, u, v, low, high):
    t, layer = sorted_kinks(layers, u, v, low, high)
    return t, layer - 1


def whose_kinks__layers_not_sorted(layers, u, v, low, high):
    t, layer = kinks(layers, u, v, low, high)
    return np.sort(t), layer


def whose_kinks__first_layer_alone(layers, u, v, low, high):
    return sorted_kinks(layers[:1], u, v, low, high)


def whose_kinks__last_layer_alone(layers, u, v, low, high):
    t, layer = sorted_kinks(layers, u, v, low, high)
    return t[layer == len(layers)], layer[layer == len(layers)]


def whose_kinks__not_split(layers, u, v, low, high):
    return sorted_kinks(layers, u, v, low, high, split=lambda n: False)


def whose_kinks__split_by_the_first_alone(layers, u, v, low, high):
    return sorted_kinks(layers, u, v, low, high, split=lambda n: n == 0)


def whose_kinks__no_relu(layers, u, v, low, high):
    return sorted_kinks(layers, u, v, low, high, relu=lambda z: z)


def whose_kinks__each_neuron_once(layers, u, v, low, high):
    return sorted_kinks(layers, u, v, low, high, once=True)


def whose_kinks__ends_as_kinks(layers, u, v, low, high):
    t, layer = sorted_kinks(layers, u, v, low, high)
    return np.concatenate([[low], t, [high]]), np.concatenate([[1], layer, [1]])


def whose_kinks__points_not_t(layers, u, v, low, high):
    t, layer = sorted_kinks(layers, u, v, low, high)
    return u + t[:, None] * v, layer


def whose_kinks__swapped(layers, u, v, low, high):
    return sorted_kinks(layers, u, v, low, high)[::-1]


def whose_kinks__out_of_reach(layers, u, v, low, high):
    t, layer = kinks(layers, u, v, low, high)
    A, b = layers[0]
    first = -(A @ u + b) / (A @ v)
    first = first[(first < low) | (first > high)]
    t, layer = np.append(t, first), np.append(layer, np.ones(len(first), int))
    return np.sort(t), layer[np.argsort(t)]


def unseen_share__rule_of_thumb(n, certainty):
    return 3 / n


def unseen_share__rule_of_thumb__2(n, certainty):
    return -np.log(1 - certainty) / n


def unseen_share__certainty_for_doubt(n, certainty):
    return 1 - certainty ** (1 / n)


def unseen_share__not_subtracted(n, certainty):
    return (1 - certainty) ** (1 / n)


def unseen_share__divided_not_rooted(n, certainty):
    return (1 - certainty) / n


def unseen_share__power_for_root(n, certainty):
    return 1 - (1 - certainty) ** n


def unseen_share__two_sided(n, certainty):
    return 1 - ((1 - certainty) / 2) ** (1 / n)


def unseen_share__percent(n, certainty):
    return 100 * (1 - (1 - certainty) ** (1 / n))


def why_both_sides__not_rounding():
    return "A"


def why_both_sides__kinks_on_both():
    return "C"


def why_both_sides__one_point_does():
    return "D"
