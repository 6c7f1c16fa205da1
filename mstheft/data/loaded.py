"""What a loader returns: the data, and how much of the published set it is."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Loaded", "how_many"]


class Loaded(tuple):
    """A pair (x, y) that also knows, as `.found`, what was found.

        x, y = images.cifar10("train")        # an ordinary pair
        images.cifar10("train").found         # '10,000 of 50,000 training images: data_batch_1'

    A subset is a sound thing to work with as long as nobody takes it for the whole.
    """

    found: str

    def __new__(cls, x: Any, y: np.ndarray, found: str) -> Loaded:
        """Put the pair together."""
        pair = super().__new__(cls, (x, y))
        pair.found = found
        return pair

    @property
    def x(self) -> Any:
        """The inputs."""
        return self[0]

    @property
    def y(self) -> np.ndarray:
        """The labels."""
        return self[1]

    def __getnewargs__(self) -> tuple[Any, np.ndarray, str]:
        return self[0], self[1], self.found


def how_many(got: int, of: int, what: str, which: str) -> str:
    """Say 'all 50,000 training images', or '10,000 of 50,000 training images: data_batch_1'.

    got, of : number found, and number in the complete set
    which : what the part is, said only if it is one
    """
    return f"all {of:,} {what}" if got == of else f"{got:,} of {of:,} {what}: {which}"
