"""DAWN: which answers are changed, that they stay so, and what the owner's test says of whom."""

import numpy as np
import pytest
from scipy import stats

import mstheft as mt
from mstheft.data.synthetic import glyphs, letters
from mstheft.defend import dawn
from mstheft.nn import zoo
from mstheft.nn.fit import fit

KEY, RNG = b"0123456789abcdef", np.random.default_rng(0)
X = RNG.random((4000, 6))
PROBS = RNG.dirichlet(np.ones(5), len(X))


def test_a_share_of_the_answers_is_changed_and_to_every_other_label_alike():
    """4.5 standard deviations of a binomial; a shift by s moves the label by s."""
    told = dawn.Watermark(KEY, 0.25)(PROBS, X)
    changed = (told != PROBS).any(axis=1)
    assert abs(changed.mean() - 0.25) < 4.5 * np.sqrt(0.25 * 0.75 / len(X))
    by = (told.argmax(axis=1) - PROBS.argmax(axis=1))[changed] % 5
    counts = np.bincount(by, minlength=5)
    assert counts[0] == 0, "the label is another one"
    assert stats.chisquare(counts[1:]).pvalue > 1e-4
    np.testing.assert_array_equal(np.sort(told, axis=1), np.sort(PROBS, axis=1))


def test_the_same_question_gets_the_same_answer_and_another_key_another_one():
    first, again, other = (dawn.Watermark(key, 0.2) for key in (KEY, KEY, KEY[::-1]))
    told = first(PROBS, X)
    order = RNG.permutation(len(X))
    np.testing.assert_array_equal(again(PROBS[order], X[order] + 1e-9), told[order])
    both = (told != PROBS).any(axis=1) & (other(PROBS, X) != PROBS).any(axis=1)
    assert 0.02 < both.mean() < 0.06, "0.2 times 0.2"
    single = X.astype(np.float32)
    mark = first.marked(single, 5)[0] == first.marked(X, 5)[0]
    assert mark.mean() > 0.99, "but where float32 rounds to another third decimal"


def test_marked_questions_are_kept_once():
    mark = dawn.Watermark(KEY, 0.1)
    for _ in range(2):
        told = mark(PROBS, X)
    changed = (told != PROBS).any(axis=1)
    np.testing.assert_array_equal(mark.rows, X[changed])
    np.testing.assert_array_equal(mark.labels, told[changed].argmax(axis=1))


@pytest.mark.parametrize(("matches", "asked"), [(0, 20), (3, 20), (20, 20), (150, 400)])
def test_the_p_value_is_the_binomial_tail(matches, asked):
    wanted = stats.binom.sf(matches - 1, asked, 1 / 9)
    np.testing.assert_allclose(dawn.p_value(matches, asked, 10), wanted, rtol=1e-9)


def test_a_model_that_never_saw_an_answer_is_not_accused():
    """Of 200 keys and a label that depends on none of them, p < 0.05 in at most 5 % and spread."""
    small, labels = X[:300], RNG.integers(0, 5, 300)
    values = []
    for i in range(200):
        mark = dawn.Watermark(KEY + bytes([i]), 0.2)
        mark(PROBS[:300], small)
        number = {row.tobytes(): label for row, label in zip(small, labels, strict=True)}
        verdict = mark.test(lambda x, number=number: [number[row.tobytes()] for row in x], 5)
        values.append(verdict.p)
    assert np.mean(np.array(values) < 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)
    assert max(values) > 0.3


def test_a_stolen_copy_is_found_out_and_an_independent_one_is_not():
    x, y = glyphs(1500, size=8, classes=4, noise=0.02, rng=0)
    victim, own = zoo.mlp([64, 24, 4], rng=0), zoo.mlp([64, 24, 4], rng=5)
    fit(victim, x[:700], y[:700], epochs=25, rng=0)
    fit(own, x[700:], y[700:], epochs=25, rng=1)
    rows, mark = letters(400, size=8, rng=1)[0], dawn.Watermark(KEY, 0.1)
    oracle = mt.Oracle(victim, "probs", defences=[mark])
    copy = zoo.mlp([64, 64, 4], rng=3)
    fit(copy, rows, oracle.query(rows), epochs=400, batch=50, rng=2)
    stolen, alone = mark.test(copy.labels, 4), mark.test(own.labels, 4)
    assert 20 <= stolen.asked == alone.asked <= 60
    assert stolen.p < 1e-6
    assert alone.p > 0.01
    told = mark(victim.probs(x), x).argmax(axis=1)
    assert (told == victim.labels(x)).mean() == pytest.approx(0.9, abs=0.04)


def test_what_cannot_work_is_refused():
    for key, share, says in ((b"short", 0.1, "16 bytes"), (KEY, 0.0, "0 < share"), (KEY, 1, "< 1")):
        with pytest.raises(ValueError, match=says):
            dawn.Watermark(key, share)
    with pytest.raises(ValueError, match="3 classes"):
        dawn.Watermark(KEY)(PROBS[:, :2], X)
    with pytest.raises(ValueError, match="asked too few"):
        dawn.Watermark(KEY).test(len, 5)
