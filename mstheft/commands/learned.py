"""`mstheft steal active`, `mstheft steal jacobian`: learn a copy, and say how well it agrees."""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from mstheft import arguments
from mstheft.arguments.values import is_url
from mstheft.commands import remote
from mstheft.commands.shared import (
    Desk,
    Wrong,
    arguments_of_user,
    check_places,
    defences_of,
    journal_line,
    journal_of,
    keep,
    noted,
)
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.experiments import learned_theft, tasks
from mstheft.learning.result import LearnedResult, Round
from mstheft.nn import Network
from mstheft.nn.fit import accuracy
from mstheft.oracle import Oracle
from mstheft.report import pictures as figures
from mstheft.report import tables as report

ENDS = (ValueError, ConnectionError, ExtractionError, BudgetExhausted, KeyboardInterrupt)


def run(args: argparse.Namespace, desk: Desk) -> int:
    """Learn a copy; keep it at once; then tell how it went."""
    with arguments_of_user():
        remote.check(args.victim_file, args)
        check_places(args)
        if args.journal and args.checkpoint:
            raise Wrong("--journal and --checkpoint both keep what was paid for; choose one")
        cell, task = _cell(args)
        pool = learned_theft.thief_pool(cell, task)
        tasks.build(cell.copy, task, rng=0)  # wrong words are told before any training
        victim = _victim(args, cell, task, desk)
    network = victim if isinstance(victim, Network) else None
    right = math.nan if network is None else accuracy(network, task.x_test, task.y_test)
    name = args.victim_file or "trained on the spot"
    known = f", right on {_share(right)} of the test part of {task.name}" if network else ""
    desk.say(f"victim: {name}{known}")
    desk.say(f"oracle: {args.output}, {args.budget:,} queries; copy: {cell.copy}\n")
    judge = learned_theft.judge_of(task, network, len(task.x_test))
    with remote.closing(victim), journal_of(args.journal, victim, asdict(cell)) as journal:
        with arguments_of_user():
            defences = defences_of(args.defence, victim, [args.seed, 4])
            told = {"budget": args.budget, "defences": defences, "journal": journal}
            oracle = Oracle(victim, args.output, **told)
        result, failure = _attack(lambda: _steal(args, cell, oracle, task, pool, judge))
        if journal:
            desk.say(journal_line(journal))
    problems = _write(args, cell, network, result, task, pool, right, desk)
    problems += [failure] if failure else []
    status = 130 if isinstance(failure, KeyboardInterrupt) else 1
    return max((desk.fail(status, _sentence(each, args)) for each in problems), default=0)


def _cell(args: argparse.Namespace) -> tuple[learned_theft.Settings, tasks.Task]:
    """The settings of a theft; what was not said follows from the data."""
    if args.data is None and isinstance(args.victim_file, Path):
        args.data = Network.load(args.victim_file).about.get("data")
    if args.data is None:
        raise Wrong(
            "expected --data NAME, what the victim has learned: its test part judges the copy; "
            "files of mstheft train know it by themselves"
        )
    if args.data not in tasks.TASKS:
        raise Wrong(f"expected --data as one of {', '.join(tasks.TASKS)}, got {args.data}")
    task = tasks.cached(args.data)
    names = [each.name for each in fields(learned_theft.Settings)]
    said = {name: getattr(args, name, None) for name in names}
    chosen: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    return learned_theft.Settings(**{**tasks.SUITABLE[task.kind], **chosen}), task


def _victim(
    args: argparse.Namespace, cell: learned_theft.Settings, task: tasks.Task, desk: Desk
) -> Any:
    """The victim of the file, one behind a URL, or one that is trained on the spot."""
    if args.victim_file is None:
        desk.say(f"training a victim on {task.name}: {task.found}")
        return tasks.victim(cell.victim, task, epochs=cell.victim_epochs, rng=args.seed)
    if is_url(args.victim_file):
        network = remote.opened(args.victim_file, args, args.output)
    else:
        network = Network.load(args.victim_file)
    known = network.outputs is not None
    if network.inputs != math.prod(task.shape) or (known and network.outputs < task.classes):
        with remote.closing(network):
            raise Wrong(
                f"--victim {args.victim_file}: expected a network for {task.name}, {task.shape} "
                f"to {task.classes} classes, got {network.shape} to {network.outputs}; name its "
                "--data"
            )
    return network


def _steal(
    args: argparse.Namespace,
    cell: learned_theft.Settings,
    oracle: Oracle,
    task: tasks.Task,
    pool: np.ndarray,
    judge: Callable[[Network], dict[str, float]],
) -> LearnedResult:
    about: dict[str, Any] = {"victim": f"trained, seed {args.seed}"}
    if args.victim_file is not None:
        url = is_url(args.victim_file)
        checksum = learned_theft.victim_checksum
        about = {"victim": args.victim_file} if url else checksum(Network.load(args.victim_file))
    if args.defence:
        about["defence"] = args.defence
    how = {"checkpoint": args.checkpoint, "about": about}
    return learned_theft.extract(cell, oracle, task, pool, judge, **how)


def _attack(steal: Callable[[], LearnedResult]) -> tuple[LearnedResult, BaseException | None]:
    """The result, whole or as far as it came, and what ended it."""
    try:
        return steal(), None
    except ENDS as error:
        partial = getattr(error, "partial", None)
        partial = partial if isinstance(partial, LearnedResult) else LearnedResult()
        if isinstance(error, ValueError) and not partial.queries:  # nothing was asked yet
            raise Wrong(str(error)) from error
        return partial, error


def _write(
    args: argparse.Namespace,
    cell: learned_theft.Settings,
    network: Network | None,
    result: LearnedResult,
    task: tasks.Task,
    pool: np.ndarray,
    right: float,
    desk: Desk,
) -> list[object]:
    """Keep and tell everything that was asked for; returns what could not be kept."""
    problems: list[object] = []
    asked = learned_theft.rows_queried(result, pool)
    if result.model is not None:
        keep(result.model, args.save, problems)
    with noted(problems, "--log"):
        if args.log and network and len(asked):
            file = io.BytesIO()
            rows = asked.reshape(len(asked), -1).astype(np.float32)
            np.savez(file, queries=rows, labels=network.labels(asked))
            report.write(args.log, file.getvalue())
    _tell(result, desk)
    with noted(problems, "--json"):
        if args.json:
            report.write(args.json, report.to_json(_record(args, cell, result, right)))
    with noted(problems, "--plot"):
        if args.plot and network and result.model is not None:
            shown = pool if args.kind == "active" else None
            for picture in figures.learned_pictures(network, result, task.x_test, shown):
                report.write(args.plot / f"{picture.name}.png", picture.png)
            desk.say(f"\nfigures in {args.plot}")
    return problems


def _tell(result: LearnedResult, desk: Desk) -> None:
    """The stages, then the copy of each round."""
    desk.say(report.stage_table(report.stage_rows(result)))
    if not result.curve:
        return
    head = ("round", "queries", "epoch kept", "validation F1", "agreement", "accuracy")
    lines = [
        [f"{p.round}", f"{p.queries:,}", f"{p.kept}", _share(p.validation)]
        + [_share(p.evaluated.get(name, math.nan)) for name in head[4:]]
        for p in result.curve
    ]
    desk.say(f"\ncopies, judged on the test part\n{report.table(head, lines, right=head)}")
    best = max(result.curve, key=_merit)
    desk.say(f"\nthe copy of round {best.round} is the result: {result.notes['verify']}")


def _merit(point: Round) -> tuple[float, int]:
    """What picks the copy: F1 on the validation rows; the last one where there are none."""
    return (-1.0 if math.isnan(point.validation) else point.validation), point.round


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def _record(
    args: argparse.Namespace, cell: learned_theft.Settings, result: LearnedResult, right: float
) -> dict[str, Any]:
    """What went in and what came out, for --json."""
    victim = args.victim_file or "trained on the spot"
    told = {"mstheft": arguments.version(), "attack": args.kind, "victim_file": str(victim)}
    told |= {"victim_accuracy": right, "settings": asdict(cell), "defence": args.defence}
    if result.curve:
        told["chosen_round"] = max(result.curve, key=_merit).round
    curve = [asdict(point) for point in result.curve]
    return told | report.record(result) | {"curve": curve, "found": result.notes}


def _sentence(problem: object, args: argparse.Namespace) -> object:
    """What ended it, and how to go on."""
    if isinstance(problem, KeyboardInterrupt):
        kept = [f"--{name}" for name in ("checkpoint", "journal") if getattr(args, name, None)]
        go_on = f"the same command goes on from its {kept[0]}" if kept else "start again"
        return f"stopped by Ctrl-C; {go_on}"
    if isinstance(problem, BudgetExhausted) and is_url(args.victim_file):
        return remote.spent(problem, args.victim_file)
    return problem
