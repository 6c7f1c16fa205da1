"""Which kinks are explained."""

import numpy as np

from mstheft.direct.deep import lifting
from mstheft.direct.deep.boundary import Prefix


def test_from_a_dead_neuron_everything_is_infinitely_far():
    """Its pre-activation and its row are 0: no kink lies on it."""
    prefix = Prefix(2, [(np.array([[1.0, 0], [0, 0]]), np.zeros(2))], None)
    away, rows = lifting.distances(prefix, [], np.array([3.0, 1.0]))
    np.testing.assert_array_equal(away, [3, np.inf])
    np.testing.assert_array_equal(rows, [[1, 0], [0, 0]])
