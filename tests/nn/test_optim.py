"""Optimisers against the formulas written out, number by number, in the papers' order.

Size of error: a few dozen roundings of numbers near 1, 1e-13.
"""

import numpy as np
import pytest

from mstheft.nn.optim import SGD, Adam

GRADS = np.random.default_rng(0).normal(size=(30, 2))


def run(optimizer, grads, dtype=np.float64):
    params = {"a": np.array([1.0, -2.0], dtype), "still": np.array([5.0], dtype)}
    array, path = params["a"], []
    for g in grads:
        optimizer.step(params, {"a": g.astype(dtype)})
        path.append(params["a"].copy())
    assert params["a"] is array  # in place
    assert params["still"][0] == 5  # no gradient, no step
    return np.array(path)


@pytest.mark.parametrize(("rate", "momentum"), [(0.1, 0.9), (0.5, 0.0), (0.01, 0.99)])
def test_sgd(rate, momentum):
    theta, v, want = np.array([1.0, -2.0]), np.zeros(2), []
    for g in GRADS:
        v = momentum * v - rate * g
        theta = theta + v
        want.append(theta)
    np.testing.assert_allclose(run(SGD(rate, momentum), GRADS), want, rtol=0, atol=1e-13)


def test_momentum_reaches_the_geometric_sum():
    """A constant gradient: v → -η g / (1 - μ), here -1 after 300 steps of 0.9^300 = 2e-14."""
    path = run(SGD(0.1, 0.9), np.ones((300, 2)))
    np.testing.assert_allclose(path[-1] - path[-2], -1, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("rate", "beta1", "beta2", "epsilon"),
    [(1e-3, 0.9, 0.999, 1e-8), (0.1, 0.5, 0.7, 1e-2), (0.1, 0.0, 0.0, 1e-8)],
)
def test_adam(rate, beta1, beta2, epsilon):
    """Kingma and Ba 2015, algorithm 1, line by line."""
    theta, m, v, want = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2), []
    for t, g in enumerate(GRADS, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        theta = theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)
        want.append(theta)
    got = run(Adam(rate, beta1, beta2, epsilon), GRADS)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-13)


def test_adams_first_step_is_the_rate_whatever_the_gradients_size():
    """m̂ / √v̂ = ±1 at t = 1, but for ε = 1e-8 beside |g| = 1e-3: 1e-5 relative."""
    first = run(Adam(0.01), np.array([[1e-3, -1e6]]))[0]
    np.testing.assert_allclose(first - [1, -2], [-0.01, 0.01], rtol=1.1e-5)


def test_adam_against_published_defaults():
    adam = Adam()
    assert (adam.rate, adam.beta1, adam.beta2, adam.epsilon) == (1e-3, 0.9, 0.999, 1e-8)


@pytest.mark.parametrize("make", [SGD, Adam])
def test_float32_stays_float32(make):
    params = {"a": np.ones(3, np.float32)}
    for _ in range(3):
        make().step(params, {"a": np.ones(3, np.float32)})
    assert params["a"].dtype == np.float32
    assert (params["a"] < 1).all()
    assert (params["a"] > -1).all()


@pytest.mark.parametrize("make", [SGD, Adam])
def test_gradients_are_left_alone_and_each_optimiser_has_a_memory_of_its_own(make):
    gradient = np.ones(2)
    one, other = make(), make()
    first, second = {"a": np.zeros(2)}, {"a": np.zeros(2)}
    one.step(first, {"a": gradient})
    one.step(first, {"a": gradient})
    other.step(second, {"a": gradient})
    other.step(second, {"a": gradient})
    np.testing.assert_array_equal(first["a"], second["a"])
    np.testing.assert_array_equal(gradient, 1)


@pytest.mark.parametrize(("optimizer", "steps"), [(SGD(0.05, 0.5), 300), (Adam(0.1), 600)])
def test_a_bowl_is_descended(optimizer, steps):
    """L = ½ (x² + 10 y²) from (1, -2): the minimum is reached to 1e-3."""
    params = {"a": np.array([1.0, -2.0])}
    for _ in range(steps):
        optimizer.step(params, {"a": params["a"] * [1, 10]})
    assert 0 <= np.abs(params["a"]).max() < 1e-3
