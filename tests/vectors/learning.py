"""Learning a copy: budget, targets, augmentation, macro-F1."""

from exact import Net, case, document, formula, jacobian, label, mp, mpf, softmax
from selection import BINARY, LINEAR, PAL, POOL

PAPERNOT = "Papernot et al. 2017, equation 4"


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


def build():
    return document(
        "learning",
        "Learning a copy: budget, targets, augmentation, macro-F1",
        formula(
            "learning/jacobian-augmentation", grown,
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
            "learning/macro-f1", f1,
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
            "learning/hard-labels", lambda soft: [label(row) if len(row) > 1 else
                                                        int(row[0] > 0.5) for row in soft],
            "argmax_k of each row; with one column [p > ½]", {"soft": "(n, K)"}, "(n,)", PAL,
            case("labels_of-classes", {"soft": [[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]]},
                 "of equal ones the last, or classes counted from 1", rel=0),
            case("labels_of-sigmoid", {"soft": [[0.75], [0.25], [0.5]]},
                 "argmax of one column is always 0", rel=0),
        ),
        formula(
            "learning/targets", targets,
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
            "learning/budget-shares", shares,
            "validation 20 %, seed 10 %, the rest in N rounds: budget = seed + validation + N k",
            {"budget": "rows in all", "rounds": "N"}, "validation, seed, rounds (N,)", PAL,
            case("shares-even", {"budget": 1000, "rounds": 10},
                 "20 % of what is left after the seed, or the budget exceeded", rel=0),
            case("shares-odd", {"budget": 250, "rounds": 4},
                 "rows lost where N does not divide what is left", rel=0),
        ),
    )  # fmt: skip
