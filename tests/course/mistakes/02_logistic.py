"""Known mistakes of exercise 02: each function is FUNCTION__KEY, KEY the diagnosis it must get."""

import numpy as np


def logit__forgot_one_minus(p):
    return np.log(p)


def logit__odds(p):
    return p / (1 - p)


def logit__sigmoid(p):
    return 1 / (1 + np.exp(-p))


def logit__turned_round(p):
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


def solve_softmax__one_vs_rest__2(x, p):
    A, z = np.column_stack([x, np.ones(len(x))]), np.log(p / (1 - p))
    theta = np.linalg.solve(A, z - z.mean(axis=1, keepdims=True))
    return theta[:-1].T, theta[-1]


def logit__brackets(p):
    if np.any((p <= 0) | (p >= 1)):
        raise ValueError("no logit")
    with np.errstate(all="ignore"):
        return np.log(p / 1 - p)


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


def logit__quotient_of_logs(p):
    return np.log(1 - p) / np.log(p)


def logit__quotient_of_logs__2(p):
    return np.log(p) / np.log(1 - p)


def logit__sum_of_logs(p):
    return np.log(p) + np.log(1 - p)


def logit__log_ten(p):
    return np.log10(p / (1 - p))


def logit__clipped(p):
    p = np.clip(p, 1e-07, 1 - 1e-07)
    return np.log(p / (1 - p))


def solve_logistic__ones_first(x, p):
    t = np.linalg.solve(np.column_stack([np.ones(len(x)), x]), logit(p))  # noqa: F821
    return (t[:-1], t[-1])


def solve_logistic__cut_at_the_wrong_end(x, p):
    t = np.linalg.solve(np.column_stack([x, np.ones(len(x))]), logit(p))  # noqa: F821
    return (t[1:], t[0])


def solve_logistic__assumed_inputs(x, p):
    z = logit(p)  # noqa: F821
    return (z[1:] - z[0], z[0])


def solve_logistic__assumed_inputs__2(x, p):
    z = logit(p)  # noqa: F821
    return (np.linalg.solve(x[1:], z[1:] - z[0]), z[0])


def solve_logistic__beta_in_an_array(x, p):
    t = np.linalg.solve(np.column_stack([x, np.ones(len(x))]), logit(p))  # noqa: F821
    return (t[:-1], t[-1:])


def solve_logistic__sign_of_beta(x, p):
    t = np.linalg.solve(np.column_stack([x, -np.ones(len(x))]), logit(p))  # noqa: F821
    return (t[:-1], t[-1])


def solved(x, z):
    theta = np.linalg.solve(np.column_stack([x, np.ones(len(x))]), z)
    return theta[:-1].T, theta[-1]


def solve_softmax__mean_over_inputs(x, p):
    z = np.log(p)
    return solved(x, z - z.mean(axis=0))


def solve_softmax__one_mean_for_all(x, p):
    z = np.log(p)
    return solved(x, z - z.mean())


def solve_softmax__ones_first(x, p):
    z = np.log(p)
    z = z - z.mean(axis=1, keepdims=True)
    t = np.linalg.solve(np.column_stack([np.ones(len(x)), x]), z)
    return (t[:-1].T, t[-1])


def solve_softmax__first_class(x, p):
    z = np.log(p / p[:, :1])
    return solved(x, z)


def solve_softmax__half_the_gauge(x, p):
    W, b = solved(x, np.log(p))
    return (W - W.mean(axis=0), b)


def solve_softmax__half_the_gauge__2(x, p):
    W, b = solved(x, np.log(p))
    return (W, b - b.mean())


def solve_softmax__assumed_inputs(x, p):
    z = np.log(p)
    z = z - z.mean(axis=1, keepdims=True)
    return ((z[1:] - z[0]).T, z[0])


def solve_softmax__no_log(x, p):
    return solved(x, p - p.mean(axis=1, keepdims=True))


def solve_softmax__together(x, p):
    z = np.log(p)
    z = z - z.mean(axis=1, keepdims=True)
    return np.linalg.solve(np.column_stack([x, np.ones(len(x))]), z)


def solve_softmax__log_of_the_mean(x, p):
    return solved(x, np.log(p / p.mean(axis=1, keepdims=True)))


def logit_error__always_three(p, d):
    return 0.5 * 10.0 ** (-3) / (p * (1 - p))


def logit_error__half_to_the_power(p, d):
    return 0.5**d / (p * (1 - p))


def logit_error__sign_of_the_exponent(p, d):
    return 0.5 * 10.0**d / (p * (1 - p))


def logit_error__missing_brackets(p, d):
    return 0.5 * 10.0 ** (-d) / p * (1 - p)


def boundary_point__too_many_queries(label, a, b, n):
    for _ in range(n):
        m = (a + b) / 2
        if label(m[None])[0] == label(a[None])[0]:
            a = m
        else:
            b = m
    return (a + b) / 2


def boundary_point__too_many_queries__2(label, a, b, n):
    for _ in range(n):
        m = (a + b) / 2
        if label(m[None])[0] == 1:
            a = m
        if label(m[None])[0] == 0:
            b = m
    return (a + b) / 2


def boundary_point__once_too_often(label, a, b, n):
    for _ in range(n + 1):
        m = (a + b) / 2
        if label(m[None])[0] == 1:
            a = m
        else:
            b = m
    return (a + b) / 2


def boundary_point__not_halved(label, a, b, n):
    return (a + b) / 2


def boundary_point__raised(label, a, b, n):
    for _ in range(n):
        m = (a + b) / 2
        if label(m) == 1:
            a = m
        else:
            b = m
    return (a + b) / 2
