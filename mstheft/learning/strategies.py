"""Which rows of the pool to query next: five ways, all `select(copy, labelled, pool, k, rng)`.

    random          any of them, equally likely
    uncertainty     where the copy's answer has the largest entropy
    k-center        farthest from everything labelled, in the copy's output space
    dfal            nearest to the copy's decision boundary, as DeepFool measures it
    dfal+k-center   k-center among the ρ nearest to the boundary

copy : a Network, the copy of the round before
labelled : (m,) indices into the pool of the rows with labels
pool : (n, d) or (n, *shape), the rows as the victim takes them
k : rows to choose, at most n - m
rng : Generator or int seed; only `random` draws from it
Returns (k,) indices into the pool, distinct, none labelled, in order of choice. Of rows that are
equally good the first in the pool comes first. None costs a query.
Source: Pal et al. 2020, section 'Active learning strategies'.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from mstheft import adversarial
from mstheft.errors import ExtractionError
from mstheft.learning import kcenter
from mstheft.nn.functions import entropy
from mstheft.nn.network import Network
from mstheft.typing import Array, Rng

CHUNK = 4096  # rows of the pool that the copy answers together
RIVALS = 9  # likeliest other classes that DeepFool tries, as in its authors' code

Select = Callable[..., np.ndarray]


def random(copy: Network, labelled: ArrayLike, pool: Array, k: int, rng: Rng) -> np.ndarray:
    """Any k unlabelled rows, all equally likely; the copy plays no part."""
    return np.random.default_rng(rng).choice(unlabelled(labelled, len(pool), k), k, replace=False)


def uncertainty(copy: Network, labelled: ArrayLike, pool: Array, k: int, rng: Rng) -> np.ndarray:
    """The k rows on which the copy is least sure: largest H = -Σ_c p_c ln p_c.

    Source: Lewis and Gale 1994; Pal et al. 2020.
    """
    free = unlabelled(labelled, len(pool), k)
    return _smallest(-entropy(outputs(copy, pool)[free]), free, k)


def k_center(copy: Network, labelled: ArrayLike, pool: Array, k: int, rng: Rng) -> np.ndarray:
    """Again and again the row farthest from its nearest centre, in the copy's output space.

        x* = argmax_x min_{c labelled or chosen} ‖p(x) - p(c)‖₂,    p the copy's probabilities

    Source: Sener and Savarese 2018, algorithm 1; Pal et al. 2020 take the softmax for the space.
    """
    free = unlabelled(labelled, len(pool), k)
    return kcenter.greedy(outputs(copy, pool), labelled, free, k)


def dfal(copy: Network, labelled: ArrayLike, pool: Array, k: int, rng: Rng) -> np.ndarray:
    """The k rows nearest to the copy's decision boundary: smallest ‖x - x̂‖₂.

    x̂ is the DeepFool example of x on the copy; the query will be the clean x.
    Source: Ducoffe and Precioso 2018; Pal et al. 2020.
    """
    free = unlabelled(labelled, len(pool), k)
    return _smallest(boundary_distances(copy, pool, free), free, k)


def dfal_k_center(
    copy: Network, labelled: ArrayLike, pool: Array, k: int, rng: Rng, *, rho: int | None = None
) -> np.ndarray:
    """k-center among the rho rows that are nearest to the copy's decision boundary.

    rho : rows that DFAL passes on, at least k; 10 k unless given. The paper, and `named`, take the
        whole budget. Where fewer are unlabelled, k-center has them all
    Source: Pal et al. 2020, 'DFAL + K-center'.
    """
    rho = 10 * k if rho is None else rho
    if rho < k:
        raise ValueError(f"expected rho= of at least k = {k} rows, got {rho}; pass the budget")
    free = unlabelled(labelled, len(pool), k)
    near = _smallest(boundary_distances(copy, pool, free), free, rho)
    return kcenter.greedy(outputs(copy, pool), labelled, np.sort(near), k)


STRATEGIES: dict[str, Select] = {
    "random": random,
    "uncertainty": uncertainty,
    "k-center": k_center,
    "dfal": dfal,
    "dfal+k-center": dfal_k_center,
}


def named(strategy: str | Select, budget: int) -> Select:
    """The function of that name, with ρ = budget where it needs one; a function is itself."""
    if callable(strategy):
        return strategy
    if strategy not in STRATEGIES:
        names = f"{', '.join(STRATEGIES)}, or a function"
        raise ValueError(f"expected strategy= to be one of {names}, got {strategy!r}; pick one")
    if strategy == "dfal+k-center":
        return functools.partial(dfal_k_center, rho=budget)
    return STRATEGIES[strategy]


def shortlisted(strategy: str, candidates: int) -> Select:
    """A DFAL strategy that searches from the rows of least margin only, since a search is dear.

        margin of x = the copy's largest logit less its second largest

    candidates : rows that DeepFool measures in a round, at least k; `dfal+k-center` passes on
        ρ = max(k, candidates / 2) of them
    """
    if candidates < 1:
        raise ValueError(f"expected candidates= of at least 1, got {candidates}; raise it")

    def select(copy: Network, labelled: ArrayLike, pool: Array, k: int, rng: Rng) -> np.ndarray:
        free = unlabelled(labelled, len(pool), k)
        near = np.sort(_smallest(margins(copy, pool, free), free, max(candidates, k)))
        rows = np.concatenate([np.asarray(labelled, np.int64), near])
        chosen = named(strategy, max(k, candidates // 2))
        return rows[chosen(copy, np.arange(len(rows) - len(near)), pool[rows], k, rng)]

    select.__qualname__ = f"{strategy} among {candidates}"
    return select


# ---- measures of the strategies


def margins(copy: Network, pool: Array, rows: np.ndarray) -> Array:
    """Largest logit less the second largest of each of these rows; one logit z gives |z|. (m,)."""
    parts = []
    for i in range(0, len(rows), CHUNK):
        logits = copy.logits(pool[rows[i : i + CHUNK]])
        # one logit z stands for the two logits 0 and z
        best = np.sort(np.hstack([0 * logits, logits]) if logits.shape[1] == 1 else logits, axis=1)
        parts.append(best[:, -1] - best[:, -2])
    return np.concatenate(parts)


def outputs(copy: Network, pool: Array) -> Array:
    """The copy's probabilities on every row of the pool, a chunk at a time: (n, K).

    A copy with one sigmoid output p gives (n, 2): 1 - p and p.
    Raises `ExtractionError` where they are not finite: nothing can be chosen by such a copy.
    """
    probs = np.concatenate([copy.probs(pool[i : i + CHUNK]) for i in range(0, len(pool), CHUNK)])
    if not np.isfinite(probs).all():
        assumption = "needs a copy with finite answers, but this one gives NaN or infinity"
        raise ExtractionError("select", assumption, "training diverged: scale the pool to [0, 1]")
    return np.hstack([1 - probs, probs]) if probs.shape[1] == 1 else probs


def boundary_distances(copy: Network, pool: Array, rows: np.ndarray) -> Array:
    """‖x - x̂‖₂ for these rows of the pool, x̂ the DeepFool example on the copy. (m,) -> (m,).

    Infinite for a row whose label DeepFool could not turn: it is far from every boundary, or the
    copy is flat there.
    """
    parts = []
    for i in range(0, len(rows), CHUNK):
        examples = adversarial.deepfool(copy, pool[rows[i : i + CHUNK]], rivals=RIVALS)
        parts.append(np.where(examples.flipped, examples.norms, np.inf))
    return np.concatenate(parts)


def unlabelled(labelled: ArrayLike, n: int, k: int) -> np.ndarray:
    """The indices 0 … n-1 that are not labelled, of which k are to be chosen."""
    labelled = np.asarray(labelled, np.int64).reshape(-1)
    if labelled.size and not (labelled.min() >= 0 and labelled.max() < n):
        got = f"{labelled.min()} to {labelled.max()}"
        raise ValueError(f"expected labelled as indices from 0 to {n - 1}, got {got}")
    free = np.ones(n, bool)  # (n,) True where a row may still be chosen
    free[labelled] = False
    left = np.flatnonzero(free)
    if not 1 <= k <= len(left):
        raise ValueError(f"expected k from 1 to {len(left)} unlabelled rows, got {k}")
    return left


def _smallest(values: Array, rows: np.ndarray, k: int) -> np.ndarray:
    """The rows with the k smallest values, smallest first; of equal ones the first."""
    return rows[np.argsort(values, kind="stable")[:k]]
