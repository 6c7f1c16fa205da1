"""An exercise asks for more than its lesson shows."""

import ast
from pathlib import Path

import standing

from mstheft.course import manifest

COURSE = manifest.find(Path(__file__).parents[2])

# Most are tools with which the later functions of their exercise are built. Whoever makes one of
# them ask for another case takes it out of this list.
STILL = {
    (2, "logit"),
    (4, "slope_at"),
    (5, "second_difference"),
    (10, "k_center"),
    (12, "build_vocabulary"),
    (13, "input_gradient"),
    (14, "straightness"),
    (16, "oriented"),
}


def test_few_functions_stand_in_their_lesson():
    found = {
        (lesson.number, name)
        for lesson in COURSE.lessons
        for name in standing.standing(
            lesson.solution, lesson.lesson, {f.name for f in lesson.functions}
        )
    }
    assert found == STILL
    assert len(found) <= 8


def test_renaming_does_not_hide_a_copy():
    shown = ast.parse("hidden = np.maximum(x @ A0.T + b0, 0) @ A1.T + b1")
    copied = ast.parse(
        "def f(W, c, V, e, rows):\n    return np.maximum(rows @ W.T + c, 0) @ V.T + e"
    )
    other = ast.parse("def f(W, c, x):\n    return np.minimum(W * x, 0).sum(axis=1) + c.min() - 2")
    assert standing.share(copied, shown) == 1
    assert standing.share(other, shown) < 0.5
