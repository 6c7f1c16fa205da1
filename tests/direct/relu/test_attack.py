"""The four steps on one hidden ReLU layer, as a whole.

Sizes of error: a second difference over a step of 1e-3 carries the rounding of an answer, some
1e-15, divided by the step: 1e-12; rows are asked to 1e-8. A copy is right when max |Δlogit| on
10,000 N(0, I) inputs is below 1e-5; measured 4e-8 or less over 1,500 random float64 victims.
"""

import numpy as np
import pytest
from victims import critical_point, edited, error_of, fresh, steal, truth, victim_of

import mstheft as mt
from mstheft import nn
from mstheft.direct import line as lines
from mstheft.direct import relu
from mstheft.direct.hyperplanes import hyperplanes
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes, with_neuron
from mstheft.direct.relu import attack
from mstheft.errors import ExtractionError
from mstheft.oracle import Oracle
from mstheft.result import Result


def attempt(oracle, seed):
    """A verified result, or None for an error of the attack."""
    try:
        return relu.extract(oracle, rng=seed)
    except ExtractionError:
        return None


# ---- steps 2 and 3 on a line


@pytest.mark.parametrize("seed", range(6))
def test_every_kink_gives_the_row_of_its_neuron(seed):
    d, h, K = 4 + 3 * seed, 3 + seed, 1 + seed % 3
    victim = victim_of(seed, d, h, K)
    A0, b0, A1, _ = truth(victim)
    oracle, result = Oracle(victim), Result()
    line = relu.find_critical_points(oracle, np.random.default_rng(seed))
    true = -(A0 @ line.start + b0) / (A0 @ line.direction)
    for i, t in enumerate(line.kinks):
        found = relu.measure_row(oracle, line, i, result)
        neuron = int(np.abs(true - t).argmin())
        size = np.linalg.norm(A1[:, neuron])
        if found is None:
            continue
        sign = np.sign(found.rows[0] @ A0[neuron])
        assert np.abs(sign * found.rows[0] - size * A0[neuron]).max() < 1e-7 * size
        assert abs(sign * found.offsets[0] - size * b0[neuron]) < 1e-7 * (1 + abs(t))
        assert np.abs(found.outputs[0] - A1[:, neuron] / size).max() < 1e-7
        assert found.errors[0] < 1e-6
    assert set(result.queries) == {"absolute weights", "relative signs"}


def test_a_row_that_drowns_in_rounding_is_not_believed():
    """A kink that is not there: whatever is measured is noise, and no row comes of it."""
    oracle = Oracle(lambda x: x[:, :1], inputs=3, decimals=4)
    line = lines.search(oracle, np.zeros(3), np.ones(3))
    line.kinks, line.jumps = np.array([0.3]), np.array([[1e-3]])
    assert relu.measure_row(oracle, line, 0, Result()) is None


def test_unexplained_are_the_kinks_of_no_known_neuron():
    victim = victim_of(1, 8, 6, 3)
    oracle = Oracle(victim)
    line = relu.find_critical_points(oracle, np.random.default_rng(5))
    assert attack.unexplained(line, Hyperplanes.none(8)) == list(range(6))
    neurons = Hyperplanes.none(8)
    for i in range(6):
        neurons = neurons.and_also(relu.measure_row(oracle, line, i, Result()))
    count = oracle.count
    other = relu.find_critical_points(Oracle(victim), np.random.default_rng(6))
    t, _ = hyperplanes.crossings(other, neurons)
    for missing in range(6):
        (left,) = attack.unexplained(other, neurons.only(np.arange(6) != missing))
        assert abs(other.kinks[left] - t[missing]) < 1e-6 * (1 + abs(t[missing]))
    assert attack.unexplained(other, neurons) == []
    assert oracle.count == count


def test_a_neuron_is_taken_once_and_with_its_more_exact_row():
    def seen(row, offset, error):
        row = np.array(row)
        point = -offset * row / (row @ row)
        return Hyperplanes(row[None], point[None], np.ones((1, 1)), np.array([error]))

    neurons = with_neuron(Hyperplanes.none(3), seen([1.0, 2, 3], 0.5, 1e-4))
    # the same, the other way round
    neurons = with_neuron(neurons, seen([-1.00001, -2, -3], -0.50001, 1e-6))
    assert neurons.errors.tolist() == [1e-6]
    neurons = with_neuron(neurons, seen([1.0, 2, 3], 0.5, 1e-3))
    assert neurons.errors.tolist() == [1e-6]
    neurons = with_neuron(neurons, seen([1.0, 2, 3], 0.8, 1e-6))  # parallel
    neurons = with_neuron(neurons, seen([1.0, 2, 2], 0.5, 1e-6))  # turned
    assert len(neurons) == 3
    neurons = with_neuron(neurons, seen([1.0, 2, 3], 0.8, 1e-9))  # more exact: in its place
    assert neurons.errors.tolist() == [1e-6, 1e-9, 1e-6]


# ---- shapes


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1, 1),
        (1, 1, 3),
        (1, 6, 2),  # d = 1
        (20, 1, 2),  # h = 1
        (9, 7, 1),  # K = 1
        (5, 4, 2),
        (6, 6, 3),  # h = d
        (4, 9, 3),  # h > d
        (3, 14, 2),  # h > K (d + 1): signs are not determined, the function is
        (2, 20, 1),
        (100, 10, 10),
    ],
)
def test_shapes(shape):
    result = steal(relu, victim_of(7, *shape))
    assert result.floor > 0
    d, h, K = shape
    found = len(result.model.dense()[0][1])
    assert h <= found <= h + 2 * min(d, K)
    assert found == h or h > K * d


def test_the_copy_is_the_victim_up_to_order_and_scale():
    victim = victim_of(8, 12, 7, 3)
    result = steal(relu, victim)
    assert mt.compare.alignment.align(victim, result.model).error < 1e-7
    assert result.found["verify"]
    assert result.error < 1e-7
    assert len(result.trace.neurons) == 7
    assert len(result.trace.lines[0].kinks) == 7


def test_the_cost_is_what_the_docstring_says():
    d, h = 100, 12
    result = steal(relu, victim_of(0, d, h, 5))
    assert 4 * d * h < result.total < 1.3 * (4 * d + 6) * h + 300
    assert result.queries["neuron signs"] == 2 * h + 1
    assert result.queries["verify"] == 100


# ---- neurons that are hard to see


def twin(scale, turned=0.0):
    def edit(W0, b0, W1):
        W0[1], b0[1] = scale * W0[0] + turned * np.cos(np.arange(W0.shape[1])), scale * b0[0]

    return edit


def zero_column(W0, b0, W1):
    W1[:, 0] = 0


def dependent(W0, b0, W1):
    W0[1] = 2 * W0[0] - W0[2]  # step 4 cannot move one of the three alone


def zero_weights(W0, b0, W1):
    W0[np.abs(W0) < np.median(np.abs(W0))] = 0


def equal_magnitudes(W0, b0, W1):
    W0[...] = np.sign(W0)


def weak_outputs(W0, b0, W1):
    W1 *= 10.0 ** -np.arange(W1.shape[1]) / 10


@pytest.mark.parametrize(
    ("edit", "neurons"),
    [
        (twin(1.0), 5),  # duplicate
        (twin(3.0), 5),  # scaled duplicate
        (twin(-1.0), None),  # opposite twins: one hyperplane, both sides active
        (twin(-0.5), None),
        (zero_column, 5),  # a dead output: the function does not know this neuron
        (twin(1.0, 1e-2), 6),
        (twin(1.0, 1e-4), 6),  # nearly parallel
        (dependent, None),
        (zero_weights, 6),
        (equal_magnitudes, 6),
        (weak_outputs, 6),
    ],
)
@pytest.mark.parametrize("K", [1, 3])
def test_neurons_that_are_hard_to_tell_apart(edit, neurons, K):
    for seed in range(3):
        victim = edited(victim_of(seed, 9, 6, K), edit)
        result = steal(relu, victim)
        found = len(result.model.dense()[0][1])
        assert neurons is None or found == neurons


@pytest.mark.parametrize("gap", [1e-6, 1e-8, 1e-10, 1e-13])
def test_nearly_equal_neurons_are_verified_or_an_error(gap):
    for seed in range(4):
        victim = edited(victim_of(seed, 6, 5, 2), twin(1.0, gap))
        result = attempt(Oracle(victim, budget=100_000), seed)
        assert result is None or error_of(victim, result.model, fresh(6)) < 1e-5


def test_a_victim_whose_outputs_are_all_dead_is_named_as_constant():
    victim = edited(victim_of(0, 4, 3, 2), lambda W0, b0, W1: W1.fill(0))
    with pytest.raises(ExtractionError, match="answers never change") as caught:
        relu.extract(Oracle(victim), rng=0)
    assert caught.value.stage == "critical points"


def test_rare_neurons_are_right_at_their_own_critical_points():
    """bias std 5: neurons that are on once in 10,000 inputs, or never, must still be right."""
    rare = 0
    for seed in range(8):
        victim = nn.zoo.mlp([15, 10, 3], bias=5.0, rng=seed)
        result = steal(relu, victim)
        A0, b0, _, _ = truth(victim)
        for i in range(10):
            x = critical_point(victim, i) + np.random.default_rng(i).normal(size=(500, 15))
            assert error_of(victim, result.model, x) < 1e-6
        rare += ((fresh(15) @ A0.T + b0 > 0).mean(axis=0) < 1e-3).sum()
    assert 3 <= rare < 80


def test_a_neuron_that_is_never_on_where_it_is_verified():
    victim = edited(victim_of(1, 8, 5, 2), lambda W0, b0, W1: b0.__setitem__(0, -30.0))
    result = steal(relu, victim)
    x = critical_point(victim, 0) + np.random.default_rng(0).normal(size=(1000, 8))
    assert error_of(victim, result.model, x) < 1e-5


# ---- answers of all kinds


@pytest.mark.parametrize("K", [1, 2, 5])
@pytest.mark.parametrize("output", ["log_probs", "probs"])
def test_probabilities_are_as_good_as_logits(output, K):
    for seed in range(3):
        steal(relu, victim_of(seed, 8, 6, K), output)


@pytest.mark.parametrize("decimals", range(1, 13))
def test_rounded_answers_are_verified_or_an_error(decimals):
    right = 0
    for seed in range(4):
        victim = victim_of(seed, 8, 5, 3)
        oracle = Oracle(victim, decimals=decimals, budget=100_000)
        result = attempt(oracle, seed)
        if result is not None:
            spread = victim.logits(fresh(8)).std(axis=0).max()
            allowed = max(1e-6, min(1e-2, 1000 * 10.0**-decimals))
            error = error_of(victim, result.model, fresh(8))
            assert error < 5 * spread * allowed + 10.0**-decimals
            right += 1
    assert right == 4 or decimals < 7


@pytest.mark.parametrize("seed", [3, 4, 11, 16, 21, 22])
def test_blurred_rows_are_measured_again(seed):
    """Rounded to 8 decimals a row is not sharp enough at first; another line shows it better."""
    victim = small(seed)
    result = attempt(Oracle(victim, decimals=8, budget=100_000), seed)
    assert result is not None
    assert len(result.trace.lines) > 1
    assert error_of(victim, result.model, fresh(victim.inputs)) < 1e-4


def test_faint_outputs_under_a_large_constant():
    """Only the last bias is of normal size: seven digits are left of what the neurons say."""
    right = 0
    for seed in range(6):
        victim = edited(victim_of(seed, 8, 5, 2), lambda W0, b0, W1: W1.__imul__(1e-8))
        result = attempt(Oracle(victim, budget=100_000), seed)
        if result is not None:
            assert error_of(victim, result.model, fresh(8)) < 1e-10
            right += 1
    assert right >= 5  # measured: 38 of 40


def test_a_float32_victim():
    right = 0
    for seed in range(8):
        victim = victim_of(seed, 12, 6, 3, dtype=np.float32)
        result = attempt(Oracle(victim, budget=100_000), seed)
        if result is not None:
            assert error_of(victim, result.model, fresh(12)) < 1e-2
            right += 1
    assert right >= 7  # measured: 39 of 40


@pytest.mark.parametrize("power", [-6, 6])
def test_the_unit_of_the_answers_does_not_matter(power):
    victim = edited(victim_of(2, 7, 5, 3), lambda W0, b0, W1: None)
    for p in victim.dense()[1]:
        p *= 10.0**power
    result = steal(relu, victim, most=1e-5 * 10.0**power)
    assert result.total < 1500


def test_trained_networks():
    x, y = mt.data.synthetic.glyphs(600, rng=0, size=10)
    victim = nn.zoo.mlp([x.shape[1], 12, 10], rng=1)
    nn.fit.fit(victim, x, y, epochs=30, optimizer=nn.optim.Adam(5e-3), rng=2)
    assert nn.fit.accuracy(victim, x, y) > 0.6
    result = steal(relu, victim)
    assert mt.compare.agreement(victim, result.model, x) == 1.0
    assert error_of(victim, result.model, x) < 1e-6


OUTPUTS = {
    "classifier": ("probs", "log_probs"),
    "binary": ("probs",),
    "regressor": ("logits",),
    "two outputs": ("logits",),
}


@pytest.mark.parametrize("kind", OUTPUTS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learn_victims(kind):
    neural = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5))
    y = {
        "classifier": (np.abs(x[:, :3])).argmax(axis=1),
        "binary": (x[:, 0] * x[:, 1] > 0).astype(int),
        "regressor": np.abs(x[:, 0]) + x[:, 1],
        "two outputs": np.abs(x[:, :2]) + x[:, 2:4],
    }[kind]
    probs = kind in ("classifier", "binary")
    make = neural.MLPClassifier if probs else neural.MLPRegressor
    model = make(hidden_layer_sizes=(7,), activation="relu", max_iter=60, random_state=0).fit(x, y)
    fresh_x = fresh(5, 2000)
    for output in OUTPUTS[kind]:
        result = relu.extract(Oracle(model, output, budget=50_000), rng=3)
        assert result.verified
        if probs:
            copy, own = result.model.probs(fresh_x), model.predict_proba(fresh_x)
            copy = copy if copy.shape[1] > 1 else np.hstack([1 - copy, copy])
        else:
            copy = result.model.logits(fresh_x)
            own = model.predict(fresh_x).reshape(len(copy), -1)
        assert np.abs(copy - own).max() < 1e-6


# ---- verification is sound


def small(seed):
    rng = np.random.default_rng([seed, 7])
    shape = [int(rng.integers(1, top + 1)) for top in (12, 15, 4)]
    return nn.zoo.mlp(shape, bias=[0.1, 0.0, 1.0][seed % 3], rng=seed)


def rate(seeds):
    """(verified and right, verified and wrong, errors) over random small victims."""
    right, wrong, errors = [], [], []
    for seed in seeds:
        victim = small(seed)
        try:
            result = relu.extract(Oracle(victim, budget=200_000), rng=seed)
        except ExtractionError:
            errors.append(seed)
            continue
        error = error_of(victim, result.model, fresh(victim.inputs))
        (right if result.verified and error < 1e-5 else wrong).append(seed)
    return right, wrong, errors


def test_a_hundred_random_victims():
    right, wrong, errors = rate(range(100))
    assert wrong == []
    assert errors == []  # measured: 1,500 of 1,500 verified
    assert len(right) == 100


@pytest.mark.slow
def test_fifteen_hundred_random_victims():
    right, wrong, errors = rate(range(100, 1600))
    assert wrong == []
    assert len(right) >= 1497
    assert len(errors) <= 3


# Found among 8,000 seeds: a wrong sign, made good by the last layer everywhere but between two
# kinks so close that none of the points asked lay there.
IN_A_GAP = [1163, 1680, 1926, 2328, 3333, 6527, 6825]


@pytest.mark.parametrize("seed", IN_A_GAP)
def test_a_wrong_sign_does_not_hide_between_two_kinks(seed):
    victim = small(seed)
    result = relu.extract(Oracle(victim), rng=seed + 1)
    everywhere = np.linspace(-6, 6, 200_001)[:, None]
    assert victim.inputs == 1
    assert error_of(victim, result.model, everywhere) < 1e-9


def test_a_false_copy_is_never_verified(monkeypatch):
    """Every stage in turn gives a slightly wrong answer; the copy must not be called verified."""
    victim = victim_of(0, 7, 4, 2)

    def nudged(function, change):
        def wrong(*args, **kwargs):
            return change(function(*args, **kwargs))

        return wrong

    faults = {
        "signs_of": lambda signs: signs * np.r_[-1.0, np.ones(len(signs) - 1)],
        "solve_last_layer": lambda pair: (pair[0] * (1 + 1e-4), pair[1]),
        "affine_remainder": lambda pair: (pair[0], pair[1] + 1e-3),
    }
    for faulty in (["solve_last_layer", "affine_remainder"], ["signs_of", "affine_remainder"]):
        with monkeypatch.context() as patch:
            for name in faulty:
                patch.setattr(attack, name, nudged(getattr(attack, name), faults[name]))
            with pytest.raises(ExtractionError) as caught:
                relu.extract(Oracle(victim), rng=0)
            assert caught.value.stage == "verify"
            assert not caught.value.partial.verified


def test_each_stage_says_what_it_found():
    result = relu.extract(Oracle(victim_of(0, 12, 3, 2)), rng=1)
    lines = len(result.trace.lines)
    assert result.found["critical points"] == f"{3 * lines} kinks on {lines} lines"
    assert result.found["absolute weights"] == "3 rows of 12 without signs"
    assert result.found["neuron signs"] == "3 signs, one per neuron"
    assert result.found["last layer"] == "6 weights and 2 biases"


# ---- between walls


@pytest.mark.parametrize(
    ("seed", "d", "h", "K", "dtype", "exact"),
    [(21, 20, 15, 3, float, True), (3, 12, 6, 1, float, True), (5, 20, 8, 4, np.float32, False)],
)
def test_nothing_outside_the_walls_is_asked(seed, d, h, K, dtype, exact):
    """The oracle refuses whatever lies outside, so that one such row ends the attack."""
    whole = victim_of(seed, d, h, K)
    victim = nn.Network(whole.layers, whole.shape, dtype)
    oracle = Oracle(victim, inputs=(0, 1), budget=20_000)
    result = relu.extract(oracle, rng=3)
    assert result.verified
    assert result.total == oracle.count
    x = np.random.default_rng(0).random((2000, d))
    assert error_of(victim, result.model, x) < (1e-8 if exact else 2 * result.error)


def test_walls_may_be_given_and_a_witness_is_sought_before_a_copy_is_believed():
    victim = victim_of(3, 12, 6, 1)
    asked = []

    def answer(x):
        asked.append(np.array([x.min(), x.max()]))
        return victim.logits(x)

    result = relu.extract(Oracle(answer, inputs=12), rng=3, low=0.0, high=1.0)
    assert result.queries["witness"] >= 1000
    assert (np.min(asked), np.max(asked)) == pytest.approx((0, 1), abs=0.05)
    assert np.min(asked) >= 0
    assert np.max(asked) <= 1


def test_whole_numbers_are_left_to_the_sweep():
    with pytest.raises(ExtractionError, match="whole numbers"):
        relu.extract(Oracle(victim_of(3, 12, 6, 1), inputs="pixels"), rng=0)
