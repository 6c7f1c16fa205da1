"""Every lesson as a script: without a warning, with figures, no network, no files."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mstheft.course import manifest

ROOT = Path(__file__).parents[2]
COURSE = manifest.find(ROOT)
LESSONS = [lesson for lesson in COURSE.lessons if lesson.lesson.is_file()]


@pytest.mark.slow
@pytest.mark.parametrize("real", [False, True], ids=["drawn", "real"])
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_runs(lesson, real, tmp_path):
    data = os.environ.get("MSTHEFT_DATA")
    if real and (not data or "if" not in lesson.data):
        pytest.skip("no real data here, or none in this lesson")
    env = {k: v for k, v in os.environ.items() if k != "MSTHEFT_DATA" or real}
    home = tmp_path / "home"
    home.mkdir()
    env |= {"PYTHONPATH": str(ROOT), "HOME": str(home), "MPLCONFIGDIR": str(tmp_path / "mpl")}
    runner = ROOT / "tests" / "helpers" / "lesson_runner.py"
    run = subprocess.run(
        [sys.executable, "-W", "error", str(runner), str(lesson.lesson)],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        timeout=1200,  # a lesson that hangs
    )
    assert run.returncode == 0, run.stderr[-2000:]
    figures, blank = re.search(r"figures: (\d+), blank: (\[.*\])", run.stdout).groups()
    assert int(figures) >= 2
    assert blank == "[]"
    assert [p for p in home.rglob("*") if p.is_file()] == [], "a lesson writes no file"


def test_lessons_paste_no_library_code():
    """Six lines in a row that also stand in the library are no derivation by hand."""
    library = set()
    for path in (ROOT / "mstheft").rglob("*.py"):
        library |= set(runs(path.read_text()))
    for lesson in LESSONS:
        same = set(runs(lesson.lesson.read_text())) & library
        assert same == set(), lesson.name


def runs(text, length=6):
    """Every run of so many lines of code, without comments, blanks and indentation."""
    lines = [re.sub(r"\s+", " ", line.split("#")[0]).strip() for line in text.splitlines()]
    lines = [line for line in lines if line and line not in (")", "]", "}", '"""')]
    return zip(*(lines[i:] for i in range(length)), strict=False)
