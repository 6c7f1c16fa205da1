"""The known-answer vectors: sound files, right answers, a checker that sees faults."""

import ast
import importlib
import inspect
import json
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import mstheft as mt
from mstheft import cli, vectors
from mstheft.direct.deep.boundary import Boundary, Prefix
from mstheft.direct.deep.signs import signs_of
from mstheft.nn import gauss_newton as gn
from mstheft.nn import zoo
from mstheft.vectors.cases import decode
from mstheft.vectors.checking import compare

HERE = Path(__file__).parent
FOLDER = Path(vectors.__file__).parent
FILES = [FOLDER / f"{subject}.json" for subject in vectors.subjects()]
SCRIPTS = sorted(path for path in HERE.glob("*.py") if path.stem != "test_vectors")
NAMES = vectors.names()
TABLE = vectors.table()
finding = importlib.import_module("mstheft.vectors.cases")


def growing(rows):
    from mstheft.defend.prada_distance import GrowingSet

    kept = GrowingSet(rows.shape[1])
    distances = kept.add(rows)
    return distances, kept.threshold, kept.members.values


def passed(network, x):
    weights, activations = gn.chain(network)
    return gn.forward(weights, activations, gn.with_ones(x))


def jvp(network, x, tangent):
    return passed(network, x).jvp(gn.chain(tangent)[0])


def vjp(network, x, dlogits):
    return gn.assemble(network, passed(network, x).vjp(dlogits))


def step(network, x, answers, output="logits"):
    """Undamped, however far it goes, and solved to the end."""
    weights, activations = gn.chain(network)
    fit = gn.Fit(gn.with_ones(x), activations, answers, np.ones_like(answers), output)
    here = fit.at(weights)
    scale, residual = gn.kronecker(fit, here, rng=0), fit.residual(here.logits)
    move = gn.linearised_step(fit, here, residual, scale, enough=1e-15, iterations=1000)
    return gn.assemble(network, [w + m for w, m in zip(weights, move, strict=True)])


def bound(x, sigma):
    """Of a linear copy whose answers are right: nothing is left to polish."""
    copy = zoo.given([(np.zeros((1, x.shape[1])), np.zeros(1))])
    polished = mt.direct.polish(copy, x, np.zeros((len(x), 1)), noise=sigma, rng=0)
    return polished.bound, np.concatenate([bar.ravel() for bar in polished.error_bars.values()])


def prefix(layers):
    *oriented, last = layers
    return Prefix(layers[0][0].shape[1], oriented, last)


def lift(network, x):
    return prefix(network.dense()).features(x)


def layer_signs(rows, weights, affine):
    """Of neurons whose weights are all known."""
    w = np.hstack([weights, affine, np.zeros((len(affine), 1))])
    neurons = [Boundary(each, np.zeros((len(each), 0)), np.ones(1), []) for each in w]
    return signs_of(prefix([(rows, np.zeros(len(rows)))]), neurons)


ADAPTED = {  # a class or a method in the library, a function in the file
    "deep/layer-signs": layer_signs,
    "deep/lift": lift,
    "detection/prada-distance": growing,
    "polish/bound": bound,
    "polish/gauss-newton-step": step,
    "polish/jvp": jvp,
    "polish/vjp": vjp,
}


def library(name):
    if name in ADAPTED:
        return ADAPTED[name]
    module, _, path = TABLE["functions"][name].partition(":")
    found = importlib.import_module(f"mstheft.{module}")
    for part in path.split("."):
        found = getattr(found, part)
    return found


def said(failures):
    return "\n".join(map(str, failures))


# ---- the files


def test_there_are_enough_cases():
    assert len(vectors.cases()) == sum(NAMES.values()) >= 120
    assert len(NAMES) >= 60
    assert len({case.id for case in vectors.cases()}) == len(vectors.cases())


def test_the_schema_is_one_and_refuses_what_is_wrong():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((FOLDER / "schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    for change in (
        lambda d: d.pop("title"),
        lambda d: d["formulas"][0].update(name="softmax"),
        lambda d: d["formulas"][0]["cases"][0].pop("catches"),
        lambda d: d["formulas"][0]["cases"][0]["tolerance"].update(relative=0.1),
        lambda d: d["formulas"][0]["cases"][0]["inputs"].update(z={"network": []}),
        lambda d: d["formulas"][0]["cases"][0].update(expected=[["infinity"]]),
        lambda d: d["formulas"][0].update(cases=[]),
    ):
        document = vectors.load("activations")
        assert judge.is_valid(document)
        change(document)
        assert not judge.is_valid(document)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_follows_the_schema(path):
    jsonschema = pytest.importorskip("jsonschema")
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads((FOLDER / "schema.json").read_text()))
    assert document["subject"] == path.stem
    for formula in document["formulas"]:
        assert formula["name"].split("/")[0] == path.stem
        arguments = [each["name"] for each in formula["arguments"]]
        for case in formula["cases"]:
            assert list(case["inputs"]) == arguments


def test_the_scripts_give_the_files_again_without_the_package(tmp_path):
    """In a process of their own that cannot import mstheft from here."""
    script = HERE / "write.py"
    command = [sys.executable, "-I", str(script), str(tmp_path)]
    subprocess.run(command, check=True, timeout=600, cwd=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in FILES]
    for path in FILES:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_no_script_imports_the_package_or_numpy():
    allowed = {each.stem for each in SCRIPTS} | {"mpmath"}
    allowed |= {"fractions", "importlib", "itertools", "json", "math", "pathlib", "sys"}
    for path in SCRIPTS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module in allowed, path
            if isinstance(node, ast.Import):
                assert {each.name for each in node.names} <= allowed, path


def test_the_loader_takes_numpy_only():
    code = "import sys, mstheft.vectors as v; v.cases(); print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False"


# ---- the library


@pytest.mark.parametrize("name", NAMES)
def test_the_library_is_right(name):
    failures = vectors.check(library(name), name, network=zoo.given)
    assert not failures, said(failures)


def test_the_arguments_are_the_librarys():
    """In the same order; names may differ where the library's stand for several things."""
    other = {("network", "self"), ("votes", "counts")}
    for name in NAMES:
        wanted = list(inspect.signature(library(name)).parameters)
        arguments = list(vectors.cases(name)[0].arguments)
        assert len(arguments) <= len(wanted), name
        pairs = set(zip(arguments, wanted, strict=False))
        assert {(given, own) for given, own in pairs if given != own} <= other, name


@pytest.mark.parametrize("module", ["nn.functions", "nn.losses"])
def test_every_function_of_these_has_cases(module):
    owner = importlib.import_module(f"mstheft.{module}")
    public = {
        name
        for name, thing in vars(owner).items()
        if inspect.isfunction(thing) and thing.__module__ == owner.__name__ and name[0] != "_"
    }
    assert {f"{module}:{name}" for name in public} <= set(TABLE["functions"].values())


def test_the_naive_k_center_picks_the_same():
    from mstheft.learning import kcenter

    assert vectors.check(kcenter.greedy_naive, "selection/k-center-greedy") == []


# ---- SciPy and scikit-learn


def scipy_twins():
    from scipy import linalg, signal, special, stats
    from sklearn.metrics import f1_score

    def interval(count, n, confidence):
        found = stats.binomtest(count, n).proportion_ci(confidence, method="exact")
        return found.low, found.high

    def conv2d(x, weights, bias, stride, pad):
        x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        out = [
            sum(
                signal.correlate2d(x[0, :, :, c], w[:, :, c], "valid") for c in range(len(w[0, 0]))
            )[::stride, ::stride]
            for w in weights
        ]
        return (np.stack(out, axis=-1) + bias)[None]

    def log_q_gaussian(votes, sigma):
        votes = np.sort(votes, axis=1)
        gaps = votes[:, -1:] - votes[:, :-1]
        found = special.logsumexp(special.log_ndtr(-gaps / sigma / np.sqrt(2)), axis=1)
        return np.minimum(found, np.log1p(-1 / votes.shape[1]))

    def normality(distances):
        if len(distances) <= 100 or np.ptp(distances) == 0:
            return None
        return stats.shapiro(distances).statistic

    return {
        "activations/sigmoid": special.expit,
        "activations/softplus-gradient": special.expit,
        "activations/logit": special.logit,
        "activations/softmax": lambda z: special.softmax(z, axis=-1),
        "activations/log-softmax": lambda z: special.log_softmax(z, axis=-1),
        "activations/entropy": lambda p: special.entr(p).sum(axis=-1),
        "networks/convolution": conv2d,
        "equations/least-squares": lambda a, b: linalg.lstsq(a, b)[0],
        "scoring/clopper-pearson": interval,
        "learning/macro-f1": lambda t, p: f1_score(t, p, average="macro"),
        "detection/shapiro-wilk": normality,
        "privacy/gnmax-log-q": log_q_gaussian,
        "privacy/threshold-log-q": lambda votes, threshold, sigma: special.log_ndtr(
            -np.abs(votes.max(axis=1) - threshold) / sigma
        ),
    }


# What these libraries get wrong, by less than it matters to them.
SCIPY_MISSES = {"log_softmax-certain"}  # ln p of a p near 1 rounds to 0


def test_scipy_is_right_too():
    missed = set()
    for name, function in scipy_twins().items():
        missed |= {failure.case.id for failure in vectors.check(function, name)}
    assert missed == SCIPY_MISSES


# ---- PyTorch


def torch_twins():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    F = torch.nn.functional

    def t(x):
        return torch.as_tensor(np.asarray(x)).double()

    def slope(function):
        """dL/dz for L = Σ dout ∘ function(z), by PyTorch's own backward pass."""

        def gradient(z, dout=None):
            z = t(z).requires_grad_()
            out = function(z)
            out.backward(torch.ones_like(out) if dout is None else t(dout))
            return z.grad

        return gradient

    def loss(function):
        def both(logits, targets):
            logits = t(logits).requires_grad_()
            value = function(logits, torch.as_tensor(targets))
            value.backward()
            return value.detach(), logits.grad

        return both

    def cross_entropy(z, targets):
        if z.shape[1] == 1:
            return F.binary_cross_entropy_with_logits(z, targets.reshape(-1, 1).double())
        return F.cross_entropy(z, targets)

    def squared(z, targets):
        return F.mse_loss(z, targets.reshape(z.shape), reduction="sum") / (2 * len(z))

    def conv2d(x, weights, bias, stride, pad):
        x, weights = t(x).permute(0, 3, 1, 2), t(weights).permute(0, 3, 1, 2)
        return F.conv2d(x, weights, t(bias), stride, pad).permute(0, 2, 3, 1)

    def rows(network, x, function):
        return torch.stack([function(network, row) for row in t(x)])

    def jacobian(network, x):
        return torch.autograd.functional.jacobian(network, x)

    def fgsm(network, x, y, eps):
        x = t(x).requires_grad_()
        z = network(x)
        if z.shape[1] == 1:
            F.binary_cross_entropy_with_logits(z[:, 0], t(y), reduction="sum").backward()
        else:
            F.cross_entropy(z, torch.as_tensor(y), reduction="sum").backward()
        return (x + eps * x.grad.sign()).clamp(0, 1).detach()

    return {
        "activations/relu": lambda z: F.relu(t(z)),
        "activations/relu-gradient": slope(F.relu),
        "activations/sigmoid": lambda z: torch.sigmoid(t(z)),
        "activations/sigmoid-gradient": slope(torch.sigmoid),
        "activations/tanh": lambda z: torch.tanh(t(z)),
        "activations/tanh-gradient": slope(torch.tanh),
        "activations/softplus": lambda z: F.softplus(t(z)),
        "activations/softplus-gradient": slope(F.softplus),
        "activations/softmax": lambda z: F.softmax(t(z), dim=-1),
        "activations/log-softmax": lambda z: F.log_softmax(t(z), dim=-1),
        "activations/softmax-gradient": slope(lambda z: F.softmax(z, dim=-1)),
        "activations/log-softmax-gradient": slope(lambda z: F.log_softmax(z, dim=-1)),
        "activations/logit": lambda p: torch.logit(t(p)),
        "activations/logit-gradient": slope(torch.logit),
        "activations/entropy": lambda p: torch.special.entr(t(p)).sum(-1),
        "activations/entropy-gradient": slope(torch.special.entr),
        "losses/one-hot": lambda y, k: F.one_hot(torch.as_tensor(y), k),
        "losses/cross-entropy": loss(cross_entropy),
        "losses/squared-error": loss(squared),
        "networks/convolution": conv2d,
        "networks/logits": lambda network, x: network(t(x)).detach(),
        "networks/jacobian": lambda network, x: rows(network, x, jacobian),
        "networks/input-gradient": lambda network, x, w: torch.stack(
            [jacobian(network, row).T @ v for row, v in zip(t(x), t(w), strict=True)]
        ),
        "adversarial/fgsm": fgsm,
        "equations/least-squares": lambda a, b: torch.linalg.lstsq(t(a), t(b)).solution,
    }


def torch_network(weights, activation):
    import torch

    layers = []
    for A, b in weights:
        names = {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "softplus": "Softplus"}
        layers += [getattr(torch.nn, names[activation])()] if layers else []
        layer = torch.nn.Linear(A.shape[1], A.shape[0], dtype=torch.float64)
        layer.load_state_dict({"weight": torch.tensor(A), "bias": torch.tensor(b)})
        layers.append(layer)
    return torch.nn.Sequential(*layers)


TORCH_MISSES = {
    "log_softmax-certain",  # ln p of a p near 1 rounds to 0
    "sigmoid_grad-far",  # σ (1 - σ) rounds to 0 on one side
    "softplus-shortcut",  # z from 20 on, unless threshold= is raised
    "tanh_grad-far",  # 1 - tanh² rounds to 0
    "fgsm-sure",  # the gradient of a loss that has rounded to 0
}


def test_pytorch_is_right_too():
    missed = set()
    for name, function in torch_twins().items():
        failures = vectors.check(function, name, network=torch_network)
        missed |= {failure.case.id for failure in failures}
    assert missed == TORCH_MISSES


# ---- faults that the cases must see


def softmax_axis(z):
    weights = np.exp(z - z.max())
    return weights / weights.sum()


def second_difference(divide=1.0, second=True):
    def measured(oracle, point, direction, step):
        ahead, here, behind = oracle.query(point + step * np.outer([1, 0, -1], direction))
        return (ahead - 2 * here + behind if second else ahead - here) / step**divide

    return measured


def signs_by_size(oracle, rows, offsets):
    inverse = np.linalg.pinv(rows)
    z = -inverse @ offsets
    ahead, behind = oracle.query(z + inverse.T), oracle.query(z - inverse.T)
    return np.where(ahead.sum(axis=1) > behind.sum(axis=1), 1, -1)


def without_label_sign(start, label, crossings, on, precision):
    weights = 1 / crossings / np.linalg.norm(1 / crossings)
    return weights, -weights @ on


def uncertainty_of_one_term(copy, labelled, pool, k, rng):
    p = copy.probs(pool)[:, -1]
    free = np.setdiff1d(np.arange(len(pool)), labelled).astype(int)
    return free[np.argsort((p * np.log(p))[free], kind="stable")[:k]]


def dfal_by_margin(copy, labelled, pool, k, rng):
    free = np.setdiff1d(np.arange(len(pool)), labelled).astype(int)
    margins = library("selection/margin")(copy, pool, free)
    return free[np.argsort(margins, kind="stable")[:k]]


def k_center_stale(outputs, labelled, free, k):
    distance = ((outputs[free, None] - outputs[labelled]) ** 2).sum(-1).min(axis=1)
    return free[np.argsort(-distance, kind="stable")[:k]]


def deepfool_gap(network, x):
    (A, b), z = network.dense()[0], network.logits(x)
    if len(b) == 1:
        A, z = np.vstack([0 * A, A]), np.hstack([0 * z, z])
    k = z.argmax(axis=1)
    rival = np.argsort(-z, axis=1)[:, 1]
    way = A[rival] - A[k]
    gap = z.max(axis=1) - np.sort(z, axis=1)[:, -2]
    step = 1.02 * gap / (way**2).sum(axis=1)
    return x + step[:, None] * way, step * np.linalg.norm(way, axis=1)


def growing_sample_std(rows):
    members, own, threshold, distances = [rows[0]], [0.0], 0.0, [np.nan]
    for row in rows[1:]:
        distances.append(min(np.linalg.norm(row - g) for g in members))
        if distances[-1] > threshold:
            members.append(row)
            own.append(distances[-1])
            threshold = max(threshold, np.mean(own) - np.std(own, ddof=1))
    return np.array(distances), threshold, np.array(members)


def gaussian_without_limits(log_q, sigma, orders):
    mu2 = sigma * np.sqrt(-log_q)[:, None]
    mu1, q = mu2 + 1, np.exp(log_q)[:, None]
    a = (1 - q) / (1 - (q * np.exp(mu2 / sigma**2)) ** ((mu2 - 1) / mu2))
    b = np.exp(mu1 / sigma**2) / q ** (1 / (mu1 - 1))
    return np.log((1 - q) * a ** (orders - 1) + q * b ** (orders - 1)) / (orders - 1)


def entropy_naive(p):
    with np.errstate(all="ignore"):
        return -(p * np.log(p)).sum(axis=-1)


def normal_interval(count, n, confidence):
    share = count / n
    half = 1.96 * np.sqrt(share * (1 - share) / n)
    return share - half, share + half


def lift_with_relu(network, x):
    (A, b), inputs = network.dense()[-1], x
    for weight, bias in network.dense()[:-1]:
        x = np.maximum(x @ weight.T + bias, 0)
    return np.hstack([np.maximum(x @ A.T + b, 0), x, np.ones((len(inputs), 1))])


def lift_of_the_input(network, x):
    found = lift(network, x)
    h = len(network.dense()[-1][1])
    return np.hstack([found[:, :h], x, found[:, -1:]])


def signs_unweighted(rows, weights, affine):
    table = np.vstack([(w[:, None] * rows).T for w in weights])
    return np.linalg.lstsq(table, affine.ravel(), rcond=None)[0]


def signs_by_normal_equations(rows, weights, affine):
    size = np.linalg.norm(np.hstack([weights, affine]), axis=1)
    w, c = weights / size[:, None], affine / size[:, None]
    table = np.vstack([(each[:, None] * rows).T for each in w])
    return np.linalg.solve(table.T @ table, table.T @ c.ravel())


FAULTS = {
    "relu for |z|": ("deep/lift", lift_with_relu, "lift-turned"),
    "the input behind a layer": ("deep/lift", lift_of_the_input, "lift-second"),
    "one neuron alone": (
        "deep/layer-signs",
        lambda rows, weights, affine: layer_signs(rows, weights[:1], affine[:1]),
        "layer_signs-growing",
    ),
    "a sign that is not told": (
        "deep/layer-signs",
        signs_by_normal_equations,
        "layer_signs-unheard",
    ),
    "neurons not weighed alike": ("deep/layer-signs", signs_unweighted, "layer_signs-off"),
    "one axis for all rows": ("softmax", softmax_axis, "softmax-rows"),
    "no shift": (
        "softmax",
        lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True),
        "softmax-large",
    ),
    "whole numbers": (
        "softmax",
        lambda z: np.array(np.exp(z - z.max(-1, keepdims=True)), z.dtype),
        "softmax-whole-numbers",
    ),
    "at a kink": ("relu_grad", lambda z: (z >= 0) * 1.0, "relu_grad-zero"),
    "lower tail": ("sigmoid", lambda z: 1 - 1 / (1 + np.exp(z)), "sigmoid-far"),
    "tanh² rounded": ("tanh_grad", lambda z: 1 - np.tanh(z) ** 2, "tanh_grad-far"),
    "0 ln 0": ("entropy", entropy_naive, "entropy-zeros"),
    "bits": ("entropy", lambda p: np.nan_to_num(entropy_naive(p)) / np.log(2), "entropy-plain"),
    "clipped": (
        "logit",
        lambda p: np.log(np.clip(p, 1e-7, 1 - 1e-7) / (1 - np.clip(p, 1e-7, 1 - 1e-7))),
        "logit-ends",
    ),
    "sum for mean": (
        "squared_error",
        lambda z, t: (((z - t) ** 2).sum() / 2, z - t),
        "squared_error-plain",
    ),
    "broadcast": (
        "squared_error",
        lambda z, t: (((z - t) ** 2).sum() / 2 / len(z), (z - t) / len(z)),
        "squared_error-column",
    ),
    "all neurons on": (
        "networks/jacobian",
        lambda f, x: (
            np.stack([np.linalg.multi_dot([W for W, _ in f.dense()[::-1]])] * len(x))
            if len(f.dense()) > 1
            else np.stack([f.dense()[0][0]] * len(x))
        ),
        "jacobian-relu",
    ),
    "turned kernel": (
        "conv2d_naive",
        lambda x, w, b, s, p: library("networks/convolution")(x, w[:, ::-1, ::-1], b, s, p),
        "conv2d-valid",
    ),
    "scale not free": ("floor", lambda weights, k: (weights + k + 128) / k, "floor-784-128-1"),
    "whole division": ("floor", lambda weights, k: (weights + k) // k, "floor-784-128-10"),
    "c squared": ("second_difference", second_difference(2.0), "second_difference-axis"),
    "one side": ("second_difference", second_difference(1.0, False), "second_difference-short"),
    "larger side": ("neuron_signs", signs_by_size, "neuron_signs-turned"),
    "label forgotten": ("hyperplane", without_label_sign, "hyperplane-inside"),
    "weights not squared": (
        "solve",
        lambda A, y, w: np.linalg.lstsq(
            np.sqrt(w)[:, None] * A, np.sqrt(w)[:, None] * y, rcond=None
        )[0],
        "solve-weighted",
    ),
    "transposed jumps": (
        "solve_group",
        lambda g, change: (
            np.linalg.lstsq(g, change, rcond=None)[0] if g.shape[0] == g.shape[1] else change
        ),
        "solve_group-square",
    ),
    "not updated": ("selection/k-center-greedy", k_center_stale, "k-center-updated"),
    "sign of class 0": (
        "grown",
        lambda f, x, y, step, bounds=None: x + step * np.sign(f.dense()[0][0][0 * y]),
        "grown-sigmoid",
    ),
    "micro-F1": ("f1_of", lambda t, p: (t == p).mean(), "f1-rare-class"),
    "second largest": ("deepfool", deepfool_gap, "deepfool-far-rival"),
    "normal approximation": ("interval", normal_interval, "interval-none"),
    "sample's std": ("GrowingSet", growing_sample_std, "growing-threshold"),
    "every order": ("gaussian", gaussian_without_limits, "gaussian-high-orders"),
    "renormalised": (
        "top_k",
        lambda y, k: (
            np.where(y >= np.sort(y)[:, [-k]], y, 0)
            / np.where(y >= np.sort(y)[:, [-k]], y, 0).sum(1, keepdims=True)
        ),
        "top_k-two",
    ),
    "naive near 1": ("logit", lambda p: -np.log(1 / p - 1), "logit-ends"),
    "one of two terms": ("uncertainty", uncertainty_of_one_term, "uncertainty-sigmoid"),
    "margin of logits": ("dfal", dfal_by_margin, "dfal-three-classes"),
    "the copy's own label": (
        "grown",
        lambda f, x, y, step, bounds=None: library("learning/jacobian-augmentation")(
            f, x, f.labels(x), step, bounds
        ),
        "grown-classes",
    ),
    "off the hyperplanes": (
        "neuron_signs",
        lambda oracle, a, c: library("signs/neuron-signs")(oracle, a, 0 * c),
        "neuron_signs-one-output",
    ),
    "one noise": (
        "log_q_threshold",
        lambda votes, T, s: library_log_ndtr(-np.abs(votes.max(1) - T) / s / np.sqrt(2)),
        "log_q_threshold-far",
    ),
}


def library_log_ndtr(x):
    from scipy.special import log_ndtr

    return log_ndtr(x)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_planted_fault_is_seen(fault):
    name, function, seen_by = FAULTS[fault]
    failures = vectors.check(function, name, network=zoo.given)
    assert seen_by in {failure.case.id for failure in failures}, said(failures)


def test_every_case_refuses_an_answer_that_is_a_little_off():
    """Each number of each answer alone, moved by a hundred tolerances and at least 1e-12."""

    def moved(value):
        if isinstance(value, dict) and "network" in value:
            pairs = [list(pair) for pair in value["network"]["weights"]]
            pairs[-1][1] = (np.asarray(pairs[-1][1], float) + 0.01).tolist()
            return pairs
        if isinstance(value, dict):
            first = next(iter(value))
            return {**value, first: moved(value[first])}
        if value is None:
            return 0.5
        found = np.array(decode(value), float)
        if found.size == 0:
            return np.ones(1)
        place = np.unravel_index(int(np.isfinite(found).argmax()), found.shape)
        size = case.absolute + case.relative * abs(found[place])
        found[place] = 7 if not np.isfinite(found[place]) else found[place] + max(100 * size, 1e-12)
        return found

    for case in vectors.cases():
        assert compare(moved(case.expected), case.expected, case.relative, case.absolute), case.id


# ---- the checker


def test_a_failure_says_case_expected_got_and_the_bug():
    (failure,) = vectors.check(lambda z: np.maximum(z, 0).T, "relu-matrix")
    assert str(failure) == (
        "relu-matrix: expected 2 at [0, 1], got 3 (a case for this slip: the maximum over the "
        "array is taken, in place of max(z, 0) for each number)"
    )
    assert failure.case.id == "relu-matrix"


def test_the_name_of_the_function_is_enough():
    from mstheft.nn.functions import softmax

    assert vectors.check(softmax) == []
    with pytest.raises(ValueError, match="expected a formula or case"):
        vectors.check(lambda z: z)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda z: z[:1], "shape"),
        (lambda z: 1 / 0, "ZeroDivisionError"),
        (lambda z: None, "None"),
        (lambda z: "five", "real numbers"),
        (lambda z: z + 1j, "real numbers"),
        (lambda: 0, "TypeError"),
    ],
)
def test_anything_that_a_function_does_is_a_failure_in_one_line(function, words):
    failures = vectors.check(function, "sigmoid")
    assert len(failures) == NAMES["activations/sigmoid"]
    assert all(words in str(failure) and "\n" not in str(failure) for failure in failures)


def test_what_gave_no_value_is_not_told_of_a_slip():
    for function in (lambda z: 1 / 0, lambda z: None):
        assert all("slip" not in str(failure) for failure in vectors.check(function, "sigmoid"))


def test_a_file_that_ends_the_program_is_a_failure(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "at_once.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "inside.py").write_text("import sys\ndef relu(z):\n    sys.exit(0)\n")
    assert told(capsys, "check", "at_once.py:relu")[0] == 2
    status, out, _ = told(capsys, "check", "inside.py:relu")
    assert status == 1
    assert "SystemExit" in out


def test_a_function_that_does_not_end_is_called_once():
    called, wake = [], threading.Event()

    def endless(z):
        called.append(z)
        wake.wait(60)

    (failure,) = vectors.check(endless, "sigmoid", seconds=0.05)
    wake.set()
    assert len(called) == 1
    assert "none within 0.05 s; the cases from here on were not tried" in str(failure)


def test_an_argument_changed_in_place_is_a_failure():
    def relu(z):
        z[z < 0] = 0
        return z

    failures = vectors.check(relu)
    assert len(failures) == 2
    assert "left as it was" in str(failures[0])


def test_a_failing_case_does_not_spoil_the_next():
    def relu(z):
        answer = np.maximum(z, 0)
        z[...] = 99
        return answer

    vectors.check(relu)
    assert vectors.check(library("activations/relu")) == []


@pytest.mark.parametrize(
    "got",
    [
        (1.0, [2.0, 3.0]),
        [1.0, np.array([2.0, 3.0])],
        {"value": 1.0, "gradient": [2.0, 3.0]},
        namedtuple("Both", "gradient, value")([2.0, 3.0], 1.0),
        SimpleNamespace(value=1.0, gradient=[2.0, 3.0], extra=5),
    ],
)
def test_several_results_come_in_any_form(got):
    assert compare(got, {"value": 1.0, "gradient": [2.0, 3.0]}, 0, 0) is None
    wrong = compare(got, {"value": 1.0, "gradient": [2.0, 4.0]}, 0, 0)
    assert wrong == ("gradient 4 at [1]", "3")


@pytest.mark.parametrize("got", [1.0, (1.0,), np.zeros(3), {"value": 1.0}, "text"])
def test_missing_results_are_told(got):
    expected, _ = compare(got, {"value": 1.0, "gradient": [2.0, 3.0]}, 0, 0)
    assert "gradient" in expected


@pytest.mark.parametrize(
    ("got", "expected", "right"),
    [
        ([np.nan, np.inf], ["nan", "inf"], True),
        ([np.nan, -np.inf], ["nan", "inf"], False),
        ([0.0, np.inf], ["nan", "inf"], False),
        ([np.nan], [1.0], False),
        ([np.inf], [1.0], False),
        (np.float32(0.5), 0.5, True),
        ([True, False], [1, 0], True),
        (None, None, True),
        (0.0, None, False),
        ([], [], True),
        ([1.0 + 1e-12], [1.0], True),
        ([1.0 + 1e-9], [1.0], False),
        ([[1.0]], [1.0], False),
    ],
)
def test_numbers_are_compared_one_by_one(got, expected, right):
    assert (compare(got, expected, 1e-10, 0) is None) == right


def test_networks_are_compared_by_their_numbers():
    weights = [[[[1.0, 2.0]], [0.5]], [[[3.0]], [0.25]]]
    want = {"network": {"weights": weights, "activation": "relu"}}
    assert compare(zoo.given(weights), want, 0, 0) is None
    assert compare(weights, want, 0, 0) is None
    weights = [[[[1.0, 2.0]], [0.5]], [[[3.5]], [0.25]]]
    assert compare(zoo.given(weights), want, 0, 0) == ("A1 3 at [0, 0]", "3.5")
    assert compare(zoo.given(weights[:1]), want, 0, 0) is not None
    assert compare(5.0, want, 0, 0) is not None


def test_what_stands_for_a_network_answers_as_the_library_does():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 3))
    for activation in ("relu", "tanh", "sigmoid", "softplus"):
        for outputs in (1, 3):
            weights = [(rng.normal(size=(4, 3)), rng.normal(size=4))]
            weights.append((rng.normal(size=(outputs, 4)), rng.normal(size=outputs)))
            mine = vectors.Victim(weights, activation)
            theirs = zoo.given(weights, activation)
            assert np.abs(mine.logits(x) - theirs.logits(x)).max() < 1e-12
            assert np.abs(mine.probs(x) - theirs.probs(x)).max() < 1e-12
            assert np.array_equal(mine.labels(x), theirs.labels(x))
            for output in ("logits", "probs", "log_probs", "label"):
                from mstheft import Oracle

                asked, oracle = vectors.Victim(weights, activation, output), Oracle(theirs, output)
                assert np.abs(asked.query(x) - oracle.query(x)).max() < 1e-12
                assert asked.count == oracle.count == 5
                assert (asked.inputs, asked.outputs) == (oracle.inputs, oracle.outputs)


def test_names_are_found_whole_in_part_and_by_case():
    whole = vectors.cases("activations/softmax")
    assert vectors.cases("softmax") == vectors.cases("mstheft.nn.functions:softmax") == whole
    assert vectors.cases("log_softmax") == vectors.cases("activations/log-softmax")
    assert [case.id for case in vectors.cases("softmax-large")] == ["softmax-large"]
    with pytest.raises(ValueError, match=r"nearest is activations/softmax\); .* vectors list"):
        vectors.cases("softmix")
    with pytest.raises(ValueError, match=r"nearest is kinks/second-difference\)"):
        vectors.cases("kinks/second_diference")
    with pytest.raises(ValueError, match="one of the subjects"):
        vectors.load("cooking")


def test_the_table_names_every_formula_in_order():
    assert list(TABLE["functions"]) == sorted(NAMES)


def test_what_was_ever_accepted_is_still_found():
    assert set(TABLE["formerly"].values()) <= set(NAMES)
    for path, name in TABLE["formerly"].items():
        for said in (path, f"mstheft.{path}", path.split(":")[1]):
            assert vectors.cases(said) == vectors.cases(name), said
    for subjects in TABLE["former_subjects"].values():
        assert set(subjects) <= set(vectors.subjects())


def test_old_names_outlive_a_function_that_moves(monkeypatch):
    moved = {**TABLE["functions"], "activations/softmax": "elsewhere:exponentials"}
    monkeypatch.setattr(finding, "table", lambda: {**TABLE, "functions": moved})
    known = finding._index.__wrapped__()
    for said in ("softmax", "nn.functions:softmax", "elsewhere:exponentials", "exponentials"):
        assert known[said] == {"activations/softmax"}


def test_a_name_that_several_have_is_asked_about(monkeypatch):
    both = {"a-name": {"kinks/a-name", "signs/a-name"}}
    monkeypatch.setattr(finding, "_index", lambda: both)
    with pytest.raises(ValueError, match="can be kinks/a-name or signs/a-name; write one of them"):
        vectors.cases("a-name")


# ---- the command line


def told(capsys, *words):
    status = cli.main(["vectors", *words])
    out, err = capsys.readouterr()
    return status, out, err


def test_list_names_every_formula(capsys):
    status, out, _ = told(capsys, "list")
    assert status == 0
    assert all(name in out for name in NAMES)
    assert f"{len(vectors.cases())} cases for {len(NAMES)} formulas" in out


def test_show_tells_everything_about_a_case(capsys):
    status, out, _ = told(capsys, "show", "second_difference-axis")
    case = vectors.cases("second_difference-axis")[0]
    assert status == 0
    for word in (case.name, case.equation, case.catches, case.source, "tolerance", "expected"):
        assert word in out
    status, out, _ = told(capsys, "show", "softmax")
    assert out.count("catches") == NAMES["activations/softmax"]
    status, out, _ = told(capsys, "show", "losses")
    assert status == 0
    assert all(f["name"] in out for f in vectors.load("losses")["formulas"])
    assert told(capsys, "show", "pate") == told(capsys, "show", "privacy")


def test_check_passes_a_right_function(capsys):
    status, out, err = told(capsys, "check", "mstheft.nn.functions:softmax")
    assert (status, err) == (0, "")
    assert out.strip() == "softmax is right on all 5 cases of activations/softmax"
    status, _, _ = told(capsys, "check", "mstheft.nn.network:Network.jacobian")
    assert status == 0


def test_check_tells_each_failing_case_in_a_line(capsys, tmp_path, monkeypatch):
    path = tmp_path / "02_mine.py"
    path.write_text("import numpy as np\ndef soft(z):\n    return np.exp(z) / np.exp(z).sum()\n")
    monkeypatch.chdir(tmp_path)
    status, out, err = told(capsys, "check", "02_mine.py:soft", "--as", "softmax")
    assert status == 1
    lines = out.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "softmax-large",
        "softmax-small",
        "softmax-rows",
        "softmax-whole-numbers",
    ]
    assert (
        "got nan (a case for this slip: e^1000 overflows where max z is not subtracted first)"
        in lines[0]
    )
    assert err == "mstheft: soft fails 4 of 5 cases of activations/softmax\n"
    (tmp_path / "mine.py").write_text("def relu(z):\n    return z * (z > 0)\n")
    assert told(capsys, "check", "mine:relu")[0] == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["check", "softmax"], "expected module:function"),
        (["check", "no_such_module:f"], "cannot: ModuleNotFoundError"),
        (["check", "no_such_file.py:f"], "cannot: FileNotFoundError"),
        (["check", "mstheft.nn.functions:softmix"], "it has no softmix"),
        (["check", "mstheft.defend.prada_distance:GrowingSet"], "wrap it"),
        (["check", "math:sin"], "mstheft vectors list"),
        (["check", "math:sin"], "--as FORMULA"),
        (["show", "nothing-here"], "mstheft vectors list"),
    ],
)
def test_wrong_words_are_answered_in_a_sentence(capsys, words, sentence):
    status, out, err = told(capsys, *words)
    assert status == 2
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1
