"""Model theft, explained by doing it: exact and learned copies of networks in plain NumPy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded when they are first used: importing this package takes no time
    from mstheft import (
        adversarial,
        compare,
        data,
        defend,
        direct,
        errors,
        learning,
        nn,
        oracle,
        plots,
    )
    from mstheft.errors import ExtractionError
    from mstheft.learning.steal import steal
    from mstheft.nn import Network
    from mstheft.oracle import Oracle

__version__ = "0.1.0"
__all__ = [
    "ExtractionError",
    "Network",
    "Oracle",
    "adversarial",
    "compare",
    "data",
    "defend",
    "direct",
    "errors",
    "learning",
    "nn",
    "oracle",
    "plots",
    "steal",
]
_CLASSES = {  # where they lie
    "ExtractionError": "errors",
    "Network": "nn",
    "Oracle": "oracle",
    "steal": "learning.steal",
}
_SMALL = ("progress", "result", "typing")  # modules that need no place in `__all__`


def __getattr__(name: str) -> object:
    """A room, or one of the names that everybody needs."""
    if name not in (*__all__, *_SMALL):
        raise AttributeError(f"module 'mstheft' has no attribute {name!r}")
    room = importlib.import_module(f"mstheft.{_CLASSES.get(name, name)}")
    thing = globals()[name] = getattr(room, name) if name in _CLASSES else room
    return thing


def __dir__() -> list[str]:
    """What tab completion shows."""
    return sorted([*__all__, "__version__"])
