"""`mstheft steal active`, `mstheft steal jacobian`: learn a copy, and say how well it agrees."""

from __future__ import annotations

import argparse
import io
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mstheft import arguments, experiments, figures, report, victims
from mstheft.commands.shared import (
    Desk,
    Wrong,
    arguments_of_user,
    check_places,
    journal_line,
    journal_of,
    noted,
)
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.learning.stolen import Point, Stolen
from mstheft.nn import Network
from mstheft.nn.fit import accuracy
from mstheft.oracle import Oracle


def run(args: argparse.Namespace, desk: Desk) -> int:
    """Learn a copy; keep it at once; then tell how it went."""
    with arguments_of_user():
        check_places(args)
        if args.journal and args.checkpoint:
            raise Wrong("--journal and --checkpoint both keep what was paid for; choose one")
        cell, task = _cell(args)
        network = _victim(args, cell, task, desk)
        log = _Log(args.log)
    right = accuracy(network, task.x_test, task.y_test)
    name = args.victim_file or "trained on the spot"
    desk.say(f"victim: {name}, right on {_share(right)} of the test part of {task.name}")
    desk.say(f"oracle: {args.output}, {args.budget:,} queries; copy: {cell['copy']}\n")
    told = network.labels(task.x_test)

    def judge(copy: Network) -> dict[str, float]:
        labels = copy.labels(task.x_test)
        return {"agreement": _equal(labels, told), "accuracy": _equal(labels, task.y_test)}

    problems: list[object] = []
    with journal_of(args.journal, network, dict(cell)) as journal:
        told_to = {"budget": args.budget, "monitors": [log], "journal": journal}
        with arguments_of_user():
            oracle = Oracle(network, args.output, **told_to)
        result, failure = _attack(args, cell, oracle, task, judge)
        if journal:
            desk.say(journal_line(journal))
    with noted(problems, "--save"):
        if args.save and result.model is not None:
            result.model.save(args.save)
    with noted(problems, "--log"):
        log.save()
    _tell(result, desk)
    with noted(problems, "--json"):
        if args.json:
            report.write(args.json, report.to_json(_record(args, result, right)))
    with noted(problems, "--plot"):
        if args.plot and result.model is not None:
            drawn = figures.learned_pictures(network, result, task.x_test)
            for picture in drawn:
                report.write(args.plot / f"{picture.name}.png", picture.png)
            desk.say(f"\nfigures in {args.plot}")
    problems += [failure] if failure else []
    status = 130 if isinstance(failure, KeyboardInterrupt) else 1
    return max((desk.fail(status, _sentence(each, args)) for each in problems), default=0)


def _cell(args: argparse.Namespace) -> tuple[experiments.Cell, victims.Task]:
    """The settings of an experiment's cell; what was not said follows from the data."""
    if args.data not in victims.TASKS:
        raise Wrong(f"expected --data as one of {', '.join(victims.TASKS)}, got {args.data}")
    task = victims.load(args.data)
    texts = task.vocabulary is not None
    usual = {"copy": "text-cnn" if texts else "small", "pool": "topics" if texts else "letters"}
    said = {name: getattr(args, name, None) for name in experiments.SETTINGS}
    chosen = {name: value for name, value in said.items() if value is not None}
    return experiments.SETTINGS | usual | chosen, task


def _victim(
    args: argparse.Namespace, cell: experiments.Cell, task: victims.Task, desk: Desk
) -> Network:
    """The victim of the file, or one that is trained on the spot."""
    if args.victim_file is None:
        desk.say(f"training a victim on {task.name}: {task.found}")
        return experiments.trained(cell, task, rng=args.seed)
    network = Network.load(args.victim_file)
    if network.inputs != int(np.prod(task.shape)) or network.outputs < task.classes:
        raise Wrong(
            f"--victim {args.victim_file}: expected a network for {task.name}, {task.shape} to "
            f"{task.classes} classes, got {network.shape} to {network.outputs}; name its --data"
        )
    return network


class _Log:
    """A monitor that keeps what was asked, for `mstheft detect`; nothing without a path."""

    def __init__(self, path: Path | None):
        self.path = path
        self.rows: list[np.ndarray] = []
        self.labels: list[np.ndarray] = []

    def observe(self, x: np.ndarray, labels: np.ndarray) -> None:
        """Called by the oracle with every batch that it answers."""
        if self.path is not None:
            self.rows.append(x.astype(np.float32))
            self.labels.append(labels)

    def save(self) -> None:
        """Write {queries, labels}, in the order in which they were asked."""
        if self.path is not None and self.rows:
            file = io.BytesIO()
            np.savez(file, queries=np.concatenate(self.rows), labels=np.concatenate(self.labels))
            report.write(self.path, file.getvalue())


def _attack(
    args: argparse.Namespace,
    cell: experiments.Cell,
    oracle: Oracle,
    task: victims.Task,
    judge: Any,
) -> tuple[Stolen, BaseException | None]:
    """The result, whole or as far as it came, and what ended it."""
    try:
        return experiments.attack(cell, oracle, task, judge, args.checkpoint), None
    except ValueError as error:  # before anything was asked: an argument that cannot be
        raise Wrong(str(error)) from error
    except (ExtractionError, BudgetExhausted, KeyboardInterrupt) as error:
        partial = getattr(error, "partial", None)
        return partial if isinstance(partial, Stolen) else Stolen(), error


def _tell(result: Stolen, desk: Desk) -> None:
    """The stages, then the copy of each round."""
    desk.say(report.stage_table(report.stage_rows(result)))
    if result.curve:
        head = ("round", "queries", "epoch kept", "validation F1", "agreement", "accuracy")
        lines = [
            [f"{p.round}", f"{p.queries:,}", f"{p.kept}", _share(p.validation)]
            + [_share(p.evaluated.get(name, math.nan)) for name in head[4:]]
            for p in result.curve
        ]
        desk.say(f"\ncopies, judged on the test part\n{report.table(head, lines, right=head)}")
    if best := [p for p in result.curve if p is max(result.curve, key=_merit)]:
        desk.say(f"\nthe copy of round {best[0].round} is the result: {result.found['verify']}")


def _merit(point: Point) -> tuple[float, int]:
    """What picks the copy: F1 on the validation rows; the last one where there are none."""
    return (-1.0 if math.isnan(point.validation) else point.validation), point.round


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def _record(args: argparse.Namespace, result: Stolen, right: float) -> dict[str, Any]:
    """What went in and what came out, for --json."""
    names = ("kind", "data", "strategy", "output", "budget", "rounds", "seed")
    asked = {name: getattr(args, name, None) for name in names}
    told = {"mstheft": arguments.version(), **asked, "victim_accuracy": right}
    curve = [asdict(point) for point in result.curve]
    return told | report.record(result) | {"curve": curve, "found": result.found}


def _sentence(problem: object, args: argparse.Namespace) -> object:
    """What ended it, and how to go on."""
    if isinstance(problem, KeyboardInterrupt):
        kept = [f"--{name}" for name in ("checkpoint", "journal") if getattr(args, name, None)]
        go_on = f"the same command goes on from its {kept[0]}" if kept else "start again"
        return f"stopped by Ctrl-C; {go_on}"
    return problem


def _equal(a: np.ndarray, b: np.ndarray) -> float:
    return float((a == b).mean())
