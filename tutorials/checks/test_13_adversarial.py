"""Checks of exercise 13."""

import numpy as np

import mstheft as mt


def test_input_gradient(learner, rng):
    d, h, k = 4, 6, 3
    shapes = ((h, d), (h,), (k, h), (k,))
    A0, b0, A1, b1 = (rng.choice([-1, 1], s) * rng.uniform(0.4, 1, s) for s in shapes)
    x, y = rng.uniform(0.2, 0.8, d), int(rng.integers(k))
    sides = np.array([1, 1, 1, 1, -1, -1])[rng.permutation(h)]
    b0 = sides * rng.uniform(0.5, 1, h) - A0 @ x
    network = mt.nn.zoo.given([(A0, b0), (A1, b1)])
    p = network.probs(x[None])
    target = np.eye(k)[y][None]
    expected = network.input_gradient(x[None], p - target)[0]
    unmasked = ((p - target) @ A1 @ A0)[0]
    learner.call("input_gradient", A0, b0, A1, b1, x, y).equals(
        expected,
        mistakes={
            "towards_the_class": -expected,
            "forgot_relu": unmasked,
            "gradient_of_a_logit": network.input_gradient(x[None], target)[0],
            "gradient_of_a_logit__2": -network.input_gradient(x[None], target)[0],
            "forgot_the_target": network.input_gradient(x[None], p)[0],
            "logits_not_probs": network.input_gradient(x[None], network.logits(x[None]) - target)[
                0
            ],
        },
    )


def test_input_gradient__large_logits(learner, rng):
    A0, b0 = np.eye(2), np.array([1.0, 1.0])
    A1 = 600.0 * np.array([[1.0, 0.2], [0.3, 1.0]])
    x = np.array([2.0, 2.0]) + rng.uniform(0, 0.1, 2)
    network = mt.nn.zoo.given([(A0, b0), (A1, np.zeros(2))])
    y = 1 - int(network.labels(x[None])[0])
    expected = network.input_gradient(x[None], network.probs(x[None]) - np.eye(2)[y])[0]
    learner.call("input_gradient", A0, b0, A1, np.zeros(2), x, y).equals(
        expected, mistakes={"overflow": np.full(2, np.nan)}, rtol=1e-5
    )


def test_fgsm_step(learner, rng):
    x = rng.uniform(0.4, 0.6, (3, 4))
    gradient = rng.choice([-1, 1], (3, 4)) * rng.uniform(0.1, 0.5, (3, 4))
    eps = float(rng.uniform(0.05, 0.2))
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    learner.call("fgsm_step", x, gradient, eps).equals(
        x + eps * np.sign(gradient),
        mistakes={
            "downhill": x - eps * np.sign(gradient),
            "gradient_not_sign": x + eps * gradient,
            "unit_length": x + eps * gradient / length,
            "step_alone": eps * np.sign(gradient),
            "forgot_eps": np.clip(x + np.sign(gradient), 0, 1),
        },
    )


def test_fgsm_step__limits(learner, rng):
    x = rng.permutation([0.01, 0.02, 0.5, 0.98, 0.99])[None]
    gradient = np.where(x < 0.4, -1.0, 1.0) * rng.uniform(1, 2, (1, 5))
    eps = float(rng.uniform(0.1, 0.2))
    moved = x + eps * np.sign(gradient)
    learner.call("fgsm_step", x, gradient, eps).equals(
        np.minimum(np.maximum(moved, 0), 1),
        mistakes={
            "forgot_to_clip": moved,
            "clipped_the_step": x + np.clip(eps * np.sign(gradient), 0, 1),
        },
    )


def test_deepfool_linear(learner, rng):
    # axes as normals: class 0 wins; class 1 is close in score, class 2 close in distance
    label, near, far = rng.permutation(3)
    size = float(rng.uniform(5, 8))
    W, b, x = np.zeros((3, 4)), np.zeros(3), np.zeros(4)
    W[far, 0], W[near, 1] = 0.2, size
    W += rng.normal(size=4)  # common to all classes: no border moves
    b[label], b[far], b[near] = 3.0, 2.8, 1.0
    b += float(rng.uniform(-1, 1))
    normal = np.eye(4)[1] * size  # of the near class
    step = 2.0 / size * np.eye(4)[1]
    wrong = W[near] / (W[near] @ W[near]) * 2.0
    learner.call("deepfool_linear", W, b, x).equals(
        step,
        mistakes={
            "second_best_score": np.eye(4)[0],
            "sign": -step,
            "not_squared": 2.0 / size * normal,
            "length_not_step": 2.0 / size,
            "normal_of_one_class": wrong,
            "direction_alone": normal,
        },
    )


def test_deepfool_linear__anywhere(learner, rng):
    W, b, x = rng.normal(size=(4, 5)), rng.normal(size=4), rng.normal(size=5)
    network = mt.nn.zoo.given([(W, b)])
    found = mt.adversarial.deepfool(network, x[None], overshoot=1e-3)
    learner.call("deepfool_linear", W, b, x).equals(
        (found.x[0] - x) / (1 + 1e-3), rtol=1e-6, atol=1e-8
    )


def test_transfer_rate(learner, rng):
    n, wrong, fooled = 20, int(rng.integers(3, 6)), int(rng.integers(6, 10))
    classes = rng.integers(1, 4, n)
    before, after = classes.copy(), classes.copy()
    before[:wrong] += 4  # misread from the start
    after[: wrong - 1] += 5  # and differently afterwards, but for one that is now right
    after[wrong : wrong + fooled] += 6
    order = rng.permutation(n)
    learner.call("transfer_rate", classes[order], before[order], after[order]).equals(
        fooled / (n - wrong),
        mistakes={
            "divided_by_all": fooled / n,
            "counted_old_mistakes": (fooled + wrong - 1) / n,
            "changed_not_wrong": (fooled + wrong) / n,
            "old_mistakes_over_right": (fooled + wrong - 1) / (n - wrong),
            "counted": fooled,
            "still_right": 1 - fooled / (n - wrong),
        },
    )


def test_transfer_rate__none(learner, rng):
    classes = rng.integers(0, 4, 6)
    learner.refuses("transfer_rate", classes, classes + 1, classes)
