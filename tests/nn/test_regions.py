"""The regions of a slice against an obvious loop over its points."""

import numpy as np
import pytest

from mstheft.nn import zoo
from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.network import Network
from mstheft.nn.norm import Dropout
from mstheft.nn.regions import restrict, slice_regions

SHAPES = [[2, 5, 3], [7, 6, 1], [4, 5, 6, 3], [3, 4, 4, 4, 2]]


def plane(d, seed=0):
    rng = np.random.default_rng(seed)
    across, up = np.linalg.qr(rng.normal(size=(d, 2)))[0].T
    return rng.normal(size=d), across, up


def pattern_at(network, x):
    """Which neurons are on at one input: layer after layer, with nothing but the weights."""
    on = []
    *hidden, _ = network.dense()
    for weights, bias in hidden:
        z = weights @ x + bias
        on.extend(z > 0)
        x = np.where(z > 0, z, 0)
    return tuple(bool(v) for v in on)


@pytest.mark.parametrize("widths", SHAPES, ids=str)
def test_regions_equal_the_loop_over_points(widths):
    network = zoo.mlp(widths, bias=0.7, rng=1)
    origin, across, up = plane(widths[0])
    s = slice_regions(network, origin, across, up, extent=4.0, points=31)
    assert s.x[0] == s.y[0] == -4
    assert s.x[-1] == s.y[-1] == 4
    seen = {}
    for j, y in enumerate(s.y):
        for i, x in enumerate(s.x):
            pattern = pattern_at(network, origin + x * across + y * up)
            assert tuple(s.patterns[s.region[j, i]].tolist()) == pattern
            assert seen.setdefault(pattern, s.region[j, i]) == s.region[j, i]
    assert sorted(seen.values()) == list(range(len(s.patterns)))
    assert len(seen) > 4, "a picture of one region would prove nothing"
    assert s.active.tolist() == [sum(p) for p in s.patterns.tolist()]


@pytest.mark.parametrize("widths", SHAPES, ids=str)
def test_labels_are_those_of_the_network(widths):
    network = zoo.mlp(widths, bias=0.7, rng=2)
    origin, across, up = plane(widths[0])
    s = slice_regions(network, origin, across, up, points=21)
    for j, y in enumerate(s.y):
        rows = origin + np.outer(s.x, across) + y * up
        np.testing.assert_array_equal(s.label[j], network.labels(rows))


def test_one_boundary_for_each_neuron_that_changes_sides():
    network = zoo.mlp([4, 9, 7, 2], bias=1.0, rng=3)
    origin, across, up = plane(4)
    s = slice_regions(network, origin, across, up, points=41)
    on = s.patterns[s.region].reshape(-1, 16)
    turning = np.flatnonzero(on.any(axis=0) & ~on.all(axis=0))
    assert 0 < len(turning) < 16, "some turn and some do not"
    expected = [(1, n) if n < 9 else (2, n - 9) for n in turning.tolist()]
    assert [(b.layer, b.neuron) for b in s.boundaries] == expected
    for b, n in zip(s.boundaries, turning, strict=True):
        np.testing.assert_array_equal(b.values > 0, on[:, n].reshape(41, 41))


def test_first_layer_boundary_is_the_hyperplane():
    network = zoo.mlp([5, 3, 2], bias=0.5, rng=4)
    origin, across, up = plane(5)
    weights, bias = network.dense()[0]
    for b in slice_regions(network, origin, across, up, extent=9, points=11).boundaries:
        row, x = weights[b.neuron], np.linspace(-9, 9, 11)
        z = row @ origin + bias[b.neuron] + np.add.outer(x * (row @ up), x * (row @ across))
        # float32 keeps 24 bits: 6e-8 of the largest value.
        np.testing.assert_allclose(b.values, z, rtol=0, atol=1.2e-7 * np.abs(z).max())


@pytest.mark.parametrize("widths", SHAPES, ids=str)
def test_the_gradient_is_the_slope_along_the_plane(widths):
    network = zoo.mlp(widths, bias=0.7, rng=5)
    origin, across, up = plane(widths[0])
    logit = widths[-1] - 1
    s = slice_regions(network, origin, across, up, extent=2, points=5, logit=logit, arrows=6)
    assert s.gradient_at.shape == s.gradient.shape == (36, 2)
    np.testing.assert_allclose(
        np.unique(s.gradient_at[:, 0]), [-5 / 3, -1, -1 / 3, 1 / 3, 1, 5 / 3]
    )
    step = 1e-6
    for k, direction in enumerate((across, up)):
        at = origin + s.gradient_at @ np.stack([across, up])
        ahead, behind = (network.logits(at + c * direction)[:, logit] for c in (step, -step))
        # Piecewise linear: only rounding is left, about 1e-15 / 1e-6. No point lies on a kink here.
        np.testing.assert_allclose(s.gradient[:, k], (ahead - behind) / (2 * step), atol=1e-7)


def test_affine_within_a_region():
    network = zoo.mlp([6, 8, 5, 2], bias=0.7, rng=6)
    origin, across, up = plane(6)
    s = slice_regions(network, origin, across, up, points=40)
    largest = np.bincount(s.region.ravel()).argmax()
    j, i = np.nonzero(s.region == largest)
    assert len(j) > 10
    inside = np.stack([s.x[i], s.y[j], np.ones(len(i))], axis=1)
    logits = network.logits(origin + inside[:, :2] @ np.stack([across, up]))
    solution, *_ = np.linalg.lstsq(inside, logits, rcond=None)
    np.testing.assert_allclose(inside @ solution, logits, atol=1e-12)


def test_neighbours_differ_by_one_neuron():
    """Two colours for odd and even numbers of neurons on would do: a fold turns one neuron."""
    network = zoo.mlp([2, 4, 4, 1], bias=1.0, rng=7)
    s = slice_regions(network, [0, 0], [1, 0], [0, 1], points=300)
    left, right = s.region[:, :-1].ravel(), s.region[:, 1:].ravel()
    changed = (s.patterns[left] != s.patterns[right]).sum(axis=1)
    crossings = changed[changed > 0]
    assert (crossings == 1).mean() > 0.97, "only where two folds lie within one step is it two"


def test_the_restricted_network_is_the_network_on_the_plane():
    network = zoo.mlp([7, 6, 5, 3], bias=0.5, rng=8)
    origin, across, up = plane(7)
    xy = np.random.default_rng(9).normal(size=(50, 2))
    found = restrict(network, origin, across, up).logits(xy)
    wanted = network.logits(origin + xy @ np.stack([across, up]))
    np.testing.assert_allclose(found, wanted, atol=1e-13)


def test_the_network_is_left_as_it_was():
    network = zoo.mlp([4, 5, 2], rng=0, dtype=np.float32)
    before = {name: (p, p.copy()) for name, p in network.parameters().items()}
    s = slice_regions(network, *plane(4), points=9)
    for name, p in network.parameters().items():
        assert p is before[name][0]
        assert p.dtype == np.float32
        np.testing.assert_array_equal(p, before[name][1])
    assert s.gradient.dtype == np.float64


def test_images_and_linear_models():
    network = Network([Flatten(), *zoo.mlp([12, 5, 2], rng=1).layers], (3, 4))
    origin, across, up = plane(12)
    flat = slice_regions(network, origin, across, up, points=9)
    square = slice_regions(network, *(v.reshape(3, 4) for v in (origin, across, up)), points=9)
    np.testing.assert_array_equal(flat.region, square.region)
    linear = slice_regions(zoo.softmax(3, 2, rng=0), *plane(3), points=9)
    assert linear.patterns.shape == (1, 0)
    assert not linear.boundaries
    assert not linear.region.any()


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (zoo.mlp([3, 4, 2], activation="tanh"), "tanh"),
        (Network([Activation("relu"), Dense(3, 2)], 3), "Dense layer first"),
        (Network([Flatten(), *zoo.softmax(3, 2).layers, Dropout(0.1)], 3), "Dropout"),
    ],
)
def test_other_networks_are_refused(network, message):
    with pytest.raises(ValueError, match=message):
        slice_regions(network, *plane(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extent": 0}, "extent > 0"),
        ({"points": 1}, "points >= 2"),
        ({"arrows": 0}, "arrows >= 1"),
        ({"logit": 2}, "0 to 1, got 2"),
        ({"logit": -1}, "0 to 1, got -1"),
        ({"up": [1, 0]}, "cannot reshape"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    origin, across, up = plane(3)
    arguments = {"origin": origin, "across": across, "up": up, "points": 5, **change}
    with pytest.raises(ValueError, match=message):
        slice_regions(zoo.mlp([3, 4, 2], rng=0), **arguments)
