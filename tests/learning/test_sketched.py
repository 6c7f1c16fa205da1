"""Learned in a sketch: on a subspace first, then lifted, polished and held to the noise."""

import numpy as np
import pytest

import mstheft as mt
from mstheft.direct.answers.reader import reader
from mstheft.errors import ExtractionError
from mstheft.learning import sketched
from mstheft.nn import zoo
from mstheft.result import Result


def victim(widths, seed):
    return zoo.mlp(widths, bias=0.1, rng=seed)


def rounded(network, decimals, output="probs"):
    """Answers with so many decimals, which nobody declares."""
    answer = network.probs if output == "probs" else network.logits
    gives = lambda x: np.round(answer(x), decimals)  # noqa: E731
    return mt.Oracle(gives, inputs=network.inputs, output=output, gives=output)


def rough(network, seed, share=0.05):
    """A copy whose first layer is off by that share of its spread."""
    (a0, b0), last = network.dense()
    noise = np.random.default_rng(seed).normal(size=a0.shape)
    return zoo.given([(a0 + share * a0.std() * noise, b0), last])


@pytest.mark.parametrize(("output", "decimals"), [("probs", 3), ("logits", 2)])
def test_a_hidden_layer_behind_few_decimals_is_stolen(output, decimals):
    network = victim([30, 4, 5], 1)
    oracle = rounded(network, decimals, output)
    result = sketched.extract(oracle, hidden=4, rng=0)
    assert result.verified
    assert result.total == oracle.count
    assert len(result.model.dense()[0][1]) == 4
    scale = result.trace.view.scale if result.trace.view else 1.0
    x = scale * np.random.default_rng(9).normal(size=(2000, 30))
    off = result.model.logits(x) - network.logits(x)
    off -= off.mean(axis=1, keepdims=True) * (output == "probs")
    noise = 10.0**-decimals / np.sqrt(12) / (0.05 if output == "probs" else 1.0)
    assert 1e-5 < np.sqrt(np.mean(off**2)) < 2 * noise
    assert 0.8 < result.trace.polishing.polished.ratio < 1.5


def test_the_lift_brings_back_what_lies_outside_the_subspace():
    network = victim([30, 5, 4], 2)
    oracle = reader(rounded(network, 4, "logits"))
    rng = np.random.default_rng(0)
    sketch = sketched.Sketch(oracle, 10, rng)
    (a0, b0), last = network.dense()
    seen = zoo.given([(a0 @ sketch.axes, b0), last])
    y = rng.normal(size=(20, 10))
    assert seen.logits(y) == pytest.approx(sketch.query(y), abs=1e-4)
    blind = sketch.lifted(seen)
    assert blind.logits(y @ sketch.axes.T) == pytest.approx(seen.logits(y), abs=1e-12)
    result = Result(model=blind)
    sketched.lift(sketch, result, rng)
    before, after = (np.linalg.norm(m.dense()[0][0] - a0) for m in (blind, result.model))
    assert before > 0.7 * np.linalg.norm(a0)
    assert after < 0.1 * np.linalg.norm(a0)


def test_rows_beside_the_subspace_go_as_far_inside_as_usual_and_little_outside():
    sketch = sketched.Sketch(reader(mt.Oracle(victim([50, 3, 2], 0))), 10, np.random.default_rng(1))
    x = sketch.beside(4000, np.random.default_rng(2))
    unit = sketch.axes / np.linalg.norm(sketch.axes, axis=0)
    inside = x @ unit
    outside = x - inside @ unit.T
    assert np.sqrt(np.mean(np.sum(inside**2, axis=1))) == pytest.approx(np.sqrt(50), rel=0.05)
    assert np.sqrt(np.mean(np.sum(outside**2, axis=1))) == pytest.approx(
        sketched.OUTSIDE * np.sqrt(40), rel=0.05
    )


@pytest.mark.parametrize(("hidden", "tried"), [(None, [32, 64, 128]), (7, [7])])
def test_a_student_that_is_stuck_is_replaced_by_a_wider_one(monkeypatch, hidden, tried):
    widths = []

    def stuck(oracle, *, rows, hidden, rng):
        widths.append(hidden)
        raise ExtractionError("polish", "the misfit stopped", "")

    monkeypatch.setattr(sketched.exact, "extract", stuck)
    with pytest.raises(ExtractionError, match="the misfit stopped"):
        sketched.extract(rounded(victim([30, 12, 3], 3), 4, "logits"), hidden=hidden, rng=0)
    assert widths == tried


@pytest.mark.slow
@pytest.mark.realdata
def test_a_network_trained_on_mnist_is_stolen_behind_three_decimals():
    """784-16-10: measured 8.3 F, 1.00 of the bound, 99.97 % of the test images."""
    x, y = mt.data.images.mnist("train")
    network = victim([784, 16, 10], 0)
    mt.nn.fit.fit(network, x, y, epochs=3, batch=128, rng=0)
    oracle = rounded(network, 3)
    result = sketched.extract(oracle, rng=0)
    test = mt.data.images.mnist("test").x
    assert result.verified
    assert 2 < oracle.count / result.floor < 12
    assert result.trace.polishing.polished.ratio < 1.5
    assert mt.compare.agreement(network, result.model, test) > 0.999
