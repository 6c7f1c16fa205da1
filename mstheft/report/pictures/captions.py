"""A picture with its words out of `captions.toml`."""

from pathlib import Path

from mstheft.files import read_toml
from mstheft.plots.style import Axes
from mstheft.report.formatting import Picture, picture

CAPTIONS = read_toml(Path(__file__).with_name("captions.toml"))


def captioned(key: str, ax: Axes, file: str = "", **facts: object) -> Picture:
    """The picture 'room.file' with its words, the facts filled in; `file` for another file name."""
    words, name = CAPTIONS[key], file or key.split(".")[1]
    return picture(name, ax, words["alt"].format(**facts), words["caption"].format(**facts))
