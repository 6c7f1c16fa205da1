"""Hyperplanes against the truth: where a line crosses them, which are known, which are wrong."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from known_line import known, made_line, sites_of
from victims import fresh

from mstheft import nn
from mstheft.direct.hyperplanes import hyperplanes
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.sweep import search
from mstheft.direct.sweep import signs as signs_of


def test_crossings_are_the_critical_points_and_their_uncertainty_grows_with_the_way():
    """By hand: x1 = 3 is crossed by (1 + t, 2) at t = 2; a parallel line crosses nowhere."""
    line = made_line([0.0], [[1.0]])
    line.start, line.direction = np.array([1.0, 2.0]), np.array([1.0, 0.0])
    planes = Hyperplanes(
        np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([[3.0, 0.0], [0.0, 5.0]]), np.ones((2, 1)),
        np.array([1e-3, 1e-3]),
    )  # fmt: skip
    t, off = hyperplanes.crossings(line, planes)
    assert t[0] == 2
    assert np.isinf(t[1])
    assert off[0] == pytest.approx(1e-3 * (3 + np.sqrt(13)) / 2)  # |p| = 3, |x(t)| = |(3, 2)|


def test_match_knows_its_neurons_on_another_line():
    case = known(d=15, h=12, K=3)
    other = search(case.oracle, np.random.default_rng(77))
    neurons = case.planes
    partner, ghosts = hyperplanes.match(other, neurons)
    assert sorted(partner) == list(range(12))
    assert not ghosts.any()
    met, off = hyperplanes.crossings(other, neurons)
    assert (off < 1e-6 * (1 + np.abs(met))).all()
    np.testing.assert_allclose(met[partner], other.kinks, rtol=1e-6, atol=1e-6)


def test_match_names_what_is_missing_and_what_is_wrong():
    case = known(d=15, h=12, K=3)
    other = search(case.oracle, np.random.default_rng(77))
    neurons = case.planes
    neurons.rows[5] += 0.01
    neurons.outputs[7] *= 1.5
    partner, ghosts = hyperplanes.match(other, neurons.only(np.arange(12) != 3))
    assert np.flatnonzero(ghosts).tolist() == [4, 6]  # 5 and 7, after 3 was left out
    assert (partner < 0).sum() == 3


def test_sharper_forgets_only_blurred_neurons_that_the_line_shows_better():
    case = known()
    length = np.linalg.norm(case.planes.rows, axis=1)
    neurons = replace(case.planes, errors=np.arange(9.0) * length)
    partner = np.arange(9)[::-1]
    blurs = np.full(9, 5.5)
    again = hyperplanes.shown_sharper(neurons, partner, blurs)
    assert np.flatnonzero(again).tolist() == [6, 7, 8]


def test_right_slopes_are_where_the_missing_neuron_is_off():
    case = known()
    assert hyperplanes.right_slopes(case.line, case.victim).all()
    assert not hyperplanes.right_slopes(case.line, None).any()
    (A0, b0), (A1, b1) = case.victim.dense()
    t = -(A0 @ case.line.start + b0) / (A0 @ case.line.direction)
    lacking = nn.zoo.given([(np.delete(A0, 2, 0), np.delete(b0, 2)), (np.delete(A1, 2, 1), b1)])
    right = hyperplanes.right_slopes(case.line, lacking)
    edges = np.concatenate([[-np.inf], np.sort(t)])
    off = (edges >= t[2]) if A0[2] @ case.line.direction < 0 else (edges < t[2])
    np.testing.assert_array_equal(right, off)


def test_a_copy_without_a_faint_neuron_is_not_right_on_its_far_side():
    """Its jump, 1e-9, is below the 1e-7 that rounding may do to slopes, but it is a jump.

    The measured slopes are off by a thousandth of it, as rounding does.
    """
    jumps = np.array([[1.0, 0.5], [1e-9, 1e-9]])
    line = made_line([0.0, 1.0], jumps)
    line.start, line.direction = np.zeros(1), np.ones(1)
    line.slopes = np.vstack([np.zeros(2), np.cumsum(jumps, axis=0)]) + 1e-12
    copy = nn.zoo.given([([[1.0]], [0.0]), ([[1.0], [0.5]], [0.0, 0.0])])
    assert hyperplanes.right_slopes(line, copy).tolist() == [True, True, False]


def test_a_piece_of_a_line_without_answers_has_no_known_rounding():
    """Two sharpened kinks may come nearer to each other than the answers beside them."""
    jumps, slopes = np.ones((2, 3)), np.zeros((3, 3))
    t = np.array([-1.0, -0.5, 0.5, 1.0])
    line = SimpleNamespace(kinks=np.array([0.0, 1e-9]), t=t, jumps=jumps, slopes=slopes)
    assert np.isinf(hyperplanes.jump_blurs(line, np.full(4, 1e-15))).all()


def test_the_remainder_carries_the_function_exactly():
    case = known(d=3, h=15, K=2)
    odd = (case.planes.outputs * case.signs[:, None]).T @ case.planes.rows
    affine = (odd - case.planes.outputs.T @ case.planes.rows) / 2
    a0, b0, a1 = hyperplanes.with_remainder(case.planes, affine)
    assert 15 < len(a0) <= 15 + 2 * min(2, 3)
    x = fresh(3, 500)
    left = case.victim.logits(x) - nn.zoo.given([(a0, b0), (a1, np.zeros(2))]).logits(x)
    assert np.ptp(left, axis=0).max() < 1e-9  # a constant, which `last_bias` finds
    _, sites = sites_of(case)
    bias = signs_of.last_bias(list(sites.values()), a0, b0, a1)
    np.testing.assert_allclose(bias, left.mean(axis=0), atol=1e-9)
