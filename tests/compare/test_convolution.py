"""A dense first layer given back as the convolution that it is.

Victims are written as dense layers row by row, by the sum in the docstring of `Conv2D`. Kernels are
compared up to order and a positive scale, with the bias beside them.
"""

import numpy as np
import pytest
from piecewise_victims import convolution, kernels, leaky

from mstheft import nn
from mstheft.compare import as_convolution
from mstheft.direct import sweep
from mstheft.nn import zoo
from mstheft.oracle import Oracle


def as_dense(layer, shape):
    """(W, b) of a convolution as a dense layer: its answers to unit vectors."""
    d = int(np.prod(shape))
    zero = layer.forward(np.zeros((1, *shape)))[0].reshape(-1)
    unit = layer.forward(np.eye(d).reshape(d, *shape))[0].reshape(d, -1)
    return (unit - zero).T, zero


def copy_of(layer, shape, seed=0, widths=(5,)):
    """Dense layers that answer like layer, ReLU, dense; rows in any order and scale."""
    rng = np.random.default_rng(seed)
    W, b = as_dense(layer, shape)
    behind = zoo.mlp([len(b), *widths], bias=0.1, rng=rng).dense()
    order, scale = rng.permutation(len(b)), 10 ** rng.uniform(-2, 2, len(b))
    (A1, b1), *later = behind
    first = (W * scale[:, None])[order], (b * scale)[order]
    return zoo.given([first, ((A1 / scale)[:, order], b1), *later])


def same_kernels(found, layer, most=1e-9):
    """Are the kernels those of the layer, up to order and positive scale, with their biases?"""

    def lengths_taken(each):
        flat = np.column_stack([each.params["W"].reshape(each.filters, -1), each.params["b"]])
        flat /= np.linalg.norm(flat[:, :-1], axis=1)[:, None]
        return flat[np.argsort(flat[:, 0])]

    a, b = lengths_taken(found), lengths_taken(layer)
    return a.shape == b.shape and np.abs(a - b).max() < most


def check(found, layer, network):
    assert (found.layer.size, found.layer.stride) == (layer.size, layer.stride)
    assert found.layer.pad == layer.pad
    assert same_kernels(found.layer, layer)
    x = np.random.default_rng(8).normal(size=(2000, network.inputs))
    assert np.abs(found.network.logits(x) - network.logits(x)).max() < 1e-9
    sizes = [sum(p.size for p in each.parameters().values()) for each in (network, found.network)]
    assert found.fewer == sizes[0] - sizes[1] > 0


CASES = [  # height, width, channels, filters, size, stride, padding
    (6, 6, 1, 2, 3, 1, "valid"),
    (6, 6, 1, 3, 3, 1, "same"),
    (8, 8, 1, 2, 3, 2, "valid"),
    (8, 8, 1, 2, 3, 2, "same"),
    (9, 7, 2, 3, 5, 2, "same"),
    (8, 8, 1, 2, 2, 2, "valid"),
    (7, 7, 3, 4, 4, 1, "valid"),
    (5, 8, 3, 2, 3, 3, "same"),
    (9, 9, 1, 2, 5, 4, "valid"),
    (4, 4, 3, 2, 1, 1, "valid"),
    (4, 4, 1, 1, 3, 1, "valid"),
    (12, 1, 4, 3, 1, 2, "valid"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
@pytest.mark.parametrize("seed", [0, 1])
def test_size_stride_padding_and_kernels_are_those_of_the_victim(case, seed):
    shape = case[:3]
    layer = kernels(shape, *case[3:], seed=seed)
    network = copy_of(layer, shape, seed)
    found = as_convolution(network, shape)
    check(found, layer, network)
    assert (found.explained, found.rows, found.filled) == (len(network.dense()[0][1]),) * 2 + (0,)


def test_other_kernels_are_seen_to_be_other():
    layer, other = (kernels((6, 6, 1), 2, 3, 1, "valid", seed=seed) for seed in (0, 1))
    found = as_convolution(copy_of(layer, (6, 6, 1)), (6, 6))
    assert same_kernels(found.layer, layer)
    assert not same_kernels(found.layer, other)
    layer.params["b"] += [0, 1e-6]
    assert not same_kernels(found.layer, layer)


def test_kernels_that_differ_in_their_bias_alone_are_two():
    layer = kernels((6, 6, 1), 2, 3, 1, "valid", seed=0)
    layer.params["W"][1] = 3 * layer.params["W"][0]
    network = copy_of(layer, (6, 6, 1))
    found = as_convolution(network, (6, 6))
    assert (found.layer.filters, found.explained) == (2, 32)


def test_layers_behind_the_convolution_stay():
    layer = kernels((6, 6, 1), 2, 3, 1, "same", seed=3)
    network = copy_of(layer, (6, 6, 1), widths=(7, 6, 4))
    found = as_convolution(network, (6, 6))
    check(found, layer, network)
    assert [len(b) for _, b in found.network.dense()] == [7, 6, 4]


# ---- neurons that are missing, or too many


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_missing_neuron_is_filled_in(padding):
    layer = kernels((6, 6, 1), 2, 3, 1, padding, seed=0)
    (A0, b0), (A1, b1) = copy_of(layer, (6, 6, 1)).dense()
    there = np.delete(np.arange(len(b0)), [0, 9, 17])
    network = zoo.given([(A0[there], b0[there]), (A1[:, there], b1)])
    found = as_convolution(network, (6, 6))
    check(found, layer, network)
    assert (found.explained, found.rows, found.filled) == (len(there), len(there), 3)


def test_neurons_without_weights_are_constants():
    layer = kernels((6, 6, 1), 2, 3, 1, "valid", seed=0)
    network = copy_of(layer, (6, 6, 1))
    (A0, b0), (A1, _) = network.dense()
    A0[[4, 20]], b0[[4, 20]], A1[:, 7] = 0, [1, -1], 0
    found = as_convolution(network, (6, 6))
    check(found, layer, network)
    assert (found.explained, found.rows, found.filled) == (30, 32, 2)


def test_a_layer_that_nothing_reads_is_a_convolution_still():
    network = copy_of(kernels((6, 6, 1), 2, 3, 1, "valid", seed=0), (6, 6, 1))
    network.dense()[1][0][:] = 0
    found = as_convolution(network, (6, 6))
    x = np.random.default_rng(8).normal(size=(100, 36))
    np.testing.assert_array_equal(found.network.logits(x), network.logits(x))


def test_a_neuron_that_is_there_twice_counts_once():
    layer = kernels((6, 6, 1), 2, 3, 1, "valid", seed=0)
    (A0, b0), (A1, b1) = copy_of(layer, (6, 6, 1)).dense()
    network = zoo.given(
        [(np.vstack([A0, A0[:1]]), np.append(b0, b0[0])), (A1[:, [*range(32), 0]], b1)]
    )
    found = as_convolution(network, (6, 6))
    check(found, layer, network)
    assert (found.explained, found.filled) == (33, 0)


def test_orientations_are_found_where_the_copy_has_an_affine_remainder():
    """relu(-z) = relu(z) - z: every third neuron turned, and the difference as opposite pairs."""
    layer = kernels((6, 6, 1), 3, 3, 1, "valid", seed=2)
    right = copy_of(layer, (6, 6, 1))
    (A0, b0), (A1, b1) = right.dense()
    turned = np.arange(len(b0)) % 3 == 0
    sign = np.where(turned, -1.0, 1.0)
    M, m = A1[:, turned] @ A0[turned], A1[:, turned] @ b0[turned]
    network = zoo.given(
        [
            (np.vstack([A0 * sign[:, None], M, -M]), np.concatenate([b0 * sign, m, -m])),
            (np.hstack([A1, np.eye(5), -np.eye(5)]), b1),
        ]
    )
    x = np.random.default_rng(1).normal(size=(100, 36))
    np.testing.assert_allclose(network.logits(x), right.logits(x), atol=1e-9)
    found = as_convolution(network, (6, 6))
    check(found, layer, network)
    assert (found.explained, found.rows) == (48, 58)


# ---- stolen copies


@pytest.mark.parametrize(
    ("how", "filters"),
    [
        ({}, 2),
        ({"padding": "same"}, 2),
        ({"side": 8, "stride": 2}, 2),
        ({"channels": 2, "filters": 1}, 1),
        ({"K": 1, "padding": "same"}, 2),
        ({"activation": leaky}, 4),
    ],
)
def test_a_stolen_copy_has_the_kernels_of_the_victim(how, filters):
    victim = convolution(**how)
    settings = {"filters": 2, "size": 3, "stride": 1, "padding": "valid"} | how
    layer = kernels(
        victim.shape, *(settings[k] for k in ("filters", "size", "stride", "padding")), 4
    )
    result = sweep.extract(Oracle(victim.build(4), inputs=victim.d), rng=1)
    found = as_convolution(result.model, victim.shape)
    x = np.random.default_rng(8).normal(size=(1000, victim.d))
    assert np.abs(found.network.logits(x) - victim.build(4)(x)).max() < 1e-7
    assert found.layer.filters == filters
    if how.get("activation"):  # a kernel and its opposite
        layer.params = {name: np.concatenate([p, -p]) for name, p in layer.params.items()}
        layer.filters *= 2
    assert same_kernels(found.layer, layer, most=1e-6)


# ---- what is no convolution


def test_a_dense_network_is_no_convolution():
    for shape in ((6, 6), (5, 5), (4, 9), (3, 4, 3), (1, 36), (7, 5)):
        network = zoo.mlp([int(np.prod(shape)), 20, 5], bias=0.1, rng=1)
        assert as_convolution(network, shape) is None


def test_kernels_that_differ_from_place_to_place_are_no_convolution():
    layer = kernels((6, 6, 1), 2, 3, 1, "valid", seed=0)
    network = copy_of(layer, (6, 6, 1))
    (A0, _), _ = network.dense()
    A0 *= np.random.default_rng(0).uniform(0.5, 1.5, A0.shape)
    assert as_convolution(network, (6, 6)) is None


def test_one_row_that_is_other_is_seen():
    network = copy_of(kernels((6, 6, 1), 2, 3, 1, "valid", seed=0), (6, 6, 1))
    assert as_convolution(network, (6, 6)) is not None
    (A0, b0), _ = network.dense()
    b0[5] += 1e-3 * np.linalg.norm(A0[5])
    assert as_convolution(network, (6, 6)) is None


def test_the_answers_decide_up_to_the_tolerance():
    network = copy_of(kernels((6, 6, 1), 2, 3, 1, "valid", seed=0), (6, 6, 1))
    for W, _ in network.dense():
        W += 1e-6 * np.abs(W) * np.random.default_rng(0).normal(size=W.shape)
    assert as_convolution(network, (6, 6)) is None
    assert as_convolution(network, (6, 6), tolerance=1e-4) is not None


def test_the_wrong_shape_is_no_convolution_or_an_error():
    network = copy_of(kernels((6, 6, 1), 2, 3, 1, "valid", seed=0), (6, 6, 1))
    assert as_convolution(network, (4, 9)) is None
    with pytest.raises(ValueError, match="of 36 numbers"):
        as_convolution(network, (6, 7))
    with pytest.raises(ValueError, match="a hidden layer"):
        as_convolution(zoo.mlp([36, 5], rng=0), (6, 6))
    with pytest.raises(ValueError, match="relu between"):
        as_convolution(zoo.mlp([36, 5, 3], activation="tanh", rng=0), (6, 6))


def test_the_network_that_is_given_is_not_changed():
    network = copy_of(kernels((6, 6, 1), 2, 3, 1, "valid", seed=0), (6, 6, 1))
    before = network.copy()
    as_convolution(network, (6, 6))
    for a, b in zip(before.parameters().values(), network.parameters().values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_convolution_can_be_saved(tmp_path):
    network = copy_of(kernels((6, 6, 1), 2, 3, 1, "valid", seed=0), (6, 6, 1))
    found = as_convolution(network, (6, 6))
    found.network.save(tmp_path / "copy.npz")
    x = np.random.default_rng(1).normal(size=(10, 36))
    np.testing.assert_array_equal(
        nn.Network.load(tmp_path / "copy.npz").logits(x), found.network.logits(x)
    )
