"""The exercise is its solution without the bodies: one text in one place.

    python -m mstheft.course.starter tutorials/solutions/02_logistic.py

writes `tutorials/exercises/02_logistic.py`. A test holds the two together.
"""

import ast
import sys
from pathlib import Path

from mstheft.course import manifest
from mstheft.course.messages import say

TODO = "...  # your code"


def starter(lesson: manifest.Lesson) -> str:
    """The text of a lesson's exercise as a learner first meets it.

    Every function of the manifest keeps its docstring and loses its body; the rest of the solution
    is given to the learner. Where there are no solutions it is kept in `starters/`.
    """
    if not lesson.solution.is_file():
        return (lesson.home / "starters" / lesson.exercise.name).read_text(encoding="utf-8")
    source = lesson.solution.read_text(encoding="utf-8")
    tree, lines = ast.parse(source), source.splitlines()
    names = {function.name for function in lesson.functions}
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            first, last = node.body[0], node.body[-1].end_lineno
            if ast.get_docstring(node) is None:
                raise ValueError(f"{lesson.solution}: {node.name} needs a docstring; write it")
            lines[first.end_lineno : last] = [" " * first.col_offset + TODO]
    head = tree.body[0]
    topic = (ast.get_docstring(tree) or "").split(":", 1)[-1].strip().rstrip(".")
    intro = say("starter", number=lesson.number, name=lesson.name, topic=topic)
    lines[head.lineno - 1 : head.end_lineno] = intro.rstrip().splitlines()
    return "\n".join(lines) + "\n"


def calls(path: Path, name: str) -> set[str]:
    """The names that the body of function `name` mentions; none where the file cannot be read."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return set()
    bodies = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    return {n.id for body in bodies[-1:] for n in ast.walk(body) if isinstance(n, ast.Name)}


def main(paths: list[str]) -> None:
    """Write the exercise of each solution that is named."""
    for path in map(Path, paths):
        lesson = manifest.find(path.resolve().parent).named(path.stem)
        if lesson is None:
            raise SystemExit(f"{path.stem} is not in course.toml; add it")
        lesson.exercise.write_text(starter(lesson), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
