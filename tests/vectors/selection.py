"""Which query next: uncertainty, margins, k-center, DFAL."""

import itertools

from activations import entropy
from adversarial import nearest
from exact import Net, case, document, formula, logits, mp, mpf, probs

PAL = "Pal et al. 2020, arXiv 1905.09165"
SENER = "Sener and Savarese 2018, algorithm 1; Pal et al. 2020"
STRATEGY = {
    "copy": "network", "labelled": "(m,) indices into the pool", "pool": "(n, d)",
    "k": "rows to choose", "rng": "not needed",
}  # fmt: skip
LINEAR = Net([([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.5]], [0.1, -0.2, 0.3])])
BINARY = Net([([[1.0, -0.5]], [0.25])])
POOL = [[2.0, 1.0], [0.1, 0.2], [-1.5, 2.0], [0.5, -1.75], [0.3, 0.9], [-3.0, -1.25],
        [0.0, -0.4], [1.0, 1.1]]  # fmt: skip


def squared(a, b):
    return mp.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def greedy(outputs, labelled, free, k):
    """The farthest from its nearest centre, of equal ones the first; without centres the first."""
    centres, left, chosen = list(labelled), list(free), []
    for _ in range(k):

        def near(i):
            return min((squared(outputs[i], outputs[c]) for c in centres), default=mp.inf)

        pick = max(left, key=lambda i: (near(i), -i))
        left.remove(pick)
        centres.append(pick)
        chosen.append(pick)
    return chosen


def unlabelled(labelled, pool):
    return [i for i in range(len(pool)) if i not in labelled]


def told(copy, pool):
    p = [probs(copy, x) for x in pool]
    return [[1 - v[0], v[0]] for v in p] if len(p[0]) == 1 else p


def by_size(values, rows, k):
    order = sorted(range(len(rows)), key=lambda i: (values[i], i))
    best = sorted(values)
    assert all(b - a > 1e-6 for a, b in itertools.pairwise(best)), "too close for float64 to tell"
    return [rows[i] for i in order[:k]]


def uncertainty(copy, labelled, pool, k, rng):
    free = unlabelled(labelled, pool)
    p = told(copy, pool)
    return by_size([-entropy(p[i]) for i in free], free, k)


def k_center(copy, labelled, pool, k, rng):
    return greedy(told(copy, pool), labelled, unlabelled(labelled, pool), k)


def dfal(copy, labelled, pool, k, rng):
    free = unlabelled(labelled, pool)
    return by_size([nearest(copy, pool[i])["norms"] for i in free], free, k)


def dfal_k_center(copy, labelled, pool, k, rng, rho):
    near = sorted(dfal(copy, labelled, pool, rho, rng))
    return greedy(told(copy, pool), labelled, near, k)


def margins(copy, pool, rows):
    found = []
    for i in rows:
        z = logits(copy, pool[i])
        best = sorted([mpf(0), *z] if len(z) == 1 else z)
        found.append(best[-1] - best[-2])
    return found


GRID = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [0.0, 0.0, 1.0],
        [0.75, 0.25, 0.0], [0.5, 0.25, 0.25]]  # fmt: skip


def build():
    centres = {
        "outputs": "(n, K) probabilities",
        "labelled": "indices of the first centres",
        "free": "(m,) indices to choose from, ascending",
        "k": "how many",
    }
    return document(
        "selection",
        "Which query next: uncertainty, margins, k-center, DFAL",
        formula(
            "selection/k-center-greedy", greedy,
            "x* = argmax_x min_c ‖x - c‖₂, c labelled or chosen; of equal ones the first",
            centres, "(k,) indices in order of choice", SENER,
            case("k-center-from-labelled",
                 {"outputs": GRID, "labelled": [0], "free": [1, 2, 3, 4, 5, 6], "k": 3},
                 "labelled points are no centres: it starts anew from nothing"),
            case("k-center-masked",
                 {"outputs": GRID, "labelled": [0, 1, 4], "free": [2, 3, 5, 6], "k": 4},
                 "a point that was chosen is chosen again, or a labelled one is"),
            case("k-center-nearest",
                 {"outputs": [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.625, 0.375]],
                  "labelled": [0, 1], "free": [2, 3], "k": 1},
                 "the distance to the farthest centre, or the sum of all, in place of the nearest"),
            case("k-center-updated",
                 {"outputs": [[0.5, 0.5], [1.0, 0.0], [0.96875, 0.03125], [0.0625, 0.9375]],
                  "labelled": [0], "free": [1, 2, 3], "k": 2},
                 "distances are not brought up to date: two neighbours are chosen at once"),
            case("k-center-tie",
                 {"outputs": [[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]],
                  "labelled": [0], "free": [1, 2], "k": 1},
                 "of equally far points the last"),
            rel=0,
        ),
        formula(
            "selection/uncertainty", uncertainty,
            "the k rows with the largest H = -Σ_c p_c ln p_c of the copy", STRATEGY,
            "(k,) indices into the pool", "Lewis and Gale 1994; Pal et al. 2020",
            case("uncertainty-three-classes",
                 {"copy": LINEAR, "labelled": [1], "pool": POOL, "k": 3, "rng": 0},
                 "the smallest entropy, or indices into what is left in place of the pool"),
            case("uncertainty-sigmoid",
                 {"copy": BINARY, "labelled": [], "pool": POOL, "k": 5, "rng": 0},
                 "-p ln p of the one probability: sure of class 0 looks like unsure"),
            rel=0,
        ),
        formula(
            "selection/k-center", k_center,
            "k-center in the copy's softmax output space", STRATEGY, "(k,) indices into the pool",
            SENER,
            case("k-center-of-a-copy",
                 {"copy": LINEAR, "labelled": [1, 4], "pool": POOL, "k": 3, "rng": 0},
                 "distances between inputs, or logits, in place of probabilities"),
            rel=0,
        ),
        formula(
            "selection/dfal", dfal,
            "the k rows with the smallest ‖x - x̂‖₂, x̂ the DeepFool example on the copy", STRATEGY,
            "(k,) indices into the pool", "Ducoffe and Precioso 2018; Pal et al. 2020",
            case("dfal-three-classes",
                 {"copy": LINEAR, "labelled": [1], "pool": POOL, "k": 4, "rng": 0},
                 "the margin of logits, not divided by the length of its gradient"),
            case("dfal-sigmoid",
                 {"copy": BINARY, "labelled": [0, 4], "pool": POOL, "k": 3, "rng": 0},
                 "the farthest rows; or a signed distance, so that class 0 always comes first"),
            rel=0,
        ),
        formula(
            "selection/dfal-k-center", dfal_k_center,
            "k-center among the ρ rows that are nearest to the boundary", STRATEGY,
            "(k,) indices into the pool", "Pal et al. 2020, 'DFAL + K-center'",
            case("dfal-k-center-five",
                 {"copy": LINEAR, "labelled": [0], "pool": POOL, "k": 2, "rng": 0},
                 "ρ = k: then k-center has nothing to choose", options={"rho": 5}),
            rel=0,
        ),
        formula(
            "selection/margin", margins,
            "largest logit less the second largest; of one logit |z|",
            {"copy": "network", "pool": "(n, d)", "rows": "(m,) indices"}, "(m,)", PAL,
            case("margins-classes", {"copy": LINEAR, "pool": POOL, "rows": [5, 0, 3]},
                 "largest less smallest, or probabilities in place of logits"),
            case("margins-sigmoid", {"copy": BINARY, "pool": POOL, "rows": [0, 2]},
                 "the logit with its sign"),
            abs=1e-14,
        ),
    )  # fmt: skip
