"""PATE's privacy bill: q, RDP of LNMax and GNMax, and (ε, δ)."""

from exact import case, document, formula, mp, mpf

SCALABLE = "Papernot et al. 2018, arXiv 1802.08908, theorem 6 and propositions 7 to 10"
SEMI = "Papernot et al. 2017, arXiv 1610.05755, lemma 4 and theorems 2 and 3"
ORDERS = [2.0, 8.0, 32.0]


def close(got, want, digits):
    """The design's golden values, which the authors' own code has given."""
    assert abs(got - mpf(want)) < mpf(10) ** -digits, (got, want)


def union(parts, classes):
    return mp.log(min(mp.fsum(parts), 1 - mpf(1) / classes))


def gaps(row):
    rest = sorted(row)
    return [mpf(rest[-1] - v) for v in rest[:-1]]


def log_q_gaussian(votes, sigma):
    return [union([mp.erfc(g / (2 * sigma)) / 2 for g in gaps(row)], len(row)) for row in votes]


def log_q_laplace(votes, gamma):
    return [union([(2 + gamma * g) / (4 * mp.exp(gamma * g)) for g in gaps(row)], len(row))
            for row in votes]  # fmt: skip


def log_q_threshold(votes, threshold, sigma):
    """The test passes if N(0, σ²) ≥ T - max n: the rarer of its two outcomes."""
    return [mp.log(mp.erfc(abs(max(row) - threshold) / (sigma * mp.sqrt(2))) / 2) for row in votes]


def gaussian(log_q, sigma, orders):
    return [[gaussian_one(q, sigma, order) for order in orders] for q in log_q]


def telling(function):
    """With the digits that tell 1 - q from 1, however small q is."""

    def exactly(log_q, *others):
        with mp.workdps(60 + int(-log_q)):
            return function(log_q, *others)

    return exactly


@telling
def gaussian_one(log_q, sigma, order):
    plain = order / sigma**2
    if log_q >= 0:
        return plain
    q = mp.exp(log_q)
    mu2 = sigma * mp.sqrt(-log_q)
    mu1 = mu2 + 1
    e1, e2 = mu1 / sigma**2, mu2 / sigma**2
    if not (order < mu1 and mu2 > 1 and -log_q > e2):
        return plain
    most = (mu2 - 1) * e2 - mu2 * (mp.log(1 + 1 / (mu1 - 1)) + mp.log(1 + 1 / (mu2 - 1)))
    if log_q > most:
        return plain
    a = (1 - q) / (1 - (q * mp.exp(e2)) ** ((mu2 - 1) / mu2))
    b = mp.exp(e1) / q ** (1 / (mu1 - 1))
    found = mp.log((1 - q) * a ** (order - 1) + q * b ** (order - 1)) / (order - 1)
    return min(plain, found)


def laplace(log_q, gamma, orders):
    return [[laplace_one(q, gamma, order) for order in orders] for q in log_q]


@telling
def laplace_one(log_q, gamma, order):
    pure, q = 2 * gamma, mp.exp(log_q)
    bounds = [pure**2 * order / 2, pure]
    if q <= 1 / (mp.exp(pure) + 1):
        a = (1 - q) / (1 - mp.exp(pure) * q)
        inside = (1 - q) * a ** (order - 1) + q * mp.exp(pure * (order - 1))
        bounds.append(mp.log(inside) / (order - 1))
    return min(bounds)


def epsilon(spent, delta, orders):
    def best(row):
        return min((cost + mp.log(1 / delta) / (order - 1), order)
                   for cost, order in zip(row, orders, strict=True))  # fmt: skip

    if isinstance(spent[0], list):
        found = [best(row) for row in spent]
        return {"epsilon": [e for e, _ in found], "order": [order for _, order in found]}
    return dict(zip(("epsilon", "order"), best(spent), strict=True))


def golden():
    """The table in the design document."""
    for votes, want, costs in (
        ([200, 30, 20], "-6.185839427144", (".00054506", ".00068104", ".00323554")),
        ([240, 5, 5], "-10.330116427155", ("1.13789633e-5", "1.54249684e-5", "1.60634954e-4")),
    ):
        (log_q,) = log_q_gaussian([votes], mpf(40))
        close(log_q, want, 12)
        for cost, told in zip(gaussian([log_q], mpf(40), [2, 8, 32])[0], costs, strict=True):
            close(cost, told, 8 if told[0] == "." else 12)
    close(log_q_gaussian([[130, 120, 0]], mpf(40))[0], "-.819572382689", 12)
    for votes, want, costs in (
        ([200, 30, 20], "-7.043023688042", (".00018372", ".00021823")),
        ([240, 5, 5], "-9.822108356447", ("1.14087e-5", "1.35589e-5")),
    ):
        (log_q,) = log_q_laplace([votes], 1 / mpf(20))
        close(log_q, want, 12)
        for cost, told in zip(laplace([log_q], 1 / mpf(20), [2, 8])[0], costs, strict=True):
            close(cost, told, 8 if told[0] == "." else 10)


HALVES = [1 + 0.5 * i for i in range(1, 64)]
CONFIDENT = [order * (640 / (2 * 150.0**2) + 286 / 40.0**2) for order in HALVES]
LNMAX = [100 * min(0.005 * order, 0.1) for order in range(2, 10)]


def build():
    golden()
    votes = {"votes": "(n, K) numbers of teachers"}
    cost = {"log_q": "(n,)", "orders": "(M,) λ > 1"}
    agree = [[200, 30, 20], [5, 240, 5], [130, 120, 0]]
    q_gauss = [float(v) for v in log_q_gaussian(agree, mpf(40))]
    q_laplace = [float(v) for v in log_q_laplace(agree, mpf(0.05))]
    return document(
        "privacy",
        "PATE's privacy bill: q, RDP of LNMax and GNMax, and (ε, δ)",
        formula(
            "privacy/gnmax-log-q", log_q_gaussian,
            "q = Σ_{j≠j*} ½ erfc((n_{j*} - n_j) / (2σ)), at most 1 - 1/K",
            {**votes, "sigma": "σ"}, "(n,) ln q", SCALABLE,
            case("log_q_gaussian-golden", {"votes": agree, "sigma": 40.0},
                 "erfc(gap / (σ √2)): one noise in place of the difference of two"),
            case("log_q_gaussian-undecided", {"votes": [[10, 10, 10], [5, 5, 4]], "sigma": 40.0},
                 "q above 1 - 1/K, or above 1"),
            case("log_q_gaussian-sure", {"votes": [[5000, 0, 1]], "sigma": 40.0},
                 "erfc underflows: ln 0, where ln q has all its digits"),
        ),
        formula(
            "privacy/lnmax-log-q", log_q_laplace,
            "q ≤ Σ_{j≠j*} (2 + γ Δ_j) / (4 e^{γ Δ_j}), Δ_j = n_{j*} - n_j, at most 1 - 1/K",
            {**votes, "gamma": "γ"}, "(n,) ln q", SEMI,
            case("log_q_laplace-golden", {"votes": agree, "gamma": 0.05},
                 "γ taken for the noise's scale, which is 1/γ"),
            case("log_q_laplace-undecided", {"votes": [[10, 10, 10, 9]], "gamma": 0.05},
                 "q above 1 - 1/K"),
            case("log_q_laplace-sure", {"votes": [[40000, 3]], "gamma": 0.05},
                 "e^-2000 underflows: ln 0"),
        ),
        formula(
            "privacy/threshold-log-q", log_q_threshold,
            "ln P of the less likely outcome of max_j n_j + N(0, σ1²) ≥ T",
            {**votes, "threshold": "T", "sigma": "σ1"}, "(n,) ln q", SCALABLE,
            case("log_q_threshold-both-sides",
                 {"votes": [[240, 5, 5], [60, 90, 100]], "threshold": 200.0, "sigma": 150.0},
                 "the outcome that happened in place of the rarer one; σ √2"),
            case("log_q_threshold-even", {"votes": [[200, 50]], "threshold": 200.0,
                                          "sigma": 10.0},
                 "more than ½ for the rarer of two outcomes"),
            case("log_q_threshold-far", {"votes": [[10, 0]], "threshold": 1000.0, "sigma": 10.0},
                 "ln(1 - Φ) rounds to ln 0"),
        ),
        formula(
            "privacy/gnmax-rdp", gaussian,
            "μ2 = σ √(-ln q), μ1 = μ2 + 1, ε_i = μ_i/σ²; A = (1-q) / (1 - (q e^{ε2})^{(μ2-1)/μ2}),"
            " B = e^{ε1} / q^{1/(μ1-1)}; RDP(λ) = ln[(1-q) A^{λ-1} + q B^{λ-1}] / (λ-1); λ/σ² "
            "where that is lower or λ < μ1, μ2 > 1, -ln q > ε2, ln q ≤ (μ2-1) ε2 - "
            "μ2 [ln(1+1/(μ1-1)) + ln(1+1/(μ2-1))] do not all hold",
            {"log_q": cost["log_q"], "sigma": "σ", "orders": cost["orders"]}, "(n, M)", SCALABLE,
            case("gaussian-golden", {"log_q": q_gauss, "sigma": 40.0, "orders": ORDERS},
                 "ε1 and ε2 change places; no fall back to λ/σ² where q is large"),
            case("gaussian-by-noise", {"log_q": [0.0], "sigma": 40.0, "orders": ORDERS},
                 "λ / (2σ²): two counts move, not one"),
            case("gaussian-high-orders",
                 {"log_q": q_gauss[:1], "sigma": 40.0, "orders": [90.0, 100.0, 101.0, 200.0]},
                 "the bound used beyond λ < μ1, where it does not hold"),
            case("gaussian-sure", {"log_q": [-700.0, -3000.0], "sigma": 40.0, "orders": ORDERS},
                 "e^-3000 underflows, or ln(1 + tiny) rounds to 0"),
            case("gaussian-little-noise", {"log_q": [-0.8, -4.0], "sigma": 0.5,
                                           "orders": [1.5, 2.0]},
                 "μ2 ≤ 1 is not refused: ln of a negative number"),
            case("gaussian-threshold", {"log_q": [-1.5], "sigma": 212.13203435596427,
                                        "orders": ORDERS},
                 "a threshold test costs what noise √2 σ1 does"),
            rel=1e-9,
        ),
        formula(
            "privacy/lnmax-rdp", laplace,
            "ε₀ = 2γ; min of ½ ε₀² λ, ε₀, and if q ≤ 1/(e^{ε₀}+1) "
            "ln[(1-q) ((1-q) / (1 - e^{ε₀} q))^{λ-1} + q e^{ε₀(λ-1)}] / (λ-1)",
            {"log_q": cost["log_q"], "gamma": "γ", "orders": cost["orders"]}, "(n, M)", SEMI,
            case("laplace-golden", {"log_q": q_laplace, "gamma": 0.05, "orders": ORDERS},
                 "ε₀ = γ: one person's vote moves two counts"),
            case("laplace-by-noise", {"log_q": [0.0], "gamma": 0.05,
                                      "orders": [2.0, 19.0, 20.0, 21.0, 500.0]},
                 "½ ε₀² λ grows beyond ε₀, which bounds all orders"),
            case("laplace-undecided", {"log_q": [-0.7, -0.5, -0.1], "gamma": 0.05,
                                       "orders": ORDERS},
                 "the data's bound used where q > 1/(e^{ε₀}+1)"),
            case("laplace-sure", {"log_q": [-700.0, -2000.0], "gamma": 0.05, "orders": ORDERS},
                 "ln(1 + tiny) rounds to 0, or q underflows"),
            rel=1e-9, abs=1e-320,
        ),
        formula(
            "privacy/epsilon", epsilon,
            "ε = min_λ RDP(λ) + ln(1/δ) / (λ - 1)",
            {"spent": "(M,) or (…, M) RDP at each order", "delta": "δ", "orders": "(M,) λ > 1"},
            "epsilon, and the order that gives it", SCALABLE,
            case("epsilon-confident", {"spent": CONFIDENT, "delta": 1e-5, "orders": HALVES},
                 "ln(1/δ) / λ; 640 tests and 286 answers cost 3.17532 at λ = 8.5"),
            case("epsilon-lnmax", {"spent": LNMAX, "delta": 1e-5,
                                   "orders": [float(order) for order in range(2, 10)]},
                 "the moment l in place of the order λ = l + 1; 100 answers cost 5.302585"),
            case("epsilon-growing", {"spent": [[0.1, 0.2, 0.8], [1.0, 2.0, 8.0]],
                                     "delta": 1e-6, "orders": [2.0, 4.0, 16.0]},
                 "one order for all rows: the best one falls as costs add up"),
            rel=1e-12,
        ),
    )  # fmt: skip
