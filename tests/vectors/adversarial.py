"""Adversarial examples on models where they can be computed by hand."""

from exact import (
    Net,
    case,
    document,
    dot,
    formula,
    jacobian,
    label,
    length,
    logits,
    mp,
    mpf,
    plus,
    softmax,
    times,
    turned,
)  # fmt: skip

NET = {"network": "its weights [(A0, b0), …] and activation", "x": "(n, d)"}
USUAL = mpf(0.02)
GOODFELLOW = "Goodfellow, Shlens and Szegedy 2015, section 4"
MADRY = "Madry et al. 2018, section 2.1"
MOOSAVI = "Moosavi-Dezfooli, Fawzi and Frossard 2016, algorithms 1 and 2"
LINEAR = Net([([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.5]], [0.1, -0.2, 0.3])])
BINARY = Net([([[3.0, -4.0]], [0.5])])
RELU = Net([([[1.0, -1.0], [0.5, 2.0]], [0.25, -0.5]), ([[1.0, -2.0], [-1.0, 1.5]], [0.0, 0.5])])


def loss_slope(network, x, y):
    """∂L/∂x of the cross-entropy of class y."""
    z = logits(network, x)
    if len(z) == 1:
        seed = [1 / (1 + mp.exp(-z[0])) - y]
    else:
        with mp.workdps(1000):  # 1 - p_y of a network that is sure
            seed = [p - int(k == y) for k, p in enumerate(softmax(z))]
            return times(turned(jacobian(network, x)), seed)
    return times(turned(jacobian(network, x)), seed)


def clipped(row, low, high):
    return [min(max(v, mpf(low)), mpf(high)) for v in row]


def fgsm(network, x, y, eps, low=0.0, high=1.0):
    steps = [
        [int(mp.sign(g)) for g in loss_slope(network, row, c)] for row, c in zip(x, y, strict=True)
    ]
    return [clipped(plus(row, step, eps), low, high) for row, step in zip(x, steps, strict=True)]


def corner(network, x, y, eps, rng, low=0.0, high=1.0):
    """On a linear network the steps of PGD all go one way, and end in the corner of the ball."""
    return fgsm(network, x, y, eps, low, high)


def nearest(network, row, overshoot=USUAL):
    """One step of DeepFool: on a linear network it is the last."""
    z, slopes = logits(network, row), jacobian(network, row)
    if len(z) == 1:
        z, slopes = [mpf(0), z[0]], [[mpf(0)] * len(row), slopes[0]]
    k = label(z)
    others = [j for j in range(len(z)) if j != k]
    ways = {j: plus(slopes[j], slopes[k], -1) for j in others}
    best = min(others, key=lambda j: abs(z[j] - z[k]) / length(ways[j]))
    step = abs(z[best] - z[k]) / dot(ways[best], ways[best])
    moved = plus(row, ways[best], (1 + overshoot) * step)
    there = logits(network, moved)
    assert label(there if len(there) > 1 else [mpf(0), there[0]]) != k
    return {"x": moved, "norms": length(plus(moved, row, -1))}


def deepfool(network, x, overshoot=USUAL):
    found = [nearest(network, row, overshoot) for row in x]
    return {name: [each[name] for each in found] for name in ("x", "norms")}


def build():
    y = {"y": "(n,) right classes", "eps": "size of the step"}
    return document(
        "adversarial",
        "Adversarial examples on models where they can be computed by hand",
        formula(
            "adversarial/fgsm", fgsm, "x' = clip(x + ε sgn ∂L(x, y)/∂x, low, high)",
            {**NET, **y}, "(n, d)", GOODFELLOW,
            case("fgsm-classes", {"network": LINEAR, "x": [[0.5, 0.5], [0.25, 0.75]],
                                  "y": [0, 2], "eps": 0.1},
                 "the step goes down the loss, or has length ε in L2"),
            case("fgsm-sigmoid", {"network": BINARY, "x": [[0.5, 0.5], [0.5, 0.5]],
                                  "y": [0, 1], "eps": 0.1},
                 "both classes move the same way: the label does not enter"),
            case("fgsm-relu", {"network": RELU, "x": [[0.75, 0.25], [0.1, 0.9]],
                               "y": [1, 0], "eps": 0.05},
                 "neurons that are off are counted as on"),
            case("fgsm-clipped", {"network": BINARY, "x": [[0.95, 0.02]], "y": [0],
                                  "eps": 0.1},
                 "inputs leave [0, 1]"),
            case("fgsm-flat", {"network": Net([([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0])]),
                               "x": [[0.5, 0.5]], "y": [0], "eps": 0.1},
                 "sgn 0 taken for 1: an input without effect is moved"),
            case("fgsm-sure", {"network": Net([([[900.0, 0.0], [0.0, 900.0]], [0.0, 0.0])]),
                               "x": [[1.0, 0.0]], "y": [0], "eps": 0.1},
                 "1 - p rounds to 0 where the network is sure: the gradient is 0, nothing moves"),
            abs=1e-15,
        ),
        formula(
            "adversarial/pgd", corner,
            "x ← clip(Π_ball(x + step · sgn ∂L/∂x), low, high): on a linear network the corner",
            {**NET, **y}, "(n, d)", MADRY,
            case("pgd-corner", {"network": BINARY, "x": [[0.5, 0.5], [0.4, 0.6]], "y": [0, 1],
                                "eps": 0.1},
                 "the ball is left, or the steps are too short to cross it",
                 options={"rng": 0}),
            case("pgd-clipped", {"network": BINARY, "x": [[0.95, 0.02]], "y": [0], "eps": 0.1},
                 "clipping to the box and to the ball undo one another", options={"rng": 0}),
            rel=1e-9,
        ),
        formula(
            "adversarial/deepfool", deepfool,
            "l* = argmin |f_l - f_k| / ‖w_l‖, w_l = ∂(f_l - f_k)/∂x; "
            "x' = x + (1 + overshoot) |f_l* - f_k| / ‖w_l*‖² w_l*; one logit: |f| / ‖w‖",
            NET, "x (n, d), norms (n,) ‖x' - x‖₂", MOOSAVI,
            case("deepfool-sigmoid", {"network": BINARY, "x": [[1.0, 0.25], [-0.5, 1.0]]},
                 "f / ‖w‖² as the distance, or a step away from the boundary for class 0"),
            case("deepfool-classes", {"network": LINEAR, "x": [[2.0, 1.0], [0.5, -2.0],
                                                               [-1.5, 2.0]]},
                 "the second largest logit is taken for the nearest class"),
            case("deepfool-far-rival",
                 {"network": Net([([[4.0, 0.0], [3.0, 0.0], [-8.0, 1.0]], [1.0, 0.5, 0.0])]),
                  "x": [[1.0, 0.0]]},
                 "the smallest gap |f_l - f_k| wins, not divided by ‖w_l‖"),
            case("deepfool-overshoot", {"network": BINARY, "x": [[1.0, 0.25]]},
                 "the overshoot is added rather than multiplied, or left out",
                 options={"overshoot": 0.5}),
            rel=1e-9, abs=1e-12,
        ),
    )  # fmt: skip
