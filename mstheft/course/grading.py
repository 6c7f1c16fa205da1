"""A whole class at once: one process for each file, several side by side, one table."""

import csv
import functools
import io
import multiprocessing
import os
import re
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from mstheft.course import checking, wall
from mstheft.course.feedback import Feedback
from mstheft.course.handins import HandIn
from mstheft.course.messages import say


@dataclass(frozen=True)
class Grade:
    """One file that was handed in, or one name for which there is none.

    grade : share of right functions, 0 to 1
    solved, functions : number of right functions, and of all
    right : function -> is it right?
    late : was it last changed after the deadline?
    counts : of several files of one author for one exercise, is it the newest that is not late?
    feedback : what the author may read
    """

    author: str
    exercise: str
    file: str
    grade: float
    solved: int
    functions: int
    reason: str
    right: dict[str, bool] = field(default_factory=dict)
    changed: float = 0.0
    late: bool = False
    counts: bool = True
    feedback: str = ""

    def __post_init__(self) -> None:
        for name in ("author", "file", "reason"):  # no file may write over the lines of another
            text = "".join(c if c.isprintable() else "\ufffd" for c in getattr(self, name))
            object.__setattr__(self, name, text)
        whole = self.feedback.encode("utf-8", "replace").decode()  # no lone surrogate, for files
        object.__setattr__(self, "feedback", whole)


def grade(
    batch: Sequence[HandIn], seed: int, walled: bool = True, deadline: datetime | None = None
) -> Iterator[Grade]:
    """The grade of each file, in the order in which they are ready.

    seed : all files of an exercise are judged on the same inputs, drawn from it
    walled : each runs behind a wall (`wall.py`); False for the files of people that you trust
    Raises `NoWall` if there is none on this machine.
    """
    if walled:
        wall.check()
    before = deadline.timestamp() if deadline else float("inf")
    newest = {
        (one.author, one.lesson and one.lesson.name): one.path
        for one in sorted(batch, key=lambda one: (one.changed <= before, one.changed))
    }

    def told(judged: Grade, one: HandIn) -> Grade:
        counts = newest[one.author, one.lesson and one.lesson.name] == one.path
        return replace(judged, changed=one.changed, late=one.changed > before, counts=counts)

    runs = [one for one in batch if not one.refused]
    for one in batch:
        if one.refused:
            yield told(_nothing(one, one.refused), one)
    judge = functools.partial(_judged, seed=seed, walled=walled)
    left = yield from _side_by_side(runs, judge, told, min(os.cpu_count() or 1, len(runs)))
    for one in left:  # a worker died: each of the rest alone, to see which one ends it
        if (yield from _side_by_side([one], judge, told, 1)):
            yield told(_nothing(one, say("grade_killed")), one)


def _side_by_side(
    batch: Sequence[HandIn],
    judge: Callable[[HandIn], Grade],
    told: Callable[[Grade, HandIn], Grade],
    workers: int,
) -> Generator[Grade, None, list[HandIn]]:
    """Yields grades; returns the files that were left when a worker died."""
    left: list[HandIn] = []
    if not batch:
        return left
    fresh = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="mstheft-grade-") as scratch,  # outlives a dead worker
        ProcessPoolExecutor(workers, fresh, _keep_scratch_in, (scratch,)) as pool,
    ):
        jobs = {pool.submit(judge, one): one for one in batch}
        try:
            for job in as_completed(jobs):
                if isinstance(job.exception(), BrokenProcessPool):
                    left.append(jobs[job])
                else:
                    yield told(job.result(), jobs[job])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return left


def _keep_scratch_in(folder: str) -> None:
    """In a worker: whatever is temporary lies in this folder."""
    tempfile.tempdir = folder


def _judged(one: HandIn, seed: int, walled: bool) -> Grade:
    """The grade of one file that is for an exercise."""
    lesson = one.lesson
    assert lesson is not None
    with tempfile.TemporaryDirectory(prefix="mstheft-grade-") as folder:
        path = Path(folder, lesson.exercise.name)
        path.write_text(one.source, encoding="utf-8", errors="replace", newline="\n")
        try:
            outcome = checking.check(lesson, path, seed, walled)
        except checking.CheckBroken as error:  # for the teacher; the other files go on
            return _nothing(one, say("grade_broken", error=error))
    right = {f.name: f.solved for f in outcome.functions}
    solved, total = sum(right.values()), len(right)
    if outcome.unread:
        reasons = [" ".join(outcome.unread.got.split())]
    else:
        reasons = [_short(f.feedback) for f in outcome.functions if f.feedback]
    told = [f"{f.name}: {say('grade_right')}" for f in outcome.functions if f.solved]
    told += [f"{f.name}:\n{f.feedback}" for f in outcome.functions if f.feedback]
    if outcome.unread:
        told = [str(outcome.unread)]
    return Grade(
        one.author,
        lesson.name,
        one.path.name,
        solved / total,
        solved,
        total,
        "; ".join([*reasons, *one.remarks]),
        right,
        feedback="\n\n".join([*one.remarks, *told]),
    )


def _nothing(one: HandIn, reason: str) -> Grade:
    """A file that is not judged."""
    lesson = one.lesson
    right = {f.name: False for f in lesson.functions} if lesson else {}
    name = lesson.name if lesson else ""
    reason = "; ".join([reason, *one.remarks])
    return Grade(
        one.author, name, one.path.name, 0.0, 0, len(right), reason, right, feedback=reason
    )


def _short(feedback: Feedback) -> str:
    if feedback.key == "unwritten":
        return say("grade_unwritten", name=feedback.function)
    by_itself = feedback.key in ("raised", "absent", "not_plain") or feedback.stopped
    why = feedback.got if by_itself else feedback.cause
    return " ".join(f"{feedback.function}: {why}".split())


def missing(grades: Sequence[Grade], names: Sequence[str]) -> list[Grade]:
    """A row for each name on the roster of whom there is no file."""
    there = {one.author for one in grades}
    empty = (name for name in names if name not in there)
    return [Grade(name, "", "", 0.0, 0, 0, say("grade_missing")) for name in empty]


def table(grades: Sequence[Grade]) -> str:
    """The grades as CSV, by exercise and author; one column for each function of each exercise."""
    functions = list(dict.fromkeys((g.exercise, name) for g in _sorted(grades) for name in g.right))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    head = ["author", "exercise", "file", "grade", "solved", "functions", "changed", "late"]
    named = [f"{exercise[:2]} {name}" for exercise, name in functions]
    rows.writerow([*head, "counts", "reason", *named])
    for g in _sorted(grades):
        when = datetime.fromtimestamp(g.changed).isoformat(" ", "minutes") if g.changed else ""
        late, counts = ("yes" if is_so else "no" for is_so in (g.late, g.counts))
        row = [g.author, g.exercise, g.file, f"{g.grade:.2f}", g.solved, g.functions, when, late]
        own = [
            int(g.right[name]) if g.exercise == exercise and name in g.right else ""
            for exercise, name in functions
        ]
        # a spreadsheet must not take a learner's text for a formula
        cells = [*row, counts, g.reason, *own]
        rows.writerow([re.sub(r"^(?=[=+\-@\t\r])", "'", str(cell)) for cell in cells])
    return text.getvalue()


def pages(grades: Sequence[Grade]) -> dict[str, str]:
    """Name of a file for each author -> one page with the feedback on all that was handed in."""
    found: dict[str, list[str]] = {}
    for g in _sorted(grades):
        title = say(
            "grade_page", exercise=g.exercise, file=g.file, solved=g.solved, all=g.functions
        )
        told = (g.feedback or g.reason).replace("```", "` ` `")
        body = f"```\n{told}\n```"
        found.setdefault(g.author, []).append(f"## {title}\n\n{body}\n")
    names: dict[str, str] = {}
    for author, parts in found.items():
        name = re.sub(r"[^\w\- ]", "_", author)[:80]
        while not name or name in names:
            name += "_"
        names[name] = f"# {author}\n\n" + "\n".join(parts)
    return names


def _sorted(grades: Sequence[Grade]) -> list[Grade]:
    return sorted(grades, key=lambda g: (g.exercise, g.author, g.changed, g.file))
