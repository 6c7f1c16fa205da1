"""Three hidden layers."""

import numpy as np
import pytest
from deep_victims import attempt, deep_victim

from mstheft.direct import deep
from mstheft.direct.deep import third_layer
from mstheft.direct.deep.first_layer import OrientedLayer
from mstheft.oracle import Oracle


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 3])
def test_three_hidden_layers(seed):
    victim = deep_victim(seed, (30, 16, 8, 6, 6))
    result = deep.extract(Oracle(victim, budget=60_000), rng=seed + 10_000, layers=3)
    assert result.verified
    x = np.random.default_rng(9).normal(size=(10_000, 30))
    assert np.abs(victim.logits(x) - result.model.logits(x)).max() < 1e-6
    assert [len(bias) for _, bias in result.model.dense()] == [16, 8, 6, 6]
    assert {"second layer", "third layer"} <= set(result.found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_three_hidden_layers_end_verified_or_name_the_layer(seed):
    """Here h1 = 8 is little for h2 = 6: not every ψ can be produced, and most end in an error."""
    victim = deep_victim(seed, (16, 8, 6, 6, 4))
    result = attempt(victim, seed, layers=3)
    if result is not None:
        x = np.random.default_rng(9).normal(size=(2000, 16))
        assert np.abs(victim.logits(x) - result.model.logits(x)).max() < 1e-6


def test_vertices_lie_in_the_polytope_and_hit_their_aim():
    """A1 = [I, -I]: every ψ can be produced, and the programme does so exactly."""
    second = OrientedLayer(np.hstack([np.eye(3), -np.eye(3)]), np.array([0.1, -0.2, 0.0]))
    rng = np.random.default_rng(0)
    aim = np.array([0.0, 2.0, 0.5])
    phi = third_layer.vertex(rng, second, aim)
    psi = second.A0 @ phi + second.b0
    assert phi.min() >= third_layer.ROOM
    assert (psi >= third_layer.ROOM - 1e-9).all()
    np.testing.assert_allclose(psi, aim, atol=2.1 * third_layer.ROOM)
    never = OrientedLayer(-np.eye(3), -np.ones(3))  # no φ ≥ 0 turns its neurons on
    assert third_layer.vertex(rng, never, aim) is None
    far = third_layer.beyond(second, np.array([1.0, 0, 0]))
    assert (second.A0 @ far + second.b0)[0] > 20
