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


def softmax(scores):
    p = np.exp(scores - scores.max())
    return p / p.sum()


def back(A0, b0, A1, b1, x, slope):
    z = A0 @ x + b0
    return A0.T @ ((A1.T @ slope(softmax(A1 @ np.maximum(z, 0) + b1))) * (z > 0))


def input_gradient__missing_bias(A0, b0, A1, b1, x, y):
    return back(A0, b0, A1, 0 * b1, x, lambda p: p - np.eye(len(p))[y])


def input_gradient__missing_bias__2(A0, b0, A1, b1, x, y):
    return back(A0, 0 * b0, A1, b1, x, lambda p: p - np.eye(len(p))[y])


def input_gradient__another_class(A0, b0, A1, b1, x, y):
    return back(A0, b0, A1, b1, x, lambda p: p - np.eye(len(p))[p.argmax()])


def input_gradient__another_class__2(A0, b0, A1, b1, x, y):
    return back(A0, b0, A1, b1, x, lambda p: p - np.eye(len(p))[0])


def input_gradient__one_class_alone(A0, b0, A1, b1, x, y):
    return back(A0, b0, A1, b1, x, lambda p: (p - 1) * np.eye(len(p))[y])


def input_gradient__gradient_of_the_probability(A0, b0, A1, b1, x, y):
    return back(A0, b0, A1, b1, x, lambda p: p[y] * (np.eye(len(p))[y] - p))


def input_gradient__relu_for_its_slope(A0, b0, A1, b1, x, y):
    z = A0 @ x + b0
    p = softmax(A1 @ np.maximum(z, 0) + b1)
    p[y] -= 1
    return A0.T @ ((A1.T @ p) * np.maximum(z, 0))


def input_gradient__relu_on_the_way_back_only(A0, b0, A1, b1, x, y):
    z = A0 @ x + b0
    p = softmax(A1 @ z + b1)
    p[y] -= 1
    return A0.T @ ((A1.T @ p) * (z > 0))


def input_gradient__sigmoid_not_softmax(A0, b0, A1, b1, x, y):
    z = A0 @ x + b0
    p = 1 / (1 + np.exp(-(A1 @ np.maximum(z, 0) + b1)))
    p[y] -= 1
    return A0.T @ ((A1.T @ p) * (z > 0))


def fgsm_step__unit_length(x, gradient, eps):
    lengths = np.linalg.norm(gradient, axis=1, keepdims=True)
    return np.clip(x + eps * gradient / lengths, 0, 1)


def fgsm_step__unit_length__2(x, gradient, eps):
    return np.clip(x + eps * gradient / np.abs(gradient).max(), 0, 1)


def fgsm_step__one_end_alone(x, gradient, eps):
    return np.minimum(x + eps * np.sign(gradient), 1)


def fgsm_step__moved_without_slope(x, gradient, eps):
    return np.clip(x + eps * np.where(gradient > 0, 1.0, -1.0), 0, 1)


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


def nearest(W, b, x, length):
    scores = W @ x + b
    k = int(scores.argmax())
    others = [(abs(scores[i] - scores[k]), W[i] - W[k]) for i in range(len(b)) if i != k]
    return min(others, key=lambda other: other[0] / length(other[1]))


def deepfool_linear__city_blocks(W, b, x):
    gap, w = nearest(W, b, x, lambda w: np.abs(w).sum())
    return gap / (w @ w) * w


def deepfool_linear__city_blocks__2(W, b, x):
    gap, w = nearest(W, b, x, lambda w: np.abs(w).sum())
    return gap / np.abs(w).sum() ** 2 * w


def deepfool_linear__squared_too_early(W, b, x):
    gap, w = nearest(W, b, x, lambda w: w @ w)
    return gap / (w @ w) * w


def deepfool_linear__second_best_score__2(W, b, x):
    gap, w = nearest(W, b, x, lambda w: np.abs(w).max())
    return gap / (w @ w) * w


def deepfool_linear__moved_input(W, b, x):
    gap, w = nearest(W, b, x, np.linalg.norm)
    return x + gap / (w @ w) * w


def deepfool_linear__missing_bias(W, b, x):
    gap, w = nearest(W, 0 * b, x, np.linalg.norm)
    return gap / (w @ w) * w


def deepfool_linear__nan(W, b, x):
    gaps = np.abs(W @ x + b - (W @ x + b).max())
    k = int(gaps.argmin())
    i = int((gaps / np.linalg.norm(W - W[k], axis=1)).argmin())
    return gaps[i] / np.linalg.norm(W[i] - W[k]) ** 2 * (W[i] - W[k])


def transfer_rate__accuracy_lost(classes, before, after):
    return float((before == classes).mean() - (after == classes).mean())


def transfer_rate__share_of_the_mistakes(classes, before, after):
    return float((before == classes)[after != classes].mean())


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
