"""Networks: answers, Jacobians, restriction to a plane, convolution."""

import itertools

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
    plus,
    probs,
    times,
    turned,
)

NET = {"network": "its weights [(A0, b0), …], A (out, in), and activation"}
X = {"x": "(n, d)"}
PAPER = "Jagielski et al. 2020, section 4"

A0 = [[1.0, -2.0, 0.5], [0.75, 1.5, -1.0]]
B0 = [0.25, -0.5]
A1 = [[1.0, -1.5], [2.0, 0.5]]
B1 = [0.125, -0.25]
INPUTS = [[0.5, -1.0, 2.0], [-1.0, 0.25, 0.5], [1.0, 2.0, -0.75]]
DEEP = [(A0, B0), ([[1.0, 0.5], [-1.0, 2.0], [0.25, 1.0]], [0.1, -0.2, 0.3]),
        ([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]], [0.0, 1.0])]  # fmt: skip


def net(activation="relu"):
    return Net([(A0, B0), (A1, B1)], activation)


ONE = Net([(A0, B0), ([[1.0, -1.5]], [0.125])])


def over_rows(function):
    return lambda network, x, *others: [
        function(network, row, *o) for row, *o in zip(x, *others, strict=True)
    ]


def slope(network, x, dlogits):
    return times(turned(jacobian(network, x)), dlogits)


def restrict(network, origin, across, up):
    (first, bias), *rest = network.weights
    folded = turned([times(first, across), times(first, up)])
    return Net([(folded, plus(times(first, origin), bias)), *rest], network.activation)


def conv2d(x, weights, bias, stride, pad):
    size, channels = len(weights[0]), range(len(x[0][0][0]))
    h, w = len(x[0]), len(x[0][0])

    def at(image, i, j, c):
        inside = 0 <= i - pad < h and 0 <= j - pad < w
        return image[i - pad][j - pad][c] if inside else mpf(0)

    def value(image, i, j, f):
        places = itertools.product(range(size), range(size), channels)
        return bias[f] + mp.fsum(
            weights[f][a][b][c] * at(image, stride * i + a, stride * j + b, c) for a, b, c in places
        )

    high, wide = ((side + 2 * pad - size) // stride + 1 for side in (h, w))
    return [[[[value(image, i, j, f) for f in range(len(bias))] for j in range(wide)]
             for i in range(high)] for image in x]  # fmt: skip


IMAGE = [[[[float(3 * i - 2 * j + (i * j) % 5)] for j in range(4)] for i in range(4)]]
KERNEL = [[[[float(a - 2 * b + a * b)] for b in range(3)] for a in range(3)]]


def build():
    return document(
        "networks",
        "Networks: answers, Jacobians, restriction to a plane, convolution",
        formula(
            "networks/logits", over_rows(logits),
            "f(x) = A_L σ(… σ(A0 x + b0) …) + b_L", {**NET, **X}, "(n, K)", PAPER,
            case("logits-relu", {"network": net(), "x": INPUTS},
                 "the activation after the last layer too, or a bias that is left out"),
            case("logits-tanh", {"network": net("tanh"), "x": INPUTS},
                 "relu whatever the activation"),
            case("logits-sigmoid", {"network": net("sigmoid"), "x": INPUTS},
                 "σ(z) - ½, as where tanh(z/2) stands in for σ"),
            case("logits-softplus", {"network": net("softplus"), "x": INPUTS},
                 "relu in place of its smooth kin"),
            case("logits-two-hidden", {"network": Net(DEEP), "x": INPUTS},
                 "a matrix of the middle is transposed, or an activation left out"),
            abs=1e-14,
        ),
        formula(
            "networks/probabilities", over_rows(probs),
            "p = softmax(f(x)); with one output p = σ(f(x)), of class 1", {**NET, **X},
            "(n, K)", PAPER,
            case("probs-softmax", {"network": net(), "x": INPUTS},
                 "normalised over the rows in place of the classes"),
            case("probs-sigmoid", {"network": ONE, "x": INPUTS},
                 "the softmax of a single output, which is always 1"),
        ),
        formula(
            "networks/labels", over_rows(lambda network, x: label(logits(network, x))),
            "argmax_k f_k(x), the first of equal ones; with one output [f(x) > 0]",
            {**NET, **X}, "(n,)", PAPER,
            case("labels-classes",
                 {"network": Net([([[1.0, 0.5, 0.0], [-0.5, 1.0, 0.5], [0.25, -1.5, 1.0]],
                                   [0.5, 0.0, -0.25])]), "x": INPUTS},
                 "classes counted from 1, or argmin", rel=0),
            case("labels-sigmoid", {"network": ONE, "x": INPUTS},
                 "argmax of one column, which is always 0; or a logit above ½", rel=0),
            case("labels-tie", {"network": Net([([[1.0], [1.0], [0.0]], [0.0, 0.0, 0.0])]),
                                "x": [[2.0], [-2.0]]},
                 "of equal logits the last is taken", rel=0),
        ),
        formula(
            "networks/jacobian", over_rows(jacobian),
            "J_kj = ∂f_k/∂x_j; with one hidden layer J = A1 diag(σ'(z)) A0",
            {**NET, **X}, "(n, K, d)", PAPER,
            case("jacobian-linear", {"network": Net([(A0, B0)]), "x": INPUTS},
                 "(d, K) in place of (K, d), or only for one row"),
            case("jacobian-relu", {"network": net(), "x": INPUTS},
                 "A1 A0: neurons that are off are counted as on"),
            case("jacobian-tanh", {"network": net("tanh"), "x": INPUTS},
                 "the derivative taken at σ(z) in place of z, or 1 - tanh"),
            case("jacobian-sigmoid", {"network": net("sigmoid"), "x": INPUTS},
                 "a factor 4: σ' is ¼ at its middle, not 1"),
            case("jacobian-two-hidden", {"network": Net(DEEP), "x": INPUTS},
                 "the second layer's switches computed from the input of the first"),
            abs=1e-14,
        ),
        formula(
            "networks/input-gradient", over_rows(slope),
            "∂/∂x Σ_k w_k f_k(x) = Jᵀ w", {**NET, **X, "dlogits": "(n, K) w"}, "(n, d)", PAPER,
            case("input_gradient-relu", {"network": net(), "x": INPUTS,
                                         "dlogits": [[1.0, 0.0], [0.0, 1.0], [0.5, -2.0]]},
                 "the gradient by the weights, or summed over the rows"),
            case("input_gradient-softplus", {"network": net("softplus"), "x": INPUTS,
                                             "dlogits": [[1.0, -1.0], [2.0, 0.0], [0.25, 0.25]]},
                 "switches of a relu in place of the smooth slopes"),
            abs=1e-14,
        ),
        formula(
            "networks/plane-restriction", restrict,
            "A0 (o + x p + y q) + b0 = [A0 p, A0 q] (x, y) + (A0 o + b0)",
            {**NET, "origin": "(d,) o", "across": "(d,) p", "up": "(d,) q"},
            "a network of two inputs", "this project",
            case("restrict-plane", {"network": net(), "origin": [1.0, 0.5, -1.0],
                                    "across": [1.0, 0.0, 0.0], "up": [0.0, 0.6, 0.8]},
                 "the origin is left out of the bias, or across and up change places"),
            abs=1e-15,
        ),
        formula(
            "networks/convolution", conv2d,
            "out[n, y, x, f] = b_f + Σ_{i,j,c} W[f, i, j, c] in[n, s y + i - p, s x + j - p, c]",
            {"x": "(n, h, w, c)", "weights": "(f, size, size, c)", "bias": "(f,)",
             "stride": "s", "pad": "p"},
            "(n, h', w', f)", "Goodfellow, Bengio, Courville 2016, Deep Learning, section 9.1",
            case("conv2d-valid", {"x": IMAGE, "weights": KERNEL, "bias": [0.5],
                                  "stride": 1, "pad": 0},
                 "the kernel is turned by 180°, as in mathematics"),
            case("conv2d-same", {"x": IMAGE, "weights": KERNEL, "bias": [-1.0],
                                 "stride": 1, "pad": 1},
                 "the edge is repeated in place of zeros, or the bias left out beside it"),
            case("conv2d-stride", {"x": IMAGE, "weights": KERNEL, "bias": [0.0],
                                   "stride": 2, "pad": 1},
                 "the stride is applied to one axis, or starts a pixel late"),
            case("conv2d-channels",
                 {"x": [[[[1.0, -2.0], [0.5, 3.0]], [[2.0, 0.0], [-1.0, 1.0]]]],
                  "weights": [[[[1.0, 2.0], [0.0, -1.0]], [[0.5, 0.0], [1.0, 1.0]]],
                              [[[0.0, 1.0], [1.0, 0.0]], [[2.0, -1.0], [0.0, 0.25]]]],
                  "bias": [0.0, 1.0], "stride": 1, "pad": 0},
                 "filters and channels change places"),
            abs=1e-14,
        ),
    )  # fmt: skip
