"""Checks of exercise 04."""

import numpy as np


def pieces(kinks, jumps, slope=0.0, height=0.0):
    """A function of one number with these kinks, and a list of the places at which it was asked."""
    asked = []

    def f(t):
        asked.append(float(t))
        bends = sum(g * max(float(t) - k, 0.0) for k, g in zip(kinks, jumps, strict=True))
        return height + slope * float(t) + bends

    return f, asked


def test_slope_at(learner, rng):
    t, step = float(rng.uniform(-3, 3)), float(rng.uniform(0.01, 0.2))
    slope, jump, height = (float(v) for v in rng.uniform(0.6, 3, 3))
    f, _ = pieces([t], [jump], slope, height)
    learner.call("slope_at", f, t, step).equals(
        slope + jump,
        mistakes={
            "forgot_the_step": (slope + jump) * step,
            "both_sides": slope + jump / 2,
            "other_side": slope,
            "value_not_slope": height + slope * t,
        },
    )


def test_slope_at__right_end(learner, rng):
    t, step = float(rng.uniform(-3, 3)), float(rng.uniform(0.01, 0.2))
    slope, jump = (float(v) for v in rng.uniform(0.6, 3, 2))
    f, _ = pieces([t], [jump], slope)
    learner.call("slope_at", f, t, -step).equals(
        slope,
        mistakes={
            "size_of_the_step": -slope,
            "other_side": slope + jump,
            "both_sides": slope + jump / 2,
        },
    )


def test_meeting_point(learner, rng):
    t_star, height = (float(v) for v in rng.uniform(0.5, 2, 2))
    t_l, t_r = t_star - float(rng.uniform(1, 4)), t_star + float(rng.uniform(5, 8))
    s_l, s_r = float(rng.uniform(0.5, 2)), float(rng.uniform(-2, -0.5))
    f_l, f_r = height + s_l * (t_l - t_star), height + s_r * (t_r - t_star)
    learner.call("meeting_point", (t_l, f_l, s_l), (t_r, f_r, s_r)).equals(
        t_star,
        mistakes={
            "height_not_place": height,
            "sign": -t_star,
            "forgot_the_places": (f_r - f_l) / (s_l - s_r),
            "swapped_slopes": (f_r - f_l + s_r * t_l - s_l * t_r) / (s_r - s_l),
            "middle": (t_l + t_r) / 2,
            "added_slopes": (f_r - f_l + s_l * t_l - s_r * t_r) / (s_l + s_r),
        },
    )


def test_is_kink(learner, rng):
    # whole numbers and halves: nothing is rounded, so that this judges the idea alone
    t_star, slope, jump = (int(v) for v in rng.integers(1, 6, 3))
    f, _ = pieces([t_star], [jump], slope)
    left, right = (
        (t_star - 8.0, slope * (t_star - 8.0), slope),
        (t_star + 8.0, slope * (t_star + 8.0) + 8.0 * jump, slope + jump),
    )
    learner.call("is_kink", f, float(t_star), left, right, 0.5).equals(
        True, mistakes={"swapped_sides": False}
    )


def test_is_kink__two_on_the_right(learner, rng):
    """The lines meet left of both kinks, where the value fits the left line."""
    f, _, left, right, false = two_kinks(rng)
    answer = learner.call("is_kink", f, false, left, right, 0.05)
    answer.equals(False, mistakes={"not_looked_behind": True})


def test_is_kink__two_on_the_left(learner, rng):
    """The same in a mirror: the value fits the right line."""
    f, _, left, right, false = two_kinks(rng)

    def mirrored(t):
        return f(-t)

    left, right = ((-t, value, -slope) for t, value, slope in (right, left))
    answer = learner.call("is_kink", mirrored, -false, left, right, 0.05)
    answer.equals(False, mistakes={"not_looked_before": True})


def test_is_kink__rounding(learner, rng):
    for _ in range(5):  # one of five is not exact in the last digit, almost surely
        t_star, slope, jump = (float(v) for v in rng.uniform(0.3, 3, 3))
        f, _ = pieces([t_star], [jump], slope, 1 / 3)
        left, right = (
            (t_star - 7.0, f(t_star - 7.0), slope),
            (t_star + 7.0, f(t_star + 7.0), slope + jump),
        )
        answer = learner.call("is_kink", f, t_star, left, right, 0.3)
        answer.equals(True, mistakes={"exact_comparison": False})


def two_kinks(rng):
    """f, its kinks, both ends, and the place where the end lines meet: on the left piece."""
    first = float(rng.uniform(2, 2.7))
    kinks = [first, float(rng.uniform(3.2, 3.9))]  # one in each half of 0 … 6
    steep, late = float(rng.uniform(4, 5)), float(rng.uniform(0.8, 1.2))
    slope = float(rng.uniform(-1, 1))
    f, asked = pieces(kinks, [steep, -late], slope)
    left, right = (0.0, f(0.0), slope), (6.0, f(6.0), slope + steep - late)
    false = (right[1] - left[1] - right[2] * 6.0) / (left[2] - right[2])
    asked.clear()
    return f, kinks, left, right, false


def test_all_kinks(learner, rng):
    kink = float(rng.uniform(-2, 2))
    f, _ = pieces([kink], [float(rng.uniform(0.5, 2))], float(rng.uniform(-1, 1)))
    learner.call("all_kinks", f, -3.0, 4.0).equals(
        np.array([kink]), rtol=1e-6, atol=1e-5, mistakes={"found_nothing": np.zeros(0)}
    )


def test_all_kinks__none(learner, rng):
    f, _ = pieces([], [], float(rng.uniform(0.5, 2)), 1.0)
    learner.call("all_kinks", f, -3.0, 4.0).equals(np.zeros(0))


def test_all_kinks__two(learner, rng):
    f, kinks, _, _, false = two_kinks(rng)
    answer = learner.call("all_kinks", f, 0.0, 6.0)
    answer.equals(
        np.array(kinks),
        rtol=1e-6,
        atol=1e-5,
        mistakes={
            "unchecked": np.array([false]),
            "half_lost": np.array(kinks[:1]),
            "half_lost__2": np.array(kinks[1:]),
            "too_many": np.array([*kinks, 3.0]),
            "unsorted": np.array(kinks[::-1]),
            "found_nothing": np.zeros(0),
        },
    )


def test_all_kinks__equal_slopes(learner, rng):
    """Up and down again by the same amount: both ends have one slope, but lie on two lines."""
    first, jump = float(rng.uniform(-2, -1)), float(rng.uniform(0.7, 2))
    kinks = [first, first + float(rng.uniform(1.2, 2))]
    f, _ = pieces(kinks, [jump, -jump], float(rng.uniform(-1, 1)))
    learner.call("all_kinks", f, -3.0, 4.0).equals(
        np.array(kinks), rtol=1e-6, atol=1e-5, mistakes={"equal_slopes": np.zeros(0)}
    )
