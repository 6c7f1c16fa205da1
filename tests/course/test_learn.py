"""`mstheft learn`, as somebody types it: what is said, what is kept, what is left alone."""

import csv
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from mstheft import cli
from mstheft.course import book, grading, manifest, process, starter, state, wall, watch

ROOT = Path(__file__).parents[2]
COURSE = manifest.find(ROOT)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the course in it, as after a clone."""
    skipped = shutil.ignore_patterns("progress.json*", "notebooks", "__pycache__", "*.before-*")
    shutil.copytree(ROOT / "tutorials", tmp_path / "tutorials", ignore=skipped)
    monkeypatch.chdir(tmp_path)
    for lesson in COURSE.lessons:  # whatever the developer of this checkout has tried
        if lesson.solution.is_file():
            path = tmp_path / "tutorials" / "exercises" / lesson.exercise.name
            path.write_text(starter.starter(lesson))
    return tmp_path


def learn(capsys, *words):
    """Exit status, standard output, standard error."""
    status = cli.main(["learn", *map(str, words)])
    told = capsys.readouterr()
    return status, told.out, told.err


def solve(here, number=2):
    lesson = COURSE.lesson(number)
    shutil.copy(lesson.solution, here / "tutorials" / "exercises" / lesson.exercise.name)


# ---- one learner


def test_where_you_are_at_first(here, capsys):
    status, out, _ = learn(capsys)
    assert status == 0
    assert "0 of 20 exercises solved" in out
    assert "Exercise 01" in out
    assert "mstheft learn check 1" in out
    assert not (here / "tutorials" / "progress.json").exists()


def test_the_first_check_says_that_nothing_is_broken(here, capsys):
    status, out, err = learn(capsys, "check", 2)
    assert status == 1
    assert "open     logit" in out
    assert "nothing is broken" in out
    assert "tutorials/exercises/02_logistic.py" in out
    assert err == ""


def test_a_wrong_answer_is_explained_in_order(here, capsys):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_text(path.read_text().replace("...  # your code", "return np.log(p)", 1))
    status, out, _ = learn(capsys, "check", 2)
    assert status == 1
    words = ["called", "expected", "got", "likeliest cause", "next", "MSTHEFT_SEED="]
    at = [out.index(word) for word in words]
    assert at == sorted(at)
    assert "You took ln p alone" in out


def test_a_wrong_function_behind_one_that_is_not_written_is_explained(here, capsys):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    start = path.read_text()
    wrong = start.replace("...  # your code", "@", 3).replace("...  # your code", "return p", 1)
    path.write_text(wrong.replace("@", "...  # your code"))
    status, out, _ = learn(capsys, "check", 2)
    assert status == 1
    assert "open     logit\n" in out
    assert "wrong    logit_error" in out
    assert "\nlogit_error:\ncalled" in out
    assert "\nlogit:\n" in learn(capsys, "check", 2, "logit")[1]
    status, _, err = learn(capsys, "check", 2, "logits")
    assert status == 2
    assert "it has logit, solve_logistic" in err


def test_a_function_whose_helper_is_wrong_is_sent_there(here, capsys):
    solve(here)
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    text = path.read_text() + "\n\ndef logit(p):\n    return np.log10(p) - np.log10(1 - p)\n"
    path.write_text(text)
    out = learn(capsys, "check", 2, "solve_logistic")[1]
    assert "solve_logistic calls logit, which is not right yet: mend that first." in out


def test_every_wrong_function_is_named(here, capsys):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_text(path.read_text().replace("...  # your code", "return np.zeros(3)"))
    out = learn(capsys, "check", 2)[1]
    assert "Wrong too: solve_logistic, solve_softmax, logit_error, boundary_point." in out
    assert "mstheft learn check 2 solve_logistic" in out
    assert "\nsolve_softmax:\ncalled" in learn(capsys, "check", 2, "solve_softmax")[1]


def test_a_file_that_python_cannot_read_loses_no_progress(here, capsys):
    solve(here)
    learn(capsys, "check", 2)
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_text(path.read_text().replace("def logit(p):", "def logit(p)", 1))
    status, out, _ = learn(capsys, "check", 2)
    assert status == 1
    assert "cannot be read by Python" in out
    assert "line 6, def logit(p): expected ':'" in out
    assert "change tutorials/exercises/02_logistic.py, save" in out
    assert "  open  " not in out
    assert "1 of 20" in learn(capsys)[1]


@pytest.mark.parametrize("place", ["top", "inside"])
def test_a_package_that_is_not_needed_is_named_with_its_line(here, capsys, place):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    text = path.read_text()
    if place == "top":
        text = text.replace("import numpy as np", "import numpy as np\nimport scipy.special", 1)
    else:
        text = text.replace("...  # your code", "import scipy.special", 1)
    path.write_text(text)
    out = learn(capsys, "check", 2)[1]
    assert "scipy cannot be imported in an exercise" in out
    assert ": import scipy.special" in out
    assert "NumPy and Python's standard library are all" in out


def test_what_python_says_is_explained(here, capsys):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_text(path.read_text().replace("...  # your code", "return p[99]", 1))
    out = learn(capsys, "check", 2)[1]
    assert "IndexError" in out
    assert "the last one is n - 1" in out


def test_a_loop_without_end_costs_its_time_once(here, capsys, monkeypatch):
    monkeypatch.setenv("MSTHEFT_CALL_SECONDS", "1")
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    body = "while True:\n        pass"
    path.write_text(path.read_text().replace("...  # your code", body, 1))
    calls, call = [], process.Process.call
    monkeypatch.setattr(
        process.Process,
        "call",
        lambda self, name, *given: calls.append(name) or call(self, name, *given),
    )
    out = learn(capsys, "check", 2)[1]
    assert "no answer within 1 s" in out
    assert calls == ["logit"]
    assert "open     boundary_point" in out


def test_a_file_that_does_not_end_while_it_is_read_loses_no_progress(here, capsys, monkeypatch):
    monkeypatch.setenv("MSTHEFT_CALL_SECONDS", "1")
    solve(here)
    learn(capsys, "check", 2)
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_text(path.read_text() + "\nwhile True:\n    pass\n")
    status, out, _ = learn(capsys, "check", 2)
    assert status == 1
    assert "02_logistic.py stops while Python reads it: no answer within 1 s" in out
    assert "\ncalled " not in out
    assert "1 of 20" in learn(capsys)[1]


def test_what_was_not_called_any_more_stays_as_it_was(here, capsys, monkeypatch):
    monkeypatch.setenv("MSTHEFT_CALL_SECONDS", "0.5")
    solve(here)
    learn(capsys, "check", 2)
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    endless = "".join(
        f"\n\ndef {f}(*a):\n    while True: pass\n" for f in ("solve_softmax", "logit_error")
    )
    path.write_text(path.read_text() + endless)
    out = learn(capsys, "check", 2)[1]
    assert "wrong    logit_error" in out
    assert "not run  boundary_point" in out
    known = json.loads((here / "tutorials" / "progress.json").read_text())["solved"]
    assert "boundary_point" in known["02_logistic"]
    assert "solve_softmax" not in known["02_logistic"]


def test_ctrl_c_in_the_midst_of_a_check_ends_it_and_solves_nothing(here, capsys, monkeypatch):
    solve(here)
    calls, call = [], process.Process.call

    def interrupted(self, name, *given):
        calls.append(name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return call(self, name, *given)

    monkeypatch.setattr(process.Process, "call", interrupted)
    status, out, _ = learn(capsys, "check", 2)
    assert status == 130
    assert "right" not in out
    assert "0 of 20" in learn(capsys)[1]


RIGHT = {
    "with a BOM": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "in Latin-1, and saying so": lambda text: f"# -*- coding: latin-1 -*-\n# \xfc\n{text}".encode(
        "latin-1", "replace"
    ),
    "with lines that end as on Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "below what was not written": lambda text: f"def logit(p):\n    ...\n\n\n{text}".encode(),
    "with a dataclass": lambda text: (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n\n"
        f"@dataclass\nclass Point:\n    x: float\n\n\n{text}"
    ).encode(),
    "with NumPy's tests": lambda text: text.replace(
        "def logit_error(p, decimals):",
        "def logit_error(p, decimals):\n    np.testing.assert_allclose(1, 1)",
    ).encode(),
}


@pytest.mark.parametrize("how", RIGHT)
def test_a_right_file_is_right_however_it_is_written(here, capsys, how):
    text = COURSE.lesson(2).solution.read_text()
    text = text.split('"""', 2)[2]  # `from __future__` must be first
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_bytes(RIGHT[how](text))
    status, out, err = learn(capsys, "check", 2)
    assert (status, err) == (0, ""), out


@pytest.mark.parametrize("codec", ["latin-1", "utf-16"])
def test_a_file_in_another_encoding_is_told_so(here, capsys, codec):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_bytes(("# \xfc\n" + path.read_text().replace("…", "")).encode(codec, "replace"))
    out = learn(capsys, "check", 2)[1]
    assert "not saved as UTF-8" in out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("return np.longdouble(3)", "3"),
        ("return np.zeros((3000, 3000))", "a table of n times n"),
        ("return p + 1j", "complex"),
        ("return 10**40", "likeliest cause"),
        ("return ['a' * 5000] * 5000", "5,000 in all"),
        ("return p[0]", "single number"),
    ],
)
def test_an_odd_answer_is_told_in_few_words(here, capsys, line, words):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_text(path.read_text().replace("...  # your code", line, 1))
    status, out, err = learn(capsys, "check", 2)
    assert (status, err) == (1, "")
    assert words in out
    assert max(map(len, out.splitlines())) < 1200


def test_progress_that_cannot_be_kept_hides_no_verdict(here, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state, "write", full)
    solve(here)
    for words in (["check", 2], ["hint", 3], ["next"]):
        _, out, err = learn(capsys, *words)
        assert out.strip()
        assert "not remembered" in err
    assert "right" in learn(capsys, "check", 2)[1]


def test_reset_on_a_full_disk_leaves_the_exercise(here, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    solve(here)
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    monkeypatch.setattr(state, "write", full)
    assert learn(capsys, "reset", 2)[0] == 1
    assert path.read_text() == COURSE.lesson(2).solution.read_text()


def test_a_named_function_that_is_right_is_told_so(here, capsys):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    right = starter.starter(COURSE.lesson(2)).replace(
        "...  # your code", "return np.log(p / (1 - p))", 1
    )
    text = "    if np.any((p <= 0) | (p >= 1)):\n        raise ValueError\n    return"
    path.write_text(right.replace("    return", text, 1))
    status, out, _ = learn(capsys, "check", 2, "logit")
    assert status == 0
    assert "logit is right. Go on: mstheft learn check 2" in out


def test_a_notebook_that_somebody_wrote_in_is_kept(here):
    pytest.importorskip("jupytext")
    lesson = manifest.find().lesson(2)
    path = book.notebook(lesson)
    path.write_text("mine")
    os.utime(path, (0, 0))
    assert book.notebook(lesson) == path
    assert path.with_name("02_logistic.before-1").read_text() == "mine"
    assert path.read_text() != "mine"


def test_a_folder_that_pytest_would_misread_is_told(here, capsys, monkeypatch):
    odd = here / "a[b]"
    odd.mkdir()
    (here / "tutorials").rename(odd / "tutorials")
    monkeypatch.chdir(odd)
    status, _, err = learn(capsys, "check", 2)
    assert status == 1
    assert "without a [ in its name" in err


def test_a_hint_for_one_function(here, capsys):
    out = learn(capsys, "hint", 2, "logit_error")[1]
    assert COURSE.lesson(2).function("logit_error").hints[0] in out
    assert learn(capsys, "hint", 2, "nothing")[0] == 2


def test_next_names_what_was_skipped(here, capsys):
    solve(here, 2)
    learn(capsys, "check", 2)
    assert "Not solved yet before it: 1." in learn(capsys, "next")[1]


def test_what_the_file_prints_is_shown(here, capsys):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_text(
        path.read_text().replace("...  # your code", "print('my', 42)\n    return p", 1)
    )
    assert "your file printed: my 42" in learn(capsys, "check", 2)[1]


def test_a_solved_exercise_is_remembered(here, capsys):
    solve(here)
    status, out, _ = learn(capsys, "check", 2)
    assert status == 0
    assert "All 5 functions of exercise 02 are right" in out
    kept = json.loads((here / "tutorials" / "progress.json").read_text())
    assert kept["solved"]["02_logistic"] == [f.name for f in COURSE.lesson(2).functions]
    assert "solved  02" in learn(capsys, "list")[1]
    assert "1 of 20" in learn(capsys)[1]
    assert "Exercise 03" in learn(capsys, "next")[1]


def test_what_was_solved_and_is_spoilt_is_open_again(here, capsys):
    solve(here)
    learn(capsys, "check", 2)
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_text(path.read_text().replace("0.5 * 10.0", "1.0 * 10.0"))
    status, out, _ = learn(capsys, "check", 2)
    assert status == 1
    assert "wrong    logit_error" in out
    assert "0 of 20" in learn(capsys)[1]


def test_hints_come_in_layers_and_end(here, capsys):
    hints = COURSE.lesson(2).functions[0].hints
    for index, text in enumerate(hints, 1):
        out = learn(capsys, "hint", 2)[1]
        assert f"hint {index} of 3: {text}" in out
    assert "mstheft learn solution 2" in out
    assert hints[-1] in learn(capsys, "hint")[1]  # where you are, by now, is lesson 2


def test_a_solution_is_shown_after_one_question(here, capsys, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda: "n")
    out = learn(capsys, "solution", 2)[1]
    assert "def logit" not in out
    monkeypatch.setattr("builtins.input", lambda: "y")
    assert "def logit" in learn(capsys, "solution", 2)[1]
    monkeypatch.setattr("builtins.input", lambda: pytest.fail("asked twice"))
    assert "def logit" in learn(capsys, "solution", 2)[1]


def test_without_anybody_to_answer_no_solution_is_shown(here, capsys, monkeypatch):
    def nobody():
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    status, out, _ = learn(capsys, "solution", 2)
    assert status == 0
    assert "def logit" not in out


def test_reset_brings_the_beginning_back_and_keeps_yours(here, capsys):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    start = path.read_text()
    solve(here)
    learn(capsys, "check", 2)
    mine = path.read_text()
    out = learn(capsys, "reset", 2)[1]
    assert path.read_text() == start
    assert (path.parent / "02_logistic.before-1").read_text() == mine
    assert "02_logistic.before-1" in out
    assert "0 of 20" in learn(capsys)[1]
    assert "at the beginning already" in learn(capsys, "reset", 2)[1]
    assert not (path.parent / "02_logistic.before-2").exists()


def test_reset_helps_when_the_file_is_gone(here, capsys):
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.unlink()
    out = learn(capsys, "check", 2)[1]
    assert "02_logistic.py is not there" in out
    assert "mstheft learn reset 2" in out
    learn(capsys, "reset", 2)
    assert path.is_file()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def logit(p:\n", ["cannot be read", "line 1"]),
        ("import nothing_of_that_name\n", ["stops while Python reads it", "line 1"]),
        ("def other(p): return p\n", ["There is no function logit", "learn reset 2"]),
        ("import numpy as np\ndef logit(p):\n    return q\n", ["NameError", "line 3: return q"]),
        ("def logit(p):\n    p[:] = 0\n    return p\n", ["`p` was changed", "copy"]),
        ("def logit(p):\n    return logit\n", ["an object of type function"]),
        ("def logit(p):\n    p + 1\n", ["return"]),
        ("import mstheft\n", ["mstheft cannot be imported in an exercise", "NumPy"]),
        ("logit = 3\n", ["There is no function logit"]),
        ("def logit():\n    return 1\n", ["TypeError"]),
    ],
)
def test_every_accident_has_its_sentence(here, capsys, source, words):
    (here / "tutorials" / "exercises" / "02_logistic.py").write_text(source)
    status, out, err = learn(capsys, "check", 2)
    assert status == 1
    assert err == ""
    for word in words:
        assert word in out
    assert "mstheft learn check 2" in out
    assert "Traceback" not in out


def test_without_a_course_the_way_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, _, err = learn(capsys, "check", 2)
    assert status == 1
    assert "go into the folder that you cloned" in err
    assert err.count("\n") == 1


def test_a_lesson_that_is_not_there_is_told(here, capsys):
    status, _, err = learn(capsys, "check", 21)
    assert status == 2
    assert "expected a lesson from 1 to 20, got 21" in err


def test_from_a_folder_below(here, capsys, monkeypatch):
    monkeypatch.chdir(here / "tutorials" / "lessons")
    assert learn(capsys)[0] == 0


def test_without_pytest_the_way_is_told(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pytest", None)
    status, _, err = learn(capsys, "check", 2)
    assert status == 1
    assert "pip install -e '.[course]'" in err


def test_without_jupyter_nothing_is_announced(here, capsys, monkeypatch):
    monkeypatch.setattr(book.importlib.util, "find_spec", lambda name: None)
    status, out, err = learn(capsys, "open", 2)
    assert (status, out) == (1, "")
    assert "pip install -e '.[course]'" in err


# ---- progress


def test_damaged_progress_is_put_aside(here, capsys):
    place = here / "tutorials" / "progress.json"
    place.write_text("{")
    status, _, err = learn(capsys)
    assert status == 1
    assert "progress.json.damaged" in err
    assert (here / "tutorials" / "progress.json.damaged").read_text() == "{"
    assert learn(capsys)[0] == 0


@pytest.mark.parametrize("text", ['{"solved": 3}', '{"hints": {"a": 1}}', "[]", '{"current": 7}'])
def test_progress_of_another_form_is_put_aside_too(here, capsys, text):
    (here / "tutorials" / "progress.json").write_text(text)
    assert learn(capsys)[0] == 1
    assert learn(capsys)[0] == 0


def test_progress_is_written_whole_or_not_at_all(here, monkeypatch):
    course = manifest.find()
    state.save(course, state.Progress(current="02_logistic"))
    before = state.place(course).read_text()

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(state.os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        state.save(course, state.Progress(current="03_patchwork"))
    assert state.place(course).read_text() == before
    assert [p.name for p in course.home.iterdir() if p.name.startswith(".progress")] == []


# ---- watching


def test_watch_sees_a_saved_exercise_by_its_content(here, monkeypatch):
    course = manifest.find()
    path = course.lesson(2).exercise
    text, when, other = path.read_text(), path.stat(), path.with_name("new")

    def save():
        path.write_text(text + "# 1\n")
        os.utime(path, (when.st_atime, when.st_mtime - 1000))  # a clock that goes wrong

    def replace():
        other.write_text(text + "# 2\n")
        os.replace(other, path)  # how editors save

    steps = [path.touch, save, path.touch, replace]  # one after each round of looking
    monkeypatch.setattr(watch.time, "sleep", lambda _: steps.pop(0)())
    changes = watch.changes(course)
    assert next(changes).number == 2
    assert len(steps) == 2, "a new time with the same content is no change"
    assert next(changes).number == 2
    assert steps == []


def test_watch_judges_and_ends_with_ctrl_c(here, capsys, monkeypatch):
    def once(course):
        yield course.lesson(2)
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "changes", once)
    status, out, _ = learn(capsys, "watch")
    assert status == 0
    assert "Exercise 02 has changed" in out
    assert "nothing is broken" in out


def test_the_pages_to_drag_are_written(here, capsys):
    status, out, err = learn(capsys, "pages", "--out", here / "own")
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 6
    assert all(Path(line).is_file() for line in out.splitlines())


# ---- a class


@pytest.fixture
def walled():
    """There is a wall here."""
    try:
        wall.check()
    except wall.NoWall as missing:
        pytest.skip(str(missing))


@pytest.mark.usefixtures("walled")
def test_a_class_is_graded_into_a_table(here, capsys):
    solution = COURSE.lesson(2).solution.read_text()
    folder = here / "submissions"
    for name, source in {
        "anna/02_logistic.py": solution,
        "bert_02_logistic.py": solution.replace("0.5 * 10.0", "1.0 * 10.0"),
        "carl/late/02_logistic.py": COURSE.lesson(2).exercise.read_text(),
        "carl/notes.py": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source)
    status, out, _ = learn(capsys, "grade", folder, "--csv", here / "grades.csv")
    assert status == 0
    assert "4 submissions judged" in out
    with open(here / "grades.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["author"] for row in rows] == ["carl", "anna", "bert", "carl"]
    assert [row["exercise"] for row in rows] == ["", *["02_logistic"] * 3]
    assert [row["grade"] for row in rows] == ["0.00", "1.00", "0.80", "0.00"]
    assert [row["02 logit_error"] for row in rows] == ["", "1", "0", "0"]
    assert "for no exercise" in rows[0]["reason"]
    assert rows[1]["reason"] == ""
    assert rows[2]["reason"].startswith("logit_error: You took the whole step")
    assert not (here / "tutorials" / "progress.json").exists()


def test_without_a_wall_nothing_of_strangers_runs(here, capsys, monkeypatch):
    folder = here / "class"
    folder.mkdir()
    (folder / "anna_02_logistic.py").write_text("open('ran', 'w')")
    monkeypatch.setenv("PATH", str(here))
    monkeypatch.setattr(grading.wall, "check", wall.check.__wrapped__)  # which remembers nothing
    status, out, err = learn(capsys, "grade", folder)
    assert (status, out) == (2, "")
    assert "uncontained" in err
    assert "bubblewrap is not there" in err
    assert "--trusted" in err
    assert not list(here.rglob("ran"))


def test_a_table_that_cannot_be_written_is_told_before_anything_is_judged(here, capsys):
    (here / "class").mkdir()
    status, out, err = learn(capsys, "grade", here / "class", "--csv", here / "none" / "g.csv")
    assert (status, out) == (2, "")
    assert "there is no folder" in err


def test_odd_names_are_no_submissions_and_odd_letters_no_harm(here, capsys):
    folder = here / "class"
    folder.mkdir()
    text = COURSE.lesson(2).exercise.read_text()
    (folder / "._anna_02_logistic.py").write_bytes(b"\0\5\x16\7")
    (folder / "ANNA_02_logistic.PY").write_text(text)
    (folder / "bert_02_logistic.py").write_text('raise ValueError("\\ud800\\x1b[1A")\n')
    os.fsencode(folder)
    status, out, err = learn(capsys, "grade", folder, "--trusted", "--csv", here / "g.csv")
    assert (status, err) == (0, "")
    assert "2 submissions judged" in out
    assert "\x1b" not in out
    assert "ANNA" in (here / "g.csv").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no pidfd here")
def test_a_submission_that_kills_its_judge_costs_nobody_else_and_leaves_nothing(
    here, capsys, monkeypatch
):
    folder = here / "class"
    folder.mkdir()
    text = COURSE.lesson(2).solution.read_text()
    kill = "import os, signal\nsignal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)\n"
    for name in ("anna", "bert", "carl"):
        (folder / f"{name}_02_logistic.py").write_text(text + (kill if name == "bert" else ""))
    monkeypatch.setenv("TMPDIR", str(here / "scratch"))
    monkeypatch.setattr(tempfile, "tempdir", None)  # so that it is looked up again
    (here / "scratch").mkdir()
    out = learn(capsys, "grade", folder, "--trusted")[1]
    assert list((here / "scratch").iterdir()) == []
    assert out.count("1.00  ") == 2
    assert "0.00  0/5  bert" in out


def test_an_answer_that_the_check_stumbles_over_is_the_answer_s_fault(here, capsys):
    check = here / "tutorials" / "checks" / "test_02_logistic.py"
    text = check.read_text()
    at = text.index("def test_logit(")
    check.write_text(
        text[:at] + "def test_logit__first(learner):\n"
        '    learner.call("logit", np.ones(2)).value.strip()\n\n\n' + text[at:]
    )
    solve(here)
    path = here / "tutorials" / "exercises" / "02_logistic.py"
    path.write_text(path.read_text().replace("if np.any((p <= 0) | (p >= 1)):", "if False:"))
    status, out, _ = learn(capsys, "check", 2)
    assert status == 1
    assert "the check stumbled over it (AttributeError" in out


def test_a_check_that_is_broken_is_not_the_learner_s_fault(here, capsys):
    check = here / "tutorials" / "checks" / "test_02_logistic.py"
    check.write_text(check.read_text() + "\n\nnonsense\n")
    status, _, err = learn(capsys, "check", 2)
    assert status == 1
    assert "not your fault" in err
    folder = here / "class"
    folder.mkdir()
    shutil.copy(COURSE.lesson(2).solution, folder)
    assert learn(capsys, "grade", folder, "--trusted", "--csv", "g.csv")[0] == 0
    assert "could not be judged" in (here / "g.csv").read_text()


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir()])
def test_a_folder_without_submissions_is_told(here, capsys, make):
    make(here / "empty")
    status, _, err = learn(capsys, "grade", "empty", "--csv", "g.csv")
    assert status == 1
    assert re.search("expected (a folder of submissions|files such as anna)", err)
    assert not (here / "g.csv").exists()


def test_a_spreadsheet_takes_no_reason_for_a_formula():
    grade = grading.Grade("=1+1", "02_logistic", "f.py", 0.0, 0, 5, "=HYPERLINK(1)")
    assert ",=" not in grading.table([grade])
    assert "\n=" not in grading.table([grade])
