"""The four steps on one hidden ReLU layer: each stage against the true weights, then the whole.

Sizes of error: a second difference over a step of 1e-3 carries the rounding of an answer, some
1e-15, divided by the step: 1e-12; rows are asked to 1e-8. A copy is right when max |Δlogit| on
10,000 N(0, I) inputs is below 1e-5; measured 4e-8 or less over 1,500 random float64 victims.
"""

import numpy as np
import pytest

import mstheft as mt
from mstheft import nn
from mstheft.direct import line as lines
from mstheft.direct.relu import attack as relu
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.oracle import Oracle

STAGES = {
    "answers",
    "critical points",
    "absolute weights",
    "relative signs",
    "neuron signs",
    "last layer",
    "verify",
}


def network(A0, b0, A1, b1, dtype=float):
    return relu.assemble(*(np.asarray(p, dtype) for p in (A0, b0, A1, b1)))


def victim_of(seed, d, h, K, bias=0.3, dtype=float):
    return nn.zoo.mlp([d, h, K], bias=bias, rng=seed, dtype=dtype)


def error_of(victim, copy, x, centred=False):
    """max |Δlogit| on x."""
    a, b = victim.logits(x).astype(float), copy.logits(x).astype(float)
    if centred and a.shape[1] > 1:
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    return np.abs(a - b).max()


def fresh(d, n=10_000):
    return np.random.default_rng(99).normal(size=(n, d))


def steal(victim, output="logits", seed=1, most=1e-5, **kwargs):
    """Extract, and hold the verified copy against the victim on 10,000 fresh inputs."""
    oracle = Oracle(victim, output, budget=200_000, **kwargs)
    result = relu.extract(oracle, rng=seed)
    assert result.verified
    assert result.total == oracle.count
    assert error_of(victim, result.model, fresh(victim.inputs), output != "logits") < most
    return result


def attempt(oracle, seed):
    """A verified result or None; an error must name a stage and how to go on."""
    try:
        result = relu.extract(oracle, rng=seed)
    except ExtractionError as caught:
        error, result = caught, None
    else:
        error = None
    if error is not None:
        assert error.stage in STAGES
        assert error.advice
    return result


def truth(victim):
    (A0, b0), (A1, b1) = victim.dense()
    return A0, b0, A1, b1


def critical_point(victim, i, seed=0):
    """A random point on the hyperplane of neuron i."""
    A0, b0, _, _ = truth(victim)
    x = np.random.default_rng(seed).normal(size=victim.inputs)
    return x - (A0[i] @ x + b0[i]) / (A0[i] @ A0[i]) * A0[i]


def unit(v):
    return v / np.linalg.norm(v)


# ---- step 2: second differences and absolute weights


@pytest.mark.parametrize("K", [1, 4])
def test_second_difference_is_three_evaluations_and_the_formula(K):
    victim = victim_of(0, 6, 5, K)
    A0, _, A1, _ = truth(victim)
    oracle, x, c = Oracle(victim), critical_point(victim, 2), 1e-4
    e = unit(np.random.default_rng(1).normal(size=6))
    found = relu.second_difference(oracle, x, e, c)
    ahead, here, behind = (victim.logits(p[None])[0] for p in (x + c * e, x, x - c * e))
    assert found.shape == (K,)
    assert oracle.count == 3
    assert np.abs(found - (ahead - 2 * here + behind) / c).max() < 1e-11
    assert np.abs(found - np.abs(A0[2] @ e) * A1[:, 2]).max() < 1e-10


def test_second_difference_vanishes_away_from_every_hyperplane():
    victim = victim_of(0, 6, 5, 3)
    found = relu.second_difference(Oracle(victim), fresh(6)[0], np.eye(6)[0], 1e-6)
    assert np.abs(found).max() < 1e-8


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 4, 1), (5, 4, 3), (600, 3, 2)])
def test_absolute_weights_against_the_truth(shape):
    victim = victim_of(3, *shape)
    A0, _, A1, _ = truth(victim)
    oracle, x, size = Oracle(victim), critical_point(victim, 0), np.linalg.norm(A1[:, 0])
    absolute, stray = relu.absolute_weights(oracle, x, 1e-4, A1[:, 0] / size)
    assert oracle.count == 2 * shape[0] + 1
    assert np.abs(absolute - size * np.abs(A0[0])).max() < 1e-9
    assert stray < 1e-9


def test_a_step_across_another_hyperplane_is_stray():
    """What does not point along A1[:, i] is somebody else's: with K > 1 it shows."""
    A0 = [[1.0, 0.5], [1.0, -0.5]]
    victim = network(A0, [0, 0.01], [[1.0, 0], [0, 1]], [0, 0])
    oracle, x, output = Oracle(victim), np.zeros(2), np.array([1.0, 0])
    _, clean = relu.absolute_weights(oracle, x, 1e-3, output)
    _, crossed = relu.absolute_weights(oracle, x, 0.1, output)
    assert clean < 1e-10
    assert crossed == pytest.approx((0.1 - 0.01) / 0.1, rel=1e-6)  # relu(y - 0.01) along e_1
    _, negative = relu.absolute_weights(oracle, x, 1e-3, -output)
    assert negative == pytest.approx(1.0, rel=1e-6)  # a length against A1_i is stray as well


# ---- step 3: relative signs


@pytest.mark.parametrize(
    ("row", "signs"),
    [
        ([3.0, -1, 2, -2.5], [1, -1, 1, -1]),
        ([-3.0, -1, 2, -2.5], [1, 1, -1, 1]),  # relative to the largest
        ([1.0, 0, -0.5, 0], [1, None, -1, None]),  # a weight of zero has no sign
        ([1.0, -1, 1, -1], [1, -1, 1, -1]),  # equal magnitudes cancel exactly
        ([-2.0, 2, 2], [1, -1, -1]),
        ([0.0, 0, -4], [None, None, 1]),
        ([5.0], [1]),
        ([-5.0], [1]),
        ([1.0, 1e-7, -1e-7], [1, 1, -1]),
    ],
)
def test_relative_signs(row, signs):
    d = len(row)
    victim = network([row], [0.0], [[0.6], [0.8]], [1.0, 2])
    oracle, output = Oracle(victim), np.array([0.6, 0.8])
    found, stray = relu.relative_signs(oracle, np.zeros(d), 1e-3, output, np.abs(row))
    assert oracle.count == 2 * (d - 1) + 1
    assert stray < 1e-10
    assert set(found) <= {-1.0, 1.0}
    for own, expected in zip(found, signs, strict=True):
        assert expected is None or own == expected


def test_relative_signs_say_how_far_they_missed():
    victim = network([[1.0, 0.5]], [0.0], [[1.0]], [0.0])
    wrong = np.array([1.0, 0.3])
    _, stray = relu.relative_signs(Oracle(victim), np.zeros(2), 1e-3, np.ones(1), wrong)
    assert stray == pytest.approx(0.1, rel=1e-6)  # (1.5 - 1.3) / 2


# ---- steps 2 and 3 on a line


@pytest.mark.parametrize("seed", range(6))
def test_every_kink_gives_the_row_of_its_neuron(seed):
    d, h, K = 4 + 3 * seed, 3 + seed, 1 + seed % 3
    victim = victim_of(seed, d, h, K)
    A0, b0, A1, _ = truth(victim)
    oracle, result = Oracle(victim), mt.result.Result()
    line = relu.random_line(oracle, np.random.default_rng(seed))
    true = -(A0 @ line.start + b0) / (A0 @ line.direction)
    for i, t in enumerate(line.kinks):
        n = relu.measure_row(oracle, line, i, result)
        neuron = int(np.abs(true - t).argmin())
        size = np.linalg.norm(A1[:, neuron])
        if n is None:
            continue
        sign = np.sign(n.row @ A0[neuron])
        assert np.abs(sign * n.row - size * A0[neuron]).max() < 1e-7 * size
        assert abs(sign * n.offset - size * b0[neuron]) < 1e-7 * (1 + abs(t))
        assert np.abs(n.output - A1[:, neuron] / size).max() < 1e-7
        assert np.array_equal(n.row, n.absolute * n.signs)
        assert n.blur < 1e-6
    assert set(result.queries) == {"absolute weights", "relative signs"}


def test_a_row_that_drowns_in_rounding_is_not_believed():
    """A kink that is not there: whatever is measured is noise, and no row comes of it."""
    oracle = Oracle(lambda x: x[:, :1], inputs=3, decimals=4)
    line = lines.search(oracle, np.zeros(3), np.ones(3))
    line.kinks, line.jumps = np.array([0.3]), np.array([[1e-3]])
    assert relu.measure_row(oracle, line, 0, mt.result.Result()) is None


def test_unexplained_are_the_kinks_of_no_known_neuron():
    victim = victim_of(1, 8, 6, 3)
    oracle = Oracle(victim)
    line = relu.random_line(oracle, np.random.default_rng(5))
    assert relu.unexplained(line, []) == list(range(6))
    result = mt.result.Result()
    neurons = [relu.measure_row(oracle, line, i, result) for i in range(6)]
    asked = oracle.count
    assert None not in neurons
    other = relu.random_line(Oracle(victim), np.random.default_rng(6))
    for missing in range(6):
        known = neurons[:missing] + neurons[missing + 1 :]
        (left,) = relu.unexplained(other, known)
        t = -(neurons[missing].row @ other.start + neurons[missing].offset) / (
            neurons[missing].row @ other.direction
        )
        assert abs(other.kinks[left] - t) < 1e-6 * (1 + abs(t))
    assert relu.unexplained(other, neurons) == []
    assert oracle.count == asked


def test_a_neuron_is_kept_once_and_with_its_sharper_row():
    def seen(row, offset, blur):
        row = np.array(row)
        point = -offset * row / (row @ row)
        return relu.Neuron(row, offset, np.ones(1), point, 1e-3, blur, abs(row), np.sign(row))

    found = []
    relu.keep(found, seen([1.0, 2, 3], 0.5, 1e-4))
    relu.keep(found, seen([-1.00001, -2, -3], -0.50001, 1e-6))  # the same, the other way round
    assert [n.blur for n in found] == [1e-6]
    relu.keep(found, seen([1.0, 2, 3], 0.5, 1e-3))
    assert [n.blur for n in found] == [1e-6]
    relu.keep(found, seen([1.0, 2, 3], 0.8, 1e-6))  # parallel
    relu.keep(found, seen([1.0, 2, 2], 0.5, 1e-6))  # turned
    assert len(found) == 3


# ---- step 4


@pytest.mark.parametrize("shape", [(2, 1, 1), (6, 5, 1), (12, 5, 3), (40, 39, 2)])
def test_neuron_signs_against_the_truth(shape):
    d, h, _ = shape
    victim = victim_of(4, *shape)
    A0, b0, _, _ = truth(victim)
    flip = np.random.default_rng(0).choice([-1.0, 1.0], h)
    oracle = Oracle(victim)
    found = relu.neuron_signs(oracle, flip[:, None] * A0, flip * b0)
    assert np.array_equal(found, flip)
    assert oracle.count == 2 * h + 1
    assert h < d


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 3, 1), (4, 8, 2), (3, 12, 4), (20, 5, 3)])
def test_signs_by_least_squares_against_the_truth(shape):
    d, h, K = shape
    victim = victim_of(4, *shape)
    A0, b0, A1, _ = truth(victim)
    flip = np.random.default_rng(0).choice([-1.0, 1.0], h)
    oracle = Oracle(victim)
    args = flip[:, None] * A0, flip * b0, A1.T, np.random.default_rng(1)
    assert h <= K * d  # K (d + 1) numbers, less the K that b1 takes
    assert np.array_equal(relu.signs_by_least_squares(oracle, *args), flip)
    assert oracle.count == 2 * (h // K + 1) + 4


# ---- step 5


@pytest.mark.parametrize("shape", [(1, 1, 1), (10, 6, 3), (4, 9, 2)])
def test_solve_last_layer_against_the_truth(shape):
    victim = victim_of(2, *shape)
    A0, b0, A1, b1 = truth(victim)
    points = np.array([critical_point(victim, i) for i in range(len(b0))])
    oracle = Oracle(victim)
    weights, bias = relu.solve_last_layer(oracle, A0, b0, points, np.random.default_rng(0))
    assert np.abs(weights - A1).max() < 1e-10
    assert np.abs(bias - b1).max() < 1e-10
    assert oracle.count == 2 * (len(b0) + 1)


def test_solve_last_layer_switches_every_neuron_on():
    """A neuron that is on once in 10^9 inputs is still solved for: its own points show it."""
    A0, b0 = np.eye(3), np.array([0.0, 0.3, -6.0])
    A1, b1 = np.array([[1.0, -2, 3], [0.5, 1, -1]]), np.array([0.1, 0.2])
    points = -b0[:, None] * np.eye(3)
    oracle = Oracle(network(A0, b0, A1, b1))
    weights, _ = relu.solve_last_layer(oracle, A0, b0, points, np.random.default_rng(0))
    assert np.abs(weights - A1).max() < 1e-10


@pytest.mark.parametrize("shape", [(1, 3, 1), (6, 4, 3), (3, 7, 5), (2, 30, 1)])
def test_with_remainder_is_the_same_function_whatever_the_signs(shape):
    d, h, K = shape
    victim = victim_of(6, *shape)
    A0, b0, A1, _ = truth(victim)
    flip = np.random.default_rng(3).choice([-1.0, 1.0], h)
    oracle = Oracle(victim)
    parts = relu.with_remainder(
        oracle, flip[:, None] * A0, flip * b0, A1.T, np.random.default_rng(0)
    )
    copy = relu.assemble(*parts)
    assert oracle.count == d + 5
    assert error_of(victim, copy, fresh(d, 1000)) < 1e-9
    assert h <= len(parts[0]) <= h + 2 * min(K, d)


def test_with_remainder_of_the_right_signs_adds_no_neuron():
    victim = victim_of(6, 5, 4, 2)
    A0, b0, A1, _ = truth(victim)
    parts = relu.with_remainder(Oracle(victim), A0, b0, A1.T, np.random.default_rng(0))
    assert error_of(victim, relu.assemble(*parts), fresh(5, 1000)) < 1e-9


def test_rows_that_cannot_be_read_are_left_out():
    """Some probabilities are exactly 0: the rest still determine the last layer."""
    victim = network(1000 * np.eye(2), [0.0, 0], [[1.0, 0], [0, 1]], [0, 0])
    points = np.zeros((20, 2))
    oracle = Oracle(victim, "probs")
    hidden = (oracle.query(fresh(2, 100)) == 0).any(axis=1).mean()
    assert 0.01 < hidden < 0.9
    weights, _ = relu.solve_last_layer(
        oracle, 1000 * np.eye(2), np.zeros(2), points, np.random.default_rng(0)
    )
    assert np.abs(weights - [[0.5, -0.5], [-0.5, 0.5]]).max() < 1e-8


# ---- the whole attack: shapes


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
    result = steal(victim_of(7, *shape))
    assert set(result.queries) <= STAGES
    assert result.floor > 0
    d, h, K = shape
    found = len(result.model.dense()[0][1])
    assert h <= found <= h + 2 * min(d, K)
    assert found == h or h > K * d


def test_the_copy_is_the_victim_up_to_order_and_scale():
    victim = victim_of(8, 12, 7, 3)
    result = steal(victim)
    assert mt.compare.alignment.align(victim, result.model).error < 1e-7
    assert result.found["verify"]
    assert result.error < 1e-7
    assert len(result.trace.neurons) == 7
    assert len(result.trace.lines[0].kinks) == 7


def test_the_cost_is_what_the_docstring_says():
    d, h = 100, 12
    result = steal(victim_of(0, d, h, 5))
    assert 4 * d * h < result.total < 1.3 * (4 * d + 6) * h + 300
    assert result.queries["neuron signs"] == 2 * h + 1
    assert result.queries["verify"] == 100


# ---- the whole attack: neurons that are hard to see


def with_rows(victim, edit):
    victim = victim.copy()
    (W0, b0), (W1, _) = victim.dense()
    edit(W0, b0, W1)
    return victim


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
        victim = with_rows(victim_of(seed, 9, 6, K), edit)
        result = steal(victim)
        found = len(result.model.dense()[0][1])
        assert neurons is None or found == neurons


@pytest.mark.parametrize("gap", [1e-6, 1e-8, 1e-10, 1e-13])
def test_nearly_equal_neurons_are_verified_or_an_error(gap):
    for seed in range(4):
        victim = with_rows(victim_of(seed, 6, 5, 2), twin(1.0, gap))
        result = attempt(Oracle(victim, budget=100_000), seed)
        assert result is None or error_of(victim, result.model, fresh(6)) < 1e-5


def test_all_outputs_dead_is_told_as_a_linear_victim():
    victim = with_rows(victim_of(0, 4, 3, 2), lambda W0, b0, W1: W1.fill(0))
    with pytest.raises(ExtractionError, match="linear") as caught:
        relu.extract(Oracle(victim), rng=0)
    assert caught.value.stage == "critical points"


def test_rare_neurons_are_right_at_their_own_critical_points():
    """bias std 5: neurons that are on once in 10,000 inputs, or never, must still be right."""
    rare = 0
    for seed in range(8):
        victim = nn.zoo.mlp([15, 10, 3], bias=5.0, rng=seed)
        result = steal(victim)
        A0, b0, _, _ = truth(victim)
        for i in range(10):
            x = critical_point(victim, i) + np.random.default_rng(i).normal(size=(500, 15))
            assert error_of(victim, result.model, x) < 1e-6
        rare += ((fresh(15) @ A0.T + b0 > 0).mean(axis=0) < 1e-3).sum()
    assert 3 <= rare < 80


def test_a_neuron_that_is_never_on_where_it_is_verified():
    victim = with_rows(victim_of(1, 8, 5, 2), lambda W0, b0, W1: b0.__setitem__(0, -30.0))
    result = steal(victim)
    x = critical_point(victim, 0) + np.random.default_rng(0).normal(size=(1000, 8))
    assert error_of(victim, result.model, x) < 1e-5


# ---- the whole attack: what the oracle tells


@pytest.mark.parametrize("K", [1, 2, 5])
@pytest.mark.parametrize("output", ["log_probs", "probs"])
def test_probabilities_are_as_good_as_logits(output, K):
    for seed in range(3):
        steal(victim_of(seed, 8, 6, K), output)


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
        victim = with_rows(victim_of(seed, 8, 5, 2), lambda W0, b0, W1: W1.__imul__(1e-8))
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
    victim = with_rows(victim_of(2, 7, 5, 3), lambda W0, b0, W1: None)
    for p in victim.dense()[1]:
        p *= 10.0**power
    result = steal(victim, most=1e-5 * 10.0**power)
    assert result.total < 1500


def test_trained_networks():
    x, y = mt.data.synthetic.glyphs(600, rng=0, size=10)
    victim = nn.zoo.mlp([x.shape[1], 12, 10], rng=1)
    nn.fit.fit(victim, x, y, epochs=30, optimizer=nn.optim.Adam(5e-3), rng=2)
    assert nn.fit.accuracy(victim, x, y) > 0.6
    result = steal(victim)
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


# ---- budgets, seeds, wrong victims


@pytest.mark.parametrize(
    "budget", [0, 1, 5, 6, 10, 40, 60, 70, 100, 150, 200, 250, 300, 310, 320, 330, 340, 400, 450]
)
def test_the_budget_ends_at_every_stage(budget):
    victim = victim_of(0, 15, 6, 3)
    need = relu.extract(Oracle(victim), rng=0).total
    assert 450 < need < 1000
    oracle = Oracle(victim, budget=budget)
    with pytest.raises(BudgetExhausted) as caught:
        relu.extract(oracle, rng=0)
    assert oracle.count <= budget
    partial = caught.value.partial
    assert partial.total == oracle.count
    assert not partial.verified
    assert set(partial.queries) <= STAGES


def test_each_stage_can_be_the_one_that_runs_out():
    victim = victim_of(0, 15, 6, 3)
    whole = relu.extract(Oracle(victim), rng=0)
    last = set()
    for budget in range(0, whole.total, 7):
        with pytest.raises(BudgetExhausted) as caught:
            relu.extract(Oracle(victim, budget=budget), rng=0)
        last.add(list(caught.value.partial.queries)[-1])
    assert last == STAGES - {"answers"}
    exact = relu.extract(Oracle(victim, budget=whole.total), rng=0)
    assert exact.verified
    assert exact.total == whole.total


def test_the_same_seed_gives_the_same_copy():
    victim = victim_of(3, 7, 5, 2)
    for seed in (5, 6):
        one = relu.extract(Oracle(victim), rng=seed)
        two = relu.extract(Oracle(victim), rng=np.random.default_rng(seed))
        for a, b in zip(one.model.dense(), two.model.dense(), strict=True):
            assert np.array_equal(a[0], b[0])
            assert np.array_equal(a[1], b[1])
        assert one.queries == two.queries


WRONG = {
    "tanh": nn.zoo.mlp([6, 5, 3], activation="tanh", bias=0.3, rng=0),
    "sigmoid": nn.zoo.mlp([6, 5, 1], activation="sigmoid", bias=0.3, rng=0),
    "softplus": nn.zoo.mlp([6, 5, 3], activation="softplus", bias=0.3, rng=0),
    "two hidden layers": nn.zoo.mlp([6, 5, 4, 3], bias=0.3, rng=0),
    "two hidden layers, one output": nn.zoo.mlp([6, 5, 4, 1], bias=0.3, rng=0),
    "wide, two hidden layers": nn.zoo.mlp([3, 12, 12, 2], bias=0.3, rng=0),
    "linear": nn.zoo.softmax(6, 3, rng=0),
    "constant": network(np.zeros((1, 6)), [1.0], [[1.0], [2]], [0, 0]),
    "max pooling": lambda x: np.maximum(x[:, :3], x[:, 3:6]).max(axis=1, keepdims=True),
    "noisy": lambda x, rng=np.random.default_rng(0): (  # noqa: B008
        np.abs(x[:, :2]) + 0.05 * rng.normal(size=(len(x), 2))
    ),
    "stairs": lambda x: np.floor(x @ np.ones((6, 2))),
    "NaN": lambda x: np.full((len(x), 2), np.nan),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_victim_is_an_error_that_names_the_stage(name):
    victim = WRONG[name]
    kwargs = {} if isinstance(victim, nn.Network) else {"inputs": 6}
    oracle = Oracle(victim, budget=2_000_000, **kwargs)
    with pytest.raises(ExtractionError) as caught:
        relu.extract(oracle, rng=0)
    error = caught.value
    assert error.stage in STAGES
    assert error.stage in str(error)
    assert error.assumption
    assert error.advice
    assert not error.partial.verified
    assert error.partial.total == oracle.count < 1_000_000


def test_labels_alone_are_not_enough():
    oracle = Oracle(victim_of(0, 4, 3, 2), "label")
    with pytest.raises(ExtractionError, match="label") as caught:
        relu.extract(oracle, rng=0)
    assert caught.value.stage == "answers"
    assert "label_only" in caught.value.advice
    assert oracle.count == 0


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


def test_three_hundred_random_victims():
    right, wrong, errors = rate(range(300))
    assert wrong == []
    assert errors == []  # measured: 1,500 of 1,500 verified
    assert len(right) == 300


@pytest.mark.slow
def test_fifteen_hundred_random_victims():
    right, wrong, errors = rate(range(300, 1800))
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
        "neuron_signs": lambda signs: signs * np.r_[-1.0, np.ones(len(signs) - 1)],
        "solve_last_layer": lambda pair: (pair[0] * (1 + 1e-4), pair[1]),
        "with_remainder": lambda parts: (*parts[:3], parts[3] + 1e-3),
    }
    for faulty in (["solve_last_layer", "with_remainder"], ["neuron_signs", "with_remainder"]):
        with monkeypatch.context() as patch:
            for name in faulty:
                patch.setattr(relu, name, nudged(getattr(relu, name), faults[name]))
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


def test_a_spent_budget_still_says_what_was_found():
    oracle = Oracle(victim_of(0, 12, 3, 2), budget=60)
    with pytest.raises(BudgetExhausted) as stopped:
        relu.extract(oracle, rng=1)
    assert "kinks on" in stopped.value.partial.found["critical points"]
