"""How a network learned."""

from __future__ import annotations

from typing import Protocol

from mstheft.plots import style
from mstheft.plots.style import Axes


class History(Protocol):
    """What a picture takes from `nn.fit.History`: one entry for each epoch, the best epoch."""

    loss: list[float]
    validation: list[float]
    best: int


def curves(history: History, ax: Axes | None = None) -> Axes:
    """Loss on the training data (left axis) and score on the validation data (right), by epoch."""
    ax = style.axes(ax)
    epochs = range(1, len(history.loss) + 1)
    ax.plot(epochs, history.loss, "o-", color=style.VICTIM, markersize=3)
    ax.set(xlabel="epoch", ylabel="training loss, nats")
    ax.set_ylim(bottom=0)
    if history.validation:
        other = ax.twinx()
        validated = range(1, len(history.validation) + 1)
        other.plot(validated, history.validation, "s-", color=style.COPY, markersize=3)
        other.set_ylabel("share right on validation data", color=style.COPY)
        other.axvline(history.best + 1, color=style.QUIET, linewidth=1)
        note = f"best: epoch {history.best + 1}, {history.validation[history.best]:.3f}"
        ax.set_title(note, fontsize="medium", color=style.QUIET)
    return ax
