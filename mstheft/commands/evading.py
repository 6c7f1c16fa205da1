"""`mstheft evade`: steal a filter with a budget, and change on the copy what it holds back."""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from mstheft import arguments
from mstheft.commands import remote
from mstheft.commands.shared import (
    Desk,
    Wrong,
    arguments_of_user,
    check_places,
    journal_line,
    journal_of,
    noted,
)
from mstheft.data.synthetic.programs import FEATURES
from mstheft.errors import BudgetExhausted
from mstheft.experiments import evasion, tasks
from mstheft.nn import Network
from mstheft.oracle import Oracle
from mstheft.plots.evasion import passed
from mstheft.report import tables as report


def run(args: argparse.Namespace, desk: Desk) -> int:
    """The theft, the edits, and what the filter says of them."""
    with arguments_of_user():
        if args.url is None and args.key is not None:
            raise Wrong("--key goes with --url URL; leave it out")
        check_places(args)
        cell, task, victim = _prepared(args, desk)
        asked = _asked(args, victim, cell.output)
        with remote.closing(asked), journal_of(args.journal, asked, asdict(cell)) as journal:
            oracle = Oracle(asked, cell.output, budget=cell.budget, journal=journal)
            try:
                found = evasion.run(cell, task, victim, oracle)
            except BudgetExhausted as error:
                return desk.fail(1, remote.spent(error, args.url) if args.url else error)
    if journal:
        desk.say(journal_line(journal))
    _tell(found, task, desk)
    problems: list[object] = []
    with noted(problems, "--json"):
        if args.json:
            report.write(args.json, report.to_json(_record(cell, found)))
    with noted(problems, "--plot"):
        if args.plot:
            picture = report.picture("evasion", passed(found.passed), "", "")
            report.write(args.plot / "evasion.png", picture.png)
            desk.say(f"\nfigure in {args.plot}: evasion")
    return max((desk.fail(1, each) for each in problems), default=0)


def _prepared(args: argparse.Namespace, desk: Desk) -> tuple[evasion.Settings, tasks.Task, Network]:
    """The settings, the task, and the filter: of the file, or trained on the spot."""
    names = {each.name for each in fields(evasion.Settings)} - {"kind", "victim"}
    said = {name: getattr(args, name, None) for name in names}
    chosen = {name: value for name, value in said.items() if value is not None}
    cell = evasion.settings(args.kind, **chosen)
    task = tasks.cached(cell.data)
    tasks.build(cell.copy, task, rng=0)  # wrong words are told before any training
    if args.victim_file is None:
        if args.url:
            raise Wrong("--url needs --victim FILE, the filter that is served: it judges the end")
        desk.say(f"training a filter on {task.name}: {task.found}")
        victim = tasks.victim(cell.victim, task, epochs=cell.victim_epochs, rng=args.seed)
        return cell, task, victim
    victim = Network.load(args.victim_file)
    if victim.inputs != int(np.prod(task.shape)) or victim.outputs != task.classes:
        raise Wrong(
            f"--victim {args.victim_file}: expected a network for {task.name}, {task.shape} to "
            f"{task.classes} classes, got {victim.shape} to {victim.outputs}; name another file"
        )
    return cell, task, victim


def _asked(args: argparse.Namespace, victim: Network, output: str) -> Any:
    """What stands behind the oracle: the filter itself, or the service that has it."""
    if args.url is None:
        return victim
    served = remote.opened(args.url, args, output)
    if served.shape != victim.shape or served.outputs not in (None, victim.outputs):
        with remote.closing(served):
            raise Wrong(
                f"--url {args.url}: expected the filter of --victim, {victim.shape} to "
                f"{victim.outputs} classes, got {served.shape} to {served.outputs}; name the file "
                "that is served"
            )
    return served


def _tell(found: evasion.Evasion, task: tasks.Task, desk: Desk) -> None:
    """The theft in two lines, the shares as a table, and one row before and after."""
    many = len(found.before)
    desk.say(f"filter: right on {found.accuracy:.1%} of its test part")
    desk.say(f"copy: {found.queries:,} queries, agrees on {found.agreement:.1%}\n")
    desk.say(f"share of {many} held-back rows that the filter lets pass, by who chose the edits\n")
    head = ("edits", "copy", "at random", "filter itself", "passes the copy")
    columns = [found.passed[name] for name in ("copy", "random", "filter")] + [found.believed]
    rows = [
        [str(n), *(f"{value:.0%}" for value in shares)]
        for n, shares in enumerate(zip(*columns, strict=True))
    ]
    desk.say(report.table(head, rows, right=head))
    stopped = found.stopped
    desk.say(
        f"\nstopped as soon as the copy lets it pass, after {found.made:.1f} edits on average: "
        f"{stopped['copy']:.0%} pass the filter, {stopped['random']:.0%} with as many at random"
    )
    changed = np.flatnonzero((found.before != found.after).any(axis=1))
    if len(changed):
        desk.say("\none of them\n" + _example(found, int(changed[0]), task))


def _example(found: evasion.Evasion, i: int, task: tasks.Task) -> str:
    """A message before and after; of a program what was added."""
    before, after = found.before[i], found.after[i]
    if task.vocabulary is not None:
        old, new = task.vocabulary.decode(np.stack([before, after]).astype(np.int64))
        return f"  before: {old}\n  after:  {new}"
    added = np.flatnonzero(after > before)
    return f"  {int(before.sum())} features, and added: {', '.join(FEATURES[j] for j in added)}"


def _record(cell: evasion.Settings, found: evasion.Evasion) -> dict[str, Any]:
    """What went in and what came out, for --json, without the rows."""
    told = {name: value for name, value in asdict(found).items() if name not in ("before", "after")}
    told["passed"] = {name: shares.tolist() for name, shares in found.passed.items()}
    told["believed"] = found.believed.tolist()
    return {
        "mstheft": arguments.version(),
        "settings": asdict(cell),
        "rows": len(found.before),
    } | told
