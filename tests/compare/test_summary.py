"""All comparisons at once: each number is that of its own function, or left out."""

import numpy as np
import pytest
from twins import blurred, disguised

from mstheft import compare
from mstheft.compare.alignment import center
from mstheft.nn import zoo

A = zoo.mlp([4, 6, 3], bias=1, rng=0)
B = zoo.mlp([4, 6, 3], bias=1, rng=1)
X = np.random.default_rng(5).normal(size=(200, 4))


def test_summary():
    copy = disguised(blurred(A, 1e-9, 0), 0)[0]
    right = A.labels(X).copy()
    right[:20] = (right[:20] + 1) % 3
    found = compare.summary(A, copy, X, labels=right, independent=B)
    assert (found.rows, found.agreement) == (200, 1)
    assert found.victim_accuracy == found.copy_accuracy == 0.9
    assert found.control == compare.agreement(A, B, X)
    assert found.difference == compare.logit_difference(A, copy, X)
    assert found.parameter_error == compare.align(A, copy).error
    assert found.certificate == compare.certificate(A, copy, X.min(axis=0), X.max(axis=0))
    assert found.difference.max < found.certificate < 1e-6
    table = str(found).splitlines()
    assert [line[:30].strip() for line in table] == [
        "inputs compared",
        "agreement",
        "without the victim",
        "max |Δlogit|",
        "mean |Δlogit|",
        "accuracy of the victim",
        "accuracy of the copy",
        "max |Δparameter|, aligned",
        "certified |Δlogit|, same box",
    ]
    assert table[1].endswith("100.00 %  (200 of 200)")
    assert table[5].endswith("90.00 %  (180 of 200)")
    assert table[7].endswith(f"{found.parameter_error:.2e}")
    assert max(map(len, table)) <= 72


def test_summary_keeps_victim_and_copy_apart():
    found = compare.summary(A, B, X, labels=A.labels(X))
    assert found.victim_accuracy == 1
    assert found.copy_accuracy == found.agreement < 1


def test_nearly_all_is_not_printed_as_all():
    def f(x):
        return np.ones((len(x), 1))

    def g(x):
        return 1.0 - 2 * (np.arange(len(x)) == 7)[:, None]

    found = compare.summary(f, g, np.zeros((30_000, 1)))
    assert "99.99 %  (29,999 of 30,000)" in str(found)
    assert "100" not in str(found)


@pytest.mark.parametrize(
    ("victim", "copy", "parameters", "bound"),
    [
        (A, B.logits, False, False),
        (A, zoo.mlp([4, 9, 3], bias=1, rng=2), False, False),
        (A, zoo.softmax(4, 3, rng=0), False, False),
        (A, zoo.mlp([4, 6, 3], activation="tanh", rng=0), False, False),
        (zoo.softmax(4, 3, rng=0), zoo.softmax(4, 3, rng=1), True, True),
        (zoo.mlp([4, 5, 5, 3], rng=0), zoo.mlp([4, 5, 5, 3], rng=1), False, True),
        (zoo.mlp([4, 5, 5, 3], rng=0), zoo.mlp([4, 5, 6, 3], rng=1), False, False),
    ],
)
def test_what_does_not_apply_is_left_out(victim, copy, parameters, bound):
    found = compare.summary(victim, copy, X)
    assert (found.parameter_error is not None, found.certificate is not None) == (parameters, bound)
    assert (found.control, found.victim_accuracy, found.copy_accuracy) == (None, None, None)
    assert len(str(found).splitlines()) == 4 + parameters + bound
    if bound:
        assert found.difference.max <= found.certificate


def test_summary_of_linear_networks_compares_their_numbers():
    a = zoo.logistic(4, rng=0)
    b = blurred(a, 1e-6, 0)
    want = max(np.abs(p - q).max() for p, q in zip(a.dense()[0], b.dense()[0], strict=True))
    assert compare.summary(a, b, X).parameter_error == want


@pytest.mark.parametrize("widths", [[4, 3], [4, 6, 3]])
def test_summary_up_to_gauge(widths):
    """A shift of all classes by one affine function of the last activations: same probabilities."""
    a = zoo.mlp(widths, bias=1, rng=0)
    b = a.copy()
    for p in b.dense()[-1]:
        p += np.random.default_rng(0).normal(size=p.shape[1:])
    plain, fixed = compare.summary(a, b, X), compare.summary(a, b, X, gauge=True)
    for found, low, high in ((plain, 0.1, 1e3), (fixed, 0, 1e-12)):
        for value in (*found.difference, found.parameter_error, found.certificate):
            assert low <= value < high
    assert plain.agreement == fixed.agreement == 1
    assert fixed.certificate == compare.certificate(
        center(a), center(b), X.min(axis=0), X.max(axis=0)
    )


@pytest.mark.parametrize("labels", [np.zeros(7, int), np.zeros(200), np.zeros((200, 1), int)])
def test_labels_that_are_none(labels):
    with pytest.raises(ValueError, match=r"expected labels as \(200,\) whole numbers, got shape"):
        compare.summary(A, B, X, labels=labels)


def test_nothing_is_changed_by_comparing():
    a, b = A.copy(), disguised(A, 0)[0]
    kept = [p.copy() for network in (a, b) for p in network.parameters().values()]
    x = X.copy()
    compare.summary(a, b, x, labels=a.labels(x), independent=B, gauge=True)
    now = [p for network in (a, b) for p in network.parameters().values()]
    for p, q in zip(now, kept, strict=True):
        np.testing.assert_array_equal(p, q)
    np.testing.assert_array_equal(x, X)
