"""Where probabilities can be read: the scale and the centre of the queries."""

import numpy as np
import pytest
from victims import victim_of

from mstheft import nn
from mstheft.direct import relu, sweep
from mstheft.direct.answers.view import View, readable_view
from mstheft.errors import ExtractionError
from mstheft.oracle import Oracle


def rounded(victim, decimals):
    """Probabilities with so many decimals, which nobody declares."""
    answer = lambda x: np.round(victim.probs(x), decimals)  # noqa: E731
    return Oracle(answer, inputs=victim.inputs, output="probs", gives="probs")


def steeper(seed, factor):
    """A victim of 12-6-4 whose logits are `factor` times as large."""
    (a0, b0), (a1, b1) = victim_of(seed, 12, 6, 4).dense()
    return nn.zoo.given([(factor * a0, factor * b0), (a1, b1)])


@pytest.mark.parametrize("factor", [2.0**-8, 1.0, 2.0**8])
def test_the_scale_follows_the_victim(factor):
    """With all rows of A0 2ᵏ times as long, answers are the same at a scale 2ᵏ times smaller."""
    (a0, _), (a1, b1) = victim_of(3, 12, 6, 4).dense()
    victims = [nn.zoo.given([(k * a0, np.zeros(6)), (a1, b1)]) for k in (1.0, factor)]
    usual, other = (readable_view(rounded(v, 4), rng=0)[1].scale for v in victims)
    assert 0.5 <= other * factor / usual <= 2
    assert usual < 1


def test_a_finer_grid_is_read_farther_out():
    victim = steeper(1, 3.0)
    scales = [readable_view(rounded(victim, k), rng=0)[1].scale for k in (1, 3, 6, 9)]
    assert scales == sorted(scales)
    assert scales[0] < scales[-1]


def test_no_query_is_spent_on_logits_and_the_scale_of_exact_probabilities_stays():
    victim = victim_of(2, 12, 6, 4)
    oracle = Oracle(victim)
    assert readable_view(oracle)[1] is None
    assert oracle.count == 9
    assert readable_view(Oracle(victim, output="probs"))[1] is None


def test_where_one_class_has_swallowed_the_others_at_the_origin_another_centre_is_found():
    (a0, b0), (a1, b1) = victim_of(5, 12, 6, 4).dense()
    victim = nn.zoo.given([(a0, b0), (a1, b1 + np.array([0, 12.0, 0, 0]))])
    oracle = rounded(victim, 4)
    here, view = readable_view(oracle, rng=1)
    assert np.abs(view.centre).max() > 0.1
    assert oracle.count < 600
    assert (here.query(np.zeros((1, 12))) > 0).all()


@pytest.mark.parametrize("attack", [sweep, relu])
def test_rows_far_from_the_data_of_a_scaled_model_do_not_end_an_attack(attack):
    """As of scikit-learn's scaler before a network: at the origin p is 1 but for its last digits.

    The rounding of such a p is 1e-16 / (1 - p), a tenth of a logit or more.
    """
    (a0, b0), (a1, b1) = victim_of(3, 5, 6, 1).dense()
    b0 = b0 - 5 * a0.sum(axis=1)  # of (x - 50) / 10
    b1 = 33 - a1 @ np.maximum(b0, 0)
    victim = nn.zoo.given([(a0 / 10, b0), (a1, b1)])
    oracle = Oracle(victim, "probs")
    assert 0 < 1 - oracle.query(np.zeros((1, 5)))[0, 0] < 1e-14
    result = attack.extract(oracle, rng=0)
    assert result.verified
    x = result.trace.view.centre + np.random.default_rng(2).normal(size=(500, 5))
    assert np.abs(result.model.logits(x) - victim.logits(x)).max() < 1e-4


def test_nothing_readable_anywhere_is_an_error():
    certain = lambda x: np.tile([1.0, 0.0], (len(x), 1))  # noqa: E731
    oracle = Oracle(certain, inputs=3, output="probs", gives="probs")
    with pytest.raises(ExtractionError, match="rounded to exactly 0 or 1"):
        readable_view(oracle, rng=0)
    assert oracle.count < 3000


def test_a_copy_goes_back_to_the_units_of_the_victim():
    victim = victim_of(7, 5, 4, 3)
    view = View(Oracle(victim), np.arange(5.0), 0.25)
    y = np.random.default_rng(0).normal(size=(20, 5))
    (a0, b0), last = victim.dense()
    seen = nn.zoo.given([(0.25 * a0, b0 + a0 @ np.arange(5.0)), last])
    assert seen.logits(y) == pytest.approx(view.query(y), abs=1e-12)
    assert view.near(seen).logits(y) == pytest.approx(victim.logits(y), abs=1e-12)


@pytest.mark.parametrize("attack", [sweep, relu])
def test_float32_probabilities_of_a_steep_victim_are_stolen(attack):
    """At N(0, I) the logits are hundreds apart: nearly every probability there is 0 or 1."""
    victim = steeper(2, 50.0)
    single = nn.Network(victim.layers, victim.shape, np.float32)
    result = attack.extract(Oracle(single, output="probs"), rng=0)
    assert result.verified
    assert result.trace.view.scale < 1
    x = result.trace.view.scale * np.random.default_rng(9).normal(size=(500, 12))
    off = result.model.logits(x) - victim.logits(x)
    assert np.abs(off - off.mean(axis=1, keepdims=True)).max() < 1e-4
