"""A star of rays: which neuron is which kink, where all sides are known, and all rows at once."""

import numpy as np
import pytest
from victims import error_of, victim_of

from mstheft import nn
from mstheft.direct import line as lines
from mstheft.direct import sweep
from mstheft.direct.answers.reader import reader
from mstheft.direct.pictures import pictures
from mstheft.direct.sweep.star import Bend, Star, apart
from mstheft.direct.sweep.star_rows import add_places, solve_rows
from mstheft.errors import ExtractionError
from mstheft.learning import steal
from mstheft.oracle import Oracle


def pixel_victim(seed, d, h, K, dtype=np.float32):
    """A victim whose hyperplanes cut the box [0, 255]^d near its middle."""
    rng = np.random.default_rng([seed, 3])
    rows = rng.normal(size=(h, d)) / np.sqrt(d) / 60
    offsets = -rows @ rng.uniform(60, 195, d)
    exact = nn.zoo.given([(rows, offsets), (rng.normal(size=(K, h)), rng.normal(size=K))])
    return nn.Network(exact.layers, exact.shape, dtype)


class Watched:
    """A victim that remembers what it was asked."""

    def __init__(self, network):
        self.network, self.seen = network, []

    def __call__(self, x):
        self.seen.append(x.copy())
        return self.network.logits(x)


def star_of(victim, d, rays, seed=0, grid=1 / 255):
    oracle = Oracle(victim, inputs="pixels")
    box = np.zeros(d), np.full(d, 255.0)
    x = pictures(np.random.default_rng(seed), rays + 1, box, (d,), grey=0.0)
    read_by, star = reader(oracle, box[1] / 2, box[1] / 4), Star(x[0])
    for end in x[1:]:
        star.add(lines.search(read_by, x[0], end - x[0], low=0.0, high=1.0, grid=grid))
    star.explain()
    return read_by, star, box


def test_kinks_of_one_neuron_are_known_by_their_direction():
    victim = pixel_victim(1, 36, 8, 6)
    (a0, b0), (a1, _) = (tuple(w.astype(float) for w in pair) for pair in victim.dense())
    _, star, _ = star_of(victim, 36, 12)
    unit = a1 / np.linalg.norm(a1, axis=0)
    same = star.directions @ unit
    assert same.max(axis=1) == pytest.approx(1, abs=1e-5)
    which = same.argmax(axis=1)
    assert len(set(which)) == len(which)
    assert sum(bool(ray.open) for ray in star.rays) <= 2
    for ray in star.rays:
        t = -(a0 @ star.centre + b0) / (a0 @ ray.line.direction)
        if not ray.open:
            assert {which[i] for i in ray.crossed} == set(np.flatnonzero((t > 0) & (t < 1)))
        for i, (at, jump) in ray.crossed.items():
            assert abs(at - t[which[i]]) < 1e-3
            size = np.linalg.norm(a1[:, which[i]]) * abs(a0[which[i]] @ ray.line.direction)
            assert jump == pytest.approx(size, rel=1e-2)


def test_two_known_neurons_in_one_gap_are_taken_apart():
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(5, 8))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    w, t = np.array([2.0, 0.5]), np.array([0.3, 0.7])
    turn, above = w @ directions[[1, 3]], (w * (1 - t)) @ directions[[1, 3]]
    small = np.full(8, 1e-6)
    found = apart(directions, Bend(0.0, 1.0, np.nan, turn, above, small, small))
    assert {i: pytest.approx(pair, abs=1e-3) for i, pair in found.items()} == {
        1: (0.3, 2.0),
        3: (0.7, 0.5),
    }
    other = apart(directions[:3], Bend(0.0, 1.0, np.nan, turn, above, small, small))
    assert other is None


def test_a_few_jacobians_tell_all_rows():
    victim = pixel_victim(2, 49, 10, 8)
    (a0, b0), (a1, _) = (tuple(w.astype(float) for w in pair) for pair in victim.dense())
    oracle, star, box = star_of(victim, 49, 14)
    before = oracle.count
    places = add_places(oracle, star, [], box, 1 / 255)
    assert oracle.count - before <= 6 * 50  # (10 + 8) / 8, and some
    planes, good = solve_rows(star, places)
    assert good.sum() >= 8
    unit = a1 / np.linalg.norm(a1, axis=0)
    for row, offset, output in zip(planes.rows, planes.offsets, planes.outputs, strict=True):
        i = int((output @ unit).argmax())
        true = np.append(a0[i], b0[i]) * np.linalg.norm(a1[:, i])
        found = np.append(row, offset) * np.sign(row @ a0[i])
        assert np.linalg.norm(found - true) < 0.02 * np.linalg.norm(true)


@pytest.mark.parametrize(
    ("d", "h", "K", "seed", "dtype"), [(36, 8, 6, 1, np.float32), (25, 6, 5, 2, float)]
)
def test_whole_pixels_are_enough(d, h, K, seed, dtype):
    network = pixel_victim(seed, d, h, K, dtype)
    victim = Watched(network)
    oracle = Oracle(victim, inputs="pixels", shape=d, budget=5000)
    result = sweep.extract(oracle, rng=seed)
    assert result.verified
    assert result.total == oracle.count
    asked = np.concatenate(victim.seen)
    assert (asked == np.round(asked)).all()
    x = np.random.default_rng(5).integers(0, 256, (2000, d)).astype(float)
    assert error_of(network, result.model, x) < 1e-5


def test_steal_needs_no_option_for_pixels():
    network = pixel_victim(4, 36, 7, 6)
    oracle = Oracle(network, inputs="pixels")
    result = steal.extract(oracle, rng=0)
    assert result.verified
    assert result.notes["recognise"].startswith("relu")


@pytest.mark.parametrize(
    ("victim", "kind"),
    [
        (lambda x: x[:, :5] / 100, "linear"),
        (lambda x: np.tanh(x[:, :5] / 100 - 1), "smooth"),
        (lambda x: np.ones((len(x), 5)), "constant"),
    ],
)
def test_other_kinds_of_pixel_victims_are_recognised(victim, kind):
    oracle = Oracle(victim, inputs="pixels", shape=16)
    if kind == "linear":
        assert steal.extract(oracle, rng=0).verified
        return
    with pytest.raises(ExtractionError) as caught:
        steal.extract(oracle, rng=0)
    assert caught.value.partial.notes["recognise"].startswith(kind)


def test_the_walls_that_an_oracle_says_are_kept():
    network = victim_of(21, 20, 15, 3)
    oracle = Oracle(network, inputs=(0, 1), budget=100_000)
    result = sweep.extract(oracle, rng=3)
    assert result.verified
    x = np.random.default_rng(5).random((2000, 20))
    assert error_of(network, result.model, x) < 1e-6
