"""Scoring a copy: agreement, differences, confidence, certificates, alignment, the floor."""

import itertools

from exact import Net, case, document, dot, formula, label, length, logits, mp, mpf, plus
from networks import A0, A1, B0, B1, DEEP, INPUTS
from symmetry import made

FIDELITY = "Jagielski et al. 2020, section 3"
PAIR = {"f": "network", "g": "network", "x": "(n, d)"}


def aligned(a, b):
    """Every order is tried: the one with the smallest sum of distances between directions."""
    (first, bias), (last, final) = a.weights
    (first_, bias_), (last_, final_) = b.weights
    mine = [[*row, c] for row, c in zip(first, bias, strict=True)]
    theirs = [[*row, c] for row, c in zip(first_, bias_, strict=True)]

    def apart(order):
        return mp.fsum(
            length(plus([v / length(u) for v in u], [v / length(theirs[j]) for v in theirs[j]], -1))
            for u, j in zip(mine, order, strict=True)
        )

    order = min(itertools.permutations(range(len(theirs))), key=apart)
    scale = [length(u) / length(theirs[j]) for u, j in zip(mine, order, strict=True)]
    differences = [
        c * t - m
        for u, j, c in zip(mine, order, scale, strict=True)
        for m, t in zip(u, theirs[j], strict=True)
    ]
    differences += [
        last_[k][j] / c - last[k][i]
        for k in range(len(final))
        for i, (j, c) in enumerate(zip(order, scale, strict=True))
    ]
    differences += [x - y for x, y in zip(final_, final, strict=True)]
    return {"order": list(order), "scale": scale, "error": max(abs(v) for v in differences)}


def agreement(f, g, x):
    same = sum(label(logits(f, row)) == label(logits(g, row)) for row in x)
    return mpf(same) / len(x)


def difference(f, g, x, gauge=False):
    apart = []
    for row in x:
        a, b = logits(f, row), logits(g, row)
        if gauge:
            a, b = ([v - mp.fsum(z) / len(z) for v in z] for z in (a, b))
        apart += [abs(v) for v in plus(a, b, -1)]
    return {"max": max(apart), "mean": mp.fsum(apart) / len(apart)}


def clopper_pearson(count, n, confidence):
    """Shares p with P(X >= count | p) and P(X <= count | p) equal to (1 - confidence) / 2."""
    tail = (1 - confidence) / 2

    def more(p, least):
        return mp.fsum(mp.binomial(n, k) * p**k * (1 - p) ** (n - k) for k in range(least, n + 1))

    def share(least, wanted):
        low, high = mpf(0), mpf(1)
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (low, middle) if more(middle, least) > wanted else (middle, high)
        return (low + high) / 2

    return {
        "low": share(count, tail) if count else mpf(0),
        "high": share(count + 1, 1 - tail) if count < n else mpf(1),
    }


def certificate(a, b, low, high):
    """Σ_i |A1_i| max|z_i - ẑ_i| + |A1_i - Â1_i| max relu(ẑ_i) + |b1 - b̂1|, rows of b rescaled."""
    d = len(a.weights[0][0][0])
    low, high = ([v] * d if isinstance(v, mpf) else v for v in (low, high))
    center = [(u + v) / 2 for u, v in zip(low, high, strict=True)]
    radius = [(v - u) / 2 for u, v in zip(low, high, strict=True)]

    def most(row, bias):
        return dot(row, center) + bias + dot([abs(v) for v in row], radius)

    def furthest(row, bias):
        return max(most(row, bias), most([-v for v in row], -bias))

    (A, c), (A_, c_) = a.weights[0], b.weights[0]
    if len(a.weights) == 1:
        return max(furthest(plus(u, v, -1), x - y) for u, v, x, y in zip(A, A_, c, c_, strict=True))
    (L, e), (L_, e_) = a.weights[1], b.weights[1]
    scale = [length([*u, x]) / length([*v, y]) for u, v, x, y in zip(A, A_, c, c_, strict=True)]
    A_ = [[s * v for v in row] for s, row in zip(scale, A_, strict=True)]
    c_ = [s * y for s, y in zip(scale, c_, strict=True)]
    L_ = [[v / s for v, s in zip(row, scale, strict=True)] for row in L_]
    apart = [furthest(plus(u, v, -1), x - y) for u, v, x, y in zip(A, A_, c, c_, strict=True)]
    top = [max(most(v, y), mpf(0)) for v, y in zip(A_, c_, strict=True)]
    bounds = []
    for row, row_, x, y in zip(L, L_, e, e_, strict=True):
        moved = dot([abs(v) for v in plus(row, row_, -1)], top)
        bounds.append(dot([abs(v) for v in row], apart) + moved + abs(x - y))
    return max(bounds)


def build():
    first, other = Net(DEEP), Net([*DEEP[:2], ([[0.5, 1.0, 0.25], [0.5, 0.25, -0.5]], [0.0, 0.5])])
    line = Net([([[1.0, -2.0, 0.5]], [0.25])])
    tilted = Net([([[0.5, -1.0, 0.25]], [0.75])])
    shifted = Net([(A0, B0), ([[v + 0.5 for v in A1[0]], [v + 0.25 for v in A1[1]]],
                             [b - 2.0 for b in B1])])  # fmt: skip
    hidden = Net([(A0, B0), (A1, B1)])
    near = Net([([[1.0, -2.0, 0.53125], [0.75, 1.46875, -1.0]], [0.25, -0.46875]),
                ([[0.96875, -1.53125], [1.9375, 0.46875]], [0.09375, -0.28125])])  # fmt: skip
    scaled = made(
        [
            [[2.0 * v for v in A0[1]], [0.5 * v for v in A0[0]]],
            [[row[1] / 2.0, row[0] / 0.5] for row in A1],
        ],
        [[2.0 * B0[1], 0.5 * B0[0]], B1],
    )
    moved = made(
        [
            [[3.0 * v + 0.01 for v in A0[1]], [0.5 * v - 0.02 for v in A0[0]]],
            [[-0.5, 2.0], [0.15, 4.0]],
        ],
        [[3.0 * B0[1], 0.5 * B0[0]], [0.125, -0.26]],
    )
    return document(
        "scoring",
        "Scoring a copy: agreement, differences, confidence, certificates, alignment, the floor",
        formula(
            "scoring/agreement", agreement, "(1/n) Σ_i [argmax f(x_i) = argmax g(x_i)]",
            PAIR, "a share", "Pal et al. 2020; Jagielski et al. 2020, section 3",
            case("agreement-classes", {"f": first, "g": other,
                                       "x": [*INPUTS, [0.0, 0.0, 0.0], [2.0, 1.0, 1.0],
                                             [-2.0, 3.0, 1.0], [3.0, -1.0, 0.0]]},
                 "accuracy on true labels, or equal logits, in place of equal labels"),
            case("agreement-sigmoid", {"f": line, "g": tilted,
                                       "x": [*INPUTS, [0.25, 0.5, 0.0], [0.0, 0.25, 0.0],
                                             [1.0, 1.0, 1.0]]},
                 "argmax of one logit, which agrees always"),
            rel=1e-15,
        ),
        formula(
            "scoring/logit-difference", difference,
            "max and mean over rows and classes of |f_k(x) - g_k(x)|", PAIR, "max, mean", FIDELITY,
            case("logit_difference-plain", {"f": shifted, "g": hidden, "x": INPUTS},
                 "max of the signed difference, or its mean, where errors cancel"),
            case("logit_difference-gauge", {"f": hidden, "g": shifted, "x": INPUTS},
                 "a copy stolen from probabilities is blamed for what they do not tell",
                 options={"gauge": True}),
            rel=1e-12, abs=1e-13,
        ),
        formula(
            "scoring/clopper-pearson", clopper_pearson,
            "low: P(X ≥ count) = (1 - confidence) / 2, high: P(X ≤ count) = the same, "
            "X binomial; quantiles of Beta(count, n - count + 1), Beta(count + 1, n - count)",
            {"count": "seen so often", "n": "draws", "confidence": "such as 0.95"},
            "low, high", "Clopper and Pearson 1934",
            case("interval-middle", {"count": 18, "n": 60, "confidence": 0.95},
                 "the normal approximation p ± 1.96 √(p (1-p) / n)"),
            case("interval-none", {"count": 0, "n": 100, "confidence": 0.95},
                 "no failures, no width: the normal approximation gives [0, 0]"),
            case("interval-all", {"count": 40, "n": 40, "confidence": 0.99},
                 "one-sided in place of two-sided quantiles"),
            case("interval-one", {"count": 1, "n": 50, "confidence": 0.9},
                 "count and count + 1 change places"),
            rel=1e-10,
        ),
        formula(
            "scoring/certificate", certificate,
            "ε ≥ |f - g| on a box: no hidden layer max_k |Δw·c + Δb| + |Δw|·r; one: "
            "Σ_i |A1_i| max|z_i - ẑ_i| + |ΔA1_i| max relu(ẑ_i) + |Δb1|",
            {"a": "network", "b": "network", "low": "number or (d,)", "high": "number or (d,)"},
            "ε", "this project; interval arithmetic, Moore 1966",
            case("certificate-linear", {"a": Net([(A0, B0)]),
                                        "b": Net([([[0.5, -2.0, 1.0], [0.75, 1.0, -1.0]],
                                                   [0.0, -0.25])]),
                                        "low": -1.0, "high": 2.0},
                 "the difference in the middle of the box, or at one of its corners"),
            case("certificate-linear-box",
                 {"a": line, "b": tilted, "low": [0.0, -1.0, 0.5], "high": [1.0, 0.0, 0.75]},
                 "the box's radius is taken for its width: half of it is enough"),
            case("certificate-hidden", {"a": hidden, "b": near, "low": 0.0, "high": 1.0},
                 "relu is taken to halve the difference; or neurons compared without their scale"),
            rel=1e-9,
        ),
        formula(
            "scoring/alignment", aligned,
            "permutation with the least Σ |u_i - û_π(i)|, u = [A0_i, b0_i] / |[A0_i, b0_i]|; "
            "scale c_i = |[A0_i, b0_i]| / |[Â0_π(i), b̂0_π(i)]|; error max |θ̂ - θ|",
            {"a": "the victim, one hidden relu layer", "b": "the copy"},
            "order (h,), scale (h,), error", "Jagielski et al. 2020, section 3; Hungarian method",
            case("align-same-function", {"a": Net([(A0, B0), (A1, B1)]), "b": scaled},
                 "parameters compared as they stand, without order and scale", abs=1e-12),
            case("align-copy", {"a": Net([(A0, B0), (A1, B1)]), "b": moved},
                 "the error is taken before A1 is divided by the scale", abs=1e-12),
        ),
        formula(
            "scoring/query-floor", lambda weights, outputs: (mpf(weights) + outputs) / outputs,
            "F = (number of weights + K) / K; one hidden layer: F = (hd + Kh + K) / K",
            {"weights": "number of weights, biases not counted", "outputs": "K"}, "F",
            "count of degrees of freedom: scale and order of the neurons are free",
            case("floor-784-128-1", {"weights": 784 * 128 + 128, "outputs": 1},
                 "h d + K h + h + K: the scale of each neuron counted as a free number"),
            case("floor-784-128-10", {"weights": 784 * 128 + 1280, "outputs": 10},
                 "K numbers come with each query: not divided by K, or by whole division"),
            case("floor-logistic", {"weights": 20, "outputs": 1}, "d in place of d + 1"),
            case("floor-64-32-16-10", {"weights": 64 * 32 + 32 * 16 + 160, "outputs": 10},
                 "only the first hidden layer is counted"),
            rel=1e-15,
        ),
    )  # fmt: skip
