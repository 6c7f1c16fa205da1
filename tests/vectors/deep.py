"""Several hidden layers: lifting, signs of a layer, rows of the second in terms of the first."""

from exact import (
    SHAPES,
    Net,
    case,
    document,
    dot,
    exact,
    formula,
    length,
    mp,
    mpf,
    plus,
    solved,
    solved_many,
    times,
    turned,
)
from kinks import A0, B0, VICTIM

INPUTS = [[0.5, -1.0, 2.0, 0.25], [-1.5, 0.75, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
GROWING = [[1.0, 0.5], [-0.5, 2.0], [0.25, -1.5], [2.0, 1.0]]  # more rows than inputs
HEARD = [[1.0, -2.0, 0.5, 0.75], [0.5, 0.25, -1.0, 2.0], [-1.5, 0.5, 0.25, 1.0]]
SIGNS = [1, -1, -1, 1]
UNHEARD = [[b if i != 2 else 0.0 for i, b in enumerate(row)] for row in HEARD]
SCALES = [1.0, 1024.0, 0.0078125]  # |w_j| may be anything


def spanned(rows, first):
    gram = [[dot(a, b) for b in first] for a in first]
    beta = [[x for (x,) in solved_many(gram, [[dot(a, row)] for a in first])] for row in rows]
    over = []
    for row, b in zip(rows, beta, strict=True):
        left = plus(
            row,
            [mp.fsum(x * a[j] for x, a in zip(b, first, strict=True)) for j in range(len(row))],
            -1,
        )
        over.append(length(left) / length(row))
    return {"beta": beta, "left": over}


def lifted(net, x):
    """(|R h + o|, h, 1), h the values of all layers before the last."""
    rows = []
    for h in x:
        for weight, bias in net.weights[:-1]:
            h = [SHAPES["relu"](z) for z in plus(times(weight, h), bias)]
        weight, bias = net.weights[-1]
        rows.append([*(abs(z) for z in plus(times(weight, h), bias)), *h, mpf(1)])
    return rows


def carried(rows, weights, signs):
    """C_j = Σ_i B_ji s_i R_i for given signs, (m, p)."""
    return [times(turned(rows), [b * s for b, s in zip(w, signs, strict=True)]) for w in weights]


def layer_signs(rows, weights, affine):
    """By the normal equations of those that a neuron listens to; the others are told nothing."""
    heard = [i for i in range(len(rows)) if any(w[i] != 0 for w in weights)]
    matrix, right = [], []
    for w, c in zip(weights, affine, strict=True):
        size = length([*w, *c])
        for p, value in enumerate(c):
            matrix.append([w[i] * rows[i][p] / size for i in heard])
            right.append(value / size)
    square = [[dot(a, b) for b in turned(matrix)] for a in turned(matrix)]
    found = solved(square, [dot(a, right) for a in turned(matrix)])
    return [found[heard.index(i)] if i in heard else mpf(0) for i in range(len(rows))]


def scaled(table):
    return [[v * f for v in row] for row, f in zip(table, SCALES, strict=True)]


def told(weights, signs, off=0.0):
    """The inputs of a case: C_j made of signs, and off by a little."""
    affine = carried(exact(GROWING), exact(weights), signs)
    affine = [[float(v) for v in row] for row in affine]
    affine[0][1] += off
    return {"rows": GROWING, "weights": scaled(weights), "affine": scaled(affine)}


def build():
    return document(
        "deep",
        "Several hidden layers: lifting, the signs of a layer, rows in terms of the first layer's",
        formula(
            "deep/lift", lifted,
            "relu(z) = (z + |z|)/2: a neuron behind is linear in φ(x) = (|R h + o|, h), h = h(x)",
            {"network": "layers (A, b) that are known; the rows R, o of the last up to their signs",
             "x": "(n, d)"},
            "[φ 1] (n, h + p + 1), p the width of h", "this project",
            case("lift-first", {"network": Net([(A0, B0)]), "x": INPUTS},
                 "relu in place of |z|: that needs the signs"),
            case("lift-turned", {"network": Net([([[-v for v in row] for row in A0],
                                                  [-v for v in B0])]), "x": INPUTS},
                 "turned rows must give the same features"),
            case("lift-second", {"network": Net(VICTIM), "x": INPUTS},
                 "|z| in the layers before, whose signs are known; x in place of h"),
            case("lift-growing", {"network": Net([(GROWING, [0.5, -1.0, 0.25, 0.0])]),
                                  "x": [[1.0, -0.5], [-2.0, 0.125]]},
                 "more neurons than inputs"),
        ),
        formula(
            "deep/layer-signs", layer_signs,
            "C_j = Σ_i B_ji s_i R_i over all neurons j behind the layer, by least squares",
            {"rows": "(h, p) R_i with unknown signs", "weights": "(m, h) B", "affine": "(m, p) C"},
            "s (h,), 0 where no neuron listens; equations of neuron j count 1 / |(B_j, C_j)|",
            "this project",
            case("layer_signs-growing", told(HEARD, SIGNS),
                 "one neuron alone: p equations are fewer than h signs"),
            case("layer_signs-unheard", told(UNHEARD, SIGNS),
                 "a sign that nothing tells is not ±1; a singular matrix"),
            case("layer_signs-off", told(HEARD, SIGNS, 0.0625),
                 "neurons are not weighed alike, so that one of large weights decides"),
            rel=1e-10, abs=1e-12,
        ),
        formula(
            "deep/row-coefficients", spanned,
            "a row of the second layer is Σ_i β_i A0_i over the first layer's neurons",
            {"rows": "(m, d)", "first": "(h1, d)"},
            "beta (m, h1), left (m,): the share that is not spanned", "this project",
            case("coefficients-inside", {"rows": [[0.5, -1.0, -1.0, 1.0], [1.0, 0.0, 0.0, 0.0]],
                                         "first": A0},
                 "Σ over inputs in place of neurons; no least squares where d > h1"),
            rel=1e-10, abs=1e-12,
        ),
    )  # fmt: skip
