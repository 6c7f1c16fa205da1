"""Known mistakes of exercise 18: each function is FUNCTION__KEY, and KEY its diagnosis."""

import numpy as np


def bag_of_words__how_often(messages, words):
    return np.array([[float(m.lower().split().count(w)) for w in words] for m in messages])


def bag_of_words__parts_of_words(messages, words):
    return np.array([[float(w in m.lower()) for w in words] for m in messages])


def bag_of_words__capitals(messages, words):
    return np.array([[float(w in m.split()) for w in words] for m in messages])


def bag_of_words__transpose(messages, words):
    return np.array([[float(w in m.lower().split()) for m in messages] for w in words])


def ask_patiently__took_the_refusal(send, rows, tries):
    return send(rows)[1]


def ask_patiently__status_too(send, rows, tries):
    for _ in range(tries):
        told = send(rows)
        if told[0] == 200:
            return told
        if told[0] not in (429, 503):
            raise ValueError
    raise ValueError


def ask_patiently__too_many_queries(send, rows, tries):
    answers = [send(rows) for _ in range(tries)]
    good = [answer for status, answer in answers if status == 200]
    if not good:
        raise ValueError
    return good[0]


def ask_patiently__gave_up_silently(send, rows, tries):
    for _ in range(tries):
        status, answer = send(rows)
        if status == 200:
            return answer
        if status not in (429, 503):
            raise ValueError
    return None


def ask_patiently__asked_again(send, rows, tries):
    for _ in range(tries):
        status, answer = send(rows)
        if status == 200:
            return answer
    raise ValueError


def add(row, places):
    new = row.copy()
    new[places] = 1
    return new


def add_words__highest_weights(row, w, count):
    absent = np.flatnonzero(row == 0)
    return add(row, absent[np.argsort(-w[absent])[:count]])


def add_words__already_there(row, w, count):
    return add(row, np.argsort(w)[:count])


def add_words__smallest_size(row, w, count):
    absent = np.flatnonzero(row == 0)
    return add(row, absent[np.argsort(np.abs(w[absent]))[:count]])


def add_words__raised_the_score(row, w, count):
    absent = np.flatnonzero(row == 0)
    return add(row, absent[np.argsort(w[absent])[:count]])


def add_words__mutated(row, w, count):
    absent = np.flatnonzero((row == 0) & (w < 0))
    row[absent[np.argsort(w[absent])[:count]]] = 1
    return row


def share_passing__held_back(rows, w, beta):
    return (rows @ w + beta > 0).mean(axis=1)


def share_passing__forgot_bias(rows, w, beta):
    return (rows @ w <= 0).mean(axis=1)


def share_passing__wrong_axis(rows, w, beta):
    return (rows @ w + beta <= 0).mean(axis=0)


def share_passing__counts(rows, w, beta):
    return (rows @ w + beta <= 0).sum(axis=1)


def share_passing__all_steps(rows, w, beta):
    return float((rows @ w + beta <= 0).mean())


def share_passing__mean_score(rows, w, beta):
    return (rows @ w + beta).mean(axis=1)


def bag_of_words__blanks_alone(messages, words):
    return np.array([[float(w in m.lower().split(" ")) for w in words] for m in messages])


def patiently(send, rows, tries, busy):
    for _ in range(tries):
        status, answer = send(rows)
        if status == 200:
            return answer
        if not busy(status):
            raise ValueError
    raise ValueError


def ask_patiently__one_try_too_many(send, rows, tries):
    return patiently(send, rows, tries + 1, lambda status: status in (429, 503))


def ask_patiently__one_try_too_many__2(send, rows, tries):
    return patiently(send, rows, 99, lambda status: status in (429, 503))


def ask_patiently__asked_again__2(send, rows, tries):
    return patiently(send, rows, tries, lambda status: status == 429 or status >= 500)


def ask_patiently__raised(send, rows, tries):
    return patiently(send, rows[0], tries, lambda status: status in (429, 503))


def add_words__added_a_zero(row, w, count):
    absent = np.flatnonzero((row == 0) & (w <= 0))
    return add(row, absent[np.argsort(w[absent])[:count]])


def share_passing__border_held_back(rows, w, beta):
    return (rows @ w + beta < 0).mean(axis=1)


def bag_of_words__absent_words(messages, words):
    return np.array([[float(w not in m.lower().split()) for w in words] for m in messages])


def ask_patiently__raised__2(send, rows, tries):
    return patiently(send, rows, tries, lambda status: status == 429)


def ask_patiently__raised__3(send, rows, tries):
    return patiently(send, rows, tries - 1, lambda status: status in (429, 503))


def helpful(row, w):
    absent = np.flatnonzero((row == 0) & (w < 0))
    return absent[np.argsort(w[absent])]


def add_words__one_too_many(row, w, count):
    return add(row, helpful(row, w)[: count + 1])


def add_words__all_that_help(row, w, count):
    return add(row, helpful(row, w))


def add_words__places(row, w, count):
    return helpful(row, w)[:count]


def add_words__places_among_the_absent(row, w, count):
    absent = np.flatnonzero((row == 0) & (w < 0))
    return add(row, np.argsort(w[absent])[:count])


def share_passing__percent(rows, w, beta):
    return 100 * (rows @ w + beta <= 0).mean(axis=1)


def share_passing__once_is_enough(rows, w, beta):
    return np.maximum.accumulate(rows @ w + beta <= 0, axis=0).mean(axis=1)
