"""50-digit arithmetic on nested lists, and the form of the files. Nothing here knows mstheft."""

import json
import math

from mpmath import mp, mpf

mp.dps = 50


class Net:
    """A network's exact weights: [(A, b), …] and the name of its activation."""

    def __init__(self, weights, activation="relu", output=None):
        self.weights, self.activation, self.output = weights, activation, output

    def written(self):
        told = {"weights": written(self.weights), "activation": self.activation}
        return {"oracle": {**told, "output": self.output}} if self.output else {"network": told}

    def exactly(self):
        return Net(exact([list(pair) for pair in self.weights]), self.activation, self.output)


def oracle(weights, output="logits", activation="relu"):
    return Net(weights, activation, output)


class Seed(int):
    """A generator's seed: the answer must not depend on it."""


def exact(value):
    """Every float as the very number that it is in binary; whole numbers and words stay."""
    if isinstance(value, list | tuple):
        return [exact(each) for each in value]
    if isinstance(value, Net):
        return value.exactly()
    return mpf(value) if isinstance(value, float) else value


def written(value):
    """What goes into the file: of each exact number the nearest float."""
    if isinstance(value, Net):
        return value.written()
    if isinstance(value, Seed):
        return {"generator": int(value)}
    if isinstance(value, dict):
        return {name: written(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [written(each) for each in value]
    if isinstance(value, mpf):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def case(name, inputs, catches, *, rel=None, abs=None, options=None, want=None):
    """One case; `want` is the answer where it is known without any arithmetic."""
    return {
        "id": name,
        "inputs": inputs,
        "catches": catches,
        "options": options or {},
        "tolerance": (rel, abs),
        "want": want,
    }


def formula(name, compute, equation, arguments, returns, source, *cases, rel=1e-12, abs=0.0):
    """A formula and its cases. compute(*exact inputs, **exact options) -> the exact answer."""
    done = []
    for each in cases:
        inputs, options = exact(list(each["inputs"].values())), each["options"]
        answer = each["want"]
        if answer is None:
            answer = compute(*inputs, **{name: exact(value) for name, value in options.items()})
        own = [mine if mine is not None else usual
               for mine, usual in zip(each["tolerance"], (rel, abs), strict=True)]  # fmt: skip
        done.append(
            {
                "id": each["id"],
                "inputs": {name: written(value) for name, value in each["inputs"].items()},
                **({"options": written(options)} if options else {}),
                "expected": written(answer),
                "tolerance": {"relative": own[0], "absolute": own[1]},
                "catches": each["catches"],
            }
        )
    return {
        "name": name,
        "equation": equation,
        "arguments": [{"name": name, "is": said} for name, said in arguments.items()],
        "returns": returns,
        "source": source,
        "cases": done,
    }


def document(subject, title, *formulas):
    return {"subject": subject, "title": title, "formulas": list(formulas)}


def text(document):
    """The file: two spaces, but every list of numbers on one line, as a reader wants them."""
    return _text(document, "") + "\n"


def _text(value, indent):
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) < 96 or not isinstance(value, dict | list):
        return line
    if isinstance(value, list) and all(not isinstance(each, dict | list) for each in value):
        return _wrapped(value, indent)
    inner = indent + "  "
    if isinstance(value, list):
        body = [inner + _text(each, inner) for each in value]
        return "[\n" + ",\n".join(body) + f"\n{indent}]"
    body = [f"{inner}{json.dumps(name)}: {_text(each, inner)}" for name, each in value.items()]
    return "{\n" + ",\n".join(body) + f"\n{indent}}}"


def _wrapped(numbers, indent):
    lines, line = [], indent + "  "
    for each in numbers:
        word = json.dumps(each, ensure_ascii=False) + ", "
        if len(line) + len(word) > 96:
            lines.append(line.rstrip())
            line = indent + "  "
        line += word
    return "[\n" + "\n".join([*lines, line.rstrip().rstrip(",")]) + f"\n{indent}]"


# ---- arithmetic on lists


def each(function, value, *others):
    """function on every number of a nested list (of several lists of one shape)."""
    if isinstance(value, list):
        return [each(function, *parts) for parts in zip(value, *others, strict=True)]
    return function(value, *others)


def rows(function):
    """A function of one row, for rows in lists of any depth."""

    def over(value, *others):
        if isinstance(value[0], list):
            return [over(*parts) for parts in zip(value, *others, strict=True)]
        return function(value, *others)

    return over


def dot(a, b):
    return mp.fsum(x * y for x, y in zip(a, b, strict=True))


def times(matrix, vector):
    return [dot(row, vector) for row in matrix]


def plus(a, b, factor=1):
    """a + factor b."""
    return [x + factor * y for x, y in zip(a, b, strict=True)]


def turned(matrix):
    return [list(column) for column in zip(*matrix, strict=True)]


def length(vector):
    return mp.sqrt(dot(vector, vector))


def solved(matrix, right):
    """x of matrix x = right, in the sense of least squares. Lists."""
    found = mp.lu_solve(mp.matrix(matrix), mp.matrix(right))
    return [found[i] for i in range(len(matrix[0]))]


def solved_many(matrix, right):
    """X of matrix X = right, (m, n) and (m, r) -> (n, r)."""
    return turned([solved(matrix, column) for column in turned(right)])


# ---- networks


SHAPES = {
    "relu": lambda z: max(z, mpf(0)),
    "tanh": mp.tanh,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
}
SLOPES = {
    "relu": lambda z: mpf(1 if z > 0 else 0),
    "tanh": lambda z: mp.sech(z) ** 2,
    "sigmoid": lambda z: SHAPES["sigmoid"](z) * SHAPES["sigmoid"](-z),
    "softplus": SHAPES["sigmoid"],
}


def logits(net, x):
    """f(x) of one input."""
    for depth, (weight, bias) in enumerate(net.weights):
        x = [SHAPES[net.activation](z) for z in x] if depth else x
        x = plus(times(weight, x), bias)
    return x


def jacobian(net, x):
    """∂f_k/∂x_j at one input, (K, d), forwards by the chain rule."""
    found = None
    for depth, (weight, bias) in enumerate(net.weights):
        if depth:
            found = [[SLOPES[net.activation](z) * entry for entry in row]
                     for z, row in zip(x, found, strict=True)]  # fmt: skip
            x = [SHAPES[net.activation](z) for z in x]
        x = plus(times(weight, x), bias)
        found = weight if depth == 0 else [times(turned(found), row) for row in weight]
    return found


def softmax(z):
    top = max(z)
    parts = [mp.exp(v - top) for v in z]
    return [p / mp.fsum(parts) for p in parts]


def probs(net, x):
    z = logits(net, x)
    return [SHAPES["sigmoid"](z[0])] if len(z) == 1 else softmax(z)


def label(z):
    """The first of the largest; of one logit, 1 where it is positive."""
    return int(z[0] > 0) if len(z) == 1 else z.index(max(z))
