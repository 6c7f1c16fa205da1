"""Checks of exercise 13."""

import numpy as np

import mstheft as mt


def test_input_gradient(learner, rng):
    d, h, k = 4, 6, 3
    shapes = ((h, d), (h,), (k, h), (k,))
    A0, b0, A1, b1 = (rng.choice([-1, 1], s) * rng.uniform(0.4, 1, s) for s in shapes)
    x = rng.uniform(0.2, 0.8, d)
    sides = np.array([1, 1, 1, 1, -1, -1])[rng.permutation(h)]
    b0 = sides * rng.uniform(0.5, 1, h) - A0 @ x
    network = mt.nn.zoo.given([(A0, b0), (A1, b1)])
    p, logits, z = network.probs(x[None]), network.logits(x[None]), A0 @ x + b0
    y = int(rng.choice([c for c in range(1, k) if c != p.argmax()]))
    target = np.eye(k)[y][None]

    def gradient(slope, network=network):
        return network.input_gradient(x[None], slope)[0]

    def without(first, second):
        biases = b0 * (not first), b1 * (not second)
        bare = mt.nn.zoo.given([(A0, biases[0]), (A1, biases[1])])
        return gradient(bare.probs(x[None]) - target, bare)

    linear = np.exp(A1 @ z + b1)
    expected = gradient(p - target)
    learner.call("input_gradient", A0, b0, A1, b1, x, y).equals(
        expected,
        mistakes={
            "towards_the_class": -expected,
            "forgot_relu": ((p - target) @ A1 @ A0)[0],
            "relu_for_its_slope": (((p - target) @ A1 * np.maximum(z, 0)) @ A0)[0],
            "relu_on_the_way_back_only": gradient(linear / linear.sum() - target),
            "gradient_of_a_logit": gradient(target),
            "gradient_of_a_logit__2": -gradient(target),
            "one_class_alone": gradient((p - target) * target),
            "gradient_of_the_probability": -p[0, y] * expected,
            "gradient_of_the_probability__2": p[0, y] * expected,
            "forgot_the_target": gradient(p),
            "another_class": gradient(p - np.eye(k)[:1]),
            "another_class__2": gradient(p - np.eye(k)[p.argmax()]),
            "logits_not_probs": gradient(logits - target),
            "sigmoid_not_softmax": gradient(1 / (1 + np.exp(-logits)) - target),
            "missing_bias": without(True, False),
            "missing_bias__2": without(False, True),
            "missing_bias__3": without(True, True),
            "sign_alone": np.sign(expected),
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
    eps = float(rng.uniform(0.15, 0.3))
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    largest = np.abs(gradient).max(axis=1, keepdims=True)
    moved = x + eps * np.sign(gradient)
    learner.call("fgsm_step", x, gradient, eps).equals(
        moved,
        mistakes={
            "downhill": x - eps * np.sign(gradient),
            "gradient_not_sign": x + eps * gradient,
            "unit_length": x + eps * gradient / length,
            "unit_length__2": x + eps * gradient / np.linalg.norm(gradient),
            "unit_length__3": x + eps * gradient / largest,
            "unit_length__4": x + eps * gradient / largest.max(),
            "step_alone": eps * np.sign(gradient),
            "step_alone__2": np.clip(eps * np.sign(gradient), 0, 1),
            "forgot_eps": np.clip(x + np.sign(gradient), 0, 1),
        },
    )


def test_fgsm_step__limits(learner, rng):
    x = rng.permutation([0.01, 0.02, 0.5, 0.98, 0.99])[None]
    gradient = np.where(x < 0.4, -1.0, 1.0) * rng.uniform(1, 2, (1, 5))
    eps = float(rng.uniform(0.1, 0.2))
    moved = x + eps * np.sign(gradient)
    right = np.minimum(np.maximum(moved, 0), 1)
    learner.call("fgsm_step", x, gradient, eps).equals(
        right,
        mistakes={
            "forgot_to_clip": moved,
            "one_end_alone": np.minimum(moved, 1),
            "one_end_alone__2": np.maximum(moved, 0),
            "clipped_the_step": x + np.clip(eps * np.sign(gradient), 0, 1),
            "took_the_step_back": np.where(right == moved, moved, x),
        },
    )


def test_fgsm_step__flat(learner, rng):
    """Entries that the loss does not feel stay where they are."""
    x = rng.uniform(0.4, 0.6, (2, 5))
    gradient = rng.choice([-1, 1], (2, 5)) * rng.uniform(0.1, 0.5, (2, 5))
    gradient[[0, 1], rng.integers(5, size=2)] = 0
    eps = float(rng.uniform(0.15, 0.3))
    step = eps * np.sign(gradient)
    learner.call("fgsm_step", x, gradient, eps).equals(
        x + step,
        mistakes={
            "moved_without_slope": x + np.where(gradient == 0, eps, step),
            "moved_without_slope__2": x + np.where(gradient == 0, -eps, step),
        },
    )


def test_deepfool_linear(learner, rng):
    # Five classes, by distance: the nearest border (1.0); one with a small normal (1.2), so that
    # its score is close; one whose normal has many entries (1.3); one with a long normal (1.5)
    d, axes, signs = 6, rng.permutation(6), rng.choice([-1.0, 1.0], 6)
    E = np.eye(d)[axes] * signs[:, None]
    normals = np.array([(E[0] + E[1]) / np.sqrt(2), 0.3 * E[2], signs / np.sqrt(d), 3 * E[3]])
    gaps = np.array([1.0, 1.2, 1.3, 1.5]) * np.linalg.norm(normals, axis=1)
    label, x = int(rng.integers(1, 5)), rng.normal(size=d)
    order = np.append(rng.permutation(np.delete(np.arange(5), label)), label)
    if order[0] == (label + 1) % 5:  # the nearest class is not the next one
        order[:4] = np.roll(order[:4], 1)
    W = np.concatenate([normals, np.zeros((1, d))])[np.argsort(order)]
    W += rng.normal(size=d)  # common to all classes: no border moves
    b = np.append(-gaps, 0)[np.argsort(order)] + float(rng.uniform(-1, 1)) - W @ x
    steps = gaps[:, None] * normals / (normals**2).sum(axis=1, keepdims=True)
    near, w = steps[0], W[order[0]]
    sums = np.abs(normals[2]).sum()
    bare = mt.nn.zoo.given([(W, np.zeros(5))])
    learner.call("deepfool_linear", W, b, x).equals(
        near,
        mistakes={
            "second_best_score": steps[1],
            "city_blocks": steps[2],
            "city_blocks__2": steps[2] / sums,
            "city_blocks__3": steps[2] / sums**2,
            "squared_too_early": steps[3],
            "sign": -near,
            "moved_input": x + near,
            "not_squared": gaps[0] * normals[0],
            "length_not_step": np.linalg.norm(near),
            "normal_of_one_class": w / (w @ w) * gaps[0],
            "direction_alone": normals[0] / np.linalg.norm(normals[0]),
            "own_class": np.zeros(d),
            "missing_bias": (mt.adversarial.deepfool(bare, x[None], overshoot=1e-3).x[0] - x)
            / (1 + 1e-3),
        },
    )


def test_deepfool_linear__scaled(learner, rng):
    # two classes: the length of the normal counts, once for the distance and once for the way
    w, x = rng.normal(size=3), rng.normal(size=3)
    length = float(rng.uniform(3, 5))
    w *= length / np.linalg.norm(w)
    gap, label = float(rng.uniform(1, 2)), int(rng.integers(2))
    W, scores = rng.normal(size=(2, 3)), np.array([-gap, -gap])
    W[1 - label], scores[label] = W[label] + w, 0.0
    learner.call("deepfool_linear", W, scores - W @ x, x).equals(
        gap / length**2 * w,
        mistakes={
            "not_squared": gap / length * w,
            "direction_alone": w,
            "direction_alone__2": w / length,
            "sign": -gap / length**2 * w,
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
    n, wrong, fooled = 31, int(rng.integers(3, 6)), int(rng.integers(6, 10))
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
            "accuracy_lost": (fooled - 1) / n,
            "share_of_the_mistakes": fooled / (fooled + wrong - 1),
            "clean_for_changed": 1 / (n - wrong - fooled + 1),
        },
    )


def test_transfer_rate__none(learner, rng):
    classes = rng.integers(0, 4, 6)
    learner.refuses("transfer_rate", classes, classes + 1, classes)
