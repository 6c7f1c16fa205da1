"""The progress of a learner: one small readable file, `tutorials/progress.json`."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mstheft.course import manifest
from mstheft.errors import DataError
from mstheft.files import write as write


@dataclass
class Progress:
    """Solved functions and revealed hints, by lesson name."""

    current: str = ""
    solved: dict[str, list[str]] = field(default_factory=dict)
    hints: dict[str, dict[str, int]] = field(default_factory=dict)
    solutions_seen: list[str] = field(default_factory=list)

    def done(self, lesson: manifest.Lesson) -> bool:
        """Are all functions of this lesson solved?"""
        return bool(lesson.functions) and self.open(lesson) is None

    def open(self, lesson: manifest.Lesson) -> manifest.Function | None:
        """The first function of the lesson that is not solved."""
        solved = self.solved.get(lesson.name, [])
        return next((f for f in lesson.functions if f.name not in solved), None)

    def here(self, course: manifest.Course) -> manifest.Lesson | None:
        """The lesson that the learner is at; None after the last."""
        lesson = course.named(self.current)
        if lesson and not self.done(lesson):
            return lesson
        start = lesson.number if lesson else 0
        later = [one for one in course.lessons if one.number > start]
        return next((one for one in (*later, *course.lessons) if self.open(one)), None)


def place(course: manifest.Course) -> Path:
    """The file of the progress."""
    return course.home / "progress.json"


def load(course: manifest.Course) -> Progress:
    """The progress so far. A file that cannot be read is renamed, not lost."""
    path = place(course)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        fields = Progress.__dataclass_fields__
        return _checked(Progress(**{k: v for k, v in raw.items() if k in fields}))
    except FileNotFoundError:
        return Progress()
    except (ValueError, TypeError, AttributeError) as error:
        aside = path.with_suffix(".json.damaged")
        os.replace(path, aside)
        where = f"{path} could not be read ({error}) and is now {aside.name}"
        raise DataError(f"{where}; mstheft learn check N counts solved ones again") from error


def _checked(progress: Progress) -> Progress:
    names = [name for solved in progress.solved.values() for name in solved]
    names += [progress.current, *progress.solutions_seen]
    counts = [n for own in progress.hints.values() for n in own.values()]
    if {*map(type, names)} - {str} or {*map(type, counts)} - {int}:
        raise ValueError("expected names in solved and current, numbers in hints")
    return progress


def save(course: manifest.Course, progress: Progress) -> None:
    """Write all of it or nothing: a new file takes the place of the old one."""
    write(place(course), json.dumps(asdict(progress), indent=2, ensure_ascii=False) + "\n")


def aside(path: Path) -> Path:
    """A name beside `path` that is free."""
    names = (path.with_name(f"{path.stem}.before-{n}") for n in range(1, 10_000))
    return next(name for name in names if not name.exists())
