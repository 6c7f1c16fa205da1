"""PyTorch modules and ONNX sessions are victims as they are; small fakes stand in for both.

Size of error: float32 arithmetic by another route, 1e-5 of numbers near 1.
"""

import io
import subprocess
import sys
import warnings

import fake_frameworks as fake
import numpy as np
import pytest

import mstheft as mt
from mstheft.errors import VictimError
from mstheft.nn import functions
from mstheft.oracle import Oracle

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(3, 5)), RNG.normal(size=3)
X = RNG.normal(size=(7, 5))


@pytest.fixture
def fake_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", fake.Torch)


def layer(dtype="torch.float64"):
    return fake.Linear(W, B, dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.usefixtures("fake_torch")
def test_a_module_is_asked_in_eval_mode_without_gradients_in_its_own_dtype(dtype):
    linear, frozen = layer(f"torch.{dtype}"), fake.Module()
    module = fake.Module(linear, frozen)
    frozen.training, module.in_features = False, 99  # its own attribute, and no layer's
    oracle = Oracle(module)
    own = np.float32 if dtype == "bfloat16" else np.dtype(dtype)
    answers = oracle.query(X)
    assert answers.dtype == own
    np.testing.assert_array_equal(answers, (X.astype(own) @ W.T + B).astype(own))
    assert linear.calls == [(7, False)]
    assert [each.training for each in module.modules()] == [True, True, False]
    assert (oracle.inputs, oracle.outputs, oracle.count) == (5, 3, 7)


@pytest.mark.usefixtures("fake_torch")
def test_a_module_that_fails_is_in_training_mode_as_before():
    class Fails(fake.Module):
        def __call__(self, x):
            raise RuntimeError("no")

    module = fake.Module(layer(), Fails())
    with pytest.raises(RuntimeError, match="no"):
        Oracle(module).query(X)
    assert all(each.training for each in module.modules())


@pytest.mark.usefixtures("fake_torch")
def test_what_a_module_gives_and_takes_can_be_said():
    class Softmax(fake.Module):
        def __call__(self, x):
            return fake.Tensor(functions.softmax(x.values), x.dtype)

    module = fake.Module(layer(), Softmax())
    oracle = Oracle(module, "probs", gives="probs", inputs=5, batch=3)
    np.testing.assert_allclose(oracle.query(X), functions.softmax(X @ W.T + B))
    assert [n for n, _ in module.children[0].calls] == [3, 3, 1]
    with pytest.raises(ValueError, match="inputs= as positive whole numbers, got 0"):
        Oracle(module, inputs=0)


@pytest.mark.parametrize(("name", "says"), [("in_channels", r"inputs=\(5, 28"), ("input_size", "")])
@pytest.mark.usefixtures("fake_torch")
def test_a_module_that_begins_with_another_layer_is_asked_for_its_shape(name, says):
    first = layer()
    setattr(first, name, first.__dict__.pop("in_features"))
    with pytest.raises(ValueError, match=rf"module that begins with a Linear, got None.*{says}"):
        Oracle(fake.Module(first, layer()))
    assert Oracle(fake.Module(first, layer()), inputs=(1, 5)).shape == (1, 5)
    with pytest.raises(ValueError, match="module that begins with a Module"):
        Oracle(fake.Module())


@pytest.mark.usefixtures("fake_torch")
def test_a_module_that_answers_with_something_else_is_named():
    class Pair(fake.Module):
        def __call__(self, x):
            return x, x

    oracle = Oracle(fake.Module(layer(), Pair()))
    with pytest.raises(VictimError, match="answer with a tensor, got tuple; wrap it"):
        oracle.query(X)
    assert oracle.count == 0


def test_neither_framework_is_imported_here():
    code = (
        "import sys, numpy as np, mstheft as mt\n"
        "mt.Oracle(lambda x: x, inputs=2).query(np.ones((3, 2)))\n"
        "assert not {'torch', 'onnxruntime', 'sklearn', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- sessions


def logits(x):
    return (x.reshape(len(x), -1) @ W.T + B).astype(np.float32)


REAL = {"y": ("tensor(float)", logits)}


@pytest.mark.parametrize(
    ("shape", "calls"),
    [
        (["n", 5], [(7, 5)]),
        ([None, 5], [(7, 5)]),
        ([1, 5], [(1, 5)] * 7),
        ([3, 5], [(3, 5)] * 3),
        (["n", 1, 5], [(7, 1, 5)]),
    ],
)
def test_a_session_is_asked_for_as_many_rows_as_it_takes(shape, calls):
    session = fake.Session(shape, REAL)
    oracle = Oracle(session)
    assert (oracle.shape, oracle.inputs) == (tuple(shape[1:]), 5)
    answers = oracle.query(X)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers, X @ W.T + B, atol=1e-5)
    assert session.calls == calls
    assert (oracle.outputs, oracle.count) == (3, 7)


def test_a_session_answers_by_its_first_output_that_fits():
    outputs = {
        "label": ("tensor(int64)", lambda x: logits(x).argmax(axis=1)),
        "probabilities": ("tensor(float)", lambda x: functions.softmax(logits(x))),
    }
    session = fake.Session(["n", 5], outputs)
    probs = Oracle(session, "probs", gives="probs").query(X)
    np.testing.assert_allclose(probs, functions.softmax(X @ W.T + B), atol=1e-5)
    labels = Oracle(session, "label", gives="labels").query(X)
    np.testing.assert_array_equal(labels, probs.argmax(axis=1))
    one = fake.Session(["n", 5], {"y": ("tensor(double)", lambda x: logits(x)[:, 0])})
    assert Oracle(one).query(X).shape == (7, 1)


def test_a_session_of_unknown_size_is_asked_for_its_shape():
    session = fake.Session(["n", "height", 5], REAL)
    with pytest.raises(ValueError, match=r"takes the shape \['n', 'height', 5\], got None"):
        Oracle(session)
    assert Oracle(session, inputs=(1, 5)).query(X).shape == (7, 3)


@pytest.mark.parametrize(
    "session",
    [
        fake.Session(["n", 5], REAL, inputs=2),
        fake.Session(["n", 5], REAL, kind="tensor(string)"),
        fake.Session(["n", 5], {"y": ("seq(map(int64,tensor(float)))", None)}),
    ],
)
def test_sessions_that_are_no_victims(session):
    with pytest.raises(ValueError, match="expected a session of one input and a tensor of logits"):
        Oracle(session)


# ---- the real ones, where they are installed


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_a_real_module(torch, dtype):
    """Dropout and batch norm would change the answers, and asking would change batch norm."""
    nn = torch.nn
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)
    ).to(getattr(torch, dtype))
    module[3].eval()
    before = {name: values.clone() for name, values in module.state_dict().items()}
    oracle = Oracle(module)
    answers = oracle.query(X)
    np.testing.assert_array_equal(answers, oracle.query(X))
    assert answers.dtype == (np.float32 if dtype == "bfloat16" else np.dtype(dtype))
    assert [each.training for each in module.modules()] == [True] * 4 + [False, True]
    assert all(torch.equal(values, before[name]) for name, values in module.state_dict().items())
    probs = Oracle(module, "probs", batch=3).query(X)
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-2)
    np.testing.assert_array_equal(Oracle(module, "label").query(X), answers.argmax(axis=1))


def test_real_layers_that_are_no_linear_ones(torch):
    nn = torch.nn
    pictures = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 3))
    with pytest.raises(ValueError, match=r"begins with a Conv2d.*such as inputs=\(2, 28, 28\)"):
        Oracle(pictures)
    assert Oracle(pictures, inputs=(2, 4, 4)).query(np.zeros((3, 32))).shape == (3, 3)
    texts = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(20, 2))
    assert Oracle(texts, inputs=5).query(np.ones((3, 5), int)).shape == (3, 2)
    plain = Oracle(nn.ReLU(), inputs=3)
    np.testing.assert_array_equal(plain.query([[-1.0, 0, 2]]), [[0, 0, 2]])


def test_a_real_module_is_stolen_without_a_wrapper(torch):
    torch.manual_seed(0)
    nn = torch.nn
    module = nn.Sequential(nn.Linear(20, 6), nn.ReLU(), nn.Linear(6, 3)).double()
    result = mt.direct.sweep.extract(Oracle(module), rng=1)
    assert result.verified
    assert result.error < 1e-9


def test_a_real_session(torch):
    ort, _ = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    torch.manual_seed(0)
    nn = torch.nn
    module = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    want = Oracle(module).query(X)
    for axes in ({"x": {0: "n"}}, None):
        file = io.BytesIO()
        options = {"input_names": ["x"], "dynamic_axes": axes, "dynamo": False}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch, about its own ways to export
            torch.onnx.export(module, torch.zeros(3, 5), file, **options)
        session = ort.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
        answers = Oracle(session).query(X)
        assert answers.dtype == np.float32
        np.testing.assert_allclose(answers, want, atol=1e-5)
        np.testing.assert_allclose(Oracle(session, "label").query(X), want.argmax(axis=1))
