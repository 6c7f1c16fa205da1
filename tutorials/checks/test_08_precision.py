"""Checks of exercise 08."""

import math

import numpy as np


def test_noise_level(learner, rng):
    n = int(rng.integers(24, 38))
    bends = rng.normal(size=n - 2) + 0.5
    bends[5] = 4  # the largest is far from typical
    start, slope = rng.uniform(5, 9, size=2)
    rounding = np.concatenate([[0, 0], np.cumsum(np.cumsum(bends))])
    answers = start + slope * np.arange(n) + rounding
    right = math.sqrt(np.square(bends).mean() / 6)
    learner.call("noise_level", answers).equals(
        right,
        mistakes={
            "forgot_6": right * math.sqrt(6),
            "divided_by_6": right / math.sqrt(6),
            "first_differences": math.sqrt(np.square(np.diff(answers)).mean() / 2),
            "spread": answers.std(),
            "without_their_mean": bends.std() / math.sqrt(6),
            "wrong_count": right * math.sqrt((n - 2) / n),
            "mean_of_sizes": np.abs(bends).mean() / math.sqrt(6),
            "largest": 4 / math.sqrt(6),
            "forgot_the_root": right**2,
        },
    )


def test_best_step(learner, rng):
    noise, bend = float(rng.uniform(1e-9, 1e-6)), float(rng.uniform(2, 9))
    right = math.sqrt(4 * noise / bend)
    learner.call("best_step", noise, bend).equals(
        right,
        atol=1e-12,
        mistakes={
            "without_the_2": right / 2,
            "one_answer": right / math.sqrt(2),
            "no_root": right**2,
            "inverted": 4 / right,
            "error_not_step": right * bend,
        },
    )


def test_logit_error(learner, rng):
    p, k = rng.uniform(0.1, 0.9, size=5), int(rng.integers(3, 7))
    delta = 0.5 * 10.0**-k
    spread = p - p**2
    learner.call("logit_error", p, k).equals(
        delta / spread,
        atol=1e-12,
        mistakes={
            "whole_unit": 2 * delta / spread,
            "error_of_p": np.full(5, delta),
            "multiplied": delta * spread,
            "one_side": delta / p,
        },
    )


def test_logit_error__at_the_ends(learner, rng):
    k = int(rng.integers(2, 5))
    delta = 0.5 * 10.0**-k
    p = np.array([0.4 * delta, 0.5, 1 - 0.4 * delta, 1.5 * delta, 1 - 1.5 * delta])
    finite, inf = delta / (p - p**2), np.inf
    right = np.array([inf, 4 * delta, inf, *finite[3:]])
    learner.call("logit_error", p, k).equals(
        right,
        atol=1e-12,
        mistakes={
            "finite_at_the_ends": finite,
            "one_end": np.array([inf, *finite[1:]]),
            "one_end__2": np.array([*finite[:2], inf, *finite[3:]]),
            "ends_too_wide": np.array([inf, 4 * delta, inf, inf, inf]),
            "no_infinity": np.array([np.nan, 4 * delta, np.nan, *finite[3:]]),
            "no_infinity__2": np.array([0, 4 * delta, 0, *finite[3:]]),
        },
    )


def test_decimals_needed(learner, rng):
    k, step = int(rng.integers(5, 10)), 10.0 ** rng.uniform(-3.4, -2.6)
    tolerance = 10.0 ** (0.6 - k) / step  # 0.6: what is rounded to the nearest fails as well
    learner.call("decimals_needed", tolerance, step).equals(
        k,
        mistakes={
            "rounded_down": k - 1,
            "forgot_the_step": math.ceil(-math.log10(tolerance)),
            "natural_log": math.ceil((k - 0.6) * math.log(10)),
            "one_too_many": k + 1,
        },
    )


def test_decimals_needed__both_answers(learner, rng):
    k, step = int(rng.integers(5, 10)), 10.0 ** rng.uniform(-3.4, -2.6)
    tolerance = 10.0 ** (0.85 - k) / step
    learner.call("decimals_needed", tolerance, step).equals(k, mistakes={"one_answer": k - 1})


def test_decimals_needed__hardly_enough(learner, rng):
    k, step = int(rng.integers(5, 10)), 10.0 ** rng.uniform(-3.4, -2.6)
    tolerance = 10.0 ** (0.15 - k) / step
    learner.call("decimals_needed", tolerance, step).equals(k, mistakes={"counted_twice": k + 1})


def test_decimals_needed__just_enough(learner, rng):
    k = int(rng.integers(2, 6))
    learner.call("decimals_needed", 1.0, float(f"1e-{k}")).equals(
        k, mistakes={"one_too_many": k + 1}
    )
