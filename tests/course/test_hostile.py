"""Submissions that do anything but the exercise: contained, with the right grade for neighbours."""

import hashlib
import textwrap
from pathlib import Path

import pytest

from mstheft.course import grading, handins, manifest, wall

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
    "edits_the_checker": (right_and("open('{check}', 'a').write('x')"), "FileNotFoundError"),
    "replaces_the_checker": (
        right_and("import os\nos.replace(__import__('tempfile').mkstemp()[1], '{check}')"),
        "FileNotFoundError",
    ),
    "patches_the_checker": (
        right_and("import mstheft.course.explain as e\ne.same = lambda *a: True"),
        "mstheft cannot be imported",
    ),
    "reads_the_solution": (right_and("exec(open('{solution}').read())"), "FileNotFoundError"),
    "runs_the_solution": (
        right_and("import runpy\nrunpy.run_path('{solution}')"),
        "FileNotFoundError",
    ),
    "links_to_the_solution": (
        right_and("import os\nos.symlink('{solution}', 'mine.py')"),
        "",
    ),
    "lists_the_course": (
        right_and("import os\nos.listdir('{home}/solutions')"), "FileNotFoundError",
    ),
    "opens_a_folder": (right_and("import os\nos.open('/', os.O_RDONLY)"), ""),
    "calls_the_library": (
        right_and("from mstheft.direct import linear"),
        "mstheft cannot be imported",
    ),
    "calls_it_by_stealth": (
        right_and("__import__('mst' + 'heft.direct.linear')"),
        "mstheft cannot be imported",
    ),
    "reads_the_library": (
        right_and("open('{package}/direct/linear.py').read()"), "FileNotFoundError",
    ),
    "starts_a_shell": (right_and("import os\nos.system('true')"), ""),
    "starts_a_process": (
        right_and("import subprocess\nsubprocess.run(['true'])"),
        "PermissionError",
    ),
    "forks": (right_and("import os\nwhile True: os.fork()"), "PermissionError"),
    "kills_the_checker": (right_and("import os\nos.kill(os.getppid(), 9)"), ""),
    "kills_the_group": (right_and("import os\nos.killpg(os.getpgid(0), 9)"), "ProcessLookupError"),
    "calls_home": (
        right_and("import socket\nsocket.create_connection(('127.0.0.1', 9))"),
        "PermissionError",
    ),
    "reaches_for_memory": (right_and("import ctypes\nctypes.string_at(0)"), "without an answer"),
    "reads_a_neighbour": (right_and("open('NEIGHBOUR').read()"), "FileNotFoundError"),
    "deletes_a_neighbour": (right_and("import os\nos.remove('NEIGHBOUR')"), "FileNotFoundError"),
    "spoils_a_neighbour": (
        right_and("import pathlib\npathlib.Path('NEIGHBOUR').write_text('')"),
        "FileNotFoundError",
    ),
    "writes_the_grades": (right_and("open('GRADES', 'w').write('me,1')"), "FileNotFoundError"),
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
        "start new thread",
    ),
    # ---- what an audit hook of Python's did not contain
    "patches_what_it_judged_by": (
        right_and("import builtins, numpy\nbuiltins.isinstance = lambda *a: True\n"
                  "numpy.allclose = lambda *a, **k: True\nexec(open('{solution}').read())"),
        "stops while Python reads it",
    ),
    "reads_by_the_kernel": (
        right_and("import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
                  "assert libc.open(b'{solution}', 0) >= 0"),
        "AssertionError",
    ),
    "kills_by_the_kernel": (
        right_and("import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
                  "for pid in range(3, 9999): libc.kill(pid, 9)"),
        "",
    ),
    "kills_by_a_pidfd": (
        right_and("import os, signal\nsignal.pidfd_send_signal(os.pidfd_open(1), 9)"),
        "PermissionError",
    ),
    "memory_in_a_memfd": (
        right_and("import os\nfd = os.memfd_create('x')\nwhile True: os.write(fd, bytes(2**24))"),
        "PermissionError",
    ),
    "memory_in_scratch": (
        right_and("for i in range(10**6): open('/tmp/%d' % i, 'wb').write(bytes(2**23))"),
        "No space left",
    ),
    "memory_in_dev_shm": (
        right_and("open('/dev/shm/x', 'wb').write(bytes(2**24))"), "Read-only file system",
    ),
    "memory_in_system_v": (
        right_and("import ctypes\nassert ctypes.CDLL(None).shmget(0, 2**30, 0o1600) >= 0"),
        "AssertionError",
    ),
    "lifts_its_limits": (
        right_and("import resource as r\nr.setrlimit(r.RLIMIT_AS, (-1, -1))"), "ValueError",
    ),
    "becomes_another_program": (
        right_and("import os\nos.execv('/bin/cat', ['cat', '{solution}'])"), "without an answer",
    ),
    "forks_by_the_kernel": (
        right_and("import ctypes\nassert ctypes.CDLL(None).fork() >= 0"), "AssertionError",
    ),
    "enters_another_namespace": (
        right_and("import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0"),
        "AssertionError",
    ),
    "mounts": (
        right_and("import ctypes\nassert ctypes.CDLL(None).mount(b'/', b'/tmp', 0, 4096, 0) == 0"),
        "AssertionError",
    ),
    "changes_its_root": (right_and("import os\nos.chroot('/tmp')"), "PermissionError"),
    "looks_at_the_first_process": (
        right_and("import os\nassert '{solution}' in open('/proc/1/cmdline').read()"),
        "stops while Python reads it",
    ),
    "walks_through_proc": (right_and("open('/proc/1/root{solution}').read()"), "Error"),
    "searches_the_collector": (
        right_and("import gc\nraise SystemExit([o for o in gc.get_objects() if 'expected' in "
                  "str(getattr(o, '__dict__', ''))][0])"),
        "stops while Python reads it",
    ),
    "listens_to_neighbours": (
        right_and("import socket\nsocket.socket(socket.AF_UNIX).bind(chr(0) + 'x')"),
        "PermissionError",
    ),
    "threads_without_end": (
        right_and("import threading, time\nwhile True:\n"
                  "    threading.Thread(target=time.sleep, args=(99,)).start()"),
        "stops while Python reads it",
    ),
    "ignores_signals": (
        right_and("import signal\nfor s in set(signal.Signals) - {{9, 19}}:\n"
                  "    try: signal.signal(s, signal.SIG_IGN)\n    except OSError: pass\n"
                  "while True: pass"),
        "no answer within",
    ),
    "stays_when_it_ends": (
        right_and("import atexit, time\natexit.register(time.sleep, 1e6)"), "",
    ),
    "opens_all_files": (
        right_and("kept = []\nwhile True: kept.append(open('/dev/null'))"), "Too many open files",
    ),
    "a_frame_without_end": (
        right_and("import os\nos.write(4, b'\\xff' * 16)\nwhile True: os.write(4, bytes(2**20))"),
        "stops while Python reads it",
    ),
    "answers_of_a_subclass": (
        instead("return type('Mine', (np.ndarray,), dict(__eq__=lambda s, o: True))((2,))"),
        "logit",
    ),
    "answers_of_objects": (instead("return np.array([open])"), "dtype object"),
    "not_a_number": (instead("return np.full(np.shape(p), np.nan)"), "logit"),
    "closes_the_wire": (
        right_and("import os\nfor fd in range(9):\n    try: os.close(fd)\n"
                  "    except OSError: pass"),
        "stops while Python reads it",
    ),
    "a_deep_frame": (
        right_and("import os\nbody = b'[' * 2**20\n"
                  "os.write(4, len(body).to_bytes(8, 'big') + bytes(8) + body)"),
        "stops while Python reads it",
    ),
    "sets_the_kernel": (
        right_and("open('/proc/sys/vm/swappiness', 'w').write('60')"), "Read-only file system",
    ),
    "watches_files": (
        right_and("import ctypes\nassert ctypes.CDLL(None).inotify_init() >= 0"), "AssertionError",
    ),
    "a_lone_surrogate": (right_and("raise ValueError('\\ud800')"), "ValueError"),
    "a_message_that_swells": (
        right_and("import os\nbody = b'{{\"dict\": [[\"answer\", {{\"list\": [' + b'{{}},' * 10**7 "
                  "+ b'0]}}]]}}'\n"
                  "os.write(4, len(body).to_bytes(8, 'big') + bytes(8) + body)\nwhile True: pass"),
        "without an answer",
    ),
    "hides_its_name": (right_and("import ctypes\nctypes.CDLL(None).prctl(15, b'bwrap')"), ""),
}  # fmt: skip
# Those that did no harm to anybody, and computed what was asked.
HARMLESS = {name for name, (_, reason) in HOSTILE.items() if not reason}


def prints_of(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    """All of them in one folder with three honest neighbours, graded at once."""
    try:
        wall.check()
    except wall.NoWall as missing:
        pytest.skip(str(missing))
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
    copied = folder / "copied" / f"{LESSON.name}.py"
    copied.parent.mkdir()
    copied.symlink_to(folder / "anna" / copied.name)
    watched = [folder, *(COURSE.home / name for name in ("checks", "solutions", "exercises"))]
    before = [prints_of(place) for place in watched]
    found = handins.read(COURSE, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MSTHEFT_CALL_SECONDS", "3")
        graded = {g.author: g for g in grading.grade(found, seed=5)}
    for page in grading.pages(list(graded.values())).values():
        page.encode()
    assert [prints_of(place) for place in watched] == before
    assert csv.read_text() == "kept"
    return graded


def test_there_are_at_least_seventy():
    assert len(HOSTILE) >= 70


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_submission_gets_its_reason(grades, name):
    got = grades[name]
    assert HOSTILE[name][1] in got.reason, got
    if name in HARMLESS:
        assert (got.grade, got.reason) == (1, ""), got
    else:
        assert got.grade == got.solved / got.functions < 1, got


@pytest.mark.slow
def test_beside_a_loop_the_right_functions_count(grades):
    assert grades["loops_in_the_last"].grade == 0.8
    assert grades["loops_in_the_last"].solved == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["linked", "copied"])
def test_a_link_to_the_solution_or_a_neighbour_is_no_submission(grades, name):
    assert grades[name].grade == 0
    assert "link" in grades[name].reason


@pytest.mark.slow
def test_the_neighbours_get_what_they_deserve(grades):
    assert grades["anna"].grade == 1
    assert grades["anna"].reason == ""
    assert grades["bert"].solved == 4
    assert "whole step" in grades["bert"].reason
    assert grades["zoe"].grade == 0
    assert "not written" in grades["zoe"].reason
