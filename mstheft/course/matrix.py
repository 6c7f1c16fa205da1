"""Every stage of every attack with its five companions, as the table of `tutorials/README.md`.

python -m mstheft.course.matrix        writes the table anew
"""

from mstheft.course import manifest, state

ATTACKS = (
    *("scoring", "linear", "label only", "relu", "sweep", "smooth", "deep", "labels"),
    *("active", "jacobian", "adversarial", "prada", "defences", "service"),
)
HEAD = ("attack", "stage", "function", "plot", "lesson", "exercise", "vectors")
START, END = "<!-- matrix -->\n", "<!-- end of matrix -->"


def row(lesson: manifest.Lesson, function: manifest.Function) -> tuple[str, ...]:
    """The cells of one stage."""
    attack, _, stage = function.stage.partition(" · ")
    return (
        attack,
        stage,
        function.twin and f"`{function.twin.removeprefix('mstheft.')}`",
        function.plot and f"`{function.plot.removeprefix('mstheft.')}`",
        f"[{lesson.number:02d}](lessons/{lesson.name}.py)",
        f"[`{function.name}`](exercises/{lesson.name}.py)",
        function.vectors and f"`{function.vectors}`",
    )


def rows(course: manifest.Course) -> list[tuple[str, ...]]:
    """All stages, by attack."""
    stages = [row(one, f) for one in course.lessons for f in one.functions if f.stage]
    order = {attack: i for i, attack in enumerate(ATTACKS)}
    return sorted(stages, key=lambda cells: order.get(cells[0], len(order)))


def table(course: manifest.Course) -> str:
    """The matrix in Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *rows(course)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def between(text: str) -> str:
    """The table in the text of a README."""
    return text.split(START)[1].split(END)[0]


def main() -> None:
    """Write the matrix into `tutorials/README.md` of this folder."""
    course = manifest.find()
    path = course.home / "README.md"
    text = path.read_text(encoding="utf-8")
    state.write(path, text.replace(START + between(text), START + table(course)))


if __name__ == "__main__":
    main()
