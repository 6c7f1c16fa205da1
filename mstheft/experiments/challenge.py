"""Twelve victims that nobody has seen, each behind the project's own service.

LEVELS                what each answers, and what a medal takes
victim, oracle        drawn from a secret and the learner's name; as the service asks it
judge                 a copy against its victim: agreement, error, queries, noticed or not
certify, holds        a score, signed with the secret; is the signature right?
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mstheft import compare, nn
from mstheft.nn import Network
from mstheft.oracle.oracle import Oracle
from mstheft.typing import Rng

ROWS = 10_000  # fresh rows of N(0, I) on which a copy is judged
MEDALS = ("none", "bronze", "silver", "gold")


@dataclass(frozen=True)
class Level:
    """A victim and what its service tells.

    shape : inputs, widths, outputs
    budget : rows that may be asked in all
    lesson : that teaches the attack
    agreement : equal labels, shares that bronze and silver take
    error : largest |Δlogit| over the spread of the logits that gold takes; 0 if labels are enough
    frugal : queries up to which gold is given
    watched : by PRADA: an alarm costs the gold
    """

    title: str
    shape: tuple[int, ...]
    budget: int
    frugal: int
    lesson: int
    output: str = "logits"
    decimals: int | None = None
    activation: str = "relu"
    dtype: type = np.float64
    agreement: tuple[float, float] = (0.95, 0.999)
    error: float = 1e-6
    watched: bool = False

    @property
    def words(self) -> str:
        """One line on what is behind the door."""
        kind = "-".join(map(str, self.shape))
        if len(self.shape) > 2:
            kind += f" {self.activation}"
        told = self.output + (f" of {self.decimals} decimals" if self.decimals is not None else "")
        exact = " in float32" if self.dtype is np.float32 else ""
        return f"{kind}{exact}, {told}, {self.budget:,} rows" + (", PRADA" if self.watched else "")


LEVELS = (
    Level("A filter in few questions", (20, 1), 150, 121, 2, output="probs"),
    Level("Four classes at once", (12, 4), 150, 113, 2, output="probs"),
    Level(
        "Rounded to four decimals", (8, 1), 4_000, 200, 8, "probs", 4, error=1e-2,
        agreement=(0.9, 0.99),
    ),
    Level("Labels only", (8, 1), 4_000, 700, 2, output="label", agreement=(0.9, 0.99), error=0),
    Level("The lecture's four steps", (20, 8, 3), 20_000, 1_200, 6),
    Level("Fewer queries than weights", (40, 16, 5), 2_000, 480, 7),
    Level("A smooth one", (20, 6, 3), 2_000, 500, 17, activation="tanh"),
    Level("As PyTorch computes", (40, 12, 5), 4_000, 1_300, 8, dtype=np.float32, error=1e-4),
    Level("Two hidden layers", (20, 10, 6, 3), 10_000, 2_600, 16),
    Level(
        "Two decimals of probabilities", (20, 8, 3), 20_000, 4_000, 9, "probs", 2,
        agreement=(0.9, 0.97), error=0.5,
    ),
    Level("Under PRADA's eyes", (20, 8, 4), 10_000, 700, 14, watched=True, error=1e-4),
    Level(
        "Everything at once", (16, 8, 6, 3), 40_000, 8_000, 16, "logits", 3, watched=True,
        error=1e-2, agreement=(0.9, 0.99),
    ),
)  # fmt: skip


def victim(number: int, secret: str, name: str) -> Network:
    """The victim of level `number` for this learner: nobody without the secret can draw it."""
    one = LEVELS[number - 1]
    words = f"mstheft challenge {number} {name}".encode()
    seed = int.from_bytes(hmac.digest(secret.encode(), words, "sha256"), "big")
    how = {"activation": one.activation} if len(one.shape) > 2 else {}
    return nn.zoo.mlp(list(one.shape), bias=0.3, rng=seed, dtype=one.dtype, **how)


def oracle(number: int, network: Network) -> Oracle:
    """The victim as its service answers, in this process: what the tests of the levels ask."""
    one = LEVELS[number - 1]
    return Oracle(network, one.output, decimals=one.decimals, budget=one.budget)


@dataclass(frozen=True)
class Score:
    """What a copy has reached.

    error : largest |Δlogit| over the spread of the victim's logits
    copy : SHA-256 of the file that was handed in
    """

    name: str
    level: int
    agreement: float
    error: float
    queries: int
    noticed: bool
    medal: str
    copy: str = ""


def judge(
    number: int,
    name: str,
    network: Network,
    copy: Network,
    queries: int,
    noticed: bool,
    rng: Rng = None,
) -> Score:
    """Judge a copy on fresh rows. Raises ValueError if it has other inputs or outputs."""
    one = LEVELS[number - 1]
    if (copy.inputs, copy.outputs) != (network.inputs, network.outputs):
        want, got = (f"{each.inputs} inputs and {each.outputs} outputs" for each in (network, copy))
        raise ValueError(f"expected a copy with {want}, got {got}; is it of another level?")
    x = np.random.default_rng(rng).normal(size=(ROWS, network.inputs))
    agreement = compare.agreement(network, copy, x)
    apart = compare.logit_difference(network, copy, x, gauge=network.outputs > 1).max
    error = float(apart / network.logits(x).std())
    silver = agreement >= one.agreement[1]
    gold = silver and (not one.error or error <= one.error) and queries <= one.frugal
    steps = (agreement >= one.agreement[0], silver, gold and not noticed)
    medal = MEDALS[sum(steps) if steps[0] else 0]
    return Score(name, number, agreement, error, queries, noticed, medal)


def certify(score: Score, secret: str) -> dict[str, object]:
    """The score and its signature, for a file."""
    return {"score": asdict(score), "signature": _signature(asdict(score), secret)}


def holds(certificate: dict[str, object], secret: str) -> bool:
    """Was this certificate signed with the secret, and not changed since?"""
    score, signature = certificate.get("score"), str(certificate.get("signature"))
    return isinstance(score, dict) and hmac.compare_digest(
        signature.encode(), _signature(score, secret).encode()
    )


def _signature(score: dict[str, object], secret: str) -> str:
    text = json.dumps(score, sort_keys=True).encode()
    return hmac.new(secret.encode(), b"mstheft certificate " + text, "sha256").hexdigest()


def with_copy(score: Score, path: Path) -> Score:
    """The score with the SHA-256 of the copy's file."""
    return replace(score, copy=hashlib.sha256(path.read_bytes()).hexdigest())


def leaderboard(scores: Iterable[Score]) -> list[Score]:
    """The best score of each learner at each level: the medal first, then queries, then error."""

    def rank(score: Score) -> tuple[float, ...]:
        return (-MEDALS.index(score.medal), score.queries, score.error)

    best: dict[tuple[int, str], Score] = {}
    for score in sorted(scores, key=rank):
        best.setdefault((score.level, score.name), score)
    return sorted(best.values(), key=lambda score: (score.level, *rank(score)))
