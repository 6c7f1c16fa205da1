"""Several hidden layers: rows of the second in terms of the first."""

from exact import case, document, dot, formula, length, mp, plus, solved_many
from kinks import A0


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


def build():
    return document(
        "deep",
        "Several hidden layers: rows of the second in terms of the first",
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
