"""The privacy accountant: golden values, 50 digits, and what must hold of every cost."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf
from numpy.testing import assert_allclose

from mstheft.defend import rdp
from mstheft.defend.pate import Accountant, ConfidentGNMax, GNMax, LNMax

DIGITS = 950  # 50 of them are left at ln q = -2000
INDEPENDENT = np.zeros(1)  # ln q = 0: nothing is known of the votes
HALVES = np.arange(1.5, 100, 0.5)
CLEAR, SURE, SPLIT = [[200, 30, 20]], [[240, 5, 5]], [[130, 120, 0]]


# ---- from the formulas as the papers print them; they lose ln q / ln 10 digits to the 1 in them


def slow_q_gaussian(votes, sigma):
    votes = sorted(map(mpf, votes))
    q = sum(mpmath.erfc((votes[-1] - n) / (2 * mpf(sigma))) / 2 for n in votes[:-1])
    return min(q, 1 - mpf(1) / len(votes))


def slow_q_laplace(votes, gamma):
    votes = sorted(map(mpf, votes))
    gaps = [mpf(gamma) * (votes[-1] - n) for n in votes[:-1]]
    return min(sum((2 + g) / (4 * mpmath.exp(g)) for g in gaps), 1 - mpf(1) / len(votes))


def slow_gaussian(q, sigma, order):
    s2, order = mpf(sigma) ** 2, mpf(order)
    free = order / s2
    mu2 = mpf(sigma) * mpmath.sqrt(-mpmath.log(q))
    mu1 = mu2 + 1
    if not (order < mu1 and mu2 > 1):
        return free
    e1, e2 = mu1 / s2, mu2 / s2
    most = (mu2 - 1) * e2 - mu2 * (mpmath.log(1 + 1 / (mu1 - 1)) + mpmath.log(1 + 1 / (mu2 - 1)))
    if not (-mpmath.log(q) > e2 and mpmath.log(q) <= most):
        return free
    a = (1 - q) / (1 - (q * mpmath.exp(e2)) ** ((mu2 - 1) / mu2))
    b = mpmath.exp(e1) / q ** (1 / (mu1 - 1))
    bracket = (1 - q) * a ** (order - 1) + q * b ** (order - 1)
    return min(free, mpmath.log(bracket) / (order - 1))


def slow_laplace(q, gamma, order):
    e0, order = 2 * mpf(gamma), mpf(order)
    bounds = [e0**2 * order / 2, e0]
    if q <= 1 / (mpmath.exp(e0) + 1):
        ratio = (1 - q) / (1 - mpmath.exp(e0) * q)
        bracket = (1 - q) * ratio ** (order - 1) + q * mpmath.exp(e0 * (order - 1))
        bounds.append(mpmath.log(bracket) / (order - 1))
    return min(bounds)


# ---- golden values


@pytest.mark.parametrize(
    ("votes", "log_q", "costs"),
    [
        (CLEAR, -6.185839427144, [0.00054506, 0.00068104, 0.00323554]),
        (SURE, -10.330116427155, [1.13789633e-5, 1.54249684e-5, 1.60634954e-4]),
        (SPLIT, -0.819572382689, [2 / 1600, 8 / 1600, 32 / 1600]),
    ],
)
def test_golden_values_of_gnmax(votes, log_q, costs):
    found = rdp.log_q_gaussian(votes, 40)
    assert_allclose(found, [log_q], rtol=1e-12)
    printed = 5e-9 if log_q > -10 else 5e-14  # half of the last digit that is printed
    assert_allclose(rdp.gaussian(found, 40, [2, 8, 32])[0], costs, rtol=5e-9, atol=printed)


@pytest.mark.parametrize(
    ("votes", "log_q", "costs", "printed"),
    [
        (CLEAR, -7.043023688042, [0.00018372, 0.00021823], 5e-9),
        (SURE, -9.822108356447, [1.14087e-5, 1.35589e-5], 5.1e-11),
    ],
)
def test_golden_values_of_lnmax(votes, log_q, costs, printed):
    found = rdp.log_q_laplace(votes, 1 / 20)
    assert_allclose(found, [log_q], rtol=1e-12)
    assert_allclose(rdp.laplace(found, 1 / 20, [2, 8])[0], costs, rtol=0, atol=printed)


def test_golden_epsilon_of_confident_gnmax():
    """640 tests with σ1 150 and 286 answers with σ2 40: at λ = 8.5,

    640 λ / (2 150²) + 286 λ / 40² + ln(1e5) / 7.5  =  0.12089 + 1.51938 + 1.53506
    """
    noise = 150 * 2**0.5, 40
    test, answer = (rdp.gaussian(INDEPENDENT, sigma, HALVES) for sigma in noise)
    found = rdp.epsilon(640 * test[0] + 286 * answer[0], 1e-5, HALVES)
    by_hand = 640 * 8.5 / (2 * 150**2) + 286 * 8.5 / 40**2 + math.log(1e5) / 7.5
    assert_allclose(found.epsilon, by_hand, rtol=1e-12)
    assert_allclose(found.epsilon, 3.17532, rtol=0, atol=5e-6)
    assert found.order == 8.5


def test_golden_epsilon_of_lnmax():
    """100 answers, γ 0.05; the moment l of 2017 is the order λ = l + 1, and l goes up to 8."""
    orders = np.arange(2, 10)
    found = rdp.epsilon(100 * rdp.laplace(INDEPENDENT, 0.05, orders)[0], 1e-5, orders)
    assert_allclose(found.epsilon, 3 + math.log(1e5) / 5, rtol=1e-12)
    assert_allclose(found.epsilon, 5.302585, rtol=0, atol=5e-7)
    assert found.order - 1 == 5


def test_golden_values_are_those_of_the_slow_formulas():
    with mpmath.workdps(DIGITS):
        for votes in (CLEAR, SURE, SPLIT):
            q = slow_q_gaussian(votes[0], 40)
            slow = [float(slow_gaussian(q, 40, order)) for order in (2, 8, 32)]
            fast = rdp.gaussian(rdp.log_q_gaussian(votes, 40), 40, [2, 8, 32])[0]
            assert_allclose(fast, slow, rtol=1e-12)


def test_by_hand_one_class_costs_nothing_and_two_equal_ones_q_one_half():
    assert_allclose(rdp.gaussian(rdp.log_q_gaussian([[50]], 3), 3), 0, atol=0)
    assert_allclose(np.exp(rdp.log_q_gaussian([[7, 7]], 3)), 0.5, rtol=1e-14)
    assert_allclose(np.exp(rdp.log_q_laplace([[7, 7]], 3)), 0.5, rtol=1e-14)
    assert_allclose(np.exp(rdp.log_q_laplace([[7, 7, 7, 7]], 3)), 0.75, rtol=1e-14)
    assert_allclose(np.exp(rdp.log_q_threshold([[7, 1]], 7, 3)), 0.5, rtol=1e-14)


def test_the_threshold_test_by_hand():
    """P(max + N ≥ T) with max one σ above T and one below: the rarer outcome has Φ(-1)."""
    tail = float(mpmath.ncdf(-1))
    assert_allclose(np.exp(rdp.log_q_threshold([[9, 1], [3, 1]], 6, 3)), [tail, tail], rtol=1e-13)


# ---- against 50 digits or more


VOTES = st.lists(st.integers(0, 250), min_size=2, max_size=6)


@settings(max_examples=60, deadline=None)
@given(VOTES, st.floats(1, 150), st.floats(1.01, 300))
def test_gnmax_against_many_digits(votes, sigma, order):
    log_q = rdp.log_q_gaussian([votes], sigma)
    with mpmath.workdps(60):
        q = slow_q_gaussian(votes, sigma)
        assert_allclose(log_q, [float(mpmath.log(q))], rtol=1e-12)
    with mpmath.workdps(DIGITS):
        slow = slow_gaussian(mpmath.exp(mpf(float(log_q[0]))), sigma, order)
    assert_allclose(rdp.gaussian(log_q, sigma, [order])[0, 0], float(slow), rtol=1e-9, atol=1e-300)


@settings(max_examples=60, deadline=None)
@given(VOTES, st.floats(1e-4, 2), st.floats(1.01, 300))
def test_lnmax_against_many_digits(votes, gamma, order):
    log_q = rdp.log_q_laplace([votes], gamma)
    with mpmath.workdps(60):
        q = slow_q_laplace(votes, gamma)
        assert_allclose(log_q, [float(mpmath.log(q))], rtol=1e-12, atol=1e-15)
    with mpmath.workdps(DIGITS):
        slow = slow_laplace(mpmath.exp(mpf(float(log_q[0]))), gamma, order)
    assert_allclose(rdp.laplace(log_q, gamma, [order])[0, 0], float(slow), rtol=1e-9, atol=1e-300)


@settings(max_examples=40, deadline=None)
@given(st.floats(-2000, -1e-6), st.floats(0.5, 200), st.floats(1.01, 900))
def test_gaussian_for_any_q(log_q, sigma, order):
    with mpmath.workdps(DIGITS):
        slow = slow_gaussian(mpmath.exp(mpf(log_q)), sigma, order)
    fast = rdp.gaussian(np.array([log_q]), sigma, [order])[0, 0]
    assert_allclose(fast, float(slow), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("log_q", [-30.0, -800.0, -1400.0])
def test_gaussian_where_the_second_term_rules(log_q):
    """Just below μ1 the bracket is e^{-ln q}, beyond the range of a float for the last two."""
    sigma = 30.0
    order = 0.999 * (sigma * math.sqrt(-log_q) + 1)
    with mpmath.workdps(DIGITS):
        slow = slow_gaussian(mpmath.exp(mpf(log_q)), sigma, order)
    fast = rdp.gaussian(np.array([log_q]), sigma, [order])[0, 0]
    assert_allclose(fast, float(slow), rtol=1e-10)


# ---- what must hold


@settings(max_examples=40, deadline=None)
@given(st.lists(VOTES.map(lambda v: (v * 6)[:6]), min_size=1, max_size=8), st.floats(2, 80))
def test_costs_are_bounded_and_known_votes_never_cost_more(votes, sigma):
    costs = rdp.gaussian(rdp.log_q_gaussian(votes, sigma), sigma)
    assert costs.shape == (len(votes), len(rdp.ORDERS))
    assert (costs >= 0).all()
    assert (costs <= rdp.ORDERS / sigma**2 * (1 + 1e-15)).all()
    costs = rdp.laplace(rdp.log_q_laplace(votes, 1 / sigma), 1 / sigma)
    assert (costs >= 0).all()
    assert (costs <= 2 / sigma).all()


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-12, 0.4), st.floats(1.01, 2.4))
def test_epsilon_falls_in_delta_and_grows_in_what_is_spent(delta, factor):
    spent = 3 * rdp.gaussian(INDEPENDENT, 20)[0]
    here = rdp.epsilon(spent, delta).epsilon
    assert rdp.epsilon(spent, delta * factor).epsilon < here
    assert rdp.epsilon(spent * factor, delta).epsilon > here


def test_costs_grow_with_the_order_and_fall_with_agreement():
    costs = rdp.gaussian(rdp.log_q_gaussian([[250 - k, k] for k in (0, 20, 60, 90)], 30), 30)
    assert (np.diff(costs[:, :20], axis=0) > 0).all()
    assert (np.diff(costs, axis=1) >= -1e-18).all()


def test_composition_adds():
    votes = np.array([[200, 30, 20], [240, 5, 5], [90, 80, 80]])
    mechanism, together, apart = ConfidentGNMax(150, 60, 20), Accountant(), Accountant()
    answers = np.array([0, 0, -1])
    together.spend(mechanism, votes, answers)
    for row, answer in zip(votes, answers, strict=True):
        apart.spend(mechanism, row[None], answer[None])
    orders = [together.epsilon(1e-6).order]
    tests = rdp.gaussian(rdp.log_q_threshold(votes, 150, 60), 60 * 2**0.5, orders)
    told = rdp.gaussian(rdp.log_q_gaussian(votes[:2], 20), 20, orders)
    by_hand = rdp.epsilon(tests.sum(axis=0) + told.sum(axis=0), 1e-6, orders).epsilon
    for accountant in (together, apart):
        assert (accountant.count, accountant.answered) == (3, 2)
        assert_allclose(accountant.epsilon(1e-6).epsilon, by_hand, rtol=1e-12)
        each = 3 / (2 * 60**2) + 2 / 20**2  # c λ + L / (λ - 1) is least at λ = 1 + √(L/c)
        free = each + 2 * math.sqrt(each * math.log(1e6))
        assert_allclose(accountant.epsilon(1e-6, by_data=False).epsilon, free, rtol=1e-5)


def test_many_sums_at_once_are_each_alone():
    costs = rdp.gaussian(rdp.log_q_gaussian([[20, 3], [9, 8], [12, 1]], 5), 5).cumsum(axis=0)
    found = rdp.epsilon(costs, 1e-4)
    for row, epsilon, order in zip(costs, *found, strict=True):
        assert rdp.epsilon(row, 1e-4) == (epsilon, order)


def test_an_empty_bill_is_zero():
    assert Accountant().epsilon(1e-5).epsilon == 0


# ---- errors


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: rdp.epsilon(np.ones(3), 0, [2, 3, 4]), "0 < delta < 1"),
        (lambda: rdp.log_q_gaussian([3, 4], 1), r"votes as \(n, K\)"),
        (lambda: rdp.log_q_laplace([[3, -1]], 1), "at least 0"),
    ],
)
def test_wrong_arguments_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize("by_data", [True, False])
@pytest.mark.parametrize("mechanism", [LNMax(0.002), LNMax(1.0), GNMax(1), GNMax(40), GNMax(400)])
@pytest.mark.parametrize("n", [1, 200])
def test_the_order_is_the_best_of_a_fine_search(mechanism, n, by_data):
    """To 0.1 %. Orders from 1.5 to 1000 alone were up to 3.9 times too dear."""
    rng = np.random.default_rng(n)
    shares = rng.dirichlet(np.full(10, 0.3), n)
    votes = np.array([rng.multinomial(250, share) for share in shares])
    answers = mechanism.answer(votes, rng=1)
    accountant = Accountant()
    accountant.spend(mechanism, votes, answers)
    found = accountant.epsilon(1e-5, by_data=by_data)
    orders = 1 + np.geomspace(1e-4, 1e6, 4001)
    fine = rdp.epsilon(mechanism.cost(votes, answers, orders, by_data).sum(0), 1e-5, orders)
    assert found.epsilon <= 1.001 * fine.epsilon
    own = mechanism.cost(votes, answers, np.array([found.order]), by_data).sum(0)
    assert_allclose(found.epsilon, rdp.epsilon(own, 1e-5, [found.order]).epsilon, rtol=1e-12)
