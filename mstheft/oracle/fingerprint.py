"""What a thing is, in JSON values that hold across processes: by them a journal knows its run."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

import numpy as np

from mstheft.nn.network import Network

DEEPEST = 8  # closures may lead back to themselves


def described(thing: Any, depth: int = DEEPEST) -> Any:
    """A defence by its name and its settings, which for a function are what it has closed over.

    Numbers and words stand for themselves; arrays, networks and generators for a digest of what is
    in them; a method for its name and its owner; anything else for the name of its type. The code
    of a function is not looked at: two lambdas of one place differ by their settings alone.
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

    def inside(parts: Any) -> list[Any]:
        return [described(part, depth - 1) for part in parts]

    if isinstance(thing, dict):
        return dict(zip(map(str, thing), inside(thing.values()), strict=True))
    if isinstance(thing, list | tuple):
        return inside(thing)
    if isinstance(thing, functools.partial):
        return inside([thing.func, thing.args, thing.keywords])
    owner, closed = getattr(thing, "__self__", None), getattr(thing, "__closure__", None)
    if closed:
        return [_name(thing), *inside(cell.cell_contents for cell in closed)]
    if owner is not None:
        return [_name(thing), *inside([owner])]
    return _name(thing if hasattr(thing, "__qualname__") else type(thing))


def victim(asked: Any) -> str | None:
    """By what a journal knows its victim again, or None if there is nothing.

    A network's digest; of anything else, such as a service, the `fingerprint` that it tells.
    """
    return network(asked) if isinstance(asked, Network) else getattr(asked, "fingerprint", None)


def network(victim: Network) -> str:
    """A digest of a network: what it is made of, and its parameters."""
    layers = [[type(layer).__name__, layer.config()] for layer in victim.layers]
    made_of = json.dumps([victim.shape, victim.dtype.name, layers])
    parts = victim.parameters().items()
    named = (part for name, values in parts for part in (name.encode(), values.tobytes()))
    return _digest(made_of.encode(), *named)


def _name(thing: Any) -> str:
    module, own = str(getattr(thing, "__module__", "")), thing.__qualname__
    return f"{module.rpartition('.')[2]}.{own.rpartition('.')[2]}"  # short: a refusal shows it


def _digest(*parts: bytes) -> str:
    content = hashlib.sha256()
    for part in parts:
        content.update(part)
    return content.hexdigest()[:16]
