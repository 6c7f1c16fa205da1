"""Are the arguments of a run fit for one another, and are they those of the run before?"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle

CHUNK = 4096  # rows that are read together


def checked(
    oracle: Oracle, pool: Any, new_copy: Callable[[], Network], budget: int
) -> tuple[Array, Network]:
    """The pool as an array and one copy, after a look at whether all fit. Asks nothing.

    Raises ValueError for a pool of other rows than the oracle takes or of fewer than `budget`, and
    for a copy of other inputs or outputs; TypeError for what is no oracle or no Network.
    """
    if not hasattr(oracle, "count"):
        raise TypeError(
            f"expected an Oracle, got {type(oracle).__name__}; wrap it: mt.Oracle(victim)"
        )
    pool, copy = np.asarray(pool), new_copy()
    if pool.ndim < 2 or pool.shape[1:] not in (oracle.shape, (oracle.inputs,)):
        raise ValueError(
            f"expected a pool of rows of shape {oracle.shape}, got an array {pool.shape}; convert "
            "it to what the oracle takes"
        )
    if len(pool) < budget:
        raise ValueError(
            f"expected a pool of at least budget = {budget:,} rows, got {len(pool):,}; give more "
            "or lower budget="
        )
    check_copy(oracle, copy)
    return pool, copy


def check_copy(oracle: Oracle, copy: Any) -> None:
    """Does new_copy build a Network with the oracle's inputs and outputs?"""
    if not isinstance(copy, Network):
        raise TypeError(
            f"expected new_copy() to build a Network, got {type(copy).__name__}; pass a function "
            "such as lambda: mt.nn.zoo.mlp([784, 64, 10], rng=0)"
        )
    same = oracle.outputs in (None, copy.outputs) or {oracle.outputs, copy.outputs} == {1, 2}
    if copy.inputs != oracle.inputs or not same:
        raise ValueError(
            f"expected a copy of {oracle.inputs} inputs and {oracle.outputs} outputs as the "
            f"oracle's, got {copy.inputs} and {copy.outputs}; change new_copy"
        )


def check_training(training: dict[str, Any]) -> None:
    """Can these be epochs, patience, batch and l2? Asked before anything is paid for."""
    for name in ("epochs", "batch", "patience"):
        value: Any = training.get(name, 1)
        if not (name == "patience" and value is None) and (value != int(value) or value < 1):
            raise ValueError(f"expected {name}= as a whole number from 1, got {value}; change it")
    if not (math.isfinite(training["l2"]) and training["l2"] >= 0):
        raise ValueError(f"expected l2= as a number from 0, got {training['l2']}; change it")


def name_of(strategy: Any) -> str:
    """A strategy's name, or where its function is defined."""
    if isinstance(strategy, str):
        return strategy
    return f"{strategy.__module__}.{strategy.__qualname__}"


def of_pool(pool: Array) -> str:
    """Shape, kind and a check sum of all numbers."""
    total = 0
    for i in range(0, len(pool), CHUNK):
        total = zlib.crc32(np.ascontiguousarray(pool[i : i + CHUNK]).data, total)
    return f"{pool.shape} {pool.dtype} {total:08x}"


def of_copies(first: Network, second: Network) -> str:
    """Architecture and a check sum of the parameters that new_copy begins with.

    Raises ValueError where two networks that it built differ: a run that goes on from its
    checkpoint would end with another copy than one that was never interrupted.
    """
    marks = [_of(network) for network in (first, second)]
    if marks[0] != marks[1]:
        raise ValueError(
            "expected new_copy() to build the same network each time when checkpoint= is given, "
            "got two that differ; fix its chance, as in zoo.mlp([784, 64, 10], rng=0)"
        )
    return marks[0]


def _of(network: Network) -> str:
    total = 0
    for name, values in sorted(network.parameters().items()):
        total = zlib.crc32(name.encode() + np.ascontiguousarray(values).tobytes(), total)
    layers = json.dumps([[type(la).__name__, la.config()] for la in network.layers])
    shape = f"{network.shape}->{network.outputs}"
    return f"{shape} {network.dtype} {zlib.crc32(layers.encode(), total):08x}"
