"""Values in one or two lines for a learner: the shape first, then six numbers at most."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

LONG = 24  # an array or a list of more entries is cut
WIDE = 80  # a word of more letters is cut


def call(name: str, args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    """A call, with its arguments below it unless they are short."""
    given = [value(a) for a in args] + [f"{k}={value(v)}" for k, v in kwargs.items()]
    line = f"{name}({', '.join(given)})"
    if len(line) <= 80 and "\n" not in line:
        return line
    return "\n".join([f"{name}(", *("    " + g.replace("\n", "\n    ") + "," for g in given), ")"])


def value(thing: object) -> str:
    """One value."""
    if isinstance(thing, np.ndarray):
        return _array(thing)
    if isinstance(thing, np.generic) and not isinstance(thing.item(), np.generic):
        return value(thing.item())
    if isinstance(thing, (float, np.floating)):
        return f"{thing:.7g}"
    if isinstance(thing, (tuple, list)):
        left, right = "()" if isinstance(thing, tuple) else "[]"
        return left + _listed(list(map(value, _outermost(thing))), len(thing)) + right
    if isinstance(thing, dict):
        pairs = [f"{value(k)}: {value(v)}" for k, v in _outermost(list(thing.items()))]
        return "{" + _listed(pairs, len(thing)) + "}"
    if isinstance(thing, str):
        cut = f"{thing[:WIDE]!r}… ({len(thing):,} letters)"
        return repr(thing) if len(thing) <= WIDE else cut
    if isinstance(thing, np.random.Generator):
        return "rng"
    if hasattr(thing, "query"):
        return "oracle"
    if callable(thing):
        return getattr(thing, "__name__", "function").strip("<>")
    return repr(thing)


def near(path: Path) -> str:
    """The path as one would type it here."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return str(path)
    return str(path) if relative.startswith(os.path.join("..", "..", "..")) else relative


def _outermost(things: Sequence[Any]) -> Sequence[Any]:
    """The first and last three of many things, or all of up to `LONG`."""
    return things if len(things) <= LONG else [*things[:3], *things[-3:]]


def _listed(shown: list[str], count: int) -> str:
    if len(shown) < count:
        shown = [*shown[:3], f"… ({count:,} in all)", *shown[3:]]
    return ", ".join(shown)


def _array(array: np.ndarray) -> str:
    kind = "" if array.dtype.kind == "f" else f" {array.dtype}"
    title = f"array {array.shape}{kind}"
    if array.size == 0:
        return title
    with np.printoptions(
        precision=5, threshold=LONG, edgeitems=3, linewidth=78, suppress=_plain(array)
    ):
        text = str(array)
    return f"{title} {text}" if "\n" not in text else f"{title}\n{text}"


def _plain(array: np.ndarray) -> bool:
    """Numbers of ordinary size are shown without powers of ten."""
    if array.dtype.kind != "f":
        return False
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    return bool(sizes.size and sizes.max() < 1e5 and sizes.min() > 1e-3)
