"""Learning a copy: which query next, budget, targets, augmentation, macro-F1."""

import itertools

from activations import entropy
from adversarial import nearest
from exact import (
    Net,
    case,
    document,
    formula,
    jacobian,
    label,
    logits,
    mp,
    mpf,
    probs,
    softmax,
)  # fmt: skip

PAL = "Pal et al. 2020, arXiv 1905.09165"
SENER = "Sener and Savarese 2018, algorithm 1; Pal et al. 2020"
PAPERNOT = "Papernot et al. 2017, equation 4"
STRATEGY = {
    "copy": "network", "labelled": "(m,) indices into the pool", "pool": "(n, d)",
    "k": "rows to choose", "rng": "not needed",
}  # fmt: skip
LINEAR = Net([([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.5]], [0.1, -0.2, 0.3])])
BINARY = Net([([[1.0, -0.5]], [0.25])])
POOL = [[2.0, 1.0], [0.1, 0.2], [-1.5, 2.0], [0.5, -1.75], [0.3, 0.9], [-3.0, -1.25],
        [0.0, -0.4], [1.0, 1.1]]  # fmt: skip


def squared(a, b):
    return mp.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def greedy(outputs, labelled, free, k):
    """The farthest from its nearest centre, of equal ones the first; without centres the first."""
    centres, left, chosen = list(labelled), list(free), []
    for _ in range(k):

        def near(i):
            return min((squared(outputs[i], outputs[c]) for c in centres), default=mp.inf)

        pick = max(left, key=lambda i: (near(i), -i))
        left.remove(pick)
        centres.append(pick)
        chosen.append(pick)
    return chosen


def unlabelled(labelled, pool):
    return [i for i in range(len(pool)) if i not in labelled]


def told(copy, pool):
    p = [probs(copy, x) for x in pool]
    return [[1 - v[0], v[0]] for v in p] if len(p[0]) == 1 else p


def by_size(values, rows, k):
    order = sorted(range(len(rows)), key=lambda i: (values[i], i))
    best = sorted(values)
    assert all(b - a > 1e-6 for a, b in itertools.pairwise(best)), "too close for float64 to tell"
    return [rows[i] for i in order[:k]]


def uncertainty(copy, labelled, pool, k, rng):
    free = unlabelled(labelled, pool)
    p = told(copy, pool)
    return by_size([-entropy(p[i]) for i in free], free, k)


def k_center(copy, labelled, pool, k, rng):
    return greedy(told(copy, pool), labelled, unlabelled(labelled, pool), k)


def dfal(copy, labelled, pool, k, rng):
    free = unlabelled(labelled, pool)
    return by_size([nearest(copy, pool[i])["norms"] for i in free], free, k)


def dfal_k_center(copy, labelled, pool, k, rng, rho):
    near = sorted(dfal(copy, labelled, pool, rho, rng))
    return greedy(told(copy, pool), labelled, near, k)


def margins(copy, pool, rows):
    found = []
    for i in rows:
        z = logits(copy, pool[i])
        best = sorted([mpf(0), *z] if len(z) == 1 else z)
        found.append(best[-1] - best[-2])
    return found


def grown(copy, x, labels, step, bounds=None):
    moved = []
    for row, y in zip(x, labels, strict=True):
        slopes = jacobian(copy, row)
        slope = slopes[y] if len(slopes) > 1 else [v if y == 1 else -v for v in slopes[0]]
        there = [v + step * int(mp.sign(g)) for v, g in zip(row, slope, strict=True)]
        moved.append([min(max(v, bounds[0]), bounds[1]) for v in there] if bounds else there)
    return moved


def f1(labels, predicted):
    scores = []
    for c in sorted(set(labels) | set(predicted)):
        pairs = list(zip(labels, predicted, strict=True))
        right = sum(t == c and p == c for t, p in pairs)
        wrong = sum((t == c) != (p == c) for t, p in pairs)
        scores.append(mpf(2 * right) / (2 * right + wrong))
    return mp.fsum(scores) / len(scores)


def targets(answers, output, classes):
    if output == "label":
        rows = [[mpf(int(k == a)) for k in range(max(classes, 2))] for a in answers]
    elif output == "logits":
        rows = [[1 / (1 + mp.exp(-z[0]))] if len(z) == 1 else softmax(z) for z in answers]
    else:
        rows = [[mp.exp(v) for v in row] if output == "log_probs" else row for row in answers]
    if len(rows[0]) == 1 and classes == 2:
        rows = [[1 - p, p] for (p,) in rows]
    return [row[1:] for row in rows] if len(rows[0]) == 2 and classes == 1 else rows


def shares(budget, rounds):
    held, first = budget // 5, budget // 10
    assert budget % 10 == 0
    rest = budget - held - first
    return {
        "validation": held,
        "seed": first,
        "rounds": [rest // rounds + (i < rest % rounds) for i in range(rounds)],
    }


GRID = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [0.0, 0.0, 1.0],
        [0.75, 0.25, 0.0], [0.5, 0.25, 0.25]]  # fmt: skip


def build():
    centres = {
        "outputs": "(n, K) probabilities",
        "labelled": "indices of the first centres",
        "free": "(m,) indices to choose from, ascending",
        "k": "how many",
    }
    return document(
        "active",
        "Learning a copy: which query next, budget, targets, augmentation, macro-F1",
        formula(
            "learning.kcenter:greedy", greedy,
            "x* = argmax_x min_c ‖x - c‖₂, c labelled or chosen; of equal ones the first",
            centres, "(k,) indices in order of choice", SENER,
            case("k-center-from-labelled",
                 {"outputs": GRID, "labelled": [0], "free": [1, 2, 3, 4, 5, 6], "k": 3},
                 "labelled points are no centres: it starts anew from nothing"),
            case("k-center-masked",
                 {"outputs": GRID, "labelled": [0, 1, 4], "free": [2, 3, 5, 6], "k": 4},
                 "a point that was chosen is chosen again, or a labelled one is"),
            case("k-center-nearest",
                 {"outputs": [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.625, 0.375]],
                  "labelled": [0, 1], "free": [2, 3], "k": 1},
                 "the distance to the farthest centre, or the sum of all, in place of the nearest"),
            case("k-center-updated",
                 {"outputs": [[0.5, 0.5], [1.0, 0.0], [0.96875, 0.03125], [0.0625, 0.9375]],
                  "labelled": [0], "free": [1, 2, 3], "k": 2},
                 "distances are not brought up to date: two neighbours are chosen at once"),
            case("k-center-tie",
                 {"outputs": [[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]],
                  "labelled": [0], "free": [1, 2], "k": 1},
                 "of equally far points the last"),
            rel=0,
        ),
        formula(
            "learning.strategies:uncertainty", uncertainty,
            "the k rows with the largest H = -Σ_c p_c ln p_c of the copy", STRATEGY,
            "(k,) indices into the pool", "Lewis and Gale 1994; Pal et al. 2020",
            case("uncertainty-three-classes",
                 {"copy": LINEAR, "labelled": [1], "pool": POOL, "k": 3, "rng": 0},
                 "the smallest entropy, or indices into what is left in place of the pool"),
            case("uncertainty-sigmoid",
                 {"copy": BINARY, "labelled": [], "pool": POOL, "k": 5, "rng": 0},
                 "-p ln p of the one probability: sure of class 0 looks like unsure"),
            rel=0,
        ),
        formula(
            "learning.strategies:k_center", k_center,
            "k-center in the copy's softmax output space", STRATEGY, "(k,) indices into the pool",
            SENER,
            case("k-center-of-a-copy",
                 {"copy": LINEAR, "labelled": [1, 4], "pool": POOL, "k": 3, "rng": 0},
                 "distances between inputs, or logits, in place of probabilities"),
            rel=0,
        ),
        formula(
            "learning.strategies:dfal", dfal,
            "the k rows with the smallest ‖x - x̂‖₂, x̂ the DeepFool example on the copy", STRATEGY,
            "(k,) indices into the pool", "Ducoffe and Precioso 2018; Pal et al. 2020",
            case("dfal-three-classes",
                 {"copy": LINEAR, "labelled": [1], "pool": POOL, "k": 4, "rng": 0},
                 "the margin of logits, not divided by the length of its gradient"),
            case("dfal-sigmoid",
                 {"copy": BINARY, "labelled": [0, 4], "pool": POOL, "k": 3, "rng": 0},
                 "the farthest rows; or a signed distance, so that class 0 always comes first"),
            rel=0,
        ),
        formula(
            "learning.strategies:dfal_k_center", dfal_k_center,
            "k-center among the ρ rows that are nearest to the boundary", STRATEGY,
            "(k,) indices into the pool", "Pal et al. 2020, 'DFAL + K-center'",
            case("dfal-k-center-five",
                 {"copy": LINEAR, "labelled": [0], "pool": POOL, "k": 2, "rng": 0},
                 "ρ = k: then k-center has nothing to choose", options={"rho": 5}),
            rel=0,
        ),
        formula(
            "learning.strategies:margins", margins,
            "largest logit less the second largest; of one logit |z|",
            {"copy": "network", "pool": "(n, d)", "rows": "(m,) indices"}, "(m,)", PAL,
            case("margins-classes", {"copy": LINEAR, "pool": POOL, "rows": [5, 0, 3]},
                 "largest less smallest, or probabilities in place of logits"),
            case("margins-sigmoid", {"copy": BINARY, "pool": POOL, "rows": [0, 2]},
                 "the logit with its sign"),
            abs=1e-14,
        ),
        formula(
            "learning.jacobian:grown", grown,
            "x + λ sgn ∂f_y(x)/∂x, y the oracle's label; with one output f_0 = -f_1",
            {"copy": "network", "x": "(n, d)", "labels": "(n,) y", "step": "λ with its sign"},
            "(n, d)", PAPERNOT,
            case("grown-classes", {"copy": LINEAR, "x": POOL[:3], "labels": [0, 2, 1],
                                   "step": 0.1},
                 "the copy's own class in place of the oracle's, or a step of length λ in L2"),
            case("grown-sigmoid", {"copy": BINARY, "x": POOL[:2], "labels": [0, 1],
                                   "step": 0.1},
                 "both classes climb: the sign for class 0 is missing"),
            case("grown-bounds", {"copy": LINEAR, "x": [[0.95, 0.02]], "labels": [1],
                                  "step": -0.1},
                 "rows leave the box of inputs; or the sign of λ is lost",
                 options={"bounds": [0.0, 1.0]}),
            case("grown-flat", {"copy": Net([([[1.0, 0.0], [-1.0, 2.0]], [0.0, 0.0])]),
                                "x": [[0.5, 0.5]], "labels": [0], "step": 0.25},
                 "sgn 0 taken for 1: inputs that change nothing are moved"),
        ),
        formula(
            "learning.answers:f1_of", f1,
            "mean over classes of F1_c = 2 TP_c / (2 TP_c + FP_c + FN_c)",
            {"labels": "(n,)", "predicted": "(n,)"}, "macro-F1", PAL,
            case("f1-three-classes", {"labels": [0, 0, 1, 1, 2, 2, 2],
                                      "predicted": [0, 1, 1, 1, 2, 0, 2]},
                 "accuracy (micro-F1), or FP and FN divided by 2 twice"),
            case("f1-rare-class", {"labels": [0] * 9 + [1], "predicted": [0] * 10},
                 "classes weighted by how often they occur: the rare one is not missed"),
            case("f1-absent-class", {"labels": [0, 0, 3], "predicted": [0, 3, 3]},
                 "0 / 0 for classes that occur nowhere counts as 0 or NaN in the mean"),
            rel=1e-14,
        ),
        formula(
            "learning.answers:labels_of", lambda soft: [label(row) if len(row) > 1 else
                                                        int(row[0] > 0.5) for row in soft],
            "argmax_k of each row; with one column [p > ½]", {"soft": "(n, K)"}, "(n,)", PAL,
            case("labels_of-classes", {"soft": [[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]]},
                 "of equal ones the last, or classes counted from 1", rel=0),
            case("labels_of-sigmoid", {"soft": [[0.75], [0.25], [0.5]]},
                 "argmax of one column is always 0", rel=0),
        ),
        formula(
            "learning.answers:targets", targets,
            "what the copy shall say: softmax of logits, e^log p, p, or one-hot of labels",
            {"answers": "(n, K), or (n,) labels", "output": "of the oracle",
             "classes": "outputs of the copy, 1 for one sigmoid"},
            "(n, classes)", PAL,
            case("targets-labels", {"answers": [2, 0], "output": "label", "classes": 3},
                 "as many columns as labels that occurred"),
            case("targets-logits", {"answers": [[1.0, 2.0, 0.5]], "output": "logits",
                                    "classes": 3},
                 "logits passed on as if they were probabilities"),
            case("targets-log-probs", {"answers": [[-1.0, -2.0, -0.69921875]],
                                       "output": "log_probs", "classes": 3},
                 "softmax of log p, divided by a sum that is not 1 in rounded answers"),
            case("targets-sigmoid-to-two", {"answers": [[0.75], [0.1]], "output": "probs",
                                            "classes": 2},
                 "p first: it is the probability of class 1 and comes second"),
        ),
        formula(
            "learning.active:shares", shares,
            "validation 20 %, seed 10 %, the rest in N rounds: budget = seed + validation + N k",
            {"budget": "rows in all", "rounds": "N"}, "validation, seed, rounds (N,)", PAL,
            case("shares-even", {"budget": 1000, "rounds": 10},
                 "20 % of what is left after the seed, or the budget exceeded", rel=0),
            case("shares-odd", {"budget": 250, "rounds": 4},
                 "rows lost where N does not divide what is left", rel=0),
        ),
    )  # fmt: skip
