"""What is no answer is the victim's fault: it names the first such row, and nobody pays for it."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstheft import errors
from mstheft.defend import responses
from mstheft.errors import Unreachable, VictimError
from mstheft.nn import functions, zoo
from mstheft.oracle import Oracle, adapters, answers
from mstheft.oracle.http.journal import Journal

X = np.random.default_rng(1).normal(size=(6, 4))
NET = zoo.mlp([4, 8, 3], bias=0.5, rng=0)
LOGITS = NET.logits(X)
PROBS = functions.softmax(LOGITS)


def of(values, output, gives, **options):
    return Oracle(lambda x: np.array(values)[: len(x)], output, gives=gives, inputs=4, **options)


def spoiled(values, row, numbers):
    changed = values.copy()
    changed[row] = numbers
    return changed


FAULTS = {
    "NaN logit": (spoiled(LOGITS, 2, [0, np.nan, 0]), "logits", "got nan in row 2 of 6"),
    "infinite logit": (spoiled(LOGITS, 4, [0, 0, np.inf]), "logits", "got inf in row 4 of 6"),
    "no logit at all": (spoiled(LOGITS, 1, [-np.inf] * 3), "logits", "got -inf, -inf, -inf in row"),
    "one logit": (np.array([[0], [np.nan]] * 3), "logits", "got nan in row 1 of 6"),
    "NaN probability": (spoiled(PROBS, 3, [0.5, np.nan, 0.5]), "probs", "got nan in row 3 of 6"),
    "above 1": (spoiled(PROBS, 5, [1.25, -0.25, 0]), "probs", "got 1.25, -0.25 in row 5 of 6"),
    "sum of 1.5": (spoiled(PROBS, 0, [0.51, 0.5, 0.49]), "probs", "got 0.51, 0.5, 0.49 in row 0"),
    "sum of 0": (spoiled(PROBS, 0, [0, 0, 0]), "probs", "add up to 1, got 0, 0, 0 in row 0 of 6"),
    "logits for probabilities": (np.abs(LOGITS) % 1, "probs", "add up to 1, got .* in row 0 of 6"),
    "NaN logarithm": (spoiled(np.log(PROBS), 1, [np.nan] * 3), "log_probs", "got nan, nan, nan in"),
    "positive": (spoiled(np.log(PROBS), 1, [0.5, -1, -1]), "log_probs", "got 0.5, -1, -1 in row 1"),
    "sum of logarithms": (spoiled(np.log(PROBS), 2, [-1] * 3), "log_probs", "add up to 1, got -1"),
    "p of 2": (np.array([[0.5], [2]] * 3), "probs", "got 2 in row 1 of 6"),
    "p of NaN": (np.array([[np.nan]] * 6), "probs", "got nan in row 0 of 6"),
    "p that is no top-k": (spoiled(PROBS, 2, [1.5, 0, 0]), "top_k", "got 1.5 in row 2 of 6"),
}  # fmt: skip


class Witness(list):
    def observe(self, x, labels):
        self.append(len(x))


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("output", ["the same", "label"])
def test_the_first_row_that_is_no_answer_is_named_and_nothing_is_charged(name, output, tmp_path):
    values, gives, says = FAULTS[name]
    top = {"top": 1} if gives == "top_k" and output == "the same" else {}
    form, watch = gives if output == "the same" else output, Witness()
    with Journal(tmp_path / "run.db") as journal:
        options = {"budget": 10, "monitors": [watch], "journal": journal}
        oracle = of(values, form, gives, **options, **top)
        with pytest.raises(VictimError, match=says) as caught:
            oracle.query(X)
        assert "nothing is charged" in str(caught.value)
        assert len(str(caught.value)) <= 200
        assert (oracle.count, oracle.left, journal.paid, watch) == (0, 10, 0, [])
    assert isinstance(caught.value, errors.MstheftError | ValueError)


def test_probabilities_are_not_taken_for_logits_unless_somebody_says_so():
    """Else their softmax is answered, and every copy is one of that."""
    oracle = of(PROBS, "probs", None)
    with pytest.raises(VictimError, match="say gives='probs', or gives='logits' if that is what"):
        oracle.query(X)
    assert oracle.count == 0
    for gives in ("logits", "probs"):
        of(PROBS, "probs", gives).query(X)
    of(LOGITS, "probs", None).query(X)
    of(PROBS[:1], "probs", None).query(X[:1])  # one row may add up to 1 by chance


def test_after_a_fault_the_oracle_answers_as_before():
    values = [spoiled(LOGITS, 2, np.nan), LOGITS]
    oracle = Oracle(lambda x: values.pop(0), inputs=4)
    with pytest.raises(VictimError):
        oracle.query(X)
    np.testing.assert_array_equal(oracle.query(X), LOGITS)
    assert oracle.count == 6


def test_faults_are_seen_before_a_defence_hides_them():
    faulty = spoiled(LOGITS, 2, np.nan)
    defence = responses.option(responses.label_only)
    with pytest.raises(VictimError, match="got nan, nan, nan in row 2 of 6"):
        of(faulty, "probs", "logits", defences=[defence]).query(X)


def test_infinities_that_are_answers():
    """ln 0 is one; a class that is ruled out has a logit of -inf."""
    sure = spoiled(np.log(PROBS), 2, [0, -np.inf, -np.inf])
    np.testing.assert_array_equal(of(sure, "log_probs", "log_probs").query(X), sure)
    masked = spoiled(LOGITS, 2, [0, -np.inf, 1])
    np.testing.assert_array_equal(of(masked, "logits", "logits").query(X), masked)
    assert of(masked, "probs", "logits").query(X)[2, 1] == 0
    assert of([[-np.inf]], "probs", "logits").query(X[:1]) == 0


# ---- rows that add up to 1, as far as their numbers let them


@given(
    st.integers(2, 40),
    st.integers(1, 6),
    st.sampled_from(["probs", "log_probs"]),
    st.integers(0, 99),
)
def test_rounded_rows_are_distributions(classes, decimals, gives, seed):
    logits = np.random.default_rng(seed).normal(size=(5, classes)) * 4
    values = functions.softmax(logits) if gives == "probs" else functions.log_softmax(logits)
    for dtype in (np.float64, np.float32):
        rounded = np.round(values.astype(dtype), decimals)
        assert len(of(rounded, gives, gives).query(X[:5])) == 5
        plain = values.astype(dtype)
        assert len(of(plain, gives, gives).query(X[:5])) == 5


def test_numbers_of_few_bits_are_distributions():
    logits = 3 * np.random.default_rng(0).normal(size=(500, 1000))
    for gives, exact in (
        ("probs", functions.softmax(logits)),
        ("log_probs", functions.log_softmax(logits)),
    ):
        bits = exact.astype(np.float32).view(np.uint32)
        brain = ((bits + 0x8000) & 0xFFFF0000).view(np.float32)  # bfloat16 has these 16 bits
        for values in (exact.astype(np.float16), brain):
            oracle = Oracle(lambda x, v=values: v, gives, gives=gives, inputs=4)
            assert oracle.query(np.zeros((500, 4))).shape == (500, 1000)


def test_a_lattice_is_read_off_the_numbers():
    assert answers.lattice(np.array([0.25, 0.5, -np.inf]), 1) == 2
    assert answers.lattice(np.array([0.25, 0.5], np.float32), 1) == 2
    assert answers.lattice(np.array([0.1, 1 / 3]), 1) == 6
    assert answers.lattice(np.array([0, 1]), 1) == 1
    assert answers.lattice(np.array([-3.0, 0.0]), 0) == 0


def test_two_decimals_excuse_a_hundredth_and_no_more():
    near, far = [[0.34, 0.34, 0.33]], [[0.34, 0.34, 0.36]]
    of(near, "probs", "probs").query(X[:1])
    with pytest.raises(VictimError, match=r"got 0\.34, 0\.34, 0\.36"):
        of(far, "probs", "probs").query(X[:1])


def test_the_largest_alone_are_an_answer_if_the_victim_says_so():
    top = np.where(PROBS.max(axis=1, keepdims=True) == PROBS, PROBS, 0)
    with pytest.raises(VictimError, match="add up to 1"):
        of(top, "probs", "probs").query(X)
    np.testing.assert_array_equal(of(top, "top_k", "top_k", top=1).query(X), top)
    np.testing.assert_array_equal(of(top, "label", "top_k").query(X), PROBS.argmax(axis=1))
    with pytest.raises(ValueError, match=r"gives top_k; ask for one of \['top_k', 'label'\]"):
        of(top, "probs", "top_k")


def test_rounding_never_makes_a_number_infinite():
    """NumPy multiplies by 10^decimals, and 10^5 overflows float16."""
    small = LOGITS.astype(np.float16)
    half = of(small, "logits", "logits", decimals=5).query(X)
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, small)
    want = np.round(small.astype(float), 1).astype(np.float16)
    np.testing.assert_array_equal(of(small, "logits", "logits", decimals=1).query(X), want)
    np.testing.assert_array_equal(
        of([[1e300]], "logits", "logits", decimals=17).query(X[:1]), 1e300
    )


# ---- K, defences


@pytest.mark.parametrize("batch", [None, 4])
def test_another_number_of_classes_than_before_is_named(batch):
    widths = [3, 2] if batch is None else [3, 3, 3, 2]
    oracle = Oracle(lambda x: LOGITS[: len(x), : widths.pop(0)], inputs=4, batch=batch)
    oracle.query(X)
    with pytest.raises(VictimError, match=r"answers of (K = 3 numbers as before, got K = 2|one K)"):
        oracle.query(X)
    assert oracle.count == 6


@pytest.mark.parametrize(
    ("defence", "says"),
    [
        (lambda p, x: 0.5 * p, "rows that add up to 1, got 0.5 as the sum of row 0"),
        (lambda p, x: spoiled(p, 3, [0.4, 0.4, 0.4]), "got 1.2 as the sum of row 3"),
        (lambda p, x: p * np.nan, "probabilities from 0 to 1, got nan among them"),
        (lambda p, x: p[:, :2], r"expected a defence to give \(6, 3\) .*, got shape \(6, 2\)"),
    ],
)
def test_a_defence_that_gives_no_distribution_is_named(defence, says):
    oracle = Oracle(NET, "probs", defences=[defence], budget=6)
    with pytest.raises(VictimError, match=says):
        oracle.query(X)
    assert oracle.left == 6


@pytest.mark.parametrize("output", ["probs", "log_probs", "label"])
def test_defences_may_round_and_leave_out(output):
    top = responses.option(responses.top_k, k=2)
    for decimals in (0, 1, 3):
        rounding = responses.option(responses.rounding, decimals=decimals)
        noise = responses.option(responses.noise, scale=0.1, rng=0)
        for defences in ([top, rounding], [rounding, top], [top, noise], [rounding]):
            assert len(Oracle(NET, output, defences=defences).query(X)) == 6


# ---- calls


class Flaky:
    """A victim whose connection breaks in the calls of these numbers."""

    def __init__(self, *breaks, error=ConnectionError("gone")):  # noqa: B008
        self.breaks, self.error, self.sizes = breaks, error, []

    def __call__(self, x):
        self.sizes.append(len(x))
        x[...] = x + 0  # what it writes is nobody's
        if len(self.sizes) - 1 in self.breaks:
            x[...] = 7
            raise self.error
        return NET.logits(x)


@pytest.fixture
def pauses(monkeypatch):
    seen = []
    monkeypatch.setattr(adapters.time, "sleep", seen.append)
    return seen


def test_batches():
    victim = Flaky()
    oracle = Oracle(victim, inputs=4, batch=4)
    np.testing.assert_allclose(oracle.query(X), LOGITS, rtol=0, atol=1e-14)
    assert victim.sizes == [4, 2]
    assert oracle.count == 6
    oracle.query(X[:4])
    assert victim.sizes == [4, 2, 4]


@pytest.mark.parametrize("error", [ConnectionError("gone"), TimeoutError(), ConnectionResetError()])
def test_retries(error, pauses):
    victim = Flaky(0, 2, 3, error=error)
    oracle = Oracle(victim, inputs=4, batch=3, retries=2)
    np.testing.assert_allclose(oracle.query(X), LOGITS, rtol=0, atol=1e-14)
    assert victim.sizes == [3] * 5
    assert pauses == [0.1, 0.1, 0.2]
    assert oracle.count == 6


def test_a_victim_that_is_never_reached_is_named_and_charges_nothing(pauses):
    oracle = Oracle(Flaky(*range(9)), inputs=4, retries=3, budget=6)
    with pytest.raises(Unreachable, match=r"none in 4 calls \(ConnectionError: gone\)") as caught:
        oracle.query(X)
    assert isinstance(caught.value, ConnectionError)
    assert oracle.left == 6
    assert pauses == [0.1, 0.2, 0.4]
    oracle = Oracle(Flaky(0, error=OSError("disk")), inputs=4, retries=3)
    with pytest.raises(OSError, match="disk"):  # no matter of patience
        oracle.query(X)
    assert type(pickle.loads(pickle.dumps(caught.value))) is Unreachable


def test_a_broken_connection_is_named_without_retries_too(pauses):
    with pytest.raises(Unreachable, match=r"none in 1 call \(ConnectionResetError: \)"):
        Oracle(Flaky(0, error=ConnectionResetError()), inputs=4).query(X)
    assert pauses == []


@pytest.mark.parametrize(
    ("library", "name"),
    [("httpx", "ConnectError"), ("httpx", "ReadTimeout"), ("requests", "ReadTimeout")],
)
def test_libraries_have_broken_connections_of_their_own(library, name, pauses):
    error = getattr(pytest.importorskip(library), name)("gone")
    assert not isinstance(error, ConnectionError | TimeoutError)
    oracle = Oracle(Flaky(0, error=error), inputs=4, retries=1)
    np.testing.assert_allclose(oracle.query(X), LOGITS, rtol=0, atol=1e-14)
    assert pauses == [0.1]


def test_labels_too_come_in_batches():
    linear = pytest.importorskip("sklearn.linear_model")
    model = linear.LogisticRegression().fit(X, [0, 1, 2, 0, 1, 2])
    np.testing.assert_array_equal(Oracle(model, "label", batch=4).query(X), model.predict(X))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"batch": 0}, "batch= as a whole number of at least 1, got 0"),
        ({"retries": -1}, "retries= as a whole number from 0 to 100, got -1"),
    ],
)
def test_calls_that_cannot_be_made(options, says):
    with pytest.raises(ValueError, match=says):
        Oracle(NET.logits, inputs=4, **options)
