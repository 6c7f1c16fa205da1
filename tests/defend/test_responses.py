"""Defences of the answers: by hand, what each promises to keep, and inside an Oracle."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from mstheft.defend import responses
from mstheft.nn import zoo
from mstheft.nn.losses import cross_entropy
from mstheft.oracle import Oracle

RNG = np.random.default_rng(0)
Y = np.array([[0.7, 0.2, 0.1], [0.05, 0.5, 0.45]])
NET, OTHER = zoo.mlp([4, 6, 3], bias=1.0, rng=0), zoo.mlp([4, 5, 3], bias=1.0, rng=1)
SIGMOID = zoo.logistic(4, rng=0)
X = RNG.normal(size=(40, 4))


@st.composite
def simplex(draw, classes=None):
    k = classes or draw(st.integers(2, 6))
    seed, sharp = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.05, 1.0, 20.0]))
    return np.random.default_rng(seed).dirichlet(np.full(k, sharp), size=5)


def assert_simplex(probs):
    assert (probs >= 0).all()
    assert_allclose(probs.sum(axis=1), 1, rtol=0, atol=1e-12)


# ---- by hand


def test_saying_less_by_hand():
    assert_array_equal(responses.rounding(np.array([[0.126, 0.874]]), 2), [[0.13, 0.87]])
    assert_array_equal(responses.top_k(Y, 2), [[0.7, 0.2, 0], [0, 0.5, 0.45]])
    assert_array_equal(responses.top_k(np.array([[0.25] * 4]), 2), [[0.25, 0.25, 0, 0]])
    assert_array_equal(responses.label_only(Y), [[1, 0, 0], [0, 1, 0]])


def test_the_nearest_point_of_the_simplex_by_hand():
    points = np.array([[0.2, 0.3, 0.5], [1.0, 1.0, 0.0], [3.0, 0.0, 0.0], [-1.0, -1.0, -1.0]])
    nearest = [[0.2, 0.3, 0.5], [0.5, 0.5, 0], [1, 0, 0], [1 / 3] * 3]
    assert_allclose(responses.to_simplex(points), nearest, rtol=0, atol=1e-15)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=6), st.integers(0, 1000))
def test_the_nearest_point_is_no_further_than_any_other(point, seed):
    """⟨v - Π(v), s - Π(v)⟩ ≤ 0 for every s of the simplex: what makes it the nearest."""
    point = np.array([point])
    nearest = responses.to_simplex(point)
    assert_simplex(nearest)
    others = np.random.default_rng(seed).dirichlet(np.full(point.size, 0.3), size=50)
    others = np.vstack([others, np.eye(point.size)])
    assert ((others - nearest) @ (point - nearest)[0] <= 1e-12).all()


def test_reverse_sigmoid_by_hand():
    """γ = 1: σ(logit y) = y, so y - β (y - ½); β = ½ gives (.6, .35, .3) / 1.25."""
    told = responses.reverse_sigmoid(Y[:1], beta=0.5, gamma=1)
    assert_allclose(told, [[0.48, 0.28, 0.24]], rtol=1e-14)
    cube = np.array([[0.8, 0.2]])  # γ = 2: σ(2 ln 4) = 16/17; .8 - .5 (16/17 - .5) = .57941…
    assert_allclose(
        responses.reverse_sigmoid(cube, 0.5, 2)[0, 0], 0.8 - 0.5 * (16 / 17 - 0.5), rtol=1e-14
    )
    assert_allclose(responses.reverse_sigmoid(np.eye(3), 1, 5)[0], np.array([1, 1, 1]) / 3)


def test_adaptive_misinformation_by_hand():
    """At p_max = τ half of each; ln 3 / ν above it a quarter is the other's."""
    wrong = np.array([[0.0, 0.0, 1.0]] * 2)
    told = responses.adaptive_misinformation(Y, wrong, tau=0.5, nu=np.log(3) / 0.2)
    assert_allclose(told[1], 0.5 * Y[1] + [0, 0, 0.5], rtol=1e-14)
    assert_allclose(told[0], 0.75 * Y[0] + [0, 0, 0.25], rtol=1e-14)
    sure = responses.adaptive_misinformation(Y, wrong, tau=0.6, nu=1e6)
    assert_allclose(sure, [Y[0], wrong[1]], rtol=0, atol=1e-12)


def test_cost_by_hand():
    """One of two labels is lost; ‖Δ‖₁ is 0.6 and 0.2."""
    after = np.array([[0.4, 0.5, 0.1], [0.05, 0.6, 0.35]])
    assert_allclose(responses.cost(Y, after, np.array([0, 1])), (1, 0.5, 0.4), rtol=1e-14)
    assert responses.cost(Y, Y, np.array([2, 1])) == (0.5, 0.5, 0)


# ---- what is promised


@settings(max_examples=40, deadline=None)
@given(simplex(), st.integers(0, 1000))
def test_the_simplex_is_kept_where_promised(probs, seed):
    other = np.random.default_rng(seed).dirichlet(np.ones(probs.shape[1]), size=5)
    assert_simplex(responses.label_only(probs))
    assert_simplex(responses.noise(probs, 0.5, seed))
    assert_simplex(responses.reverse_sigmoid(probs, 1.0, 30.0))
    assert_simplex(responses.adaptive_misinformation(probs, other, 0.6, 10))


@settings(max_examples=40, deadline=None)
@given(simplex(), st.floats(0, 1), st.floats(1, 8))
def test_the_label_is_kept_where_promised(probs, beta, gamma):
    labels = probs.argmax(axis=1)
    assert_array_equal(responses.label_only(probs).argmax(axis=1), labels)
    assert_array_equal(responses.top_k(probs, 2).argmax(axis=1), labels)
    rows = np.arange(len(probs))
    told = responses.reverse_sigmoid(probs, min(beta, 0.99 / gamma), gamma)
    assert (told[rows, labels] >= told.max(axis=1) - 1e-14).all()


def test_reverse_sigmoid_may_lose_the_label_beyond_its_promise():
    probs = np.array([[0.52, 0.48]])
    assert responses.reverse_sigmoid(probs, 0.9, 5).argmax() == 1


def test_noise_of_zero_scale_changes_nothing_and_seeds_repeat():
    assert_allclose(responses.noise(Y, 0, 1), Y, rtol=0, atol=1e-15)
    assert_array_equal(responses.noise(Y, 0.1, 3), responses.noise(Y, 0.1, 3))
    assert np.abs(responses.noise(Y, 0.1, 3) - responses.noise(Y, 0.1, 4)).max() > 1e-3


# ---- MAD


def by_search(y, gradients, radius, extremes):
    """The paper's two steps, one extreme at a time."""

    def turned(candidate):
        u, v = gradients.T @ candidate, gradients.T @ y
        return ((u / np.linalg.norm(u) - v / np.linalg.norm(v)) ** 2).sum()

    best = max(extremes, key=turned)
    alpha = min(1, radius / np.abs(best - y).sum())
    return (1 - alpha) * y + alpha * best


def test_mad_by_hand():
    """G = I, y = (.8, .2): turned furthest is (0, 1); ‖(0, 1) - y‖₁ = 1.6, radius .4: α = ¼."""
    told = responses.mad(np.array([[0.8, 0.2]]), np.eye(2)[None], 0.4)
    assert_allclose(told, [[0.6, 0.4]], rtol=1e-14)
    assert_allclose(responses.mad(Y, np.stack([np.eye(3)] * 2), 2.0), np.eye(3)[[2, 0]])


@settings(max_examples=25, deadline=None)
@given(simplex(), st.integers(0, 1000), st.floats(0.01, 2))
def test_mad_is_the_search_over_all_extremes(probs, seed, radius):
    k = probs.shape[1]
    gradients = np.random.default_rng(seed).normal(size=(5, k, 7))
    slow = [by_search(y, g, radius, list(np.eye(k))) for y, g in zip(probs, gradients, strict=True)]
    told = responses.mad(probs, gradients, radius)
    assert_allclose(told, slow, rtol=1e-9, atol=1e-12)
    assert_simplex(told)
    apart = np.abs(told - probs).sum(axis=1)
    assert (apart <= radius + 1e-12).all()
    assert (apart > 0).all()


@settings(max_examples=25, deadline=None)
@given(simplex(), st.integers(0, 1000), st.floats(0.01, 2))
def test_mad_keeps_the_label_if_asked(probs, seed, radius):
    gradients = np.random.default_rng(seed).normal(size=(5, probs.shape[1], 4))
    told = responses.mad(probs, gradients, radius, keep_label=True)
    assert_array_equal(told.argmax(axis=1), probs.argmax(axis=1))
    assert_simplex(told)
    assert (np.abs(told - probs).sum(axis=1) <= radius + 1e-12).all()


def test_the_extremes_that_keep_a_label():
    found = responses.label_keeping(3, 1)
    means = [[0, 1, 0], [0, 0.5, 0.5], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]]
    assert_allclose(found, means, rtol=0, atol=1e-5)
    assert (found.argmax(axis=1) == 1).all()
    assert len(responses.label_keeping(10, 4)) == 512


def test_the_surrogates_short_gradients_turn_as_those_of_its_weights_do():
    """G by the last layer's weights, from the network's own backward pass, has the same angles."""
    short = responses.surrogate_gradients(OTHER)(X[:6])
    probs, classes = NET.probs(X[:6]), np.eye(3)
    for i, short_one in enumerate(short):
        whole = [
            OTHER.loss_gradients(X[i : i + 1], classes[[k]], cross_entropy)[1]["2.W"].ravel().copy()
            for k in range(3)
        ]
        candidates = np.vstack([classes, responses.label_keeping(3, 0)])
        assert_allclose(
            responses.deviation(candidates, probs[i], short_one),
            responses.deviation(candidates, probs[i], np.array(whole)),
            rtol=1e-9,
        )


def test_mad_turns_the_gradient_more_than_noise_of_its_size():
    gradients = responses.surrogate_gradients(OTHER)(X)
    probs = NET.probs(X)
    told = responses.mad(probs, gradients, 0.3)
    random = probs + 0.15 * (RNG.permuted(np.eye(3)[RNG.integers(0, 3, 40)], axis=1) - probs)
    turned = [
        np.mean([
            responses.deviation(row[None], y, g)[0]
            for row, y, g in zip(rows, probs, gradients, strict=True)
        ])
        for rows in (told, random)
    ]  # fmt: skip
    assert turned[0] > 1.5 * turned[1] > 0


# ---- in an oracle


def test_an_oracle_applies_defences_in_their_order_before_rounding():
    half = responses.option(responses.reverse_sigmoid, beta=0.5, gamma=1.0)
    two = responses.option(responses.top_k, k=2)
    oracle = Oracle(NET, "probs", decimals=3, defences=[half, two])
    expected = responses.top_k(responses.reverse_sigmoid(NET.probs(X), 0.5, 1.0), 2)
    assert_array_equal(oracle.query(X), np.round(expected, 3))
    other_way = Oracle(NET, "probs", defences=[two, half]).query(X)
    assert np.abs(other_way - expected).max() > 0.01


@pytest.mark.parametrize("output", ["probs", "log_probs", "top_k", "label"])
@pytest.mark.parametrize("victim", [NET, SIGMOID], ids=["softmax", "sigmoid"])
def test_a_defence_that_changes_nothing_changes_nothing(victim, output):
    if output == "top_k" and victim is SIGMOID:
        return
    kwargs = {"top": 2} if output == "top_k" else {}
    plain = Oracle(victim, output, **kwargs).query(X)
    seen = []

    def watch(probs, x):
        seen.append((probs.shape, x))
        return probs

    told = Oracle(victim, output, defences=[watch], **kwargs).query(X)
    assert_allclose(told, plain, rtol=1e-12, atol=1e-15)
    assert seen[0][0] == (40, max(victim.outputs, 2))
    assert_array_equal(seen[0][1], X)


def test_every_output_tells_the_defended_answer():
    def swap(probs, x):
        return probs[:, ::-1]

    told = NET.probs(X)[:, ::-1]
    assert_array_equal(Oracle(NET, "label", defences=[swap]).query(X), told.argmax(axis=1))
    logs = Oracle(NET, "log_probs", defences=[swap]).query(X)
    assert_allclose(logs, np.log(told), rtol=1e-12)
    sigmoid = Oracle(SIGMOID, "probs", defences=[swap]).query(X)
    assert_allclose(sigmoid, 1 - SIGMOID.probs(X), rtol=1e-12)
    assert_array_equal(Oracle(SIGMOID, "label", defences=[swap]).query(X), 1 - SIGMOID.labels(X))


def test_monitors_see_the_classes_that_are_told():
    seen = []
    monitor = SimpleNamespace(observe=lambda x, labels: seen.append(labels))
    Oracle(NET, "probs", defences=[lambda probs, x: probs[:, ::-1]], monitors=[monitor]).query(X)
    assert_array_equal(seen, [2 - NET.labels(X)])


def test_a_victim_that_writes_into_its_input_does_not_change_what_defences_see():
    def rude(x):
        x[:] = 0
        return np.full((len(x), 2), 0.5)

    seen = []
    defences = [lambda probs, x: seen.append(x.copy()) or probs]
    Oracle(rude, "probs", gives="probs", inputs=4, defences=defences).query(X)
    assert_array_equal(seen, [X])


def test_all_defences_together():
    names = {
        "rounding": {"decimals": 4},
        "top_k": {"k": 3},
        "noise": {"scale": 0.02, "rng": 0},
        "reverse_sigmoid": {"beta": 0.3, "gamma": 1.0},
        "adaptive_misinformation": {"wrong": OTHER.probs, "tau": 0.5, "nu": 20.0},
        "mad": {"gradients": responses.surrogate_gradients(OTHER), "radius": 0.2},
        "label_only": {},
    }
    chain = [responses.option(getattr(responses, name), **names[name]) for name in names]
    told = Oracle(NET, "probs", defences=chain).query(X)
    assert_array_equal(np.sort(told, axis=1), [[0, 0, 1]] * 40)


def test_settings_that_are_functions_see_every_batch():
    gradients = responses.surrogate_gradients(OTHER)
    oracle = Oracle(
        NET, "probs", defences=[responses.option(responses.mad, gradients=gradients, radius=0.4)]
    )
    expected = responses.mad(NET.probs(X), gradients(X), 0.4)
    for rows in (slice(0, 7), slice(7, 40)):
        assert_allclose(oracle.query(X[rows]), expected[rows], rtol=1e-12)


def test_noise_goes_on_from_batch_to_batch():
    oracle, again = (
        Oracle(NET, "probs", defences=[responses.option(responses.noise, scale=0.1, rng=5)])
        for _ in range(2)
    )
    first, second = oracle.query(X), oracle.query(X)
    assert np.abs(first - second).max() > 1e-3
    assert_array_equal(first, again.query(X))


# ---- errors


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: responses.top_k(Y, 4), "k from 1 to 3"),
        (lambda: responses.noise(Y, -1, 0), "scale from 0 to 1"),
        (lambda: responses.reverse_sigmoid(Y, 1.5, 1), "beta"),
        (lambda: responses.mad(Y, np.stack([np.eye(3)] * 2), 2.5), "radius from 0 to 2"),
        (lambda: responses.label_keeping(17, 0), "at most 16"),
        (lambda: Oracle(NET, "logits", defences=[responses.label_only]), "ask for output='probs'"),
        (lambda: Oracle(NET, "probs", defences=[lambda p, x: p[:1]]).query(X), r"got shape \(1, "),
        (lambda: Oracle(NET, "probs", defences=[lambda p, x: 0 * p + 1.5]).query(X), "got 1.5 amo"),
        (lambda: Oracle(NET, "probs", defences=[lambda p, x: p * np.nan]).query(X), "got nan amo"),
        (lambda: Oracle(NET, "probs", defences=[lambda p, x: -p]).query(X), "from 0 to 1"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_victim_of_labels_has_no_probabilities_to_defend():
    with pytest.raises(ValueError, match="a victim that gives probabilities"):
        Oracle(
            NET.labels, "label", gives="labels", inputs=4,
            defences=[responses.option(responses.label_only)],
        )  # fmt: skip


def test_mad_beats_every_point_of_the_ball_on_a_line_of_two_classes():
    """With K = 2 the ball is an interval, and the best end of it can be seen."""
    for p, radius, seed in itertools.product((0.6, 0.9), (0.2, 0.6), range(3)):
        g = np.random.default_rng(seed).normal(size=(2, 3))
        y = np.array([p, 1 - p])
        reach = np.clip([p - radius / 2, p + radius / 2], 0, 1)
        first = np.linspace(*reach, 201)
        all_scores = responses.deviation(np.stack([first, 1 - first], axis=1), y, g)
        told = responses.mad(y[None], g[None], radius)
        score = responses.deviation(told, y, g)[0]
        assert_allclose(told[0, 0], reach[np.abs(reach - told[0, 0]).argmin()], atol=1e-12)
        assert score >= all_scores[[0, -1]].min() - 1e-12
        assert all_scores.max() <= all_scores[[0, -1]].max() + 1e-12
