"""Derivatives in both directions, the preconditioner, and steps against explicit Jacobians.

Sizes: directional derivatives by central differences in float64 are right to about 1e-9 and
judged at 1e-6; two sums of the same numbers in another order agree to 1e-12.
"""

from dataclasses import replace

import numpy as np
import pytest

from mstheft.nn import gauss_newton as gn
from mstheft.nn import zoo
from mstheft.nn.layers import Activation, Dense, Flatten
from mstheft.nn.network import Network

ACTIVATIONS = ("relu", "tanh", "sigmoid", "softplus")
SHAPES = ([5, 3], [5, 1], [5, 7, 3], [5, 7, 1], [4, 6, 5, 2], [4, 6, 5, 5, 1])
CASES = [
    (widths, name, output)
    for widths in SHAPES
    for name in ACTIVATIONS
    for output in gn.OUTPUTS
    if not (output == "top_k" and widths[-1] == 1)
]


def victim(widths, activation="relu", seed=0):
    return zoo.mlp(widths, activation=activation, bias=0.3, rng=seed)


def problem(network, output="logits", n=40, seed=1):
    """A fit of random rows to the network's own answers, unequally weighted; with its weights."""
    rng = np.random.default_rng(seed)
    weights, activations = gn.chain(network)
    rows = gn.with_ones(rng.normal(size=(n, network.inputs)))
    logits = gn.forward(weights, activations, rows).logits
    answers = gn.OUTPUTS[output].answer(logits)
    precision = rng.uniform(0.5, 2, answers.shape) * (rng.random(answers.shape) < 0.9)
    return gn.Fit(rows, activations, answers, precision, output), weights


def nudged(weights, size, seed=2):
    rng = np.random.default_rng(seed)
    return [w + size * rng.normal(size=w.shape) for w in weights]


def dot(a, b):
    return float(sum((x * y).sum() for x, y in zip(a, b, strict=True)))


def plus(weights, move, share):
    return [w + share * m for w, m in zip(weights, move, strict=True)]


# ---- a network as matrices


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_pass_gives_the_networks_logits(name):
    network = victim([4, 6, 5, 2], name)
    x = np.random.default_rng(0).normal(size=(9, 4))
    weights, activations = gn.chain(network)
    logits = gn.forward(weights, activations, gn.with_ones(x)).logits
    np.testing.assert_allclose(logits, network.logits(x), rtol=0, atol=1e-14)


def test_taking_a_network_apart_and_together_changes_nothing_and_copies():
    network = victim([4, 6, 2])
    weights, _ = gn.chain(network)
    twin = gn.assemble(network, weights)
    for name, values in network.parameters().items():
        np.testing.assert_array_equal(twin.parameters()[name], values)
        assert not np.shares_memory(twin.parameters()[name], values)


def test_a_flatten_and_layers_without_activation_are_taken():
    network = Network([Flatten(), Dense(6, 4, rng=0), Dense(4, 2, rng=1)], (2, 3))
    weights, activations = gn.chain(network)
    assert activations == ["identity"]
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    rows = gn.with_ones(x.reshape(5, 6))
    logits = gn.forward(weights, activations, rows).logits
    np.testing.assert_allclose(logits, network.logits(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "layers",
    [
        [Activation("relu"), Dense(4, 2, rng=0)],
        [Dense(4, 2, rng=0), Activation("relu")],
        [Dense(4, 4, rng=0), Activation("relu"), Activation("tanh"), Dense(4, 2, rng=0)],
    ],
)
def test_other_networks_are_refused_by_name(layers):
    with pytest.raises(ValueError, match="expected Dense layers"):
        gn.chain(Network(layers, 4))


def test_a_vector_and_its_matrices():
    like = [np.zeros((2, 3)), np.zeros((4, 1))]
    vector = np.arange(10.0)
    np.testing.assert_array_equal(gn.flat(gn.unflat(vector, like)), vector)


# ---- derivatives


@pytest.mark.parametrize(("widths", "name", "output"), CASES)
def test_tangents_agree_with_central_differences(widths, name, output):
    fit, weights = problem(victim(widths, name), output)
    move = nudged([0 * w for w in weights], 1)
    step = 1e-6
    ahead, behind = (fit.at(plus(weights, move, s)).logits for s in (step, -step))
    measured = (fit.link.answer(ahead) - fit.link.answer(behind)) / (2 * step) * fit.precision
    claimed = gn.pushed(fit, fit.at(weights), move)
    assert np.linalg.norm(measured - claimed) <= 1e-6 * np.linalg.norm(measured)
    assert np.linalg.norm(measured) > 1e-2


@pytest.mark.parametrize(("widths", "name", "output"), CASES)
def test_forwards_and_backwards_are_adjoint(widths, name, output):
    """<J p, r> = <p, Jᵀ r>, for random p and r."""
    fit, weights = problem(victim(widths, name), output)
    here = fit.at(weights)
    move = nudged([0 * w for w in weights], 1)
    r = np.random.default_rng(5).normal(size=fit.answers.shape)
    ahead = float((gn.pushed(fit, here, move) * r).sum())
    back = dot(move, here.vjp(gn.pulled(fit, here, r)))
    assert ahead == pytest.approx(back, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(("widths", "name", "output"), CASES[::5])
def test_the_explicit_jacobian_is_the_same_map(widths, name, output):
    fit, weights = problem(victim(widths, name), output)
    here = fit.at(weights)
    move = nudged([0 * w for w in weights], 1)
    J = gn.jacobian(fit, here)
    np.testing.assert_allclose(J @ gn.flat(move), gn.pushed(fit, here, move), atol=1e-12)


def test_the_adjoint_test_sees_a_slope_left_out():
    """A planted fault: the second layer's σ' is taken for 1 on the way back."""
    fit, weights = problem(victim([4, 6, 5, 2], "tanh"))
    here = fit.at(weights)
    wrong = replace(here, slopes=[here.slopes[0], np.ones_like(here.slopes[1])])
    move = nudged([0 * w for w in weights], 1)
    r = np.random.default_rng(5).normal(size=fit.answers.shape)
    ahead = float((gn.pushed(fit, here, move) * r).sum())
    back = dot(move, wrong.vjp(gn.pulled(fit, here, r)))
    assert abs(ahead - back) > 1e-3 * abs(ahead)


@pytest.mark.parametrize("output", ["log_probs", "probs"])
def test_one_vector_added_to_all_logits_moves_no_answer_of_a_softmax(output):
    fit, weights = problem(victim([5, 7, 3]), output)
    here = fit.at(weights)
    gauge = [np.zeros_like(weights[0]), np.tile(np.arange(8.0), (3, 1))]
    assert np.abs(here.jvp(gauge)).max() > 1
    assert np.abs(gn.pushed(fit, here, gauge)).max() < 1e-12


# ---- the least squares problem


def test_the_misfit_is_the_weighted_root_mean_square():
    fit, weights = problem(victim([5, 3]))
    here = fit.at(plus(weights, [np.eye(3, 6)], 0.1))
    wrong = (fit.answers - here.logits) ** 2
    by_hand = np.sqrt((fit.precision**2 * wrong).sum() / (fit.precision**2).sum())
    assert fit.misfit(here.logits) == pytest.approx(by_hand, rel=1e-12)


def test_numbers_of_no_weight_count_for_nothing():
    fit, weights = problem(victim([5, 7, 3]))
    spoilt = replace(fit, answers=np.where(fit.precision > 0, fit.answers, 1e6))
    assert spoilt.misfit(fit.at(weights).logits) < 1e-12


def test_a_misfit_that_is_no_number_is_infinite():
    fit, weights = problem(victim([5, 3]))
    assert fit.misfit(fit.at(weights).logits * np.nan) == np.inf


# ---- the preconditioner and the step


def test_powers_are_square_roots_and_their_inverse():
    a = np.random.default_rng(0).normal(size=(30, 6))
    root, inverse = gn.powers(a.T @ a)
    np.testing.assert_allclose(root @ root, a.T @ a, atol=1e-12)
    np.testing.assert_allclose(root @ inverse, np.eye(6), atol=1e-12)


def condition(matrix):
    size = np.linalg.svd(matrix, compute_uv=False)
    size = size[size > 1e-7 * size[0]]
    return float(size[0] / size[-1])


def test_the_preconditioner_makes_the_jacobian_nearly_orthogonal():
    """Inputs of sizes 0.03 to 30 give J a condition above 1,000; J P stays below 30."""
    fit, weights = problem(victim([6, 8, 3], "tanh"), n=400)
    sizes = np.append(np.logspace(-1.5, 1.5, 6), 1)
    weights = [weights[0] / sizes, weights[1]]
    fit = replace(fit, rows=fit.rows * sizes, precision=np.ones_like(fit.precision))
    here = fit.at(weights)
    J = gn.jacobian(fit, here).reshape(fit.answers.size, -1)
    scale = gn.kronecker(fit, here, 0)
    JP = np.stack([gn.flat(scale.apply(gn.unflat(row, weights))) for row in J])
    assert condition(J) > 1000
    assert condition(JP) < 30


@pytest.mark.parametrize(("widths", "name", "output"), CASES[1::7])
def test_a_solved_step_is_dense_least_squares(widths, name, output):
    """J p is compared: along symmetries p itself is free.

    Three layers of sigmoids have a condition of 1e6, which costs LSMR its last digits: 2e-5 there,
    1e-8 elsewhere.
    """
    fit, weights = problem(victim(widths, name), output, n=150)
    here = fit.at(nudged(weights, 0.05))
    r = fit.residual(here.logits)
    scale = gn.kronecker(fit, here, 0)
    move = gn.linearised_step(fit, here, r, scale, enough=1e-14, iterations=2000)
    J = gn.jacobian(fit, here).reshape(r.size, -1)
    best = np.linalg.lstsq(J, r.ravel(), rcond=1e-10)[0]
    found = gn.pushed(fit, here, move).ravel()
    assert np.linalg.norm(found - J @ best) <= 1e-4 * np.linalg.norm(J @ best)


def test_a_damped_step_is_dense_ridge_regression_in_q():
    fit, weights = problem(victim([5, 7, 3]), n=150)
    here = fit.at(nudged(weights, 0.05))
    r = fit.residual(here.logits)
    scale = gn.kronecker(fit, here, 0)
    move = gn.linearised_step(fit, here, r, scale, damp=0.5, enough=1e-14, iterations=2000)
    J = gn.jacobian(fit, here).reshape(r.size, -1)
    JP = np.stack([gn.flat(scale.apply(gn.unflat(row, weights))) for row in J])
    q = np.linalg.solve(JP.T @ JP + 0.25 * 150 * np.eye(JP.shape[1]), JP.T @ r.ravel())
    expected = gn.flat(scale.apply(gn.unflat(q, weights)))
    np.testing.assert_allclose(gn.flat(move), expected, atol=1e-9)


def test_a_linear_model_is_solved_in_one_step():
    fit, weights = problem(victim([5, 3]))
    taken = gn.step(fit, fit.at(nudged(weights, 1)), enough=1e-14, iterations=200, rng=0)
    assert taken.share == 1
    assert taken.misfit < 1e-10


def test_a_step_near_the_end_squares_the_error():
    fit, weights = problem(victim([5, 7, 3], "tanh"), n=150)
    here = fit.at(nudged(weights, 1e-3))
    taken = gn.step(fit, here, enough=1e-12, iterations=500, rng=0)
    before = fit.misfit(here.logits)
    assert 1e-4 < before < 1e-1
    assert taken.misfit < 10 * before**2


def test_no_neuron_is_turned_farther_than_its_trust():
    fit, weights = problem(victim([5, 7, 6, 3]), n=150)
    here = fit.at(weights)
    scale = gn.kronecker(fit, here, 0)
    move = gn.trusted(here, nudged([0 * w for w in weights], 10), scale)
    for a, matrix, moved in zip(here.inputs[:-1], weights[:-1], move[:-1], strict=True):
        change, size = (np.sqrt(np.mean((a @ m.T) ** 2, axis=0)) for m in (moved, matrix))
        np.testing.assert_allclose(change, gn.TRUST * size, rtol=1e-6)
    small = nudged([0 * w for w in weights], 1e-3)
    for kept, moved in zip(gn.trusted(here, small, scale), small, strict=True):
        np.testing.assert_array_equal(kept, moved)


def test_a_step_that_cannot_fit_better_stays_and_says_so():
    fit, weights = problem(victim([5, 7, 3]))
    here = fit.at(weights)
    exact = replace(fit, answers=fit.link.answer(here.logits))
    taken = gn.step(exact, here, rng=0)
    assert (taken.share, taken.misfit, taken.here) == (0, 0, here)


def test_the_same_seed_gives_the_same_step():
    fit, weights = problem(victim([5, 7, 3]))
    one, two = (gn.step(fit, fit.at(nudged(weights, 0.05)), rng=4) for _ in range(2))
    np.testing.assert_array_equal(gn.flat(one.here.weights), gn.flat(two.here.weights))
