"""The check on fresh rows: right copies pass, wrong ones do not, rounding is forgiven."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from linear_victims import gauged, victim

import mstheft as mt
from mstheft.direct.answers.reader import read
from mstheft.direct.verify import blur, equal_labels, verify
from mstheft.nn import zoo
from mstheft.oracle import Oracle
from mstheft.result import Result


@pytest.mark.parametrize("output", ["logits", "log_probs", "probs"])
@pytest.mark.parametrize("K", [1, 3])
def test_verify_accepts_the_victim_and_rejects_one_part_in_a_thousand(K, output):
    true = victim(8, K, weights=0.5)
    result, oracle = Result(model=true.copy()), Oracle(true, output)
    assert verify(result, oracle, rng=0)
    assert result.queries == {"verify": 100}
    assert result.error < (1e-8 if output == "probs" else 1e-10)
    assert "answers like the victim on 100 fresh rows" in result.found["verify"]
    result.model.dense()[0][0][0, 0] *= 1.001
    assert not verify(result, oracle, rng=0)
    assert not result.verified
    assert 1e-5 < result.error < 1  # asked far out
    assert verify(result, oracle, rng=0, tolerance=1e-2)
    assert result.queries == {"verify": 300}


def test_verify_follows_the_noise_but_never_beyond_one_percent():
    true = victim(8)
    result, oracle = Result(model=true.copy()), Oracle(true, "logits")
    result.model.dense()[0][1][...] += 1e-3  # size is about 3
    assert not verify(result, oracle, rng=0)
    assert verify(result, oracle, rng=0, noise=1e-5)
    result.model.dense()[0][1][...] += 0.1
    assert not verify(result, oracle, rng=0, noise=1e6)


def test_verify_is_not_fooled_by_rows_that_tell_nothing():
    true = victim(8, weights=1e-3, bias=0)
    wrong = Result(model=victim(8, weights=1e-3, bias=0, seed=1))
    assert not verify(wrong, Oracle(true, "probs", decimals=1), rng=0)
    saturated = Oracle(victim(8, weights=1e3), "probs")
    assert not verify(Result(model=victim(8, weights=1e3)), saturated, rng=0)
    nothing = Oracle(lambda x: np.full((len(x), 1), -np.inf), "logits", inputs=8)
    assert not verify(wrong, nothing, rng=0)
    assert wrong.error == np.inf


@pytest.mark.parametrize("output", ["logits", "log_probs", "probs"])
def test_an_answer_of_nan_is_a_miss(output):
    """`Oracle` refuses such answers; an oracle of a lesson, or of a user, may not."""
    true = zoo.mlp([8, 5, 3], bias=0.5, rng=0)

    class Careless(SimpleNamespace):
        def query(self, x):
            self.count += len(x)
            answers = Oracle(true, output).query(x)
            return np.where(x[:, :1] > 0.4, np.nan, answers) if self.careless else answers

    for careless in (False, True):
        about = {"output": output, "inputs": 8, "outputs": 3, "count": 0, "decimals": None}
        result = Result(model=true.copy())
        assert verify(result, Careless(careless=careless, **about), rng=0) != careless
        assert (result.error == np.inf) == careless


def test_verify_asks_rows_of_the_given_scale():
    asked = []

    def watch(x):
        asked.append(x)
        return x[:, :1]

    copy = zoo.logistic(3)
    copy.dense()[0][0][...] = [[1, 0, 0]]
    oracle = Oracle(watch, "logits", inputs=3)
    assert verify(Result(model=copy), oracle, rng=0, points=2000, scale=7.0)
    near, far = (np.linalg.norm(rows) / np.sqrt(3000) for rows in asked)
    assert 6.7 < near < 7.3
    assert far > 10 * near
    assert [len(rows) for rows in asked] == [1000, 1000]


def test_verify_goes_as_far_as_probabilities_still_tell():
    asked = []
    copy = zoo.logistic(3)
    copy.dense()[0][0][...] = [[1, 0, 0]]

    def watch(x):
        asked.append(x)
        return copy.probs(x)

    oracle = Oracle(watch, "probs", gives="probs", inputs=3)
    result = Result(model=copy)
    assert verify(result, oracle, rng=0, points=2000)
    assert "on 2000 fresh rows" in result.found["verify"]
    z = copy.logits(asked[1])
    assert 10 < z.max() < 37  # 1 - p has no digit left there
    assert z.min() < -100  # p itself has all its digits


@pytest.mark.parametrize("decimals", [None, 1, 2, 4, 8])
@pytest.mark.parametrize("K", [1, 3])
@pytest.mark.parametrize("output", ["logits", "log_probs", "probs"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_blur_bounds_what_rounding_does(dtype, output, K, decimals):
    exact = victim(6, K, weights=2.0)
    x = np.random.default_rng(0).normal(size=(400, 6)).astype(dtype)
    oracle = Oracle(exact, output, decimals=decimals)
    if dtype == np.float32:
        single = victim(6, K, weights=2.0)
        oracle = Oracle(
            lambda x: single.logits(x).astype(np.float32), output, inputs=6, decimals=decimals
        )
    answers = read(oracle, x)
    bound = blur(oracle, answers)
    miss = np.abs(answers - gauged(exact.logits(x), output))
    seen = np.isfinite(answers).all(axis=1)
    assert seen.mean() > (0.02 if decimals == 1 else 0.1)
    assert np.isinf(bound[~seen]).all()
    slack = 8 if decimals in (None, 8) else 1  # the victim's own arithmetic rounds more than once
    assert (miss[seen] <= slack * bound[seen]).all()
    if decimals is not None and decimals < 8:
        assert miss[seen].max() > bound[seen].min() / 20  # not a bound of no use


# ---- how exact is exact


def test_a_verdict_is_no_promise_of_equal_labels():
    """0 decimals: the note states the error, with its unit, labels that agree, and ties."""
    victim = zoo.mlp([20, 8, 3], bias=0.1, rng=2)
    result = mt.direct.sweep.extract(Oracle(victim, decimals=0), rng=2)
    note = result.notes["verify"]
    error = re.search(r"max \|Δ\| (\S+) in logits, same label on (\d+) of (\d+), (\d+) und", note)
    assert float(error.group(1)) == pytest.approx(result.error, rel=0.06)
    equal, rows, ties = map(int, error.groups()[1:])
    x = np.random.default_rng(9).normal(size=(5000, 20))
    agreement = mt.compare.agreement(victim, result.model, x)
    assert agreement < 0.99
    assert equal / rows - 0.03 < agreement < (equal + ties) / rows + 0.03
    assert f"up to {3 / rows:.1%} of such inputs may be wrong" in note


def test_probabilities_of_few_decimals_have_their_own_unit():
    victim = zoo.mlp([20, 8, 3], bias=0.1, rng=np.random.default_rng([0, 0]))
    oracle = Oracle(victim, "probs", decimals=4)
    result = mt.direct.sweep.extract(oracle, rng=np.random.default_rng([0, 1]))
    assert "in probabilities, same label on" in result.notes["verify"]
    assert result.error < 5e-3


def test_labels_are_compared_by_hand():
    two = np.array([[1.0, 2.0], [3.0, 0.0], [1.0, 1.0]])
    own = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    assert equal_labels(two, own) == "same label on 1 of 3, 1 undecided"
    one = np.array([[0.2], [0.5], [0.9]])
    assert equal_labels(one, own[:, :1] + 1, "probs") == "same label on 1 of 3, 1 undecided"
    assert equal_labels(one, own[:, :1] - 1, "logits") == "same label on 0 of 3"
    pairs = np.log(np.array([[0.3, 0.7], [0.6, 0.4]]))  # ln (1 - p), ln p of one sigmoid
    assert equal_labels(pairs, np.array([[1.0], [-1.0]]), "log_probs") == "same label on 2 of 2"
