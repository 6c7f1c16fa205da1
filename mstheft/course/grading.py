"""A whole class at once: one process for each submission, several side by side, one table.

A submission is a file `NN_name.py` in FOLDER, in a folder of FOLDER that is called like its author,
or a file of another name, `anna_02_logistic.py`, if it ends in the exercise's.
"""

import csv
import functools
import io
import multiprocessing
import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from mstheft.course import checking, manifest, wall
from mstheft.course.feedback import Feedback
from mstheft.course.messages import say
from mstheft.errors import DataError

LARGEST = 200_000  # bytes of a submission


@dataclass(frozen=True)
class Grade:
    """One submission of one exercise."""

    author: str
    exercise: str
    grade: float  # share of right functions, 0 to 1; 0 if the process had to be stopped
    solved: int  # number of right functions
    functions: int
    reason: str

    def __post_init__(self) -> None:
        for name in ("author", "reason"):  # no file may write over the lines of another
            text = "".join(c if c.isprintable() else "\ufffd" for c in getattr(self, name))
            object.__setattr__(self, name, text)


@dataclass(frozen=True)
class Submission:
    """A file, its author, its exercise."""

    author: str
    path: Path
    lesson: manifest.Lesson


def submissions(course: manifest.Course, folder: Path) -> tuple[list[Submission], list[Path]]:
    """Every submission in `folder`, and the Python files that are named like no exercise.

    Raises `DataError` if there is no submission.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of submissions; name one")
    named, misnamed = [], []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() != ".py" or path.name.startswith("."):
            continue  # ._anna.py is what a Mac puts beside anna.py
        lesson = next((one for one in course.lessons if path.stem.endswith(one.name)), None)
        if lesson and path.is_file():
            named.append(Submission(_author(folder, path, lesson), path, lesson))
        elif path.is_file():
            misnamed.append(path)
    if not named:
        name = course.lessons[0].name
        raise DataError(f"{folder}: expected files such as anna/{name}.py or anna_{name}.py")
    return named, misnamed


def _author(folder: Path, path: Path, lesson: manifest.Lesson) -> str:
    above = path.parent.relative_to(folder).as_posix()
    own = re.sub(r"[_\- .]+$", "", path.stem.removesuffix(lesson.name))
    return "/".join(part for part in (above if above != "." else "", own) if part) or path.stem


def grade(
    batch: Sequence[Submission], folder: Path, seed: int, walled: bool = True
) -> Iterator[Grade]:
    """The grade of each submission, in the order in which they are ready.

    seed : all submissions of an exercise are judged on the same inputs, drawn from it
    walled : each runs behind a wall (`wall.py`); False for the files of people that you trust
    Raises `NoWall` if there is none on this machine.
    """
    if walled:
        wall.check()
    workers = min(os.cpu_count() or 1, len(batch))  # processes side by side
    judge = functools.partial(one, folder=folder.resolve(), seed=seed, walled=walled)
    left = yield from _side_by_side(batch, judge, workers)
    for sub in left:  # a worker died: each of the rest alone, to see which one ends it
        if (yield from _side_by_side([sub], judge, 1)):
            yield _nothing(sub, say("grade_killed"))


def _side_by_side(
    batch: Sequence[Submission], judge: Callable[[Submission], Grade], workers: int
) -> Generator[Grade, None, list[Submission]]:
    """Yields grades; returns the submissions that were left when a worker died."""
    fresh, left = multiprocessing.get_context("spawn"), []
    with ProcessPoolExecutor(workers, fresh) as pool:
        jobs = {pool.submit(judge, sub): sub for sub in batch}
        try:
            for job in as_completed(jobs):
                if isinstance(job.exception(), BrokenProcessPool):
                    left.append(jobs[job])
                else:
                    yield job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return left


def one(submission: Submission, folder: Path, seed: int, walled: bool) -> Grade:
    """The grade of one submission."""
    lesson = submission.lesson
    if refused := _refused(submission.path, folder):
        return _nothing(submission, refused)
    try:
        outcome = checking.check(lesson, submission.path, seed, walled)
    except checking.CheckBroken as error:  # for the teacher; the other submissions go on
        return _nothing(submission, say("grade_broken", error=error))
    if outcome.unread:
        return _nothing(submission, " ".join(outcome.unread.got.split()))
    failed = [f.feedback for f in outcome.functions if f.feedback]
    total = len(lesson.functions)
    solved = total - len(failed)
    stopped = next((f for f in failed if f.stopped), None)
    share = 0.0 if stopped else solved / total
    reason = "; ".join(map(_short, failed))
    if stopped:
        reason = say("grade_stopped", name=stopped.function, what=stopped.got)
    return Grade(submission.author, lesson.name, share, solved, total, reason)


def _nothing(submission: Submission, reason: str) -> Grade:
    lesson = submission.lesson
    return Grade(submission.author, lesson.name, 0.0, 0, len(lesson.functions), reason)


def _refused(path: Path, folder: Path) -> str:
    """Why a file is not even opened; '' if it is."""
    if path.is_symlink() or not path.resolve().is_relative_to(folder):
        return say("grade_link")
    return say("grade_large", kilobytes=LARGEST // 1000) if path.stat().st_size > LARGEST else ""


def _short(feedback: Feedback) -> str:
    if feedback.key == "unwritten":
        return say("grade_unwritten", name=feedback.function)
    by_itself = feedback.key in ("raised", "absent", "not_plain")
    why = feedback.got if by_itself else feedback.cause
    return " ".join(f"{feedback.function}: {why}".split())


def table(grades: Sequence[Grade]) -> str:
    """The grades as CSV, by exercise and author."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["author", "exercise", "grade", "solved", "functions", "reason"])
    for g in sorted(grades, key=lambda g: (g.exercise, g.author)):
        row = [g.author, g.exercise, f"{g.grade:.2f}", g.solved, g.functions, g.reason]
        # a spreadsheet must not take a learner's text for a formula
        rows.writerow([re.sub(r"^(?=[=+\-@\t\r])", "'", str(cell)) for cell in row])
    return text.getvalue()
