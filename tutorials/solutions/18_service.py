"""Solutions of exercise 18: a filter behind HTTP, and what passes it."""

import numpy as np


def bag_of_words(messages, words):
    """Which words does each message have?

        x_ij = 1 if words[j] is in message i, however often, else 0

    A message is cut at white space (`split`), and letters count as small ones (`lower`). Words
    that are not in the list are left out.

    messages : list of n texts;  words : list of d words in small letters
    Returns (n, d).
    Example: ["Win win CASH"] and ["cash", "tea", "win"] give array([[1., 0., 1.]]).
    """
    x = np.zeros((len(messages), len(words)))
    for i, message in enumerate(messages):
        present = set(message.lower().split())
        x[i] = [word in present for word in words]
    return x


def ask_patiently(send, rows, tries):
    """Ask a service that may be busy.

        status 200         here is the answer: return it
        status 429 or 503  busy: send the same rows again
        any other          a mistake of ours, and asking again is no use: raise ValueError

    send : takes rows and returns (status, answer);  rows : (n, d)
    tries : how often to send at most, at least 1
    Returns the answer. Raises ValueError also if the service is still busy after the last try.
    """
    for _ in range(tries):
        status, answer = send(rows)
        if status == 200:
            return answer
        if status not in (429, 503):
            raise ValueError(f"expected an answer, got status {status}; mend the request")
    raise ValueError(f"expected an answer, but the service was busy {tries} times; come later")


def add_words(row, w, count):
    """The words that carry a message past a linear filter.

        score = w · row + beta;     adding an absent word j changes it by w_j

    Add up to `count` absent words (0 becomes 1), those that lower the score most. A word that
    would not lower it (w_j >= 0) is never added, and none is removed.

    row : (d,) zeros and ones, left as it is;  w : (d,)
    Returns the new row (d,).
    Example: row = [1., 0., 0., 0.], w = [-9., 2., -1., -3.], count 1: array([1., 0., 0., 1.]).
    """
    new = row.copy()
    absent = np.flatnonzero((row == 0) & (w < 0))
    new[absent[np.argsort(w[absent])[:count]]] = 1
    return new


def share_passing(rows, w, beta):
    """Which share of the messages does a linear filter let pass?

    It holds a message back if w · x + beta > 0, and lets it pass otherwise.

    rows : (steps, n, d) n messages after 0, 1, 2, ... edits;  w : (d,);  beta : a number
    Returns (steps,) shares from 0 to 1.
    Example: rows = [[[1.], [0.]]], w = [2.], beta = -1.: array([0.5]).
    """
    return (rows @ w + beta <= 0).mean(axis=1)
