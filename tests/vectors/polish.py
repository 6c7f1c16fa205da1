"""Polishing: derivatives in the weights, one Gauss-Newton step, and the Cramér-Rao bound."""

from exact import (
    SHAPES,
    SLOPES,
    Net,
    case,
    document,
    dot,
    formula,
    logits,
    mp,
    mpf,
    plus,
    solved,
    times,
    turned,
)
from networks import A0, A1, B0, B1, DEEP, INPUTS

NET = {"network": "f, its weights [(A0, b0), …]", "x": "(n, d)"}
ANSWERS = {
    "logits": (lambda z: z, lambda z: mpf(1)),
    "probs": (SHAPES["sigmoid"], SLOPES["sigmoid"]),
}
TANGENT = [([[0.5, -0.25, 1.0], [-1.0, 0.75, 0.125]], [0.5, -1.0]),
           ([[-0.5, 1.0], [0.25, 2.0]], [1.5, -0.75])]  # fmt: skip
DEEP_TANGENT = [TANGENT[0], ([[0.5, -1.0], [0.25, 0.75], [-0.125, 1.0]], [0.0, 0.5, -0.25]),
                ([[1.0, 0.5, -0.75], [0.125, -1.0, 0.25]], [0.5, 0.0])]  # fmt: skip
SMALL = [([[0.75, -0.5], [0.25, 1.0]], [0.125, -0.25]), ([[1.5, -1.0]], [0.5])]
ROWS = [[1.0, 0.5], [-1.0, 0.25], [0.5, -2.0], [2.0, 1.0], [-0.5, -0.75], [0.25, 1.5],
        [-2.0, -1.0], [1.5, -1.5], [0.75, 0.125], [-1.25, 2.0], [0.0, -0.5],
        [-0.25, 0.75]]  # fmt: skip
TARGETS = [[0.75], [0.25], [0.5], [1.25], [-0.5], [-0.75], [-1.0], [2.0], [0.5], [-1.5], [1.0],
           [-0.25]]  # fmt: skip
SHARES = [[0.75], [0.25], [0.875], [0.625], [0.5], [0.375], [0.25], [0.9375], [0.75], [0.125],
          [0.8125], [0.4375]]  # fmt: skip


def moved(net, x, tangent):
    """d/dε of the logits of weights + ε tangent at one input, at ε = 0: (K,), by the chain rule."""
    dx = None
    for depth, ((weight, bias), (dw, db)) in enumerate(
        zip(net.weights, tangent.weights, strict=True)
    ):
        if depth:
            dx = [SLOPES[net.activation](z) * d for z, d in zip(x, dx, strict=True)]
            x = [SHAPES[net.activation](z) for z in x]
        change = plus(times(dw, x), db)
        dx = plus(change, times(weight, dx)) if depth else change
        x = plus(times(weight, x), bias)
    return dx


def jvp(net, x, tangent):
    return [moved(net, row, tangent) for row in x]


def numbers(net):
    """All weights as one list: A0 row by row, b0, A1, …"""
    return [n for weight, bias in net.weights for row in [*weight, bias] for n in row]


def filled(net, values):
    """A network of the same shape with these numbers."""
    left, pairs = iter(values), []
    for weight, bias in net.weights:
        pairs.append(([[next(left) for _ in row] for row in weight], [next(left) for _ in bias]))
    return Net(pairs, net.activation)


def columns(net, x):
    """J, one column a weight: each (n K,), by moving that weight alone."""
    count = len(numbers(net))
    units = [[mpf(int(i == j)) for i in range(count)] for j in range(count)]
    return [[n for row in jvp(net, x, filled(net, unit)) for n in row] for unit in units]


def vjp(net, x, dlogits):
    """Jᵀ r from the columns of J, with no pass backwards."""
    r = [n for row in dlogits for n in row]
    return filled(net, [dot(column, r) for column in columns(net, x)])


def step(net, x, answers, output="logits"):
    """θ + argmin_p |J p - (y - o(f(x)))|² with one output."""
    answer, slope = ANSWERS[output]
    z = [logits(net, row)[0] for row in x]
    residual = [y[0] - answer(each) for y, each in zip(answers, z, strict=True)]
    J = turned([[slope(each) * n for each, n in zip(z, column, strict=True)]
                for column in columns(net, x)])  # fmt: skip
    return filled(net, plus(numbers(net), solved(J, residual)))


def pseudo_inverse(gram):
    """M⁺ of a symmetric M ≥ 0, and its rank."""
    size, v = mp.eigsy(mp.matrix(gram))
    kept = [i for i in range(len(size)) if size[i] > mpf(10) ** -30 * max(size)]
    count = range(len(gram))
    inverse = [[mp.fsum(v[a, i] * v[b, i] / size[i] for i in kept) for b in count] for a in count]
    return inverse, len(kept)


def cramer_rao(jacobian):
    flat = [row for rows in jacobian for row in rows]
    weights = range(len(flat[0]))
    gram = [[mp.fsum(row[a] * row[b] for row in flat) for b in weights] for a in weights]
    covariance, rank = pseudo_inverse(gram)
    fresh = []
    for rows in jacobian:  # (K, weights) of one input
        count = range(len(rows))
        H = mp.matrix([[dot(a, times(covariance, b)) for b in rows] for a in rows])
        left_out = H * (mp.eye(len(rows)) - H) ** -1
        fresh.append([left_out[k, k] for k in count])
    return {"rank": rank, "fresh": fresh, "bars": [mp.sqrt(covariance[a][a]) for a in weights]}


def bound(x, sigma):
    """Of K = 1 linear output on rows x: the rms error of a fresh answer, and the bars of [A b]."""
    found = cramer_rao([[[n / sigma for n in [*row, mpf(1)]]] for row in x])
    fresh = [each[0] for each in found["fresh"]]
    return {"bound": sigma * mp.sqrt(mp.fsum(fresh) / len(fresh)), "bars": found["bars"]}


TWINS = [[[1.0, 1.0, 0.5]], [[-0.5, -0.5, 1.0]], [[2.0, 2.0, -1.0]], [[0.25, 0.25, 1.5]]]
PAIRS = [[[1.0, 0.5, 0.0], [0.25, -1.0, 0.5]], [[0.5, 1.0, 1.0], [-1.0, 0.25, 2.0]],
         [[-0.75, 1.5, 0.5], [1.0, 0.5, -1.0]]]  # fmt: skip


def build():
    relu, tanh = Net([(A0, B0), (A1, B1)]), Net([(A0, B0), (A1, B1)], "tanh")
    direction = {"tangent": "a network of the same shape: the direction p"}
    textbook = "any textbook of least squares"
    return document(
        "polish",
        "Polishing: derivatives in the weights, one Gauss-Newton step, the Cramér-Rao bound",
        formula(
            "polish/jvp", jvp, "d/dε f_{θ + ε p}(x) at ε = 0", {**NET, **direction}, "(n, K)",
            "Pearlmutter 1994, forward pass",
            case("jvp-relu", {"network": relu, "x": INPUTS, "tangent": Net(TANGENT)},
                 "the bias of the direction is forgotten"),
            case("jvp-tanh", {"network": tanh, "x": INPUTS, "tangent": Net(TANGENT, "tanh")},
                 "σ'(z) is taken of the moved z, or of σ(z)"),
            case("jvp-deep", {"network": Net(DEEP), "x": INPUTS, "tangent": Net(DEEP_TANGENT)},
                 "the first layer's change is not carried on through the second"),
        ),
        formula(
            "polish/vjp", vjp, "Σ_n Σ_k r_nk ∂f_k(x_n)/∂θ",
            {**NET, "dlogits": "(n, K) r"}, "a network of the same shape: Jᵀ r",
            "Rumelhart, Hinton and Williams 1986",
            case("vjp-relu", {"network": relu, "x": INPUTS,
                              "dlogits": [[1.0, -0.5], [0.25, 2.0], [-1.0, 0.75]]},
                 "the mean over the rows in place of their sum"),
            case("vjp-tanh", {"network": tanh, "x": INPUTS,
                              "dlogits": [[1.0, -0.5], [0.25, 2.0], [-1.0, 0.75]]},
                 "the transpose of a layer's matrix is forgotten"),
            case("vjp-deep", {"network": Net(DEEP), "x": INPUTS,
                              "dlogits": [[0.5, 1.0], [-0.25, 0.5], [1.0, -1.0]]},
                 "the gradient stops one layer too early"),
            rel=1e-12, abs=1e-13,
        ),
        formula(
            "polish/gauss-newton-step", step, "θ + argmin_p |J p - (y - o(f_θ(x)))|²",
            {**NET, "answers": "(n, 1) y; with output='probs' o is the sigmoid"},
            "the network after a whole, undamped step", textbook,
            case("step-tanh", {"network": Net(SMALL, "tanh"), "x": ROWS, "answers": TARGETS},
                 "the step goes up: the residual is o(f) - y"),
            case("step-sigmoid-answers", {"network": Net(SMALL, "tanh"), "x": ROWS,
                                          "answers": SHARES},
                 "J of the logits where the answers are probabilities",
                 options={"output": "probs"}),
            case("step-linear", {"network": Net([([[0.5, -1.0]], [0.25])]), "x": ROWS,
                                 "answers": TARGETS},
                 "a linear model is not solved in one step"),
            rel=1e-9, abs=1e-10,
        ),
        formula(
            "polish/cramer-rao", cramer_rao,
            "C = (JᵀJ)⁺, bars √C_aa; H_i = J_i C J_iᵀ, fresh diag H_i (I - H_i)⁻¹",
            {"jacobian": "(n, K, weights), each answer's gradient over its σ"},
            "{rank, fresh: (n, K) in σ², bars: (weights,)}",
            "Cramér 1946, Rao 1945; Allen 1974",
            case("cramer_rao-line", {"jacobian": [[[n, 1.0]] for n in (-1.0, 0.0, 0.5, 2.0, 3.0)]},
                 "H in place of H (I - H)⁻¹: the error on the rows themselves"),
            case("cramer_rao-twins", {"jacobian": TWINS},
                 "an inverse of rounding where two weights only show as their sum"),
            case("cramer_rao-two-outputs", {"jacobian": PAIRS},
                 "the answers of one input are taken for independent rows"),
            rel=1e-7,
        ),
        formula(
            "polish/bound", bound, "bound = σ √(mean_i h_i / (1 - h_i)), h = diag X (XᵀX)⁻¹ Xᵀ",
            {"x": "(n, d), a 1 is appended to each", "sigma": "σ of an answer"},
            "{bound, bars: (d + 1,) of the weights and the bias}",
            "Cramér 1946, Rao 1945; Allen 1974",
            case("bound-linear", {"x": ROWS, "sigma": 0.125}, "the bias is not counted"),
            case("bound-small", {"x": ROWS, "sigma": 2.0**-20}, "σ² in place of σ"),
            rel=1e-7,
        ),
    )  # fmt: skip
