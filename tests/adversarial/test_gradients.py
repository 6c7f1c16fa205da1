"""Gradients at the inputs: the direction of the loss, also where the loss itself is flat."""

import numpy as np
import pytest
from fooled import CNN, IMAGES, LINEAR, MLP, B, W, X

from mstheft.adversarial import fgsm
from mstheft.adversarial.gradients import loss_gradient
from mstheft.nn import zoo
from mstheft.nn.conv import Conv2D
from mstheft.nn.fast.buffers import reused
from mstheft.nn.losses import cross_entropy

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("network", [LINEAR, MLP, CNN], ids=["linear", "mlp", "cnn"])
def test_the_loss_gradient_has_the_direction_of_cross_entropy(network):
    x = IMAGES if network is CNN else X
    y = np.arange(len(x)) % network.outputs
    logits, _ = network.forward(x)
    true = network.input_gradient(x, cross_entropy(logits, y)[1])
    ours = loss_gradient(network, x, y)
    cosine = (ours * true).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(true, axis=1)
    np.testing.assert_allclose(cosine, 1, rtol=0, atol=1e-12)


def test_a_saturated_network_has_a_direction_still():
    """p = 1 in float64: dL/dz is exactly 0, its direction is not."""
    sure = zoo.given([(1e4 * W, B)])
    y = sure.labels(X)
    logits, _ = sure.forward(X)
    zero = (cross_entropy(logits, y)[1] == 0).all(axis=1)
    assert zero.any(), "the case is set up as it should be"
    assert (np.abs(loss_gradient(sure, X, y)[zero]).max(axis=1) > 1).all()


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(
    ("padding", "size"), [("same", 3), ("valid", 2), ("valid", 3), ("same", 1)]
)
def test_the_input_gradient_of_a_convolution_is_its_backward_pass(stride, padding, size):
    layer = Conv2D(3, 5, size, stride, padding, rng=0)
    x = RNG.normal(size=(4, 7, 8, 3))
    out, cache = layer.forward(x)
    dout = RNG.normal(size=out.shape)
    dx, _ = layer.backward(dout, cache)
    np.testing.assert_allclose(layer.input_gradient(dout, x), dx, rtol=0, atol=1e-12)


def test_gradients_of_a_whole_network_are_its_own_and_can_be_asked_again():
    """The K backward passes of one forward pass must not spoil one another's caches."""
    network = zoo.cnn((8, 8, 3), 4, blocks=2, filters=(4, 6), rng=0, dtype=np.float64)
    x = RNG.random((5, 192))
    jacobian = network.jacobian(x)
    with reused():
        _, caches = network.forward(x)
        for _ in range(2):
            for k in range(4):
                seed = np.tile(np.eye(4)[k], (5, 1))
                ours = network.to_inputs(seed, caches)
                np.testing.assert_allclose(ours, jacobian[:, k], rtol=0, atol=1e-12)


WRONG = {
    "y": (MLP, X, np.full(50, 4), r"\(50,\) whole numbers from 0 to 3"),
    "y's length": (MLP, X, [1, 2], r"got shape \(2,\)"),
    "the box": (MLP, 2 * X, MLP.labels(X), "expected inputs from 0 to 1, got"),
    "width": (MLP, X[:, :5], MLP.labels(X), r"rows of 6 numbers, got shape \(50, 5\)"),
    "NaN": (MLP, X * np.nan, MLP.labels(X), "expected inputs from"),
    "words": (zoo.text_gru(9, 4, 2, rng=0), np.ones((2, 4)), [0, 1], "use deepfool"),
}


@pytest.mark.parametrize("name", WRONG)
def test_rows_and_classes_that_do_not_fit(name):
    network, x, y, says = WRONG[name]
    with pytest.raises(ValueError, match=says):
        fgsm(network, x, y, 0.1)
