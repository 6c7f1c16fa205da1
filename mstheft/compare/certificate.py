"""A sound bound on how far two networks are apart on a box of inputs: arithmetic, not sampling."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from mstheft.compare.alignment import Alignment, align, align_layers
from mstheft.compare.parameters import Layers, check_same_sizes, checked_layers, layers_of
from mstheft.nn.network import Network
from mstheft.typing import Array

Box = tuple[Array, Array]  # low and high
EPS = float(np.finfo(np.float64).eps)  # 2u: twice the error of one rounding
SMALL = 1e-290  # added to every weight: EPS of it is more than underflow can take anywhere


def certificate(a: Network, b: Network, low: ArrayLike, high: ArrayLike) -> float:
    """ε with max_k |f_a(x) - f_b(x)|_k ≤ ε for every x of a box: sound, and not a sample.

    With h, ĥ the activations of a and b before a layer, and e ≥ |h - ĥ| there,

        W h + b - (Ŵ ĥ + b̂)  =  W (h - ĥ)  +  (W - Ŵ) ĥ + (b - b̂)
        |…|  ≤  |W| e  +  max over the box of ĥ of |ΔW ĥ + Δb|,

    and relu makes no difference larger. The last maximum is exact, as the term is affine. The
    box of ĥ is the range of each activation (interval arithmetic), and where the ranges of h and
    ĥ alone bound |h - ĥ| better, they are taken: a neuron that is off in both adds nothing.

    One hidden layer: b is aligned to a first, and this is at most the plain bound

        Σ_i |A1_i| max|z_i - ẑ_i| + |A1_i - Â1_i| max relu(ẑ_i) + |b1 - b̂1|,

    where a neuron without a partner counts with its whole contribution. No hidden layer: exact.
    Deeper networks must have equal widths. Their neurons are compared in the given order, and
    aligned to a's layer by layer; the lower bound counts, for both hold.

    low, high : scalars or (d,), the box low ≤ x ≤ high
    Returns ε in logits; inf where numbers overflow. It holds for the functions over the *real*
    numbers that the stored parameters define, float32 ones too: the answers that a computer
    gives differ from those by the roundings of its own sums, which ε does not contain. The
    roundings of the certificate itself are bounded and added (Higham 2002, §3.1).
    Raises ValueError for other networks than Dense and relu, and for an empty box.
    """
    check_same_sizes(a, b)
    lows, highs = _box(a.inputs, low, high)
    with np.errstate(over="ignore", invalid="ignore"):
        errors = [_propagate(*pair, lows, highs).max() for pair in _pairs(a, b)]
    return min(math.inf if math.isnan(error) else float(error) for error in errors)


def _propagate(first: Layers, second: Layers, low: Array, high: Array) -> Array:
    """The bound after the last layer, (K,); low, high (d,) is the box of inputs."""
    own = box = low, high  # of a and of b
    error: Array = np.zeros(len(low))
    for depth, ((W, b), (W_, b_)) in enumerate(zip(first, second, strict=True)):
        if depth:
            own, box = _relu(own), _relu(box)
            error = np.minimum(error, _gap(own, box))
        error = _apart_after(W, b, W_, b_, error, *_ball(box))  # (in,) -> (out,)
        own, box = _range(W, b, *_ball(own)), _range(W_, b_, *_ball(box))
        error = np.minimum(error, _gap(own, box))
    return error


def _apart_after(
    W: Array, b: Array, W_: Array, b_: Array, error: Array, center: Array, radius: Array
) -> Array:
    """|W| e + max |ΔW ĥ + Δb| over |ĥ - c| ≤ r:  |ΔW c + Δb| + |ΔW| r, and its roundings.

    γ bounds those of the sum ΔW c, 2 EPS those of ΔW, Δb and of rescaling b, `_up` the others.
    """
    dW, db = W - W_, b - b_
    γ = (len(center) + 2) * EPS
    bound = (
        np.abs(dW @ center + db)
        + np.abs(dW) @ (radius + γ * np.abs(center))
        + 2 * EPS * (_size(W, W_) @ (np.abs(center) + radius) + _size(b, b_))
        + np.abs(W) @ error
    )
    return _up(bound, 3 * len(center))


def _range(W: Array, b: Array, center: Array, radius: Array) -> Box:
    """What W h + b can be for |h - c| ≤ r:  W c + b ± |W| r, and its roundings.

    γ is twice what the sum W c + b needs, which leaves enough for the sum |W| r.
    """
    γ = (len(center) + 4) * EPS
    middle = W @ center + b
    middle = np.where(np.isfinite(middle), middle, np.nan)
    spread = _size(W) @ (radius + γ * (np.abs(center) + radius)) + γ * _size(b)
    return np.nextafter(middle - spread, -np.inf), np.nextafter(middle + spread, np.inf)


def _relu(box: Box) -> Box:
    return np.maximum(box[0], 0), np.maximum(box[1], 0)


def _ball(box: Box) -> Box:
    """Centre c and radius r with c - r ≤ low, high ≤ c + r."""
    low, high = box
    center = (low + high) / 2
    return center, _up(np.maximum(high - center, center - low), 1)


def _gap(own: Box, box: Box) -> Array:
    """max |h - ĥ| for h in own = (low, high) and ĥ in box."""
    return _up(np.maximum(own[1] - box[0], box[1] - own[0]), 1)


def _size(*arrays: Array) -> Array:
    """Σ |array| + SMALL, element by element."""
    return sum((np.abs(each) for each in arrays), np.full(arrays[0].shape, SMALL))


def _up(total: Array, terms: int) -> Array:
    """At least the true value of a sum of so many non-negative products, rounded to `total`.

    In any order of summation, true ≤ total / (1 - n u) (Higham 2002, §3.1), but for underflow.
    """
    return total * (1 + 2 * (terms + 8) * EPS)


def _pairs(a: Network, b: Network) -> list[tuple[Layers, Layers]]:
    """Layers of a and b, row by row to be compared; zeros where a neuron has no partner.

    Rescaling rounds each weight once for its row and once for its column, which is part of the
    roundings that `_apart_after` adds.
    """
    first, second = checked_layers(a, "a"), checked_layers(b, "b")
    if len(first) == len(second) == 2:
        return [_padded(first, align(a, b))]
    widths, others = ([len(bias) for _, bias in layers] for layers in (first, second))
    if widths != others:
        raise ValueError(f"expected equal widths of all layers, got {widths} and {others}")
    given = first, second
    return [given] if len(first) == 1 else [given, (first, layers_of(align_layers(a, b)) or [])]


def _padded(first: Layers, alignment: Alignment) -> tuple[Layers, Layers]:
    """Matched neurons, then a's unmatched ones beside zeros, then zeros beside b's unmatched."""
    (weights, bias), (last, final) = first
    second = layers_of(alignment.model) or []
    alone, others = alignment.unmatched_a, len(alignment.unmatched_b)
    order = [*alignment.neurons, *alone]
    grown = [
        (np.pad(weights[order], ((0, others), (0, 0))), np.pad(bias[order], (0, others))),
        (np.pad(last[:, order], ((0, 0), (0, others))), final),
    ]
    zeros = [len(alignment.neurons)] * len(alone)  # where to put zeros beside a's unmatched
    (weights, bias), (last, final) = second
    return grown, [
        (np.insert(weights, zeros, 0, axis=0), np.insert(bias, zeros, 0)),
        (np.insert(last, zeros, 0, axis=1), final),
    ]


def _box(d: int, low: ArrayLike, high: ArrayLike) -> Box:
    limits = np.asarray(low, np.float64), np.asarray(high, np.float64)
    for name, limit in zip(("low", "high"), limits, strict=True):
        if limit.shape not in ((), (d,)) or not np.isfinite(limit).all():
            raise ValueError(f"expected {name} as a finite number or ({d},) of them, got {limit}")
    lows, highs = (np.broadcast_to(limit, (d,)) for limit in limits)
    if (lows > highs).any():
        j = int((lows > highs).argmax())
        raise ValueError(f"expected low <= high, got {lows[j]} > {highs[j]} for input {j}")
    return lows, highs
