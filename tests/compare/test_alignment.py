"""Symmetries and their undoing.

Sizes: rescaling rounds each weight once, relative 1.1e-16; sums of a few dozen such numbers of
size ≤ 100 differ by 1e-12. Powers of two round nothing.
"""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import blurred, disguised, seeds

from mstheft.compare.alignment import align, center, reorder, rescale
from mstheft.nn import Network, zoo
from mstheft.nn.layers import Activation, Dense, Flatten, Layer


def tiny():
    """f(x) = 3 relu(2 x1 - x2 + 1) - 5 relu(x1 + 4) + 7."""
    network = zoo.mlp([2, 2, 1])
    weights = {"0.W": [[2, -1], [1, 0]], "0.b": [1, 4], "2.W": [[3, -5]], "2.b": [7]}
    for name, value in weights.items():
        network.parameters()[name][...] = value
    return network


# ---- the symmetries


@pytest.mark.parametrize(
    ("x", "z", "answer"),
    [
        ([-4.0, 0.0], [-7, 0], 7),  # z ≤ 0, both off, the second exactly at its kink: b1 alone
        ([-5.0, 3.0], [-12, -1], 7),  # z ≤ 0
        ([1.0, 1.0], [2, 5], 3 * 2 - 5 * 5 + 7),  # z > 0, both on
        ([-1.0, 0.0], [-1, 3], -5 * 3 + 7),  # one on each branch
        ([-4.5, -11.0], [3, -0.5], 3 * 3 + 7),
    ],
)
def test_the_lectures_two_branches_by_hand(x, z, answer):
    """c = 4 and 1/2, exact in binary: z is multiplied by c, the answer stays, on both branches."""
    network, x = tiny(), np.array([x])
    twin = rescale(network, 1, [0, 1], [4, 0.5])
    for each, factor in ((network, [1, 1]), (twin, [4, 0.5])):
        np.testing.assert_array_equal(each.layers[0].forward(x)[0], [np.multiply(factor, z)])
        np.testing.assert_array_equal(each.logits(x), [[answer]])


def test_what_rescale_changes():
    twin = rescale(tiny(), 1, 0, 4)
    np.testing.assert_array_equal(twin.parameters()["0.W"], [[8, -4], [1, 0]])
    np.testing.assert_array_equal(twin.parameters()["0.b"], [4, 4])
    np.testing.assert_array_equal(twin.parameters()["2.W"], [[0.75, -5]])
    np.testing.assert_array_equal(twin.parameters()["2.b"], [7])


def test_what_reorder_changes():
    network = zoo.mlp([2, 3, 2], bias=1, rng=0)
    twin = reorder(network, 1, [2, 0, 1])  # neither its own inverse nor the identity
    (A0, b0), (A1, b1) = network.dense()
    want = [(A0[[2, 0, 1]], b0[[2, 0, 1]]), (A1[:, [2, 0, 1]], b1)]
    for pair, other in zip(twin.dense(), want, strict=True):
        for p, q in zip(pair, other, strict=True):
            np.testing.assert_array_equal(p, q)


@given(seeds, st.lists(st.integers(1, 6), min_size=3, max_size=5), st.booleans())
def test_symmetries_leave_the_function_unchanged(seed, widths, single):
    """Any hidden layer; float32 keeps 6e-8 per rounding."""
    rng = np.random.default_rng(seed)
    dtype = np.float32 if single else np.float64
    network = zoo.mlp(widths, bias=1, rng=rng, dtype=dtype)
    layer = rng.integers(1, len(widths) - 1)
    h = widths[layer]
    x = rng.normal(size=(20, widths[0]))
    before = network.logits(x)
    factor = 10 ** rng.uniform(-3, 3, h)
    twins = [
        rescale(network, layer, np.arange(h), factor),
        reorder(network, layer, rng.permutation(h)),
    ]
    twins.append(rescale(network, layer, rng.integers(h), factor[0]))
    scale = np.abs(before).max() + 1
    for twin in twins:
        assert twin.dtype == dtype
        error = np.abs(twin.logits(x) - before).max() / scale
        assert 0 <= error < (1e-4 if single else 1e-12)
    np.testing.assert_array_equal(network.logits(x), before)


def test_symmetries_leave_the_given_network_alone():
    network, kept = tiny(), tiny().parameters()
    for twin in (rescale(network, 1, 0, 2), reorder(network, 1, [1, 0])):
        for p in twin.parameters().values():
            p += 1
    for name, p in network.parameters().items():
        np.testing.assert_array_equal(p, kept[name])


def test_reorder_needs_no_relu_and_rescale_does():
    network = zoo.mlp([3, 4, 2], activation="tanh", bias=1, rng=0)
    x = np.random.default_rng(0).normal(size=(9, 3))
    twin = reorder(network, 1, [3, 1, 0, 2])
    np.testing.assert_allclose(twin.logits(x), network.logits(x), rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match=r"expected relu after hidden layer 1, got \['tanh'\]"):
        rescale(network, 1, 0, 2)


@pytest.mark.parametrize("factor", [0, -1, np.nan, np.inf, [1, -2]])
def test_factors_that_change_the_function(factor):
    with pytest.raises(ValueError, match="expected a finite factor > 0, got"):
        rescale(tiny(), 1, [0, 1], factor)


@pytest.mark.parametrize("neuron", [2, 0.0])
def test_neurons_that_are_none(neuron):
    with pytest.raises(IndexError):
        rescale(tiny(), 1, neuron, 2)


@pytest.mark.parametrize("order", [[0], [0, 0], [1, 2], [-1, 0], 1, [[0, 1]]])
def test_orders_that_are_no_permutations(order):
    with pytest.raises(ValueError, match="expected order as a permutation of 0 to 1, got"):
        reorder(tiny(), 1, order)


@pytest.mark.parametrize("layer", [0, 2, -1])
def test_layers_that_are_not_hidden(layer):
    for change in (lambda: reorder(tiny(), layer, [0, 1]), lambda: rescale(tiny(), layer, 0, 2)):
        with pytest.raises(
            ValueError, match=f"expected one of the hidden layers 1 to 1, got {layer}"
        ):
            change()


def test_layers_that_mix_neurons():
    class Softmax(Layer):
        pass

    network = Network([Dense(2, 3), Softmax(), Dense(3, 2)], 2)
    with pytest.raises(ValueError, match="expected only activations after hidden layer 1"):
        reorder(network, 1, [2, 1, 0])


def test_center():
    network = zoo.mlp([3, 4, 5], bias=1, rng=0)
    x = np.random.default_rng(0).normal(size=(9, 3))
    twin = center(network)
    np.testing.assert_allclose(twin.probs(x), network.probs(x), rtol=1e-13, atol=0)
    np.testing.assert_allclose(twin.logits(x).sum(axis=1), 0, rtol=0, atol=1e-14)
    assert np.abs(network.logits(x).sum(axis=1)).max() > 1
    with pytest.raises(ValueError, match="expected a Dense layer of two or more logits last"):
        center(zoo.mlp([3, 4, 1]))


# ---- alignment


@given(seeds, st.integers(1, 9), st.integers(1, 12), st.integers(1, 4))
def test_align_undoes_the_symmetries(seed, d, h, K):
    a = zoo.mlp([d, h, K], bias=1, rng=seed)
    b, order = disguised(a, seed)
    found = align(a, b)
    assert 0 <= found.error < 1e-13
    np.testing.assert_array_equal(order[found.order], np.arange(h))
    np.testing.assert_array_equal(found.neurons, np.arange(h))
    assert (found.scale > 0).all()
    assert found.unmatched_a == found.unmatched_b == []
    shapes = {name: each.shape for name, each in found.differences.items()}
    assert shapes == {"A0": (h, d), "b0": (h,), "A1": (K, h), "b1": (K,)}
    for pair, other in zip(found.model.dense(), a.dense(), strict=True):
        for p, q in zip(pair, other, strict=True):
            np.testing.assert_allclose(p, q, rtol=0, atol=1e-13)


@given(seeds, st.integers(1, 12), st.sampled_from([1e-12, 1e-9, 1e-6]))
def test_align_of_a_copy_with_errors(seed, h, size):
    """Errors up to `size` in numbers of size 1, made before the disguise: about as much is found.

    The scale is 1 but for size · √d / |row|, and rows of 4 + 1 normal numbers are rarely short:
    a factor of 100 is left for them. From below: the largest of 7 h errors of one's own size.
    """
    a = zoo.mlp([4, h, 2], bias=1, rng=seed)
    b, order = disguised(blurred(a, size, seed), seed)
    found = align(a, b)
    np.testing.assert_array_equal(order[found.order], np.arange(h))
    assert 0.02 * size < found.error < 100 * size
    assert found.error == max(np.abs(each).max() for each in found.differences.values())
    (A0, b0), (A1, b1) = a.dense()
    (A0_, b0_), (A1_, b1_) = found.model.dense()
    want = {"A0": A0_ - A0, "b0": b0_ - b0, "A1": A1_ - A1, "b1": b1_ - b1}
    for name, each in found.differences.items():
        np.testing.assert_array_equal(each, want[name])


def test_the_differences_are_the_copys_less_the_victims():
    a = zoo.mlp([4, 3, 2], bias=1, rng=0)
    b = a.copy()
    b.parameters()["2.W"][1, 2] += 1e-3
    b.parameters()["2.b"][0] -= 1e-4
    found = align(a, disguised(b, 1)[0])
    want = {"A0": np.zeros((3, 4)), "b0": np.zeros(3), "A1": np.zeros((2, 3)), "b1": [-1e-4, 0]}
    want["A1"][1, 2] = 1e-3
    for name, each in want.items():
        np.testing.assert_allclose(found.differences[name], each, rtol=0, atol=1e-14)
    assert found.error == pytest.approx(1e-3, rel=1e-10)


@given(seeds, st.integers(1, 6), st.integers(1, 6))
def test_networks_of_different_widths(seed, h, more):
    """The smaller is the larger without its last neurons: those and no others stay unmatched."""
    large = zoo.mlp([5, h + more, 2], bias=1, rng=seed)
    small = zoo.mlp([5, h, 2])
    for name, p in small.parameters().items():
        cut = tuple(slice(n) for n in p.shape)
        p[...] = large.parameters()[name][cut]
    hidden, order = disguised(large, seed)
    found = align(small, hidden)
    assert 0 <= found.error < 1e-13
    assert found.unmatched_a == []
    assert sorted(order[found.unmatched_b]) == list(range(h, h + more))
    np.testing.assert_array_equal(found.order[h:], found.unmatched_b)
    np.testing.assert_array_equal(found.scale[h:], 1)
    x = np.random.default_rng(0).normal(size=(20, 5))
    np.testing.assert_allclose(found.model.logits(x), large.logits(x), rtol=0, atol=1e-11)

    found = align(hidden, small)
    assert 0 <= found.error < 1e-11  # in the units of `hidden`, up to 100 times larger
    assert found.unmatched_b == []
    assert sorted(order[found.unmatched_a]) == list(range(h, h + more))
    assert sorted([*found.neurons, *found.unmatched_a]) == list(range(h + more))
    assert len(found.order) == len(found.scale) == len(found.neurons) == h


def test_duplicates_are_told_apart_by_their_outputs():
    """Equal directions, even after rescaling; only the scaled outputs say which is which."""
    a = zoo.mlp([4, 6, 3], bias=1, rng=0)
    for name in ("0.W", "0.b"):
        a.parameters()[name][3:] = a.parameters()[name][0]
    for seed in range(20):
        b, order = disguised(blurred(a, 1e-9, seed), seed)
        found = align(a, b)
        np.testing.assert_array_equal(order[found.order], np.arange(6))
        assert 1e-10 < found.error < 1e-8


def test_neurons_that_differ_in_their_bias_alone():
    a = zoo.mlp([4, 3, 1], bias=1, rng=0)
    for name in ("0.W", "2.W"):
        a.parameters()[name][...] = a.parameters()[name][:1, :1]
    b = reorder(a, 1, [2, 0, 1])
    assert list(align(a, b).order) == [1, 2, 0]
    assert align(a, b).error == 0


def test_opposite_directions_are_different_neurons():
    """-A0_i is no positive multiple of A0_i: matching lines in place of half-lines would err."""
    a = zoo.mlp([4, 2, 1], bias=1, rng=0)
    for name in ("0.W", "0.b"):
        a.parameters()[name][1] = -a.parameters()[name][0]
    a.parameters()["2.W"][...] = 1
    b, order = disguised(a, 3)
    assert list(order) == [1, 0]
    assert list(align(a, b).order) == [1, 0]
    assert align(a, b).error < 1e-13


def test_dead_neurons_and_rows_of_zeros():
    a = zoo.mlp([4, 5, 2], bias=1, rng=0)
    a.parameters()["0.W"][1] = a.parameters()["0.b"][1] = 0
    a.parameters()["2.W"][:, 3] = 0
    b, order = disguised(a, 1)
    found = align(a, b)
    np.testing.assert_array_equal(order[found.order], np.arange(5))
    assert found.scale[1] == 1
    for name in ("A0", "b0"):
        assert np.abs(found.differences[name]).max() < 1e-13


def test_align_float32_and_flatten():
    """float32 rounds at 6e-8; the model is float64, so that rescaling rounds no further."""
    layers = [Flatten(), Dense(6, 5, rng=0), Activation("relu"), Dense(5, 3, rng=1)]
    a = Network(layers, (2, 3))
    found = align(a, Network(disguised(a, 0)[0].layers, (2, 3), np.float32))
    assert found.model.dtype == np.float64
    assert found.model.shape == (2, 3)
    assert 1e-9 < found.error < 1e-6


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (
            [3, 4, 2],
            [5, 4, 2],
            "expected two networks of equal inputs and outputs, got 3 to 2 and 5",
        ),
        ([3, 4, 2], [3, 4, 1], "expected two networks of equal .* 3 to 2 and 3 to 1"),
        ([3, 2], [3, 4, 2], "expected a with one hidden layer, got 0"),
        ([3, 4, 2], [3, 4, 4, 2], "expected b with one hidden layer, got 2"),
    ],
)
def test_networks_that_cannot_be_aligned(a, b, says):
    with pytest.raises(ValueError, match=says):
        align(zoo.mlp(a), zoo.mlp(b))


def test_other_networks_that_cannot_be_aligned():
    relu, tanh = zoo.mlp([3, 4, 2], rng=0), zoo.mlp([3, 4, 2], activation="tanh")
    twice = Network([Dense(3, 4), Dense(4, 2)], 3)
    open_end = Network([Dense(3, 2), Activation("relu")], 3)
    for other in (tanh, twice, open_end):
        with pytest.raises(ValueError, match="expected b as Dense layers with relu between them"):
            align(relu, other)
    broken = relu.copy()
    broken.parameters()["2.b"][0] = np.nan
    with pytest.raises(ValueError, match="expected finite parameters in a, below 1e100"):
        align(broken, relu)


def test_scipy_is_imported_only_where_it_is_used():
    code = "import sys, mstheft.compare; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
