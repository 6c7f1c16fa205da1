"""Linear equations for the weights: logits from answers, least squares, the last layer."""

from activations import log_softmax
from exact import Seed, case, document, dot, formula, logits, mp, oracle, solved_many, times, turned
from kinks import A0, B0, JAGIELSKI, KINK, ORACLE, VICTIM

TRAMER = "Tramèr et al. 2016, section 4.1"


def affine(dims, factor):
    """Numbers without a pattern, exact in binary."""
    return [[float((7 * i * i + 5 * j + 3 * i * j) % 11 - 5) / factor for j in range(dims[1])]
            for i in range(dims[0])]  # fmt: skip


def read(net, x):
    """Logits out of what is told: the very ones, or less their mean, from what the oracle says."""
    found = []
    for row in x:
        z = logits(net, row)
        if net.output == "logits" or len(z) == 1:
            found.append(z)  # ln p - ln(1 - p) = z
        else:
            told = log_softmax(z)
            found.append([v - mp.fsum(told) / len(told) for v in told])
    return found


def lowest(matrix, right):
    """Least squares of full column rank."""
    across, sides = turned(matrix), turned(right)
    gram = [times(across, column) for column in across]
    return solved_many(gram, [[dot(row, side) for side in sides] for row in across])


def solve(A, rhs, weights):
    """The normal equations, Aᵀ W² A θ = Aᵀ W² rhs."""
    scaled = [[w * v for v in row] for w, row in zip(weights, A, strict=True)]
    right = [[w * v for v in row] for w, row in zip(weights, rhs, strict=True)]
    return lowest(scaled, right)


THETA = [[1.5, -0.5, 0.25], [-2.0, 1.0, 0.75], [0.5, -1.25, 2.0], [0.25, 1.0, -1.5]]
PLACES = [[0.0, 0.0, 0.0, 1.0], [0.5, 0.25, -0.5, 1.0], [-0.25, 1.0, 0.5, 1.0],
          [1.0, -0.5, 0.75, 1.0], [0.75, 0.5, -1.0, 1.0], [-1.0, -0.25, 0.25, 1.0]]  # fmt: skip


def equations(n, classes=1):
    """What the oracle with weights THETA answers at n places, as floats."""
    return [[sum(v * THETA[j][k] for j, v in enumerate(row)) for k in range(classes)]
            for row in PLACES[:n]]  # fmt: skip


def last_layer(net, *others):
    return {"weights": net.weights[1][0], "bias": net.weights[1][1]}


def build():
    sigmoid = [([[1.0, -2.0, 0.5]], [0.75])]
    classes = [(turned(THETA[:3]), THETA[3])]
    places = [row[:3] for row in PLACES]
    return document(
        "equations",
        "Linear equations for the weights: logits from answers, least squares, the last layer",
        formula(
            "equations/logits-from-answers", read,
            "z_k - mean_j z_j = ln p_k - mean_j ln p_j; with one sigmoid z = ln p - ln(1 - p)",
            {**ORACLE, "x": "(n, d)"}, "(n, K) logits, up to their mean where p is told", TRAMER,
            case("read-logits", {"oracle": oracle(classes), "x": places},
                 "logits are centred though the oracle told the very ones"),
            case("read-sigmoid", {"oracle": oracle(sigmoid, "probs"), "x": places},
                 "ln p in place of ln p - ln(1 - p)"),
            case("read-log-sigmoid", {"oracle": oracle(sigmoid, "log_probs"), "x": places},
                 "the two columns change places: the sign of the logit"),
            case("read-softmax", {"oracle": oracle(classes, "probs"), "x": places},
                 "ln p as it stands: it is not linear in x, for Σ e^z is not"),
            case("read-log-softmax", {"oracle": oracle(classes, "log_probs"), "x": places},
                 "the mean over the rows in place of the classes"),
            abs=1e-12,
        ),
        formula(
            "equations/weighted-least-squares", solve,
            "min_θ Σ_i w_i² ‖A_i θ - rhs_i‖², A = [x, 1]: d + 1 equations tell d + 1 unknowns",
            {"A": "(n, d+1), n ≥ d + 1", "rhs": "(n, K) logits", "weights": "(n,) 1 / δ logit"},
            "(d+1, K), the biases last", TRAMER,
            case("solve-logistic", {"A": PLACES[:4], "rhs": equations(4), "weights": [1.0] * 4},
                 "the bias is left out, or comes first"),
            case("solve-softmax", {"A": PLACES[:4], "rhs": equations(4, 3), "weights": [1.0] * 4},
                 "only one class is solved for, or the answer is transposed"),
            case("solve-too-many",
                 {"A": PLACES, "rhs": [[1.0], [0.5], [-2.0], [0.25], [3.0], [-0.5]],
                  "weights": [1.0] * 6},
                 "the first d + 1 equations are taken, the others thrown away"),
            case("solve-weighted",
                 {"A": PLACES, "rhs": [[1.0], [0.5], [-2.0], [0.25], [3.0], [-0.5]],
                  "weights": [1.0, 0.25, 2.0, 0.5, 1.0, 0.125]},
                 "weights are not squared, or a saturated answer counts as much as any"),
            rel=1e-9, abs=1e-11,
        ),
        formula(
            "equations/least-squares", lowest, "argmin_X ‖matrix X - right‖",
            {"matrix": "(m, n)", "right": "(m, r)"}, "(n, r)", "any textbook",
            case("least_squares-tall",
                 {"matrix": affine((6, 3), 4.0), "right": affine((6, 2), 2.0)},
                 "solved row by row, or for the transposed matrix"),
            rel=1e-10, abs=1e-12,
        ),
        formula(
            "equations/last-layer", last_layer,
            "f(x) = [relu(A0 x + b0), 1] [A1, b1]ᵀ, linear least squares",
            {**ORACLE, "rows": "(h, d) A0", "offsets": "(h,) b0",
             "points": "(h, d) one on each hyperplane", "rng": "Generator"},
            "weights (K, h), bias (K,)", JAGIELSKI,
            case("solve_last_layer-two-outputs",
                 {"oracle": oracle(VICTIM), "rows": A0, "offsets": B0,
                  "points": [KINK, [0.0, -1.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0]], "rng": Seed(0)},
                 "(h, K) in place of (K, h), or no column of ones for b1"),
            rel=1e-9, abs=1e-9,
        ),
    )  # fmt: skip
