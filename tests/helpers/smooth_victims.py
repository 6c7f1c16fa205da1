"""Victims with one hidden layer of tanh, sigmoid or softplus neurons."""

import numpy as np
from victims import edited, error_of, fresh, victim_of

from mstheft.direct import smooth
from mstheft.direct.smooth import attack, separate, subspace
from mstheft.oracle import Oracle
from mstheft.result import Result

ALL = ("tanh", "sigmoid", "softplus")


def with_entries(seed=0, shape=(12, 6, 3), act="tanh", **changes):
    """A victim with some entries set: with_entries(b0=(1, 30)) sets b0[1] = 30."""
    victim = victim_of(seed, *shape, act)
    (A0, b0), (A1, b1) = victim.dense()
    for name, (index, value) in changes.items():
        {"A0": A0, "b0": b0, "A1": A1.T, "b1": b1}[name][index] = value
    return victim


def parallel():
    """Two neurons with parallel rows."""
    return edited(victim_of(0, 12, 6, 3, "tanh"), lambda W0, b0, W1: W0.__setitem__(1, 2 * W0[0]))


def scaled(seed, act="tanh", inside=1.0, outside=1.0, shape=(20, 5, 3)):
    """A victim with A0 times `inside`, and A1 and b1 times `outside`."""
    victim = victim_of(seed, *shape, act, bias=0.1)
    (A0, _), (A1, b1) = victim.dense()
    A0[:] *= inside
    A1[:], b1[:] = outside * A1, outside * b1
    return victim


def steal_smooth(victim, act, output="logits", seed=1, most=1e-9, **kwargs):
    """Extract, and hold the verified copy against the victim on 4,000 fresh inputs."""
    oracle = Oracle(victim, output, budget=200_000)
    result = smooth.extract(oracle, rng=seed, activation=act, **kwargs)
    assert result.verified
    assert result.total == oracle.count
    assert error_of(victim, result.model, fresh(victim.inputs, 4000), output) < most
    return result


def started(victim, act, seed=0):
    """Subspace, first neurons and the trace after stage 3."""
    oracle, rng = Oracle(victim), np.random.default_rng(seed)
    result = Result(trace=attack.Trace())
    space = subspace.find_subspace(oracle, rng)
    network = separate.separate(oracle, space, act, result, rng)
    return oracle, rng, result, space, network
