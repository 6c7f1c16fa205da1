"""Random victims with one hidden layer, fresh inputs, and how far a copy is off on them."""

import numpy as np

from mstheft import nn
from mstheft.oracle import Oracle


def victim_of(seed, d, h, K, activation="relu", bias=0.3, **kwargs):
    return nn.zoo.mlp([d, h, K], activation=activation, bias=bias, rng=seed, **kwargs)


def edited(victim, edit):
    """A copy of the victim after edit(W0, b0, W1)."""
    victim = victim.copy()
    (W0, b0), (W1, _) = victim.dense()
    edit(W0, b0, W1)
    return victim


def fresh(d, n=10_000):
    return np.random.default_rng(99).normal(size=(n, d))


def error_of(victim, copy, x, output="logits"):
    """max |Δlogit| on x; of centred logits where the victim answers probabilities."""
    a, b = victim.logits(x).astype(float), copy.logits(x).astype(float)
    if output != "logits" and a.shape[1] > 1:
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    return np.abs(a - b).max()


def steal(attack, victim, output="logits", seed=1, most=1e-6, oracle=None, **kwargs):
    """Extract, and hold the verified copy against the victim on 10,000 fresh inputs."""
    oracle = Oracle(victim, output, **{"budget": 200_000, **(oracle or {})})
    result = attack.extract(oracle, rng=seed, **kwargs)
    assert result.verified
    assert result.total == oracle.count
    assert error_of(victim, result.model, fresh(victim.inputs), output) < most
    return result


def truth(victim):
    """A0, b0, A1, b1."""
    (A0, b0), (A1, b1) = victim.dense()
    return A0, b0, A1, b1


def two_layers(A0, b0, A1, b1):
    return nn.zoo.given([(np.asarray(A0, float), b0), (np.asarray(A1, float), b1)])


def critical_point(victim, i, seed=0):
    """A random point on the hyperplane of neuron i."""
    A0, b0, _, _ = truth(victim)
    x = np.random.default_rng(seed).normal(size=victim.inputs)
    return x - (A0[i] @ x + b0[i]) / (A0[i] @ A0[i]) * A0[i]


def forest(x):
    """Twenty stumps."""
    rng = np.random.default_rng(0)
    cuts, heights = rng.normal(size=(2, 20, x.shape[1])), rng.normal(size=(20, 2))
    return sum((x @ cuts[0, i] > cuts[1, i, 0])[:, None] * heights[i] for i in range(20))
