"""Direct extraction: equations, kinks, second differences, signs, the last layer, labels."""

import label_only
from activations import log_softmax
from exact import (
    Seed,
    case,
    document,
    dot,
    exact,
    formula,
    length,
    logits,
    mp,
    mpf,
    oracle,
    plus,
    solved_many,
    times,
    turned,
)  # fmt: skip

TRAMER = "Tramèr et al. 2016, section 4.1"
JAGIELSKI = "Jagielski et al. 2020, section 4.3"
LOWD = "Lowd and Meek 2005, section 4"
ORACLE = {"oracle": "oracle.query(x): (n, d) -> (n, K)"}


def affine(dims, factor):
    """Numbers without a pattern, exact in binary."""
    return [[float((7 * i * i + 5 * j + 3 * i * j) % 11 - 5) / factor for j in range(dims[1])]
            for i in range(dims[0])]  # fmt: skip


# ---- answers and equations


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


# ---- one hidden relu layer

A0 = [[1.0, -2.0, 0.5, 0.75], [0.5, 1.0, -1.5, 0.25], [-1.0, 0.25, 0.5, 2.0]]
B0 = [0.25, 1.0, 0.5]
A1 = [[1.5, -1.0, 0.5], [0.75, 2.0, -1.25]]
B1 = [0.125, -0.5]
VICTIM = [(A0, B0), (A1, B1)]
SCALAR = [(A0, B0), (A1[:1], B1[:1])]
KINK = [0.75, 0.5, 0.0, 0.0]  # A0_0 · x + b0_0 = 0, and the others are a step away from theirs
STEP = 2.0**-10


def change(net, point, direction, step):
    """(f(x + c e) - 2 f(x) + f(x - c e)) / c, and that it is |<a_i, e>| A1[:, i]."""
    ahead, here, behind = (logits(net, plus(point, direction, s * step)) for s in (1, 0, -1))
    found = [(a - 2 * h + b) / step for a, h, b in zip(ahead, here, behind, strict=True)]
    (first, bias), (last, _) = net.weights
    on = [
        i
        for i, (row, b) in enumerate(zip(first, bias, strict=True))
        if abs(dot(row, point) + b) < 1e-20
    ]
    assert len(on) == 1
    size = abs(dot(first[on[0]], direction))
    assert max(abs(v - size * row[on[0]]) for v, row in zip(found, last, strict=True)) < 1e-40
    return found


def absolute(net, point, step, output):
    d = len(point)
    axes = [[mpf(int(j == k)) for j in range(d)] for k in range(d)]
    sizes = [dot(change(net, point, axis, step), output) for axis in axes]
    return {"absolute": sizes, "stray": mpf(0)}


def signs(net, point, step, output, absolute):
    (first, bias), _ = net.weights
    (row,) = [r for r, b in zip(first, bias, strict=True) if abs(dot(r, point) + b) < 1e-20]
    pivot = row[absolute.index(max(absolute))]
    return {"signs": [1 if v * pivot > 0 else -1 for v in row], "stray": mpf(0)}


def unit(vector):
    return [v / length(vector) for v in vector]


def nearly(vector):
    """Of an exact vector the floats, as they go into a file."""
    return [float(v) for v in vector]


def active_sides(net, rows, offsets, *others):
    """s_i with s_i (a_i, c_i) a positive multiple of the neuron's own row."""
    first = net.weights[0][0]
    return [1 if dot(row, mine) > 0 else -1 for row, mine in zip(rows, first, strict=True)]


def last_layer(net, *others):
    return {"weights": net.weights[1][0], "bias": net.weights[1][1]}


def kinks_of(net, start, direction):
    (first, bias), (last, _) = net.weights
    found = sorted(
        (-(dot(row, start) + b) / dot(row, direction), i)
        for i, (row, b) in enumerate(zip(first, bias, strict=True))
    )
    jumps = [[row[i] * abs(dot(first[i], direction)) for row in last] for _, i in found]
    return {"kinks": [t for t, _ in found], "jumps": jumps}


U, V = [0.5, -1.0, 0.25, 1.0], [1.0, 0.5, -0.75, 0.25]
ROWS = [[-v for v in A0[0]], [2.0 * v for v in A0[1]], [-0.5 * v for v in A0[2]]]
OFFSETS = [-B0[0], 2.0 * B0[1], -0.5 * B0[2]]


def build():
    g0 = nearly(unit(exact([row[0] for row in A1])))
    sizes = [abs(v) * float(length(exact([row[0] for row in A1]))) for v in A0[0]]
    sigmoid = [([[1.0, -2.0, 0.5]], [0.75])]
    classes = [(turned(THETA[:3]), THETA[3])]
    places = [row[:3] for row in PLACES]
    return document(
        "direct",
        "Direct extraction: equations, kinks, second differences, signs, the last layer, labels",
        formula(
            "direct.answers:read", read,
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
            "direct.linear:solve", solve,
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
            "direct.solving:least_squares", lowest, "argmin_X ‖matrix X - right‖",
            {"matrix": "(m, n)", "right": "(m, r)"}, "(n, r)", "any textbook",
            case("least_squares-tall",
                 {"matrix": affine((6, 3), 4.0), "right": affine((6, 2), 2.0)},
                 "solved row by row, or for the transposed matrix"),
            rel=1e-10, abs=1e-12,
        ),
        formula(
            "direct.line:search", kinks_of,
            "t_i = -(a_i·u + c_i) / (a_i·v); the slope jumps there by A1[:, i] |a_i·v|",
            {**ORACLE, "start": "(d,) u", "direction": "(d,) v"},
            "kinks (h,) ascending; jumps (h, K)", JAGIELSKI,
            case("search-two-outputs", {"oracle": oracle(VICTIM), "start": U, "direction": V},
                 "jumps with the sign of a·v: a kink bends by +|a·v| A1 whichever way it switches"),
            case("search-one-output", {"oracle": oracle(SCALAR), "start": U, "direction": V},
                 "with one output a wrong meeting point of two end lines always fits"),
            case("search-backwards",
                 {"oracle": oracle(VICTIM), "start": U, "direction": [-2.0 * v for v in V]},
                 "only t > 0 is searched, or the length of v is forgotten"),
            rel=1e-6, abs=1e-7,
        ),
        formula(
            "direct.line:bisect", lambda *given, low, high: kinks_of(*given)["kinks"],
            "what is not straight between two points is divided until it is short",
            {**ORACLE, "start": "(d,) u", "direction": "(d,) v"}, "(h,) kinks, ascending",
            JAGIELSKI,
            case("bisect-all-kinks", {"oracle": oracle(VICTIM), "start": U, "direction": V},
                 "kinks of one half of the interval are lost",
                 options={"low": -20.0, "high": 20.0}),
            rel=1e-6, abs=1e-7,
        ),
        formula(
            "direct.differences:second_difference", change,
            "(f(x + c e) - 2 f(x) + f(x - c e)) / c = |<a_i, e>| A1[:, i]",
            {**ORACLE, "point": "(d,) on the hyperplane of neuron i",
             "direction": "(d,) e", "step": "c"},
            "(K,)", JAGIELSKI,
            case("second_difference-axis", {"oracle": oracle(VICTIM), "point": KINK,
                                            "direction": [0.0, 1.0, 0.0, 0.0], "step": STEP},
                 "divided by c², as for a smooth function; or <a, e> with its sign"),
            case("second_difference-one-output", {"oracle": oracle(SCALAR), "point": KINK,
                                                  "direction": [1.0, 0.0, 0.0, 0.0], "step": STEP},
                 "a number in place of an array of one"),
            case("second_difference-pair", {"oracle": oracle(VICTIM), "point": KINK,
                                            "direction": [0.0, 1.0, 1.0, 0.0], "step": STEP},
                 "|a_j| + |a_k| along e_j + e_k, where a_j and a_k cancel"),
            case("second_difference-short", {"oracle": oracle(VICTIM), "point": KINK,
                                             "direction": [0.0, 0.0, 0.0, 1.0], "step": 2.0**-16},
                 "the gradient on one side in place of the second difference"),
            rel=1e-8, abs=1e-9,
        ),
        formula(
            "direct.differences:absolute_weights", absolute,
            "|a_ij| = ‖f(x + c e_j) - 2 f(x) + f(x - c e_j)‖ / c, for a unit output weight",
            {**ORACLE, "point": "(d,) on a hyperplane", "step": "c",
             "output": "(K,) unit vector along A1[:, i]"},
            "absolute (d,), and stray: what does not lie along A1[:, i]", JAGIELSKI,
            case("absolute_weights-row", {"oracle": oracle(VICTIM), "point": KINK, "step": STEP,
                                          "output": g0},
                 "a longer step than given, which crosses another hyperplane; or signs are kept"),
            case("absolute_weights-one-output", {"oracle": oracle(SCALAR), "point": KINK,
                                                 "step": STEP, "output": [1.0]},
                 "|A1| is divided by: with one output the scale is free and the vector is ±1"),
            rel=1e-8, abs=1e-9,
        ),
        formula(
            "direct.differences:relative_signs", signs,
            "|a_ij + a_ik| = |a_ij| + |a_ik| if the signs are equal, else ||a_ij| - |a_ik||",
            {**ORACLE, "point": "(d,) on a hyperplane", "step": "c",
             "output": "(K,) unit vector along A1[:, i]", "absolute": "(d,) |a_ij|"},
            "signs (d,) ±1, that of the largest entry being +1, and stray", JAGIELSKI,
            case("relative_signs-row", {"oracle": oracle(VICTIM), "point": KINK, "step": STEP,
                                        "output": g0, "absolute": sizes},
                 "signs relative to the first entry in place of the largest", abs=1e-9),
            case("relative_signs-one-output",
                 {"oracle": oracle(SCALAR), "point": KINK, "step": STEP, "output": [1.0],
                  "absolute": [1.5 * abs(v) for v in A0[0]]},
                 "equal and opposite change places", abs=1e-9),
        ),
        formula(
            "direct.last_layer:neuron_signs", active_sides,
            "A0 z + b0 = 0, A0 v_i = e_i: only one of f(z + v_i), f(z - v_i) differs from f(z)",
            {**ORACLE, "rows": "(h, d) a_i with unknown signs", "offsets": "(h,) c_i"},
            "(h,) ±1", JAGIELSKI,
            case("neuron_signs-turned", {"oracle": oracle(VICTIM), "rows": ROWS,
                                         "offsets": OFFSETS},
                 "the side on which f is larger is taken: A1 may be negative", rel=0),
            case("neuron_signs-one-output", {"oracle": oracle(SCALAR), "rows": ROWS,
                                             "offsets": OFFSETS},
                 "z is off the hyperplanes, so that other neurons move too", rel=0),
        ),
        formula(
            "direct.last_layer:signs_by_least_squares", active_sides,
            "relu(s y) = (s y + |y|) / 2: 2 f(x) - Σ_i g_i |y_i| = Σ_i s_i g_i y_i + 2 b1",
            {**ORACLE, "rows": "(h, d) a_i with unknown signs", "offsets": "(h,) c_i",
             "outputs": "(h, K) g_i for these rows", "rng": "Generator"},
            "(h,) ±1", "this project",
            case("signs_by_least_squares-turned",
                 {"oracle": oracle(VICTIM), "rows": ROWS, "offsets": OFFSETS,
                  "outputs": [[1.5, 0.75], [-0.5, 1.0], [1.0, -2.5]], "rng": Seed(0)},
                 "the factor 2, or a constant that is left out", rel=0),
        ),
        formula(
            "direct.last_layer:solve_last_layer", last_layer,
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
        *label_only.formulas(),
    )  # fmt: skip
