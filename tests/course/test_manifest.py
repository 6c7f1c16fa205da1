"""The manifest: complete, in order, and true; and the matrix that is made from it."""

import importlib
import re
from pathlib import Path

import pytest

from mstheft.course import manifest, matrix, messages
from mstheft.errors import DataError
from mstheft.files import read_toml

ROOT = Path(__file__).parents[2]
COURSE = manifest.find(ROOT)
lessons = pytest.mark.parametrize("lesson", COURSE.lessons, ids=lambda lesson: lesson.name)
GENERAL = set(messages._all("en")["cause"])


def resolved(dotted):
    """The object that a dotted name stands for."""
    parts = dotted.split(".")
    thing = importlib.import_module(parts[0])
    for n, part in enumerate(parts[1:], 2):
        if not hasattr(thing, part):
            importlib.import_module(".".join(parts[:n]))
        thing = getattr(thing, part)
    return thing


def test_there_are_twenty_lessons_in_order():
    assert [lesson.number for lesson in COURSE.lessons] == list(range(1, 21))
    assert all(lesson.name.startswith(f"{lesson.number:02d}_") for lesson in COURSE.lessons)


def test_there_are_about_sixty_functions():
    assert 55 <= sum(len(lesson.functions) for lesson in COURSE.lessons) <= 90


@lessons
def test_every_lesson_is_complete(lesson):
    for path in (lesson.lesson, lesson.exercise, lesson.solution, lesson.check):
        assert path.is_file(), path
    assert 1 <= lesson.difficulty <= 3
    assert 10 <= lesson.minutes <= 120
    assert all(before < lesson.number for before in lesson.prerequisites)
    assert len(lesson.functions) >= 2


@lessons
def test_every_function_has_three_hints_and_real_companions(lesson):
    for function in lesson.functions:
        assert len(function.hints) == 3, function.name
        assert len(set(function.hints)) == 3
        assert callable(resolved(function.twin)), function.twin
        assert all(text.endswith((".", "?", ")", "!")) for text in function.mistakes.values())
        assert all(re.fullmatch("[a-z0-9_]+", key) for key in function.mistakes)
        if function.stage:
            attack, stage = function.stage.split(" · ")
            assert attack in matrix.ATTACKS, attack
            assert stage


@lessons
def test_no_hint_is_a_line_of_the_solution(lesson):
    lines = {
        line.strip()
        for line in lesson.solution.read_text().splitlines()
        if len(line.strip()) > 30 and "=" in line and not line.strip().startswith(("#", '"'))
    }
    for function in lesson.functions:
        for hint in function.hints:
            assert not any(line in hint for line in lines), hint


@lessons
def test_the_lesson_has_the_form_of_a_lesson(lesson):
    text = lesson.lesson.read_text()
    assert text.startswith(f"# %% [markdown]\n# # {lesson.number:02d} · ")
    assert "Claim" in text.split("# %%\n")[0]
    assert f"mstheft learn check {lesson.number}\n" in text
    assert text.count("plt.show()") >= 2


@lessons
def test_the_check_tests_every_function_in_order(lesson):
    found = re.findall(r"^def test_(\w+?)(?:__\w+)?\(", lesson.check.read_text(), re.M)
    names = [f.name for f in lesson.functions]
    assert [name for name in dict.fromkeys(found)] == names


# ---- the matrix


def test_the_matrix_of_the_readme_is_the_manifest_s():
    readme = (COURSE.home / "README.md").read_text()
    assert matrix.between(readme) == matrix.table(COURSE), "run python -m mstheft.course.matrix"


def test_no_cell_of_the_matrix_is_empty():
    for row in matrix.rows(COURSE):
        assert all(row), row


def test_every_attack_has_a_row():
    assert {row[0] for row in matrix.rows(COURSE)} == set(matrix.ATTACKS)


@pytest.mark.parametrize(
    "function", [f for lesson in COURSE.lessons for f in lesson.functions if f.stage],
    ids=lambda f: f.name,
)  # fmt: skip
def test_the_companions_of_a_stage_exist(function):
    assert callable(resolved(function.plot)), function.plot
    assert (ROOT / "mstheft" / "vectors" / f"{function.vectors}.json").is_file(), function.vectors


def test_an_empty_cell_is_seen(monkeypatch):
    from dataclasses import replace

    lesson = COURSE.lesson(2)
    bare = replace(lesson, functions=(replace(lesson.functions[0], plot=""),))
    assert not all(matrix.row(bare, bare.functions[0]))


# ---- finding and reading


def test_the_course_is_found_from_below(monkeypatch):
    assert manifest.find(ROOT / "tutorials" / "lessons").home == ROOT / "tutorials"
    assert manifest.find(ROOT / "tutorials").home == ROOT / "tutorials"


def test_a_folder_without_a_course_is_told(tmp_path):
    with pytest.raises(DataError, match="go into the folder that you cloned"):
        manifest.find(tmp_path)


def test_a_lesson_that_is_not_there_is_told():
    with pytest.raises(ValueError, match="expected a lesson from 1 to 20, got 21"):
        COURSE.lesson(21)


def test_a_damaged_manifest_is_told(tmp_path):
    home = tmp_path / "tutorials"
    (home / "checks").mkdir(parents=True)
    (home / "course.toml").write_text("[[lesson\n")
    with pytest.raises(DataError, match=r"course\.toml: expected TOML"):
        manifest.find(tmp_path)
    (home / "course.toml").write_text("[[lesson]]\nnumber = 1\n")
    with pytest.raises(DataError, match="a lesson lacks 'name'"):
        _ = manifest.find(tmp_path).lessons


def test_a_second_language_is_a_second_file(tmp_path, monkeypatch):
    home = tmp_path / "tutorials"
    (home / "checks").mkdir(parents=True)
    (home / "course.toml").write_text((COURSE.home / "course.toml").read_text())
    (home / "course.xx.toml").write_text(
        '["02_logistic"]\ntitle = "TITEL"\n["02_logistic".logit]\nhints = ["EINS"]\n'
        '["02_logistic".logit.mistakes]\nodds = "QUOTE"\n'
    )
    monkeypatch.setenv("MSTHEFT_LANG", "xx")
    lesson = manifest.find(tmp_path).lesson(2)
    logit = lesson.function("logit")
    assert lesson.title == "TITEL"
    assert logit.hints == ("EINS",)
    assert logit.mistakes["odds"] == "QUOTE"
    assert logit.mistakes["sigmoid"] == COURSE.lesson(2).function("logit").mistakes["sigmoid"]


def test_a_translation_of_the_messages_has_their_keys_and_facts():
    english = messages._all("en")
    folder = Path(messages.__file__).parent
    for path in folder.glob("messages.*.toml"):
        other = read_toml(path)
        for section, sentences in other.items():
            for key, text in sentences.items():
                facts = set(re.findall(r"{(\w+)", english[section][key]))
                assert set(re.findall(r"{(\w+)", text)) == facts, (path.name, key)
