"""mstheft learn: lessons, exercises, hints, grades. Its words stand in `course/messages.toml`."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import shutil
from dataclasses import asdict
from typing import Any

from mstheft import progress as bars
from mstheft.cli import files, options
from mstheft.cli.console import Console, UsageError
from mstheft.cli.values import path, whole
from mstheft.course import book, checking, grading, manifest, starter, state, watch
from mstheft.course.messages import say
from mstheft.course.show import near
from mstheft.course.starter import calls

ACTIONS = {
    "next": "what comes next",
    "check": "judge an exercise and explain what is wrong",
    "hint": "the next hint for the function that is open",
    "watch": "judge each exercise whenever it is saved",
    "solution": "show a solution (asks once if the exercise is not solved)",
    "reset": "put an exercise back to its beginning; yours is kept beside it",
    "list": "all lessons, and what is solved",
    "open": "open a lesson in Jupyter",
    "book": "all lessons as pages to read in a browser",
    "grade": "judge the submissions of a class",
}
NUMBERED = {"check": "?", "hint": "?", "solution": None, "reset": None, "open": "?"}
LISTING = ("list", "check", "grade")

# ---- arguments


def add_arguments(parser: Any) -> None:
    """[ACTION] [N]."""
    parser.set_defaults(run=run, action="where", number=None, function=None)
    actions = parser.add_subparsers(metavar="ACTION")
    for action, what in ACTIONS.items():
        one = actions.add_parser(action, help=what, description=f"{what.capitalize()}.")
        one.set_defaults(action=action)
        options.add_results(one, json=action in LISTING)
        if action in NUMBERED:
            words = "number of the lesson; the one you are at unless given"
            nargs = NUMBERED[action]
            one.add_argument("number", type=whole(1), nargs=nargs, metavar="N", help=words)
        if action in ("check", "hint"):
            words = "one function of the exercise; the first that is not solved unless given"
            one.add_argument("function", nargs="?", metavar="NAME", help=words)
    options.add_out(actions.choices["book"], "mstheft-book")
    add = actions.choices["grade"].add_argument
    words = "of files such as anna/02_logistic.py or anna_02_logistic.py"
    add("folder", type=path, metavar="FOLDER", help=words)
    add("--csv", type=path, metavar="FILE", help="a table, one row for each file")


# ---- what it does


def run(args: argparse.Namespace, console: Console) -> int:
    """One of `mstheft learn`'s actions."""
    files.check_places(args)
    course = manifest.find()
    return int(globals()[f"_{args.action}"](args, console, course))


def _lesson(args: argparse.Namespace, course: manifest.Course) -> manifest.Lesson:
    """The lesson that was named, or the one at which the learner is."""
    if args.number is None:
        here = state.load(course).here(course)
        return here or course.lessons[-1]
    try:
        return course.lesson(args.number)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _where(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    known = state.load(course)
    done = sum(known.done(lesson) for lesson in course.lessons)
    console.say(say("total", done=done, all=len(course.lessons)))
    _tell(known, console, course)
    return 0


def _tell(
    known: state.Progress, console: Console, course: manifest.Course
) -> manifest.Lesson | None:
    """The lesson at which the learner is, and the function that is open in it."""
    lesson = known.here(course)
    function = known.open(lesson) if lesson else None
    if lesson is None or function is None:
        console.say(say("finished"))
        return None
    facts = {"number": lesson.number, "title": lesson.title, "all": len(lesson.functions)}
    solved = len(known.solved.get(lesson.name, []))
    console.say(say("where", solved=solved, name=function.name, does=function.does, **facts))
    places = {"lesson": near(lesson.lesson), "exercise": near(lesson.exercise)}
    console.say(say("where_start", **places))
    for key in ("where_open", "where_check", "where_hint"):
        console.say("  " + say(key, number=lesson.number))
    return lesson


def _next(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    known = state.load(course)
    if here := _tell(known, console, course):
        known.current = here.name
        skipped = [str(one.number) for one in course.lessons[: here.number - 1] if known.open(one)]
        if skipped:
            console.say(say("where_skipped", numbers=", ".join(skipped)))
        _keep(known, console, course)
    return 0


def _list(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    known, lessons = state.load(course), []
    for lesson in course.lessons:
        solved, total = len(known.solved.get(lesson.name, [])), len(lesson.functions)
        mark = "done" if known.done(lesson) else "part" if solved else "open"
        facts = {"number": lesson.number, "title": lesson.title, "minutes": lesson.minutes}
        hard = say(f"difficulty_{lesson.difficulty}")
        shown = say(f"list_mark_{mark}", solved=solved, all=total)
        console.say(say("list_row", mark=shown, difficulty=hard, part=lesson.part, **facts))
        lessons.append({**facts, "solved": solved, "functions": total})
    files.write_json(args, console, {"lessons": lessons})
    return console.end()


def _check(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    lesson = _lesson(args, course)
    named = _function(args, lesson).name if args.function else None
    outcome = checking.check(lesson)
    functions = [{"name": f.name, "state": f.state} for f in outcome.functions]
    values = {"lesson": lesson.name, "passed": outcome.passed, "functions": functions}
    status = _judge(outcome, console, course, named)
    files.write_json(args, console, values)
    return max(status, console.end())


def _function(args: argparse.Namespace, lesson: manifest.Lesson) -> manifest.Function:
    if (function := lesson.function(args.function)) is None:
        names = ", ".join(f.name for f in lesson.functions)
        raise UsageError(
            f"expected a function of exercise {lesson.number}, got {args.function!r}; it has "
            f"{names}"
        )
    return function


def _judge(
    outcome: checking.Outcome, console: Console, course: manifest.Course, named: str | None = None
) -> int:
    """Keep what is solved of an exercise, and explain one function: `named`, or the first."""
    lesson = outcome.lesson
    console.say(say("check_title", number=lesson.number, title=lesson.title))
    if outcome.unread:  # nothing is known of the functions: what was solved stays so
        console.say(str(outcome.unread))
        return 1
    for function in outcome.functions:
        console.say(say(f"check_{function.state}", name=function.name))
    _remember(outcome, console, course)
    if outcome.passed:
        console.say(say("check_done", number=lesson.number, all=len(lesson.functions)))
        return 0
    shown = next((f for f in outcome.functions if f.name == named), outcome.first)
    if shown is None or shown.feedback is None:
        console.say("\n" + say("check_right", name=named, number=lesson.number))
        return 0
    console.say("\n" + say("check_first", name=shown.name))
    console.say(str(shown.feedback))
    open_ones = {f.name for f in outcome.functions if not f.solved and f is not shown}
    if called := calls(lesson.exercise, shown.name) & open_ones:
        console.say("\n" + say("check_calls", name=shown.name, others=", ".join(sorted(called))))
    others = [f.name for f in outcome.functions if f.state == "wrong" and f is not shown]
    if others:
        facts = {"names": ", ".join(others), "first": others[0], "number": lesson.number}
        console.say("\n" + say("check_others", **facts))
    return 1


def _remember(outcome: checking.Outcome, console: Console, course: manifest.Course) -> None:
    """Keep what is solved, and of functions that were not called what was known before."""
    known, lesson = state.load(course), outcome.lesson
    before = known.solved.get(lesson.name, [])
    known.current = lesson.name
    known.solved[lesson.name] = [
        f.name for f in outcome.functions if f.solved or (f.state == "stopped" and f.name in before)
    ]
    _keep(known, console, course)


def _keep(known: state.Progress, console: Console, course: manifest.Course) -> None:
    """Save the progress. What a learner asked for is told even where that fails."""
    try:
        state.save(course, known)
    except OSError as error:
        console.fail(1, say("not_kept", path=near(state.place(course)), error=error.strerror))


def _hint(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    lesson, known = _lesson(args, course), state.load(course)
    function = _function(args, lesson) if args.function else known.open(lesson)
    if function is None:
        console.say(say("hint_solved", number=lesson.number))
        return 0
    seen = known.hints.setdefault(lesson.name, {})
    index = min(seen.get(function.name, 0) + 1, len(function.hints))
    seen[function.name] = index
    known.current = lesson.name
    text, total = function.hints[index - 1], len(function.hints)
    console.say(say("hint", name=function.name, index=index, all=total, text=text))
    more = "hint_more" if index < total else "hint_last"
    console.say(say(more, number=lesson.number, name=function.name))
    _keep(known, console, course)
    return 0


def _watch(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    console.say(say("watch", folder=near(course.home / "exercises")))
    with contextlib.suppress(KeyboardInterrupt):
        for lesson in watch.changes(course):
            console.say("\n" + say("watch_start", number=lesson.number))
            try:
                _judge(checking.check(lesson), console, course)
            except checking.CheckBroken as error:
                console.fail(1, error)
    return 0


def _solution(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    lesson, known = _lesson(args, course), state.load(course)
    if not known.done(lesson) and lesson.name not in known.solutions_seen:
        console.say(say("solution_ask", number=lesson.number))
        if console.answer().strip().lower() not in ("y", "yes", "j", "ja", "是"):
            console.say(say("solution_no", number=lesson.number))
            return 0
        known.solutions_seen.append(lesson.name)
        _keep(known, console, course)
    console.say(lesson.solution.read_text(encoding="utf-8").rstrip())
    return 0


def _reset(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
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
    console.say(say(said, file=near(lesson.exercise), aside=near(aside)))
    _keep(known, console, course)
    return 0


def _open(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    lesson = _lesson(args, course)
    book.need_jupyter()
    path = book.notebook(lesson)
    console.say(say("open", path=near(path)))
    return book.jupyter(path)


def _book(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    console.say(say("book", path=near(book.build(course, args.out))))
    return 0


def _grade(args: argparse.Namespace, console: Console, course: manifest.Course) -> int:
    found, misnamed = grading.submissions(course, args.folder)
    seed, grades = secrets.randbelow(10**6), []
    with bars.bar("grading", len(found), "submission") as bar:
        for grade in grading.grade(course, found, args.folder, seed):
            grades.append(grade)
            bar.update(1)
    for g in sorted(grades, key=lambda g: (g.exercise, g.author)):
        console.say(say("grade_row", **_row(g)))
    for each in misnamed:
        console.say(say("grade_misnamed", path=near(each)))
    console.say(say("graded", count=len(grades), seed=seed))
    files.write_json(args, console, {"seed": seed, "grades": [asdict(g) for g in grades]})
    if args.csv:
        state.write(args.csv, grading.table(grades))
        console.say(say("grade_written", path=args.csv))
    return console.end()


def _row(grade: grading.Grade) -> dict[str, Any]:
    """The words of a line of grades."""
    return asdict(grade) | {"all": grade.functions}
