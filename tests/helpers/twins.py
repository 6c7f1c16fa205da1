"""Networks that differ from another by a symmetry, or by a little."""

import numpy as np
from hypothesis import strategies as st

from mstheft.compare.alignment import reorder, rescale

seeds = st.integers(0, 2**32 - 1)


def disguised(network, rng):
    """The same function with all neurons rescaled and reordered; and the order."""
    rng = np.random.default_rng(rng)
    h = len(network.dense()[0][1])
    order = rng.permutation(h)
    return reorder(rescale(network, 1, np.arange(h), 10 ** rng.uniform(-2, 2, h)), 1, order), order


def blurred(network, size, rng):
    twin, rng = network.copy(), np.random.default_rng(rng)
    for p in twin.parameters().values():
        p += size * rng.uniform(-1, 1, p.shape)
    return twin
