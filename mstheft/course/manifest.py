"""The manifest `tutorials/course.toml`: which lessons there are, in what order, with which hints.

A second language is a second file beside it: `course.zh-CN.toml` holds, under the name of each
lesson and function, the same keys in that language; keys that it lacks stay in English.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mstheft.errors import DataError
from mstheft.files import read_toml


@dataclass(frozen=True)
class Function:
    """One function that a learner writes, with its hints and its frequent mistakes."""

    name: str
    does: str
    twin: str
    hints: tuple[str, ...]
    mistakes: dict[str, str]
    stage: str = ""
    plot: str = ""
    vectors: str = ""


@dataclass(frozen=True)
class Lesson:
    """One lesson and its exercise; the paths follow from its name."""

    home: Path
    number: int
    name: str
    title: str
    minutes: int
    difficulty: int
    prerequisites: tuple[int, ...]
    part: str
    data: str
    functions: tuple[Function, ...]

    @property
    def lesson(self) -> Path:
        """The lesson itself, in percent format."""
        return self.home / "lessons" / f"{self.name}.py"

    @property
    def exercise(self) -> Path:
        """The file that the learner edits."""
        return self.home / "exercises" / f"{self.name}.py"

    @property
    def solution(self) -> Path:
        """Its solution."""
        return self.home / "solutions" / f"{self.name}.py"

    @property
    def check(self) -> Path:
        """Its checks."""
        return self.home / "checks" / f"test_{self.name}.py"

    def function(self, name: str) -> Function | None:
        """The function of that name, if it is one of this exercise."""
        return next((f for f in self.functions if f.name == name), None)


@dataclass(frozen=True)
class Course:
    """Every lesson, in order."""

    home: Path
    title: str

    @cached_property
    def lessons(self) -> tuple[Lesson, ...]:
        """All lessons, by number."""
        file, translation = self.home / "course.toml", self.home / f"course.{language()}.toml"
        manifest = read_toml(file)
        other = read_toml(translation) if translation.is_file() else {}
        try:
            lessons = [_lesson(self.home, raw, other) for raw in manifest["lesson"]]
        except (KeyError, TypeError) as error:
            raise DataError(f"{file}: a lesson lacks {error}; restore the file") from error
        return tuple(sorted(lessons, key=lambda lesson: lesson.number))

    def lesson(self, number: int) -> Lesson:
        """Lesson `number`. Raises `ValueError` if there is none."""
        if lesson := next((each for each in self.lessons if each.number == number), None):
            return lesson
        last = self.lessons[-1].number
        raise ValueError(f"expected a lesson from 1 to {last}, got {number}; mstheft learn list")

    def named(self, name: str) -> Lesson | None:
        """The lesson whose files are called `name`."""
        return next((lesson for lesson in self.lessons if lesson.name == name), None)


def find(start: Path | None = None) -> Course:
    """The course in `tutorials/` of this folder or of one above it.

    Raises `DataError` if there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        for home in (folder / "tutorials", folder):
            if (home / "course.toml").is_file() and (home / "checks").is_dir():
                return Course(home, str(read_toml(home / "course.toml").get("title", "")))
    where = f"there is no tutorials/ with the course in {start} or above"
    raise DataError(f"{where}; go into the folder that you cloned (cd mstheft)")


def language() -> str:
    """The language of messages and hints: $MSTHEFT_LANG, such as zh-CN; English unless set."""
    tag = os.environ.get("MSTHEFT_LANG", "en").split(".")[0].replace("_", "-")
    return "zh-CN" if tag.lower() in ("zh", "zh-cn") else tag


def _lesson(home: Path, raw: dict[str, Any], other: dict[str, Any]) -> Lesson:
    words = other.get(raw["name"], {})
    functions = tuple(_function(f, words.get(f["name"], {})) for f in raw.get("function", ()))
    return Lesson(
        home=home,
        **{key: raw[key] for key in ("number", "name", "minutes", "difficulty", "data")},
        title=words.get("title", raw["title"]),
        part=words.get("part", raw["part"]),
        prerequisites=tuple(raw["prerequisites"]),
        functions=functions,
    )


def _function(raw: dict[str, Any], words: dict[str, Any]) -> Function:
    return Function(
        name=raw["name"],
        does=words.get("does", raw["does"]),
        twin=raw["twin"],
        hints=tuple(words.get("hints", raw["hints"])),
        mistakes={**raw.get("mistakes", {}), **words.get("mistakes", {})},
        **{key: raw.get(key, "") for key in ("stage", "plot", "vectors")},
    )
