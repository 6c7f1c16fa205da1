"""Where segments lead, and rows that show where a copy is wrong."""

import numpy as np
import pytest
from deep_victims import known, unit_columns

from mstheft import nn
from mstheft.direct.deep import second_layer, segments
from mstheft.oracle import Oracle


def test_segments_through_a_kink_bend_there():
    rng, first = np.random.default_rng(2), known().votes.first
    (A1, b1), truth = known().layers[1], known().layers[0][0]
    order = (first.A0 @ truth.T).argmax(axis=1)
    A1 = A1[:, order] * np.linalg.norm(truth, axis=1)[order]
    line = known().searched[1]
    tried = 0
    for kink in np.flatnonzero(line.first < 0):
        point = line.points[kink]
        z = first.A0 @ point + first.b0
        pair, length = segments.through(rng, z, first.A0 @ line.line.direction)
        assert length > 0
        assert (pair > 0).all()
        neuron = int(np.abs(A1 @ first.hidden(point) + b1).argmin())
        sides = pair @ A1[neuron] + b1[neuron]
        tried += sides[0] * sides[1] < 0
    assert tried >= 0.8 * (line.first < 0).sum()


def test_ends_part_the_neurons_that_are_wanted():
    rng = np.random.default_rng(3)
    rows, offsets = rng.normal(size=(12, 16)), 0.1 * rng.normal(size=12)
    pair = segments.endpoints(rng, 16, 3.0, rows, offsets)
    assert (pair > 0).all()
    assert (pair[0] != pair[1]).all()  # no column is out of sight of the self-check
    sides = np.sign(pair @ rows.T + offsets)
    assert (sides[0] != sides[1]).sum() >= 8


def test_checks_find_every_neuron_that_ever_switches():
    """For each second-layer neuron: the copy without it is wrong somewhere, near or on an axis."""
    view = second_layer.Orthant(known().oracle, known().votes.first)
    asked = segments.checks(view, np.random.default_rng(5), known().victim, 1e-6)
    assert len(asked.x) == 100 + 1 + 10
    rng = np.random.default_rng(6)
    assert segments.witness(rng, [asked], view, known().victim, 1e-6) is None
    first, (A1, b1), (A2, b2) = known().layers
    for lost in range(6):
        kept = np.arange(6) != lost
        copy = nn.zoo.given([first, (A1[kept], b1[kept]), (A2[:, kept], b2)])
        pair = segments.witness(rng, [asked], view, copy, 1e-6)
        assert pair is not None
        assert (pair > 0).all()


def test_checks_find_a_neuron_that_no_random_row_switches():
    """It is on only where φ_2 is far larger than all the others together: on one axis."""
    view = second_layer.Orthant(known().oracle, known().votes.first)
    first, (A1, b1), last = known().layers
    A1, b1 = A1.copy(), b1.copy()
    A1[0], b1[0] = -30, -8
    A1[0, 2] = 1
    victim = nn.zoo.given([first, (A1, b1), last])
    copy = nn.zoo.given([first, (A1[1:], b1[1:]), (last[0][:, 1:], last[1])])
    view.oracle = Oracle(victim)
    asked = segments.checks(view, np.random.default_rng(5), copy, 1e-6)
    rng = np.random.default_rng(6)
    random = segments.Checks(asked.x[:101], asked.reach[:101], asked.answers[:101])
    assert segments.witness(rng, [random], view, copy, 1e-6) is None
    pair = segments.witness(rng, [asked], view, copy, 1e-6)
    sides = pair @ unit_columns(known(), A1)[0] + b1[0]
    assert sides.min() < 0 < sides.max()


@pytest.mark.parametrize("output", ["probs", "log_probs"])
def test_checks_of_probabilities_go_as_far_as_these_can_be_read(output):
    view = second_layer.Orthant(Oracle(known().victim, output), known().votes.first)
    asked = segments.checks(view, np.random.default_rng(5), known().victim, 1e-6)
    assert np.isfinite(asked.answers).all()
    assert asked.reach[:50].max() == 1
    assert asked.reach[50:].max() > 10
