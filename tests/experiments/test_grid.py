"""Grids: every cell once, each in its own file; nothing lost, nothing computed twice."""

import json
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from mstheft.errors import DataError
from mstheft.experiments.grid import Grid, run

GRID = Grid({"kind": ["a", "b"], "seed": [0, 1, 2]}, {"size": 4})


def square(cell, scratch):
    """A cell's work; leaves a note beside the results of who was here."""
    with open(scratch.parent / "asked.txt", "a") as file:
        file.write(f"{cell['kind']}{cell['seed']}\n")
    return {"square": cell["seed"] ** 2 * cell["size"]}


def fails_for_b(cell, scratch):
    if cell["kind"] == "b":
        raise ZeroDivisionError("planted")
    return {"square": 1}


def dies_for_b1(cell, scratch):
    if (cell["kind"], cell["seed"]) == ("b", 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return {"square": 1}


def asked(folder):
    return sorted((folder / "asked.txt").read_text().split())


def test_cells_are_all_combinations_in_order():
    cells = list(GRID.cells())
    assert cells[0] == {"size": 4, "kind": "a", "seed": 0}
    assert [(c["kind"], c["seed"]) for c in cells] == [(k, s) for k in "ab" for s in range(3)]
    names = {GRID.name(cell) for cell in cells}
    assert len(names) == 6
    assert GRID.name(cells[0]).startswith("a-0-")


def test_a_name_tells_cells_of_other_settings_apart():
    other = Grid(GRID.axes, {"size": 5})
    assert {GRID.name(c) for c in GRID.cells()}.isdisjoint(other.name(c) for c in other.cells())


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor, ProcessPoolExecutor])
def test_each_cell_is_computed_once(tmp_path, executor):
    made = executor and executor(2)
    first = run(GRID, square, tmp_path, executor=made)
    assert [values["square"] for _, values in first.done] == [0, 4, 16, 0, 4, 16]
    assert first.computed == 6
    assert first.failed == []
    again = run(GRID, square, tmp_path, executor=made)
    if made:
        made.shutdown()
    assert again.done == first.done
    assert again.computed == 0
    assert asked(tmp_path) == sorted(f"{k}{s}" for k in "ab" for s in range(3))
    assert not list(tmp_path.glob("*.run")), "scratch folders of done cells go"


def test_only_what_is_missing_is_computed(tmp_path):
    run(GRID, square, tmp_path)
    (gone,) = tmp_path.glob("b-1-*.json")
    gone.unlink()
    again = run(GRID, square, tmp_path)
    assert again.computed == 1
    assert asked(tmp_path).count("b1") == 2
    assert asked(tmp_path).count("a1") == 1


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor])
def test_a_failed_cell_stops_no_other_and_is_tried_again(tmp_path, executor):
    made = executor and executor(2)
    outcome = run(GRID, fails_for_b, tmp_path, executor=made)
    assert len(outcome.done) == outcome.computed == 3
    assert [cell["kind"] for cell, _ in outcome.failed] == ["b"] * 3
    assert all(why == "ZeroDivisionError: planted" for _, why in outcome.failed)
    assert run(GRID, square, tmp_path, executor=made).failed == []


def test_a_worker_that_dies_is_a_failed_cell(tmp_path):
    """What it takes with it is computed by the next run."""
    with ProcessPoolExecutor(1) as executor:
        outcome = run(GRID, dies_for_b1, tmp_path, executor=executor)
    assert ("b", 1) in [(cell["kind"], cell["seed"]) for cell, _ in outcome.failed]
    assert len(outcome.done) + len(outcome.failed) == 6
    assert run(GRID, square, tmp_path).failed == []


def test_ctrl_c_keeps_what_is_done(tmp_path):
    def work(cell, scratch):
        if cell["seed"] == 2:
            raise KeyboardInterrupt
        return {"square": 0}

    with pytest.raises(KeyboardInterrupt):
        run(GRID, work, tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_the_folder_of_a_cell_is_there_again(tmp_path):
    """An attack that keeps a checkpoint in it goes on from there."""
    seen = threading.Event()

    def work(cell, scratch):
        if (scratch / "note").exists():
            seen.set()
            return {}
        (scratch / "note").write_text("bought")
        raise OSError("disk full")

    one = Grid({"seed": [0]})
    assert run(one, work, tmp_path).failed[0][1] == "OSError: disk full"
    assert run(one, work, tmp_path).done == [({"seed": 0}, {})]
    assert seen.is_set()


@pytest.mark.parametrize("spoil", ["", "{", '{"cell": {"seed": 7}, "values": {}}', "[]"])
def test_a_damaged_file_is_named(tmp_path, spoil):
    one = Grid({"seed": [0]})
    (tmp_path / f"{one.name({'seed': 0})}.json").write_text(spoil)
    with pytest.raises(DataError, match="delete it"):
        run(one, square, tmp_path)


def test_values_that_are_no_json_fail_their_cell(tmp_path):
    outcome = run(Grid({"seed": [0]}), lambda cell, scratch: {"x": float("nan")}, tmp_path)
    assert "ValueError" in outcome.failed[0][1]
    assert not list(tmp_path.glob("*.json"))


def test_files_tell_their_cell(tmp_path):
    run(GRID, square, tmp_path)
    kept = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    assert sorted(c["cell"]["kind"] for c in kept) == list("aaabbb")


@pytest.mark.parametrize(
    ("axes", "fixed", "says"),
    [
        ({"seed": 3}, {}, "list of values for seed"),
        ({"seed": []}, {}, "list of values"),
        ({"data": "mnist"}, {}, "list of values"),
        ({"seed": [1, 1]}, {}, "different values"),
        ({"seed": [1]}, {"seed": 2}, "once"),
    ],
)
def test_grids_that_cannot_be(axes, fixed, says):
    with pytest.raises(ValueError, match=says):
        Grid(axes, fixed)


def slow_square(cell, scratch):
    """Long enough that a worker can be killed in the middle."""
    (scratch.parent / f"started-{cell['seed']}-{os.getpid()}").touch()
    time.sleep(0.5)
    return {"square": cell["seed"] ** 2, "pid": os.getpid()}


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_loses_a_worker_and_no_cell(tmp_path):
    """A real Dask cluster of two processes; one is killed as soon as it works on a cell."""
    distributed = pytest.importorskip("distributed", reason="needs the extra cluster")
    grid = Grid({"seed": list(range(8))})
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(processes=True, silence_logs=50, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = set(client.run(os.getpid).values())
        assert len(pids) == 2
        killer = threading.Thread(target=kill_first_worker, args=(tmp_path,))
        killer.start()
        outcome = run(grid, slow_square, tmp_path, executor=client.get_executor())
        killer.join()
    assert outcome.failed == []
    assert [values["square"] for _, values in outcome.done] == [s * s for s in range(8)]
    killed = int((tmp_path / "killed").read_text())
    assert killed in pids
    started = [path.name.split("-")[1:] for path in tmp_path.glob("started-*")]
    lost = [seed for seed, pid in started if int(pid) == killed]
    assert any(sum(seed == other for other, _ in started) > 1 for seed in lost), "done elsewhere"


def kill_first_worker(folder):
    while not (first := list(folder.glob("started-*"))):
        time.sleep(0.02)
    pid = int(first[0].name.split("-")[2])
    os.kill(pid, signal.SIGKILL)
    (folder / "killed").write_text(str(pid))
