"""HODA: hardness by hand, the histograms' distance, and who is flagged."""

import numpy as np
import pytest

import mstheft as mt
from mstheft.data.synthetic import glyphs, letters
from mstheft.defend import hoda
from mstheft.nn import zoo


class Says:
    """A subclassifier whose labels are given."""

    def __init__(self, *labels):
        self.given = np.array(labels)

    def labels(self, x):
        return self.given[np.asarray(x)[:, 0].astype(int)]


STAGES = [Says(0, 1, 2, 0, 1), Says(0, 1, 1, 1, 1), Says(0, 0, 1, 0, 1), Says(0, 1, 1, 1, 2)]


def test_hardness_by_hand():
    """Row 0 never changes; row 1 is right twice, wrong at 2, so 3; row 2 from 1 on; 3, 4 at 3."""
    rows = np.arange(5)[:, None]
    np.testing.assert_array_equal(hoda.hardness(STAGES, rows), [0, 3, 1, 3, 3])
    np.testing.assert_array_equal(hoda.hardness(STAGES[:1], rows), 0)
    np.testing.assert_allclose(hoda.histogram([0, 3, 1, 3, 3], 4), [0.2, 0.2, 0, 0.6])


def test_the_distance_is_one_minus_numpys_correlation():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 8))
    np.testing.assert_allclose(hoda.pearson_distance(a, b), 1 - np.corrcoef(a, b)[0, 1], rtol=1e-12)
    np.testing.assert_allclose(hoda.pearson_distance(a, 3 * a + 1), 0, atol=1e-12)
    assert hoda.pearson_distance(a, np.full(8, 0.125)) == 1


@pytest.fixture(scope="module")
def trained():
    x, y = glyphs(3000, size=8, classes=4, noise=0.1, rng=0)
    network = zoo.mlp([64, 24, 4], rng=0)
    saved = hoda.subclassifiers(network, x[:1000], y[:1000], epochs=20, batch=20, rng=0)
    return network, saved, x[1000:]


def test_the_network_of_every_epoch_is_kept(trained):
    network, saved, x = trained
    assert len(saved) == 20
    np.testing.assert_array_equal(saved[-1].logits(x[:9]), network.logits(x[:9]))
    once = zoo.mlp([64, 24, 4], rng=0)
    glyph = glyphs(3000, size=8, classes=4, noise=0.1, rng=0)
    options = {"batch": 20, "rng": np.random.default_rng(0)}
    mt.nn.fit.fit(once, glyph[0][:1000], glyph[1][:1000], epochs=20, **options)
    np.testing.assert_array_equal(once.logits(x[:9]), network.logits(x[:9]))


def test_people_are_not_flagged_and_the_rows_that_a_thief_is_unsure_of_are(trained):
    network, saved, x = trained
    people = hoda.Detector(saved, x[:1000], rng=0)
    people.observe(x[1000:], network.labels(x[1000:]))
    assert people.queries == 1000
    assert not people.alarm
    assert people.first_alarm is None
    thief = hoda.Detector(saved, x[:1000], rng=0)
    oracle = mt.Oracle(network, "probs", monitors=[thief])
    pool = letters(3000, size=8, rng=1)[0]
    sure = network.probs(pool).max(axis=1)
    rng = np.random.default_rng(1)
    oracle.query(pool[rng.permutation(np.argsort(sure)[:500])])
    assert thief.alarm
    assert thief.first_alarm == 100
    assert thief.distances.min() > 2 * thief.threshold


def test_how_a_stream_is_cut_makes_no_difference(trained):
    _, saved, x = trained
    whole, cut = (hoda.Detector(saved, x[:1000], window=30, rng=0) for _ in range(2))
    whole.observe(x[1000:1205])
    for part in np.split(x[1000:1205], [1, 40, 41, 130]):
        cut.observe(part)
    np.testing.assert_array_equal(cut.distances, whole.distances)
    assert len(whole.distances) == 6
    assert whole.queries == cut.queries == 205


def test_the_threshold_is_exceeded_by_the_share_of_false_alarms(trained):
    _, saved, x = trained
    detector = hoda.Detector(saved, x, window=50, false_alarms=0.2, rng=0)
    rng, degrees = np.random.default_rng(1), hoda.hardness(saved, x)
    drawn = [detector.distance(rng.choice(degrees, 50)) for _ in range(1000)]
    assert 0.14 < np.mean(np.array(drawn) > detector.threshold) < 0.26


def test_what_cannot_work_is_refused(trained):
    _, saved, x = trained
    for given, says in (
        ((saved[:2], x), "3 subclassifiers"),
        ((saved, x[:99]), "100 honest rows"),
    ):
        with pytest.raises(ValueError, match=says):
            hoda.Detector(*given)
    with pytest.raises(ValueError, match="0 < false_alarms < 1"):
        hoda.Detector(saved, x, false_alarms=0)
