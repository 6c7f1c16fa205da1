"""Activations, softmax, entropy, and their derivatives."""

from exact import case, document, dot, each, formula, mp, mpf, rows, softmax

TEXTBOOK = "Goodfellow, Bengio, Courville 2016, Deep Learning, chapters 3 and 6"
Z = {"z": "array of any shape"}
ROWS = {"z": "(…, K) logits"}
PROBS = {"p": "(…, K) probabilities"}


def sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def elementwise(function):
    return lambda z: each(function, z)


def log_softmax(z):
    with mp.workdps(400):  # ln p of a p near 1 needs the digits of 1 - p
        top = max(z)
        total = mp.log(mp.fsum(mp.exp(v - top) for v in z))
        return [v - top - total for v in z]


def softmax_grad(z, dout):
    p = softmax(z)
    inner = dot(p, dout)
    return [pk * (g - inner) for pk, g in zip(p, dout, strict=True)]


def log_softmax_grad(z, dout):
    total = mp.fsum(dout)
    return [g - p * total for g, p in zip(dout, softmax(z), strict=True)]


def logit(p):
    if p in (0, 1):
        return mpf("-inf") if p == 0 else mpf("inf")
    return mp.log(p / (1 - p))


def entropy(p):
    return -mp.fsum(v * mp.log(v) for v in p if v > 0)


def build():
    return document(
        "activations",
        "Activations, softmax, entropy, and their derivatives",
        formula(
            "activations/relu", elementwise(lambda z: max(z, mpf(0))),
            "relu(z) = max(z, 0)", Z, "array like z", "Jagielski et al. 2020, section 4",
            case("relu-both-sides", {"z": [-2.5, -1e-300, 0.0, 1e-300, 3.75]},
                 "a leaky slope below 0, or |z|", rel=0),
            case("relu-matrix", {"z": [[-1.0, 2.0], [3.0, -4.0]]},
                 "the maximum over the array is taken, in place of max(z, 0) for each number",
                 rel=0),
        ),
        formula(
            "activations/relu-gradient", elementwise(lambda z: mpf(1 if z > 0 else 0)),
            "relu'(z) = 1 where z > 0, else 0", Z, "array like z",
            "Jagielski et al. 2020, section 4; at 0 the left branch is taken",
            case("relu_grad-both-sides", {"z": [-2.5, -1e-300, 1e-300, 3.75]},
                 "the derivative scales with z, or small z count as 0", rel=0),
            case("relu_grad-zero", {"z": [0.0, -0.0]},
                 "z >= 0 in place of z > 0: a neuron at its kink counts as on", rel=0),
        ),
        formula(
            "activations/sigmoid", elementwise(sigmoid),
            "σ(z) = 1 / (1 + e^-z)", Z, "array like z", TEXTBOOK,
            case("sigmoid-near", {"z": [-2.0, -0.5, 0.0, 0.5, 2.0]},
                 "the sign of the exponent, or tanh in place of σ"),
            case("sigmoid-far", {"z": [-700.0, -40.0, 40.0, 700.0]},
                 "the lower tail computed as 1 - σ(-z) rounds to 0"),
            case("sigmoid-overflow", {"z": [-800.0, 800.0]},
                 "e^z / (1 + e^z) as it stands: ∞ / ∞ in place of 1"),
            rel=1e-13,
        ),
        formula(
            "activations/sigmoid-gradient", elementwise(lambda z: sigmoid(z) * sigmoid(-z)),
            "σ'(z) = σ(z) (1 - σ(z))", Z, "array like z", TEXTBOOK,
            case("sigmoid_grad-near", {"z": [-2.0, 0.0, 0.5, 3.0]},
                 "σ (1 + σ), or σ itself is returned"),
            case("sigmoid_grad-far", {"z": [-40.0, 40.0, 300.0]},
                 "1 - σ(z) rounds to 0 for large z: the gradient vanishes on one side only"),
            rel=1e-13,
        ),
        formula(
            "activations/tanh", elementwise(mp.tanh),
            "tanh z = (e^z - e^-z) / (e^z + e^-z)", Z, "array like z", TEXTBOOK,
            case("tanh-near", {"z": [-1.5, -1e-12, 0.0, 1e-12, 0.75]},
                 "the quotient as it stands loses the digits of small z"),
            case("tanh-far", {"z": [-800.0, -20.0, 20.0, 800.0]},
                 "e^800 overflows: NaN in place of ±1"),
            rel=1e-13,
        ),
        formula(
            "activations/tanh-gradient", elementwise(lambda z: mp.sech(z) ** 2),
            "tanh'(z) = 1 - tanh² z = 1 / cosh² z", Z, "array like z", TEXTBOOK,
            case("tanh_grad-near", {"z": [-1.5, 0.0, 0.75]}, "1 - tanh z: the square is missing"),
            case("tanh_grad-far", {"z": [-20.0, 20.0, 300.0]},
                 "1 - tanh² rounds to 0 from z = 19 on"),
            rel=1e-13,
        ),
        formula(
            "activations/softplus", elementwise(lambda z: mp.log1p(mp.exp(z))),
            "softplus(z) = ln(1 + e^z)", Z, "array like z", TEXTBOOK,
            case("softplus-near", {"z": [-2.0, 0.0, 0.5, 2.0]},
                 "log to the base 2, or ln e^z without the 1"),
            case("softplus-far", {"z": [-700.0, -40.0, 800.0]},
                 "e^800 overflows; ln(1 + e^-40) rounds to 0 without log1p"),
            case("softplus-shortcut", {"z": [21.0, 25.0, 30.0]},
                 "z is returned from some threshold on, before ln(1 + e^-z) is below rounding"),
            rel=1e-14,
        ),
        formula(
            "activations/softplus-gradient", elementwise(sigmoid),
            "softplus'(z) = σ(z)", Z, "array like z", TEXTBOOK,
            case("softplus_grad-both-sides", {"z": [-700.0, -0.5, 0.0, 0.5, 800.0]},
                 "e^z / (1 + e^z) as it stands overflows to NaN"),
            rel=1e-13,
        ),
        formula(
            "activations/softmax", rows(softmax),
            "p_k = e^{z_k} / Σ_j e^{z_j}", ROWS, "(…, K) probabilities, rows that add up to 1",
            TEXTBOOK,
            case("softmax-plain", {"z": [1.0, 2.0, 4.0]}, "2^z in place of e^z"),
            case("softmax-large", {"z": [1000.0, 1001.0, 990.0]},
                 "e^1000 overflows where max z is not subtracted first"),
            case("softmax-small", {"z": [-1000.0, -1001.0, -990.0]},
                 "all e^z underflow: 0 / 0 where max z is not subtracted first"),
            case("softmax-rows", {"z": [[0.0, 1.0, -1.0], [3.0, 0.5, 3.0]]},
                 "the sum runs over the rows, or over all numbers, in place of the classes"),
            case("softmax-whole-numbers", {"z": [[0, 1], [2, 0]]},
                 "an array of whole numbers is filled with fractions: they are cut off"),
            rel=1e-13,
        ),
        formula(
            "activations/log-softmax", rows(log_softmax),
            "log p_k = z_k - ln Σ_j e^{z_j}", ROWS, "(…, K)", TEXTBOOK,
            case("log_softmax-plain", {"z": [[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]]},
                 "the sum runs over the rows, or log to another base"),
            case("log_softmax-unlikely", {"z": [0.0, -800.0, 2.0]},
                 "ln of a softmax that has underflowed is -inf"),
            case("log_softmax-certain", {"z": [40.0, 0.0]},
                 "ln p of a p near 1 rounds to 0: the digits are in ln(1 + the others)"),
            rel=1e-13,
        ),
        formula(
            "activations/softmax-gradient", rows(softmax_grad),
            "dL/dz = p ∘ (dout - <dout, p>)", {**ROWS, "dout": "(…, K) dL/dp"}, "(…, K) dL/dz",
            TEXTBOOK,
            case("softmax_grad-plain", {"z": [1.0, 2.0, 4.0], "dout": [0.5, -1.0, 2.0]},
                 "p (1 - p) dout: the classes' effect on one another is missing"),
            case("softmax_grad-rows",
                 {"z": [[0.0, 1.0], [2.0, -1.0]], "dout": [[1.0, 0.0], [0.25, 3.0]]},
                 "<dout, p> is summed over all rows together"),
            abs=1e-15,
        ),
        formula(
            "activations/log-softmax-gradient", rows(log_softmax_grad),
            "dL/dz = dout - p Σ_j dout_j", {**ROWS, "dout": "(…, K) dL/d log p"}, "(…, K) dL/dz",
            TEXTBOOK,
            case("log_softmax_grad-plain", {"z": [1.0, 2.0, 4.0], "dout": [0.5, -1.0, 2.0]},
                 "Σ dout is taken for 1, which holds for cross-entropy with one class only"),
            case("log_softmax_grad-rows",
                 {"z": [[0.0, 1.0], [2.0, -1.0]], "dout": [[-1.0, 0.0], [0.25, 3.0]]},
                 "Σ dout runs over all rows together"),
            abs=1e-15,
        ),
        formula(
            "activations/logit", elementwise(logit),
            "logit p = ln(p / (1 - p))", {"p": "array of probabilities"}, "array like p",
            "Tramèr et al. 2016, section 4.1",
            case("logit-middle", {"p": [0.25, 0.5, 0.8]}, "ln p alone, or the base 10 or 2"),
            case("logit-ends", {"p": [1e-300, 1e-12, 1 - 2.0**-53]},
                 "-ln(1/p - 1) loses the digits near 1, and a clipped p those near both ends"),
            case("logit-saturated", {"p": [0.0, 1.0]},
                 "clipping p to [1e-7, 1 - 1e-7] hides that the answer told nothing"),
            rel=1e-13, abs=1e-15,
        ),
        formula(
            "activations/logit-gradient", elementwise(lambda p: 1 / (p * (1 - p))),
            "d logit / dp = 1 / (p (1 - p)): the error δp of an answer becomes δp / (p (1 - p))",
            {"p": "array of probabilities"}, "array like p", "Tramèr et al. 2016, section 4.1",
            case("logit_grad-middle", {"p": [0.25, 0.5, 0.8]}, "p (1 - p): the inverse"),
            case("logit_grad-ends", {"p": [1e-300, 1e-9, 1 - 2.0**-40]},
                 "a clipped p makes a saturated answer look as good as any"),
            rel=1e-13,
        ),
        formula(
            "activations/entropy", rows(entropy),
            "H = -Σ_k p_k ln p_k", PROBS, "(…), in nats", "Pal et al. 2020; Shannon 1948",
            case("entropy-plain", {"p": [0.5, 0.25, 0.25]}, "bits in place of nats, or the sign"),
            case("entropy-zeros", {"p": [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]},
                 "0 ln 0 gives NaN; a small number added to p changes all others"),
            case("entropy-rows", {"p": [[0.1, 0.9], [0.5, 0.5], [0.75, 0.25]]},
                 "the sum runs over the rows: which one is the least sure is lost"),
            rel=1e-13,
        ),
        formula(
            "activations/entropy-gradient", elementwise(lambda p: -(mp.log(p) + 1)),
            "dH/dp_k = -(ln p_k + 1), the p_k taken as free", PROBS, "(…, K)", "Shannon 1948",
            case("entropy_grad-plain", {"p": [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]},
                 "-ln p: the 1 of the product rule is missing"),
            rel=1e-13,
        ),
    )  # fmt: skip
