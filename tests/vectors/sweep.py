"""Fewer queries than parameters: rows of a group of kinks, and the neurons' orientations."""

from exact import case, document, dot, formula, solved_many, turned
from kinks import A0, A1

SWEEP = "this project: fewer queries than parameters"


def group(jumps, change):
    """Σ_i g_i a_iᵀ = change: the normal equations."""
    gram = [[dot(g, other) for other in jumps] for g in jumps]
    right = [[dot(g, column) for column in turned(change)] for g in jumps]
    return solved_many(gram, right)


def outer_sum(outputs, rows, factors):
    """Σ_i s_i g_i a_iᵀ as floats; exact for these numbers."""
    return [[sum(s * g[k] * a[j] for s, g, a in zip(factors, outputs, rows, strict=True))
             for j in range(len(rows[0]))] for k in range(len(outputs[0]))]  # fmt: skip


def neuron_signs_of(odd, rows, outputs):
    """s by least squares of vec Σ s_i g_i a_iᵀ = vec odd."""
    flat = [[g[k] * a[j] for k in range(len(odd)) for j in range(len(odd[0]))]
            for g, a in zip(outputs, rows, strict=True)]  # fmt: skip
    right = [v for row in odd for v in row]
    gram = [[dot(a, b) for b in flat] for a in flat]
    return [x for (x,) in solved_many(gram, [[dot(a, right)] for a in flat])]


def build():
    outputs, rows = turned(A1), A0
    return document(
        "sweep",
        "Fewer queries than parameters: rows of a group of kinks, and orientations",
        formula(
            "sweep/rows-of-group", group,
            "J(t_b) - J(t_a) = Σ_{a<i≤b} g_i a_iᵀ: K d equations for the rows of m ≤ K kinks",
            {"jumps": "(m, K) g_i", "change": "(K, d)"}, "(m, d) a_i", SWEEP,
            case("solve_group-square", {"jumps": [[1.5, 0.75], [-1.0, 2.0]],
                                        "change": outer_sum([[1.5, 0.75], [-1.0, 2.0]], A0[:2],
                                                            [1, 1])},
                 "jumps are transposed: right for a symmetric matrix of jumps only"),
            case("solve_group-fewer", {"jumps": [[1.0, 2.0, -0.5]],
                                       "change": [[0.5, 1.0], [1.25, 2.0], [-0.25, -0.5]]},
                 "one output's equation is taken, the others thrown away"),
            rel=1e-10, abs=1e-12,
        ),
        formula(
            "sweep/orientations", neuron_signs_of,
            "2 J(x) - Σ_i g_i sgn(y_i) a_iᵀ = Σ_i s_i g_i a_iᵀ at every x, linear in s",
            {"odd": "(K, d) Σ_i s_i g_i a_iᵀ", "rows": "(h, d) a_i", "outputs": "(h, K) g_i"},
            "(h,), not rounded: |s_i| = 1 is the self-check", SWEEP,
            case("solve_signs-mixed", {"odd": outer_sum(outputs, rows, [1, -1, -1]),
                                       "rows": rows, "outputs": outputs},
                 "each neuron by itself, as if the rows were orthogonal"),
            case("solve_signs-stray", {"odd": [[1.0, -2.0, 0.5, 0.25], [3.0, 0.0, -1.0, 1.0]],
                                       "rows": rows, "outputs": outputs},
                 "rounded to ±1: that the neurons do not explain the Jacobian is hidden"),
            rel=1e-9, abs=1e-11,
        ),
    )  # fmt: skip
