"""The pictures of the attack on two hidden layers."""

from __future__ import annotations

from collections.abc import Iterator

from mstheft.figures.exact import line_pictures
from mstheft.nn import Network
from mstheft.report import Picture
from mstheft.result import Result


def deep_pictures(victim: Network, result: Result, side: int | None = None) -> Iterator[Picture]:
    """The figures of `direct.deep`, as far as the attack came; `side` as in `linear_pictures`."""
    if result.trace.seen:
        yield from line_pictures(result.trace.seen[0].line)
