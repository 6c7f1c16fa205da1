"""One match: an attack against a defence and a detector. A cell of the arena."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.defend import responses
from mstheft.defend.prada import Detector
from mstheft.direct import labels, linear, relu, sweep
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.experiments import learned_theft, tasks
from mstheft.experiments.arena.adaptive import Adaptation, AdaptedOracle, Keys, estimator, polished
from mstheft.experiments.grid import Cell
from mstheft.experiments.settings import setting
from mstheft.learning.result import LearnedResult
from mstheft.nn import Network, zoo
from mstheft.nn.losses import one_hot
from mstheft.oracle import Oracle
from mstheft.oracle.defended import probabilities
from mstheft.oracle.oracle import OUTPUTS
from mstheft.typing import Array

DIRECT: dict[str, Callable[..., Any]] = {
    "sweep": sweep.extract,
    "relu": relu.extract,
    "linear": linear.extract,
    "labels": labels.extract,
}
GUESS = 64  # hidden neurons of MAD's untrained surrogate


# ---- settings


@dataclass(frozen=True)
class DirectSettings:
    """Of a direct attack."""

    budget: int | None = setting(None, low=1)
    test: int = learned_theft.CopySettings.test


@dataclass(frozen=True)
class NoiseSettings:
    """Of `responses.noise`."""

    scale: float


@dataclass(frozen=True)
class ReverseSigmoidSettings:
    """Of `responses.reverse_sigmoid`."""

    beta: float
    gamma: float


@dataclass(frozen=True)
class MadSettings:
    """Of `responses.mad`."""

    radius: float
    keep_label: bool = False


@dataclass(frozen=True)
class DefenceSettings:
    """The options of the Oracle that change answers, and the functions of `defend.responses`."""

    output: str = setting("probs", choices=OUTPUTS)
    decimals: int | None = None
    top: int | None = None
    noise: NoiseSettings | None = None
    reverse_sigmoid: ReverseSigmoidSettings | None = None
    mad: MadSettings | None = None


@dataclass(frozen=True)
class DetectorSettings:
    """Of PRADA."""

    delta: float = setting(0.9, check=Detector)


def learned_settings(attack: Cell, task: tasks.Task, seed: int) -> learned_theft.Settings:
    """The settings of an attack that learns: those of its table, and what suits the task."""
    chosen: dict[str, Any] = {**tasks.SUITABLE[task.kind], **attack, "seed": seed}
    adaptation = Adaptation(**chosen.pop("adapt", {}))
    settings = learned_theft.Settings(strategy=chosen.pop("attack"), **chosen)
    price = adaptation.price  # fewer rows, trained on as often
    return replace(settings, budget=settings.budget // price, epochs=settings.epochs * price)


# ---- a match


class Blocked(BudgetExhausted):
    """The service does not answer any more: its detector has raised an alarm."""


class BlockingMonitor:
    """A detector that blocks every answer from its first alarm on: a monitor of an `Oracle`.

    The oracle counts the rows of the batch with the alarm, but does not answer them.
    """

    def __init__(self, detector: Detector | Keys):
        self.detector = detector

    def observe(self, x: Array, labels: np.ndarray) -> None:
        """See a batch; raise `Blocked` if there is, or was, an alarm."""
        self.detector.observe(x, labels)
        if self.detector.alarm:
            raise Blocked(len(x), 0, self.detector.queries)


def victim_settings(cell: Cell) -> learned_theft.VictimSettings:
    """The victim of a cell."""
    return learned_theft.VictimSettings(**cell["victim"])


def run_cell(cell: Cell, scratch: Path) -> dict[str, Any]:
    """A cell of `arena`: its victim out of the folder `victims/` beside scratch, and the match."""
    task, network = learned_theft.victim_of(victim_settings(cell), scratch.parent / "victims")
    return run_match(cell["own"], task, network, cell["seed"])


def run_match(own: Cell, task: tasks.Task, network: Network, seed: int) -> dict[str, Any]:
    """What the thief gets, and what honest users lose.

    own : {'attack': …, 'defence': …, 'detector': …}, each a table of the arena's file
    Returns
    agreement : of the copy with the undefended victim on test rows; None without a copy
    apart : mean ‖p̂ - p‖₁ of the copy's and the undefended victim's probabilities there, 0 … 2
    queries : rows queried, with those that got no answer after the alarm
    noticed : queries before the alarm, None without one
    honest, l1 : accuracy of the answers to honest users, and the mean L1 change of these answers
    false_alarm : queries before the detector takes honest users for thieves, None if it does not
    ended : what stopped the attack, '' if nothing did
    """
    attack, watch = own["attack"], own["detector"]
    keys = attack.get("adapt", {}).get("keys", 1)
    detector = Keys(keys, **watch) if watch else None
    monitors = [BlockingMonitor(detector)] if detector else []
    options = oracle_options(own["defence"], task, seed)
    oracle = Oracle(network, **options, budget=attack.get("budget"), monitors=monitors)
    judge = learned_theft.judge_of(task, network, attack.get("test", DirectSettings.test))
    copy, ended = attempt(own, oracle, task, judge, seed)
    return {
        "agreement": None if copy is None else judge(copy)["agreement"],
        "apart": None if copy is None else apart(task, network, copy),
        "queries": oracle.count,
        "noticed": None if detector is None else detector.first_alarm,
        **honest_users(own, task, network, seed),
        "ended": ended,
    }


def apart(task: tasks.Task, network: Network, copy: Network) -> float:
    """Mean ‖p̂ - p‖₁ of copy and victim on the rows of `split_test` to judge by."""
    rows = learned_theft.split_test(task)[0]
    x = task.x_test[rows].reshape(len(rows), -1)
    return float(np.abs(copy.probs(x) - network.probs(x)).sum(axis=1).mean())


def oracle_options(defence: Cell, task: tasks.Task, seed: int) -> dict[str, Any]:
    """The options of an `Oracle` behind a defence: {'output': …, 'decimals': …, 'defences': …}.

    The functions of `responses` act in the order of the table.
    """
    options: dict[str, Any] = {"output": "probs", "defences": []}
    for name, value in defence.items():
        if not isinstance(value, dict):
            options[name] = value
            continue
        more: dict[str, Any] = {"rng": [seed, 5]} if name == "noise" else {}
        if name == "mad":
            widths = [math.prod(task.shape), GUESS, task.classes]
            surrogate = zoo.mlp(widths, rng=[seed, 6])
            more["gradients"] = responses.surrogate_gradients(surrogate)
        function = getattr(responses, name)
        options["defences"].append(responses.option(function, **value, **more))
    return options


def attempt(
    own: Cell, oracle: Oracle, task: tasks.Task, judge: learned_theft.Judge, seed: int
) -> tuple[Network | None, str]:
    """The copy, and what ended the attack. A direct attack has a verified copy or none."""
    attack, defence = own["attack"], own["defence"]
    try:
        if attack["attack"] in DIRECT:
            return DIRECT[attack["attack"]](oracle, rng=[seed, 7]).model, ""
        settings = learned_settings(attack, task, seed)
        pool = _pool(settings, task)
        adaptation = Adaptation(**attack.get("adapt", {}))
        if adaptation == Adaptation():
            return learned_theft.extract(settings, oracle, task, pool, judge).model, ""
        estimate = estimator(adaptation, defence, [seed, 8])
        cover = _cover(settings, task) if adaptation.cover else pool
        adapted = AdaptedOracle(oracle, adaptation, estimate, cover)
        copy = learned_theft.extract(settings, adapted, task, pool, judge).model  # type: ignore[arg-type]
        return polished(copy, adapted, defence, [seed, 9]) if adaptation.polish else copy, ""
    except (ExtractionError, BudgetExhausted) as error:
        partial = error.partial
        copy = partial.model if isinstance(partial, LearnedResult) else None
        return copy, "blocked by the monitor" if isinstance(error, Blocked) else str(error)


# The same pool serves against one defence after the other.
_numeric_pool = functools.lru_cache(maxsize=4)(learned_theft.numeric_pool)


def _pool(settings: learned_theft.Settings, task: tasks.Task) -> np.ndarray:
    """The thief's rows; no row for Jacobian augmentation, which makes rows itself."""
    if settings.strategy == "jbda":
        return np.empty((0, math.prod(task.shape)), np.float32)
    if task.vocabulary is not None:
        return learned_theft.thief_pool(settings, task)
    return _numeric_pool(settings.pool, task.shape, settings.pool_size, settings.seed)


def _cover(settings: learned_theft.Settings, task: tasks.Task) -> np.ndarray:
    """Ordinary rows of the thief's pool, whatever his strategy."""
    return _pool(replace(settings, strategy="random"), task)


def honest_users(own: Cell, task: tasks.Task, network: Network, seed: int) -> dict[str, Any]:
    """What honest users lose: they query the test part, in its fixed random order."""
    rows = np.concatenate(learned_theft.split_test(task))
    x, y = task.x_test[rows].reshape(len(rows), -1), task.y_test[rows]
    detector = Detector(**own["detector"])
    options = oracle_options(own["defence"], task, seed)
    monitors = [detector] if own["detector"] else []
    answers, output = Oracle(network, **options, monitors=monitors).query(x), options["output"]
    if output == "label":
        after = one_hot(answers, task.classes)
    else:
        after = probabilities(answers, output, False)
    lost = responses.cost(network.probs(x), after, y)
    return {"honest": lost.after, "l1": lost.l1, "false_alarm": detector.first_alarm}
