"""Defences that change a service's answers; a new one is a function (n, K) -> (n, K) here.

A large one gets a file beside this one. Its word for --defence goes into `parse.WORDS`.

They cost honest users something (`cost`) and thieves, it is hoped, more. An oracle applies any of
them, and several one after the other:

    defended = [responses.option(responses.noise, scale=0.05, rng=0),
                responses.option(responses.rounding, decimals=2)]
    oracle = mt.Oracle(victim, "probs", defences=defended)

K ≥ 2 throughout: a sigmoid's answer p is (1 - p, p). A response may keep the simplex (no number
below 0, each row adds up to 1), or the label (the same class is the largest).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mstheft.nn import functions as F
from mstheft.nn.losses import one_hot
from mstheft.nn.network import Network
from mstheft.oracle.defended import largest
from mstheft.typing import Array, Rng


def option(function: Callable[..., Array], **settings: Any) -> Callable[[Array, Array], Array]:
    """Make an entry of an Oracle's `defences=`: a function of (probs (n, K), x (n, d)).

    settings : of the function. A callable one, such as wrong=network.probs, receives the rows x of
        every batch; rng=seed starts one Generator that lasts
    """
    if "rng" in settings:
        settings["rng"] = np.random.default_rng(settings["rng"])

    def defence(probs: Array, x: Array) -> Array:
        values = {name: value(x) if callable(value) else value for name, value in settings.items()}
        return function(probs, **values)

    return defence


class Cost(NamedTuple):
    """The loss of honest users.

    before, after : share of rows answered with the right label, without and with the defence
    l1 : mean of ‖ỹ - y‖₁ over rows, 0 … 2
    """

    before: float
    after: float
    l1: float


def cost(before: Array, after: Array, labels: np.ndarray) -> Cost:
    """The cost of a defence on rows with right labels (n,). before, after : (n, K)."""
    before, after = np.asarray(before), np.asarray(after)
    right = [float((y.argmax(axis=1) == labels).mean()) for y in (before, after)]
    return Cost(right[0], right[1], float(np.abs(after - before).sum(axis=1).mean()))


# ---- less information


def rounding(probs: Array, decimals: int) -> Array:
    """Round to so many decimals:  |ỹ_k - y_k| ≤ ½ 10^-decimals.

    Keeps neither the simplex (a row adds up to 1 only nearly) nor, where two classes round to the
    same number, the label. Source: Tramèr et al. 2016, section 7.
    """
    return np.round(probs, decimals)


def top_k(probs: Array, k: int) -> Array:
    """Give the k largest probabilities, 0 for the others; of equal ones the first.

    Keeps the label. A row then adds up to less than 1.
    """
    if not 1 <= k <= np.shape(probs)[1]:
        raise ValueError(f"expected k from 1 to {np.shape(probs)[1]}, got {k}; change it")
    return largest(probs, k)


def label_only(probs: Array) -> Array:
    """Give the most likely class alone:  ỹ_k = [k = argmax y]. Keeps simplex and label."""
    return one_hot(np.argmax(probs, axis=1), np.shape(probs)[1])


# ---- changed answers


def noise(probs: Array, scale: float, rng: Rng) -> Array:
    """Add noise and return to the simplex:  ỹ = Π(y + N(0, s² I)), Π the nearest point of it.

    scale : s from 0 to 1, a probability. Keeps the simplex, not the label. Many queries of one row
    average the noise away.
    Source: the random-noise baseline of Orekondy et al. 2020.
    """
    if not 0 <= scale <= 1:
        raise ValueError(f"expected scale from 0 to 1, got {scale}; 0.01 to 0.2 are usual")
    return to_simplex(probs + np.random.default_rng(rng).normal(0, scale, np.shape(probs)))


def to_simplex(points: Array) -> Array:
    """Nearest point of the simplex:  Π(v) = max(v - t, 0), t such that it adds up to 1. (n, K).

    With u = v sorted downwards, t = (Σ_{j≤r} u_j - 1) / r for the largest r with u_r > that t.
    Source: Duchi et al. 2008, figure 1.
    """
    falling = -np.sort(-points, axis=1)  # u
    candidates = (np.cumsum(falling, axis=1) - 1) / np.arange(1, points.shape[1] + 1)  # (n, K)
    last = (falling > candidates).sum(axis=1) - 1
    return np.maximum(points - candidates[np.arange(len(points)), last][:, None], 0)


def reverse_sigmoid(probs: Array, beta: float, gamma: float) -> Array:
    """Move every probability towards ½ so that many inputs share an answer, then normalise.

        ỹ ∝ y - β (σ(γ logit y) - ½)

    beta : β from 0 to 1, how far;  gamma : γ > 0, how steep
    Keeps the simplex. Keeps the label if γ ≥ 1 and β γ < 1: what is subtracted then grows more
    slowly than y. Source: Lee et al. 2019 ('Defending against neural network model stealing attacks
    using deceptive perturbations'), equations 3 and 4.
    """
    if not (0 <= beta <= 1 and gamma > 0):
        raise ValueError(f"expected 0 <= beta <= 1 and gamma > 0, got {beta}, {gamma}; change them")
    moved = probs - beta * (F.sigmoid(gamma * F.logit(probs)) - 0.5)
    return moved / moved.sum(axis=1, keepdims=True)


def adaptive_misinformation(probs: Array, wrong: Array, tau: float, nu: float) -> Array:
    """Answer inputs unlike the training data with the answers of another network.

        ỹ = (1-α) y + α y_mis,   α = 1 / (1 + e^{ν (p_max - τ)}),   p_max = max_k y_k

    Honest questions are mostly answered surely, and a thief's, being foreign, are not.

    wrong : y_mis (n, K), of a network that learned to be wrong; as an option wrong=network.probs
    tau : τ, the sureness at which α = ½;  nu : ν > 0, how sudden, 1000 in the paper
    Keeps the simplex, not the label. Source: Kariyappa and Qureshi 2020, section 4.
    """
    alpha = F.sigmoid(nu * (tau - probs.max(axis=1, keepdims=True)))
    return (1 - alpha) * probs + alpha * wrong


# ---- maximising angular deviation


def mad(probs: Array, gradients: Array, radius: float, *, keep_label: bool = False) -> Array:
    """Turn the gradient that the copy will learn from, as far as a small change can.

        max_ỹ ‖ Gᵀỹ / ‖Gᵀỹ‖ - Gᵀy / ‖Gᵀy‖ ‖²    with ỹ in the simplex, ‖ỹ - y‖₁ ≤ radius

    in two steps, as in the paper: the best extreme y* of the simplex, out of all of them; and from
    y towards it as far as the radius lets, ỹ = (1-α) y + α y*, α = min(1, radius / ‖y* - y‖₁).

    gradients : G (n, K, D), row k that of -ln p_k of the copy by its weights; `surrogate_gradients`
    radius : 0 … 2; a row of the simplex is never further than 2 from another
    keep_label : only extremes of the part of the simplex where y's label is largest: the means of
        corners with the label's among them, 2^(K-1) of them, so K ≤ 16; of K corners otherwise
    Keeps the simplex, and the label with `keep_label`. Costs O(n (K or 2^(K-1)) (K + D)).
    Source: Orekondy et al. 2020 ('Prediction poisoning', arXiv 1906.10908), sections 4 and 4.1.
    """
    probs, gradients = np.asarray(probs, float), np.asarray(gradients, float)
    if not 0 <= radius <= 2:
        raise ValueError(f"expected radius from 0 to 2, got {radius}; change it")
    defended = np.empty_like(probs)
    corners = np.eye(probs.shape[1])
    for i, (y, g) in enumerate(zip(probs, gradients, strict=True)):
        extremes = label_keeping(probs.shape[1], int(y.argmax())) if keep_label else corners
        best = extremes[deviation(extremes, y, g).argmax()]
        alpha = min(1, radius / max(np.abs(best - y).sum(), 1e-300))
        defended[i] = (1 - alpha) * y + alpha * best
    return defended


def deviation(candidates: Array, y: Array, gradients: Array) -> Array:
    """MAD's objective: how far the gradient's direction is turned, squared, 0 … 4.

    candidates : (m, K);  y : (K,);  gradients : G (K, D).  Returns (m,). A gradient of 0, as where
    the surrogate already answers y, has no direction and counts as 0.
    """
    turned, straight = candidates @ gradients, y @ gradients  # Gᵀỹ (m, D), Gᵀy (D,)
    lengths = np.linalg.norm(turned, axis=1, keepdims=True), np.linalg.norm(straight)
    apart = turned / np.where(lengths[0], lengths[0], 1) - straight / (lengths[1] or 1)
    return (apart**2).sum(axis=1)


def label_keeping(classes: int, label: int) -> Array:
    """Extremes of the part of the simplex where `label` is largest: (2^(K-1), K).

    Means of corners, with 1e-5 more weight on the label so that it wins, as in the authors' code.
    """
    if classes > 16:
        raise ValueError(f"expected at most 16 classes, got {classes}; use keep_label=False")
    others = np.array(list(itertools.product([0.0, 1.0], repeat=classes - 1)))  # (2^(K-1), K-1)
    weights = np.insert(others, label, 1 + 1e-5, axis=1)
    return weights / weights.sum(axis=1, keepdims=True)


def surrogate_gradients(surrogate: Network) -> Callable[[Array], Array]:
    """The gradients of a copy for each label, as `mad`'s G: rows x (n, d) -> (n, K, K).

        G_kj = ∂(-ln p_k) / ∂z_j = p_j - [k = j],   z the logits, p the surrogate's softmax

    By the last layer's weights the gradient of row k is the outer product of this and the layer's
    input h. All have the same h, so `mad` gets the same angles from these K numbers as from K·h.

    surrogate : the defender's guess at the copy, its last layer Dense with K ≥ 2 outputs
    """

    def gradients(x: Array) -> Array:
        return surrogate.probs(x)[:, None, :] - np.eye(surrogate.outputs)  # (n, K, K)

    return gradients
