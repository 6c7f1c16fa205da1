"""One hidden relu layer: relative signs within a row, and on which side a neuron is on."""

from exact import Seed, case, document, dot, exact, formula, length, mpf, oracle
from kinks import A0, A1, B0, JAGIELSKI, KINK, ORACLE, SCALAR, STEP, VICTIM, nearly, unit

ROWS = [[-v for v in A0[0]], [2.0 * v for v in A0[1]], [-0.5 * v for v in A0[2]]]
OFFSETS = [-B0[0], 2.0 * B0[1], -0.5 * B0[2]]
FAR = [(A0, [-2.0, -3.0, -2.5]), SCALAR[1]]  # at 0 every neuron is off, and a step leaves it off


def signs(net, point, step, output, absolute):
    (first, bias), _ = net.weights
    (row,) = [r for r, b in zip(first, bias, strict=True) if abs(dot(r, point) + b) < 1e-20]
    pivot = row[absolute.index(max(absolute))]
    return {"signs": [1 if v * pivot > 0 else -1 for v in row], "stray": mpf(0)}


def active_sides(net, rows, offsets, *others):
    """s_i with s_i (a_i, c_i) a positive multiple of the neuron's own row."""
    first = net.weights[0][0]
    return [1 if dot(row, mine) > 0 else -1 for row, mine in zip(rows, first, strict=True)]


def build():
    g0 = nearly(unit(exact([row[0] for row in A1])))
    sizes = [abs(v) * float(length(exact([row[0] for row in A1]))) for v in A0[0]]
    return document(
        "signs",
        "One hidden relu layer: relative signs within a row, and on which side a neuron is on",
        formula(
            "signs/relative-signs", signs,
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
            "signs/neuron-signs", active_sides,
            "A0 z + b0 = 0, A0 v_i = e_i: only one of f(z + v_i), f(z - v_i) differs from f(z)",
            {**ORACLE, "rows": "(h, d) a_i with unknown signs", "offsets": "(h,) c_i"},
            "(h,) ±1", JAGIELSKI,
            case("neuron_signs-turned", {"oracle": oracle(VICTIM), "rows": ROWS,
                                         "offsets": OFFSETS},
                 "the side on which f is larger is taken: A1 may be negative", rel=0),
            case("neuron_signs-one-output", {"oracle": oracle(FAR), "rows": ROWS,
                                             "offsets": [2.0, -6.0, 1.25]},
                 "z is off the hyperplanes, so that a step switches no neuron", rel=0),
        ),
        formula(
            "signs/signs-by-least-squares", active_sides,
            "relu(s y) = (s y + |y|) / 2: 2 f(x) - Σ_i g_i |y_i| = Σ_i s_i g_i y_i + 2 b1",
            {**ORACLE, "rows": "(h, d) a_i with unknown signs", "offsets": "(h,) c_i",
             "outputs": "(h, K) g_i for these rows", "rng": "Generator"},
            "(h,) ±1", "this project",
            case("signs_by_least_squares-turned",
                 {"oracle": oracle(VICTIM), "rows": ROWS, "offsets": OFFSETS,
                  "outputs": [[1.5, 0.75], [-0.5, 1.0], [1.0, -2.5]], "rng": Seed(0)},
                 "the factor 2, or a constant that is left out", rel=0),
        ),
    )  # fmt: skip
