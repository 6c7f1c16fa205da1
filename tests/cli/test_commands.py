"""What every command shares: help, the nearest word, names of before, completion, Ctrl-C, ~."""

import subprocess
import sys
from pathlib import Path

import pytest

from mstheft import cli
from mstheft.cli import commands
from mstheft.nn import zoo

NAMES = [name for group in commands.GROUPS.values() for name in group]


def one_sentence(complaint):
    return complaint.count("\n") == 1 and complaint.startswith("mstheft") and len(complaint) > 30


# ---- help


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"]])
def test_the_help_shows_every_command_in_its_group_and_five_examples(run, words):
    status, printed, complaint = run(*words)
    assert (status, complaint) == (0, "")
    places = [printed.index(f"\n{title}:\n") for title in commands.GROUPS]
    assert places == sorted(places)
    for name in NAMES:
        assert printed.count(f"\n  {name} ") == 1
    assert printed.count("\n  mstheft ") == 5


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version(run, option):
    assert run(option) == (0, f"mstheft {commands.version()}\n", "")


def test_every_command_has_help_of_its_own(run):
    for name in NAMES:
        status, printed, _ = run(name, "--help")
        assert status == 0
        assert f"usage: mstheft {name}" in printed
    for kind in ("logistic", "softmax", "label", "relu", "active"):
        assert "--budget" in run("steal", kind, "--help")[1]


def test_every_example_of_the_help_is_understood():
    for line in commands.EXAMPLES.splitlines():
        if line.startswith("  mstheft "):
            commands.build().parse_args(line.split("   ")[0].split()[1:])


# ---- wrong words


@pytest.mark.parametrize(
    ("words", "near", "prog"),
    [
        ("stael relu", "the nearest is steal", "mstheft"),
        ("steal rleu", "the nearest is relu", "mstheft steal"),
        ("steal relu --bugdet 3", "the nearest is --budget", "mstheft steal relu"),
        ("steal relu --shape 4-3-2 --decimal=3", "the nearest is --decimals", "mstheft steal relu"),
        ("steal active --strategy k-centre", "the nearest is k-center", "mstheft steal active"),
        ("detect prada --dleta 0.3", "the nearest is --delta", "mstheft detect prada"),
        ("learn chekc", "the nearest is check", "mstheft learn"),
        ("--verison", "the nearest is --version", "mstheft"),
    ],
)
def test_a_wrong_word_names_the_nearest_and_the_right_help(run, words, near, prog):
    status, said, complaint = run(*words.split())
    assert (status, said) == (2, "")
    assert one_sentence(complaint)
    assert complaint.startswith(f"{prog}: ")
    assert f"{near}; see {prog} --help" in complaint


def test_a_word_that_is_near_nothing_names_nothing(run):
    for word in ("--zzz", "--oversample"):
        _, _, complaint = run("steal", "relu", "--shape", "4-3-2", word)
        assert f"{word}; see mstheft steal relu --help" in complaint


def test_names_of_before_work_and_tell_todays(run):
    zoo.mlp([12, 5, 3], bias=0.2, rng=3).save("v.npz")
    today = run("steal", "relu", "--victim", "v.npz", "-q")
    before = run("steal", "relu", "--model", "v.npz", "-q")
    assert today == (0, "", "")
    assert before == (0, "", "mstheft steal relu: --model is now --victim; write that\n")
    assert "--model" not in run("steal", "relu", "--help")[1]
    _, _, complaint = run("evade", "spam", "--url", "http://127.0.0.1:1")
    assert complaint.startswith("mstheft evade spam: --url is now --victim URL; write that\n")
    assert "expected --key KEY" in complaint


# ---- completion


@pytest.mark.parametrize("shell", commands.SHELLS)
def test_completion_knows_commands_and_options(run, shell):
    pytest.importorskip("shtab")
    status, printed, _ = run("--print-completion", shell)
    assert status == 0
    for word in (*NAMES, "jacobian", "--checkpoint"):
        assert word in printed


def test_completion_without_the_extra_is_one_sentence(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    status, said, complaint = run("--print-completion", "bash")
    assert (status, said) == (2, "")
    assert "pip install 'mstheft[completion]'" in complaint


# ---- ~


def test_home_is_understood_in_every_path(run, monkeypatch, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    places = ["--save", "~/c.npz", "--json", "~/o.json", "--plot", "~/p", "--journal", "~/j.db"]
    assert run("steal", "relu", "--shape", "12-5-3", *places)[0] == 0
    assert {"c.npz", "o.json", "p", "j.db"} <= {path.name for path in home.iterdir()}
    assert run("steal", "relu", "--victim", "~/c.npz")[0] == 0
    (home / "own.py").write_text("from mstheft.nn.functions import softmax")
    assert run("vectors", "check", "~/own.py:softmax")[0] == 0
    status, _, complaint = run("steal", "relu", "--victim", "~nobody-of-that-name/c.npz")
    assert (status, one_sentence(complaint)) == (2, True)
    assert not Path("~").exists()


# ---- the process


def test_as_a_module():
    command = [sys.executable, "-m", "mstheft", "steal", "relu", "--shape", "nonsense"]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert child.returncode == 2
    assert one_sentence(child.stderr)


def test_ctrl_c_while_the_program_loads(monkeypatch, capsys):
    from mstheft import __main__

    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", stop)
    assert __main__.main() == 130
    assert "stopped by Ctrl-C" in capsys.readouterr().err


STOPPED = """
import runpy, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
sys.argv = ["mstheft", "steal", "relu", "--shape", "4-3-2"]
runpy.run_module("mstheft", run_name="__main__")
"""


@pytest.mark.parametrize("name", ["argparse", "numpy", "mstheft.cli", "mstheft.direct", "scipy"])
def test_ctrl_c_in_any_import_is_a_sentence(name):
    """Whatever is being loaded when it comes."""
    command = [sys.executable, "-c", STOPPED.format(name=name)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert child.returncode == 130
    assert child.stderr.startswith("mstheft: stopped by Ctrl-C")
    assert child.stderr.count("\n") == 1


def test_the_help_loads_no_numpy():
    code = (
        "import sys; from mstheft import cli; cli.main(['-h']); assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
