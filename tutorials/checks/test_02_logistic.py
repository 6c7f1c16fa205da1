"""Checks of exercise 02."""

import numpy as np


def undecided(rng, x, classes):
    """A linear victim whose probabilities at x are neither near 0 nor near 1."""
    d = x.shape[1]
    return rng.normal(size=(classes, d)) / np.sqrt(d), rng.normal(size=classes) + 0.5


def test_logit(learner, rng):
    z = rng.uniform(0.3, 3, size=4) * np.array([1, -1, 1, -1])
    p = 1 / (1 + np.exp(-z))
    learner.call("logit", p).equals(
        z,
        mistakes={
            "forgot_one_minus": np.log(p),
            "odds": p / (1 - p),
            "sigmoid": 1 / (1 + np.exp(-p)),
        },
    )


def test_logit__near_zero_and_one(learner, rng):
    z = rng.uniform(9, 12, size=3) * np.array([1, -1, 1])
    learner.call("logit", 1 / (1 + np.exp(-z))).equals(z, rtol=1e-5)


def test_logit__refuses_certainty(learner):
    learner.refuses("logit", np.array([0.5, 1.0]), mistakes={"infinite": np.array([0.0, np.inf])})
    learner.refuses("logit", np.array([0.0, 0.25]))


def test_solve_logistic(learner, rng):
    d = 4
    x = np.vstack([np.zeros(d), np.eye(d)]) + 0.2 * rng.normal(size=(d + 1, d))
    W, b = undecided(rng, x, 1)
    w, beta = W[0], b[0]
    p = 1 / (1 + np.exp(-(x @ w + beta)))
    A = np.column_stack([x, np.ones(d + 1)])
    raw, log = np.linalg.solve(A, p), np.linalg.solve(A, np.log(p))
    learner.call("solve_logistic", x, p).equals(
        (w, beta),
        mistakes={
            "no_logit": (raw[:-1], raw[-1]),
            "log_only": (log[:-1], log[-1]),
            "missing_bias": (np.linalg.lstsq(x, x @ w + beta, rcond=None)[0], 0.0),
            "together": np.append(w, beta),
            "reversed": (beta, w),
        },
    )


def test_solve_softmax(learner, rng):
    d, K = 3, 4
    x = np.vstack([np.zeros(d), np.eye(d)]) + 0.2 * rng.normal(size=(d + 1, d))
    W, b = undecided(rng, x, K)
    z = np.exp(x @ W.T + b)
    p = z / z.sum(axis=1, keepdims=True)
    centred, against_last = (W - W.mean(axis=0), b - b.mean()), (W - W[-1], b - b[-1])
    A = np.column_stack([x, np.ones(d + 1)])
    log = np.linalg.solve(A, np.log(p))
    learner.call("solve_softmax", x, p).equals(
        centred,
        mistakes={
            "last_class": against_last,
            "no_gauge": (log[:-1].T, log[-1]),
            "transposed": (centred[0].T, centred[1]),
            "one_vs_rest": one_against_the_rest(A, p),
            "missing_bias": (
                np.linalg.lstsq(x, (x @ centred[0].T + centred[1]), rcond=None)[0].T,
                0 * b,
            ),
        },
    )


def one_against_the_rest(A, p):
    """What each class looks like if the others are taken for one."""
    theta = np.linalg.solve(A, np.log(p / (1 - p)))
    return theta[:-1].T, theta[-1]


def test_logit_error(learner, rng):
    p, decimals = rng.uniform(0.05, 0.45, size=5), int(rng.integers(2, 6))
    step = 10.0**-decimals
    right = step / 2 / (p * (1 - p))
    learner.call("logit_error", p, decimals).equals(
        right,
        mistakes={
            "whole_step": 2 * right,
            "forgot_one_minus": step / 2 / p,
            "sigmoid_slope": step / 2 * p * (1 - p),
            "same_everywhere": np.full(5, step / 2),
        },
    )


def test_boundary_point(learner, rng):
    w, halvings = rng.normal(size=3), 12
    inside, outside = rng.uniform(0.5, 2) * w, -rng.uniform(0.5, 2) * w + 0.1 * rng.normal(size=3)
    beta = 0.1 * float(w @ w)

    def label(x):
        return (x @ w + beta > 0).astype(int)

    share = (inside @ w + beta) / ((inside - outside) @ w)
    whole = 2**halvings
    cell = np.floor(share * whole)
    along = {name: inside + at * (outside - inside) for name, at in {
        "right": (cell + 0.5) / whole, "inner_end": cell / whole, "outer_end": (cell + 1) / whole,
        "wrong_half_in": 1 - 0.5 / whole, "wrong_half_out": 0.5 / whole,
    }.items()}  # fmt: skip
    learner.call("boundary_point", label, inside, outside, halvings).equals(
        along["right"],
        mistakes={
            "an_end": along["inner_end"],
            "an_end__2": along["outer_end"],
            "wrong_half": along["wrong_half_in"],
            "wrong_half__2": along["wrong_half_out"],
        },
        rtol=1e-8,
    )
