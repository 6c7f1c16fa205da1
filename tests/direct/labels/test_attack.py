"""A hidden layer from labels alone: the whole attack."""

import numpy as np
import pytest
from labels_victims import labels_of, mlp, nearest, true_rows

from mstheft.direct import labels
from mstheft.direct.labels.verify import beside_the_boundary, fresh_labels
from mstheft.nn import zoo


def check(network, result, n=50_000, seed=99):
    """The right labels, near and far; every query booked."""
    assert result.verified
    rng = np.random.default_rng(seed)
    for spread in (1, 3):
        x = spread * rng.normal(size=(n, network.inputs))
        np.testing.assert_array_equal(result.model.labels(x), network.labels(x))
    near, mine = beside_the_boundary(result.model, rng.normal(size=(2000, network.inputs)), 1e-6)
    np.testing.assert_array_equal(mine, network.labels(near))
    assert "at most 0.1 %" in result.notes["verify"]


def found(result):
    """Rows in the victim's inputs."""
    planes = result.trace.rows.planes
    return np.column_stack([planes[:, :-1] @ result.trace.basis, planes[:, -1]])


@pytest.mark.parametrize("seed", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_every_row_of_20_8_1(seed):
    network = mlp(20, 8, 1, seed=seed)
    oracle = labels_of(network)
    result = labels.extract(oracle, rng=seed)
    check(network, result)
    assert max(nearest(found(result), row) for row in true_rows(network)) < 1e-7
    assert [len(b) for _, b in result.model.dense()] == [8, 1]
    assert result.total == oracle.count < 2**16


def test_three_classes_share_their_rows():
    network = mlp(16, 6, 3, seed=2)
    result = labels.extract(labels_of(network), rng=2)
    check(network, result)
    assert max(nearest(found(result), row) for row in true_rows(network)) < 1e-7


def test_more_neurons_than_inputs():
    network = mlp(5, 8, 1, seed=1)
    result = labels.extract(labels_of(network), rng=1)
    check(network, result)
    assert len(result.trace.basis) == 5


@pytest.mark.parametrize("seed", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_two_regions_leave_a_row_open_and_the_labels_right(seed):
    network = mlp(10, 2, 1, seed=seed)
    result = labels.extract(labels_of(network), rng=seed)
    check(network, result)
    assert result.trace.rows.undetermined > 0
    assert "not determined by labels" in result.notes["rows"]


def test_a_linear_boundary_has_no_rows():
    network = mlp(10, 1)
    result = labels.extract(labels_of(network), rng=0)
    check(network, result)
    assert len(result.trace.rows.planes) == 0


def bias_free():
    network = mlp(12, 6, 1, seed=4)
    for _, bias in network.dense():
        bias[...] = 0
    return network


def with_dead_neuron():
    network = mlp(12, 6, 1, seed=4)
    network.dense()[0][1][2] = -1000
    return network


def with_twins():
    network = mlp(12, 6, 1, seed=4)
    (A0, b0), _ = network.dense()
    A0[1], b0[1] = 2 * A0[0], 2 * b0[0]
    A0[3], b0[3] = -A0[2], -b0[2]
    return network


@pytest.mark.parametrize("make", [bias_free, with_dead_neuron, with_twins])
def test_neurons_that_labels_show_otherwise(make):
    network = make()
    result = labels.extract(labels_of(network), rng=0)
    check(network, result)
    assert len(result.trace.rows.planes) == {bias_free: 6, with_dead_neuron: 5, with_twins: 4}[make]


def test_so_many_neurons_as_are_known():
    network = mlp(20, 4, 1)
    result = labels.extract(labels_of(network), hidden=4, rng=0)
    check(network, result)


def test_wrong_copies_are_seen():
    network = mlp(12, 6, 1, seed=4)
    (A0, b0), (A1, b1) = network.dense()
    near = zoo.given([(A0, b0), (A1, b1 + 1e-4)])
    far = zoo.given([(A0, b0), (A1, b1 + 0.5)])
    rng = np.random.default_rng(0)
    (_, wrong), (rows, beside) = fresh_labels(labels_of(network), near, 1e-7, rng)
    assert not wrong.any()
    assert beside.mean() == pytest.approx(0.5, abs=0.01)
    assert len(rows) > 100
    assert fresh_labels(labels_of(network), far, 1e-7, rng)[0][1].any()
    same = zoo.given([(A0, b0), (2 * A1, 2 * b1)])
    (_, wrong), (_, beside) = fresh_labels(labels_of(network), same, 1e-7, rng)
    assert not wrong.any()
    assert not beside.any()
