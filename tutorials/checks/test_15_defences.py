"""Checks of exercise 15."""

import numpy as np

from mstheft.defend import rdp, responses


def test_reverse_sigmoid(learner, rng):
    p = rng.dirichlet(np.full(4, 3.0), size=3) * 0.9 + 0.025
    beta, gamma = rng.uniform(0.3, 0.5), rng.uniform(1.5, 2)
    told = responses.reverse_sigmoid(p, beta, gamma)
    logit = np.log(p / (1 - p))

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    pull = sigmoid(gamma * logit)
    moved = {
        "not_normalised": p - beta * (pull - 0.5),
        "forgot_the_half": p - beta * pull,
        "away_from_half": p + beta * (pull - 0.5),
        "no_gamma": p - beta * (p - 0.5),
        "gamma_outside": p - beta * gamma * (p - 0.5),
        "sigmoid_of_p": p - beta * (sigmoid(gamma * p) - 0.5),
        "log_base": p - beta * (sigmoid(gamma * logit / np.log(2)) - 0.5),
        "log_base__2": p - beta * (sigmoid(gamma * logit / np.log(10)) - 0.5),
        "log_of_p_alone": p - beta * (sigmoid(gamma * np.log(p)) - 0.5),
        "odds_not_logit": p - beta * (sigmoid(gamma * p / (1 - p)) - 0.5),
        "swapped_numbers": p - gamma * (sigmoid(beta * logit) - 0.5),
        "half_of_two_classes": p - beta * (pull - 1 / p.shape[1]),
        "no_beta": p - (pull - 0.5),
    }
    mistakes = {
        key: m if key == "not_normalised" else m / m.sum(axis=1, keepdims=True)
        for key, m in moved.items()
    }
    right = moved["not_normalised"]
    mistakes["whole_table"] = right / right.sum()
    mistakes["down_the_columns"] = right / right.sum(axis=0)
    mistakes["softmax"] = np.exp(right) / np.exp(right).sum(axis=1, keepdims=True)
    mistakes["other_norm"] = right / np.linalg.norm(right, axis=1, keepdims=True)
    mistakes["other_norm__2"] = right / right.max(axis=1, keepdims=True)
    mistakes["other_norm__3"] = right / right.mean(axis=1, keepdims=True)
    mistakes["shifted_to_one"] = right + (1 - right.sum(axis=1, keepdims=True)) / p.shape[1]
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
            "from_one": np.column_stack([counts[:, 1:], np.zeros(n, int)]),
            "added_up_classes": np.cumsum(counts, axis=1),
            "all_questions": counts.sum(axis=0),
        },
    )


def test_count_votes__nobody(learner, rng):
    """The last two classes are never said: they have columns all the same."""
    teachers, n, K = 8, 3, 6
    said = rng.permuted(np.tile(np.arange(teachers) % (K - 2), (n, 1)), axis=1).T
    said[0] = rng.integers(K - 2, size=n)
    counts = np.stack([np.bincount(column, minlength=K) for column in said.T])
    learner.call("count_votes", said, K).equals(
        counts, mistakes={"classes_nobody_says": counts[:, : K - 2]}
    )


def chance(votes, sigma):
    """The bound, by the library."""
    return float(np.exp(rdp.log_q_gaussian(np.asarray(votes)[None], sigma)[0]))


def test_another_answer(learner, rng):
    votes = np.array([*rng.permutation([13, 14, 16, 19]), 25 + rng.integers(2)])
    votes = np.roll(votes, -int(rng.integers(4)))  # the first class never wins
    sigma = rng.uniform(2.35, 2.55)
    q, limit = chance(votes, sigma), 0.8
    rivals = np.sort(votes)[:-1]
    each = np.array([chance([v, votes.max()], sigma) for v in rivals])
    learner.call("another_answer", votes, sigma).equals(
        q,
        mistakes={
            "winner_too": q + 0.5,
            "winner_too__2": min(q + 0.5, limit),
            "factor_2": 2 * q,
            "factor_2__2": min(2 * q, limit),
            "runner_up_alone": chance(np.sort(votes)[-2:], sigma),
            "one_noise": chance(votes, sigma / np.sqrt(2)),
            "not_doubled": chance(votes, sigma / 2),
            "doubled_twice": chance(votes, 2 * sigma),
            "sigma_squared": chance(votes, sigma**2),
            "same_answer": 1 - q,
            "gap_turned": len(rivals) - q,
            "gap_turned__2": limit,
            "chance_of_any": float(1 - np.prod(1 - each)),
            "mean_of_rivals": q / len(rivals),
            "logarithm": float(np.log(q)),
        },
    )


def test_another_answer__undecided(learner, rng):
    votes = np.full(5, int(rng.integers(5, 20)))
    learner.call("another_answer", votes, rng.uniform(2, 9)).equals(
        0.8,
        mistakes={
            "no_limit": 2.0,
            "limit_of_one": 1.0,
            "winner_too": 2.5,
            "other_limit": 0.5,
            "other_limit__2": 0.2,
            "equal_ones_left_out": 0.0,
        },
    )


def test_another_answer__sure(learner, rng):
    """The chance is tiny, but not 0: small chances of many answers are what the bill adds up."""
    sigma = float(rng.uniform(3, 4))
    votes = np.array([5.0, 9.0, 9.0 + 2 * sigma * rng.uniform(6.5, 7.5)])
    learner.call("another_answer", votes, sigma).equals(
        chance(votes, sigma), mistakes={"rounded_away": 0.0}, atol=0
    )


def test_bill(learner, rng):
    orders = np.array([2.0, 1.5, 32.0, 8.0, 16.0, 4.0, 64.0])
    costs = rng.uniform(1, 2, size=(6, 1)) * orders / 70 + rng.uniform(0, 0.01, size=(6, 7))
    delta = 10.0 ** -rng.uniform(4, 6)
    spent, price = costs.sum(axis=0), np.log(1 / delta)

    def best(totals):
        return float(totals.min()), float(orders[totals.argmin()])

    right = rdp.epsilon(spent, delta, orders)
    totals = spent + price / (orders - 1)
    cheap = int(spent.argmin())
    learner.call("bill", costs, orders, delta).equals(
        (float(right.epsilon), float(right.order)),
        mistakes={
            "forgot_delta": best(spent),
            "sign_of_log": best(spent - price / (orders - 1)),
            "order_not_less_one": best(spent + price / orders),
            "order_not_less_one__2": best(spent + price / (orders + 1)),
            "not_divided": best(spent + price),
            "multiplied": best(spent + price * (orders - 1)),
            "log_10": best(spent + price / np.log(10) / (orders - 1)),
            "log_2": best(spent + price / np.log(2) / (orders - 1)),
            "no_log": best(spent + 1 / delta / (orders - 1)),
            "averaged": best(spent / len(costs) + price / (orders - 1)),
            "delta_paid_each_time": best(spent + len(costs) * price / (orders - 1)),
            "one_answer_alone": best(costs.max(axis=0) + price / (orders - 1)),
            "one_answer_alone__2": best(costs[-1] + price / (orders - 1)),
            "one_answer_alone__3": best(costs[0] + price / (orders - 1)),
            "best_of_each": (
                float((costs + price / (orders - 1)).min(axis=1).sum()),
                float(orders[totals.argmin()]),
            ),
            "order_of_the_costs": (float(totals[cheap]), float(orders[cheap])),
            "place_not_order": (float(totals.min()), int(totals.argmin())),
            "largest": (float(totals.max()), float(orders[totals.argmax()])),
            "epsilon_alone": float(totals.min()),
            "all_orders": totals,
        },
    )


def test_bill__ends(learner, rng):
    """No cost: the largest order is best. High costs: the smallest one. They stand at the ends."""
    orders, delta = np.array([2.0, 3.0, 5.0, 9.0]), 10.0 ** -rng.uniform(4, 6)
    for costs in (np.zeros((3, 4)), rng.uniform(90, 99, size=(3, 1)) * orders):
        totals = costs.sum(axis=0) + np.log(1 / delta) / (orders - 1)
        i, second = np.argsort(totals)[:2]
        learner.call("bill", costs, orders, delta).equals(
            (float(totals[i]), float(orders[i])),
            mistakes={"an_end_left_out": (float(totals[second]), float(orders[second]))},
        )
