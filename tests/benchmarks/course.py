"""How long the course takes, and how it judges: lessons, checks, mistakes, hostile files, a class.

    python tests/benchmarks/course.py

Runs every lesson as a script, warnings as errors, one after another; `mstheft learn check N` on
every solution and every starter, in a copy of the course; the tests of known mistakes and of the
hostile submissions; and grades a class of 40. Writes the table of RESULTS.md. Real data is used
where MSTHEFT_DATA names some.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import aside, recorded, table

from mstheft.course import manifest

ROOT = Path(__file__).parents[2]
COURSE = manifest.find(ROOT)
LEARN = [sys.executable, "-m", "mstheft", "learn"]


def timed(words: list[str], folder: Path) -> tuple[float, subprocess.CompletedProcess[str]]:
    start = time.perf_counter()
    run = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    return time.perf_counter() - start, run


def lessons() -> str:
    runner, spent, failed = ROOT / "tests" / "helpers" / "lesson_runner.py", {}, []
    with tempfile.TemporaryDirectory() as folder:
        for lesson in COURSE.lessons:
            words = [sys.executable, "-W", "error", str(runner), str(lesson.lesson)]
            spent[lesson.number], run = timed(words, Path(folder))
            failed += [lesson.name] if run.returncode else []
            aside(f"lesson {lesson.number:02d}  {spent[lesson.number]:5.1f} s")
    total, slowest = sum(spent.values()), max(spent, key=lambda n: spent[n])
    warned = f"failed: {', '.join(failed)}" if failed else "none warned"
    return (
        f"{total // 60:.0f} min {total % 60:.0f} s, the slowest ({slowest:02d}) "
        f"{spent[slowest]:.0f} s, {warned}"
    )


def checks(home: Path) -> tuple[str, str]:
    """The time of `learn check`, and how many starters and solutions it judged rightly."""
    spent, starters, solved = [], 0, 0
    for lesson in COURSE.lessons:
        words = [*LEARN, "check", str(lesson.number)]
        seconds, run = timed(words, home)
        starters += run.returncode == 1 and "nothing is broken" in run.stdout
        shutil.copy(lesson.solution, home / "tutorials" / "exercises" / lesson.exercise.name)
        again, run = timed(words, home)
        solved += run.returncode == 0
        spent += [seconds, again]
    middle = sorted(spent)[len(spent) // 2]
    count = len(COURSE.lessons)
    return (
        f"{middle:.1f} s, at most {max(spent):.1f} s",
        f"{starters} of {count} / {solved} of {count}",
    )


def tests(name: str, words: str) -> str:
    """'n of n' of a group of tests."""
    command = [sys.executable, "-m", "pytest", "-q", f"tests/course/{name}.py", "-k", words]
    _, run = timed([*command, "-m", "slow or not slow", "-p", "no:cacheprovider"], ROOT)
    found = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", run.stdout)}
    return f"{found.get('passed', 0)} of {sum(found.values())}"


def graded(home: Path) -> str:
    """A class of 40 in exercise 2: half of them right, half with the starter."""
    lesson = COURSE.lesson(2)
    for number in range(40):
        path = home / "class" / f"student{number}" / lesson.exercise.name
        path.parent.mkdir(parents=True)
        shutil.copy(lesson.solution if number % 2 else lesson.exercise, path)
    seconds, run = timed([*LEARN, "grade", "class"], home)
    right = len(re.findall(r"^1\.00 ", run.stdout, re.MULTILINE))
    return f"{seconds:.1f} s ({right} full marks of 20)"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ignored = shutil.ignore_patterns("progress.json*", "notebooks", "__pycache__")
        shutil.copytree(ROOT / "tutorials", home / "tutorials", ignore=ignored)
        judged, right = checks(home)
        rows = [
            ("all lessons as scripts", "8 min, no warning", lessons()),
            ("`mstheft learn check N`", "3 s", judged),
            ("starter fails with its message / solution passes", "20 of 20 / 20 of 20", right),
            (
                "known mistakes diagnosed as intended",
                "all",
                tests("test_mistakes", "test_a_known_mistake"),
            ),
            (
                "hostile submissions contained, with right grade for their neighbours",
                "30 of 30",
                tests("test_hostile", "hostile_submission or neighbours"),
            ),
            ("grading 40 submissions of one exercise", "60 s", graded(home)),
        ]
    with recorded("course"):
        print(table(("what", "goal", "found"), rows))


if __name__ == "__main__":
    main()
