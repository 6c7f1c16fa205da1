"""Checks of exercise 05."""

import numpy as np


class Toy:
    """Three neurons with four inputs; neuron i stands on its seam at x, the others 1.5 away."""

    def __init__(self, rng, output=-1):
        self.rows = rng.choice([-1, 1], (3, 4)) * rng.uniform(0.5, 1, (3, 4))
        self.i = int(rng.integers(3))
        signs = np.array([-1.0, *rng.permutation([1, 1, -1])])  # of the row; the pivot is last
        pivot = 1 + int(np.flatnonzero(signs[1:] > 0)[0])
        self.signs = signs * rng.choice([-1, 1])
        self.relative = signs
        self.rows[self.i] = self.signs * rng.uniform(0.5, 1, 4)
        self.rows[self.i, pivot] *= 2 / abs(self.rows[self.i, pivot])
        self.outputs = rng.choice([-1, 1], 3) * rng.uniform(0.5, 2, 3)
        self.outputs[self.i] = output * abs(self.outputs[self.i])
        self.x = rng.normal(size=4)
        sides = np.where(np.arange(3) == self.i, 0, rng.choice([-1.5, 1.5], 3))
        self.biases = sides - self.rows @ self.x
        others = (sides > 0) @ (self.outputs[:, None] * self.rows)
        self.own, self.factor = self.rows[self.i], self.outputs[self.i]
        self.sizes = np.abs(self.own * self.factor)
        self.ahead = others + self.factor * np.maximum(self.own, 0)  # the slopes in front of x
        self.middle = others + self.factor * self.own / 2
        self.pivot = pivot

    def f(self, x):
        hidden = np.maximum(self.rows @ np.asarray(x, float) + self.biases, 0)
        return float(self.outputs @ hidden) + 0.7


def step(rng):
    return float(rng.uniform(0.5, 2)) * 1e-3


def test_second_difference(learner, rng):
    toy, c, j = Toy(rng), step(rng), int(rng.integers(4))
    expected = toy.sizes[j] * np.sign(toy.factor)
    at_x = toy.f(toy.x)
    learner.call("second_difference", toy.f, toy.x, np.eye(4)[j], c).equals(
        expected,
        rtol=1e-6,
        atol=1e-8,
        mistakes={
            "divided_by_c_squared": expected / c,
            "forgot_to_divide": expected * c,
            "gradient": toy.ahead[j],
            "gradient__2": toy.middle[j],
            "middle_once": expected + at_x / c,
            "added_the_middle": expected + 4 * at_x / c,
            "half_the_step": expected / 2,
            "sign": -expected,
        },
    )


def test_second_difference__direction(learner, rng):
    toy, c = Toy(rng, output=1), step(rng)
    e = rng.choice([-1, 1], 4) * rng.uniform(0.3, 1, 4)
    bend = abs(toy.own @ e) * toy.factor
    if abs(toy.own @ e) < 0.1:  # too flat to judge
        e = toy.own / 2
        bend = abs(toy.own @ e) * toy.factor
    learner.call("second_difference", toy.f, toy.x, e, c).equals(bend, rtol=1e-6, atol=1e-8)


def test_absolute_row(learner, rng):
    toy, c = Toy(rng), step(rng)
    learner.call("absolute_row", toy.f, toy.x, c).equals(
        toy.sizes,
        rtol=1e-6,
        atol=1e-8,
        mistakes={
            "missing_abs": -toy.sizes,
            "gradient": np.abs(toy.ahead),
            "gradient__2": np.abs(toy.middle),
            "divided_by_c_squared": toy.sizes / c,
            "forgot_to_divide": toy.sizes * c,
            "summed": toy.sizes.sum(),
        },
    )


def test_absolute_row__positive_output(learner, rng):
    toy, c = Toy(rng, output=1), step(rng)
    learner.call("absolute_row", toy.f, toy.x, c).equals(
        toy.sizes, rtol=1e-6, atol=1e-8, mistakes={"negated_always": -toy.sizes}
    )


def test_relative_signs(learner, rng):
    toy, c = Toy(rng), step(rng)
    signs = toy.relative
    pivot = np.arange(4) == toy.pivot
    learner.call("relative_signs", toy.f, toy.x, c, toy.sizes).equals(
        signs,
        mistakes={
            "all_plus": np.ones(4),
            "missing_abs": np.where(pivot, 1.0, -1.0),
            "swapped_sum_and_difference": np.where(pivot, signs, -signs),
            "first_as_partner": -signs,
            "gradient": np.sign(toy.ahead),
            "pivot_zero": np.where(pivot, 0.0, signs),
        },
    )


def test_relative_signs__positive_output(learner, rng):
    toy, c = Toy(rng, output=1), step(rng)
    pivot = np.arange(4) == toy.pivot
    learner.call("relative_signs", toy.f, toy.x, c, toy.sizes).equals(
        toy.relative,
        mistakes={"negated_always": np.where(pivot, 1.0, -1.0)},
    )


def walk(toy, rng):
    """A direction, and how much the slope jumps along it."""
    v = toy.signs * rng.uniform(0.5, 1, 4) + rng.normal(size=4) / 20
    return v, float(abs(toy.factor * (toy.own @ v)))


def test_row_up_to_sign(learner, rng):
    toy, c = Toy(rng), step(rng)
    v, jump = walk(toy, rng)
    row = toy.sizes * toy.relative
    learner.call("row_up_to_sign", toy.f, toy.x, v, jump, c).equals(
        row,
        rtol=1e-5,
        atol=1e-7,
        mistakes={
            "all_plus": toy.sizes,
            "signs_only": toy.relative,
            "sign": -row,
            "unit_length": row / np.linalg.norm(row),
        },
    )


def test_row_up_to_sign__wide_step(learner, rng):
    toy = Toy(rng)
    v, jump = walk(toy, rng)
    answer = learner.call("row_up_to_sign", toy.f, toy.x, v, jump, 4.0)
    if np.shape(answer.value) == (4,):
        misses = abs(abs(np.asarray(answer.value, float) @ v) - jump)
        what = "a row with |row · v| equal to the jump: the step must shrink until it is"
        answer.holds(misses < 1e-5 * jump, what, mistake="crossed_another_seam")
    answer.equals(toy.sizes * toy.relative, rtol=1e-5, atol=1e-7)


def test_row_up_to_sign__refuses(learner, rng):
    toy, c = Toy(rng), step(rng)
    v, jump = walk(toy, rng)
    learner.refuses("row_up_to_sign", toy.f, toy.x, v, 1.5 * jump, c)
