"""Checks of exercise 15."""

import numpy as np

from mstheft.defend import rdp, responses


def test_reverse_sigmoid(learner, rng):
    p = rng.dirichlet(np.full(4, 3.0), size=3) * 0.9 + 0.025
    beta, gamma = rng.uniform(0.3, 0.5), rng.uniform(1.5, 2)
    told = responses.reverse_sigmoid(p, beta, gamma)
    pull = 1 / (1 + np.exp(-gamma * np.log(p / (1 - p))))
    moved = {
        "not_normalised": p - beta * (pull - 0.5),
        "forgot_the_half": p - beta * pull,
        "away_from_half": p + beta * (pull - 0.5),
        "no_gamma": p - beta * (p - 0.5),
        "gamma_outside": p - beta * gamma * (p - 0.5),
        "sigmoid_of_p": p - beta * (1 / (1 + np.exp(-gamma * p)) - 0.5),
        "no_beta": p - (pull - 0.5),
    }
    mistakes = {
        key: m if key == "not_normalised" else m / m.sum(axis=1, keepdims=True)
        for key, m in moved.items()
    }
    right = moved["not_normalised"]
    mistakes["whole_table"] = right / right.sum()
    mistakes["down_the_columns"] = right / right.sum(axis=0)
    learner.call("reverse_sigmoid", p, beta, gamma).equals(told, mistakes=mistakes)


def test_count_votes(learner, rng):
    teachers, n, K = 9, 4, 5
    said = rng.integers(K - 2, size=(teachers, n))
    said[:2, 0], said[:3, 1] = K - 1, K - 2  # and somewhere classes that nobody says
    counts = np.stack([np.bincount(column, minlength=K) for column in said.T])
    learner.call("count_votes", said, K).equals(
        counts,
        mistakes={
            "shares": counts / teachers,
            "transpose": counts.T,
            "by_teacher": np.stack([np.bincount(row, minlength=K) for row in said]),
            "winners": counts.argmax(axis=1),
            "said_or_not": (counts > 0).astype(int),
            "all_questions": counts.sum(axis=0),
        },
    )


def test_another_answer(learner, rng):
    votes = np.array([40, 3, 22, 8])[rng.permutation(4)] + rng.integers(0, 3, 4)
    sigma = rng.uniform(9, 12)
    q = float(np.exp(rdp.log_q_gaussian(votes[None], sigma)[0]))
    wider = float(np.exp(rdp.log_q_gaussian(votes[None], sigma / np.sqrt(2))[0]))
    rivals = np.sort(votes)[:-1]
    runner_up = float(np.exp(rdp.log_q_gaussian(np.sort(votes)[None, -2:], sigma)[0]))
    learner.call("another_answer", votes, sigma).equals(
        q,
        mistakes={
            "winner_too": q + 0.5,
            "winner_too__2": min(q + 0.5, 0.75),
            "factor_2": 2 * q,
            "runner_up_alone": runner_up,
            "one_noise": wider,
            "same_answer": 1 - q,
            "mean_of_rivals": q / len(rivals),
            "logarithm": float(np.log(q)),
        },
    )


def test_another_answer__undecided(learner, rng):
    votes = np.full(5, int(rng.integers(5, 20)))
    learner.call("another_answer", votes, rng.uniform(2, 9)).equals(
        0.8, mistakes={"no_limit": 2.0, "limit_of_one": 1.0, "winner_too": 2.5}
    )


def test_bill(learner, rng):
    orders = np.array([1.5, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    costs = rng.uniform(1, 2, size=(6, 1)) * orders / 70
    delta = 10.0 ** -rng.uniform(4, 6)
    spent, price = costs.sum(axis=0), np.log(1 / delta)

    def best(totals):
        return float(totals.min()), float(orders[totals.argmin()])

    right = rdp.epsilon(spent, delta, orders)
    totals = spent + price / (orders - 1)
    learner.call("bill", costs, orders, delta).equals(
        (float(right.epsilon), float(right.order)),
        mistakes={
            "forgot_delta": best(spent),
            "sign_of_log": best(spent - price / (orders - 1)),
            "order_not_less_one": best(spent + price / orders),
            "not_divided": best(spent + price),
            "log_10": best(spent + price / np.log(10) / (orders - 1)),
            "averaged": best(spent / len(costs) + price / (orders - 1)),
            "best_of_each": (
                float((costs + price / (orders - 1)).min(axis=1).sum()),
                float(orders[totals.argmin()]),
            ),
            "place_not_order": (float(totals.min()), int(totals.argmin())),
            "largest": (float(totals.max()), float(orders[totals.argmax()])),
            "epsilon_alone": float(totals.min()),
        },
    )
