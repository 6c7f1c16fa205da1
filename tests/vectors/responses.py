"""What a service can do to its answers: rounding, top-k, noise, poisoning."""

import itertools
from fractions import Fraction

from exact import case, document, dot, formula, length, mp, mpf, plus, times, turned

TRAMER = "Tramèr et al. 2016, section 7"
LEE = "Lee et al. 2019, equations 3 and 4"
OREKONDY = "Orekondy et al. 2020, arXiv 1906.10908, sections 4 and 4.1"
PROBS = {"probs": "(n, K) probabilities"}
Y = [[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]


def over_rows(function):
    return lambda probs, *settings: [function(row, *settings) for row in probs]


def rounded(value, decimals):
    """To the nearest, of two equally near the even one; from the exact value of the float."""
    exactly = Fraction(float(value)) * 10**decimals
    assert exactly.denominator <= 2 or abs(exactly % 1 - Fraction(1, 2)) > Fraction(1, 10**6)
    return mpf(round(exactly)) / 10**decimals


def top_k(row, k):
    kept = sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]
    return [v if i in kept else mpf(0) for i, v in enumerate(row)]


def label_only(row):
    return [mpf(int(i == row.index(max(row)))) for i in range(len(row))]


def to_simplex(row):
    """max(v - t, 0) with t by trying every set of numbers that stay."""
    for count in range(len(row), 0, -1):
        kept = sorted(row, reverse=True)[:count]
        t = (mp.fsum(kept) - 1) / count
        if kept[-1] > t and all(v <= t for v in sorted(row, reverse=True)[count:]):
            return [max(v - t, mpf(0)) for v in row]
    raise AssertionError


def sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def reverse_sigmoid(row, beta, gamma):
    def pull(p):
        if p in (0, 1):
            return mpf(1 if p else -1) / 2
        return sigmoid(gamma * mp.log(p / (1 - p))) - mpf(1) / 2

    moved = [p - beta * pull(p) for p in row]
    return [v / mp.fsum(moved) for v in moved]


def misinformed(probs, wrong, tau, nu):
    found = []
    for row, other in zip(probs, wrong, strict=True):
        alpha = 1 / (1 + mp.exp(nu * (max(row) - tau)))
        found.append([(1 - alpha) * p + alpha * w for p, w in zip(row, other, strict=True)])
    return found


def deviation(candidates, y, gradients):
    def way(row):
        pulled = times(turned(gradients), row)
        return [v / length(pulled) for v in pulled] if length(pulled) else pulled

    straight = way(y)
    return [dot(apart, apart) for apart in (plus(way(c), straight, -1) for c in candidates)]


def label_keeping(classes, label):
    found = []
    for others in itertools.product([0, 1], repeat=classes - 1):
        weights = [mpf(v) for v in others]
        weights.insert(label, 1 + mpf("1e-5"))
        found.append([v / mp.fsum(weights) for v in weights])
    return found


def mad(probs, gradients, radius, keep_label=False):
    told = []
    for y, g in zip(probs, gradients, strict=True):
        corners = [[mpf(int(i == k)) for i in range(len(y))] for k in range(len(y))]
        extremes = label_keeping(len(y), y.index(max(y))) if keep_label else corners
        scores = deviation(extremes, y, g)
        assert sorted(scores)[-1] - sorted(scores)[-2] > 1e-6, "too close for float64 to tell"
        best = extremes[scores.index(max(scores))]
        apart = mp.fsum(abs(v) for v in plus(best, y, -1))
        alpha = min(mpf(1), radius / apart)
        told.append([(1 - alpha) * v + alpha * w for v, w in zip(y, best, strict=True)])
    return told


def cost(before, after, labels):
    def right(rows):
        hits = sum(row.index(max(row)) == label for row, label in zip(rows, labels, strict=True))
        return mpf(hits) / len(labels)

    moved = [mp.fsum(abs(v) for v in plus(b, a, -1)) for b, a in zip(before, after, strict=True)]
    return {"before": right(before), "after": right(after), "l1": mp.fsum(moved) / len(moved)}


GRADIENTS = [[[0.5, -1.0], [1.5, 0.25], [-0.75, 1.0]], [[1.0, 0.0], [-0.5, 2.0], [0.25, -1.5]]]


def build():
    return document(
        "responses",
        "What a service can do to its answers: rounding, top-k, noise, poisoning",
        formula(
            "responses/rounding",
            lambda probs, decimals: [[rounded(v, decimals) for v in row] for row in probs],
            "|ỹ_k - y_k| ≤ ½ 10^-decimals", {**PROBS, "decimals": "digits behind the point"},
            "(n, K)", TRAMER,
            case("rounding-two", {"probs": [[0.6789, 0.2371, 0.084], [0.999, 0.0007, 0.0003]],
                                  "decimals": 2},
                 "digits are cut off rather than rounded, or counted from the first non-zero one"),
            case("rounding-none", {"probs": [[0.4, 0.35, 0.25]], "decimals": 0},
                 "decimals = 0 taken for 'do not round'; or renormalised: 0 / 0"),
            case("rounding-half", {"probs": [[0.125, 0.375, 0.5]], "decimals": 2},
                 "halves always go up: with IEEE rounding 0.125 becomes 0.12"),
            rel=1e-15,
        ),
        formula(
            "responses/top-k", over_rows(top_k),
            "the k largest as they are, 0 for the others; of equal ones the first",
            {**PROBS, "k": "how many"}, "(n, K)", TRAMER,
            case("top_k-two", {"probs": Y, "k": 2}, "the rest is renormalised to 1", rel=0),
            case("top_k-tie", {"probs": [[0.25, 0.25, 0.25, 0.25]], "k": 1},
                 "all equal ones are told, or the last", rel=0),
        ),
        formula(
            "responses/label-only", over_rows(label_only), "ỹ_k = [k = argmax y]", PROBS,
            "(n, K)", TRAMER,
            case("label_only-rows", {"probs": [*Y, [0.4, 0.4, 0.2]]},
                 "one label for all rows; of equal ones the last", rel=0),
        ),
        formula(
            "responses/simplex-projection", over_rows(to_simplex),
            "Π(v) = max(v - t, 0), t such that it adds up to 1", {"points": "(n, K)"}, "(n, K)",
            "Duchi et al. 2008, figure 1",
            case("to_simplex-inside", {"points": [[0.7, 0.2, 0.1], [0.6, 0.5, 0.2]]},
                 "divided by the sum in place of moved by a constant"),
            case("to_simplex-outside", {"points": [[1.4, -0.3, 0.2], [0.1, -2.0, 0.05]]},
                 "negative numbers cut off first: the rest is then moved too little"),
            case("to_simplex-corner", {"points": [[3.0, 0.5, -1.0]]},
                 "t from all numbers although most of them end at 0"),
            abs=1e-15,
        ),
        formula(
            "responses/reverse-sigmoid", over_rows(reverse_sigmoid),
            "ỹ ∝ y - β (σ(γ logit y) - ½)", {**PROBS, "beta": "β", "gamma": "γ"}, "(n, K)", LEE,
            case("reverse_sigmoid-plain", {"probs": Y, "beta": 0.5, "gamma": 0.7},
                 "logit left out, or the ½: the rows move to one side"),
            case("reverse_sigmoid-ends", {"probs": [[1.0, 0.0], [1e-9, 1 - 1e-9]], "beta": 0.25,
                                          "gamma": 0.2},
                 "logit of 0 and 1 gives NaN, where the sigmoid of ∞ is 1"),
            rel=1e-12, abs=1e-15,
        ),
        formula(
            "responses/adaptive-misinformation", misinformed,
            "ỹ = (1-α) y + α y_mis, α = 1 / (1 + e^{ν (p_max - τ)})",
            {**PROBS, "wrong": "(n, K) y_mis", "tau": "τ", "nu": "ν"}, "(n, K)",
            "Kariyappa and Qureshi 2020, section 4",
            case("misinformation-smooth", {"probs": Y, "wrong": [[0.1, 0.1, 0.8], [0.5, 0.5, 0.0]],
                                           "tau": 0.5, "nu": 10.0},
                 "α and 1 - α change places: honest questions get the wrong word"),
            case("misinformation-sudden",
                 {"probs": Y, "wrong": [[0.1, 0.1, 0.8], [0.5, 0.5, 0.0]], "tau": 0.5,
                  "nu": 100000.0},
                 "e^20000 overflows: NaN"),
            rel=1e-12, abs=1e-15,
        ),
        formula(
            "responses/angular-deviation", deviation,
            "‖ Gᵀỹ / ‖Gᵀỹ‖ - Gᵀy / ‖Gᵀy‖ ‖²",
            {"candidates": "(m, K) ỹ", "y": "(K,)", "gradients": "G (K, D)"}, "(m,) 0 … 4",
            OREKONDY,
            case("deviation-corners", {"candidates": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0],
                                                      [0.0, 0.0, 1.0]],
                                       "y": Y[0], "gradients": GRADIENTS[0]},
                 "lengths are not divided out: long gradients win, not turned ones"),
            case("deviation-nothing", {"candidates": [[0.5, 0.5, 0.0]], "y": [0.0, 0.0, 1.0],
                                       "gradients": [[1.0, 2.0], [-1.0, -2.0], [0.5, 0.0]]},
                 "0 / 0 for a gradient of length 0"),
            abs=1e-14,
        ),
        formula(
            "responses/label-keeping", label_keeping,
            "means of corners among which the label's is, with 1e-5 more weight on it",
            {"classes": "K", "label": "the class to keep"}, "(2^(K-1), K)", OREKONDY,
            case("label_keeping-three", {"classes": 3, "label": 1},
                 "the label ties with others: the first of them wins"),
        ),
        formula(
            "responses/mad", mad,
            "y* = argmax over extremes of ‖Gᵀy*/‖Gᵀy*‖ - Gᵀy/‖Gᵀy‖‖²; ỹ = (1-α) y + α y*, "
            "α = min(1, radius / ‖y* - y‖₁)",
            {**PROBS, "gradients": "G (n, K, D)", "radius": "in L1"}, "(n, K)", OREKONDY,
            case("mad-corners", {"probs": Y, "gradients": GRADIENTS, "radius": 0.5},
                 "the radius in L2, or the step beyond it"),
            case("mad-far", {"probs": Y, "gradients": GRADIENTS, "radius": 2.0},
                 "α above 1: out of the simplex"),
            case("mad-label", {"probs": Y, "gradients": GRADIENTS, "radius": 1.0},
                 "the label is lost though it should be kept", options={"keep_label": True}),
            rel=1e-12, abs=1e-14,
        ),
        formula(
            "responses/cost", cost,
            "shares of right labels before and after, mean of ‖ỹ - y‖₁",
            {"before": "(n, K)", "after": "(n, K)", "labels": "(n,) the right ones"},
            "before, after, l1", OREKONDY,
            case("cost-rows", {"before": [*Y, [0.1, 0.8, 0.1]],
                               "after": [[0.2, 0.7, 0.1], [0.3, 0.2, 0.5], [0.1, 0.8, 0.1]],
                               "labels": [0, 2, 1]},
                 "‖·‖₁ averaged over the classes too, or agreement in place of right labels"),
            rel=1e-14,
        ),
    )  # fmt: skip
