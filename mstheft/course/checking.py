"""Runs the checks of one exercise on one file, and judges each of its functions.

The checks are ordinary pytest; here pytest runs inside this process, quietly, and the learner's
file in a process of its own (`mstheft.course.process`).
"""

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mstheft.course import manifest
from mstheft.course.answer import OUTSIDE
from mstheft.course.book import EXTRA
from mstheft.course.feedback import Feedback, Mismatch
from mstheft.course.messages import say
from mstheft.errors import MstheftError

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Judged:
    """One function: solved, or the feedback of its first failing check."""

    name: str
    feedback: Feedback | None

    @property
    def solved(self) -> bool:
        """Did all its checks pass?"""
        return self.feedback is None

    @property
    def state(self) -> str:
        """'solved', 'open' (not written yet), 'wrong', or 'stopped' (not called again)."""
        if self.feedback is None:
            return "solved"
        own = {"unwritten": "open", "absent": "open", "stopped": "stopped"}
        return own.get(self.feedback.key, "wrong")


@dataclass(frozen=True)
class Outcome:
    """One file: its functions, as they were judged."""

    lesson: manifest.Lesson
    functions: tuple[Judged, ...]

    @property
    def passed(self) -> bool:
        """Are all functions solved?"""
        return all(f.solved for f in self.functions)

    @property
    def unread(self) -> Feedback | None:
        """Why the file could not be loaded at all; None if it could."""
        keys = {f.feedback.key if f.feedback else "" for f in self.functions}
        return self.functions[0].feedback if len(keys) == 1 and keys < set(OUTSIDE) else None

    @property
    def first(self) -> Judged | None:
        """The function to work at: the first that is wrong, else the first that is not written."""
        order = ("wrong", "open", "stopped", "solved")
        unsolved = [f for f in self.functions if not f.solved]
        return min(unsolved, key=lambda f: order.index(f.state), default=None)


class CheckBroken(MstheftError):
    """The check itself failed: no fault of the learner."""


def check(
    lesson: manifest.Lesson,
    path: Path | None = None,
    seed: int | None = None,
    walled: bool = False,
) -> Outcome:
    """Judge `path`, by default the learner's own file, by the checks of `lesson`.

    seed : of the inputs; a fresh one if None
    walled : it is a stranger's file, which runs behind a wall
    Raises `CheckBroken` if a check itself fails, `MstheftError` if pytest is not there.
    """
    try:
        import pytest
    except ImportError:
        raise MstheftError(f"checks need pytest, {EXTRA}") from None
    if not lesson.check.is_file():
        raise MstheftError(say("no_checks", file=lesson.exercise.name))
    if "[" in str(lesson.check):  # pytest takes what follows for a parameter
        folder = lesson.check.parent
        raise MstheftError(f"expected a folder without a [ in its name, got {folder}; rename it")
    variables = {
        "MSTHEFT_LEARNER": str((path or lesson.exercise).resolve()),
        "MSTHEFT_WALL": str(int(walled)),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
        **({} if seed is None else {"MSTHEFT_SEED": str(seed)}),
    }
    results, output = _Results(), io.StringIO()
    words = [str(lesson.check), "-s", "-c", str(lesson.check.with_name("pytest.ini"))]
    with (
        pytest.MonkeyPatch.context() as environment,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        for name, text in variables.items():
            environment.setenv(name, text)
        _forget(lesson.check.parent)
        code = pytest.main(words, plugins=[results])
    if results.interrupted:
        raise KeyboardInterrupt
    if results.broken or not results.tests or code == pytest.ExitCode.INTERNAL_ERROR:
        why = " ".join((results.broken or output.getvalue()).split())[-600:]
        name = lesson.check.name
        raise CheckBroken(f"the check {name} itself failed, which is not your fault: {why}")
    return Outcome(lesson, tuple(_judged(f.name, results.tests) for f in lesson.functions))


def _forget(folder: Path) -> None:
    """Have pytest read the checks anew: they, or the course, may have changed."""
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "")
        own = file.stem == "conftest" or file.stem.startswith("test_")
        if own and file.parent.name == folder.name:
            del sys.modules[name]


def _judged(name: str, tests: dict[str, Feedback | None]) -> Judged:
    own = [f for test, f in tests.items() if test.removeprefix("test_").split("__")[0] == name]
    if not own:
        raise CheckBroken(f"no check is called test_{name}; restore tutorials/checks")
    return Judged(name, next((feedback for feedback in own if feedback), None))


class _Results:
    """A plugin of pytest that collects the feedback of each test."""

    def __init__(self) -> None:
        self.tests: dict[str, Feedback | None] = {}
        self.broken = ""
        self.interrupted = False

    def pytest_keyboard_interrupt(self, excinfo: "pytest.ExceptionInfo") -> None:
        """Called by pytest, which otherwise ends as if there were no further tests."""
        self.interrupted = excinfo.type is KeyboardInterrupt  # not pytest's own, of the same family

    def pytest_runtest_makereport(self, item: Any, call: "pytest.CallInfo") -> None:
        """Called by pytest after each phase of each test."""
        name = getattr(item, "originalname", item.name)
        if call.when == "setup" and "learner" in item.funcargs:
            item.funcargs["learner"].last = None
        if call.excinfo is None:
            if call.when == "call":
                self.tests.setdefault(name, None)
            return
        error = call.excinfo.value
        if isinstance(error, Mismatch):
            self.tests[name] = self.tests.get(name) or error.feedback
        elif last := getattr(item.funcargs.get("learner"), "last", None):
            self.tests[name] = self.tests.get(name) or last.unfit(error)
        else:
            self.broken = f"{name}: {type(error).__name__}: {error}"
