"""mstheft learn start, handout, grade: what a teacher, or a room without a clone, needs."""

import argparse
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from mstheft import progress as bars
from mstheft.cli import files
from mstheft.cli.console import Console, UsageError
from mstheft.cli.options import USUAL, Args, Parser, add, path
from mstheft.course import grading, handins, handout, manifest, state
from mstheft.course.manifest import Course, Lesson
from mstheft.course.messages import say
from mstheft.course.show import near
from mstheft.course.wall import NoWall


def add_arguments(choices: Mapping[str, Parser]) -> None:
    """Options of `start`, `handout` and `grade`."""
    add(choices["start"], "folder FOLDER", path, "where to")
    for action in ("start", "handout"):
        words = "which lessons, such as 1-6 or 1,2,9-13 (default: all)"
        add(choices[action], "--lessons RANGES", _ranges, words)
    handed = choices["handout"]
    add(handed, "--out FILE", path, USUAL, default=Path("class.zip"))
    words = "with the checks, so that `learn check` works; they show what is expected"
    handed.add_argument("--checks", action="store_true", help=words)

    grade = choices["grade"]
    add(grade, "folder FOLDER", path, "of files such as anna/02_logistic.py or anna_02_logistic.py")
    add(grade, "--csv FILE", path, "a table, one row for each file")
    add(grade, "--roster FILE", path, "a table whose first column is the names of the class")
    add(grade, "--feedback DIR", path, "one page for each author, with all that was found")
    words = "files changed after it are late; of several files the newest in time counts"
    add(grade, "--deadline TIME", datetime.fromisoformat, words + " (2026-11-30T23:59)")
    words = "run the files as your own, without a wall: for files of people that you trust"
    grade.add_argument("--trusted", action="store_true", help=words)


def _ranges(text: str) -> list[int]:
    """The numbers of '1,2,9-13'."""
    numbers: list[int] = []
    for part in text.split(","):
        if not (found := re.fullmatch(r"\s*(\d{1,3})(?:-(\d{1,3}))?\s*", part)):
            raise argparse.ArgumentTypeError(f"expected numbers such as 1-6 or 1,2,9, got {text!r}")
        numbers += range(int(found[1]), int(found[2] or found[1]) + 1)
    return numbers


def _lessons(args: Args, course: Course) -> list[Lesson]:
    """The lessons that were named, or all."""
    try:
        return [course.lesson(n) for n in sorted(set(args.lessons or ()))] or list(course.lessons)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _start(args: Args, console: Console) -> None:
    course = handout.source()
    home = handout.lay_out(course, args.folder, _lessons(args, course), checks=True)
    console.say(say("start", folder=near(home.parent)))


def _handout(args: Args, console: Console) -> None:
    course = handout.source()
    handout.pack(course, args.out, _lessons(args, course), args.checks)
    console.say(say("handout", path=near(args.out)))


def _grade(args: Args, console: Console) -> int:
    course = manifest.find()
    names = handins.roster(args.roster) if args.roster else []
    batch, grades = handins.read(course, args.folder, names), []
    seed = secrets.randbelow(10**6)
    try:
        with bars.bar("grading", len(batch), "file") as bar:
            for grade in grading.grade(batch, seed, not args.trusted, args.deadline):
                grades.append(grade)
                bar.update(1)
    except NoWall as error:
        raise UsageError(say("grade_no_wall", why=error)) from None
    console.say(say("graded", count=len(grades), seed=seed))
    grades += grading.missing(grades, names)
    for g in sorted(grades, key=lambda g: (g.exercise, g.author, g.changed)):
        words: dict[str, Any] = asdict(g) | {"all": g.functions}
        console.say(say("grade_row", **words))
    files.write_json(args, console, {"seed": seed, "grades": [asdict(g) for g in grades]})
    if args.csv:
        state.write(args.csv, grading.table(grades))
        console.say(say("grade_written", path=args.csv))
    if args.feedback:
        args.feedback.mkdir(parents=True, exist_ok=True)
        for name, page in grading.pages(grades).items():
            state.write(args.feedback / f"{name}.md", page)
        console.say(say("grade_feedback", path=args.feedback))
    return console.end()


ACTIONS = {"start": _start, "handout": _handout, "grade": _grade}
