"""mstheft learn: lessons, exercises, hints, grades. Its words stand in `course/messages.toml`."""

import contextlib
import shutil

from mstheft.cli import challenge, classroom, files, options
from mstheft.cli.console import Console, UsageError
from mstheft.cli.options import Args, Parser, add, whole
from mstheft.course import (
    book,
    checking,
    manifest,
    starter,
    state,
    watch,
)
from mstheft.course.manifest import Course, Function, Lesson
from mstheft.course.messages import say
from mstheft.course.show import near
from mstheft.course.starter import calls
from mstheft.errors import MstheftError
from mstheft.report import draggable

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
    "pages": "six pages to drag, each one file for a browser",
    "start": "lay the course out in a folder, with its checks and without its solutions",
    "handout": "the course for a class as a zip archive, without solutions",
    "challenge": "twelve hidden victims, each behind a service of its own",
    "submit": "hand in a copy of a level's victim",
    "board": "the best of a class, from their certificates",
    "grade": "judge the submissions of a class",
}
NUMBERED = {"check": "?", "hint": "?", "solution": None, "reset": None, "open": "?"}
LISTING = ("list", "check", "grade")


def add_arguments(parser: Parser) -> None:
    """[ACTION] [N]."""
    parser.set_defaults(run=run, action="where", number=None, function=None)
    actions = parser.add_subparsers(metavar="ACTION")
    for action, what in ACTIONS.items():
        one = actions.add_parser(action, help=what, description=f"{what.capitalize()}.")
        one.set_defaults(action=action)
        options.add_results(one, json=action in LISTING)
        if action in NUMBERED:
            words = "number of the lesson; the one you are at unless given"
            add(one, "number N", whole(1), words, nargs=NUMBERED[action])
        if action in ("check", "hint"):
            words = "one function of the exercise; the first that is not solved unless given"
            add(one, "function NAME", str, words, nargs="?")
    options.add_out(actions.choices["book"], "mstheft-book")
    options.add_out(actions.choices["pages"], "mstheft-pages")
    classroom.add_arguments(actions.choices)
    challenge.add_arguments(actions.choices)


def run(args: Args, console: Console) -> int:
    """One of `mstheft learn`'s actions; 0 unless it says otherwise."""
    if action := {**classroom.ACTIONS, **challenge.ACTIONS}.get(args.action):
        return action(args, console) or 0
    return globals()[f"_{args.action}"](args, console, manifest.find()) or 0


def _lesson(args: Args, course: Course) -> Lesson:
    """The lesson that was named, or the one at which the learner is."""
    if args.number is None:
        return state.load(course).here(course) or course.lessons[-1]
    try:
        return course.lesson(args.number)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _where(args: Args, console: Console, course: Course) -> None:
    progress = state.load(course)
    done = sum(progress.done(lesson) for lesson in course.lessons)
    console.say(say("total", done=done, all=len(course.lessons)))
    _tell(progress, console, course)


def _tell(progress: state.Progress, console: Console, course: Course) -> Lesson | None:
    """The lesson at which the learner is, and the function that is open in it."""
    lesson = progress.here(course)
    function = progress.open(lesson) if lesson else None
    if lesson is None or function is None:
        console.say(say("finished"))
        return None
    facts = {"number": lesson.number, "title": lesson.title, "all": len(lesson.functions)}
    solved = len(progress.solved.get(lesson.name, []))
    console.say(say("where", solved=solved, name=function.name, does=function.does, **facts))
    places = {"lesson": near(lesson.lesson), "exercise": near(lesson.exercise)}
    console.say(say("where_start", **places))
    for key in ("where_open", "where_check", "where_hint"):
        console.say("  " + say(key, number=lesson.number))
    return lesson


def _next(args: Args, console: Console, course: Course) -> None:
    progress = state.load(course)
    if here := _tell(progress, console, course):
        progress.current = here.name
        before = course.lessons[: here.number - 1]
        if skipped := [str(one.number) for one in before if progress.open(one)]:
            console.say(say("where_skipped", numbers=", ".join(skipped)))
        _save(progress, console, course)


def _list(args: Args, console: Console, course: Course) -> int:
    progress, lessons = state.load(course), []
    for lesson in course.lessons:
        solved, total = len(progress.solved.get(lesson.name, [])), len(lesson.functions)
        mark = "done" if progress.done(lesson) else "part" if solved else "open"
        facts = {"number": lesson.number, "title": lesson.title, "minutes": lesson.minutes}
        hard = say(f"difficulty_{lesson.difficulty}")
        shown = say(f"list_mark_{mark}", solved=solved, all=total)
        console.say(say("list_row", mark=shown, difficulty=hard, part=lesson.part, **facts))
        lessons.append({**facts, "solved": solved, "functions": total})
    files.write_json(args, console, {"lessons": lessons})
    return console.end()


def _check(args: Args, console: Console, course: Course) -> int:
    lesson = _lesson(args, course)
    named = _function(args, lesson).name if args.function else None
    outcome = checking.check(lesson)
    functions = [{"name": f.name, "state": f.state} for f in outcome.functions]
    values = {"lesson": lesson.name, "passed": outcome.passed, "functions": functions}
    status = _judge(outcome, console, course, named)
    files.write_json(args, console, values)
    return max(status, console.end())


def _function(args: Args, lesson: Lesson) -> Function:
    if (function := lesson.function(args.function)) is None:
        what = f"expected a function of exercise {lesson.number}, got {args.function!r}"
        raise UsageError(f"{what}; it has {', '.join(f.name for f in lesson.functions)}")
    return function


def _judge(
    outcome: checking.Outcome, console: Console, course: Course, named: str | None = None
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
    if others := [f.name for f in outcome.functions if f.state == "wrong" and f is not shown]:
        facts = {"names": ", ".join(others), "first": others[0], "number": lesson.number}
        console.say("\n" + say("check_others", **facts))
    return 1


def _remember(outcome: checking.Outcome, console: Console, course: Course) -> None:
    """Keep what is solved, and of functions that were not called what was solved before."""
    progress, lesson = state.load(course), outcome.lesson
    before = progress.solved.get(lesson.name, [])
    progress.current = lesson.name
    progress.solved[lesson.name] = [
        f.name for f in outcome.functions if f.solved or (f.state == "stopped" and f.name in before)
    ]
    _save(progress, console, course)


def _save(progress: state.Progress, console: Console, course: Course) -> None:
    """Save the progress. What a learner wants to see is shown even where that fails."""
    try:
        state.save(course, progress)
    except OSError as error:
        console.fail(1, say("not_kept", path=near(state.place(course)), error=error.strerror))


def _hint(args: Args, console: Console, course: Course) -> None:
    lesson, progress = _lesson(args, course), state.load(course)
    function = _function(args, lesson) if args.function else progress.open(lesson)
    if function is None:
        console.say(say("hint_solved", number=lesson.number))
        return
    seen, total = progress.hints.setdefault(lesson.name, {}), len(function.hints)
    index = seen[function.name] = min(seen.get(function.name, 0) + 1, total)
    progress.current, text = lesson.name, function.hints[index - 1]
    console.say(say("hint", name=function.name, index=index, all=total, text=text))
    more = "hint_more" if index < total else "hint_last"
    console.say(say(more, number=lesson.number, name=function.name))
    _save(progress, console, course)


def _watch(args: Args, console: Console, course: Course) -> None:
    console.say(say("watch", folder=near(course.home / "exercises")))
    with contextlib.suppress(KeyboardInterrupt):
        for lesson in watch.changes(course):
            console.say("\n" + say("watch_start", number=lesson.number))
            try:
                _judge(checking.check(lesson), console, course)
            except checking.CheckBroken as error:
                console.fail(1, error)


def _pages(args: Args, console: Console, course: Course) -> None:
    for page in draggable.write(args.out):
        console.say(near(page))


def _solution(args: Args, console: Console, course: Course) -> None:
    lesson, progress = _lesson(args, course), state.load(course)
    if not lesson.solution.is_file():
        raise MstheftError(say("no_solution"))
    if not progress.done(lesson) and lesson.name not in progress.solutions_seen:
        console.say(say("solution_ask", number=lesson.number))
        if console.answer().strip().lower() not in ("y", "yes", "j", "ja", "是"):
            console.say(say("solution_no", number=lesson.number))
            return
        progress.solutions_seen.append(lesson.name)
        _save(progress, console, course)
    console.say(lesson.solution.read_text(encoding="utf-8").rstrip())


def _reset(args: Args, console: Console, course: Course) -> None:
    lesson, progress = _lesson(args, course), state.load(course)
    aside, new = state.aside(lesson.exercise), starter.starter(lesson)
    there = lesson.exercise.exists()
    own = there and lesson.exercise.read_bytes().replace(b"\r\n", b"\n") != new.encode()
    if own:
        shutil.copy2(lesson.exercise, aside)
    if own or not there:
        state.write(lesson.exercise, new)
    progress.solved.pop(lesson.name, None)
    progress.hints.pop(lesson.name, None)
    key = "reset" if own else "reset_same" if there else "reset_new"
    console.say(say(key, file=near(lesson.exercise), aside=near(aside)))
    _save(progress, console, course)


def _open(args: Args, console: Console, course: Course) -> int:
    lesson = _lesson(args, course)
    book.need_jupyter()
    notebook = book.notebook(lesson)
    console.say(say("open", path=near(notebook)))
    return book.jupyter(notebook)


def _book(args: Args, console: Console, course: Course) -> None:
    console.say(say("book", path=near(book.build(course, args.out))))
