"""The pictures of polishing: the misfit by step, and the error bars of the weights."""

from collections.abc import Iterator

import numpy as np

from mstheft.compare import alignment, parameters
from mstheft.direct.polishing.polish import Polished
from mstheft.nn import Network
from mstheft.plots import polish as polish_plots
from mstheft.plots import style
from mstheft.report.formatting import WIDE, Picture
from mstheft.report.pictures.captions import captioned
from mstheft.typing import Array

UNITS = {"logits": "logits", "log_probs": "ln p", "probs": "probability", "top_k": "probability"}
HIGH = 5.0, 4.2  # inches


def polish_pictures(polished: Polished, victim: Network | None = None) -> Iterator[Picture]:
    """The misfit; then the error bars, held against the true errors where the victim is known."""
    unit = UNITS[polished.output]
    ax = polish_plots.misfit(polished.misfit, polished.noise, unit, style.axes(size=WIDE))
    yield captioned("polish.misfit", ax)
    bars = _joined(polished.error_bars)
    errors = None if victim is None else weight_errors(polished, victim)
    if errors is None:
        weights = _joined(polished.model.parameters())
        ax = polish_plots.error_bars(weights, bars, style.axes(size=HIGH))
        yield captioned("polish.error_bars", ax)
    else:
        ax = polish_plots.true_errors(_joined(errors), bars, style.axes(size=HIGH))
        yield captioned("polish.true_errors", ax)


def _joined(values: dict[str, Array]) -> Array:
    return np.concatenate([values[name].ravel() for name in sorted(values)])


def weight_errors(polished: Polished, victim: Network) -> dict[str, Array] | None:
    """Copy - victim, by the names of `error_bars`; None unless both have the same one hidden layer.

    What no answer tells is taken out, as it is of the error bars: the scale of each relu neuron,
    and one vector added to all logits of a softmax. To first order these move the weights along

        (A0_i, b0_i, -A1_i)  for the scale,     1 in all rows of [A1 b1]  for the softmax,

    and the error is what is left beside them.
    """
    copy = polished.model
    pairs = [parameters.layers_of(each, _activation(copy)) or [] for each in (victim, copy)]
    shapes = [[weights.shape for weights, _ in layers] for layers in pairs]
    if len(pairs[1]) != 2 or shapes[0] != shapes[1]:
        return None
    match = alignment.align(copy, victim)
    (a0, b0), (a1, b1) = pairs[1]
    off = {name: -difference for name, difference in match.differences.items()}
    has_scale = _activation(copy) == "relu"
    has_gauge = polished.output != "logits" and len(b1) > 1
    for i in range(len(a0)):
        scale = np.concatenate([a0[i], [b0[i]], -a1[:, i]])
        gauge = np.concatenate([np.zeros(a0.shape[1] + 1), np.ones(len(b1))])
        known = [way for way, on in ((scale, has_scale), (gauge, has_gauge)) if on]
        error = np.concatenate([off["A0"][i], [off["b0"][i]], off["A1"][:, i]])
        if known:
            basis = np.linalg.qr(np.transpose(known))[0]  # (d + 1 + K, 1 or 2)
            error = error - basis @ (basis.T @ error)
        off["A0"][i], off["b0"][i] = error[: len(a0[i])], error[len(a0[i])]
        off["A1"][:, i] = error[len(a0[i]) + 1 :]
    if has_gauge:
        off["b1"] = off["b1"] - off["b1"].mean()
    first, last = sorted({int(name.split(".")[0]) for name in polished.error_bars})
    names = (f"{first}.W", f"{first}.b", f"{last}.W", f"{last}.b")
    return dict(zip(names, (off["A0"], off["b0"], off["A1"], off["b1"]), strict=True))


def _activation(network: Network) -> str:
    names = [getattr(layer, "name", None) for layer in network.layers]
    return next((name for name in names if name), "relu")
