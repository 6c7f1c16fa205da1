"""One hidden relu layer: kinks on a line, second differences, absolute weights."""

from exact import case, document, dot, exact, formula, length, logits, mpf, oracle, plus

JAGIELSKI = "Jagielski et al. 2020, section 4.3"
ORACLE = {"oracle": "oracle.query(x): (n, d) -> (n, K)"}

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


def unit(vector):
    return [v / length(vector) for v in vector]


def nearly(vector):
    """Of an exact vector the floats, as they go into a file."""
    return [float(v) for v in vector]


def kinks_of(net, start, direction):
    (first, bias), (last, _) = net.weights
    found = sorted(
        (-(dot(row, start) + b) / dot(row, direction), i)
        for i, (row, b) in enumerate(zip(first, bias, strict=True))
    )
    jumps = [[row[i] * abs(dot(first[i], direction)) for row in last] for _, i in found]
    return {"kinks": [t for t, _ in found], "jumps": jumps}


U, V = [0.5, -1.0, 0.25, 1.0], [1.0, 0.5, -0.75, 0.25]


def build():
    g0 = nearly(unit(exact([row[0] for row in A1])))
    return document(
        "kinks",
        "One hidden relu layer: kinks on a line, second differences, absolute weights",
        formula(
            "kinks/meeting-point", kinks_of,
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
            "kinks/bisection", lambda *given, low, high: kinks_of(*given)["kinks"],
            "what is not straight between two points is divided until it is short",
            {**ORACLE, "start": "(d,) u", "direction": "(d,) v"}, "(h,) kinks, ascending",
            JAGIELSKI,
            case("bisect-all-kinks", {"oracle": oracle(VICTIM), "start": U, "direction": V},
                 "kinks of one half of the interval are lost",
                 options={"low": -20.0, "high": 20.0}),
            rel=1e-6, abs=1e-7,
        ),
        formula(
            "kinks/second-difference", change,
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
            "kinks/absolute-weights", absolute,
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
    )  # fmt: skip
