"""The arguments of `mstheft learn`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mstheft.arguments.values import whole

ACTIONS = {
    "next": "what comes next",
    "check": "judge an exercise and explain what is wrong",
    "hint": "the next hint for the function that is open",
    "watch": "judge each exercise whenever it is saved",
    "solution": "show a solution (asks once if the exercise is not solved)",
    "reset": "put an exercise back to its beginning; yours is kept beside it",
    "list": "all lessons, and what is solved",
    "open": "open a lesson in Jupyter",
}
NUMBERED = {"check": "?", "hint": "?", "solution": None, "reset": None, "open": "?"}


def add_learn(commands: Any) -> None:
    """mstheft learn [ACTION] [N]."""
    learn = commands.add_parser("learn", help="the course: lessons, exercises, hints, grades")
    learn.set_defaults(command="course", action="where", number=None, function=None, quiet=False)
    actions = learn.add_subparsers(metavar="ACTION")
    for action, what in ACTIONS.items():
        parser = actions.add_parser(action, help=what, description=f"{what.capitalize()}.")
        parser.set_defaults(action=action)
        if action in NUMBERED:
            parser.add_argument(
                "number", type=whole(1), nargs=NUMBERED[action], metavar="N",
                help="number of the lesson; the one you are at unless given",
            )  # fmt: skip
        if action in ("check", "hint"):
            parser.add_argument(
                "function", nargs="?", metavar="NAME",
                help="one function of the exercise; the first that is not solved unless given",
            )  # fmt: skip
    book = actions.add_parser("book", help="all lessons as pages to read in a browser")
    book.set_defaults(action="book")
    book.add_argument(
        "--out", type=Path, default=Path("mstheft-book"), metavar="DIR",
        help="(default: %(default)s)",
    )  # fmt: skip
    grade = actions.add_parser("grade", help="judge the submissions of a class")
    grade.set_defaults(action="grade")
    grade.add_argument(
        "folder", type=Path, metavar="FOLDER",
        help="of files such as anna/02_logistic.py or anna_02_logistic.py",
    )  # fmt: skip
    grade.add_argument("--csv", type=Path, metavar="FILE", help="a table, one row for each file")
