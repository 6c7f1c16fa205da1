"""Learned copies, as they are drawn."""

import numpy as np
from pictures import X, in_colour, texts

from mstheft.plots import learning, style


def test_agreement_shows_the_mean_and_all_seeds_between_lowest_and_highest():
    queries, shares = np.array([10, 20, 30]), np.array([[0.1, 0.5, 0.6], [0.3, 0.4, 0.8]])
    ax = learning.agreement({"k-center": (queries, shares), "mine": (queries, shares[0])})
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.2, 0.45, 0.7])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), shares[0])
    assert ax.lines[0].get_color() == learning.STRATEGIES["k-center"]
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    for x, low, high in zip(queries, shares.min(axis=0), shares.max(axis=0), strict=True):
        there = corners[corners[:, 0] == x, 1]
        assert (there.min(), there.max()) == (low, high)
    assert texts(ax) == "k-center | mine"


def test_output_space_puts_sure_rows_into_corners_and_torn_ones_between():
    outputs = np.array([[1.0, 0, 0, 0], [0, 0.5, 0, 0.5], [0, 0, 1, 0]])
    ax = learning.output_space(outputs, [[2], [0, 1]])
    pool, first, second = ax.lines
    np.testing.assert_allclose(pool.get_xydata(), [[0, 1], [0, 0], [0, -1]], atol=1e-12)
    np.testing.assert_allclose(first.get_xydata(), [[0, -1]], atol=1e-12)
    np.testing.assert_allclose(second.get_xydata(), [[0, 1], [0, 0]], atol=1e-12)
    assert "round 0 | round 1" in texts(ax)


def test_deepfool_paths_begin_at_the_clean_row_and_end_at_the_example():
    labels = (np.arange(9) > 4) + np.zeros((9, 1), int)
    path = np.array([[-1.0, 0.5], [0.2, 0.6], [0.4, 0.6]])
    ax = learning.deepfool_paths((X, X, labels), [path])
    (asked,), (example,) = in_colour(ax, style.QUERY), in_colour(ax, style.NEGATIVE)
    np.testing.assert_array_equal(asked.get_xydata(), path[:1])
    np.testing.assert_array_equal(example.get_xydata(), path[-1:])


def test_confusion_and_transfer_write_every_number():
    ax = learning.confusion(np.array([[7, 1], [0, 12]]), names=["ham", "spam"])
    assert texts(ax) == "7 | 1 |  | 12"
    assert ax.get_title(loc="left") == "they agree on 95.0%"
    assert [t.get_text() for t in ax.get_yticklabels()] == ["ham", "spam"]
    ax = learning.transfer([[0.5, 1.0]], ["copy"], ["copy", "victim"])
    assert texts(ax) == "50% | 100%"
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0.5, 1.0]])
