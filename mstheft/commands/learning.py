"""mstheft learn: lessons, exercises, hints, grades. Its words stand in `course/messages.toml`."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
from pathlib import Path

from mstheft import progress as bars
from mstheft.commands.shared import Desk, Wrong
from mstheft.course import book, checking, grading, manifest, starter, state, watch
from mstheft.course.messages import say


def run(args: argparse.Namespace, desk: Desk) -> int:
    """One of `mstheft learn`'s actions."""
    course = manifest.find()
    return int(globals()[f"_{args.action}"](args, desk, course))


def _lesson(args: argparse.Namespace, course: manifest.Course) -> manifest.Lesson:
    """The lesson that was named, or the one at which the learner is."""
    if args.number is None:
        here = state.load(course).here(course)
        return here or course.lessons[-1]
    try:
        return course.lesson(args.number)
    except ValueError as error:
        raise Wrong(str(error)) from error


def _where(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    known = state.load(course)
    done = sum(known.done(lesson) for lesson in course.lessons)
    desk.say(say("total", done=done, all=len(course.lessons)))
    here = known.here(course)
    if here is None:
        desk.say(say("finished"))
        return 0
    _tell(here, known, desk)
    return 0


def _tell(lesson: manifest.Lesson, known: state.Progress, desk: Desk) -> None:
    function = known.open(lesson)
    assert function is not None
    facts = {"number": lesson.number, "title": lesson.title, "all": len(lesson.functions)}
    solved = len(known.solved.get(lesson.name, []))
    desk.say(say("where", solved=solved, name=function.name, does=function.does, **facts))
    places = {"lesson": _near(lesson.lesson), "exercise": _near(lesson.exercise)}
    desk.say(say("where_start", **places))
    for key in ("where_open", "where_check", "where_hint"):
        desk.say("  " + say(key, number=lesson.number))


def _next(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    known = state.load(course)
    here = known.here(course)
    if here is None:
        desk.say(say("finished"))
        return 0
    known.current = here.name
    state.save(course, known)
    _tell(here, known, desk)
    skipped = [str(one.number) for one in course.lessons[: here.number - 1] if known.open(one)]
    if skipped:
        desk.say(say("where_skipped", numbers=", ".join(skipped)))
    return 0


def _list(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    known = state.load(course)
    for lesson in course.lessons:
        solved, total = len(known.solved.get(lesson.name, [])), len(lesson.functions)
        mark = "done" if known.done(lesson) else "part" if solved else "open"
        facts = {"number": lesson.number, "title": lesson.title, "minutes": lesson.minutes}
        hard = say(f"difficulty_{lesson.difficulty}")
        shown = say(f"list_mark_{mark}", solved=solved, all=total)
        desk.say(say("list_row", mark=shown, difficulty=hard, part=lesson.part, **facts))
    return 0


def _check(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    lesson = _lesson(args, course)
    named = _function(args, lesson).name if args.function else None
    return _judge(lesson, desk, course, named)


def _function(args: argparse.Namespace, lesson: manifest.Lesson) -> manifest.Function:
    if (function := lesson.function(args.function)) is None:
        names = ", ".join(f.name for f in lesson.functions)
        raise Wrong(
            f"expected a function of exercise {lesson.number}, got {args.function!r}; it has "
            f"{names}"
        )
    return function


def _judge(
    lesson: manifest.Lesson, desk: Desk, course: manifest.Course, named: str | None = None
) -> int:
    """Judge an exercise, keep what is solved, and explain one function: `named`, or the first."""
    outcome = checking.check(lesson)
    desk.say(say("check_title", number=lesson.number, title=lesson.title))
    if outcome.unread:  # nothing is known of the functions: what was solved stays so
        desk.say(str(outcome.unread))
        return 1
    known = state.load(course)
    known.current = lesson.name
    known.solved[lesson.name] = [f.name for f in outcome.functions if f.solved]
    state.save(course, known)
    for function in outcome.functions:
        desk.say(say(f"check_{function.state}", name=function.name))
    if outcome.passed:
        desk.say(say("check_done", number=lesson.number, all=len(lesson.functions)))
        return 0
    shown = next((f for f in outcome.functions if f.name == named), outcome.first)
    if shown is None or shown.feedback is None:
        return 0
    desk.say("\n" + say("check_first", name=shown.name))
    desk.say(str(shown.feedback))
    others = [f.name for f in outcome.functions if f.state == "wrong" and f is not shown]
    if others:
        facts = {"names": ", ".join(others), "first": others[0], "number": lesson.number}
        desk.say("\n" + say("check_others", **facts))
    return 1


def _hint(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    lesson, known = _lesson(args, course), state.load(course)
    function = _function(args, lesson) if args.function else known.open(lesson)
    if function is None:
        desk.say(say("hint_solved", number=lesson.number))
        return 0
    seen = known.hints.setdefault(lesson.name, {})
    index = min(seen.get(function.name, 0) + 1, len(function.hints))
    seen[function.name] = index
    known.current = lesson.name
    state.save(course, known)
    text, total = function.hints[index - 1], len(function.hints)
    desk.say(say("hint", name=function.name, index=index, all=total, text=text))
    more = "hint_more" if index < total else "hint_last"
    desk.say(say(more, number=lesson.number, name=function.name))
    return 0


def _watch(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    desk.say(say("watch", folder=_near(course.home / "exercises")))
    with contextlib.suppress(KeyboardInterrupt):
        for lesson in watch.changes(course):
            desk.say("\n" + say("watch_start", number=lesson.number))
            try:
                _judge(lesson, desk, course)
            except checking.CheckBroken as error:
                desk.fail(1, error)
    return 0


def _solution(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    lesson, known = _lesson(args, course), state.load(course)
    if not known.done(lesson) and lesson.name not in known.solutions_seen:
        desk.say(say("solution_ask", number=lesson.number))
        if desk.hear().strip().lower() not in ("y", "yes", "j", "ja", "是"):
            desk.say(say("solution_no", number=lesson.number))
            return 0
        known.solutions_seen.append(lesson.name)
        state.save(course, known)
    desk.say(lesson.solution.read_text(encoding="utf-8").rstrip())
    return 0


def _reset(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    lesson, known = _lesson(args, course), state.load(course)
    file, aside = _near(lesson.exercise), _aside(lesson.exercise)
    there, new = lesson.exercise.exists(), starter.starter(lesson)
    kept = there and lesson.exercise.read_bytes() != new.encode()
    if kept:
        os.replace(lesson.exercise, aside)
    if kept or not there:
        state.write(lesson.exercise, new)
    known.solved.pop(lesson.name, None)
    known.hints.pop(lesson.name, None)
    state.save(course, known)
    said = "reset" if kept else "reset_same" if there else "reset_new"
    desk.say(say(said, file=file, aside=_near(aside)))
    return 0


def _aside(path: Path) -> Path:
    """A name beside `path` that is free."""
    numbers = range(1, 10_000)
    return next(p for n in numbers if not (p := path.with_name(f"{path.stem}.before-{n}")).exists())


def _open(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    lesson = _lesson(args, course)
    book.need_jupyter()
    path = book.notebook(lesson)
    desk.say(say("open", path=_near(path)))
    return book.jupyter(path)


def _book(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    desk.say(say("book", path=_near(book.build(course, args.out))))
    return 0


def _grade(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    found, misnamed = grading.submissions(course, args.folder)
    seed, grades = secrets.randbelow(10**6), []
    with bars.bar("grading", len(found), "submission") as bar:
        for grade in grading.grade(course, found, args.folder, seed):
            grades.append(grade)
            bar.update(1)
    for g in sorted(grades, key=lambda g: (g.exercise, g.author)):
        facts = {"grade": g.grade, "author": g.author, "exercise": g.exercise}
        desk.say(say("grade_row", reason=g.reason, **facts))
    for path in misnamed:
        desk.say(say("grade_misnamed", path=_near(path)))
    desk.say(say("graded", count=len(grades), seed=seed))
    if args.csv:
        state.write(args.csv, grading.table(grades))
        desk.say(say("grade_written", path=args.csv))
    return 0


def _near(path: Path) -> str:
    return os.path.relpath(path)
