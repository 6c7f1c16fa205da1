"""What a service sees, as it is drawn."""

import numpy as np
import pytest
from pictures import RNG, fresh, in_colour, texts

from mstheft.plots import detection, style


def test_distances_draws_every_one_and_the_normal_curve_with_area_one():
    found = RNG.normal(3, 0.4, 400)
    ax = detection.distances(found, ax=fresh(), w=0.987)
    areas = [bar.get_width() * bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(sum(areas), 1, rtol=1e-12)
    (curve,) = in_colour(ax, style.VICTIM)
    t, density = curve.get_xydata().T
    np.testing.assert_allclose((np.diff(t) * (density[1:] + density[:-1]) / 2).sum(), 1, atol=5e-3)
    np.testing.assert_allclose(t[density.argmax()], found.mean(), rtol=1e-12)
    assert "W = 0.987" in texts(ax)
    assert "400 distances" in texts(ax)


def test_distances_that_are_all_equal_have_no_curve_and_one_is_too_few():
    assert not in_colour(detection.distances(np.full(20, 1.5), ax=fresh()), style.VICTIM)
    with pytest.raises(ValueError, match="two distances or more, got 1"):
        detection.distances([1.0])


def test_over_queries_draws_each_attack_and_rings_the_first_alarm():
    histories = {"a": ([110, 120, 130], [0.95, 0.89, 0.8]), "b": ([110, 120], [0.99, 0.98])}
    ax = detection.over_queries(histories, ax=fresh(), delta=0.9)
    for n, (queries, w) in enumerate(histories.values()):
        curve, ring = in_colour(ax, style.of_class(n))
        np.testing.assert_array_equal(curve.get_xydata(), np.transpose([queries, w]))
        assert ring.get_xydata().tolist() == ([[120, 0.89]] if n == 0 else [])
    (line,) = in_colour(ax, style.KINK)
    assert set(line.get_ydata()) == {0.9}
    assert texts(ax) == "a | b | δ = 0.9"
