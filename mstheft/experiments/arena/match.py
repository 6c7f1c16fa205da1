"""One attack against one defence and one detector: a cell of the arena."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.defend import responses
from mstheft.defend.prada import Detector
from mstheft.direct import linear, relu, sweep
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.experiments import learned_theft as thefts
from mstheft.experiments import tasks as victims
from mstheft.experiments.grid import Cell
from mstheft.learning.stolen import Stolen
from mstheft.nn import Network, zoo
from mstheft.nn.losses import one_hot
from mstheft.oracle import Oracle
from mstheft.oracle.defended import probabilities

DIRECT: dict[str, Callable[..., Any]] = {
    "sweep": sweep.extract,
    "relu": relu.extract,
    "linear": linear.extract,
}
RESPONSES: dict[str, Callable[..., Any]] = {
    "noise": responses.noise,
    "reverse_sigmoid": responses.reverse_sigmoid,
    "mad": responses.mad,
}
SUPPLIED = {"rng", "gradients"}  # what the arena gives them beside their settings
GUESS = 64  # hidden neurons of MAD's untrained surrogate


class Shut(BudgetExhausted):
    """The service answers no more: its detector has raised an alarm."""


class Door:
    """A detector that acts: shuts the door at its first alarm. A monitor of an `Oracle`.

    The rows of the batch in which the alarm falls are counted, and their answers are not given.
    """

    def __init__(self, detector: Detector):
        self.detector = detector

    def observe(self, x: Any, labels: Any) -> None:
        """See a batch; raise `Shut` if there is, or was, an alarm."""
        self.detector.observe(x, labels)
        if self.detector.alarm:
            raise Shut(len(x), 0, self.detector.queries)


def fight(cell: Cell, scratch: Path) -> dict[str, Any]:
    """A cell of `arena`: its victim out of the folder `victims/` beside scratch, and `meet`."""
    settings = thefts.SETTINGS | cell["victim"]
    task, network = thefts.victim(settings, scratch.parent / "victims")
    return meet(cell["own"], task, network, cell["seed"])


def meet(own: Cell, task: victims.Task, network: Network, seed: int) -> dict[str, Any]:
    """What the thief gets, and what honest users lose.

    own : {'attack': …, 'defence': …, 'detector': …}, each as the tables of an arena say it
    Returns
    agreement : of the copy with the undefended victim on test rows; None without a copy
    queries : rows asked, those that the door stayed shut to included
    noticed : queries after which there was an alarm, None without
    honest, l1 : accuracy of what honest users are told, and the mean L1 change of the answers
    false_alarm : queries after which the detector takes them for thieves, None if it does not
    ended : what stopped the attack, '' if nothing did
    """
    settings = thefts.SETTINGS | thefts.usual(task) | own["attack"] | {"seed": seed}
    detector = Detector(**own["detector"]) if own["detector"] else None
    doors = [Door(detector)] if detector else []
    told = answers_of(own["defence"], task, seed)
    oracle = Oracle(network, **told, budget=own["attack"].get("budget"), monitors=doors)
    copy, ended = attempt(settings, oracle, task, network)
    judge = thefts.judged_by(task, network, settings["test"])
    return {
        "agreement": None if copy is None else judge(copy)["agreement"],
        "queries": oracle.count,
        "noticed": None if detector is None else detector.first_alarm,
        **honest(own, task, network, seed),
        "ended": ended,
    }


def answers_of(defence: dict[str, Any], task: victims.Task, seed: int) -> dict[str, Any]:
    """The settings of an `Oracle` behind a defence: {'output': …, 'decimals': …, 'defences': …}."""
    told = {name: value for name, value in defence.items() if name not in RESPONSES}
    made = []
    for name, given in defence.items():
        if name in RESPONSES:
            more: dict[str, Any] = {"rng": [seed, 5]} if name == "noise" else {}
            if name == "mad":
                widths = [math.prod(task.shape), GUESS, task.classes]
                guess = zoo.mlp(widths, rng=[seed, 6])
                more["gradients"] = responses.surrogate_gradients(guess)
            made.append(responses.option(RESPONSES[name], **given, **more))
    return {"output": "probs"} | told | {"defences": made}


def attempt(
    settings: Cell, oracle: Oracle, task: victims.Task, network: Network
) -> tuple[Network | None, str]:
    """The copy, and what ended the attack. A direct attack has a verified copy or none."""
    word = settings["attack"]
    try:
        if word in DIRECT:
            return DIRECT[word](oracle, rng=[settings["seed"], 7]).model, ""
        learned = settings | {"strategy": word}
        pool = _pool(learned, task)
        judge = thefts.judged_by(task, network, settings["test"])
        return thefts.attack(learned, oracle, task, pool, judge, None, {}).model, ""
    except (ExtractionError, BudgetExhausted) as error:
        partial = error.partial
        copy = partial.model if isinstance(partial, Stolen) else None
        return copy, "the door was shut" if isinstance(error, Shut) else str(error)


_numbers = functools.lru_cache(maxsize=4)(thefts.number_rows)  # the same thief, another defence


def _pool(settings: Cell, task: victims.Task) -> np.ndarray:
    """The thief's rows; none for Jacobian augmentation, which makes its own."""
    if settings["strategy"] == "jbda":
        return np.empty((0, math.prod(task.shape)), np.float32)
    if task.vocabulary is not None:
        return thefts.thief_rows(settings, task)
    return _numbers(settings["pool"], task.shape, settings["pool_size"], settings["seed"])


def honest(own: Cell, task: victims.Task, network: Network, seed: int) -> dict[str, Any]:
    """What users lose who ask about the test part, in its fixed random order."""
    rows = np.concatenate(thefts.split_test(task))
    x, y = task.x_test[rows].reshape(len(rows), -1), task.y_test[rows]
    before, detector = network.probs(x), Detector(**own["detector"])
    watching = [detector] if own["detector"] else []
    behind = answers_of(own["defence"], task, seed)
    told = Oracle(network, **behind, monitors=watching).query(x)
    hard = behind["output"] == "label"
    after = one_hot(told, task.classes) if hard else probabilities(told, behind["output"], False)
    lost = responses.cost(before, after, y)
    return {"honest": lost.after, "l1": lost.l1, "false_alarm": detector.first_alarm}
