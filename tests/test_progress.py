"""Progress: silent unless somebody watches, on standard error alone, and off again afterwards."""

import subprocess
import sys

import numpy as np
import pytest

from mstheft import progress
from mstheft.nn import zoo
from mstheft.nn.fit import fit


def work():
    with progress.bar("digging", 3, "stone") as bar:
        for _ in range(3):
            bar.update(1)
            bar.set_postfix_str("deep")


def test_silent_by_default(capsys):
    work()
    assert capsys.readouterr() == ("", "")


def test_shown_on_standard_error(capsys):
    with progress.shown():
        work()
    out, err = capsys.readouterr()
    assert out == ""
    assert "digging" in err
    assert "3" in err
    work()
    assert capsys.readouterr() == ("", "")


def test_nested_and_switched_off(capsys):
    with progress.shown():
        with progress.shown(False):
            work()
            assert capsys.readouterr().err == ""
        work()
        assert "digging" in capsys.readouterr().err


def test_off_again_after_an_error(capsys):
    with pytest.raises(RuntimeError, match="stop"), progress.shown():
        raise RuntimeError("stop")
    work()
    assert capsys.readouterr().err == ""


def test_errors_inside_a_bar_pass_through():
    for on in (False, True):
        with (
            pytest.raises(RuntimeError, match="stop"),
            progress.shown(on),
            progress.bar("digging", None),
        ):
            raise RuntimeError("stop")


def test_training_reports_every_batch(capsys, monkeypatch):
    """10 rows in batches of 4, 2 epochs: 6 steps, and the bar must know it."""
    network = zoo.mlp([2, 2], rng=0)
    x, y = np.random.default_rng(0).normal(size=(10, 2)), np.arange(10) % 2
    totals = []

    class Recorder:
        steps = 0

        def update(self, n=1):
            self.steps += n

        def set_postfix_str(self, text):
            assert text.startswith("loss 0.") or text.startswith("loss 1.")

    recorder = Recorder()

    class Bar:
        def __init__(self, title, total, unit):
            totals.append((title, total, unit))

        def __enter__(self):
            return recorder

        def __exit__(self, *error):
            return False

    with monkeypatch.context() as patch:
        patch.setattr(progress, "bar", Bar)
        fit(network, x, y, epochs=2, batch=4, rng=0)
    assert totals == [("training", 6, "batch")]
    assert recorder.steps == 6
    with progress.shown():
        fit(network, x, y, epochs=2, batch=4, rng=0)
    assert "training" in capsys.readouterr().err


def test_tqdm_is_imported_only_when_shown():
    code = (
        "import sys, mstheft.progress as p\nwith p.bar('x', 1): pass\nprint('tqdm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
