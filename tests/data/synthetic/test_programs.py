"""Programs of zeros and ones: what they are made of, and that they can be learned."""

import numpy as np

from mstheft.data import synthetic
from mstheft.data.synthetic.programs import ABILITIES, FEATURES, KINDS
from mstheft.nn import fit, zoo


def test_rows_of_zeros_and_ones_of_both_labels():
    x, y = synthetic.programs(501, rng=0)
    assert x.shape == (501, len(FEATURES))
    assert x.dtype == np.float32
    assert set(np.unique(x)) == {0, 1}
    assert np.bincount(y).tolist() in ([250, 251], [251, 250])
    assert 10 < x.sum(axis=1).mean() < 60


def test_the_seed_decides_everything():
    first, again = synthetic.programs(50, rng=3), synthetic.programs(50, rng=3)
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], synthetic.programs(50, rng=4)[0])


def test_features_are_named_once_and_abilities_of_kinds_are_known():
    assert len(set(FEATURES)) == len(FEATURES)
    assert all(name.count('"') in (0, 2) for name in FEATURES)
    assert {'"your files"', ".text", "CreateFile"} <= set(FEATURES)
    assert all(set(chances) <= ABILITIES.keys() for kinds in KINDS for chances in kinds.values())
    assert [len(kinds) for kinds in KINDS] == [8, 6], "harmless, malicious"


def test_every_feature_occurs_with_both_labels():
    """None gives a program away, and none can be added that no other program has."""
    x, y = synthetic.programs(4000, rng=1)
    for label in (0, 1):
        assert (x[y == label].sum(axis=0) > 0).all()


def test_a_network_tells_most_and_not_all():
    x, y = synthetic.programs(3000, rng=2)
    network = zoo.mlp([x.shape[1], 32, 2], rng=0, dtype=np.float32)
    fit.fit(network, x[:2500], y[:2500], epochs=12, l2=1e-3, rng=0)
    assert 0.85 < fit.accuracy(network, x[2500:], y[2500:]) < 0.98
