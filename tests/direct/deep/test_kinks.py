"""Kinks of both layers on lines, and their rows, against the true weights."""

import numpy as np
from deep_victims import known, true_rows

from mstheft.direct.answers.reader import reader
from mstheft.direct.deep import kinks


def test_lines_show_the_kinks_of_both_layers_and_jacobians_their_rows():
    searched = known().searched[0]
    truths = true_rows(known(), searched)
    assert {layer for layer, _, _ in truths} == {0, 1}
    assert sum(layer == 0 for layer, _, _ in truths) == 10  # a line crosses every hyperplane once
    assert searched.is_measured.all()
    for row, (_, _, truth) in zip(searched.rows, truths, strict=True):
        np.testing.assert_allclose(row, truth, atol=1e-7 * np.linalg.norm(truth))


def test_the_jump_of_a_second_layer_kink_has_the_direction_of_its_output_weights():
    _, _, (A2, _) = known().layers
    for line in known().searched:
        for way, (layer, neuron, _) in zip(line.directions, true_rows(known(), line), strict=True):
            if layer == 1:
                expected = A2[:, neuron] / np.linalg.norm(A2[:, neuron])
                np.testing.assert_allclose(way, expected, atol=1e-6)


def test_the_hyperplane_of_a_first_layer_kink_bends_elsewhere_too():
    case, rng = known(), np.random.default_rng(5)
    oracle = reader(case.oracle)
    line = kinks.search_line(oracle, np.random.default_rng(6))
    kinks.measure_rows(oracle, line)
    before = case.oracle.count
    measured = np.flatnonzero(line.is_measured)
    kinks.ask_elsewhere(oracle, rng, line, measured)
    assert case.oracle.count - before == 3 * kinks.PLACES * len(measured)
    is_first = np.array([layer for layer, _, _ in true_rows(case, line)]) == 0
    hits, places = line.elsewhere[measured].T
    assert (places >= 4).all()
    assert (hits == places)[is_first[measured]].all()
    assert (hits <= 1)[~is_first[measured]].all()
