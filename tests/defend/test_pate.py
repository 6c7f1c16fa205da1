"""Teachers of disjoint data, their votes, the noise, and the bill that grows with every answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from mstheft.data.synthetic import blobs
from mstheft.defend import mechanisms, pate, rdp
from mstheft.defend.pate import ConfidentGNMax, Ensemble, GNMax, LNMax
from mstheft.nn import zoo
from mstheft.nn.fit import accuracy
from mstheft.nn.optim import Adam
from mstheft.oracle import Oracle

ALL, CLASSES = blobs(1000, rng=0)
X, Y, PUBLIC, LABELS = ALL[:600], CLASSES[:600], ALL[600:], CLASSES[600:]
MECHANISMS = [LNMax(0.2), GNMax(4.0), ConfidentGNMax(15, 5.0, 3.0)]
VOTES = np.array([[12, 3, 5], [0, 20, 0], [7, 6, 7]])


def new_teacher(rng):
    return zoo.softmax(2, 3, rng=rng)


PARTS = pate.partition(600, 20, rng=0)


def trained(x, y, epochs=8, **options):
    options = {"epochs": epochs, "batch": 5, "optimizer": Adam(0.05), **options}
    return pate.teachers(x, y, PARTS, new_teacher, rng=0, **options)


@pytest.fixture(scope="module")
def taught():
    return trained(X, Y)


# ---- teachers


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.integers(1, 60), st.integers(0, 100))
def test_a_partition_deals_every_row_once(n, parts, seed):
    parts = min(n, parts)
    dealt = pate.partition(n, parts, rng=seed)
    assert len(dealt) == parts
    assert_array_equal(np.sort(np.concatenate(dealt)), np.arange(n))
    sizes = {len(part) for part in dealt}
    assert max(sizes) - min(sizes) <= 1


def test_a_partition_is_at_random_and_repeats():
    first, again, other = (np.concatenate(pate.partition(50, 5, rng=s)) for s in (1, 1, 2))
    assert_array_equal(first, again)
    assert 10 < (first != other).sum() <= 50
    assert (np.diff(first) < 0).any()


def test_a_teacher_sees_its_part_and_nothing_else():
    """Spoil every row of the other parts: the same teacher comes out, wherever others stop."""
    options = {"validation": (PUBLIC, LABELS), "patience": 1}
    x, y, part = -X, (Y + 1) % 3, PARTS[7]
    x[part], y[part] = X[part], Y[part]
    before, after = trained(X, Y, **options), trained(x, y, **options)
    for i, (one, other) in enumerate(zip(before, after, strict=True)):
        equal = [
            np.array_equal(values, other.parameters()[name])
            for name, values in one.parameters().items()
        ]
        assert all(equal) == (i == 7)


def test_one_person_moves_one_vote(taught):
    """Change one row's label: of each question two counts differ at most, by one."""
    y = Y.copy()
    y[17] = (y[17] + 1) % 3
    counts = [pate.votes(some, PUBLIC, 3) for some in (taught, trained(X, y))]
    apart = np.abs(counts[0] - counts[1])
    assert apart.max() == 1
    assert set(apart.sum(axis=1)) == {0, 2}


def test_votes_count_teachers(taught):
    counts = pate.votes(taught, PUBLIC, 3)
    assert counts.shape == (400, 3)
    slow = [[sum(t.labels(x[None])[0] == k for t in taught) for k in range(3)] for x in PUBLIC[:5]]
    assert_array_equal(counts[:5], slow)
    assert_array_equal(counts.sum(axis=1), 20)


def test_parts_that_share_a_row_are_refused():
    with pytest.raises(ValueError, match="disjoint"):
        pate.teachers(X, Y, [np.array([1, 2]), np.array([2, 3])], new_teacher, rng=0)
    with pytest.raises(ValueError, match="parts from 1 to n=3"):
        pate.partition(3, 4, rng=0)


# ---- the noise


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_answers_are_drawn_anew_and_repeat_with_the_seed(mechanism):
    many = np.tile([[7, 6, 7]], (200, 1))
    first, again = (mechanism.answer(many, rng=3) for _ in range(2))
    assert_array_equal(first, again)
    assert first.shape == (200,)
    assert len(np.unique(first)) >= 3 - (mechanism == MECHANISMS[2])
    rng = np.random.default_rng(0)
    assert (mechanism.answer(many, rng=rng) != mechanism.answer(many, rng=rng)).any()


@pytest.mark.parametrize("mechanism", [LNMax(1e6), GNMax(1e-6), ConfidentGNMax(0, 1e-6, 1e-6)])
def test_hardly_any_noise_tells_the_majority(mechanism):
    assert_array_equal(mechanism.answer(VOTES[:2], rng=0), [0, 1])


@pytest.mark.parametrize(
    ("mechanism", "exact"),
    [
        # gap 4: P(Lap - Lap' > 4), γ = ½: (2 + 2) / (4 e²); and P(N(0, 2·3²) > 4)
        (LNMax(0.5), np.exp(-2.0)),
        (GNMax(3.0), 0.1728893),
    ],
)
def test_the_noise_has_the_size_that_is_accounted_for(mechanism, exact):
    """How often the smaller of two classes wins: for two the bounds of q are equalities."""
    n = 40_000
    votes = np.array([[7, 3]])
    q = rdp.log_q_laplace(votes, 0.5) if mechanism == LNMax(0.5) else rdp.log_q_gaussian(votes, 3)
    assert_allclose(np.exp(q), exact, rtol=1e-6)
    lost = (mechanism.answer(np.tile(votes, (n, 1)), rng=0) == 1).mean()
    assert abs(lost - exact) < 4.5 * np.sqrt(exact * (1 - exact) / n)


def test_the_threshold_has_the_noise_that_is_accounted_for():
    n, mechanism = 40_000, ConfidentGNMax(9, 3.0, 1e-6)
    answers = mechanism.answer(np.tile([[6, 1]], (n, 1)), rng=0)
    exact = float(np.exp(rdp.log_q_threshold([[6, 1]], 9, 3.0))[0])
    assert_allclose(exact, 0.1586553, rtol=1e-6)
    assert abs((answers == 0).mean() - exact) < 4.5 * np.sqrt(exact * (1 - exact) / n)
    assert set(answers) == {0, -1}


def test_an_unanswered_question_costs_the_test_alone():
    mechanism = ConfidentGNMax(15, 5.0, 3.0)
    costs = mechanism.cost(VOTES, np.array([0, -1, 2]), rdp.ORDERS, False)
    test, answer = rdp.ORDERS / (2 * 25), rdp.ORDERS / 9
    assert_allclose(costs, [test + answer, test, test + answer], rtol=1e-12)


# ---- the ensemble as a victim


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_bill_grows_with_every_question(taught, mechanism):
    ensemble = Ensemble(taught, 3, mechanism, rng=0)
    oracle = Oracle(ensemble, "label", gives="labels", inputs=2, budget=300)
    assert ensemble.epsilon(1e-5) == 0
    assert len(ensemble.bill(1e-5)) == 0
    bills = []
    for rows in np.split(PUBLIC[:300], 6):
        assert set(oracle.query(rows)) <= {-1, 0, 1, 2}
        bills.append(ensemble.epsilon(1e-5))
    assert (np.diff(bills) > 0).all()
    assert ensemble.accountant.count == oracle.count == 300
    bill = ensemble.bill(1e-5)
    assert bill.shape == (300,)
    assert_allclose(bill[49::50], bills, rtol=2e-3)
    assert_allclose(bill[-1], bills[-1], rtol=1e-12)
    assert bills[-1] <= ensemble.epsilon(1e-5, by_data=False)
    free = ensemble.bill(1e-5, by_data=False)
    assert_allclose(free[-1], ensemble.epsilon(1e-5, by_data=False), rtol=1e-12)


def test_asking_again_is_paid_again(taught):
    ensemble = Ensemble(taught, 3, GNMax(4.0), rng=0)
    ensemble(PUBLIC[:1])
    once = ensemble.accountant._spent[False].copy()
    ensemble(PUBLIC[:1])
    assert_allclose(ensemble.accountant._spent[False], 2 * once, rtol=1e-14)


def test_long_bills_are_added_in_pieces(taught, monkeypatch):
    ensemble = Ensemble(taught, 3, GNMax(4.0), rng=0)
    ensemble(PUBLIC[:100])
    whole = ensemble.bill(1e-5)
    monkeypatch.setattr(pate, "PART", 7)
    monkeypatch.setattr(mechanisms, "PART", 7)
    assert_allclose(ensemble.bill(1e-5), whole, rtol=1e-12)
    again = pate.Accountant()
    again.spend(ensemble.mechanism, *ensemble.calls[0])
    assert_allclose(again.epsilon(1e-5).epsilon, whole[-1], rtol=1e-12)


def test_a_student_learns_from_the_answers(taught):
    ensemble = Ensemble(taught, 3, ConfidentGNMax(15, 5.0, 3.0), rng=0)
    answers = ensemble(PUBLIC[:200])
    assert 0 < (answers == -1).sum() < 100
    options = {"epochs": 40, "rng": 1, "optimizer": Adam(0.05)}
    student = pate.student(zoo.softmax(2, 3, rng=1), PUBLIC[:200], answers, **options)
    assert 0.85 < accuracy(student, PUBLIC[200:], LABELS[200:]) <= 1
    with pytest.raises(ValueError, match="at least one row"):
        pate.student(zoo.softmax(2, 3), PUBLIC, np.full(400, -1))


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (LNMax, "gamma", 0),
        (GNMax, "sigma", -1),
        (lambda value: ConfidentGNMax(10, value, 5), "sigma1", np.nan),
        (lambda value: ConfidentGNMax(10, 5, value), "sigma2", np.inf),
    ],
)
def test_noise_that_cannot_be_is_refused(make, name, value):
    with pytest.raises(ValueError, match=rf"expected {name}= as a finite number above 0, got "):
        make(value)


def test_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="expected a finite threshold="):
        ConfidentGNMax(np.nan, 5, 5)


def test_a_teacher_with_one_sigmoid_votes_for_two_classes():
    assert Ensemble([zoo.logistic(2, rng=0)], 2, GNMax(1e-9), rng=0)(X[:4]).max() <= 1


@pytest.mark.parametrize(
    ("count", "mechanism", "drowned"),
    [
        (5, GNMax(8.0), True),
        (5, GNMax(1.0), False),
        (250, GNMax(40.0), False),
        (5, LNMax(0.05), True),
        (250, LNMax(0.05), False),
        (5, ConfidentGNMax(3, 1.0, 8.0), True),
    ],
)
def test_noise_that_drowns_the_teachers_is_warned_about(count, mechanism, drowned):
    taught = [zoo.softmax(2, 10, rng=0)] * count
    if not drowned:
        Ensemble(taught, 10, mechanism, rng=0)  # a warning would be an error
        return
    with pytest.warns(UserWarning, match="drowns 5 teachers: .* train more teachers or"):
        Ensemble(taught, 10, mechanism, rng=0)
    answers = mechanism.answer(np.tile(5 * np.eye(10)[:1], (2000, 1)), rng=0)
    assert (answers == 0).mean() < 0.5
