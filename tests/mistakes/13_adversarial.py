"""Known mistakes of exercise 13: FUNCTION__KEY, and KEY is the diagnosis that it must get."""

import numpy as np


def input_gradient__forgot_relu(A0, b0, A1, b1, x, y):
    scores = A1 @ np.maximum(A0 @ x + b0, 0) + b1
    p = np.exp(scores - scores.max())
    p /= p.sum()
    p[y] -= 1
    return A0.T @ (A1.T @ p)


def input_gradient__towards_the_class(A0, b0, A1, b1, x, y):
    z = A0 @ x + b0
    scores = A1 @ np.maximum(z, 0) + b1
    p = np.exp(scores - scores.max())
    p /= p.sum()
    p[y] -= 1
    return -A0.T @ ((A1.T @ p) * (z > 0))


def input_gradient__gradient_of_a_logit(A0, b0, A1, b1, x, y):
    z = A0 @ x + b0
    return A0.T @ (A1[y] * (z > 0))


def input_gradient__overflow(A0, b0, A1, b1, x, y):
    z = A0 @ x + b0
    p = np.exp(A1 @ np.maximum(z, 0) + b1)
    p /= p.sum()
    p[y] -= 1
    return A0.T @ ((A1.T @ p) * (z > 0))


def fgsm_step__downhill(x, gradient, eps):
    return np.clip(x - eps * np.sign(gradient), 0, 1)


def fgsm_step__gradient_not_sign(x, gradient, eps):
    return np.clip(x + eps * gradient, 0, 1)


def fgsm_step__forgot_to_clip(x, gradient, eps):
    return x + eps * np.sign(gradient)


def fgsm_step__step_alone(x, gradient, eps):
    return eps * np.sign(gradient)


def deepfool_linear__second_best_score(W, b, x):
    scores = W @ x + b
    second, k = np.argsort(scores)[-2:]
    w = W[second] - W[k]
    return abs(scores[second] - scores[k]) / (w @ w) * w


def deepfool_linear__not_squared(W, b, x):
    scores = W @ x + b
    k = int(scores.argmax())
    steps = [(abs(s - scores[k]), w - W[k]) for s, w in zip(scores, W, strict=True)]
    steps = [(g / np.linalg.norm(w), w) for i, (g, w) in enumerate(steps) if i != k]
    distance, w = min(steps, key=lambda step: step[0])
    return distance * w


def deepfool_linear__sign(W, b, x):
    scores = W @ x + b
    k = int(scores.argmax())
    steps = [(abs(s - scores[k]), W[k] - w) for s, w in zip(scores, W, strict=True)]
    steps = [(g / np.linalg.norm(w), w) for i, (g, w) in enumerate(steps) if i != k]
    distance, w = min(steps, key=lambda step: step[0])
    return distance * w / np.linalg.norm(w)


def deepfool_linear__length_not_step(W, b, x):
    scores = W @ x + b
    k = int(scores.argmax())
    others = [i for i in range(len(b)) if i != k]
    return min(abs(scores[i] - scores[k]) / np.linalg.norm(W[i] - W[k]) for i in others)


def transfer_rate__divided_by_all(classes, before, after):
    right = before == classes
    if not right.any():
        raise ValueError("none")
    return float((right & (after != classes)).mean())


def transfer_rate__counted_old_mistakes(classes, before, after):
    return float((after != classes).mean())


def transfer_rate__changed_not_wrong(classes, before, after):
    return float((after != before).mean())


def transfer_rate__no_refusal(classes, before, after):
    right = before == classes
    return float((right & (after != classes)).sum() / max(right.sum(), 1))
