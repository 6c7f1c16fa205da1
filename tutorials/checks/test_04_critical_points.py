"""Checks of exercise 04."""

import numpy as np

from mstheft.course import explain


def pieces(kinks, jumps, slope=0.0, height=0.0):
    """A function of one number with these kinks, and a list of the places at which it was asked."""
    asked = []

    def f(t):
        if np.ndim(t):
            raise ValueError(f"expected one number, got an array of shape {np.shape(t)}")
        asked.append(float(t))
        bends = sum(g * max(float(t) - k, 0.0) for k, g in zip(kinks, jumps, strict=True))
        return height + slope * float(t) + bends

    return f, asked


def test_slope_at(learner, rng):
    t, step = float(rng.uniform(-3, 3)), float(rng.uniform(0.01, 0.2))
    slope, jump, height = (float(v) for v in rng.uniform(0.6, 3, 3))
    f, asked = pieces([t], [jump], slope, height)
    answer = learner.call("slope_at", f, t, step).equals(
        slope + jump,
        mistakes={
            "forgot_the_step": (slope + jump) * step,
            "both_sides": slope + jump / 2,
            "other_side": slope,
            "value_not_slope": height + slope * t,
        },
    )
    answer.costs(len(asked), 2)
    there = all(min(abs(a - t), abs(a - t - step)) < 1e-9 for a in asked)
    answer.holds(there, "f is asked at t and at t + step", "other_places")


def test_slope_at__falling(learner, rng):
    t, step = float(rng.uniform(-3, 3)), float(rng.uniform(0.01, 0.2))
    slope = -float(rng.uniform(0.6, 3))
    f, _ = pieces([], [], slope)
    learner.call("slope_at", f, t, step).equals(slope, mistakes={"size_only": -slope})


def test_slope_at__right_end(learner, rng):
    t, step = float(rng.uniform(-3, 3)), float(rng.uniform(0.01, 0.2))
    slope, jump = (float(v) for v in rng.uniform(0.6, 3, 2))
    f, asked = pieces([t], [jump], slope)
    answer = learner.call("slope_at", f, t, -step).equals(
        slope,
        mistakes={
            "size_of_the_step": -slope,
            "other_side": slope + jump,
            "both_sides": slope + jump / 2,
        },
    )
    answer.costs(len(asked), 2)


def meeting(rng, K):
    """Lines of K outputs that nearly meet at one place: both ends, then p and q."""
    t_star, height = float(rng.uniform(2, 3)), rng.uniform(0.5, 2, K)
    t_l, t_r = t_star - float(rng.uniform(1, 1.8)), t_star + float(rng.uniform(5, 8))
    s_l = rng.uniform(0.5, 2, K) * rng.choice([-1, 1], K)
    jumps = np.roll(np.sort(rng.uniform(0.4, 3, K)), 2)  # of four the second is the largest
    s_r = s_l + jumps * np.resize([1, -1], K)
    f_l, f_r = height + s_l * (t_l - t_star), height + s_r * (t_r - t_star)
    f_r = f_r + 0.2 * rng.uniform(0.5, 1, K) * rng.choice([-1, 1], K)  # rounding
    p, q = f_r - f_l + s_l * t_l - s_r * t_r, s_l - s_r
    return (t_l, f_l, s_l), (t_r, f_r, s_r), p, q


def test_meeting_point(learner, rng):
    left, right, p, q = meeting(rng, 4)
    (t_l, f_l, s_l), (t_r, f_r, s_r) = left, right
    t = float(p @ q / (q @ q))
    rise = f_r - f_l
    swapped, turned = rise + s_r * t_l - s_l * t_r, rise - s_l * t_l + s_r * t_r
    learner.call("meeting_point", left, right).equals(
        t,
        mistakes={
            "mean_of_the_places": (p / q).mean(),
            "median_of_the_places": np.median(p / q),
            "first_output_alone": p[0] / q[0],
            "first_output_alone__2": p[-1] / q[-1],
            "strongest_bend_alone": (p / q)[np.abs(q).argmax()],
            "summed_before": p.sum() / q.sum(),
            "weighted_by_size": np.average(p / q, weights=np.abs(q)),
            "each_output": p / q,
            "other_way_round": (p @ p) / (p @ q),
            "not_divided": p @ q,
            "divided_by_the_length": p @ q / np.sqrt(q @ q),
            "sign": -t,
            "forgot_the_places": rise @ q / (q @ q),
            "swapped_slopes": swapped @ q / (q @ q),
            "sign_of_products": turned @ q / (q @ q),
            "one_product": (rise + s_l * t_l) @ q / (q @ q),
            "one_product__2": (rise - s_r * t_r) @ q / (q @ q),
            "swapped_heights": (p - 2 * rise) @ q / (q @ q),
            "from_the_left_end": t - t_l,
            "middle": (t_l + t_r) / 2,
            "heights_not_place": f_l + s_l * (t - t_l),
            "size_of_the_difference": p @ np.abs(q) / (q @ q),
        },
    )


def test_meeting_point__silent_outputs(learner, rng):
    """Outputs that do not bend at all, whose own quotient would be 0 / 0."""
    (t_l, f_l, s_l), (t_r, f_r, s_r), p, q = meeting(rng, 4)
    s_r[:2], f_r[:2] = s_l[:2], (f_l + s_l * (t_r - t_l))[:2]
    t = float(p[2:] @ q[2:] / (q[2:] @ q[2:]))
    learner.call("meeting_point", (t_l, f_l, s_l), (t_r, f_r, s_r)).equals(t)


def test_meeting_point__one_output(learner, rng):
    (t_l, f_l, s_l), (t_r, f_r, s_r), p, q = meeting(rng, 1)
    ends = (t_l, float(f_l[0]), float(s_l[0])), (t_r, float(f_r[0]), float(s_r[0]))
    learner.call("meeting_point", *ends).equals(float(p[0] / q[0]))


def test_is_kink(learner, rng):
    # whole numbers and halves: nothing is rounded, so that this judges the idea alone
    t_star, slope, jump = (int(v) for v in rng.integers(1, 6, 3))
    f, asked = pieces([t_star], [jump], slope)
    left, right = (
        (t_star - 8.0, slope * (t_star - 8.0), slope),
        (t_star + 8.0, slope * (t_star + 8.0) + 8.0 * jump, slope + jump),
    )
    learner.call("is_kink", f, float(t_star), left, right, 0.5).equals(
        True, mistakes={"swapped_sides": False}
    ).costs(len(asked), 2)


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


def test_is_kink__not_alone(learner, rng):
    """A kink, but f leaves the right line for a while close behind it."""
    f, left, right = bump(rng, 0.2, float(rng.uniform(1, 3)))
    answer = learner.call("is_kink", f, 1.0, left, right, 0.5)
    answer.equals(False, mistakes={"ignored_gap": True})


def test_is_kink__not_alone_before(learner, rng):
    f, left, right = bump(rng, -0.2, float(rng.uniform(1, 3)))
    answer = learner.call("is_kink", f, 1.0, left, right, 0.5)
    answer.equals(False, mistakes={"ignored_gap": True})


def test_is_kink__small_bend(learner, rng):
    """The same, but f leaves the line by a few thousandths only."""
    f, left, right = bump(rng, float(rng.choice([-0.2, 0.2])), float(rng.uniform(0.01, 0.02)))
    answer = learner.call("is_kink", f, 1.0, left, right, 0.5)
    answer.equals(False, mistakes={"loose": True})


def bump(rng, near, size):
    """A kink at 1, and a bump of f beside it, from 1 + near to 1 + 5 near."""
    slope, jump = (float(v) for v in rng.uniform(0.5, 2, 2))
    places = [1 + k * near for k in (1, 3, 5)]
    f, _ = pieces([1.0, *places], [jump, size, -2 * size, size], slope)
    left, right = (-6.0, f(-6.0), slope), (8.0, f(8.0), slope + jump)
    return f, left, right


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


def places(answer, kinks, missing="half_lost", **mistakes):
    """The answer must be these places. Others are told first: invented ones, twice the same."""
    kinks = np.array(kinks)
    if len(kinks):
        mistakes = {**mistakes, "found_nothing": np.zeros(0)}
    got = answer.value
    known = any(explain.same(m, got, 1e-6, 1e-5) for m in mistakes.values())
    if isinstance(got, np.ndarray) and got.ndim == 1 and got.dtype.kind == "f" and not known:
        bends = [np.any(np.abs(kinks - t) < 1e-5) for t in got]
        answer.holds(bends, "only places at which f bends", "invented")
        answer.holds(np.all(np.abs(np.diff(np.sort(got))) > 1e-5), "each kink once", "twice")
        answer.holds(len(got) == len(kinks), f"all kinks, of which there are {len(kinks)}", missing)
    return answer.equals(kinks, rtol=1e-6, atol=1e-5, mistakes=mistakes)


def test_all_kinks(learner, rng):
    kink = float(rng.uniform(-2, 2))
    f, asked = pieces([kink], [float(rng.uniform(0.5, 2))], float(rng.uniform(-1, 1)))
    places(learner.call("all_kinks", f, -3.0, 4.0), [kink]).costs(len(asked), 8)


def test_all_kinks__none(learner, rng):
    f, asked = pieces([], [], float(rng.uniform(0.5, 2)), 1.0)
    places(learner.call("all_kinks", f, -3.0, 4.0), []).costs(len(asked), 6)


def test_all_kinks__two(learner, rng):
    f, kinks, _, _, false = two_kinks(rng)
    places(
        learner.call("all_kinks", f, 0.0, 6.0),
        kinks,
        unchecked=np.array([false]),
        half_lost=np.array(kinks[:1]),
        half_lost__2=np.array(kinks[1:]),
        too_many=np.array([*kinks, 3.0]),
        too_many__2=np.array([kinks[0], 3.0, kinks[1]]),
        unsorted=np.array(kinks[::-1]),
    )


def test_all_kinks__six(learner, rng):
    kinks = np.arange(6) * 1.3 + rng.uniform(0.3, 0.9, 6)
    jumps = rng.uniform(0.7, 2, 6) * rng.permutation([-1, 1, -1, 1, 1, -1])
    f, _ = pieces(kinks, jumps, float(rng.uniform(-1, 1)))
    places(
        learner.call("all_kinks", f, 0.0, 8.0), kinks, "searched_once", searched_once=np.zeros(0)
    )


def test_all_kinks__equal_slopes(learner, rng):
    """Up and down again by the same amount: both ends have one slope, but lie on two lines."""
    first, jump = float(rng.uniform(-2, -1)), float(rng.uniform(0.7, 2))
    kinks = [first, first + float(rng.uniform(1.2, 2))]
    f, _ = pieces(kinks, [jump, -jump], float(rng.uniform(-1, 1)))
    places(learner.call("all_kinks", f, -3.0, 4.0), kinks, equal_slopes=np.zeros(0))


def back_on_the_line(rng):
    """Two kinks; the right end lies on the left end's line, but has another slope."""
    kinks = [float(rng.uniform(1, 2)), float(rng.uniform(3.5, 4.5))]
    jump = float(rng.uniform(0.7, 2))
    back = -jump * (6 - kinks[0]) / (6 - kinks[1])
    return pieces(kinks, [jump, back], float(rng.uniform(-1, 1)))[0], kinks


def test_all_kinks__chord_like_the_left_end(learner, rng):
    f, kinks = back_on_the_line(rng)
    places(learner.call("all_kinks", f, 0.0, 6.0), kinks, one_slope_only=np.zeros(0))


def test_all_kinks__chord_like_the_right_end(learner, rng):
    f, kinks = back_on_the_line(rng)
    answer = learner.call("all_kinks", lambda t: f(6 - t), 0.0, 6.0)
    places(answer, [6 - k for k in kinks[::-1]], one_slope_only=np.zeros(0))
