"""The result of a loader: the data, and how much of a published set it is; and its errors."""

from collections.abc import Collection
from os import PathLike
from typing import TypeVar

import numpy as np

from mstheft.errors import DataError

Items = TypeVar("Items")


class Loaded(tuple[Items, np.ndarray]):
    """A pair (x, y), and in `.extent` how much of the published set it is.

    x, y = images.cifar10("train")        # an ordinary pair
    images.cifar10("train").extent         # '10,000 of 50,000 training images: data_batch_1'
    """

    extent: str

    def __new__(cls, x: Items, y: np.ndarray, extent: str) -> "Loaded[Items]":
        """The pair with its extent."""
        pair = super().__new__(cls, (x, y))
        pair.extent = extent
        return pair

    @property
    def x(self) -> Items:
        """The inputs: an array of images, or a list of texts."""
        return self[0]

    @property
    def y(self) -> np.ndarray:
        """The labels, (n,) int64."""
        return self[1]

    def __getnewargs__(self) -> tuple[Items, np.ndarray, str]:
        return self[0], self[1], self.extent


Images = Loaded[np.ndarray]
Texts = Loaded[list[str]]


def how_many(got: int, of: int, what: str, which: str) -> str:
    """'all 50,000 training images', or '10,000 of 50,000 training images: data_batch_1'.

    got, of : number of items here, and in the complete set;  which : the name of a part
    """
    return f"all {of:,} {what}" if got == of else f"{got:,} of {of:,} {what}: {which}"


def check_split(split: str, splits: Collection[str]) -> None:
    """Refuse the name of a split that a data set does not have."""
    if split not in splits:
        raise ValueError(f"split must be one of {', '.join(splits)}; got {split!r}")


def damaged(where: str | PathLike[str], expected: str, got: str) -> DataError:
    """Build the error for a file that is not what it should be."""
    return DataError(f"{where}: expected {expected}, got {got[:80]}; get the file again")
