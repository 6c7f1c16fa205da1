"""Training: it learns, it stops when it should, it keeps the best, and it can be repeated."""

import itertools

import numpy as np
import pytest

from mstheft.nn import Network, zoo
from mstheft.nn.fit import History, accuracy, fit, minus_loss
from mstheft.nn.functions import softmax
from mstheft.nn.layers import Activation, Dense
from mstheft.nn.losses import cross_entropy, squared_error
from mstheft.nn.optim import SGD, Adam

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 4))
Y = (X @ [1, 2, -1, 0.5] > 0).astype(int) + (X[:, 1] > 0.5)
BITS = (X[:, 0] + X[:, 1] > 0).astype(int)


def net(**kwargs):
    return zoo.mlp([4, 16, 3], rng=1, **kwargs)


def state(network):
    return {name: p.copy() for name, p in network.parameters().items()}


def same(a, b):
    return all((a[name] == b[name]).all() for name in a)


def test_it_learns():
    network = net()
    before = accuracy(network, X, Y)
    history = fit(network, X, Y, epochs=30, batch=32, optimizer=Adam(0.01), rng=0)
    assert len(history.loss) == 30
    assert history.best == 29
    assert not history.interrupted
    assert history.validation == []
    assert 0 < history.loss[-1] < 0.15 < 0.7 < history.loss[0] < 5
    assert before < 0.7 < 0.95 < accuracy(network, X, Y) <= 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["soft", "bits", "numbers"])
def test_every_kind_of_target(kind, dtype):
    outputs, targets, loss = {
        "soft": (3, softmax(4 * X[:, :3]), cross_entropy),
        "bits": (1, BITS, cross_entropy),
        "numbers": (2, X[:, :2] * 2, squared_error),
    }[kind]
    network = zoo.mlp([4, outputs], rng=1, dtype=dtype)
    history = fit(network, X, targets, epochs=20, optimizer=Adam(0.05), loss=loss, rng=0)
    assert 0 < history.loss[-1] < 0.8 * history.loss[0]
    assert {p.dtype for p in network.parameters().values()} == {np.dtype(dtype)}


def test_one_full_batch_is_one_step_of_gradient_descent():
    """θ - η dL/dθ with the L2 term on weights alone, by hand. One step: 1e-15."""
    network = net(bias=0.3)
    want = state(network)
    logits, caches = network.forward(X)
    _, grads = network.backward(cross_entropy(logits, Y)[1], caches)
    for name in want:
        i, key = name.split(".")
        gradient = grads[int(i)][key] + (0.2 * want[name] if key == "W" else 0)
        want[name] = want[name] - 0.5 * gradient
    history = fit(network, X, Y, epochs=1, batch=300, optimizer=SGD(0.5, 0), l2=0.2, rng=0)
    for name, p in network.parameters().items():
        np.testing.assert_allclose(p, want[name], rtol=0, atol=1e-14)
    assert history.loss[0] == pytest.approx(cross_entropy(logits, Y)[0], rel=1e-13)


def test_l2_is_half_the_squared_norm_of_the_weights():
    """The minimum of ½‖W‖² l2/1 + 0: with no data gradient, W shrinks by 1 - η l2 per step."""
    network = zoo.mlp([4, 3], rng=1, bias=1.0)
    weights, bias = state(network)["0.W"], state(network)["0.b"]

    def flat(outputs, targets):
        return 0.0, np.zeros_like(outputs)

    fit(network, X, Y, epochs=2, batch=100, optimizer=SGD(0.1, 0), loss=flat, l2=0.5, rng=0)
    np.testing.assert_allclose(network.parameters()["0.W"], 0.95**6 * weights, rtol=1e-13)
    np.testing.assert_array_equal(network.parameters()["0.b"], bias)


def test_every_row_is_seen_once_per_epoch_in_a_new_order():
    seen = []

    def watching(outputs, targets):
        seen.append(targets[:, 0].tolist())
        return float(len(targets)), np.zeros_like(outputs)

    rows = np.arange(10.0)[:, None]
    history = fit(zoo.mlp([4, 1]), X[:10], rows, epochs=2, batch=4, loss=watching, rng=0)
    assert [len(part) for part in seen] == [4, 4, 2] * 2
    first, second = [*itertools.chain(*seen[:3])], [*itertools.chain(*seen[3:])]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert first != list(range(10))
    # the mean over rows, not over batches: (4·4 + 4·4 + 2·2) / 10
    assert history.loss == [3.6, 3.6]


def test_layers_are_told_that_they_train():
    """And that they do not, when the score asks for answers."""

    class Watching(Activation):
        seen = ()

        def forward(self, x, train=False):
            self.seen += (train,)
            return super().forward(x, train)

    layer = Watching("relu")
    network = Network([Dense(4, 5, rng=0), layer, Dense(5, 3, rng=1)], 4)
    fit(network, X, Y, epochs=2, batch=300, validation=(X, Y), rng=0)
    assert layer.seen == (True, False, True, False)


def test_same_seed_same_network():
    networks = [net(), net(), net()]
    for network, seed in zip(networks, (5, 5, 6), strict=True):
        fit(network, X, Y, epochs=2, rng=seed)
    assert same(state(networks[0]), state(networks[1]))
    assert not same(state(networks[0]), state(networks[2]))
    again = net()
    fit(again, X, Y, epochs=2, rng=np.random.default_rng(5))
    assert same(state(networks[0]), state(again))


# ---- validation and early stopping


class Scores:
    """Scores from a list; remembers the parameters that each was given for."""

    def __init__(self, *values):
        self.values, self.states = list(values), []

    def __call__(self, network, x, targets):
        self.states.append(state(network))
        return self.values[len(self.states) - 1]


@pytest.mark.parametrize(
    ("scores", "patience", "ran", "best"),
    [
        ([1, 3, 2, 2, 2], None, 5, 1),
        ([1, 3, 2, 2, 2], 2, 4, 1),
        ([1, 3, 2, 2, 2], 1, 3, 1),
        ([1, 3, 2, 4, 2], 2, 5, 3),
        ([5, 5, 5, 5, 5], 3, 4, 0),
        ([1, 2, 3, 4, 5], 1, 5, 4),
        ([-5, -4, -3, -9, -9], 2, 5, 2),
    ],
)
def test_the_best_epoch_is_kept(scores, patience, ran, best):
    network, score = net(), Scores(*scores)
    history = fit(network, X, Y, epochs=5, validation=(X, Y), score=score, patience=patience, rng=0)
    assert (len(history.loss), history.best) == (ran, best)
    assert history.validation == scores[:ran]
    assert same(state(network), score.states[best])
    assert not same(score.states[0], score.states[-1])


def test_a_score_that_is_never_a_number_keeps_the_last_epoch():
    network, score = net(), Scores(*[np.nan] * 3)
    history = fit(network, X, Y, epochs=3, validation=(X, Y), score=score, rng=0)
    assert history.best == -1
    assert same(state(network), score.states[-1])


def test_accuracy_is_the_score_unless_said():
    network = net()
    history = fit(network, X, Y, epochs=5, validation=(X[:50], Y[:50]), rng=0)
    assert accuracy(network, X[:50], Y[:50]) == max(history.validation)
    assert history.validation.index(max(history.validation)) == history.best


@pytest.mark.parametrize("validated", [True, False])
def test_ctrl_c_ends_cleanly(validated):
    """In the fourth epoch, after scores of 1, 3 and 2: the second is kept, or all there is."""
    network, score = net(), Scores(1, 3, 2)
    calls, kept = [], []

    def interrupted(outputs, targets):
        calls.append(1)
        if len(calls) == 3 * 3 + 2:
            kept.append(state(network))
            raise KeyboardInterrupt
        return cross_entropy(outputs, targets)

    validation = (X, Y) if validated else None
    history = fit(
        network, X, Y, epochs=9, loss=interrupted, validation=validation, score=score, rng=0
    )
    assert history.interrupted
    assert len(history.loss) == 3
    assert history.best == (1 if validated else 2)
    assert same(state(network), score.states[1] if validated else kept[0])


def test_other_errors_pass_through():
    def broken(outputs, targets):
        raise RuntimeError("broken loss")

    with pytest.raises(RuntimeError, match="broken loss"):
        fit(net(), X, Y, loss=broken)


# ---- accuracy and arguments


def test_accuracy():
    network = zoo.mlp([1, 2])
    network.parameters()["0.W"][...] = [[-1], [1]]
    x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    assert accuracy(network, x, np.array([0, 0, 1, 0])) == 0.75
    assert accuracy(network, x, np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0, 1]])) == 0.75
    one = zoo.logistic(1)
    one.parameters()["0.W"][...] = 1
    assert accuracy(one, x, np.array([0, 0, 1, 0])) == 0.75
    assert accuracy(one, x, np.array([[0.1], [0.2], [0.9], [0.4]])) == 0.75


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"targets": Y[:10]},
            "one target per row and at least one row, got 10 targets for 300 rows",
        ),
        ({"x": X[:0], "targets": Y[:0]}, "at least one row, got 0 targets for 0 rows"),
        ({"epochs": 0}, "epochs= and batch= of at least 1, got 0 and 128"),
        ({"batch": 0}, "epochs= and batch= of at least 1, got 10 and 0"),
        ({"batch": -1}, "got 10 and -1"),
        ({"x": X[:, :3]}, r"expected inputs of shape \(n, 4\), got \(128, 3\)"),
        ({"targets": Y + 1}, "expected labels from 0 to 2"),
    ],
)
def test_arguments_that_do_not_fit(change, says):
    arguments = {"x": X, "targets": Y} | change
    with pytest.raises(ValueError, match=says):
        fit(net(), **arguments)


def test_lists_will_do():
    network = net()
    fit(network, X.tolist(), Y.tolist(), epochs=1, rng=0)
    other = net()
    fit(other, X, Y, epochs=1, rng=0)
    assert same(state(network), state(other))


def test_histories_do_not_share_their_lists():
    assert History().loss is not History().loss


class Recorder(SGD):
    """Keeps the learning rate of every step."""

    def __init__(self, rate):
        super().__init__(rate)
        self.seen = []

    def step(self, params, grads):
        self.seen.append(self.rate)
        super().step(params, grads)


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_falling_rate_is_a_straight_line_to_zero(interrupted):
    """Two epochs of three batches: 6/6, 5/6 … 1/6 of the rate; afterwards it is as it was."""
    x, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2

    def score(network, x, y):
        if interrupted:
            raise KeyboardInterrupt
        return 1.0

    for falling in (False, True):
        optimizer = Recorder(0.6)
        options = {"epochs": 2, "batch": 10, "validation": (x, y), "score": score}
        fit(zoo.mlp([2, 2], rng=0), x, y, optimizer=optimizer, falling=falling, **options)
        expected = [0.6, 0.5, 0.4, 0.3, 0.2, 0.1] if falling else [0.6] * 6
        np.testing.assert_allclose(optimizer.seen, expected[: 3 if interrupted else 6], rtol=1e-12)
        assert optimizer.rate == 0.6


@pytest.mark.parametrize("make", [zoo.text_cnn, zoo.text_gru])
def test_l2_shrinks_every_weight_and_no_bias(make):
    """With a loss that is flat, a step of rate 1 takes l2 θ off every matrix, and only there."""
    network = make(9, 6, 2, size=4, rng=0, dtype=np.float64)
    before = state(network)

    def flat(logits, targets):
        return 0.0, np.zeros_like(logits)

    fit(network, np.ones((4, 6)), np.zeros(4), epochs=1, optimizer=SGD(1, 0), loss=flat, l2=0.25)
    for name, value in network.parameters().items():
        expected = 0.75 * before[name] if value.ndim > 1 else before[name]
        np.testing.assert_allclose(value, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("scores", "how", "rates", "best"),
    [
        ([1, 3, 2, 2, 2, 2, 2], {"cuts": 2}, [1, 1, 1, 1, 0.2, 0.2, 0.04], 1),
        ([1, 3, 2, 2, 4, 2, 2, 9], {"cuts": 1}, [1, 1, 1, 1, 0.2, 0.2, 0.2], 4),
        ([3, 2, 2, 2, 2, 2, 2], {"least": 12}, [1] * 5, 0),  # 3 steps an epoch
        ([3, 2, 2, 2, 2, 2, 2], {"least": 7, "cuts": 1}, [1, 1, 1, 1, 0.2, 0.2, 0.2], 0),
    ],
)
def test_the_rate_falls_where_patience_is_used_up(scores, how, rates, best):
    """To a fifth, from the best parameters so far; patience lasts `least` steps at least."""
    network, score, optimizer = net(), Scores(*scores), Recorder(1e-3)
    how |= {"validation": (X, Y), "score": score, "patience": 2, "batch": 100}
    history = fit(network, X, Y, epochs=7, optimizer=optimizer, rng=0, **how)
    np.testing.assert_allclose(optimizer.seen[::3], 1e-3 * np.array(rates))
    assert (len(history.loss), history.best) == (len(rates), best)
    assert same(state(network), score.states[best])
    assert optimizer.rate == 1e-3


def test_a_cut_goes_on_from_the_best_parameters():
    """With a rate of 0 after the best epoch nothing else could bring them back."""
    score, seen = Scores(1, 3, 2, 2), []

    class Watched(SGD):
        def step(self, params, grads):
            seen.append({name: p.copy() for name, p in params.items()})
            super().step(params, grads)

    options = {"validation": (X, Y), "score": score, "patience": 1, "cuts": 1, "batch": 300}
    fit(net(), X, Y, epochs=4, optimizer=Watched(0.1), rng=0, **options)
    assert len(seen) == 4
    assert same(seen[3], score.states[1])
    assert not same(seen[2], score.states[0])


def test_without_validation_patience_waits_for_the_mean_loss():
    values = iter([3.0, 2.0, 2.5, 2.5, 9.0])

    def told(outputs, targets):
        return next(values), np.zeros_like(outputs)

    history = fit(net(), X, Y, epochs=5, batch=300, loss=told, patience=2, rng=0)
    assert history.loss == [3, 2, 2.5, 2.5]
    assert history.best == 3
    assert history.validation == []


def test_the_rows_of_every_batch_may_be_changed():
    seen = []

    def doubled(x, rng):
        seen.append(rng.random())
        return 2 * x

    one, other = net(), net()
    fit(one, X, Y, epochs=1, batch=300, augment=doubled, rng=0)
    fit(other, 2 * X, Y, epochs=1, batch=300, rng=0)
    assert len(seen) == 1
    for name, value in state(one).items():  # the order of the rows is the same, but for rounding
        np.testing.assert_allclose(value, state(other)[name], rtol=1e-9)


def test_minus_loss_is_the_cross_entropy_of_soft_labels():
    network, soft = net(), softmax(4 * X[:, :3])
    by_hand = (soft * np.log(softmax(network.logits(X)))).sum(axis=1).mean()
    assert minus_loss(network, X, soft) == pytest.approx(by_hand, rel=1e-12)
