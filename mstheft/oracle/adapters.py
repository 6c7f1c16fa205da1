"""One view on every kind of victim: a function from rows to answers, and what the answers are."""

import contextlib
import importlib
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mstheft.errors import Unreachable, VictimError
from mstheft.nn import functions as F
from mstheft.nn.network import Network
from mstheft.oracle.answers import adds_up
from mstheft.oracle.view import View
from mstheft.typing import Array

GIVES = ("logits", "log_probs", "probs", "top_k", "labels")
PAUSE = 0.1  # seconds before the second call after a broken connection, doubled before each other
LIBRARIES = {  # their errors of a broken connection are not Python's own
    "requests": ("ConnectionError", "Timeout"),
    "httpx": ("TransportError",),
}
WIDTHS = ("in_features", "in_channels", "num_embeddings", "input_size", "embed_dim")  # in PyTorch
ONNX_REAL = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16"}
ONNX_WHOLE = {f"tensor({name})": name for name in ("int64", "int32", "uint8")}


def view_of(
    victim: Any,
    gives: str | None = None,
    inputs: int | tuple[int, ...] | None = None,
    batch: int | None = None,
    retries: int = 0,
) -> View:
    """The view on a victim of any kind; the arguments are those of an `Oracle`.

    A victim that knows all about itself, such as a `client.HttpVictim`, has a method
    `oracle_view() -> View`.
    """
    own = _own_view(victim)
    if own is not None and (gives is not None or inputs is not None):
        kind = type(victim).__name__
        what = "gives=, inputs= of a callable, module or session only"
        raise ValueError(f"expected {what}, got a {kind}; omit them")
    if gives is not None and gives not in GIVES:
        raise ValueError(f"expected gives= to be one of {GIVES}, got {gives!r}; pick one")
    view = own or _described_view(victim, gives or "logits", inputs)
    view = replace(view, is_assumed=own is None and gives is None)
    if batch is None and not retries and own is not None:
        return view
    labels = view.labels and _in_calls(view.labels, batch, retries)
    return replace(view, answer=_in_calls(view.answer, batch, retries), labels=labels)


def _own_view(victim: Any) -> View | None:
    """The view on a victim that needs no further words."""
    if isinstance(victim, Network):
        return View(victim.logits, "logits", victim.shape, victim.outputs, victim.dtype)
    if hasattr(victim, "predict") and hasattr(victim, "get_params"):
        return _estimator(victim)
    return victim.oracle_view() if hasattr(victim, "oracle_view") else None


def _described_view(victim: Any, gives: str, inputs: int | tuple[int, ...] | None) -> View:
    """The view on a victim whose answers the caller describes."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(victim, torch.nn.Module):
        return _module(torch, victim, gives, inputs)
    if hasattr(victim, "get_inputs") and hasattr(victim, "get_outputs"):
        return _session(victim, gives, inputs)
    if not callable(victim):
        kinds = "a Network, a fitted estimator, a PyTorch module, an ONNX session or a callable"
        got = f"got {type(victim).__name__}; wrap it in a function (n, d) -> (n, K)"
        raise ValueError(f"expected a victim that is {kinds}, {got}")
    return View(victim, gives, _shape(inputs), None)


def _shape(inputs: Any) -> tuple[int, ...]:
    shape = inputs if isinstance(inputs, tuple) else (inputs,)
    if not shape or any(not isinstance(n, int | np.integer) or n < 1 for n in shape):
        how = "give inputs=d, or the shape of one input"
        raise ValueError(f"expected inputs= as positive whole numbers, got {inputs!r}; {how}")
    return tuple(int(n) for n in shape)


def _columns(values: Array) -> Array:
    return values[:, None] if values.ndim == 1 else values  # (n,) -> (n, 1)


def _breaks() -> tuple[type[Exception], ...]:
    """The errors of a broken connection, those of the libraries that are loaded among them."""
    breaks: list[type[Exception]] = [ConnectionError, TimeoutError]
    for library, names in LIBRARIES.items():
        module = sys.modules.get(library)
        breaks += [getattr(module, name) for name in names if hasattr(module, name)]
    return tuple(breaks)


def _in_calls(
    answer: Callable[..., ArrayLike], batch: int | None, retries: int
) -> Callable[..., Array]:
    """The same answers by calls of at most `batch` rows, each repeated while connections break."""

    def call(x: Array, *name: str | None) -> Array:
        pauses = (PAUSE * 2**i for i in range(retries))
        while True:
            try:
                return np.asarray(answer(x.copy(), *name))
            except _breaks() as error:
                pause = next(pauses, None)
                if pause is None:
                    calls = "1 call" if retries == 0 else f"{retries + 1} calls"
                    what = f"expected an answer of the victim, got none in {calls}"
                    why = f"{type(error).__name__}: {str(error)[:60]}"
                    how = "come back later or raise retries="
                    raise Unreachable(f"{what} ({why}); {how}") from error
            time.sleep(pause)

    def ask(x: Array, *name: str | None) -> Array:
        size = batch or len(x)
        if len(x) <= size:
            return call(x, *name)
        starts = range(0, len(x), size)
        parts = [call(x[i : i + size], *(each and f"{each} {i}" for each in name)) for i in starts]
        if len({part.shape[1:] for part in parts}) > 1:
            got = [part.shape for part in parts[:3]]
            raise VictimError(f"expected answers of one K from every call, got shapes {got}")
        return np.concatenate(parts)

    return ask


# ---- scikit-learn


def _estimator(model: Any) -> View:
    """The finest answer that the estimator offers in public, and its own `predict` for labels."""
    from sklearn.base import is_regressor

    if not hasattr(model, "n_features_in_"):
        raise ValueError(f"expected a fitted estimator, got {model!r:.80}; call its fit(X, y)")
    call = _methods(model)
    shape, classes = (int(model.n_features_in_),), getattr(model, "classes_", None)
    if classes is None and is_regressor(model):
        return View(lambda x: _columns(call("predict", x)), "logits", shape, None)
    trial = np.random.default_rng(0).normal(size=(8, *shape))
    predicted = _tried(call, "predict", trial)
    several = predicted is not None and predicted.ndim == 2
    if classes is None or len(classes) < 2 or several:
        what = "a regressor, or one label per row of two classes or more"
        raise ValueError(f"expected {what}, got {model!r:.80}")
    binary = len(classes) == 2
    outputs, order = 1 if binary else len(classes), np.argsort(classes)

    def labels(x: Array) -> np.ndarray:
        return order[np.searchsorted(classes, call("predict", x), sorter=order)]

    def scores(x: Array) -> Array:
        return _columns(call("decision_function", x))

    def probs(x: Array) -> Array:
        pairs = call("predict_proba", x)
        if not binary:
            return pairs
        if not adds_up(pairs).all():
            raise VictimError(f"expected one label per row, got several from {model!r:.80}")
        return pairs[:, 1:]

    answer: Callable[[Array], ArrayLike] = labels
    gives, values = "labels", _tried(call, "decision_function", trial)
    if hasattr(model, "predict_proba"):
        answer, gives = probs, "probs"
        if values is not None and _are_logits(_columns(values), call("predict_proba", trial)):
            answer, gives = scores, "logits"
        elif hasattr(model, "predict_log_proba") and not binary:  # of two classes one is 1 - p
            answer, gives = (lambda x: call("predict_log_proba", x)), "log_probs"
    elif values is not None and _columns(values).shape[1] == outputs and not _by_pairs(model):
        answer, gives = scores, "scores"
    return View(answer, gives, shape, outputs, labels=labels)


def _methods(model: Any) -> Callable[[str, Array], Array]:
    """A function (method, rows) -> its answers; rows have the names that the model was fitted with.

    Without pandas they have none, and the warning that says so is left out.
    """
    names = getattr(model, "feature_names_in_", None)
    pandas = None
    if names is not None:
        with contextlib.suppress(ImportError):
            pandas = importlib.import_module("pandas")

    def call(method: str, x: Any) -> Array:
        rows = x if pandas is None else pandas.DataFrame(x, columns=names)
        with warnings.catch_warnings():
            if names is not None:
                warnings.filterwarnings("ignore", "X does not have valid feature names")
            return np.asarray(getattr(model, method)(rows))

    return call


def _tried(call: Callable[[str, Array], Array], method: str, rows: Array) -> Array | None:
    """The answers to rows, or None from a model that has no such method or takes no such rows."""
    try:
        return call(method, rows)
    except (AttributeError, ValueError, TypeError, KeyError):
        return None


def _are_logits(values: Array, probs: Array) -> bool:
    """Are decision values (n, K) logits? Yes if their softmax is the answer of `predict_proba`.

    They are with logistic regression, but not with one that is fitted one class against the rest,
    and not with a support vector machine.
    """
    binary = values.shape[1] == 1
    softmax = F.sigmoid(values) if binary else F.softmax(values)
    same = softmax.shape == probs[:, binary:].shape
    return same and np.allclose(softmax, probs[:, binary:], rtol=1e-6, atol=0)


def _by_pairs(model: Any) -> bool:
    """Has each decision value to do with two classes alone? With three, K of each are equal."""
    settings = model.get_params().items()
    return any(n.endswith("decision_function_shape") and v == "ovo" for n, v in settings)


# ---- PyTorch and ONNX: neither is imported here


def _module(torch: Any, module: Any, gives: str, inputs: int | tuple[int, ...] | None) -> View:
    """A PyTorch module, asked in eval mode and without gradients, in its own dtype and device."""
    layers = list(module.modules())
    first = next((m for m in layers[1:] or layers if any(hasattr(m, w) for w in WIDTHS)), None)
    width = getattr(first, "in_features", 0) if inputs is None else inputs
    if inputs is None and not width:
        kind, channels = f"a {type(first or module).__name__}", getattr(first, "in_channels", 3)
        how = f"give the shape of one input, such as inputs=({channels}, 28, 28)"
        what = f"expected inputs= for a module that begins with {kind}, got None"
        raise ValueError(f"{what}; {how}")
    is_text = hasattr(first, "num_embeddings")

    def weight() -> Any:
        return next((p for p in module.parameters() if p.is_floating_point()), torch.empty(0))

    def answer(x: Array) -> Array:
        modes = [(each, each.training) for each in module.modules()]
        dtype, device = torch.int64 if is_text else weight().dtype, weight().device
        try:
            module.eval()
            with torch.no_grad():
                answers = module(torch.as_tensor(x, dtype=dtype, device=device))
        finally:
            for each, mode in modes:
                each.training = mode
        if not hasattr(answers, "detach"):
            kind = type(answers).__name__
            raise VictimError(f"expected the module to answer with a tensor, got {kind}; wrap it")
        answers = answers.detach().cpu()
        values = (answers.float() if answers.dtype == torch.bfloat16 else answers).numpy()
        return values if gives == "labels" else _columns(values)

    name = str(weight().dtype).rpartition(".")[2]  # NumPy has no bfloat16; float32 holds all of it
    dtype = None if is_text else np.dtype("float32" if name == "bfloat16" else name)
    return View(answer, gives, _shape(width), None, dtype)


def _session(session: Any, gives: str, inputs: int | tuple[int, ...] | None) -> View:
    """An ONNX Runtime session of one input, by its first output of the type that `gives` wants."""
    first, *others = session.get_inputs()
    kinds = ONNX_WHOLE if gives == "labels" else ONNX_REAL
    outputs = [each.name for each in session.get_outputs() if each.type in kinds]
    dtype = (ONNX_REAL | ONNX_WHOLE).get(first.type)
    if others or dtype is None or not outputs:
        types = [each.type for each in (first, *others, *session.get_outputs())]
        what = f"expected a session of one input and a tensor of {gives}, got the types {types}"
        raise ValueError(f"{what}; export it so (scikit-learn: zipmap=False)")
    most, *shape = first.shape  # the batch, a number or a name; one input
    if inputs is None and not (shape and all(isinstance(n, int) for n in shape)):
        what = f"expected inputs= for a session that takes the shape {first.shape}, got None"
        raise ValueError(f"{what}; give the shape of one input")

    def call(x: Array) -> Array:
        return np.asarray(session.run(outputs[:1], {first.name: x})[0])

    def answer(x: Array) -> Array:
        if not isinstance(most, int):
            values = call(x)
        else:  # the graph takes so many rows and no others: zeros fill the last call
            rows = np.concatenate([x, np.zeros((-len(x) % most, *x.shape[1:]), x.dtype)])
            values = np.concatenate([call(rows[i : i + most]) for i in range(0, len(x), most)])
            values = values[: len(x)]
        return values if gives == "labels" else _columns(values)

    shape = _shape(tuple(shape) if inputs is None else inputs)
    return View(answer, gives, shape, None, np.dtype(dtype))
