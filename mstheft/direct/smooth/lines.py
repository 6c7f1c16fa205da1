"""Stage 3 on smooth networks: pull one neuron at a time, and read scale, bias and output weights.

Along the dual direction w_i of a neuron only its own z moves, so that the answers trace its
activation:

    f(y + t w_i)  =  constant + A1[:, i] σ(z_i + s_i t)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft import progress
from mstheft.direct.smooth.subspace import Subspace, ask
from mstheft.nn.layers import Activation
from mstheft.typing import Array, Oracle

OCTAVES = 2.0 ** np.arange(-4, 5)  # how far a neuron is pulled, in units of its bending
GRID = 33  # biases tried first on a curve, for every scale


@dataclass
class SmoothNetwork:
    """A hidden layer and the last one: f = A1 σ(rows y + offsets) + bias.

    rows : (h, n); offsets : (h,); weights : (K, h) A1; bias : (K,)
    name : of σ
    """

    rows: Array
    offsets: Array
    weights: Array
    bias: Array
    name: str

    def hidden(self, y: Array) -> Array:
        """z = rows y + offsets, (n, h)."""
        return y @ self.rows.T + self.offsets

    def answers(self, y: Array) -> Array:
        """(n, K)."""
        return self.activation(self.hidden(y)) @ self.weights.T + self.bias

    def activation(self, z: Array) -> Array:
        """σ(z)."""
        return Activation.FUNCTIONS[self.name][0](z)

    def slope(self, z: Array) -> Array:
        """σ'(z)."""
        return Activation.FUNCTIONS[self.name][1](z)


@dataclass
class Curves:
    """What pulling showed: t (n,), points y (h, n, h), answers (h, n, K), and the fit (h,).

    z, scale : of σ(z + scale t); misfit : what the fit leaves, relative to how far the curve moves
    """

    t: Array
    points: Array
    answers: Array
    z: Array
    scale: Array
    misfit: Array


def pull(
    oracle: Oracle, space: Subspace, starts: Array, duals: Array, unit: float, activation: str
) -> tuple[SmoothNetwork, Curves]:
    """Every neuron along its dual direction, from -16 to 16 units; then the last layer.

    starts : (h, h) y where each neuron's line starts; duals : (h, h) the w_i as columns
    unit : a t after which a neuron bends
    Costs 18 h queries.
    """
    h = len(starts)
    t = unit * np.concatenate([-OCTAVES[::-1], OCTAVES])
    points = starts[:, None, :] + t[None, :, None] * duals.T[:, None, :]  # (h, n, h)
    answers = ask(oracle, points.reshape(-1, h) @ space.axes.T).reshape(h, len(t), -1)
    with progress.bar("lines", h, "neuron") as bar:
        fits = []
        for each in answers:
            fits.append(fit_curve(t, each, activation))
            bar.update(1)
    z, scale, misfit = np.array(fits).T
    rows = scale[:, None] * np.linalg.inv(duals)
    offsets = z - np.sum(rows * starts, axis=1)
    network = SmoothNetwork(rows, offsets, np.zeros((0, h)), np.zeros(0), activation)
    network = last_layer(network, points.reshape(-1, h), answers.reshape(-1, answers.shape[2]))
    return network, Curves(t, points, answers, z, scale, misfit)


def along(curves: Curves, network: SmoothNetwork, i: int) -> tuple[Array, tuple[Array, Array]]:
    """Neuron i's curve as numbers to draw: answers along A1_i, and the network's in between.

    Returns (n,) answers at `curves.t`, and (m,) t with (m,) values of the model. No queries.
    """
    output = network.weights[:, i] / max(float(np.linalg.norm(network.weights[:, i])), 1e-300)
    first, last = curves.points[i, 0], curves.points[i, -1]
    last_turn = float(np.arcsinh(len(curves.t) ** 2))
    t = np.sinh(np.linspace(-last_turn, last_turn, 401)) / np.sinh(last_turn) * curves.t[-1]
    y = (first + last) / 2 + np.multiply.outer(t / (2 * curves.t[-1]), last - first)
    return curves.answers[i] @ output, (t, network.answers(y) @ output)


def fit_curve(t: Array, answers: Array, activation: str) -> tuple[float, float, float]:
    """z and s of answers ≈ a σ(z + s t) + b, by variable projection: a, b follow from z, s.

    With K outputs the curve is a multiple of one vector A1_i: it is seen along that one. First all
    of a grid of z and s, then Gauss-Newton in two unknowns.
    t : (n,); answers : (n, K)
    Returns z, s, misfit. The sign of s is free for odd activations, and positive then. No queries.
    """
    from scipy.optimize import least_squares

    shape = Activation.FUNCTIONS[activation][0]
    centred = answers - answers.mean(axis=0)
    curve = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]  # (n,)
    size = max(float(np.linalg.norm(curve)), 1e-300)
    unit = np.median(np.abs(t))
    scales = 2.0 ** np.arange(-4, 4.5, 0.5) / unit
    if activation == "softplus":
        scales = np.concatenate([scales, -scales])

    def left(pair: Array) -> Array:
        return unexplained(shape(pair[0] + pair[1] * t / unit), curve / size)

    z, s = (each.ravel() for each in np.meshgrid(np.linspace(-4, 4, GRID), scales))
    tried = shape(z[:, None] + s[:, None] * t)  # (pairs, n)
    best = int(np.linalg.norm(unexplained(tried, curve / size), axis=1).argmin())
    start = [z[best], s[best] * unit]
    solved = least_squares(left, start, x_scale="jac", xtol=1e-14, ftol=1e-14, gtol=1e-14)
    elsewhere = max(0, (np.linalg.norm(centred) / size) ** 2 - 1)  # across A1_i
    misfit = np.sqrt(np.linalg.norm(solved.fun) ** 2 + elsewhere)
    return float(solved.x[0]), float(solved.x[1] / unit), float(misfit)


def unexplained(shapes: Array, curve: Array) -> Array:
    """What is left of a centred curve (n,) after its projection on centred shapes (…, n)."""
    shapes = shapes - shapes.mean(axis=-1, keepdims=True)
    size = np.maximum(np.linalg.norm(shapes, axis=-1, keepdims=True), 1e-300)
    shapes = shapes / size
    return curve - (shapes @ curve)[..., None] * shapes


def last_layer(network: SmoothNetwork, y: Array, answers: Array) -> SmoothNetwork:
    """A1 and b1 by linear least squares on [σ(z), 1]. No queries."""
    features = np.hstack([network.activation(network.hidden(y)), np.ones((len(y), 1))])
    solved = np.linalg.lstsq(features, answers, rcond=None)[0]
    return SmoothNetwork(network.rows, network.offsets, solved[:-1].T, solved[-1], network.name)
