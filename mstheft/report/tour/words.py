"""The words of the chapters, out of `chapters.toml`."""

from pathlib import Path

from mstheft.files import read_toml

CHAPTERS = read_toml(Path(__file__).with_name("chapters.toml"))


def words(name: str, **facts: object) -> tuple[str, list[str]]:
    """Title and paragraphs of a chapter, the facts filled in."""
    chapter = CHAPTERS[name]
    return chapter["title"], [paragraph.format(**facts) for paragraph in chapter["text"]]
