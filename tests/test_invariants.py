"""What is promised about the whole house, held by reading its sources and running it."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mstheft
from mstheft import nn
from mstheft.oracle import Oracle

ROOT = Path(mstheft.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))


def room(path):
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def module(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source, package="mstheft"):
    """Every module of this package that a source imports, anywhere in it: 'mstheft.nn.zoo'."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name.split(".")[0] == package}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            if (node.module or "").split(".")[0] == package:
                found |= {f"{node.module}.{a.name}" for a in node.names}
    return found


# ---- floors


def test_a_room_imports_only_from_floors_below_it():
    """The floors stand in pyproject.toml, once."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT.parent, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout


# ---- attacks see an oracle and nothing else


ATTACKS = [path for path in SOURCES if room(path) in ("direct", "learning")]


@pytest.mark.parametrize("path", ATTACKS, ids=module)
def test_no_attack_imports_a_victim_or_takes_one(path):
    source = path.read_text()
    for name in imports(source):
        assert not name.startswith("mstheft.oracle"), f"{name}: an attack is given its oracle"
        assert not name.startswith("mstheft.data"), f"{name}: an attack is given its inputs"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg):
            assert node.arg not in ("victim", "model_to_steal", "target_model"), node.arg


@pytest.mark.parametrize("path", ATTACKS, ids=module)
def test_an_attack_uses_only_what_an_oracle_shows(path):
    """Named `oracle`, or `self.oracle` and `probe.oracle`: these attributes and no others."""
    shown = {"query", "count", "left", "budget", "output", "decimals", "inputs", "outputs", "shape"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            of = node.value
            name = of.id if isinstance(of, ast.Name) else getattr(of, "attr", "")
            assert name != "oracle" or node.attr in shown | {"top"}, ast.unparse(node)


def victims():
    from sklearn.linear_model import LogisticRegression

    x = np.random.default_rng(0).normal(size=(40, 3))
    network = nn.zoo.mlp([3, 4, 2], rng=0)
    yield network, {}
    yield LogisticRegression().fit(x, (x[:, 0] > 0).astype(int)), {"output": "probs"}
    yield network.logits, {"inputs": 3}


def reachable(thing, depth, seen):
    """Everything reached from a thing by public attributes, items and calls of no method."""
    if depth == 0 or id(thing) in seen:
        return
    seen[id(thing)] = thing
    if isinstance(thing, dict):
        children = list(thing.values())
    elif isinstance(thing, list | tuple | set):
        children = list(thing)
    elif isinstance(thing, Oracle) or type(thing).__module__.startswith("mstheft"):
        names = [n for n in dir(thing) if not n.startswith("_")]
        children = [getattr(thing, n) for n in names]
    else:
        return
    for child in children:
        reachable(child, depth - 1, seen)


@pytest.mark.parametrize("kind", range(3))
def test_no_public_attribute_of_an_oracle_leads_to_the_model(kind):
    victim, kwargs = list(victims())[kind]
    oracle = Oracle(victim, **kwargs)
    oracle.query(np.zeros((2, 3)))
    seen = {}
    reachable(oracle, 6, seen)
    model = getattr(victim, "__self__", victim)
    assert not any(thing is model or thing is victim for thing in seen.values())
    arrays = [thing for thing in seen.values() if isinstance(thing, np.ndarray)]
    assert arrays == []
    public = {n for n in dir(oracle) if not n.startswith("_")}
    assert {"query", "count", "left", "budget", "output", "decimals", "inputs"} <= public
    assert not {"model", "victim", "network", "weights", "parameters"} & public
    assert not hasattr(oracle, "__dict__")
    assert "0.W" not in repr(oracle)


def test_the_search_for_the_model_sees_an_oracle_that_shows_it():
    class Leaky(Oracle):
        __slots__ = ("model",)

    victim = nn.zoo.mlp([3, 4, 2], rng=0)
    oracle = Leaky(victim)
    oracle.model = {"stolen": [victim]}
    seen = {}
    reachable(oracle, 6, seen)
    assert any(thing is victim for thing in seen.values())


def test_an_answer_shares_no_memory_with_the_victim():
    victim = nn.Network([nn.layers.Dense(2, 2, rng=0)], 2)
    before = victim.logits(np.zeros((1, 2))).copy()
    answer = Oracle(victim).query(np.zeros((1, 2)))
    answer += 100
    assert np.array_equal(victim.logits(np.zeros((1, 2))), before)


# ---- importing


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_the_import_takes_numpy_only():
    code = (
        "import sys, mstheft\n"
        "[getattr(mstheft, name) for name in mstheft.__all__]\n"
        "heavy = ['scipy', 'matplotlib', 'tqdm', 'sklearn', 'torch', 'pandas', 'PIL', 'dask']\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert run(code) == "[]"


def test_the_import_loads_nothing_before_it_is_used():
    code = "import sys, mstheft\nheavy = ('mstheft.', 'numpy')\n"
    code += "print([name for name in sys.modules if name.startswith(heavy)])"
    assert run(code) == "[]"
    code = (
        "import mstheft as mt\nprint(mt.Oracle.__module__, mt.result.__name__, hasattr(mt, 'no'))"
    )
    assert run(code) == "mstheft.oracle.oracle mstheft.result False"


def test_the_import_says_nothing():
    assert run("import mstheft") == ""


# ---- printing, chance, documents


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_nothing_prints_but_the_command_line(path):
    if room(path) in ("cli", "__main__"):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "input", "breakpoint"), f"line {node.lineno}: {called}"
            assert not called.startswith(("sys.stdout", "sys.stderr", "logging.")), called
        if isinstance(node, ast.ImportFrom | ast.Import) and room(path) != "progress":
            names = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
            assert not any(n.split(".")[0] == "tqdm" for n in names), "progress has one place"


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_chance_comes_from_rng_alone(path):
    """No global generator, no clock and no `random` module; an unseeded one only if rng is None."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith(".random"):
            assert node.attr in ("default_rng", "Generator", "SeedSequence"), node.attr
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("default_rng"):
            assert node.args, f"line {node.lineno}: a generator without a seed"
        if isinstance(node, ast.Import):
            assert "random" not in [a.name for a in node.names]
        if isinstance(node, ast.ImportFrom):
            assert node.module != "random"


def public(owner, of):
    """Public functions and classes that a module itself defines."""
    for name, thing in vars(owner).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != of:
            continue
        if inspect.isfunction(thing) or inspect.isclass(thing):
            yield name, thing


def importable():
    for found in pkgutil.walk_packages(mstheft.__path__, "mstheft."):
        if not found.name.endswith("__main__"):
            yield found.name


@pytest.mark.parametrize("name", list(importable()))
def test_everything_public_is_documented(name):
    owner = importlib.import_module(name)
    assert owner.__doc__, f"{name} has no docstring"
    for own, thing in public(owner, name):
        assert thing.__doc__, f"{name}.{own} has no docstring"
        if not inspect.isclass(thing):
            continue
        for method, value in vars(thing).items():
            function = value.fget if isinstance(value, property) else value
            function = getattr(function, "__func__", function)
            if inspect.isfunction(function) and not method.startswith("_"):
                inherited = any(getattr(base, method, None) for base in thing.__mro__[1:])
                assert function.__doc__ or inherited, f"{name}.{own}.{method} has no docstring"


@pytest.mark.parametrize("name", [n for n in importable() if ".direct" in n or ".learning" in n])
def test_an_attack_takes_an_oracle_first_and_its_chance_by_name(name):
    owner = importlib.import_module(name)
    if not hasattr(owner, "extract"):
        return
    parameters = list(inspect.signature(owner.extract).parameters.values())
    assert parameters[0].name == "oracle"
    if ".direct" in name:
        assert all(p.kind is p.KEYWORD_ONLY for p in parameters[1:])
    assert "rng" in {p.name for p in parameters}
    for own, function in public(owner, name):
        if inspect.isfunction(function):
            for p in inspect.signature(function).parameters:
                assert p not in ("victim", "seed", "random_state"), f"{name}.{own}({p})"


def test_the_names_of_the_front_door_hold():
    import mstheft as mt

    for name in (
        "Network",
        "Oracle",
        "adversarial",
        "compare",
        "data",
        "defend",
        "direct",
        "errors",
        "learning",
        "nn",
        "oracle",
        "plots",
    ):
        assert hasattr(mt, name), name
    assert issubclass(mt.errors.ExtractionError, Exception)
    assert issubclass(mt.errors.BudgetExhausted, Exception)
    for attack in ("linear", "label_only", "relu"):
        assert callable(getattr(mt.direct, attack).extract)
    assert mt.learning.active.steal is mt.learning.active.extract
    assert mt.learning.jacobian.augment is mt.learning.jacobian.extract
    assert callable(mt.defend.prada.Detector)
    for attack in ("fgsm", "pgd", "deepfool", "transferability"):
        assert callable(getattr(mt.adversarial, attack))
    for method in ("logits", "probs", "labels"):
        assert callable(getattr(mt.Network, method))
    assert not hasattr(mt.Network, "predict")
    assert callable(mt.nn.zoo.mlp)
