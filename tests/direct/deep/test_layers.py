"""Which layer is a kink of?"""

import numpy as np
from deep_victims import deep_victim, known, true_rows, unit

from mstheft.direct.deep import kinks, layers
from mstheft.oracle import Oracle


def test_a_kink_is_of_the_first_layer_when_other_lines_bend_where_it_predicts():
    for line in known().searched:
        layers = [layer for layer, _, _ in true_rows(known(), line)]
        np.testing.assert_array_equal(line.first >= 0, np.array(layers) == 0)
    found, truth = (
        known().planes.rows / np.linalg.norm(known().planes.rows, axis=1)[:, None],
        known().layers[0][0],
    )
    cosines = found @ unit(truth, known().layers[0][1])[0].T
    assert sorted(np.abs(cosines).argmax(axis=1)) == list(range(10))
    np.testing.assert_allclose(np.abs(cosines).max(axis=1), 1, atol=1e-12)


def test_a_hyperplane_that_is_slightly_off_is_not_met():
    line, other = known().searched[0], known().searched[1]
    mine = line.first >= 0
    planes = line.planes.only(mine)
    kink, telling = layers.met(other.line, planes)
    assert telling.all()
    assert (kink >= 0).all()
    planes.points = (
        planes.points + 1e-3 * np.linalg.norm(planes.rows, axis=1)[:, None] * planes.rows
    )
    kink, _ = layers.met(other.line, planes)
    assert (kink < 0).all()


def test_groups_of_output_directions_are_second_layer_neurons():
    _, _, (A2, _) = known().layers
    ways = (A2 / np.linalg.norm(A2, axis=0)).T
    groups = layers.groups(known().searched)
    near = np.linalg.norm(groups[:, None] - ways, axis=2)
    assert (near.min(axis=1) < 1e-3).all()
    assert len(set(near.argmin(axis=1))) == len(groups) <= 6


def test_common_directions_are_those_of_the_last_hidden_layer():
    two, three = [], []
    for shape, shares in (((24, 10, 6, 5), two), ((24, 10, 8, 6, 5), three)):
        for seed in range(4):
            oracle, rng = Oracle(deep_victim(seed, shape)), np.random.default_rng(seed)
            searched = [kinks.search_line(oracle, rng) for _ in range(3)]
            kinks.measure_rows(oracle, searched[0])
            layers.first_layer(searched)
            ways = [each.directions[each.first < 0] for each in searched]
            shares.append(layers.common_directions(ways)[1])
    assert min(two) > layers.MOSTLY > np.median(three)
    assert layers.common_directions([np.ones((3, 1)), np.ones((2, 1))]) == ([], 1.0)
