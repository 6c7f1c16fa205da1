"""What a stolen filter is good for: messages and programs changed on the copy until they pass.

    victim, a filter  ->  copy, in `budget` queries  ->  rows changed on the copy  ->  do they pass?

The theft and the last test of the changed rows query the filter; the edits cost no query.
Two controls: as many edits at random, and edits chosen on the filter itself, which no thief has.

    spam       a mail filter; words are replaced and added. `data`: spam, or mr, reviews of films,
               as a stand-in for mail, in which negative ones are what is held back
    malware    a virus scanner; imports, sections, strings are added, none removed; labels only
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mstheft.adversarial import edits
from mstheft.data.vocabulary import PADDING, UNKNOWN
from mstheft.experiments import learned_theft
from mstheft.experiments.settings import checked, setting
from mstheft.experiments.tasks import Task
from mstheft.learning.targets import labels_of
from mstheft.nn import Network
from mstheft.nn.fit import accuracy
from mstheft.oracle import Oracle
from mstheft.typing import Array, Rng


@dataclass(frozen=True)
class Settings(learned_theft.Settings):
    """A mail filter that is stolen and passed."""

    kind: str = setting("spam", choices=("spam", "malware"))
    data: str = setting("spam", choices=("spam", "mr"))
    victim: str = "text-bag"
    victim_epochs: int = setting(10, low=1)
    copy: str = "text-bag"
    pool: str = "spam"
    budget: int = setting(500, low=1)
    epochs: int = setting(60, low=1)
    patience: int = setting(10, low=1)
    edits: int = setting(10, low=1)  # of each message or program, at most
    messages: int = setting(100, low=1)  # that are changed, at most
    words: int = setting(12, low=1)  # the most harmless ones, tried at every place


@dataclass(frozen=True)
class MalwareSettings(Settings):
    """A virus scanner that is stolen and passed."""

    kind: str = "malware"
    data: str = setting("programs", choices=("programs",))
    victim: str = "mlp-64"
    victim_epochs: int = setting(15, low=1)
    copy: str = "mlp-64"
    pool: str = "programs"
    output: str = setting("label", choices=("probs", "label"))


HARMFUL = {"spam": 1, "mr": 0, "programs": 1}  # the label that the filter stops
SAMPLE = 20  # messages on which words are tried


@dataclass
class Evasion:
    """The outcome of an evasion. Shares are of the changed rows, 0 … 1."""

    # NaN, and no 'filter' in `passed`, where the filter is behind a service
    accuracy: float  # of the filter on its test part
    agreement: float  # of copy and filter there
    queries: int  # of the theft
    # (edits + 1,) shares that the filter lets pass after so many edits chosen on 'copy', on
    # 'filter' and at 'random'; and that the copy lets pass, the thief's own forecast
    passed: dict[str, np.ndarray]
    believed: np.ndarray
    # shares that pass if each row is changed only until the copy lets it pass, and if it gets as
    # many 'random' edits
    stopped: dict[str, float]
    made: float  # mean number of edits until then
    before: np.ndarray  # (n, d) the rows
    after: np.ndarray  # (n, d) the rows when their edits stopped


def settings(kind: str, **chosen: object) -> Settings:
    """All settings of an evasion: the chosen ones, and the defaults of its kind."""
    if kind not in ("spam", "malware"):
        raise ValueError(f"expected kind as one of spam, malware, got {kind!r}; pick one")
    made = checked(MalwareSettings if kind == "malware" else Settings, chosen)
    foreign = made.data == "mr" and "pool" not in chosen
    return replace(made, pool="wikitext-2") if foreign else made


def run(
    settings: Settings, task: Task, victim: Network | None, oracle: Oracle, rng: Rng = None
) -> Evasion:
    """Steal the filter from behind the oracle, change rows on the copy, and see what passes.

    victim : the filter, which only judges; None for a filter behind a service, which then costs
        up to 2 (edits + 1) messages more queries
    oracle : an `Oracle` over the filter, or over an `HttpVictim`
    rng : for the random edits; the seed of the settings unless given
    Costs the budget of the settings. Raises the errors of the theft, and ValueError where the
    filter stops no harmful row.
    """
    pool = learned_theft.thief_pool(settings, task)
    judge = learned_theft.judge_of(task, victim, settings.test)
    copy = learned_theft.extract(settings, oracle, task, pool, judge).model
    queries, judging = oracle.count, victim or Answering(oracle)
    rows, harmful = held_back(settings, task, judging), HARMFUL[settings.data]
    words = np.setdiff1d(pool, [PADDING, UNKNOWN]) if task.vocabulary else None
    rng = np.random.default_rng([settings.seed, 4] if rng is None else rng)
    paths = {"copy": guided(copy, rows, words, settings)}
    paths["random"] = edits.at_random(rows, _edits(words), settings.edits, rng)
    if victim:
        paths["filter"] = guided(victim, rows, words, settings)
    passes_copy = passing(copy, paths["copy"].rows, harmful)  # (edits + 1, n)
    steps, after = paths["copy"].until(passes_copy)
    stopped = {"copy": after, "random": paths["random"].after(steps)}
    return Evasion(
        accuracy=accuracy(victim, task.x_test, task.y_test) if victim else math.nan,
        agreement=judge(copy).get("agreement", math.nan),
        queries=queries,
        passed={
            name: passing(judging, path.rows, harmful).mean(axis=1) for name, path in paths.items()
        },
        believed=passes_copy.mean(axis=1),
        stopped={
            name: float((judging.labels(each) != harmful).mean()) for name, each in stopped.items()
        },
        made=float(steps.mean()),
        before=rows,
        after=after,
    )


class Answering:
    """A filter by its answers alone, at the cost of a query for each new row."""

    def __init__(self, oracle: Oracle):
        self.oracle, self._labels = oracle, dict[bytes, int]()

    def labels(self, x: Array) -> np.ndarray:
        """The most likely class of each row: (n, d) -> (n,)."""
        keys = [row.tobytes() for row in x]
        new = {key: i for i, key in enumerate(keys) if key not in self._labels}
        if new:
            answers = self.oracle.query(x[list(new.values())])
            labels = answers if self.oracle.output == "label" else labels_of(answers)
            self._labels |= dict(zip(new, labels.tolist(), strict=True))
        return np.array([self._labels[key] for key in keys])


def evade(settings: Settings, folder: Path) -> tuple[Task, Network, Evasion]:
    """`run` against a filter that is trained on the spot, or lies in the folder already."""
    task, victim = learned_theft.victim_of(settings, folder)
    return task, victim, run(settings, task, victim, Oracle(victim, settings.output))


# ---- stages


def held_back(settings: Settings, task: Task, victim: Network | Answering) -> np.ndarray:
    """Up to `messages` harmful rows of the test part that the filter stops and that do not judge
    the copy: (n, d)."""
    harmful, parts = HARMFUL[settings.data], learned_theft.split_test(task)
    spare = np.concatenate(parts[1:])
    x = task.x_test[spare[task.y_test[spare] == harmful]]
    rows = x[victim.labels(x) == harmful][: settings.messages]
    if not len(rows):
        raise ValueError("expected harmful rows that the filter stops, got none; train longer")
    return rows


def guided(guide: Network, rows: Array, words: np.ndarray | None, settings: Settings) -> edits.Path:
    """Edits chosen on a guide, of words only those that it finds the most harmless."""
    score = edits.margin(guide, HARMFUL[settings.data])
    if words is not None:
        words = edits.harmless(score, rows[:SAMPLE], words, settings.words)
    return edits.greedy(score, rows, _edits(words), settings.edits)


def passing(victim: Network | Answering, rows: Array, harmful: int) -> np.ndarray:
    """Which rows a filter lets pass: (steps, n, d) -> (steps, n)."""
    return np.stack([victim.labels(part) != harmful for part in rows])


def _edits(words: np.ndarray | None) -> edits.Edits:
    return edits.Additions() if words is None else edits.Words(words)
