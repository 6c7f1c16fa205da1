"""One hidden layer from labels alone: rows of four planes around a corner, and the null vector."""

from itertools import product

from exact import case, document, dot, formula, length, mp, mpf, plus

ROWS = [[0.0, -2.0, 1.5], [-2.0, 1.0, 0.5]]  # (R_i, o_i) of two inputs, of any length
THETA = [1.0, -1.5, -0.5, 0.5, -0.5]  # (α, c, β) of class 1 less class 0
WIDER = [[-1.0, -2.0, -1.5], [-2.0, 1.0, -0.5], [2.0, 1.0, -1.5]]
SECOND = [1.0, -1.0, -1.0, -1.5, 0.5, -0.5]  # of three classes, class 1 less class 0
THIRD = [-0.5, 1.0, -1.0, 1.0, 1.0, 1.5]  # class 2 less class 0
CORNER = [1.0, -0.5, 2.0, 0.25, -1.0]  # g = (slopes, offset) on one of four pieces, d = 4
BOTH = [[0.5, 1.0, -1.0, 2.0, 0.5], [-1.5, 0.25, 0.5, 1.0, 2.0]]  # two rows with their offsets


def null_vector(table):
    """The one vector that a table sends to zero, by elimination with the largest pivot."""
    left, free, pivots = [list(row) for row in table], list(range(len(table[0]))), []
    while len(free) > 1:
        i, j = max(product(range(len(left)), free), key=lambda ij: abs(left[ij[0]][ij[1]]))
        pivot = left.pop(i)
        assert abs(pivot[j]) > 1e-20, "more than one vector is sent to zero"
        pivots.append((j, pivot))
        free.remove(j)
        left = [plus(row, [row[j] / pivot[j] * p for p in pivot], -1) for row in left]
    assert all(abs(row[free[0]]) < 1e-30 for row in left), "no vector is sent to zero"
    v = [mpf(0)] * len(table[0])
    v[free[0]] = mpf(1)
    for j, pivot in reversed(pivots):
        v[j] = -mp.fsum(p * each for k, (p, each) in enumerate(zip(pivot, v, strict=True))
                        if k != j) / pivot[j]  # fmt: skip
    return v


def corner_rows(planes):
    """c with Σ c_k plane_k = 0; then c_1 n + c_2 n' and c_1 n + c_3 m."""
    c = null_vector([list(column) for column in zip(*planes, strict=True)])
    found = []
    for other in (1, 2):
        row = [c[0] * a + c[other] * b for a, b in zip(planes[0], planes[other], strict=True)]
        size, top = length(row[:-1]), max(row[:-1], key=abs)
        found.append([each / (size * mp.sign(top)) for each in row])
    return found


def features(rows, x):
    return [*(abs(dot(row[:-1], x) + row[-1]) for row in rows), *x, mpf(1)]


def output_weights(rows, points, classes, K):
    table = []
    for x, (a, b) in zip(points, classes, strict=True):
        z, equation = features(rows, x), []
        for k in range(1, K):
            factor = (a == k) - (b == k)
            equation += [factor * each for each in z]
        table.append(equation)
    v, width = null_vector(table), len(features(rows, points[0]))
    theta = [each / v[0] for each in v]
    return [theta[k * width : (k + 1) * width] for k in range(K - 1)]


def on_boundary(rows, thetas, every=1, span=6, step=0.25):
    """Points of a grid that lie on a boundary exactly, and the two classes of each."""
    found, count = [], int(span / step)
    for i, j in product(range(-count, count + 1), repeat=2):
        x = [mpf(i) * step, mpf(j) * step]
        logits = [mpf(0)] + [dot(theta, features(rows, x)) for theta in thetas]
        top = [k for k, z in enumerate(logits) if z == max(logits)]
        if len(top) == 2:
            found.append(([float(v) for v in x], top))
    found = found[::every]
    return {"points": [x for x, _ in found], "classes": [k for _, k in found]}


def planes(lengths, first=1.0, second=-0.75, base=CORNER, both=BOTH):
    """g, g + α_i R_i, g + α_j R_j, g + both, each times a length that nobody knows."""
    table = []
    for (s, t), size in zip(((0, 0), (1, 0), (0, 1), (1, 1)), lengths, strict=True):
        table.append([size * (g + s * first * a + t * second * b)
                      for g, a, b in zip(base, *both, strict=True)])  # fmt: skip
    return {"planes": table}


FLAT = {"lengths": [1.0, 0.5, 4.0, 0.25], "base": [1.0, -0.5, 2.0, 0.5],
        "both": [[0.5, 1.0, -2.0, 2.0], [-1.5, 0.25, 0.5, 1.0]]}  # fmt: skip


def build():
    two = on_boundary(ROWS, [THETA], every=3)
    three = on_boundary(WIDER, [SECOND, THIRD])
    either = [pair[:: (-1) ** n] for n, pair in enumerate(three["classes"])]
    return document(
        "labels",
        "One hidden layer from labels alone: rows from corners of the boundary, the null vector",
        formula(
            "labels/corner-rows", corner_rows,
            "c_1 n + c_2 n' + c_3 m + c_4 m' = 0:   (R_i, o_i) ∝ c_1 n + c_2 n',   "
            "(R_j, o_j) ∝ c_1 n + c_3 m",
            {"planes": "(4, d+1): (n, -n·p) on the four pieces around a corner, of any length. "
                       "Neuron i lies between n and n', and between m and m'; neuron j between n "
                       "and m, and between n' and m'"},
            "(2, d+1): rows of i and j with |R| = 1, the entry of R of the largest size above 0",
            "this project",
            case("corner-rows-alike", planes([1.0, 1.0, 1.0, 1.0]),
                 "the row of j between n and n'"),
            case("corner-rows-lengths", planes([1.0, 2.0, 0.5, 4.0]),
                 "n' - n for the row: the lengths of the gradients are not known"),
            case("corner-rows-turned", planes([1.0, -2.0, -0.5, 4.0]),
                 "lengths that must be positive: a plane may come with the other sign"),
            case("corner-rows-three-inputs", planes(**FLAT),
                 "the last right singular vector in place of the left one: as many columns as "
                 "planes, so that the shapes fit"),
            rel=1e-10, abs=1e-12,
        ),
        formula(
            "labels/null-vector", output_weights,
            "Σ_i α_i |R_i·x + o_i| + c·x + β = 0, of class a less class b, at each boundary point",
            {"rows": "(h, d+1) R_i, o_i with unknown signs", "points": "(n, d) on a boundary",
             "classes": "(n, 2) the classes a and b that meet there",
             "K": "classes"},
            "(K-1, h+d+1): (α, c, β) of each class from 1 on, less those of class 0, all divided "
            "by the first α, so that it is 1",
            "this project",
            case("null-vector-two", {"rows": ROWS, **two, "K": 2},
                 "relu in place of |z|: that needs the signs"),
            case("null-vector-turned", {"rows": [ROWS[0], [-v for v in ROWS[1]]], **two, "K": 2},
                 "a turned row must change nothing"),
            case("null-vector-three", {"rows": WIDER, **three, "K": 3},
                 "boundaries solved one by one, whose factors do not fit each other"),
            case("null-vector-order", {"rows": WIDER, **three, "classes": either, "K": 3},
                 "class 0 taken for the first of the two: it may be either"),
            rel=1e-9, abs=1e-11,
        ),
    )  # fmt: skip
