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
from mstheft.direct.answers.reader import Reader
from mstheft.oracle import Oracle

ROOT = Path(mstheft.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))


def room(path):
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def faults(paths, scan):
    """'room/file.py: what is wrong', for everything that a scan of sources finds."""
    return [f"{path.name}: {each}" for path in paths for each in scan(path.read_text())]


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


# ---- attacks see an oracle and nothing else


ATTACKS = [path for path in SOURCES if room(path) in ("direct", "learning")]
SHOWN = {
    "query",
    "count",
    "left",
    "budget",
    "output",
    "decimals",
    "inputs",
    "outputs",
    "shape",
    "top",
}
MEASURED = {"oracle", *Reader.__dataclass_fields__, *vars(Reader)}  # what an attack has found out
VICTIMS = ("victim", "model_to_steal", "target_model")


def reaches_for_a_victim(source):
    """What an attack may not do: import an oracle or data, take a victim, ask more of an oracle.

    An oracle is what is named `oracle`, or `self.oracle` and `probe.oracle`.
    """
    for name in imports(source):
        if name.startswith(("mstheft.oracle", "mstheft.data")):
            yield f"imports {name}: an attack is given its oracle and its inputs"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg) and node.arg in VICTIMS:
            yield f"line {node.lineno} takes {node.arg}"
        if isinstance(node, ast.Attribute):
            name = (
                node.value.id
                if isinstance(node.value, ast.Name)
                else getattr(node.value, "attr", "")
            )
            if name == "oracle" and node.attr not in SHOWN | MEASURED:
                yield f"line {node.lineno} uses {ast.unparse(node)}"


def test_an_attack_uses_only_what_an_oracle_shows():
    assert len(ATTACKS) > 30
    assert faults(ATTACKS, reaches_for_a_victim) == []


@pytest.mark.parametrize(
    "source",
    [
        "from mstheft.oracle import Oracle",
        "import mstheft.data.images",
        "def extract(oracle, victim): pass",
        "oracle.model",
        "self.oracle.victim.weights",
    ],
)
def test_an_attack_that_reaches_for_a_victim_is_seen(source):
    assert list(reaches_for_a_victim(source)) != []


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


# ---- printing, chance, clocks: what ruff does not hold already


def speaks(source):
    """Ways to print, ask or draw a bar that ruff's T20 does not know."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("input", "breakpoint") or called.startswith(SPOKEN):
                yield f"line {node.lineno} calls {called}"
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
            if any(name.split(".")[0] == "tqdm" for name in names):
                yield f"line {node.lineno} imports tqdm: progress has one place"


SPOKEN = ("sys.stdout", "sys.stderr", "logging.")


def test_nothing_speaks_but_the_command_line():
    quiet = [path for path in SOURCES if room(path) not in ("cli", "__main__", "progress")]
    assert faults(quiet, speaks) == []


def draws_without_a_seed(source):
    """Chance that is not rng's: no seed at all, or the standard library's."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("default_rng"):
            if not node.args:
                yield f"line {node.lineno} makes a generator without a seed"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None)] + [a.name for a in node.names]
            if names[0] == "random" or (names[0] is None and "random" in names):
                yield f"line {node.lineno} imports random"


def test_chance_comes_from_rng_alone():
    assert faults(SOURCES, draws_without_a_seed) == []


CLOCKS = ("time", "perf_counter", "monotonic", "process_time", "thread_time")
WAITS = ("service_worker.py",)  # gives up waiting for a server that never starts


def reads_a_clock(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).removesuffix("_ns").split(".")
            if called[0] == "timeit" or (
                called[-1] in CLOCKS and called[0] in ("time", called[-1])
            ):
                yield f"line {node.lineno} calls {ast.unparse(node.func)}"


def test_no_test_reads_a_clock():
    """Measurements are for benchmarks: a busy machine must not fail a test."""
    tests = [
        path
        for path in sorted(Path(__file__).parent.rglob("*.py"))
        if "benchmarks" not in path.parts and path.name not in WAITS
    ]
    assert len(tests) > 100
    assert faults(tests, reads_a_clock) == []


@pytest.mark.parametrize(
    ("scan", "source"),
    [
        (speaks, "sys.stdout.write('x')"),
        (speaks, "logging.info('x')"),
        (speaks, "input()"),
        (speaks, "from tqdm.auto import tqdm"),
        (draws_without_a_seed, "np.random.default_rng()"),
        (draws_without_a_seed, "import random"),
        (draws_without_a_seed, "from random import choice"),
        (reads_a_clock, "time.perf_counter()"),
        (reads_a_clock, "perf_counter_ns()"),
        (reads_a_clock, "time.time()"),
        (reads_a_clock, "timeit.timeit(f)"),
    ],
)
def test_a_planted_fault_is_seen(scan, source):
    assert len(list(scan(source))) == 1


# ---- names


def importable():
    for found in pkgutil.walk_packages(mstheft.__path__, "mstheft."):
        if not found.name.endswith("__main__"):
            yield found.name


def public(owner, of):
    """Public functions that a module itself defines."""
    for name, thing in vars(owner).items():
        own = getattr(thing, "__module__", None) == of
        if own and not name.startswith("_") and inspect.isfunction(thing):
            yield name, thing


MODULES = list(importable())
EXTRACTS = [
    name for name in MODULES
    if name.startswith(("mstheft.direct.", "mstheft.learning."))
    and hasattr(importlib.import_module(name), "extract")
]  # fmt: skip


def test_every_attack_is_looked_at():
    attacks = {name.removesuffix(".attack").split(".")[2] for name in EXTRACTS}
    assert attacks >= {"linear", "relu", "sweep", "smooth", "deep", "active", "jacobian"}
    assert "mstheft.direct.linear.boundary" in EXTRACTS


@pytest.mark.parametrize("name", EXTRACTS)
def test_an_attack_takes_an_oracle_first_and_its_chance_by_name(name):
    first, *others = inspect.signature(importlib.import_module(name).extract).parameters.values()
    assert first.name == "oracle"
    assert "rng" in {p.name for p in others}
    if name.startswith("mstheft.direct."):
        assert {p.kind for p in others} == {inspect.Parameter.KEYWORD_ONLY}


def test_no_function_of_an_attack_takes_a_victim_or_a_seed():
    wrong = [
        f"{name}.{own}({parameter})"
        for name in MODULES
        if name.startswith(("mstheft.direct", "mstheft.learning"))
        for own, function in public(importlib.import_module(name), name)
        for parameter in inspect.signature(function).parameters
        if parameter in ("victim", "seed", "random_state")
    ]
    assert wrong == []


def test_every_name_of_every_all_is_there():
    listed = {name: getattr(importlib.import_module(name), "__all__", ()) for name in MODULES}
    listed["mstheft"] = mstheft.__all__
    assert sum(map(len, listed.values())) > 100
    missing = [
        f"{name}.{each}"
        for name, names in listed.items()
        for each in names
        if not hasattr(sys.modules[name], each)
    ]
    assert missing == []


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
    assert mt.ExtractionError is mt.errors.ExtractionError
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
