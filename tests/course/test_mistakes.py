"""Every starter fails kindly, every solution passes, every known mistake gets its own diagnosis."""

import ast
import collections
import re
from pathlib import Path

import pytest

from mstheft.course import checking, manifest, starter

ROOT = Path(__file__).parents[2]
COURSE = manifest.find(ROOT)
WRITTEN = [lesson for lesson in COURSE.lessons if lesson.functions]
MISTAKES = Path(__file__).parent / "mistakes"

lessons = pytest.mark.parametrize("lesson", WRITTEN, ids=lambda lesson: lesson.name)


def mistakes(lesson):
    """The name of each wrong function of a lesson: FUNCTION__KEY or FUNCTION__KEY__2."""
    path = MISTAKES / f"{lesson.name}.py"
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and "__" in n.name[1:]]


EVERY = [(lesson, name) for lesson in WRITTEN for name in mistakes(lesson)]


def judge(lesson, path, seed=1):
    return checking.check(lesson, path, seed)


@lessons
def test_the_starter_is_the_solution_without_its_bodies(lesson):
    committed = lesson.exercise.read_text()
    assert committed == starter.starter(lesson), f"run starter.py on {lesson.solution.name}"


@lessons
def test_the_starter_fails_with_its_message(lesson, tmp_path):
    path = tmp_path / lesson.exercise.name
    path.write_text(starter.starter(lesson))
    found = judge(lesson, path)
    assert not found.passed
    assert {f.name for f in found.functions} == {f.name for f in lesson.functions}
    for function in found.functions:
        assert function.feedback.key == "unwritten"
        assert "nothing is broken" in str(function.feedback)
        assert f"mstheft learn check {lesson.number}" in str(function.feedback)


@lessons
@pytest.mark.parametrize("seed", [1, *(pytest.param(s, marks=pytest.mark.slow) for s in (2, 3))])
def test_the_solution_passes(lesson, seed):
    found = judge(lesson, lesson.solution, seed)
    assert [str(f.feedback) for f in found.functions if not f.solved] == []
    assert found.passed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lesson", "name"), EVERY, ids=[f"{lesson.name}-{name}" for lesson, name in EVERY]
)
def test_a_known_mistake_gets_its_diagnosis(lesson, name, tmp_path, monkeypatch):
    function, key = name.split("__")[:2]
    monkeypatch.setenv("MSTHEFT_CALL_SECONDS", "2")
    path = tmp_path / lesson.exercise.name
    wrong = (MISTAKES / f"{lesson.name}.py").read_text()
    path.write_text(f"{lesson.solution.read_text()}\n\n{wrong}\n\n{function} = {name}\n")
    found = judge(lesson, path)
    (feedback,) = [f.feedback for f in found.functions if f.name == function]
    assert feedback is not None, f"{name} passes"
    assert feedback.key == key, str(feedback)
    assert feedback.cause
    assert not re.search(r"\{\w+\}", str(feedback)), "a fact was not filled in"


@lessons
def test_there_are_three_known_mistakes_for_each_function(lesson):
    count = collections.Counter(name.split("__")[0] for name in mistakes(lesson))
    assert set(count) == {f.name for f in lesson.functions}
    assert min(count.values()) >= 3, count
