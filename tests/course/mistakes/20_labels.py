"""Known mistakes of exercise 20: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def price(d, h, normals, share, halvings=np.ceil, dear=min, log=np.log2):
    first = dear(h, normals)
    return int(halvings(log(share))) * (first * d + (normals - first) * h)


def label_price__all_of_them_dear(d, h, normals, width, precision):
    return int(np.ceil(np.log2(width / precision))) * normals * d


def label_price__all_of_them_cheap(d, h, normals, width, precision):
    return int(np.ceil(np.log2(width / precision))) * normals * h


def label_price__first_one_alone(d, h, normals, width, precision):
    return price(d, h, normals, width / precision, dear=lambda *_: 1)


def label_price__first_ones_twice(d, h, normals, width, precision):
    return int(np.ceil(np.log2(width / precision))) * (h * d + normals * h)


def label_price__rounded_down(d, h, normals, width, precision):
    return price(d, h, normals, width / precision, halvings=np.floor)


def label_price__one_too_many(d, h, normals, width, precision):
    return price(d, h, normals, width / precision, halvings=lambda n: np.ceil(n) + 1)


def label_price__not_rounded(d, h, normals, width, precision):
    return np.log2(width / precision) * (h * d + (normals - h) * h)


def label_price__natural_logarithm(d, h, normals, width, precision):
    return price(d, h, normals, width / precision, log=np.log)


def label_price__decimal_digits(d, h, normals, width, precision):
    return price(d, h, normals, width / precision, log=np.log10)


def label_price__forgot_the_width(d, h, normals, width, precision):
    return price(d, h, normals, 1 / precision)


def label_price__numbers_alone(d, h, normals, width, precision):
    first = min(h, normals)
    return first * d + (normals - first) * h


def label_price__one_for_each_step(d, h, normals, width, precision):
    return int(np.ceil(np.log2(width / precision))) + h * d + (normals - h) * h


def label_price__more_than_there_are(d, h, normals, width, precision):
    return price(d, h, normals, width / precision, dear=lambda h, normals: h)


def unit(walls):
    walls = walls / np.linalg.norm(walls[:, :-1], axis=1, keepdims=True)
    return walls * np.sign(walls[:, :1])


def parts(planes):
    """c_1 n, c_2 n', c_3 m, c_4 m'."""
    return np.linalg.svd(planes)[0][:, 3, None] * planes


def corner_rows__differences(planes):
    return unit(planes[1:3] - planes[0])


def corner_rows__sums(planes):
    return unit(planes[0] + planes[1:3])


def corner_rows__swapped(planes):
    n, n2, m, _ = parts(planes)
    return unit(np.stack([n + m, n + n2]))


def corner_rows__across_the_corner(planes):
    n, _, m, m2 = parts(planes)
    return unit(np.stack([n + m2, n + m]))


def corner_rows__across_the_corner__2(planes):
    n, n2, _, m2 = parts(planes)
    return unit(np.stack([n + n2, n + m2]))


def corner_rows__right_singular_vector(planes):
    c = np.linalg.svd(planes)[2][-1]
    return unit(
        np.stack([c[0] * planes[0] + c[1] * planes[1], c[0] * planes[0] + c[2] * planes[2]])
    )


def corner_rows__turned_minus(planes):
    n, n2, m, _ = parts(planes)
    return unit(np.stack([n - n2, n - m]))


def corner_rows__length_with_offset(planes):
    n, n2, m, _ = parts(planes)
    walls = np.stack([n + n2, n + m])
    walls = walls / np.linalg.norm(walls, axis=1, keepdims=True)
    return walls * np.sign(walls[:, :1])


def corner_rows__no_offsets(planes):
    n, n2, m, _ = parts(planes)
    return unit(np.stack([n + n2, n + m]))[:, :-1]


def corner_rows__not_unit(planes):
    n, n2, m, _ = parts(planes)
    walls = np.stack([n + n2, n + m])
    return walls * np.sign(walls[:, :1])


def corner_rows__sign(planes):
    n, n2, m, _ = parts(planes)
    return -unit(np.stack([n + n2, n + m]))


def lifted(x, R, o, by=np.abs):
    return np.hstack([by(x @ R.T + o), x, np.ones((len(x), 1))])


def null_of(z, classes, which=-1, sign=-1):
    n, K = np.arange(len(z)), classes.max() + 1
    table = np.zeros((len(z), K, z.shape[1]))
    table[n, classes[:, 0]] += z
    table[n, classes[:, 1]] += sign * z
    null = np.linalg.svd(table[:, 1:].reshape(len(z), -1))[2][which]
    return np.vstack([np.zeros(z.shape[1]), null.reshape(K - 1, -1)])


def right_way(R, o, points, classes, x, label, by=np.abs, **kwargs):
    theta = null_of(lifted(points, R, o, by), classes, **kwargs)
    return theta if (theta @ lifted(x[None], R, o)[0]).argmax() == label else -theta


def class_weights__sign(*given):
    return -right_way(*given)


def class_weights__relu_for_absolute(*given):
    return right_way(*given, by=lambda z: np.maximum(z, 0))


def class_weights__no_absolute(*given):
    return right_way(*given, by=lambda z: z)


def class_weights__added(*given):
    return right_way(*given, sign=1)


def class_weights__first_vector(*given):
    return right_way(*given, which=0)


def class_weights__one_by_one(R, o, points, classes, x, label):
    z, parts = lifted(points, R, o), [np.zeros(sum(R.shape) + 1)]
    for k in range(1, classes.max() + 1):
        mine = (np.sort(classes) == [0, k]).all(axis=1)
        parts.append(np.linalg.svd(z[mine])[2][-1])
    theta = np.array(parts) / np.linalg.norm(parts)
    return theta if (theta @ lifted(x[None], R, o)[0]).argmax() == label else -theta


def class_weights__without_class_0(*given):
    return right_way(*given)[1:]


def class_weights__inputs_first(R, *given):
    theta, (h, d) = right_way(R, *given), R.shape
    return theta[:, [*range(h, h + d), *range(h), h + d]]


def class_weights__one_in_front(*given):
    return np.roll(right_way(*given), 1, axis=1)


def class_weights__largest_is_one(*given):
    theta = right_way(*given)
    return theta / np.abs(theta).max()


def class_weights__each_class_alone(*given):
    theta = right_way(*given)
    theta[1:] /= np.linalg.norm(theta[1:], axis=1, keepdims=True)
    return theta


def class_weights__centred(*given):
    theta = right_way(*given)
    return theta - theta.mean(axis=0)


def class_weights__last_class_is_zero(*given):
    theta = right_way(*given)
    return theta - theta[-1]


def class_weights__transposed(*given):
    return right_way(*given).T


def class_weights__flat(*given):
    return right_way(*given).ravel()


def class_weights__no_constant(R, o, points, classes, x, label):
    theta = null_of(lifted(points, R, o)[:, :-1], classes)
    return theta if (theta @ lifted(x[None], R, o)[0, :-1]).argmax() == label else -theta


def at(c, gamma, w, v, p):
    """The functions of the off side and of the on side at p."""
    return c @ p + gamma, (c + w) @ p + gamma + v


def turn_wall__unchanged(c, gamma, w, v, p):
    return w, v


def turn_wall__moved_not_turned(c, gamma, w, v, p):
    return w, -w @ p


def turn_wall__scaled_the_neuron(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return off / on * w, off / on * v


def turn_wall__other_factor(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return on / off * (c + w) - c, on / off * (gamma + v) - gamma


def turn_wall__forgot_the_off_side(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return off / on * (c + w), off / on * (gamma + v)


def turn_wall__forgot_gamma(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return off / on * (c + w) - c, off / on * (gamma + v)


def turn_wall__neuron_for_the_on_side(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return off / on * w - c, off / on * v - gamma


def turn_wall__scaled_the_off_side(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return c + w - on / off * c, gamma + v - on / off * gamma


def turn_wall__turned_round(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return c - off / on * (c + w), gamma - off / on * (gamma + v)


def turn_wall__negative_factor(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return -off / on * (c + w) - c, -off / on * (gamma + v) - gamma


def turn_wall__swapped(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return off / on * (gamma + v) - gamma, off / on * (c + w) - c


def turn_wall__together(c, gamma, w, v, p):
    off, on = at(c, gamma, w, v, p)
    return np.append(off / on * (c + w) - c, off / on * (gamma + v) - gamma)


def why_no_signs__normals_not_rows():
    return "A"


def why_no_signs__labels_would_change():
    return "C"


def why_no_signs__one_sign_of_all():
    return "D"
