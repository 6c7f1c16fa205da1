"""mstheft learn: lessons, exercises, hints, grades. Its words stand in `course/messages.toml`."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import shutil

from mstheft import progress as bars
from mstheft.commands.shared import Desk, Wrong
from mstheft.course import book, checking, grading, manifest, starter, state, watch
from mstheft.course.messages import say
from mstheft.course.show import near
from mstheft.course.starter import calls


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
    places = {"lesson": near(lesson.lesson), "exercise": near(lesson.exercise)}
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
    _tell(here, known, desk)
    skipped = [str(one.number) for one in course.lessons[: here.number - 1] if known.open(one)]
    if skipped:
        desk.say(say("where_skipped", numbers=", ".join(skipped)))
    _keep(known, desk, course)
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
    for function in outcome.functions:
        desk.say(say(f"check_{function.state}", name=function.name))
    _remember(outcome, desk, course)
    if outcome.passed:
        desk.say(say("check_done", number=lesson.number, all=len(lesson.functions)))
        return 0
    shown = next((f for f in outcome.functions if f.name == named), outcome.first)
    if shown is None or shown.feedback is None:
        desk.say("\n" + say("check_right", name=named, number=lesson.number))
        return 0
    desk.say("\n" + say("check_first", name=shown.name))
    desk.say(str(shown.feedback))
    open_ones = {f.name for f in outcome.functions if not f.solved and f is not shown}
    if called := calls(lesson.exercise, shown.name) & open_ones:
        desk.say("\n" + say("check_calls", name=shown.name, others=", ".join(sorted(called))))
    others = [f.name for f in outcome.functions if f.state == "wrong" and f is not shown]
    if others:
        facts = {"names": ", ".join(others), "first": others[0], "number": lesson.number}
        desk.say("\n" + say("check_others", **facts))
    return 1


def _remember(outcome: checking.Outcome, desk: Desk, course: manifest.Course) -> None:
    """Keep what is solved, and of functions that were not called what was known before."""
    known, lesson = state.load(course), outcome.lesson
    before = known.solved.get(lesson.name, [])
    known.current = lesson.name
    known.solved[lesson.name] = [
        f.name for f in outcome.functions if f.solved or (f.state == "stopped" and f.name in before)
    ]
    _keep(known, desk, course)


def _keep(known: state.Progress, desk: Desk, course: manifest.Course) -> None:
    """Save the progress. What a learner asked for is told even where that fails."""
    try:
        state.save(course, known)
    except OSError as error:
        desk.fail(1, say("not_kept", path=near(state.place(course)), error=error.strerror))


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
    text, total = function.hints[index - 1], len(function.hints)
    desk.say(say("hint", name=function.name, index=index, all=total, text=text))
    more = "hint_more" if index < total else "hint_last"
    desk.say(say(more, number=lesson.number, name=function.name))
    _keep(known, desk, course)
    return 0


def _watch(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    desk.say(say("watch", folder=near(course.home / "exercises")))
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
        _keep(known, desk, course)
    desk.say(lesson.solution.read_text(encoding="utf-8").rstrip())
    return 0


def _reset(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    lesson, known = _lesson(args, course), state.load(course)
    aside, new = state.aside(lesson.exercise), starter.starter(lesson)
    there = lesson.exercise.exists()
    kept = there and lesson.exercise.read_bytes().replace(b"\r\n", b"\n") != new.encode()
    if kept:
        shutil.copy2(lesson.exercise, aside)
    if kept or not there:
        state.write(lesson.exercise, new)
    known.solved.pop(lesson.name, None)
    known.hints.pop(lesson.name, None)
    said = "reset" if kept else "reset_same" if there else "reset_new"
    desk.say(say(said, file=near(lesson.exercise), aside=near(aside)))
    _keep(known, desk, course)
    return 0


def _open(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    lesson = _lesson(args, course)
    book.need_jupyter()
    path = book.notebook(lesson)
    desk.say(say("open", path=near(path)))
    return book.jupyter(path)


def _book(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    desk.say(say("book", path=near(book.build(course, args.out))))
    return 0


def _grade(args: argparse.Namespace, desk: Desk, course: manifest.Course) -> int:
    if args.csv and not args.csv.resolve().parent.is_dir():
        raise Wrong(f"--csv {args.csv}: expected an existing folder, {args.csv.parent} is none")
    found, misnamed = grading.submissions(course, args.folder)
    seed, grades = secrets.randbelow(10**6), []
    with bars.bar("grading", len(found), "submission") as bar:
        for grade in grading.grade(course, found, args.folder, seed):
            grades.append(grade)
            bar.update(1)
    for g in sorted(grades, key=lambda g: (g.exercise, g.author)):
        facts = {"grade": g.grade, "author": g.author, "exercise": g.exercise}
        facts |= {"solved": g.solved, "all": g.functions}
        desk.say(say("grade_row", reason=g.reason, **facts))
    for path in misnamed:
        desk.say(say("grade_misnamed", path=near(path)))
    desk.say(say("graded", count=len(grades), seed=seed))
    if args.csv:
        state.write(args.csv, grading.table(grades))
        desk.say(say("grade_written", path=args.csv))
    return 0
