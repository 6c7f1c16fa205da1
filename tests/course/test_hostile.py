"""Submissions that do anything but the exercise: contained, with the right grade for neighbours."""

import hashlib
import textwrap
from pathlib import Path

import pytest

from mstheft.course import grading, manifest

ROOT = Path(__file__).parents[2]
COURSE = manifest.find(ROOT)
LESSON = COURSE.lesson(2)
SOLUTION = LESSON.solution.read_text()


def right_and(code):
    """The solution, and then something else: uncontained, it would get the full grade."""
    return (
        SOLUTION
        + "\n\n"
        + textwrap.dedent(code).format(
            check=LESSON.check, solution=LESSON.solution, home=LESSON.home, package=ROOT / "mstheft"
        )
    )


def instead(code):
    """The same, inside the first function."""
    return right_and("def logit(p):\n" + textwrap.indent(textwrap.dedent(code), "    "))


# name -> (source, what the reason must say). {neighbour} and {csv} are filled in by the fixture.
HOSTILE = {
    "loops_on_import": (right_and("while True: pass"), "no answer within"),
    "loops_in_a_function": (instead("while True: pass"), "no answer within"),
    "loops_and_catches": (
        instead("while True:\n    try:\n        pass\n    except BaseException:\n        pass"),
        "no answer within",
    ),
    "loops_in_the_last": (
        right_and("def boundary_point(*args):\n    while True: pass"),
        "boundary_point: no answer within",
    ),
    "sleeps": (instead("import time\ntime.sleep(1e6)"), "no answer within"),
    "list_without_bound": (
        instead("kept = []\nwhile True:\n    kept.append(np.zeros(10**7))"),
        "more memory than",
    ),
    "one_huge_array": (right_and("np.ones(10**12)"), "MemoryError"),
    "answers_a_gigabyte": (instead("return np.zeros((8, 2**21))"), "an answer of 128 MB"),
    "exits_on_import": (right_and("import sys\nsys.exit(0)"), "SystemExit"),
    "exits_hard": (right_and("import os\nos._exit(0)"), "without an answer"),
    "exits_in_a_function": (instead("import os\nos._exit(0)"), "without an answer"),
    "sys_exit_in_a_function": (instead("raise SystemExit(0)"), "without an answer"),
    "prints_gigabytes": (
        right_and("while True: print('x' * 10**6)"),
        "printed more than",
    ),
    "prints_in_a_function": (instead("while True: print('x' * 10**6)"), "printed more than"),
    "imports_nothing": (SOLUTION.replace("import numpy as np", ""), "NameError"),
    "empty": ("", "no function logit"),
    "no_python": ("this is not python (", "cannot be read"),
    "no_text": ("\x00\x01\x02", "cannot be read"),
    "edits_the_checker": (right_and("open('{check}', 'a').write('x')"), "write the file"),
    "replaces_the_checker": (
        right_and("import os\nos.replace(__import__('tempfile').mkstemp()[1], '{check}')"),
        "use os.rename",
    ),
    "patches_the_checker": (
        right_and("import mstheft.course.explain as e\ne.same = lambda *a: True"),
        "import mstheft",
    ),
    "reads_the_solution": (right_and("exec(open('{solution}').read())"), "read the file"),
    "runs_the_solution": (
        right_and("import runpy\nrunpy.run_path('{solution}')"),
        "read the file",
    ),
    "links_to_the_solution": (
        right_and("import os\nos.symlink('{solution}', 'mine.py')"),
        "use os.symlink",
    ),
    "lists_the_course": (right_and("import os\nos.listdir('{home}/solutions')"), "look into"),
    "opens_a_folder": (right_and("import os\nos.open('/', os.O_RDONLY)"), "open the folder"),
    "calls_the_library": (
        right_and("from mstheft.direct import linear"),
        "import mstheft",
    ),
    "calls_it_by_stealth": (
        right_and("__import__('mst' + 'heft.direct.linear')"),
        "import mstheft",
    ),
    "reads_the_library": (right_and("open('{package}/direct/linear.py').read()"), "read the file"),
    "starts_a_shell": (right_and("import os\nos.system('true')"), "use os.system"),
    "starts_a_process": (
        right_and("import subprocess\nsubprocess.run(['true'])"),
        "_posixsubprocess cannot be imported",
    ),
    "forks": (right_and("import os\nwhile True: os.fork()"), "use os.fork"),
    "kills_the_checker": (right_and("import os\nos.kill(os.getppid(), 9)"), "use os.kill"),
    "kills_the_group": (right_and("import os\nos.killpg(os.getpgid(0), 9)"), "use os.killpg"),
    "calls_home": (
        right_and("import socket\nsocket.create_connection(('127.0.0.1', 9))"),
        "use socket",
    ),
    "reaches_for_memory": (right_and("import ctypes\nctypes.string_at(0)"), "tried to"),
    "reads_a_neighbour": (right_and("open('NEIGHBOUR').read()"), "read the file"),
    "deletes_a_neighbour": (right_and("import os\nos.remove('NEIGHBOUR')"), "use os.remove"),
    "spoils_a_neighbour": (
        right_and("import pathlib\npathlib.Path('NEIGHBOUR').write_text('')"),
        "write the file",
    ),
    "writes_the_grades": (right_and("open('GRADES', 'w').write('me,1')"), "write the file"),
    "equal_to_everything": (
        instead("return type('Yes', (), dict(__eq__=lambda s, o: True))()"),
        "an object of type Yes",
    ),
    "speaks_into_the_wire": (
        right_and("import os\nfor fd in range(3, 9):\n    try: os.write(fd, b'x' * 99)\n"
                  "    except OSError: pass"),
        "without an answer",
    ),
    "endless_recursion": (instead("return logit(p)"), "RecursionError"),
    "nested_without_end": (
        instead("kept = []\nfor _ in range(10**5): kept = [kept]\nreturn kept"),
        "RecursionError",
    ),
    "interrupts": (instead("raise KeyboardInterrupt"), "KeyboardInterrupt"),
    "threads_that_stay": (
        instead("import threading, time\n"
                "def stay():\n    while True: print('x' * 10**6)\n"
                "threading.Thread(target=stay).start()\ntime.sleep(100)"),
        "printed more than",
    ),
}  # fmt: skip
# Those whose other functions are right, and were not stopped: graded on these alone.
PARTLY = {
    "answers_a_gigabyte",
    "imports_nothing",
    "equal_to_everything",
    "endless_recursion",
    "nested_without_end",
    "interrupts",
}


def prints_of(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    """All of them in one folder with three honest neighbours, graded at once."""
    folder = tmp_path_factory.mktemp("class")
    csv = folder.parent / "grades.csv"
    csv.write_text("kept")
    honest = {
        "anna": SOLUTION,
        "bert": SOLUTION.replace("0.5 * 10.0", "1.0 * 10.0"),
        "zoe": LESSON.exercise.read_text(),
    }
    for name, source in {**honest, **{k: v[0] for k, v in HOSTILE.items()}}.items():
        path = folder / name / f"{LESSON.name}.py"
        path.parent.mkdir()
        neighbour = folder / "anna" / path.name
        path.write_text(source.replace("NEIGHBOUR", str(neighbour)).replace("GRADES", str(csv)))
    linked = folder / "linked" / f"{LESSON.name}.py"
    linked.parent.mkdir()
    linked.symlink_to(LESSON.solution)
    watched = [folder, *(COURSE.home / name for name in ("checks", "solutions", "exercises"))]
    before = [prints_of(place) for place in watched]
    found, _ = grading.submissions(COURSE, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MSTHEFT_CALL_SECONDS", "3")
        graded = {g.author: g for g in grading.grade(COURSE, found, folder, seed=5)}
    assert [prints_of(place) for place in watched] == before
    assert csv.read_text() == "kept"
    return graded


def test_there_are_at_least_thirty():
    assert len(HOSTILE) >= 30


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_submission_gets_its_reason(grades, name):
    got = grades[name]
    assert HOSTILE[name][1] in got.reason, got
    if name in PARTLY:
        assert got.solved < got.functions
        assert got.grade == got.solved / got.functions
    else:
        assert got.grade == 0, got


@pytest.mark.slow
def test_who_had_to_be_stopped_gets_nothing_but_is_told_what_was_right(grades):
    assert grades["loops_in_the_last"].grade == 0
    assert grades["loops_in_the_last"].solved == 4


@pytest.mark.slow
def test_a_link_to_the_solution_is_no_submission(grades):
    assert grades["linked"].grade == 0
    assert "link" in grades["linked"].reason


@pytest.mark.slow
def test_the_neighbours_get_what_they_deserve(grades):
    assert grades["anna"].grade == 1
    assert grades["anna"].reason == ""
    assert grades["bert"].solved == 4
    assert "whole step" in grades["bert"].reason
    assert grades["zoe"].grade == 0
    assert "not written" in grades["zoe"].reason
