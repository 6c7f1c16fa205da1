"""Losses, each with its gradient by the logits."""

from activations import log_softmax, sigmoid
from exact import case, document, formula, mp, mpf, softmax

SOURCE = "Goodfellow, Bengio, Courville 2016, Deep Learning, chapter 6"
LOGITS = {"logits": "(n, K)"}


def one_hot(labels, classes):
    return [[mpf(int(k == label)) for k in range(classes)] for label in labels]


def cross_entropy(logits, targets):
    n, classes = len(logits), len(logits[0])
    if not isinstance(targets[0], list):
        hard = one_hot(targets, max(classes, 2))
        targets = [row[1:] for row in hard] if classes == 1 else hard
    if classes == 1:
        total = mp.fsum(
            mp.log1p(mp.exp(z)) - t * z for (z,), (t,) in zip(logits, targets, strict=True)
        )
        return {
            "value": total / n,
            "gradient": [
                [(sigmoid(z) - t) / n] for (z,), (t,) in zip(logits, targets, strict=True)
            ],
        }
    value, gradient = mpf(0), []
    for z, t in zip(logits, targets, strict=True):
        value -= mp.fsum(tk * lk for tk, lk in zip(t, log_softmax(z), strict=True)) / n
        whole = mp.fsum(t)
        gradient.append([(p * whole - tk) / n for p, tk in zip(softmax(z), t, strict=True)])
    return {"value": value, "gradient": gradient}


def squared_error(outputs, targets):
    n = len(outputs)
    if not isinstance(targets[0], list):
        targets = [[t] for t in targets]
    apart = [
        [z - t for z, t in zip(*pair, strict=True)] for pair in zip(outputs, targets, strict=True)
    ]
    return {
        "value": mp.fsum(v * v for row in apart for v in row) / (2 * n),
        "gradient": [[v / n for v in row] for row in apart],
    }


def build():
    return document(
        "losses",
        "Losses, each with its gradient by the logits",
        formula(
            "losses/one-hot", one_hot, "t_ik = 1 where k = label_i, else 0",
            {"labels": "(n,) whole numbers", "classes": "K"}, "(n, K)", SOURCE,
            case("one_hot-gap", {"labels": [2, 0, 2], "classes": 4},
                 "only as many columns as classes that occur, or classes counted from 1", rel=0),
        ),
        formula(
            "losses/cross-entropy", cross_entropy,
            "L = -1/n Σ_i Σ_k t_ik log softmax(z_i)_k, dL/dz = (p Σ_k t_k - t) / n; "
            "with K = 1, L = 1/n Σ softplus(z) - t z, dL/dz = (σ(z) - t) / n",
            {**LOGITS, "targets": "(n,) classes, or (n, K) probabilities"},
            "value, in nats, and gradient (n, K)", SOURCE,
            case("cross_entropy-classes", {"logits": [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]],
                                           "targets": [1, 0]},
                 "the sum over the rows in place of the mean, in the value or in the gradient"),
            case("cross_entropy-soft", {"logits": [[1.0, 2.0, 0.5]],
                                        "targets": [[0.2, 0.3, 0.5]]},
                 "the largest target is taken for the class: soft labels are wasted"),
            case("cross_entropy-part", {"logits": [[1.0, 2.0, 0.5]],
                                        "targets": [[0.25, 0.5, 0.0]]},
                 "p - t, though the targets (a top-k answer) add up to less than 1"),
            case("cross_entropy-sigmoid", {"logits": [[0.5], [-2.0]], "targets": [1, 0]},
                 "one logit is put through a softmax of one class: the loss is always 0"),
            case("cross_entropy-sigmoid-soft", {"logits": [[0.5], [-2.0]],
                                                "targets": [[0.75], [0.1]]},
                 "targets of one sigmoid are rounded to classes"),
            case("cross_entropy-sure", {"logits": [[0.0, 900.0], [900.0, 0.0]],
                                        "targets": [0, 0]},
                 "ln of a probability that has underflowed: infinite loss"),
            rel=1e-12, abs=1e-15,
        ),
        formula(
            "losses/squared-error", squared_error,
            "L = 1/(2n) Σ_i ‖z_i - t_i‖², dL/dz = (z - t) / n",
            {"outputs": "(n, K)", "targets": "(n, K), or (n,) where K = 1"},
            "value and gradient (n, K)", SOURCE,
            case("squared_error-plain", {"outputs": [[1.0, 2.0], [0.5, -1.0]],
                                         "targets": [[0.0, 2.5], [1.0, 1.0]]},
                 "the half is missing, or the mean is over all n K numbers"),
            case("squared_error-column", {"outputs": [[1.0], [2.0], [4.0]],
                                          "targets": [1.5, 0.0, 3.0]},
                 "(n, 1) less (n,) is broadcast to (n, n)"),
            case("squared_error-one-row", {"outputs": [[3.0, -1.0, 2.0]],
                                           "targets": [[0.0, 0.0, 0.0]]},
                 "divided by the K numbers of the row rather than by the 1 row"),
        ),
    )  # fmt: skip
