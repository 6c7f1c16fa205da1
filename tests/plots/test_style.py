"""The style of all pictures: colours, labels."""

import matplotlib
import numpy as np
from pictures import fresh

from mstheft.plots import style


def test_no_two_meanings_share_a_colour():
    names = ["VICTIM", "COPY", "QUERY", "KINK", "POSITIVE", "NEGATIVE", "ERROR", "QUIET"]
    colours = [getattr(style, name) for name in names] + list(style.DEPTHS[1:])
    colours += [*style.CLASSES, *style.REGIONS]
    rgb = np.array([matplotlib.colors.to_rgb(colour) for colour in colours])
    apart = np.abs(rgb[:, None] - rgb[None]).max(axis=2) + np.eye(len(rgb))
    assert apart[:21].min() > 0.05, "lines must be told apart"
    assert apart.min() > 0, "and no colour occurs twice"
    assert style.of_class(13) == style.of_class(3)


def test_sign_colours_have_white_at_zero():
    cmap = style.signed()
    assert matplotlib.colors.to_hex(cmap(0.0)) == style.NEGATIVE
    assert matplotlib.colors.to_hex(cmap(1.0)) == style.POSITIVE
    assert min(cmap(0.5)[:3]) > 0.98


def test_labels_are_moved_apart_in_their_order():
    wanted = np.array([0.5, 0.0, 0.51, 1.0, 0.505])
    places = style.spread(wanted, 0.1)
    assert np.diff(np.sort(places)).min() >= 0.1 - 1e-12
    np.testing.assert_array_equal(np.argsort(places), np.argsort(wanted))
    assert places.min() >= 0
    assert places.max() <= 1
    np.testing.assert_array_equal(style.spread([0.2, 0.8], 0.1), [0.2, 0.8])


def test_end_labels_stand_at_the_ends_of_their_curves():
    ax = fresh()
    ax.plot([0, 1], [0, 10])
    ax.plot([0, 1], [0, -30])
    style.end_labels(ax, [10, -30], ["a", "b"], ["k", "k"])
    (a, b), (low, high) = (text.get_position()[1] for text in ax.texts), ax.get_ylim()
    np.testing.assert_allclose([a, b], [(10 - low) / (high - low), (-30 - low) / (high - low)])
