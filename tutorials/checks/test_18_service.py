"""Checks of exercise 18."""

import numpy as np

from mstheft.adversarial import edits
from mstheft.course.learner import Counted
from mstheft.experiments.evasion import passing
from mstheft.nn import zoo


def test_bag_of_words(learner, rng):
    words = ["cash", "meeting", "free", "in", "win", "tea"]
    order = rng.permutation(6)
    words = [words[i] for i in order]
    messages = [
        "Win  FREE cash\tcash now",
        "the meeting begins",
        "freely tea tea tea",
        "winter",
        "",
    ]
    right = np.array(
        [[float(word in m.lower().split()) for word in words] for m in messages], float
    )
    often = np.array([[m.lower().split().count(word) for word in words] for m in messages], float)
    inside = np.array([[float(word in m.lower()) for word in words] for m in messages], float)
    loud = np.array([[float(word in m.split()) for word in words] for m in messages], float)
    learner.call("bag_of_words", messages, words).equals(
        right,
        mistakes={
            "how_often": often,
            "parts_of_words": inside,
            "capitals": loud,
            "capitals__2": np.array([[float(w in m) for w in words] for m in messages], float),
            "transpose": right.T,
            "shares": often / np.array([[len(m.split()) or 1] for m in messages]),
            "blanks_alone": np.array(
                [[float(w in m.lower().split(" ")) for w in words] for m in messages]
            ),
            "alphabet": right[:, np.argsort(words)],
            "absent_words": 1 - right,
            "parts_of_words__2": np.array(
                [[float(f" {w}" in f" {m.lower()}") for w in words] for m in messages]
            ),
        },
    )


def service(statuses, rows, answer):
    """A service that says these statuses in turn, and what it was sent."""
    sent = []

    def send(given):
        sent.append(np.array(given))
        status = statuses[min(len(sent), len(statuses)) - 1]
        return status, (answer if status == 200 else np.full(answer.shape, -1.0))

    return send, sent


def test_ask_patiently(learner, rng):
    rows, answer = rng.normal(size=(2, 3)), rng.random(2)
    send, sent = service([429, 503, 503, 200, 200], rows, answer)
    counted = Counted(send, rows=True)
    called = learner.call("ask_patiently", counted, rows, 6)
    called.equals(
        answer,
        mistakes={
            "took_the_refusal": np.full(2, -1.0),
            "status_too": (200, answer),
            "status_alone": 200,
        },
    )
    called.costs(counted.count, 4 * len(rows)).holds(
        len(sent) == 4 and all(np.array_equal(each, rows) for each in sent),
        "the same rows are sent four times: three times it is busy, then it answers",
        mistake="other_rows",
    )


def test_ask_patiently__last_try(learner, rng):
    rows, answer = rng.normal(size=(2, 3)), rng.random(2)
    send, _ = service([503, 503, 200], rows, answer)
    learner.call("ask_patiently", send, rows, 3).equals(answer)


def test_ask_patiently__busy(learner, rng):
    rows, answer = rng.normal(size=(2, 3)), rng.random(2)
    nothing = np.full(2, -1.0)
    send, _ = service([503, 429, 503, 200], rows, answer)  # the answer would come one try later
    learner.refuses(
        "ask_patiently",
        send,
        rows,
        3,
        mistakes={
            "one_try_too_many": answer,
            "gave_up_silently": None,
            "took_the_refusal": nothing,
        },
    )


def test_ask_patiently__forbidden(learner, rng):
    rows, answer = rng.normal(size=(2, 3)), rng.random(2)
    nothing = np.full(2, -1.0)
    for status in (401, 500, 404, 204):
        send, _ = service([503, status, 200], rows, answer)
        learner.refuses(
            "ask_patiently",
            send,
            rows,
            5,
            mistakes={
                "asked_again": answer,
                "gave_up_silently": None,
                "took_the_refusal": nothing,
            },
        )


def some_message(rng, d=12):
    """A row, and weights of which six are below zero: four of absent words."""
    w = np.concatenate([-rng.permutation(6) - 1.0, rng.permutation(6) + 0.5])
    w += rng.uniform(0, 0.3, d)
    row = np.array([0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0.0])
    w[4], w[5] = -9.0, -8.0  # the most harmless two are there already
    order = rng.permutation(d)
    return row[order], w[order]


def with_words(row, chosen):
    new = row.copy()
    new[chosen] = 1
    return new


def test_add_words(learner, rng):
    for _ in range(50):
        args, right, mistakes = words_case(rng)
        if len({tuple(np.ravel(each)) for each in [right, *mistakes.values()]}) > len(mistakes):
            break  # no two of them agree by chance
    learner.call("add_words", *args, 2).equals(right, mistakes=mistakes)


def words_case(rng):
    """A message and weights, the right new row, and what each known mistake gives."""
    row, w = some_message(rng)
    score = edits.margin(zoo.given([(w[None], np.zeros(1))]), 1)
    right = edits.greedy(score, row[None], edits.Additions(), 2).rows[-1, 0]
    absent = np.flatnonzero(row == 0)
    mistakes = {
        "highest_weights": with_words(row, absent[np.argsort(-w[absent])[:2]]),
        "already_there": with_words(row, np.argsort(w)[:2]),
        "smallest_size": with_words(row, absent[np.argsort(np.abs(w[absent]))[:2]]),
        "first_ones": with_words(row, absent[w[absent] < 0][:2]),
        "first_ones__2": with_words(row, absent[:2]),
        "one_too_few": with_words(row, absent[np.argsort(w[absent])[:1]]),
        "only_the_new": right - row,
        "score": float(right @ w),
        "one_too_many": with_words(row, absent[np.argsort(w[absent])[:3]]),
        "all_that_help": with_words(row, absent[w[absent] < 0]),
        "largest_size": with_words(row, absent[np.argsort(-np.abs(w[absent]))[:2]]),
        "places": absent[np.argsort(w[absent])[:2]],
        "places_among_the_absent": with_words(row, np.argsort(w[absent])[:2]),
        "places_among_the_absent__2": with_words(row, np.argsort(w[absent[w[absent] < 0]])[:2]),
    }
    return (row, w), right, mistakes


def test_add_words__enough(learner, rng):
    row, w = some_message(rng)
    w[rng.choice(np.flatnonzero((row == 0) & (w > 0)))] = 0.0  # a word that changes nothing
    learner.call("add_words", row, w, 9).equals(
        with_words(row, (row == 0) & (w < 0)),
        mistakes={
            "raised_the_score": with_words(row, row == 0),
            "added_a_zero": with_words(row, (row == 0) & (w <= 0)),
            "removed_words": ((row == 1) & (w < 0) | (row == 0) & (w < 0)).astype(float),
        },
    )


def test_share_passing(learner, rng):
    steps, n, d = 3, 8, 5
    w, beta = rng.normal(size=d), rng.uniform(2, 3)
    goal = np.concatenate([np.full(7, -1.0), np.ones(17)])  # scores, by sign
    goal = rng.permutation(goal) * rng.uniform(0.5, 1.5, steps * n)
    goal[:3], goal[8:14] = 0.7, -0.6
    goal = goal.reshape(steps, n)
    rows = rng.normal(size=(steps, n, d))
    rows += ((goal - beta - rows @ w) / (w @ w))[..., None] * w
    right = passing(zoo.given([(w[None], np.array([beta]))]), rows, 1).mean(axis=1)
    passes = goal <= 0
    learner.call("share_passing", rows, w, beta).equals(
        right,
        mistakes={
            "held_back": 1 - right,
            "forgot_bias": (goal - beta <= 0).mean(axis=1),
            "wrong_axis": passes.mean(axis=0),
            "counts": passes.sum(axis=1),
            "all_steps": float(passes.mean()),
            "mean_score": goal.mean(axis=1),
            "each_message": passes,
            "added_up": np.cumsum(passes.sum(axis=1)) / n,
            "percent": 100 * right,
            "last_step": float(right[-1]),
            "once_is_enough": np.maximum.accumulate(passes, axis=0).mean(axis=1),
        },
    )


def test_share_passing__on_the_border(learner, rng):
    """Scores of exactly 0 pass."""
    w, beta = rng.integers(1, 5, 3).astype(float), float(rng.integers(-4, -1))
    rows = np.zeros((2, 5, 3))
    goal = rng.permuted(np.array([[0.0, 0, 1, -1, 2], [0, 3, 1, -2, 2]]), axis=1)
    rows[..., 0] = 1.0
    w[1] = 1.0
    rows[..., 1] = goal - beta - w[0]
    learner.call("share_passing", rows, w, beta).equals(
        np.array([0.6, 0.4]), mistakes={"border_held_back": np.array([0.2, 0.2])}
    )
