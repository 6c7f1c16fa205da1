"""Stage 3: a curve gives bias and scale of one neuron."""

import numpy as np
import pytest
from smooth_victims import ALL, started
from victims import victim_of

from mstheft.direct.smooth import lines, separate
from mstheft.nn.layers import Activation


@pytest.mark.parametrize("act", ALL)
@pytest.mark.parametrize(("z", "s"), [(0.0, 1.0), (1.3, 0.4), (-2.5, 3.0), (0.2, 0.15)])
def test_a_curve_gives_bias_and_scale(act, z, s):
    t = np.concatenate([-lines.OCTAVES[::-1], lines.OCTAVES])
    shape = Activation.FUNCTIONS[act][0]
    answers = 0.7 + np.multiply.outer(shape(z + s * t), [2.0, -1, 0.5])
    z_, s_, misfit = lines.fit_curve(t, answers, act)
    assert misfit < 1e-7  # a curve at its inflexion: the fit stops at the root of 1e-15
    if act != "softplus":  # the mirrored neuron is as good
        z_, s_ = z_ * np.sign(s_), abs(s_)
    assert abs(z_ - z) < 1e-6
    assert abs(s_ - s) < 1e-6


def test_a_curve_of_two_neurons_or_of_another_activation_does_not_fit():
    t = np.concatenate([-lines.OCTAVES[::-1], lines.OCTAVES])
    two = np.stack([np.tanh(t), np.tanh(3 * t + 2)], axis=1)
    assert lines.fit_curve(t, two, "tanh")[2] > separate.ALONE[1]
    soft = np.log1p(np.exp(t))[:, None]
    assert lines.fit_curve(t, soft, "tanh")[2] > separate.ALONE[1]
    assert lines.fit_curve(t, soft, "softplus")[2] < 1e-9


@pytest.mark.parametrize("act", ALL)
def test_first_neurons_are_near_the_truth(act):
    victim = victim_of(2, 40, 8, 4, act)
    _, _, result, space, neurons = started(victim, act)
    assert result.queries["lines"] == 18 * 8
    y = np.random.default_rng(0).normal(size=(100, 8))
    assert np.abs(neurons.answers(y) - victim.logits(y @ space.axes.T)).max() < 2e-2
