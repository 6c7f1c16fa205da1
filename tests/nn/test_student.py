"""A student that learns from answers: its units, what it knows already, logits of any answer."""

import numpy as np
import pytest

from mstheft.nn import gauss_newton as gn
from mstheft.nn import student


def test_units_change_no_answer():
    """[W b] for rows of mean 0 and spread 1, and logits of these, is the same function."""
    rng = np.random.default_rng(0)
    x, z = 3 + 2 * rng.normal(size=(50, 4)), 5 + 7 * rng.normal(size=(50, 2))
    units = student.Units.of(x, z)
    inner = [rng.normal(size=(6, 5)), rng.normal(size=(5, 7)), rng.normal(size=(2, 6))]
    outer = units.outer(inner)
    there = gn.forward(inner, ["relu"] * 2, gn.with_ones((x - units.centre) / units.size))
    here = gn.forward(outer, ["relu"] * 2, gn.with_ones(x))
    assert np.allclose(here.logits, units.middle + units.spread * there.logits)
    assert np.allclose(units.inner(outer[0]), inner[0])


def test_known_layers_are_where_a_student_starts_and_it_learns(monkeypatch):
    rng = np.random.default_rng(1)
    truth = [rng.normal(size=(3, 6)), rng.normal(size=(4, 4)), rng.normal(size=(2, 5))]
    x = 1 + rng.normal(size=(400, 5))
    z = gn.forward(truth, ["relu"] * 2, gn.with_ones(x)).logits

    def trained(epochs):
        how = {"epochs": epochs, "batch": 32, "rng": np.random.default_rng(2)}
        return student.train(x, z, [3, 8], known=truth[:1], **how)

    def misfit(weights):
        off = gn.forward(weights, ["relu"] * 2, gn.with_ones(x)).logits - z
        return np.sqrt(np.mean(off**2))

    weights = trained(60)
    assert [each.shape for each in weights] == [(3, 6), (8, 4), (2, 9)]
    assert misfit(weights) < 0.3 * z.std()  # measured 0.21
    monkeypatch.setattr(student, "RATE", 1e-9)
    untrained = trained(1)
    assert misfit(untrained) > 0.5 * z.std()
    assert np.allclose(untrained[0], truth[0], atol=1e-5)


@pytest.mark.parametrize(("output", "outputs"), [("probs", 3), ("log_probs", 3), ("probs", 1)])
def test_logits_of_answers(output, outputs):
    z = np.random.default_rng(0).normal(size=(20, outputs))
    answers = gn.OUTPUTS[output].answer(z)
    wanted = z - z.mean(axis=1, keepdims=True) if outputs > 1 else z
    assert np.allclose(student.logits_of(answers, output, outputs), wanted)


def test_probabilities_of_0_and_1_have_logits_beyond_the_others():
    logits = student.logits_of(np.array([[0.0, 1.0], [0.01, 0.99]]), "probs", 2)
    assert np.isfinite(logits).all()
    assert logits[0, 0] < logits[1, 0]
    one = student.logits_of(np.array([[0.0], [1.0], [0.01], [0.99]]), "probs", 1)[:, 0]
    assert one[0] < one[2] < one[3] < one[1]
    assert np.isfinite(one).all()
