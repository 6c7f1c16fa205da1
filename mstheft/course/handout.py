"""The course as a learner gets it: lessons and starters, without solutions."""

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mstheft.course import manifest, starter
from mstheft.course.manifest import Course, Lesson
from mstheft.errors import DataError

PACKED = Path(__file__).with_name("material")  # the course inside a wheel
PAGES = ("README*.md", "course*.toml", "notation.md", "references.md", "index.md", "conf.py")


def source() -> Course:
    """The course of this clone, or else the one that was installed with the package.

    Raises `DataError` if there is neither.
    """
    try:
        return manifest.find()
    except DataError:
        if not (PACKED / "course.toml").is_file():
            raise
        return Course(PACKED, "")


def lay_out(course: Course, folder: Path, lessons: Sequence[Lesson], checks: bool) -> Path:
    """Write `tutorials/` into `folder`: its pages, and the given lessons with their starters.

    checks : with the checks, which `mstheft learn check` needs and which show what is expected
    Raises `DataError` if something of that name is there.
    """
    home = folder / "tutorials"
    if home.exists():
        raise DataError(f"{home} is there already; name another folder, or go on in that one")
    for name in ("lessons", "exercises", "starters", "checks"):
        (home / name).mkdir(parents=True)
    for pattern in PAGES:
        for page in course.home.glob(pattern):
            shutil.copy(page, home)
    for lesson in lessons:
        shutil.copy(lesson.lesson, home / "lessons")
        for name in ("exercises", "starters"):
            text = starter.starter(lesson)
            (home / name / lesson.exercise.name).write_text(text, encoding="utf-8")
    toml = home / "course.toml"
    head, *blocks = re.split(r"(?m)^(?=\[\[lesson\]\])", toml.read_text(encoding="utf-8"))
    numbers = {f"number = {lesson.number}" for lesson in lessons}
    kept = [block for block in blocks if numbers & set(block.splitlines())]
    toml.write_text("".join([head, *kept]), encoding="utf-8")
    shared = [path for path in course.home.glob("checks/*") if not path.name.startswith("test_")]
    for path in [*shared, *(lesson.check for lesson in lessons)] if checks else []:
        if path.is_file():
            shutil.copy(path, home / "checks")
    return home


def pack(course: Course, file: Path, lessons: Sequence[Lesson], checks: bool) -> None:
    """Write the same as a zip archive `file`, whole or not at all."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        lay_out(course, Path(folder, "course"), lessons, checks)
        archive = shutil.make_archive(str(Path(folder, "course")), "zip", Path(folder, "course"))
        os.replace(archive, file)
