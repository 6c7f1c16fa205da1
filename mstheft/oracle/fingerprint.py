"""What a thing is, in JSON values that hold across processes: they identify a run to its journal.

Journals store these values: whatever changes them makes every earlier journal one of another run.
"""

import functools
import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from mstheft.nn.network import Network

DEEPEST = 8  # closures may lead back to themselves


def described(thing: object, depth: int = DEEPEST) -> Any:
    """A defence by its name and its settings; the settings of a function are what it closes over.

    Numbers and words stand for themselves; arrays, networks and generators for a digest of their
    content; a method for its name and its owner; anything else for the name of its type. The code
    of a function is not read: two lambdas of one place differ by their settings alone.
    """
    if isinstance(thing, np.generic):
        thing = thing.item()
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, np.ndarray):
        return _digest(f"{thing.dtype.str} {thing.shape}".encode(), thing.tobytes())
    if isinstance(thing, Network):
        return network(thing)
    if isinstance(thing, np.random.Generator):
        return _digest(json.dumps(described(thing.bit_generator.state)).encode())
    if depth == 0:
        return _name(type(thing))

    def inside(parts: Iterable[object]) -> list[Any]:
        return [described(part, depth - 1) for part in parts]

    if isinstance(thing, dict):
        return dict(zip(map(str, thing), inside(thing.values()), strict=True))
    if isinstance(thing, list | tuple):
        return inside(thing)
    if isinstance(thing, functools.partial):
        return inside([thing.func, thing.args, thing.keywords])
    owner, closed_over = getattr(thing, "__self__", None), getattr(thing, "__closure__", None)
    if closed_over:
        return [_name(thing), *inside(cell.cell_contents for cell in closed_over)]
    if owner is not None:
        return [_name(thing), *inside([owner])]
    return _name(thing if hasattr(thing, "__qualname__") else type(thing))


def victim(thing: object) -> str | None:
    """The value by which a journal recognises a victim, or None if there is none.

    A network's digest; of anything else, such as a service, its own `fingerprint`.
    """
    return network(thing) if isinstance(thing, Network) else getattr(thing, "fingerprint", None)


def network(victim: Network) -> str:
    """A digest of a network: its layers and its parameters."""
    layers = [[type(layer).__name__, layer.config()] for layer in victim.layers]
    made_of = json.dumps([victim.shape, victim.dtype.name, layers])
    parts = victim.parameters().items()
    named = (part for name, values in parts for part in (name.encode(), values.tobytes()))
    return _digest(made_of.encode(), *named)


def _name(thing: Any) -> str:
    """'file.function', short because a refusal shows it."""
    module = str(getattr(thing, "__module__", ""))
    return f"{module.rpartition('.')[2]}.{thing.__qualname__.rpartition('.')[2]}"


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
