"""A rough copy, polished to the noise.

Every start has every weight off by 20 % of its layer's spread. Of 4 F rows a quarter of the noise's
degrees of freedom goes into the weights; ratios of noise are 1 to a few per cent.
"""

import contextlib
import importlib

import numpy as np
import pytest

from mstheft import progress
from mstheft.direct.answers.noise import Noise
from mstheft.direct.polishing import descent
from mstheft.direct.polishing.polish import identifiable, polish
from mstheft.nn import gauss_newton as gn
from mstheft.nn import zoo
from mstheft.nn.dense_pass import forward
from mstheft.nn.network import Network
from mstheft.result import floor


def victim(widths, activation="relu", seed=0):
    return zoo.mlp(widths, activation=activation, bias=0.1, rng=seed)


def rough(network, rng, off=0.2):
    weights, _ = gn.chain(network)
    moved = [w + off * w[:, :-1].std() * rng.normal(size=w.shape) for w in weights]
    return gn.assemble(network, moved)


def rows_for(network, rng, times=4):
    dense = network.dense()
    n = int(times * floor(sum(w.size for w, _ in dense), network.outputs))
    return rng.normal(size=(n, network.inputs)).astype(np.float32).astype(float)


def answers_of(network, x, output="logits", decimals=None):
    answers = gn.OUTPUTS[output].answer(network.logits(x).astype(float))
    return answers if decimals is None else np.round(answers, decimals)


def single(network):
    return Network(network.copy().layers, network.shape, np.float32)


def polished(widths, activation="relu", output="logits", decimals=None, seed=0, **settings):
    """A polished copy, the victim, and the rms error of an answer on fresh rows."""
    rng = np.random.default_rng(seed)
    network = victim(widths, activation, seed)
    x = rows_for(network, rng)
    copy = rough(network, rng)
    answers = answers_of(network, x, output, decimals)
    result = polish(copy, x, answers, output=output, rng=rng, **settings)
    fresh = rng.normal(size=(2000, widths[0]))
    return result, rms_error(result, network, fresh)


def rms_error(result, network, x):
    answer = gn.OUTPUTS[result.output].answer
    difference = answer(result.model.logits(x)) - answer(network.logits(x))
    return float(np.sqrt(np.mean(difference**2)))


# ---- down to the noise


@pytest.mark.parametrize(
    ("widths", "activation", "output"),
    [
        ([20, 8, 3], "relu", "logits"),
        ([20, 8, 3], "relu", "log_probs"),
        ([20, 8, 3], "relu", "probs"),
        ([20, 8, 1], "relu", "probs"),
        ([20, 8, 1], "relu", "log_probs"),
        ([20, 8, 3], "tanh", "logits"),
        ([20, 8, 3], "sigmoid", "probs"),
        ([20, 8, 3], "softplus", "logits"),
        ([16, 10, 6, 4], "relu", "logits"),
        ([20, 3], "relu", "probs"),
    ],
)
def test_exact_answers_are_met_to_rounding(widths, activation, output):
    """float64 throughout: misfits of 1e-15 or so, errors on fresh rows below 1e-12."""
    result, error = polished(widths, activation, output)
    assert result.kind.kind == "float64"
    assert result.misfit[0] > 1e-2
    assert result.misfit[-1] < 1e-13
    assert error < 1e-12
    assert result.steps <= 40


@pytest.mark.parametrize(
    ("widths", "output", "decimals"),
    [
        ([20, 8, 3], "logits", 2),
        ([20, 8, 3], "logits", 4),
        ([20, 8, 3], "probs", 3),
        ([20, 8, 3], "log_probs", 2),
        ([20, 8, 1], "probs", 3),
        ([16, 10, 6, 4], "logits", 3),
    ],
)
def test_rounded_answers_are_met_to_the_bound(widths, output, decimals):
    """Nobody says how many decimals there are. One draw of the error is the bound to a third."""
    result, error = polished(widths, output=output, decimals=decimals)
    assert (result.kind.kind, result.kind.decimals) == ("decimals", decimals)
    assert result.converged
    assert result.ratio == pytest.approx(1, abs=0.1)
    assert 0.7 < error / result.bound < 1.4


@pytest.mark.parametrize("output", ["logits", "log_probs", "probs"])
def test_a_float32_victim_is_met_to_its_own_rounding(output):
    network = victim([20, 8, 3])
    rng = np.random.default_rng(1)
    x = rows_for(network, rng)
    answers = gn.OUTPUTS[output].answer(single(network).logits(x)).astype(np.float32)
    result = polish(rough(network, rng), x, answers, output=output, rng=rng)
    exact = Network(single(network).layers, 20, np.float64)
    assert result.kind.kind == "float32"
    assert result.converged
    assert 0.5 < result.ratio < 2
    assert rms_error(result, exact, rng.normal(size=(2000, 20))) < 2 * result.noise < 1e-6


def test_the_largest_probabilities_are_enough():
    network = victim([20, 8, 5])
    rng = np.random.default_rng(1)
    x = rows_for(network, rng, times=8)
    p = answers_of(network, x, "probs")
    answers = np.where(p >= np.sort(p, axis=1)[:, -2:-1], p, 0)
    result = polish(rough(network, rng), x, answers, output="top_k", rng=rng)
    assert result.converged
    assert rms_error(result, network, x) < 1e-10


def test_answers_that_are_no_numbers_count_for_nothing():
    network = victim([20, 8, 3])
    rng = np.random.default_rng(1)
    x = rows_for(network, rng, times=6)
    answers = answers_of(network, x)
    answers[::7, 1] = np.nan
    answers[5] = -np.inf
    result = polish(rough(network, rng), x, answers, rng=rng)
    assert rms_error(result, network, x) < 1e-12


# ---- weighted rows


def test_noise_that_differs_by_row_is_weighed():
    """Half of the rows 100 times noisier: told so, the copy is 3 times better at least."""
    network = victim([20, 8, 3])
    rng = np.random.default_rng(1)
    x = rows_for(network, rng, times=12)
    sigma = np.where(np.arange(len(x)) % 2, 1e-4, 1e-2)[:, None]
    answers = answers_of(network, x) + sigma * rng.normal(size=(len(x), 3))
    start, fresh = rough(network, rng), rng.normal(size=(2000, 20))
    weighed = polish(start, x, answers, noise=sigma, rng=0)
    level = polish(start, x, answers, noise=7e-3, rng=0)
    assert weighed.converged
    assert weighed.ratio == pytest.approx(1, abs=0.1)
    assert 0.7 < rms_error(weighed, network, fresh) / weighed.bound < 1.4
    assert rms_error(level, network, fresh) > 3 * rms_error(weighed, network, fresh)


# ---- the bound and the error bars


@pytest.mark.parametrize(
    ("widths", "times"), [([6, 2], 4), ([6, 5, 2], 6)], ids=["linear", "one hidden layer"]
)
def test_the_bound_is_what_repeated_fits_reach(widths, times):
    """Monte Carlo: 40 noisy fits of the same rows; the rms error on fresh rows is the bound to
    15 %, and that of every weight its error bar to a third (40 draws: 11 %, largest of 50)."""
    network = victim(widths)
    rng = np.random.default_rng(3)
    x, fresh = rows_for(network, rng, times), rng.normal(size=(3000, widths[0]))
    errors, found = [], []
    for _ in range(40):
        answers = answers_of(network, x) + 1e-4 * rng.normal(size=(len(x), widths[-1]))
        result = polish(network, x, answers, noise=1e-4, rng=rng)
        errors.append(rms_error(result, network, fresh))
        found.append(result.model.parameters())
    assert result.by == "jacobian"
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(result.bound, rel=0.15)
    for name, bar in result.error_bars.items():
        spread = np.sqrt(np.mean([(f[name] - network.parameters()[name]) ** 2 for f in found], 0))
        assert 0.6 < np.median(spread / bar) < 1.6, name


def test_the_bound_of_a_linear_model_is_above_that_of_the_rows_asked():
    """σ √(P / N) holds on the rows themselves; fresh ones are worse, N(0, I): √(P / (N - P))."""
    network = victim([6, 2])
    x = np.random.default_rng(0).normal(size=(40, 6))
    result = polish(network, x, answers_of(network, x), noise=1e-3, rng=0)
    lowest = 1e-3 * np.sqrt(7 / 40)
    assert lowest < result.bound < 1.3 * lowest


def test_draws_give_the_bound_and_the_bars_of_the_jacobian(monkeypatch):
    exact, _ = polished([20, 8, 3], decimals=2)
    monkeypatch.setattr(importlib.import_module("mstheft.direct.polishing.polish"), "EXACT", (0, 0))
    drawn, _ = polished([20, 8, 3], decimals=2)
    assert (exact.by, drawn.by) == ("jacobian", "draws")
    assert drawn.bound == pytest.approx(exact.bound, rel=0.3)
    for name, bar in exact.error_bars.items():
        assert 0.6 < np.median(drawn.error_bars[name] / bar) < 1.6, name


@pytest.mark.parametrize("offset", [-1e3, -6])
def test_a_neuron_that_few_rows_switch_on_is_named_and_has_no_error_bar(offset):
    """In no row, or beyond 2.4 standard deviations: 2 of 250 rows, three numbers each, for 21."""
    network = victim([20, 8, 3])
    row = network.layers[0].params["W"][2]
    network.layers[0].params["b"][2] = offset * np.linalg.norm(row) / 2.5
    x = rows_for(network, np.random.default_rng(0))
    result = polish(network, x, answers_of(network, x), noise=1e-6, rng=0)
    assert result.seldom_on == [(1, 2)]
    assert np.isinf(result.error_bars["0.W"][2]).all()
    assert np.isinf(result.error_bars["2.W"][:, 2]).all()
    assert np.isfinite(np.delete(result.error_bars["0.W"], 2, axis=0)).all()


@pytest.mark.parametrize(
    ("widths", "activation", "output", "free"),
    [
        ([6, 5, 3], "relu", "logits", 35 + 18 - 5),
        ([6, 5, 3], "tanh", "logits", 35 + 18),
        ([6, 5, 3], "relu", "probs", 35 + 18 - 5 - 6),
        ([6, 5, 1], "relu", "probs", 35 + 6 - 5),
        ([6, 3], "relu", "log_probs", 21 - 7),
    ],
)
def test_identifiable_weights_are_the_rank_of_the_jacobian(widths, activation, output, free):
    network = victim(widths, activation)
    weights, activations = gn.chain(network)
    rows = gn.with_ones(np.random.default_rng(0).normal(size=(200, 6)))
    answers = answers_of(network, rows[:, :-1], output)
    fit = gn.Fit(rows, activations, answers, np.ones_like(answers), output)
    J = gn.jacobian(fit, fit.at(weights)).reshape(answers.size, -1)
    assert np.linalg.matrix_rank(J, tol=1e-9) == free
    assert identifiable(weights, activations, output) == free


# ---- planted faults, and manners


def test_a_neuron_too_few_is_seen():
    network = victim([20, 8, 3])
    rng = np.random.default_rng(1)
    x = rows_for(network, rng)
    (A0, b0), (A1, b1) = network.dense()
    narrow = zoo.given([(A0[:-1], b0[:-1]), (A1[:, :-1], b1)])
    result = polish(narrow, x, answers_of(network, x, decimals=3), rng=rng, steps=20)
    assert not result.converged
    assert result.ratio > 10


def test_answers_to_other_rows_are_seen():
    network = victim([20, 8, 3])
    rng = np.random.default_rng(1)
    x = rows_for(network, rng)
    answers = answers_of(network, x, decimals=3)
    answers[[0, 1]] = answers[[1, 0]]
    result = polish(network, x, answers, rng=rng, steps=20)
    assert not result.converged


def test_the_given_copy_is_unchanged_and_the_seed_decides():
    network = victim([20, 8, 3])
    rng = np.random.default_rng(1)
    x, copy = rows_for(network, rng), rough(network, rng)
    before = {name: p.copy() for name, p in copy.parameters().items()}
    one, two = (polish(copy, x, answers_of(network, x, decimals=3), rng=5) for _ in range(2))
    for name, values in before.items():
        np.testing.assert_array_equal(copy.parameters()[name], values)
        np.testing.assert_array_equal(one.model.parameters()[name], two.model.parameters()[name])
    assert one.misfit == two.misfit


def test_misfits_only_fall_and_are_counted():
    result, _ = polished([20, 8, 3], decimals=3)
    assert all(b < a for a, b in zip(result.misfit, result.misfit[1:], strict=False))
    assert result.steps == len(result.misfit) - 1 > 2


def test_no_steps_are_a_judgement():
    network = victim([20, 8, 3])
    x = rows_for(network, np.random.default_rng(0))
    result = polish(network, x, answers_of(network, x, decimals=2), steps=0)
    assert (result.steps, result.converged) == (0, True)


def test_a_measured_noise_is_taken():
    result, _ = polished([20, 8, 3], decimals=3, noise=Noise("decimals", 3))
    assert result.noise == pytest.approx(1e-3 / np.sqrt(12))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"output": "label"}, "expected output="),
        ({"answers": np.zeros((100, 2))}, "expected rows"),
        ({"x": np.zeros((100, 19))}, "expected rows"),
        ({"output": "probs"}, r"expected answers from -0.1 to 1.1 for output='probs', got -?[0-9]"),
        ({"output": "top_k"}, "say what the answers are"),
        ({"output": "log_probs"}, "expected answers from -inf to 0.1"),
        ({"x": np.zeros((10, 20)), "answers": np.ones((10, 3))}, "more answered numbers"),
    ],
)
def test_wrong_arguments_are_named(change, said):
    x = np.random.default_rng(0).normal(size=(100, 20))
    network = victim([20, 8, 3])
    given = {"x": x, "answers": network.logits(x), "output": "logits"} | change
    with pytest.raises(ValueError, match=said):
        polish(network, given.pop("x"), given.pop("answers"), **given)


def test_progress_is_told_step_by_step_and_only_when_shown(capsys, monkeypatch):
    """A bar for the steps, with their misfit, and below it one for the iterations of each."""
    counted, told = {"polish": 0, "LSMR": 0}, []

    class Recorder(progress.Bar):
        def __init__(self, title):
            self.title = title

        def update(self, n=1):
            counted[self.title] += n

        def set_postfix_str(self, text):
            assert self.title == "polish"
            told.append(text)

    @contextlib.contextmanager
    def bar(title, total, unit):
        assert (title, unit) in (("polish", "step"), ("LSMR", "iteration"))
        yield Recorder(title)

    with monkeypatch.context() as patch:
        patch.setattr(progress, "bar", bar)
        result, _ = polished([20, 8, 3], decimals=3)
    assert counted["polish"] >= result.steps > 2
    assert counted["LSMR"] > 5 * counted["polish"]
    assert told[0] == f"misfit {result.misfit[1]:.1e}"
    assert told[-1].endswith("error bars")
    assert capsys.readouterr() == ("", "")
    with progress.shown():
        polished([20, 8, 3], decimals=3)
    assert "polish" in capsys.readouterr().err


# ---- neurons that the victim has not


def through(network, x):
    return forward(*gn.chain(network), gn.with_ones(x))


@pytest.mark.parametrize("seed", range(3))
def test_spare_neurons_do_not_hold_up_the_others(seed):
    """Each of them is a product that shall be 0, of which a step leaves a quarter."""
    rng = np.random.default_rng(seed)
    network = victim([20, 6, 3], seed=seed)
    x = rows_for(network, rng, times=8)
    (a0, b0), (a1, b1) = rough(network, rng, off=0.05).dense()
    spare = rng.normal(size=(3, 20)) / 5, rng.normal(size=(3, 3)) / 5
    copy = zoo.given(
        [(np.vstack([a0, spare[0]]), np.append(b0, [0.1] * 3)), (np.hstack([a1, spare[1]]), b1)]
    )
    result = polish(copy, x, network.logits(x), steps=12)
    assert result.misfit[-1] < 1e-12  # 1e-6 to 1e-5 where they fade by a quarter in each step
    assert (descent.part(through(result.model, x), 1) < 1e-9).sum() == 3


def test_a_neuron_that_is_wanted_comes_back():
    network = victim([20, 6, 3])
    x = rows_for(network, np.random.default_rng(0), times=8)
    weights = [w.copy() for w in through(network, x).weights]
    weights[1][:, 2] = 0  # its outgoing weights
    result = polish(gn.assemble(network, weights), x, network.logits(x), steps=12)
    assert result.misfit[-1] < 1e-12
