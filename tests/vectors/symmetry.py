"""What leaves the answers as they are: scale, sign and order of neurons, the mean logit."""

from exact import Net, case, document, formula, mp, plus, turned
from networks import DEEP, NET, PAPER, net


def deeper(network):
    return [[list(row) for row in weight] for weight, _ in network.weights], [
        list(bias) for _, bias in network.weights
    ]


def made(weights, biases, activation="relu"):
    return Net(list(zip(weights, biases, strict=True)), activation)


def rescale(network, layer, neuron, factor):
    weights, biases = deeper(network)
    weights[layer - 1][neuron] = [factor * v for v in weights[layer - 1][neuron]]
    biases[layer - 1][neuron] *= factor
    for row in weights[layer]:
        row[neuron] /= factor
    return made(weights, biases, network.activation)


def flip(network, layer, neuron):
    weights, biases = deeper(network)
    weights[layer - 1][neuron] = [-v for v in weights[layer - 1][neuron]]
    biases[layer - 1][neuron] *= -1
    for k, row in enumerate(weights[layer]):
        if network.activation == "sigmoid":
            biases[layer][k] += row[neuron]
        row[neuron] *= -1
    return made(weights, biases, network.activation)


def reorder(network, layer, order):
    weights, biases = deeper(network)
    weights[layer - 1] = [weights[layer - 1][i] for i in order]
    biases[layer - 1] = [biases[layer - 1][i] for i in order]
    weights[layer] = [[row[i] for i in order] for row in weights[layer]]
    return made(weights, biases, network.activation)


def center(network):
    weights, biases = deeper(network)
    classes = len(biases[-1])
    mean = [mp.fsum(column) / classes for column in turned(weights[-1])]
    weights[-1] = [plus(row, mean, -1) for row in weights[-1]]
    middle = mp.fsum(biases[-1]) / classes
    biases[-1] = [b - middle for b in biases[-1]]
    return made(weights, biases, network.activation)


def build():
    return document(
        "symmetry",
        "What leaves the answers as they are: scale, sign and order of neurons, the mean logit",
        formula(
            "symmetry/rescale", rescale,
            "A1_i relu(A0_i x + b0_i) = (A1_i / c) relu(c A0_i x + c b0_i), c > 0",
            {**NET, "layer": "from 1", "neuron": "from 0", "factor": "c"}, "a network", PAPER,
            case("rescale-larger", {"network": net(), "layer": 1, "neuron": 1, "factor": 4.0},
                 "the bias is not rescaled, or A1 is multiplied too"),
            case("rescale-second-layer",
                 {"network": Net(DEEP), "layer": 2, "neuron": 0, "factor": 0.5},
                 "the first layer is changed whatever layer is asked for"),
        ),
        formula(
            "symmetry/flip", flip,
            "A1_i tanh(z) = -A1_i tanh(-z); A1_i σ(z) = -A1_i σ(-z) + A1_i",
            {**NET, "layer": "from 1", "neuron": "from 0"}, "a network", "Sussmann 1992",
            case("flip-tanh", {"network": net("tanh"), "layer": 1, "neuron": 0},
                 "the output weight keeps its sign"),
            case("flip-sigmoid", {"network": net("sigmoid"), "layer": 1, "neuron": 1},
                 "A1_i is not added to the last bias: σ is odd only up to a constant"),
        ),
        formula(
            "symmetry/reorder", reorder, "Σ_i A1_i σ(z_i) has no order",
            {**NET, "layer": "from 1", "order": "(h,) neuron i of the result is neuron order[i]"},
            "a network", PAPER,
            case("reorder-cycle", {"network": Net(DEEP), "layer": 2, "order": [2, 0, 1]},
                 "the inverse permutation, or rows without the next layer's columns"),
        ),
        formula(
            "symmetry/center", center, "softmax(z - mean_j z_j) = softmax(z): Σ_k z_k(x) = 0",
            NET, "a network", "Tramèr et al. 2016, section 4.1",
            case("center-softmax", {"network": Net([([[1.0, 2.0], [0.0, -1.0], [0.5, 0.5]],
                                                     [1.0, 2.0, 4.5])])},
                 "the mean over the inputs in place of the classes, or biases left as they are"),
            abs=1e-15,
        ),
    )  # fmt: skip
