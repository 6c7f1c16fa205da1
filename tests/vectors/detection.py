"""PRADA: distances, growing sets, thresholds, and Shapiro-Wilk's W."""

from exact import case, document, dot, exact, formula, length, mp, mpf, plus

PRADA = "Juuti et al. 2019, arXiv 1805.02628, section 5, and the authors' code"
ROYSTON = "Shapiro and Wilk 1965; Royston 1995, algorithm AS R94"


def drawn(n, width, start=1, digits=3):
    """Numbers from 0 to 1 that look drawn: x ← 16807 x mod (2^31 - 1), rounded to some digits."""
    state, rows = start, []
    for _ in range(n):
        row = []
        for _ in range(width):
            state = 16807 * state % (2**31 - 1)
            row.append(round(state / 2**31, digits))
        rows.append(row)
    return rows


def mean_and_std(values):
    mean = mp.fsum(values) / len(values)
    return mean, mp.sqrt(mp.fsum((v - mean) ** 2 for v in values) / len(values))


# ---- Shapiro-Wilk


def quantile(share):
    return mp.sqrt(2) * mp.erfinv(2 * share - 1)


def polynomial(coefficients, x):
    return mp.fsum(mpf(c) * x**i for i, c in enumerate(coefficients))


def shapiro(values):
    """W with Royston's coefficients, for n > 5."""
    x, n = sorted(values), len(values)
    m = [quantile((i - mpf(3) / 8) / (n + mpf(1) / 4)) for i in range(1, n + 1)]
    total, u = dot(m, m), 1 / mp.sqrt(n)
    first = ["0", "0.221157", "-0.147981", "-2.071190", "4.434685", "-2.706056"]
    second = ["0", "0.042981", "-0.293762", "-1.752461", "5.682633", "-3.582633"]
    last = m[-1] / mp.sqrt(total) + polynomial(first, u)
    before = m[-2] / mp.sqrt(total) + polynomial(second, u)
    phi = (total - 2 * m[-1] ** 2 - 2 * m[-2] ** 2) / (1 - 2 * last**2 - 2 * before**2)
    a = [-last, -before, *(v / mp.sqrt(phi) for v in m[2:-2]), before, last]
    mean = mp.fsum(x) / n
    return dot(a, x) ** 2 / mp.fsum((v - mean) ** 2 for v in x)


def normality(distances):
    if len(distances) <= 100 or min(distances) == max(distances):
        return None
    return shapiro(distances)


# ---- growing sets and the detector


class Growing:
    """G_c with its threshold, one row after the other."""

    def __init__(self):
        self.members, self.own, self.threshold = [], [], mpf(0)

    def add(self, row):
        if not self.members:
            self.members, self.own = [row], [mpf(0)]
            return None
        nearest = min(length(plus(row, other, -1)) for other in self.members)
        assert abs(nearest - self.threshold) > 1e-9, "too close for float64 to tell"
        if nearest > self.threshold:
            self.members.append(row)
            self.own.append(nearest)
            mean, std = mean_and_std(self.own)
            self.threshold = max(self.threshold, mean - std)
        return nearest


def grow(rows):
    kept = Growing()
    distances = [kept.add(row) for row in rows]
    return {
        "distances": [mpf("nan") if d is None else d for d in distances],
        "threshold": kept.threshold,
        "members": kept.members,
    }


def prada(x, labels, delta):
    sets, arrived, queries, ws = {}, [], [], []
    for count, (row, label) in enumerate(zip(x, labels, strict=True), start=1):
        nearest = sets.setdefault(label, Growing()).add(row)
        if nearest is not None:
            arrived.append((label, nearest))
        if count % 10:
            continue
        often = [c for c, _ in arrived]
        d = [v for c, v in arrived if often.count(c) >= 10]
        if d:
            mean, std = mean_and_std(d)
            d = [v for v in d if abs(v - mean) <= 3 * std]
        w = normality(d)
        if w is not None:
            queries.append(count)
            ws.append(w)
    assert all(abs(w - delta) > 1e-4 for w in ws)
    alarms = [q for q, w in zip(queries, ws, strict=True) if w < delta]
    return {
        "distances": [v for _, v in arrived],
        "queries": queries,
        "w": ws,
        "first_alarm": alarms[0] if alarms else None,
    }


def augmented(seeds, rounds, step):
    """Each round adds every row again, a step away in each input: what Papernot's thief asks."""
    rows = drawn(seeds, 3, 11)
    for turn in range(rounds):
        signs = drawn(len(rows), 3, 100 + turn)
        for row, sign in list(zip(rows, signs, strict=True)):
            moves = [step if s > 0.5 else -step for s in sign]
            rows.append([round(v + move, 3) for v, move in zip(row, moves, strict=True)])
    return rows


def build():
    normal = [float(mp.nstr(10 + 2 * quantile((i - mpf(3) / 8) / (mpf(101) + mpf(1) / 4)), 6))
              for i in (37 * k % 101 + 1 for k in range(101))]  # fmt: skip
    uniform = [row[0] for row in drawn(150, 1, 7)]
    skewed = [float(mp.nstr(-mp.log(1 - mpf(row[0])), 6)) for row in drawn(120, 1, 5)]
    piled = [0.2] * 90 + [row[0] for row in drawn(30, 1, 3)]
    row_of = {"rows": "(n, d), one after the other"}
    thirds = drawn(140, 5, 21), drawn(140, 5, 22222), drawn(140, 5, 333331)
    natural = [[round(a + b + c, 2) for a, b, c in zip(*rows, strict=True)]  # sum() is compensated
               for rows in zip(*thirds, strict=True)]  # fmt: skip
    stream = {"x": "(n, d)", "labels": "(n,) the victim's classes", "delta": "δ"}
    assert prada(exact(natural), [0] * 140, 0.9)["first_alarm"] is None
    return document(
        "detection",
        "PRADA: distances, growing sets, thresholds, and Shapiro-Wilk's W",
        formula(
            "detection/prada-distance", grow,
            "d = min_{g ∈ G} ‖x - g‖₂; x joins G when d > T; T ← max(T, mean - std) over the d "
            "of all members, the first one's being 0, std of the population",
            row_of, "distances (n,), NaN for the first; threshold T; members (m, d)", PRADA,
            case("growing-two", {"rows": [[0.0, 0.0], [3.0, 4.0]]},
                 "the first member's 0 is left out of the mean: T = 5"),
            case("growing-threshold", {"rows": [[0.0, 0.0], [3.0, 4.0], [3.0, 4.5], [9.0, 4.0],
                                                [0.0, 1.0], [20.0, 0.0], [20.5, 0.5]]},
                 "the sample's std; or T falls again, where it is the largest so far"),
            case("growing-many", {"rows": drawn(24, 2, 17)},
                 "every query joins, or mean and std are those of all queries, not of the members"),
            case("growing-neighbours", {"rows": [[1e6, 1e6], [1e6 + 1.0, 1e6], [1e6, 1e6 + 0.125]]},
                 "‖x‖² + ‖g‖² - 2 x·g loses the digits of a small distance", abs=1e-9),
            rel=1e-12,
        ),
        formula(
            "detection/shapiro-wilk", normality,
            "W = (Σ_i a_i d_(i))² / Σ_i (d_i - mean)²; none for 100 distances or fewer, or all "
            "equal", {"distances": "(n,)"}, "W, or None", ROYSTON,
            case("normality-normal", {"distances": normal},
                 "distances are not put in order first"),
            case("normality-uniform", {"distances": uniform},
                 "Shapiro-Francia's W', with a_i = m_i / ‖m‖"),
            case("normality-skewed", {"distances": skewed},
                 "the p-value in place of W"),
            case("normality-piled", {"distances": piled},
                 "equal distances are counted once: the pile of an attack is not seen"),
            case("normality-few", {"distances": uniform[:100]},
                 "a verdict on 100 distances or fewer"),
            case("normality-equal", {"distances": [0.5] * 101},
                 "0 / 0 where all distances are equal"),
            rel=1e-6,
        ),
        formula(
            "detection/prada", prada,
            "every 10 queries, over all classes with 10 distances or more: drop what lies beyond "
            "3 std of the mean; with more than 100 left, an attack is flagged when W < δ",
            stream, "distances (m,), queries (checks,), w (checks,), first_alarm or None", PRADA,
            case("prada-classes", {"x": [[0.0, 0.0], [1.0, 0.0], [0.0, 3.0], [5.0, 0.0],
                                         [0.0, 1.0], [5.0, 1.0]],
                                   "labels": [0, 1, 0, 1, 0, 1], "delta": 0.9},
                 "the nearest of all queries in place of those of the same class"),
            case("prada-natural", {"x": natural, "labels": [i % 2 for i in range(140)],
                                   "delta": 0.9},
                 "honest queries are flagged; or checked at every query in place of each tenth"),
            case("prada-augmented", {"x": augmented(20, 3, 0.1),
                                     "labels": [i % 20 % 2 for i in range(160)], "delta": 0.9},
                 "an attack that steps away from its own queries is not seen",
                 rel=5e-6),  # SciPy 1.11 computes W in float32
            case("prada-rare-class", {"x": natural[:130], "labels": [int(i % 13 == 12) for i in
                                                                     range(130)], "delta": 0.9},
                 "classes with fewer than 10 distances are counted as well"),
            rel=1e-6, abs=1e-9,
        ),
    )  # fmt: skip
