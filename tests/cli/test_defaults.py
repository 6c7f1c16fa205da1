"""One set of defaults: of the functions, of a grid, and of the command line."""

import inspect
from dataclasses import asdict

import pytest

from mstheft import learning
from mstheft.cli import commands, steal_learned
from mstheft.experiments import learned_theft
from mstheft.learning import defaults

NAMES = ("strategy", "budget", "rounds", "epochs", "patience", "batch", "augment", "warm")


def of_function(function):
    parameters = inspect.signature(function).parameters
    return {name: each.default for name, each in parameters.items()}


def of_command(*words):
    args = commands.build("steal").parse_args(["steal", *words, "--data", "glyphs"])
    return asdict(steal_learned._settings(args)[0])


@pytest.fixture(autouse=True)
def few_digits(monkeypatch):
    monkeypatch.setattr(learned_theft.tasks, "cached", lambda name: Images)


class Images:
    kind = "images"


@pytest.mark.parametrize("name", NAMES)
def test_active_extract_the_grid_and_the_command_line_agree(name):
    usual = getattr(defaults, name.upper())
    assert of_function(learning.active.extract)[name] == usual
    assert asdict(learned_theft.Settings())[name] == usual
    assert of_command("active")[name] == usual


@pytest.mark.parametrize("name", ["rounds", "epochs", "patience", "batch", "augment", "lam"])
def test_jacobian_extract_has_the_same(name):
    assert of_function(learning.jacobian.extract)[name] == getattr(defaults, name.upper())
    if name != "lam":  # only the function takes it
        assert of_command("jacobian")[name] == getattr(defaults, name.upper())


def test_a_word_of_the_command_line_replaces_its_default():
    assert of_command("active", "--rounds", "2")["rounds"] == 2
    assert of_command("active", "--strategy", "noise")["strategy"] == "noise"


def test_the_help_shows_them(run):
    printed = run("steal", "active", "--help")[1]
    for name in ("strategy", "budget", "rounds", "patience", "batch", "epochs"):
        assert f"(default: {getattr(defaults, name.upper())})" in " ".join(printed.split())


def test_the_names_of_before_are_the_same_functions():
    assert learning.active.steal is learning.active.extract
    assert learning.jacobian.augment is learning.jacobian.extract
