"""Neurons that a student has too many: which could go, and what that would cost the answers.

Dropping neuron i of a hidden layer, with the next layer w = [W b] refitted to its pre-activations
z = H w, costs

    |Δz|²  =  (w_i G w_iᵀ) / [(HᵀH / n)⁻¹]_ii,    G = E[g gᵀ],  g = d(answer) / dz

mean square of what the answers change. H are the layer's activations with a 1 appended.
Source: Hassibi and Stork 1993 (optimal brain surgeon), there for single weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.nn.gauss_newton import DensePass, Weights
from mstheft.typing import Array

ROUNDING = 1e-14  # of the largest singular value of H: below this there is nothing
SPARE = 0.1  # of the spread of the logits: a neuron that costs more is not spare
SIGNS = 4  # random ±1 vectors over the outputs, sent backwards for E[g gᵀ]


@dataclass(frozen=True)
class Elimination:
    """Neurons in the order in which they go, each the cheapest of those that are left.

    costs : mean square of what the answers change by each
    """

    order: list[int]
    costs: Array


def eliminate(H: Array, z: Array, some: int, metric: Array | None = None) -> Elimination:
    """Drop `some` neurons one by one, always the cheapest, with the next layer refitted.

    H : (n, h + 1) activations with their 1; z : (n, m) pre-activations of the next layer
    metric : (m, m) the G above, the identity unless given
    """
    Q, R = np.linalg.qr(H / np.sqrt(len(H)))
    target = Q.T @ z / np.sqrt(len(H))
    kept, order, costs = list(range(H.shape[1] - 1)), [], []
    for _ in range(some):
        u, size, vt = np.linalg.svd(R[:, [*kept, -1]], full_matrices=False)
        inverse = vt.T / np.maximum(size, ROUNDING * size[0])  # times its transpose: (HᵀH / n)⁻¹
        w = inverse @ (u.T @ target)  # (kept + 1, m)
        change = np.sum(w * w if metric is None else (w @ metric) * w, axis=1)
        cost = change[:-1] / np.sum(inverse[:-1] ** 2, axis=1)
        i = int(np.argmin(cost))
        order.append(kept.pop(i))
        costs.append(max(0.0, float(cost[i])))
    return Elimination(order, np.array(costs))


def activations(here: DensePass, layer: int, is_mirrored: bool) -> Array:
    """[relu(z) 1] of a hidden layer, 0 the first; or [relu(z) relu(-z) 1], (n, h + 1 or 2 h + 1).

        relu(z)  =  relu(-z) + z

    A student may hold -z in place of z, and z by some others together: the mirrored neuron beside
    it makes all of these spare.
    """
    if not is_mirrored:
        return here.inputs[layer + 1]
    z = here.inputs[layer] @ here.weights[layer].T
    return np.hstack([np.maximum(z, 0), np.maximum(-z, 0), np.ones((len(z), 1))])


def layer_costs(
    here: DensePass, layer: int, rng: np.random.Generator, is_mirrored: bool = False
) -> Elimination:
    """The elimination of a whole hidden layer; costs: |Δ answer|, root mean square, and rising.

    Neurons go cheapest first, but one may become cheaper when another is gone: its cost is raised
    to that of the neurons before it. Mirrored neurons are numbered from h on.
    """
    H = activations(here, layer, is_mirrored)
    z = here.inputs[layer + 1] @ here.weights[layer + 1].T
    whole = eliminate(H, z, H.shape[1] - 1, sensitivity(here, layer + 1, rng))
    size = np.sqrt(whole.costs / here.logits.shape[1])
    return Elimination(whole.order, np.maximum.accumulate(size))


def prune(
    here: DensePass, layer: int, misfit: float, rng: np.random.Generator
) -> tuple[Weights, float]:
    """Keep the neurons of a hidden layer, or their mirrored ones, that lie behind the widest gap.

    A neuron of the victim costs as much as it moves the answers, a spare one about as much as the
    student is wrong: costs below its misfit count as that. The gap is the factor between the
    dearest neuron that goes and the cheapest that stays. Returns all layers, and the gap.
    """
    costs = layer_costs(here, layer, rng, is_mirrored=True)
    h, least = len(here.weights[layer]), max(misfit, 1e-300)
    # At least h go: one of each neuron and its mirror.
    levels = np.maximum(costs.costs, least)[h - 1 :]
    is_spare = levels[:-1] < SPARE * here.logits.std()
    ratios = np.where(is_spare, levels[1:] / levels[:-1], 1.0)
    first = int(np.argmax(ratios)) + h
    return without(here, layer, sorted(costs.order[first:])), float(ratios[first - h])


def sensitivity(here: DensePass, layer: int, rng: np.random.Generator) -> Array:
    """G = E[g gᵀ] at the pre-activations of a layer, (m, m), summed over the outputs."""
    moment = np.zeros((len(here.weights[layer]),) * 2)
    for _ in range(SIGNS):
        g = here.gradients(rng.choice([-1.0, 1.0], here.logits.shape))[layer]
        moment += g.T @ g / (SIGNS * len(g))
    return moment


def without(here: DensePass, layer: int, kept: list[int]) -> Weights:
    """Only these neurons of a hidden layer, the next layer refitted to its pre-activations.

    kept : numbers from h on are mirrored neurons
    """
    weights = list(here.weights)
    z = here.inputs[layer + 1] @ weights[layer + 1].T
    H = activations(here, layer, is_mirrored=max(kept) >= len(weights[layer]))
    weights[layer + 1] = refitted(H[:, [*kept, -1]], z)
    weights[layer] = np.vstack([weights[layer], -weights[layer]])[kept]
    return weights


def refitted(H: Array, z: Array) -> Array:
    """The layer [W b] that gives z from activations with their 1, by least squares. (m, h + 1)"""
    return np.linalg.lstsq(H, z, rcond=None)[0].T
