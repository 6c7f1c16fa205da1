"""Known mistakes of exercise 02: each function is FUNCTION__KEY, KEY the diagnosis it must get."""

import numpy as np


def logit__forgot_one_minus(p):
    return np.log(p)


def logit__odds(p):
    return p / (1 - p)


def logit__sigmoid(p):
    return 1 / (1 + np.exp(-p))


def logit__sign(p):
    return np.log((1 - p) / p)


def logit__infinite(p):
    with np.errstate(all="ignore"):
        return np.log(p / (1 - p))


def logit__divided_by_ln2(p):
    return np.log2(p / (1 - p))


def logit__shape(p):
    return np.log(p / (1 - p))[:, None]


def logit__none(p):
    np.log(p / (1 - p))


def logit__mutated(p):
    p /= 1 - p
    return np.log(p)


def logit__integer(p):
    return np.log(p / (1 - p)).astype(int)


def solve_logistic__no_logit(x, p):
    A = np.column_stack([x, np.ones(len(x))])
    theta = np.linalg.solve(A, p)
    return theta[:-1], theta[-1]


def solve_logistic__log_only(x, p):
    A = np.column_stack([x, np.ones(len(x))])
    theta = np.linalg.solve(A, np.log(p))
    return theta[:-1], theta[-1]


def solve_logistic__missing_bias(x, p):
    return np.linalg.lstsq(x, np.log(p / (1 - p)), rcond=None)[0], 0.0


def solve_logistic__together(x, p):
    A = np.column_stack([x, np.ones(len(x))])
    return np.linalg.solve(A, np.log(p / (1 - p)))


def solve_logistic__reversed(x, p):
    A = np.column_stack([x, np.ones(len(x))])
    theta = np.linalg.solve(A, np.log(p / (1 - p)))
    return theta[-1], theta[:-1]


def solve_logistic__raised(x, p):
    return np.linalg.solve(x, np.log(p / (1 - p))), 0.0


def solve_softmax__last_class(x, p):
    A = np.column_stack([x, np.ones(len(x))])
    theta = np.linalg.solve(A, np.log(p / p[:, -1:]))
    return theta[:-1].T, theta[-1]


def solve_softmax__no_gauge(x, p):
    A = np.column_stack([x, np.ones(len(x))])
    theta = np.linalg.solve(A, np.log(p))
    return theta[:-1].T, theta[-1]


def solve_softmax__transposed(x, p):
    A, z = np.column_stack([x, np.ones(len(x))]), np.log(p)
    theta = np.linalg.solve(A, z - z.mean(axis=1, keepdims=True))
    return theta[:-1], theta[-1]


def solve_softmax__one_vs_rest(x, p):
    A = np.column_stack([x, np.ones(len(x))])
    theta = np.linalg.solve(A, np.log(p / (1 - p)))
    return theta[:-1].T, theta[-1]


def solve_softmax__missing_bias(x, p):
    z = np.log(p)
    theta = np.linalg.lstsq(x, z - z.mean(axis=1, keepdims=True), rcond=None)[0]
    return theta.T, np.zeros(p.shape[1])


def logit_error__whole_step(p, decimals):
    return 10.0**-decimals / (p * (1 - p))


def logit_error__forgot_one_minus(p, decimals):
    return 0.5 * 10.0**-decimals / p


def logit_error__sigmoid_slope(p, decimals):
    return 0.5 * 10.0**-decimals * p * (1 - p)


def logit_error__same_everywhere(p, decimals):
    return np.full(len(p), 0.5 * 10.0**-decimals)


def boundary_point__an_end(label, inside, outside, halvings):
    for _ in range(halvings):
        middle = (inside + outside) / 2
        if label(middle[None])[0] == 1:
            inside = middle
        else:
            outside = middle
    return inside


def boundary_point__an_end__2(label, inside, outside, halvings):
    for _ in range(halvings - 1):
        middle = (inside + outside) / 2
        if label(middle[None])[0] == 1:
            inside = middle
        else:
            outside = middle
    return (inside + outside) / 2


def boundary_point__wrong_half(label, inside, outside, halvings):
    for _ in range(halvings):
        middle = (inside + outside) / 2
        if label(middle[None])[0] == 1:
            outside = middle
        else:
            inside = middle
    return (inside + outside) / 2


def boundary_point__slow(label, inside, outside, halvings):
    while np.any(inside != outside + 1):
        middle = (inside + outside) / 2
        if label(middle[None])[0] == 1:
            inside = middle
        else:
            outside = middle
    return inside
