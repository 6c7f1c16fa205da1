"""The German traffic signs (GTSRB): photographs of a drive past, cut out and scaled.

A track is one sign, photographed up to 30 times while the car comes nearer:

    00005/00003_00000.ppm  00005/00003_00001.ppm  ...  00005/00003_00029.ppm
    class track frame      the same sign, a little larger           ... much larger

Frames of one track are almost the same picture. If some of them are trained on and others
tested on, the test rewards remembering: so whole tracks go to one side.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from mstheft.data import archives, registry
from mstheft.data.formats import read_ppm
from mstheft.data.loaded import Images, Loaded, check_split, how_many
from mstheft.data.scaling import convert

_TRAINING = ("gtsrb/GTSRB-Training_fixed.zip", "gtsrb/GTSRB_Final_Training-subset.tar.gz")
_OFFICIAL = ("gtsrb/GTSRB_Final_Test_Images.zip", "gtsrb/GTSRB_Final_Test_GT.zip")
_SIZE = 32
_ALL, _ALL_OFFICIAL = 26_640, 12_630
_IMAGE = re.compile(r"(?:.*?/)??(\d{5}/)?(\d{5}(?:_\d{5})?\.ppm)")
_COLUMNS = ("Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId")


class _Sign(NamedTuple):
    """A row of the CSV files: the place of the sign in the image, and its class."""

    left: int
    top: int
    right: int  # the first column behind the sign
    bottom: int  # the first row behind it
    label: int


def gtsrb(split: str = "train", *, flat: bool = False, dtype: DTypeLike = np.float32) -> Images:
    """Read the traffic signs from the data folder, each cut out and scaled to 32 x 32 x 3.

    The region of interest of the CSV is cut out, [x1, x2) by [y1, y2), and both sides are
    scaled to 32 (see `scaling.resize`).

    split : "train" or "test", which part the published training images by track (see
        `test_tracks`), the same for the complete archive and its subset; or "official", the
        published test images
    flat : rows of 3072 numbers (pixel by pixel, R G B together), else images
    dtype : float32 or float64
    Returns x (n, 32, 32, 3) or (n, 3072) in [0, 1], y (n,) int64 from 0 to 42, and in `.extent`
    how many of how many.
    Raises ValueError for another split or dtype, DataError if an archive is missing or differs.
    Source: Stallkamp, Schlipsing, Salmen and Igel 2012, 'Man vs. computer', Neural Networks 32.
    """
    check_split(split, ("train", "test", "official"))
    if split == "official":
        path, table = (registry.find(name) for name in _OFFICIAL)
        signs = _read_signs(table)
        extent = how_many(len(signs), _ALL_OFFICIAL, "official test images", "not the original")
    else:
        path = registry.find(*_TRAINING)
        every = _read_signs(path)
        held_out = test_tracks(list(every))
        signs = {k: v for k, v in every.items() if (_track(k) in held_out) == (split == "test")}
        extent = how_many(len(every), _ALL, "training images", "some of every track")
        extent = f"{len(signs):,} images for {split!r}, of {extent}"
    x, y = _cut_out(path, signs, dtype)
    return Loaded(x.reshape(len(x), -1) if flat else x, y, extent)


def test_tracks(images: list[str]) -> set[str]:
    """Choose the tracks to test on: of each class the 3rd, 7th, 11th ... in the order of numbers.

    That is a quarter, in classes of few tracks between 1 of 6 and 2 of 7; a class with fewer than
    3 tracks has none. It depends on nothing but the tracks that there are.

    images : names as 'CCCCC/TTTTT_FFFFF.ppm' (class, track, frame)
    Returns the chosen tracks, as 'CCCCC/TTTTT'.
    """
    by_class: dict[str, list[str]] = {}
    for track in sorted({_track(image) for image in images}):
        by_class.setdefault(track[:5], []).append(track)
    return {track for of_class in by_class.values() for track in of_class[2::4]}


test_tracks.__test__ = False  # type: ignore[attr-defined]  # pytest takes its name for a test


def _track(image: str) -> str:
    """'CCCCC/TTTTT_FFFFF.ppm' -> 'CCCCC/TTTTT'."""
    return image.split("_")[0]


def _read_signs(path: Path) -> dict[str, _Sign]:
    """Read every CSV file with labels in an archive: {'CCCCC/TTTTT_FFFFF.ppm': sign}.

    Official test images have no class before their name, and a table without labels besides.
    """
    signs: dict[str, _Sign] = {}
    for name, content in archives.members(path, lambda name: name.endswith(".csv")):
        match = re.search(r"(\d{5}/)GT-\d{5}\.csv$", name)
        for row in csv.DictReader(io.StringIO(content.decode("latin-1")), delimiter=";"):
            if "ClassId" in row:
                sign = _Sign(*(int(row[column]) for column in _COLUMNS))
                signs[(match[1] if match else "") + row["Filename"]] = sign
    return signs


def _cut_out(
    path: Path, signs: dict[str, _Sign], dtype: DTypeLike
) -> tuple[np.ndarray, np.ndarray]:
    """Read the images that `signs` names, in its order, cut out the signs and scale them."""
    position = {name: i for i, name in enumerate(signs)}
    x = np.empty((len(signs), _SIZE, _SIZE, 3), dtype)
    for name, content in archives.members(path, lambda name: _short(name) in position):
        short = _short(name)
        left, top, right, bottom, _ = signs[short]
        cut = read_ppm(content, name)[top:bottom, left:right]  # (h, w, 3)
        x[position[short]] = convert(cut[None], (_SIZE, _SIZE, 3), dtype=dtype)[0]
    return x, np.array([sign.label for sign in signs.values()], np.int64)


def _short(name: str) -> str:
    """'GTSRB/.../CCCCC/TTTTT_FFFFF.ppm' -> 'CCCCC/TTTTT_FFFFF.ppm'; '' for other names."""
    match = _IMAGE.fullmatch(name)
    return (match[1] or "") + match[2] if match else ""
