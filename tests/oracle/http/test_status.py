"""The histogram of the status page."""

import re

import numpy as np

from mstheft.oracle.http import status


def test_histogram_has_a_bar_for_each_bin_that_is_not_empty():
    picture = status.histogram(np.array([0.0, 0.0, 1.0, 4.0]))
    heights = [float(h) for h in re.findall(r'<rect [^>]*height="([\d.]+)"', picture)]
    assert heights == [150.0, 75.0, 75.0]
    assert ">0<" in picture
    assert ">4<" in picture
    assert "4 queries" in picture


def test_histogram_leaves_the_furthest_hundredth_out_and_says_so():
    picture = status.histogram(np.r_[np.linspace(0, 4, 198), 2e7, 3e7])
    assert len(re.findall(r"<rect ", picture)) == status.BINS
    assert ">4<" in picture
    assert "200 queries, 2 of them further" in picture
    exact = status.histogram(np.r_[np.linspace(0, 4, 160), np.full(40, 1e7)])  # one in five
    assert len(re.findall(r"<rect ", exact)) == status.BINS
    assert "200 queries, 40 of them further" in exact
