"""A picture with its words out of `captions.toml`."""

from pathlib import Path

from mstheft.files import read_toml
from mstheft.plots.style import Axes
from mstheft.report.tables import Picture, picture

CAPTIONS = read_toml(Path(__file__).with_name("captions.toml"))


def captioned(key: str, ax: Axes, **facts: object) -> Picture:
    """The picture 'file.name' with its words, the facts filled in."""
    words = CAPTIONS[key]
    name = key.split(".")[1]
    return picture(name, ax, words["alt"].format(**facts), words["caption"].format(**facts))
