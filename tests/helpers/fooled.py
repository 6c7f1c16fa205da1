"""Small networks and rows on which attacks are judged."""

import numpy as np

from mstheft.nn import zoo

_RNG = np.random.default_rng(0)
W = _RNG.normal(size=(4, 6))
B = _RNG.normal(size=4)
LINEAR = zoo.given([(W, B)])
MLP = zoo.mlp([6, 16, 4], bias=0.5, rng=1)
CNN = zoo.small_cnn((8, 8, 1), 3, rng=2, dtype=np.float64)
X = _RNG.random((50, 6))
IMAGES = _RNG.random((20, 64))
