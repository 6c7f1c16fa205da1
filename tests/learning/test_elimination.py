"""What a student of one hidden layer has too many: the cheapest go, twins are one."""

import numpy as np

from mstheft.direct.answers.noise import Noise
from mstheft.learning import elimination, students
from mstheft.nn import gauss_newton as gn
from mstheft.nn import pruning


def student_of(weights, rows, logits):
    fit = gn.Fit(gn.with_ones(rows), ["relu"], logits, np.ones_like(logits))
    return students.Student(fit, Noise("float64"), fit.at(weights))


def some_student(width=6, d=4, outputs=3, n=300, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d))
    first, last = rng.normal(size=(width, d + 1)), rng.normal(size=(outputs, width + 1))
    logits = gn.forward([first, last], ["relu"], gn.with_ones(rows)).logits
    return student_of([first, last], rows, logits), rows


def misfit_without(student, gone):
    kept = [i for i in range(student.width) if i not in gone]
    return student.at(pruning.without(student.here, 0, kept)).misfit


def test_the_cheapest_neuron_is_the_one_that_refitting_misses_least():
    for seed in range(10):
        student, _ = some_student(seed=seed)
        gone = set(range(6)) - set(elimination.spared(student, 1))
        each = [misfit_without(student, [i]) for i in range(6)]
        assert gone == {int(np.argmin(each))}


def test_two_are_dropped_one_after_the_other():
    student, _ = some_student(seed=3)
    kept = elimination.spared(student, 1)
    gone = (set(range(6)) - set(kept)).pop()
    second = min((i for i in kept), key=lambda i: misfit_without(student, [gone, i]))
    assert set(elimination.spared(student, 2)) == set(kept) - {second}


def test_a_neuron_of_little_more_than_the_noise_stays():
    """Without it the misfit is 1.3 to 2 times σ, which is known: it is no noise."""
    student, rows = some_student(seed=1)
    first, last = (matrix.copy() for matrix in student.here.weights)
    last[:, 0] /= 200
    logits = np.round(gn.forward([first, last], ["relu"], gn.with_ones(rows)).logits, 2)
    fit = gn.Fit(gn.with_ones(rows), ["relu"], logits, np.full_like(logits, 100 * np.sqrt(12)))
    whole = students.Student(fit, Noise("decimals", 2), fit.at([first, last]))
    trace = students.Trace(rows, logits, rows, logits)
    trace.note("polish", whole, True)
    kept = pruning.without(whole.here, 0, [1, 2, 3, 4, 5])
    assert 1.3 < whole.at(kept).misfit / whole.misfit < 2
    assert elimination.narrower("eliminate", whole, kept, trace, np.random.default_rng(0)) is None
    assert [each.kept for each in trace.tries] == [True, False]


def test_twins_are_merged_and_others_stay():
    student, rows = some_student()
    first, last = student.here.weights
    wide = np.vstack([first, 2 * first[1], first[4] * (1 + 1e-3)])
    out = np.hstack([last[:, :-1], last[:, [0, 2]], last[:, -1:]])
    twins = student.at([wide, out])
    twins = student_of([wide, out], rows, twins.here.logits)
    trace = students.Trace(rows, twins.fit.answers, rows, twins.fit.answers)
    trace.note("polish", twins, True)
    merged = elimination.merge(twins, trace, np.random.default_rng(0))
    assert merged.width == 6
    assert merged.misfit < 1e-10


def test_mirrored_neurons_are_turned_round():
    """Neurons 1 and 4 mirrored, and one that is always on with their linear part (rank 1)."""
    student, rows = some_student(d=8, outputs=1)
    first, last = (matrix.copy() for matrix in student.here.weights)
    linear = last[0, 1] * first[1] + last[0, 4] * first[4]
    first[[1, 4]] *= -1
    first = np.vstack([first, linear + np.eye(9)[8] * 100])
    last = np.hstack([last[:, :-1], [[1.0]], last[:, -1:] - 100])
    mirrored = student_of([first, last], rows, student.here.logits)
    assert mirrored.misfit < 1e-10
    turned = elimination.turned(mirrored)
    assert np.allclose(turned[0], student.here.weights[0])
    assert student.at(turned).misfit < 1e-10
    assert elimination.turned(student) is None
