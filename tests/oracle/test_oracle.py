"""The black box: it counts every row, refuses before it spends, tells what it should and no more.

Size of error: answers are the network's own numbers, so most are compared bit for bit; where
scikit-learn computes the same by another route, 1e-12 of numbers near 1.
"""

import gc
import pickle
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from mstheft.errors import BudgetExhausted
from mstheft.nn import Network, functions, zoo
from mstheft.nn.layers import Dense, Flatten
from mstheft.oracle import Oracle

NET = zoo.mlp([4, 8, 3], bias=0.5, rng=0)
ONE = zoo.mlp([4, 8, 1], bias=0.5, rng=3)
X = np.random.default_rng(1).normal(size=(60, 4))


class Watched:
    """A callable victim that remembers what it was asked."""

    def __init__(self, answer=NET.logits):
        self.answer, self.asked = answer, []

    def __call__(self, x):
        self.asked.append(x)
        return self.answer(x)


# ---- what it tells


def test_every_output_of_a_softmax_network():
    logits = NET.logits(X)
    probs = functions.softmax(logits)
    np.testing.assert_array_equal(Oracle(NET).query(X), logits)
    np.testing.assert_array_equal(Oracle(NET, "logits").query(X), logits)
    np.testing.assert_array_equal(Oracle(NET, "log_probs").query(X), functions.log_softmax(logits))
    np.testing.assert_array_equal(Oracle(NET, "probs").query(X), probs)
    labels = Oracle(NET, "label").query(X)
    np.testing.assert_array_equal(labels, NET.labels(X))
    assert labels.shape == (60,)
    assert labels.dtype == np.int64
    assert set(labels) == {0, 1, 2}


def test_every_output_of_one_sigmoid():
    logits = ONE.logits(X)
    p = functions.sigmoid(logits)
    np.testing.assert_array_equal(Oracle(ONE).query(X), logits)
    np.testing.assert_array_equal(Oracle(ONE, "probs").query(X), p)
    told = Oracle(ONE, "log_probs").query(X)
    assert told.shape == (60, 2)
    np.testing.assert_allclose(told, np.log(np.hstack([1 - p, p])), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(Oracle(ONE, "label").query(X), ONE.labels(X))
    assert set(ONE.labels(X)) == {0, 1}
    assert Oracle(ONE).outputs == Oracle(ONE, "log_probs").outputs == 1


@pytest.mark.parametrize("top", [1, 2, 3])
def test_top_k(top):
    probs = NET.probs(X)
    told = Oracle(NET, "top_k", top=top).query(X)
    for row, want in zip(told, probs, strict=True):
        kept = np.argsort(want)[::-1][:top]
        np.testing.assert_array_equal(row[kept], want[kept])
        assert np.count_nonzero(row) == top


def test_of_equal_probabilities_top_k_tells_the_first():
    told = Oracle(lambda x: np.array([[1.0, 2, 2, 2]]), "top_k", inputs=1, top=2).query([[0.0]])
    p = functions.softmax(np.array([1.0, 2, 2, 2]))
    np.testing.assert_array_equal(told, [[0, p[1], p[2], 0]])


def test_labels_come_from_the_logits_where_probabilities_are_equal():
    """σ(1e-17) rounds to ½ and softmax(1e-17, 2e-17) to (½, ½): the label must not."""
    one = Oracle(lambda x: x, "label", inputs=1)
    np.testing.assert_array_equal(one.query([[1e-17], [0.0], [-1e-17]]), [1, 0, 0])
    two = Oracle(lambda x: x, "label", inputs=2)
    np.testing.assert_array_equal(two.query([[1e-17, 2e-17], [2e-17, 1e-17]]), [1, 0])


@pytest.mark.parametrize("output", ["logits", "log_probs", "probs", "top_k"])
@pytest.mark.parametrize("decimals", [0, 1, 3, 17])
def test_rounding(output, decimals):
    """Rounding to 17 decimals multiplies by 1e17 and divides: it may move the last place."""
    top = {"top": 2} if output == "top_k" else {}
    exact = Oracle(NET, output, **top).query(X)
    told = Oracle(NET, output, decimals=decimals, **top).query(X)
    np.testing.assert_array_equal(told, np.round(exact, decimals))
    assert (np.abs(told - exact) <= 0.5 * 10.0**-decimals + 1e-15).all()
    if decimals < 17:
        assert (told != exact).any()


@given(st.integers(1, 60), st.integers(1, 60))
def test_asking_in_parts_is_asking_at_once(n, part):
    oracle = Oracle(NET, "probs")
    parts = [oracle.query(X[i : min(i + part, n)]) for i in range(0, n, part)]
    np.testing.assert_allclose(np.concatenate(parts), NET.probs(X[:n]), rtol=0, atol=1e-14)
    assert oracle.count == n


def test_float32_victims_answer_in_float32():
    network = zoo.mlp([4, 8, 3], rng=0, dtype=np.float32)
    told = Oracle(network).query(X)
    assert told.dtype == np.float32
    np.testing.assert_array_equal(told, network.logits(X))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, int, np.uint8])
def test_rows_of_any_real_dtype(dtype):
    x = np.arange(8).reshape(2, 4).astype(dtype)
    np.testing.assert_array_equal(Oracle(NET).query(x), NET.logits(np.arange(8.0).reshape(2, 4)))


def test_shaped_victims_take_flat_and_shaped_rows():
    network = Network([Flatten(), Dense(12, 3, rng=0)], (2, 3, 2))
    oracle = Oracle(network)
    assert (oracle.shape, oracle.inputs, oracle.outputs) == ((2, 3, 2), 12, 3)
    x = np.random.default_rng(0).normal(size=(5, 2, 3, 2))
    np.testing.assert_array_equal(oracle.query(x), oracle.query(x.reshape(5, 12)))
    assert oracle.count == 10
    with pytest.raises(ValueError, match=r"expected rows of 12 numbers, shape \(n, 12\), got"):
        oracle.query(x[0])


# ---- what it counts


def test_it_counts_every_row():
    oracle = Oracle(NET, budget=100)
    assert (oracle.count, oracle.left) == (0, 100)
    oracle.query(X[:1])
    assert (oracle.count, oracle.left) == (1, 99)
    oracle.query(X[:7])
    oracle.query(X[:7])  # the same rows again cost again
    assert (oracle.count, oracle.left) == (15, 85)
    assert Oracle(NET).left is None
    assert repr(oracle) == "Oracle(output='logits', inputs=4, count=15, left=85)"


def test_the_budget_is_a_wall():
    victim = Watched()
    oracle = Oracle(victim, inputs=4, budget=10)
    oracle.query(X[:6])
    with pytest.raises(
        BudgetExhausted, match="asks 5 rows but only 4 of the budget of 10"
    ) as error:
        oracle.query(X[:5])
    assert (error.value.asked, error.value.left, error.value.budget) == (5, 4, 10)
    assert (oracle.count, oracle.left) == (6, 4)
    assert len(victim.asked) == 1
    oracle.query(X[:4])
    assert oracle.left == 0
    with pytest.raises(BudgetExhausted) as error:
        oracle.query(X[:1])
    assert error.value.left == 0
    assert len(victim.asked) == 2


def test_a_budget_of_zero_answers_nothing():
    with pytest.raises(BudgetExhausted, match="only 0 of the budget of 0 are left"):
        Oracle(NET, budget=0).query(X[:1])


@given(st.integers(0, 30), st.lists(st.integers(1, 12), max_size=8))
def test_count_plus_left_is_the_budget_and_never_passed(budget, sizes):
    oracle = Oracle(NET, budget=budget)
    for n in sizes:
        before = oracle.count
        if n > budget - before:
            with pytest.raises(BudgetExhausted) as error:
                oracle.query(X[:n])
            assert error.value.left == oracle.left == budget - before
        else:
            oracle.query(X[:n])
            assert oracle.count == before + n
        assert oracle.count + oracle.left == budget


WRONG_ROWS = {
    "one number too many": (np.zeros((2, 5)), r"expected rows of 4 numbers, .*got shape \(2, 5\)"),
    "one number too few": (np.zeros((2, 3)), "expected rows of 4 numbers"),
    "1-D": (np.zeros(4), r"got shape \(4,\); a single input goes in as x\[None\]"),
    "0-D": (np.float64(3), r"expected rows of 4 numbers, .*got shape \(\)"),
    "3-D": (np.zeros((2, 4, 1)), r"got shape \(2, 4, 1\)"),
    "transposed": (np.zeros((4, 2)), "expected rows of 4 numbers"),
    "empty": (np.zeros((0, 4)), "expected at least one row, got none"),
    "empty list": ([], "expected rows of 4 numbers"),
    "NaN": (np.full((2, 4), np.nan), "expected finite numbers, got NaN or infinity"),
    "one NaN": (np.where(np.eye(4) == 1, np.nan, 0), "expected finite numbers"),
    "infinity": (np.array([[0, 0, 0, np.inf]]), "expected finite numbers"),
    "-infinity": (np.array([[0, -np.inf, 0, 0]]), "expected finite numbers"),
    "object": (np.zeros((2, 4), object), "expected rows of real numbers, got dtype object"),
    "str": (np.full((2, 4), "1"), "expected rows of real numbers, got dtype <U1"),
    "bytes": (np.full((2, 4), b"1"), "expected rows of real numbers, got dtype .S1"),
    "complex": (np.zeros((2, 4), complex), "expected rows of real numbers, got dtype complex128"),
    "bool": (np.zeros((2, 4), bool), "expected rows of real numbers, got dtype bool"),
    "dates": (np.zeros((2, 4), "M8[D]"), "expected rows of real numbers, got dtype datetime64"),
    "None": (None, "expected rows of real numbers, got dtype object"),
}


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_rows_that_it_does_not_take_cost_nothing(name):
    rows, says = WRONG_ROWS[name]
    victim = Watched()
    oracle = Oracle(victim, inputs=4, budget=1)  # would be too small as well: said is the row
    with pytest.raises(ValueError, match=says):
        oracle.query(rows)
    assert oracle.count == 0
    assert oracle.left == 1
    assert victim.asked == []


# ---- nothing else


ATTRIBUTES = {
    "allowed",
    "budget",
    "count",
    "decimals",
    "inputs",
    "left",
    "output",
    "outputs",
    "query",
    "shape",
    "top",
}


@pytest.mark.parametrize("victim", [NET, ONE, LogisticRegression().fit(X, X[:, 0] > 0), "callable"])
def test_no_public_attribute_leads_to_the_model(victim):
    kwargs = {}
    if victim == "callable":
        victim, kwargs = Watched(), {"inputs": 4}
    oracle = Oracle(victim, **kwargs)
    oracle.query(X[:2])
    assert {name for name in dir(oracle) if not name.startswith("_")} == ATTRIBUTES
    plain = (int, str, tuple, type(None))
    for name in ATTRIBUTES - {"query"}:
        assert isinstance(getattr(oracle, name), plain), name
    assert isinstance(oracle.query, types.MethodType)
    assert oracle.query.__self__ is oracle
    assert not hasattr(oracle, "__dict__")
    assert repr(victim) not in repr(oracle)
    assert all(each is not victim for each in gc.get_referents(oracle))
    with pytest.raises(AttributeError):
        oracle.victim = victim


def test_an_oracle_does_not_travel_in_a_pickle():
    """That would carry the model along; experiments send the victim to where it is asked."""
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps(Oracle(NET))


@pytest.mark.parametrize("output", ["probs", "top_k"])
def test_a_victim_that_returns_its_own_memory_keeps_it(output):
    memory = NET.probs(X)
    kept = memory.copy()
    top = 1 if output == "top_k" else None
    oracle = Oracle(lambda x: memory, output, gives="probs", inputs=4, top=top)
    oracle.query(X)[...] = 7
    np.testing.assert_array_equal(memory, kept)


def test_answers_and_questions_are_not_shared():
    """Writing into an answer must not change the victim, nor the next answer."""
    oracle = Oracle(NET)
    first = oracle.query(X)
    kept, rows = first.copy(), X.copy()
    first[...] = 0
    np.testing.assert_array_equal(oracle.query(X), kept)
    np.testing.assert_array_equal(X, rows)


# ---- callables


def test_callables_are_given_rows_of_their_shape():
    victim = Watched(lambda x: x.reshape(len(x), -1)[:, :2] + 0.0)
    oracle = Oracle(victim, inputs=(2, 3))
    oracle.query(np.zeros((4, 6)))
    oracle.query(np.zeros((4, 2, 3)))
    assert [x.shape for x in victim.asked] == [(4, 2, 3), (4, 2, 3)]
    assert (oracle.inputs, oracle.shape) == (6, (2, 3))


def test_the_number_of_outputs_is_known_after_the_first_answer():
    for output in ("logits", "log_probs", "probs", "label"):
        for network in (NET, ONE):
            oracle = Oracle(network.logits, output, inputs=4)
            assert oracle.outputs is None
            oracle.query(X[:2])
            assert oracle.outputs == network.outputs
    oracle = Oracle(NET.labels, "label", gives="labels", inputs=4)
    oracle.query(X)
    assert oracle.outputs is None


@pytest.mark.parametrize("network", [NET, ONE])
@pytest.mark.parametrize("output", ["logits", "log_probs", "probs", "label"])
def test_callables_that_give_logits_are_like_networks(network, output):
    np.testing.assert_array_equal(
        Oracle(network.logits, output, inputs=4).query(X), Oracle(network, output).query(X)
    )


def test_callables_that_give_less():
    log_probs, probs = Oracle(NET, "log_probs").query, Oracle(NET, "probs").query
    given_logs = {"gives": "log_probs", "inputs": 4}
    given = {"gives": "probs", "inputs": 4}
    np.testing.assert_array_equal(
        Oracle(log_probs, "log_probs", **given_logs).query(X), log_probs(X)
    )
    np.testing.assert_allclose(
        Oracle(log_probs, "probs", **given_logs).query(X), probs(X), rtol=0, atol=1e-15
    )
    np.testing.assert_array_equal(Oracle(probs, "probs", **given).query(X), probs(X))
    np.testing.assert_array_equal(
        Oracle(probs, "top_k", top=1, **given).query(X).max(axis=1), probs(X).max(axis=1)
    )
    one = Oracle(ONE, "probs").query
    np.testing.assert_array_equal(Oracle(one, "probs", **given).query(X), ONE.probs(X))
    for victim, gives in ((log_probs, "log_probs"), (probs, "probs"), (NET.labels, "labels")):
        told = Oracle(victim, "label", gives=gives, inputs=4).query(X)
        np.testing.assert_array_equal(told, NET.labels(X))
    told = Oracle(one, "label", **given).query(X)
    np.testing.assert_array_equal(told, ONE.labels(X))


FINER = ["logits", "log_probs", "probs", "label"]


@pytest.mark.parametrize("gives", ["logits", "log_probs", "probs", "labels"])
@pytest.mark.parametrize("output", FINER)
def test_nothing_finer_than_the_victim_gives_can_be_told(gives, output):
    def build():
        return Oracle(NET.logits, output, gives=gives, inputs=4)

    if FINER.index(output) >= FINER.index(gives.rstrip("s") if gives == "labels" else gives):
        build()
    else:
        with pytest.raises(ValueError, match=f"what {output!r} needs, got one that gives {gives}"):
            build()


@pytest.mark.parametrize(
    ("answer", "gives", "output", "says"),
    [
        (
            np.zeros(3),
            "logits",
            "logits",
            r"answer 3 rows with \(n, K\) real numbers, got shape \(3,\)",
        ),
        (np.zeros((2, 4)), "logits", "logits", r"answer 3 rows with .*got shape \(2, 4\)"),
        (np.zeros((3, 4, 1)), "probs", "probs", r"got shape \(3, 4, 1\)"),
        (np.zeros((3, 4), complex), "logits", "logits", "of complex128"),
        (np.full((3, 4), "x"), "logits", "label", "of <U1"),
        (np.zeros((3, 4), object), "logits", "logits", "of object"),
        (np.zeros((3, 1)), "labels", "label", r"\(n,\) whole numbers, got shape \(3, 1\)"),
        (np.array([0.9, 1, 0]), "labels", "label", "whole numbers, got .* of float64"),
        (np.array(["a", "b", "c"]), "labels", "label", "whole numbers, got .* of <U1"),
        (np.zeros((3, 1)), "log_probs", "probs", "log-probabilities of two classes or more"),
        (None, "logits", "logits", r"got shape \(\) of object"),
    ],
)
def test_callables_that_answer_something_else(answer, gives, output, says):
    oracle = Oracle(lambda x: answer, output, gives=gives, inputs=4)
    with pytest.raises(ValueError, match=says):
        oracle.query(X[:3])


def test_errors_of_the_victim_pass_through_and_cost_nothing():
    def broken(x):
        raise ArithmeticError("gone")

    oracle = Oracle(broken, inputs=4, budget=5)
    with pytest.raises(ArithmeticError, match="gone"):
        oracle.query(X[:3])
    assert oracle.left == 5


# ---- arguments


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"output": "scores"}, "expected output= to be one of .*got 'scores'"),
        ({"budget": -1}, "expected budget= as a whole number of at least 0, got -1"),
        ({"budget": 1e5}, "expected budget= as a whole number of at least 0, got 100000.0"),
        ({"budget": True}, "expected budget= as a whole number"),
        ({"budget": "5"}, "expected budget= as a whole number"),
        ({"decimals": -1}, "expected decimals= as a whole number from 0 to 17, got -1"),
        ({"decimals": 18}, "expected decimals= .*got 18"),
        ({"decimals": 2.5}, "expected decimals= .*got 2.5"),
        (
            {"top": 2},
            "expected top= with output='top_k' and only there, got top=2, output='logits'",
        ),
        ({"output": "top_k"}, "expected top= with output='top_k' and only there, got top=None"),
        ({"output": "top_k", "top": 0}, "expected top= as a whole number of at least 1, got 0"),
        ({"output": "top_k", "top": 1.5}, "expected top= as a whole number"),
        ({"output": "top_k", "top": 4}, "expected top= up to .* got top=4, outputs=3"),
        ({"victim": ONE, "output": "top_k", "top": 1}, "got top=1, outputs=1"),
        (
            {"gives": "logits"},
            "expected gives=, inputs= of a callable, .* only, got a Network",
        ),
        (
            {"inputs": 4},
            "expected gives=, inputs= of a callable, .* only, got a Network",
        ),
        ({"victim": Watched(), "gives": "scores", "inputs": 4}, "expected gives= .*got 'scores'"),
        ({"victim": Watched()}, "expected inputs= as positive whole numbers, got None"),
        ({"victim": Watched(), "inputs": 0}, "expected inputs= as positive whole numbers, got 0"),
        ({"victim": Watched(), "inputs": (4, -1)}, "expected inputs= as positive whole numbers"),
        ({"victim": Watched(), "inputs": ()}, "expected inputs= as positive whole numbers"),
        ({"victim": Watched(), "inputs": 4.0}, "expected inputs= as positive whole numbers"),
        ({"victim": X}, "expected a victim that is a Network.*got ndarray"),
        ({"victim": "net.npz"}, "expected a victim that is a Network.*got str"),
    ],
)
def test_arguments_that_do_not_fit(kwargs, says):
    kwargs = dict(kwargs)
    with pytest.raises(ValueError, match=says):
        Oracle(kwargs.pop("victim", NET), **kwargs)


def test_top_of_a_callable_is_judged_at_the_first_answer_and_costs_nothing():
    for network, top in ((NET, 4), (ONE, 1)):
        oracle = Oracle(network.logits, "top_k", inputs=4, top=top)
        with pytest.raises(ValueError, match=f"expected top= up to .* got top={top}"):
            oracle.query(X)
        assert oracle.count == 0


def test_numpy_integers_will_do():
    oracle = Oracle(NET.logits, inputs=np.int64(4), budget=np.int64(9), decimals=np.int8(2))
    oracle.query(X[:5])
    assert oracle.left == 4
    assert type(oracle.left) is int


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_probabilities_outside_0_and_1_are_refused(p):
    oracle = Oracle(lambda x: np.full((len(x), 1), p), "probs", gives="probs", inputs=2)
    with pytest.raises(ValueError, match=f"probabilities from 0 to 1 that add up to 1, got {p}"):
        oracle.query(np.zeros((1, 2)))
    assert oracle.count == 0


def test_threads_share_one_budget():
    """Many small batches at once: not one row more is answered than the budget holds."""
    oracle = Oracle(zoo.mlp([4, 8, 3], rng=0), budget=500)
    x = np.zeros((1, 4))

    def ask():
        answered = 0
        while True:
            try:
                answered += len(oracle.query(x))
            except BudgetExhausted:
                return answered

    with ThreadPoolExecutor(8) as pool:
        answered = sum(pool.map(lambda _: ask(), range(8)))
    assert answered == oracle.count == 500


def test_a_victim_that_writes_into_its_input_hurts_nobody():
    def careless(x):
        x[:] = 0
        return x[:, :2]

    rows = np.ones((3, 4))
    Oracle(careless, inputs=4).query(rows)
    assert (rows == 1).all()


def test_numbers_beyond_float32_are_refused_by_a_float32_victim():
    oracle = Oracle(zoo.mlp([4, 8, 3], rng=0, dtype=np.float32))
    with pytest.raises(ValueError, match="finite numbers as float32"):
        oracle.query(np.full((1, 4), 1e300))
    assert oracle.count == 0


# ---- monitors


class Witness:
    """A monitor that remembers what it saw."""

    def __init__(self, log=None):
        self.seen, self.log = [], log if log is not None else []

    def observe(self, x, labels):
        self.seen.append((x.copy(), labels.copy()))
        self.log.append(self)
        x[...], labels[...] = 0, 0  # what it writes must reach nobody


@pytest.mark.parametrize("network", [NET, ONE])
@pytest.mark.parametrize("output", ["logits", "log_probs", "probs", "label"])
def test_monitors_see_rows_and_the_most_likely_class_whatever_is_told(network, output):
    witness, kept = Witness(), X.copy()
    oracle = Oracle(network, output, decimals=0 if output == "probs" else None, monitors=[witness])
    answers = oracle.query(X[:40])
    oracle.query(X[40:])
    np.testing.assert_array_equal(X, kept)
    plain = Oracle(network, output, decimals=oracle.decimals)
    np.testing.assert_array_equal(answers, plain.query(X[:40]))
    assert [len(x) for x, _ in witness.seen] == [40, 20]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in witness.seen]), X)
    labels = np.concatenate([labels for _, labels in witness.seen])
    np.testing.assert_array_equal(labels, network.labels(X))


def test_monitors_see_top_k_and_victims_of_labels_too():
    first, second = Witness(), Witness()
    Oracle(NET, "top_k", top=1, monitors=[first]).query(X)
    Oracle(NET.labels, "label", gives="labels", inputs=4, monitors=(second,)).query(X)
    for witness in (first, second):
        np.testing.assert_array_equal(witness.seen[0][1], NET.labels(X))


def test_every_monitor_sees_every_answer_in_order_and_nothing_that_was_refused():
    log = []
    first, second = Witness(log), Witness(log)
    oracle = Oracle(NET, budget=10, monitors=[first, second])
    oracle.query(X[:6])
    with pytest.raises(BudgetExhausted):
        oracle.query(X[:5])
    with pytest.raises(ValueError, match="expected rows"):
        oracle.query(X[:1, :2])
    oracle.query(X[:4])
    assert log == [first, second, first, second]
    for witness in (first, second):
        assert [len(x) for x, _ in witness.seen] == [6, 4]
        np.testing.assert_array_equal(witness.seen[1][0], X[:4])


def test_monitors_see_flat_rows_as_asked_even_if_the_victim_writes_into_them():
    def victim(x):
        x[...] = 0
        return x.reshape(len(x), -1)[:, :2]

    witness = Witness()
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    Oracle(victim, inputs=(2, 3), monitors=[witness]).query(x)
    np.testing.assert_array_equal(witness.seen[0][0], x.reshape(5, 6))


def test_threads_reach_a_monitor_one_at_a_time():
    witness = Witness()
    oracle = Oracle(NET, "label", monitors=[witness])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: oracle.query(X[i : i + 1]), range(60)))
    assert sorted(x[0, 0] for x, _ in witness.seen) == sorted(X[:, 0])


def test_monitors_are_out_of_sight():
    witness = Witness()
    oracle = Oracle(NET, monitors=[witness])
    assert {name for name in dir(oracle) if not name.startswith("_")} == ATTRIBUTES
    assert "Witness" not in repr(oracle)


def test_a_prada_detector_watches_an_oracle():
    from mstheft.defend.prada import Detector

    detector, alone = Detector(), Detector()
    oracle = Oracle(NET, "probs", monitors=[detector])
    rows = np.random.default_rng(5).normal(size=(400, 4))
    for start in range(0, 400, 50):
        oracle.query(rows[start : start + 50])
    alone.observe(rows, NET.labels(rows))
    assert detector.queries == oracle.count == 400
    np.testing.assert_array_equal(detector.history.w, alone.history.w)
    assert len(detector.history.w) > 20
