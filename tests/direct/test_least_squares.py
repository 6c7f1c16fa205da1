"""Least squares by QR against NumPy's."""

import numpy as np
import pytest

from mstheft.direct.least_squares import least_squares


@pytest.mark.parametrize("shape", [(30, 5), (5, 5), (4, 9)])
def test_least_squares_is_numpys(shape):
    rng = np.random.default_rng(1)
    matrix, right = rng.normal(size=shape), rng.normal(size=(shape[0], 3))
    for one in (right, right[:, 0]):
        expected = np.linalg.lstsq(matrix, one, rcond=None)[0]
        np.testing.assert_allclose(least_squares(matrix, one), expected, atol=1e-12)
    if shape[0] >= shape[1]:
        matrix[:, 1] = matrix[:, 0]
        expected = np.linalg.lstsq(matrix, right, rcond=1e-10)[0]
        np.testing.assert_allclose(least_squares(matrix, right), expected, atol=1e-10)
