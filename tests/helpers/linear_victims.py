"""Victims without a hidden layer, and logits as far as answers tell them."""

import numpy as np

from mstheft.nn import zoo


def victim(d, K=1, *, weights=1.0, bias=1.0, seed=0, dtype=np.float64):
    rng = np.random.default_rng([seed, d, K])
    network = zoo.mlp([d, K], dtype=dtype)
    W, b = network.dense()[0]
    W[...] = weights * rng.normal(size=W.shape)
    b[...] = bias if K == 1 else bias * rng.normal(size=K)
    return network


def gauged(logits, output="probs"):
    logits = np.asarray(logits, float)
    if output == "logits" or logits.shape[1] == 1:
        return logits
    return logits - logits.mean(axis=1, keepdims=True)
