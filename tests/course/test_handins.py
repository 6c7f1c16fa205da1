"""What a class hands in: a row for every file, whatever its name, encoding or kind."""

import json
import os
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from mstheft import cli
from mstheft.course import grading, handins, manifest, starter
from mstheft.errors import DataError

COURSE = manifest.find(Path(__file__).parents[2])
LESSON = COURSE.lesson(2)
SOLUTION = LESSON.solution.read_text()
CHINESE = f"# 我的练习\n{SOLUTION}"


def notebook(*cells):
    return json.dumps(
        {"cells": [{"cell_type": "code", "source": cell.splitlines(True)} for cell in cells]}
    )


# what it is called -> (its bytes, its author, whether it is for exercise 02, a word of its row)
FILES = {
    "anna/02_logistic.py": (SOLUTION, "anna", True, ""),
    "bert_02_logistic.py": (SOLUTION, "bert", True, ""),
    "02_logistic_carl.py": (SOLUTION, "carl", True, ""),
    "02_logistic/dora.py": (SOLUTION, "dora", True, ""),
    "emil-02-logistic (1).py": (SOLUTION, "emil", True, ""),
    "FRED_02_LOGISTIC.PY": (SOLUTION, "FRED", True, ""),
    "gina/exercise2.py": (SOLUTION, "gina", True, "taken for 02_logistic"),
    "hans/02_logistic.txt": (SOLUTION, "hans", True, ""),
    "Ina Weiß_17_assignsubmission_file_/02_logistic.py": (
        SOLUTION,
        "Ina Weiß_17_assignsubmission_file_",
        True,
        "",
    ),
    "jo/late/again/02_logistic.py": (SOLUTION, "jo", True, ""),
    "王芳/02_logistic.py": (CHINESE, "王芳", True, ""),
    "gb/02_logistic.py": (CHINESE.encode("gb18030"), "gb", True, "GB18030"),
    "gb2/02_logistic.py": (f"# coding: gb18030\n{CHINESE}".encode("gb18030"), "gb2", True, ""),
    "bom/02_logistic.py": (CHINESE.encode("utf-8-sig"), "bom", True, ""),
    "wide/02_logistic.py": (CHINESE.encode("utf-16"), "wide", True, "UTF-16"),
    "latin/02_logistic.py": (
        f"# ü\n{SOLUTION}".encode("latin-1", "replace"), "latin", True, "LATIN-1",
    ),
    "odd/02_logistic.py": (f"# coding: klingon\n{SOLUTION}", "odd", True, ""),
    "mac/02_logistic.py": (SOLUTION.replace("\n", "\r"), "mac", True, ""),
    "book/02_logistic/02_logistic.ipynb": (
        notebook("%pip install x\n", SOLUTION), "book", True, "notebook",
    ),
    "book2/my work.ipynb": (notebook(SOLUTION, "!ls"), "book2", True, "taken for 02_logistic"),
    "torn/02_logistic.ipynb": ('{"cells": [', "torn", True, "not readable as a notebook"),
    "deep/02_logistic.ipynb": ("[" * 10**5, "deep", True, "not readable as a notebook"),
    "pdf/02_logistic.pdf": (b"%PDF", "pdf", True, "no Python and no notebook"),
    "zip/all.zip": (b"PK", "zip", False, "must be unpacked"),
    "docx/answer.docx": (b"PK", "docx", False, "no Python and no notebook"),
    "none/README": ("hello", "none", False, "no Python and no notebook"),
    "empty/02_logistic.py": ("", "empty", True, ""),
    "other/notes.py": ("x = 1\n", "other", False, "for no exercise"),
    "big/02_logistic.py": (SOLUTION + "#" * 300_000, "big", True, "larger than"),
    "nul/02_logistic.py": (SOLUTION + "\0", "nul", True, ""),
    "half/02_logistic.py": (SOLUTION[: len(SOLUTION) // 2], "half", True, ""),
    "tabs/02_logistic.py": (SOLUTION.replace("    ", "\t"), "tabs", True, ""),
    "quote'd, \"x\"/02_logistic.py": (SOLUTION, "quote'd, \"x\"", True, ""),
    "=1+1/02_logistic.py": (SOLUTION, "=1+1", True, ""),
    "two\nlines/02_logistic.py": (SOLUTION, "two\nlines", True, ""),
    "twice/02_logistic.py": (SOLUTION, "twice", True, ""),
    "twice/02_logistic (1).py": (SOLUTION, "twice", True, ""),
    "a.b.c_02_logistic.py": (SOLUTION, "a.b.c", True, ""),
    "no_author/Exercise_02_logistic.py": (SOLUTION, "no_author", True, ""),
    "z" * 200 + "_02_logistic.py": (SOLUTION, "z" * 200, True, ""),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for name, (content, *_) in FILES.items():
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "class" / "anna" / "__pycache__").mkdir()
    (tmp_path / "class" / "anna" / "__pycache__" / "02_logistic.cpython-311.pyc").write_bytes(b"x")
    (tmp_path / "class" / "._bert_02_logistic.py").write_bytes(b"x")
    (tmp_path / "class" / ".git").mkdir()
    (tmp_path / "class" / ".git" / "02_logistic.py").write_bytes(b"x")
    return tmp_path / "class"


def test_what_is_no_file_has_its_row_too(tmp_path):
    (tmp_path / "02_logistic.py").mkdir()
    os.mkfifo(tmp_path / "anna_02_logistic.py")
    (tmp_path / ".._02_logistic.py").write_text(SOLUTION)
    found = {one.path.name: one.refused for one in handins.read(COURSE, tmp_path)}
    assert found.keys() == {"02_logistic.py", "anna_02_logistic.py", ".._02_logistic.py"}
    assert [name for name, refused in found.items() if "no file" in refused] == [
        "02_logistic.py",
        "anna_02_logistic.py",
    ]


def test_cells_of_a_shell_are_left_out(tmp_path):
    (tmp_path / "02_logistic.ipynb").write_text(notebook("%%bash\ntouch x", "%%time\nx = 1"))
    (one,) = handins.read(COURSE, tmp_path)
    assert one.source.split() == ["x", "=", "1"]


def test_every_file_has_its_author_its_exercise_and_a_word_on_how_it_was_read(folder):
    found = {one.path.relative_to(folder).as_posix(): one for one in handins.read(COURSE, folder)}
    assert found.keys() == FILES.keys()
    assert len(found) == 40
    for name, (_, author, is_exercise, word) in FILES.items():
        one = found[name]
        assert one.author == author
        assert (one.lesson is not None) == is_exercise, name
        said = "; ".join([one.refused, *one.remarks])
        assert word in said, name
        assert bool(said.strip("; ")) == bool(word), (name, said)


@pytest.mark.slow
def test_forty_files_make_forty_rows_and_the_right_ones_are_right(folder):
    grades = list(grading.grade(handins.read(COURSE, folder), seed=5, walled=False))
    assert len(grades) == 40
    rows = grading.table(grades).splitlines()
    assert len(rows) == 41
    wrong = {g.author for g in grades if g.grade < 1}
    assert wrong == {
        *("torn", "deep", "pdf", "zip", "docx", "none", "empty", "other", "big", "nul", "half"),
    }
    assert all(g.reason for g in grades if g.grade < 1)


def test_of_two_files_the_newest_in_time_counts(tmp_path):
    times = {"02_logistic.py": 100, "02_logistic (1).py": 200, "02_logistic (2).py": 300}
    for name, when in times.items():
        path = tmp_path / "class" / "anna" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def logit(p): ...\n")
        os.utime(path, (when, when))
    batch = handins.read(COURSE, tmp_path / "class")
    told = grading.grade(batch, 5, walled=False, deadline=datetime.fromtimestamp(250))
    grades = {g.file: (g.late, g.counts) for g in told}
    assert grades == {
        "02_logistic.py": (False, False),
        "02_logistic (1).py": (False, True),
        "02_logistic (2).py": (True, False),
    }


def test_a_roster_names_those_who_are_there_and_those_who_are_not(tmp_path):
    (tmp_path / "names.csv").write_bytes(
        "姓名,组\n王芳,1\nAnna Smith,2\nBert,2\n".encode("gb18030")
    )
    names = handins.roster(tmp_path / "names.csv")
    assert names == ["王芳", "Anna Smith", "Bert"]
    for author in ("anna_smith_4711_file", "王芳", "somebody"):
        path = tmp_path / "class" / author / "02_logistic.txt"
        path.parent.mkdir(parents=True)
        path.write_text("")
    batch = handins.read(COURSE, tmp_path / "class", names)
    assert {one.author for one in batch} == {"Anna Smith", "王芳", "somebody"}
    grades = [grading.Grade(one.author, "", "", 0, 0, 0, "; ".join(one.remarks)) for one in batch]
    missing = grading.missing(grades, names)
    assert [(g.author, g.reason) for g in missing] == [("Bert", "nothing handed in")]
    assert {g.author for g in grades if "not on the roster" in g.reason} == {"somebody"}
    (tmp_path / "none.csv").write_text("name\n")
    with pytest.raises(DataError, match="one name a row"):
        handins.roster(tmp_path / "none.csv")


def test_a_page_for_each_author():
    first = grading.Grade("anna/x", "02_logistic", "a.py", 0.5, 1, 2, "why", feedback="logit:\n```")
    second = grading.Grade("anna:x", "03_patchwork", "b.py", 1, 2, 2, "")
    pages = grading.pages([first, second, first])
    assert list(pages) == ["anna_x", "anna_x_"]
    assert pages["anna_x"].count("1 of 2 functions are right") == 2
    assert "````" not in pages["anna_x"]


# ---- what is handed out


def learn(capsys, *arguments):
    status = cli.main(["learn", *map(str, arguments)])
    return (status, *capsys.readouterr())


def names_in(home):
    return {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}


def test_the_course_is_laid_out_without_its_solutions(tmp_path, capsys, monkeypatch):
    status, out, err = learn(capsys, "start", tmp_path / "own", "--lessons", "1-3")
    assert (status, err) == (0, "")
    assert "own" in out
    home = tmp_path / "own" / "tutorials"
    assert not (home / "solutions").exists()
    assert {name for name in names_in(home) if name.startswith("exercises")} == {
        f"exercises/{COURSE.lesson(n).name}.py" for n in (1, 2, 3)
    }
    monkeypatch.chdir(home.parent)
    assert "0 of 3 exercises solved" in learn(capsys)[1]
    (home / "exercises" / "02_logistic.py").write_text(SOLUTION)
    assert learn(capsys, "check", 2)[0] == 0
    assert learn(capsys, "reset", 2)[0] == 0
    assert (home / "exercises" / "02_logistic.py").read_text() == starter.starter(LESSON)
    status, _, err = learn(capsys, "solution", 2)
    assert status == 1
    assert "your teacher has them" in err
    status, _, err = learn(capsys, "start", home.parent)
    assert status == 1
    assert "is there already" in err


def test_a_handout_has_no_checks_unless_they_are_wanted(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(COURSE.home.parent)
    for words in ([], ["--checks"]):
        out = tmp_path / f"class{len(words)}.zip"
        assert learn(capsys, "handout", "--lessons", "2", "--out", out, *words)[0] == 0
        with zipfile.ZipFile(out) as archive:
            names = archive.namelist()
            archive.extractall(tmp_path / f"class{len(words)}")
        assert "tutorials/exercises/02_logistic.py" in names
        assert "tutorials/exercises/01_scoring.py" not in names
        assert ("tutorials/checks/test_02_logistic.py" in names) == bool(words)
        assert not [name for name in names if "solutions" in name]
    assert not list(tmp_path.glob("tmp*"))
    monkeypatch.chdir(tmp_path / "class0")
    status, _, err = learn(capsys, "check", 2)
    assert status == 1
    assert "hand 02_logistic.py in" in err


@pytest.mark.parametrize("words", ["1-x", "", "0", "1-99"])
def test_odd_ranges_of_lessons_are_refused(tmp_path, capsys, monkeypatch, words):
    monkeypatch.chdir(COURSE.home.parent)
    out = tmp_path / "class.zip"
    try:
        status = learn(capsys, "handout", "--lessons", words, "--out", out)[0]
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert not out.exists()
