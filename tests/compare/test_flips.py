"""The symmetry of smooth neurons: their sign."""

import numpy as np
import pytest
from smooth_victims import ALL
from victims import victim_of

import mstheft as mt
from mstheft.compare import alignment as symmetry


@pytest.mark.parametrize("act", ["tanh", "sigmoid"])
def test_flip_leaves_the_function_unchanged(act):
    victim = victim_of(0, 5, 4, 3, act)
    twin = symmetry.flip(victim, 1, [0, 2])
    x = np.random.default_rng(0).normal(size=(50, 5))
    np.testing.assert_allclose(twin.logits(x), victim.logits(x), atol=1e-14)
    np.testing.assert_array_equal(twin.dense()[0][0][[0, 2]], -victim.dense()[0][0][[0, 2]])
    np.testing.assert_array_equal(twin.dense()[0][0][[1, 3]], victim.dense()[0][0][[1, 3]])
    np.testing.assert_allclose(
        symmetry.flip(twin, 1, [0, 2]).dense()[1][1], victim.dense()[1][1], atol=1e-15
    )


@pytest.mark.parametrize("act", ["relu", "softplus"])
def test_flip_is_refused_where_it_is_no_symmetry(act):
    with pytest.raises(ValueError, match="expected tanh or sigmoid"):
        symmetry.flip(victim_of(0, 5, 4, 3, act), 1, 0)


@pytest.mark.parametrize("act", ALL)
def test_align_undoes_signs_and_order(act):
    victim = victim_of(0, 5, 6, 3, act)
    order = np.random.default_rng(1).permutation(6)
    twin = symmetry.reorder(victim, 1, order)
    if act != "softplus":
        twin = symmetry.flip(twin, 1, [1, 4])
    found = mt.compare.align(victim, twin)
    assert found.error < 1e-14
    np.testing.assert_array_equal(order[found.order], np.arange(6))
    assert (found.scale == -1).sum() == (0 if act == "softplus" else 2)
    twin.dense()[0][0][3, 2] += 1e-3
    assert mt.compare.align(victim, twin).error == pytest.approx(1e-3, rel=1e-9)


def test_align_does_not_rescale_smooth_neurons():
    victim = victim_of(0, 5, 6, 3, "tanh")
    other = victim.copy()
    other.dense()[0][0][2] *= 2
    other.dense()[0][1][2] *= 2
    other.dense()[1][0][:, 2] /= 2
    assert mt.compare.align(victim, other).error > 0.1
    with pytest.raises(ValueError, match="expected b as Dense layers with tanh"):
        mt.compare.align(victim, victim_of(0, 5, 6, 3, "sigmoid"))
