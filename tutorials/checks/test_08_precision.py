"""Checks of exercise 08."""

import math

import numpy as np


def test_noise_level(learner, rng):
    n = int(rng.integers(24, 38))
    third = rng.normal(size=n - 3) + 0.5
    third[5] = 4  # the largest is far from typical
    answers = np.concatenate([[0, 0, 0], np.cumsum(np.cumsum(np.cumsum(third)))])
    t = np.arange(n)
    answers = answers + rng.uniform(5, 9) + rng.uniform(5, 9) * t + rng.uniform(3, 5) * t**2
    right = math.sqrt(np.square(third).mean() / 20)
    size, straight = right * math.sqrt(20), np.square(np.diff(answers, 2)).mean()
    learner.call("noise_level", answers).equals(
        right,
        mistakes={
            "forgot_20": size,
            "divided_by_20": size / 20,
            "second_differences": math.sqrt(straight / 6),
            "six_is_for_the_second": size / math.sqrt(6),
            "sum_of_the_sizes": size / math.sqrt(8),
            "fourth_differences": math.sqrt(np.square(np.diff(third)).mean() / 70),
            "fourth_differences__2": math.sqrt(np.square(np.diff(third)).mean() / 20),
            "spread": answers.std(),
            "without_their_mean": third.std() / math.sqrt(20),
            "wrong_count": right * math.sqrt((n - 3) / n),
            "mean_of_sizes": np.abs(third).mean() / math.sqrt(20),
            "largest": 4 / math.sqrt(20),
            "forgot_the_root": right**2,
        },
    )


def test_best_step(learner, rng):
    noise, curl = float(rng.uniform(1e-9, 1e-6)), float(rng.uniform(4, 9))
    right = np.cbrt(3 * noise / curl)
    learner.call("best_step", noise, curl).equals(
        float(right),
        atol=1e-12,
        mistakes={
            "forward_difference": 2 * math.sqrt(noise / curl),
            "parts_made_equal": float(np.cbrt(6 * noise / curl)),
            "without_the_3": float(np.cbrt(noise / curl)),
            "square_root": math.sqrt(3 * noise / curl),
            "no_root": float(right**3),
            "inverted": float(1 / right),
            "curl_above": float(np.cbrt(3 * noise * curl)),
            "three_below": float(np.cbrt(noise / curl / 3)),
            "error_not_step": float(curl * right**2 / 6 + noise / right),
            "whole_division": 1.0,
            "cube": float((3 * noise / curl) ** 3),
        },
    )


def rounded_ratios(rng, k):
    """Probabilities of four classes, the largest in another place each time; its errors at k."""
    rest = np.array([[0.1, 0.2, 0.05], [0.03, 0.3, 0.12], [0.21, 0.08, 0.16]])
    rest = rest * rng.uniform(0.8, 1, rest.shape)
    p = np.column_stack([1 - rest.sum(axis=1), rest])
    p = np.array([np.roll(row, n) for row, n in zip(p, (1, 2, 3), strict=True)])
    top = np.eye(4)[p.argmax(axis=1)]
    return p, top, 0.5 * 10.0**-k


def test_logit_error(learner, rng):
    k = int(rng.integers(3, 7))
    p, top, delta = rounded_ratios(rng, k)
    best, keep = p.max(axis=1, keepdims=True), 1 - top
    right = keep * (delta / p + delta / best)
    learner.call("logit_error", p, k).equals(
        right,
        atol=1e-12,
        mistakes={
            "whole_unit": 2 * right,
            "two_classes": delta / (p * (1 - p)),
            "two_classes__2": keep * delta / (p * (1 - p)),
            "one_of_the_two": keep * delta / p,
            "one_of_the_two__2": delta / p,
            "subtracted": keep * (delta / p - delta / best),
            "added_by_squares": keep * delta * np.hypot(1 / p, 1 / best),
            "ratio_with_itself": delta / p + delta / best,
            "error_of_p": np.full((3, 4), delta),
            "multiplied": keep * delta * (p + best),
            "largest_of_all": keep * (delta / p + delta / p.max()),
            "wrong_axis": keep * (delta / p + delta / p.max(axis=0)),
            "against_the_last": delta / p + delta / p[:, -1:],
            "against_the_last__2": (delta / p + delta / p[:, -1:]) * [1, 1, 1, 0],
        },
    )


def test_logit_error__rounded_to_nothing(learner, rng):
    k = int(rng.integers(2, 4))
    p, _, delta = rounded_ratios(rng, k)
    small = [[1, 0], [3, 2], [1, 3]]
    for row, (gone, near), share in zip(p, small, (0.6, 0.4, 0.9), strict=True):
        row[[gone, near]] = share * delta, 1.5 * delta
    for row in p:
        row[row.argmax()] += 1 - row.sum()
    top = np.eye(4)[p.argmax(axis=1)]
    best = p.max(axis=1, keepdims=True)
    finite = (1 - top) * (delta / p + delta / best)
    right = np.where(p > delta, finite, np.inf)
    learner.call("logit_error", p, k).equals(
        right,
        atol=1e-12,
        mistakes={
            "finite_at_the_end": finite,
            "end_too_wide": np.where(p > 2 * delta, finite, np.inf),
            "no_infinity": np.where(p > delta, finite, np.nan),
            "no_infinity__2": np.where(p > delta, finite, 0),
            "whole_row": np.where((p > delta).all(axis=1, keepdims=True), finite, np.inf),
            "whole_row__2": np.where(top > 0, 0, np.inf),
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
