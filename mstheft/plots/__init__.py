"""Pictures of what was computed elsewhere: data in, `ax=None`, `Axes` out.

Nothing here solves, queries or evaluates, shows a window, or changes matplotlib's settings.
Without `ax` a fresh figure is made; `ax.figure.savefig("name.png")` saves it.
"""

from mstheft.plots import (
    arena,
    deep,
    detection,
    evasion,
    labels,
    learning,
    linear,
    lines,
    polish,
    precision,
    privacy,
    regions,
    smooth,
    style,
    sweep,
    training,
    weights,
)

__all__ = ["arena", "deep", "detection", "evasion", "labels", "learning"]
__all__ += ["linear", "lines", "polish", "precision", "privacy", "regions", "smooth", "style"]
__all__ += ["sweep", "training", "weights"]
