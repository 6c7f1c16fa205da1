"""How a network learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mstheft.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def curves(history: Any, ax: Axes | None = None) -> Axes:
    """Loss on the training data (left axis) and score on the validation data (right), by epoch.

    history : `nn.fit.History` or anything with `loss`, `validation` and `best`
    """
    ax = style.axes(ax)
    epochs = range(1, len(history.loss) + 1)
    ax.plot(epochs, history.loss, "o-", color=style.VICTIM, markersize=3)
    ax.set_xlabel("epoch")
    ax.set_ylabel("training loss, nats")
    ax.set_ylim(bottom=0)
    if history.validation:
        other = ax.twinx()
        seen = range(1, len(history.validation) + 1)
        other.plot(seen, history.validation, "s-", color=style.COPY, markersize=3)
        other.set_ylabel("share right on validation data", color=style.COPY)
        other.axvline(history.best + 1, color=style.QUIET, linewidth=1)
        note = f"kept: epoch {history.best + 1}, {history.validation[history.best]:.3f}"
        ax.set_title(note, fontsize="medium", color=style.QUIET)
    return ax
