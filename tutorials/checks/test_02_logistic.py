"""Checks of exercise 02."""

import numpy as np

from mstheft.course.learner import Counted


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
            "turned_round": -z,
            "quotient_of_logs": np.log(p) / np.log(1 - p),
            "quotient_of_logs__2": np.log(1 - p) / np.log(p),
            "sum_of_logs": np.log(p * (1 - p)),
            "log_ten": z / np.log(10),
            "brackets": np.full(4, -np.inf),
        },
    )


def test_logit__near_zero_and_one(learner, rng):
    z = rng.uniform(17, 19, size=3) * np.array([1, -1, 1])
    answer = learner.call("logit", 1 / (1 + np.exp(-z)))
    held_back = np.shape(answer.value) == (3,) and np.all(np.abs(answer.value) < 16.9)
    answer.holds(not held_back, f"sizes of up to {np.abs(z).max():.4g}", "clipped")
    answer.equals(z, rtol=1e-5)


def test_logit__refuses_certainty(learner):
    learner.refuses("logit", np.array([0.5, 1.0]), mistakes={"infinite": np.array([0.0, np.inf])})
    learner.refuses("logit", np.array([0.0, 0.25]), mistakes={"infinite": [-np.inf, -np.log(3)]})


def test_solve_logistic(learner, rng):
    d = 4
    x = np.vstack([np.zeros(d), np.eye(d)]) + 0.2 * rng.normal(size=(d + 1, d))
    W, b = undecided(rng, x, 1)
    w, beta = W[0], b[0]
    p = 1 / (1 + np.exp(-(x @ w + beta)))
    A = np.column_stack([x, np.ones(d + 1)])
    raw, log = np.linalg.solve(A, p), np.linalg.solve(A, np.log(p))
    z = x @ w + beta
    learner.call("solve_logistic", x, p).equals(
        (w, beta),
        mistakes={
            "no_logit": (raw[:-1], raw[-1]),
            "log_only": (log[:-1], log[-1]),
            "missing_bias": (np.linalg.lstsq(x, z, rcond=None)[0], 0.0),
            "together": np.append(w, beta),
            "reversed": (beta, w),
            "ones_first": (np.append(beta, w[:-1]), w[-1]),
            "cut_at_the_wrong_end": (np.append(w[1:], beta), w[0]),
            "sign_of_beta": (w, -beta),
            "beta_in_an_array": (w, np.array([beta])),
            "assumed_inputs": (z[1:] - z[0], z[0]),
            "assumed_inputs__2": (np.linalg.solve(x[1:], z[1:] - z[0]), z[0]),
        },
    )


def test_solve_softmax(learner, rng):
    d, K = 3, 6  # d, d + 1 and K differ, so that no slip along an axis has the right shape
    x = np.vstack([np.zeros(d), np.eye(d)]) + 0.2 * rng.normal(size=(d + 1, d))
    W, b = undecided(rng, x, K)
    z = np.exp(x @ W.T + b)
    p = z / z.sum(axis=1, keepdims=True)
    centred, against_last = (W - W.mean(axis=0), b - b.mean()), (W - W[-1], b - b[-1])
    A = np.column_stack([x, np.ones(d + 1)])
    log, raw = np.linalg.solve(A, np.log(p)), np.linalg.solve(A, p - 1 / K)
    right = x @ centred[0].T + centred[1]
    shifted = np.column_stack([centred[1], centred[0]])
    learner.call("solve_softmax", x, p).equals(
        centred,
        mistakes={
            "last_class": against_last,
            "first_class": (W - W[0], b - b[0]),
            "no_gauge": (log[:-1].T, log[-1]),
            "transposed": (centred[0].T, centred[1]),
            "one_vs_rest": one_against_the_rest(A, p),
            "one_vs_rest__2": one_against_the_rest(A, p, centre=True),
            "missing_bias": (np.linalg.lstsq(x, right, rcond=None)[0].T, 0 * b),
            "mean_over_inputs": (log[:-1].T, log[-1] - np.log(p).mean(axis=0)),
            "one_mean_for_all": (log[:-1].T, log[-1] - np.log(p).mean()),
            "half_the_gauge": (centred[0], log[-1]),
            "half_the_gauge__2": (log[:-1].T, centred[1]),
            "ones_first": (shifted[:, :-1], shifted[:, -1]),
            "no_log": (raw[:-1].T, raw[-1]),
            "log_of_the_mean": (log[:-1].T, log[-1] + np.log(K)),
            "together": np.vstack([centred[0].T, centred[1]]),
            "assumed_inputs": ((right[1:] - right[0]).T, right[0]),
        },
    )


def one_against_the_rest(A, p, centre=False):
    """What each class looks like if the others are taken for one."""
    odds = np.log(p / (1 - p))
    theta = np.linalg.solve(A, odds - odds.mean(axis=1, keepdims=True) * centre)
    return theta[:-1].T, theta[-1]


def test_logit_error(learner, rng):
    p = np.append(rng.uniform(0.05, 0.45, 3), rng.uniform(0.55, 0.95, 2))
    decimals = int(rng.choice([1, 2, 4]))  # not that of the example
    step = 10.0**-decimals
    right = step / 2 / (p * (1 - p))
    learner.call("logit_error", p, decimals).equals(
        right,
        mistakes={
            "whole_step": 2 * right,
            "forgot_one_minus": step / 2 / p,
            "forgot_one_minus__2": step / 2 / (1 - p),
            "missing_brackets": step / 2 / p * (1 - p),
            "sign_of_the_exponent": right / step**2,
            "half_to_the_power": right / step * 2 * 0.5**decimals,
            "always_three": right / step * 1e-3,
            "sigmoid_slope": step / 2 * p * (1 - p),
            "same_everywhere": np.full(5, step / 2),
        },
        atol=1e-15,
    )


def test_boundary_point(learner, rng):
    w, halvings = rng.normal(size=3), int(rng.choice([9, 11, 13]))
    inside, outside = rng.uniform(0.5, 2) * w, -rng.uniform(0.5, 2) * w + 0.1 * rng.normal(size=3)
    beta = 0.1 * float(w @ w)

    def label(x):
        return (np.asarray(x, float) @ w + beta > 0).astype(int)

    asked = Counted(label, rows=True)
    share = (inside @ w + beta) / ((inside - outside) @ w)
    whole = 2**halvings
    cell, half_cell = np.floor(share * whole), np.floor(share * whole * 2)
    along = {name: inside + at * (outside - inside) for name, at in {
        "right": (cell + 0.5) / whole, "inner_end": cell / whole, "outer_end": (cell + 1) / whole,
        "wrong_half_in": 1 - 0.5 / whole, "wrong_half_out": 0.5 / whole,
        "once_more": (half_cell + 0.5) / whole / 2, "first_middle": 0.5,
    }.items()}  # fmt: skip
    learner.call("boundary_point", asked, inside, outside, halvings).equals(
        along["right"],
        mistakes={
            "an_end": along["inner_end"],
            "an_end__2": along["outer_end"],
            "wrong_half": along["wrong_half_in"],
            "wrong_half__2": along["wrong_half_out"],
            "once_too_often": along["once_more"],
            "not_halved": along["first_middle"],
        },
        rtol=1e-8,
    ).costs(asked.count, halvings)
