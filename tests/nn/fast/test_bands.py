"""Bands of rows: every window is one run of numbers in them."""

import numpy as np
import pytest

from mstheft.nn.fast.bands import bands, windows


@pytest.mark.parametrize("channels", [2, 9])
@pytest.mark.parametrize("pad", [0, 1])
def test_a_window_is_one_run_of_the_bands(channels, pad):
    """Each window of the framed image, cut out by hand, is one row: column by column."""
    x = np.random.default_rng(0).normal(size=(2, 7, 6, channels))
    framed = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    rows, width = 7 + 2 * pad - 2, 6 + pad
    memory = np.full((2 * rows * width + 6, 3, channels), np.nan)
    memory[-6:] = 0  # the last row's zeros on the right
    bands(x, 3, pad, memory[:-6].reshape(2, rows, width, 3, channels))
    found = windows(memory, 3, 3 * channels, len(memory) - 6)
    for n in range(2):
        for y in range(rows):
            for start in range(6 + 2 * pad - 2):
                place = (n * rows + y) * width + start
                window = framed[n, y : y + 3, start : start + 3]
                got = found[place % 3, place // 3]
                np.testing.assert_array_equal(got, window.swapaxes(0, 1).ravel())
