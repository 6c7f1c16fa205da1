"""`mstheft steal active | jacobian`: learn a copy, and say how well it agrees."""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.cli import files, options, oracle, victim
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.parser import Parser
from mstheft.cli.values import is_url, path, whole
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.experiments import learned_theft, tasks
from mstheft.learning import strategies
from mstheft.learning.result import LearnedResult, Round
from mstheft.nn import Network
from mstheft.nn.fit import accuracy
from mstheft.oracle import Oracle
from mstheft.report import pictures, tables

ENDS = (ValueError, ConnectionError, ExtractionError, BudgetExhausted, KeyboardInterrupt)

# ---- arguments


def add_kinds(kinds: Any) -> None:
    """Every attack that learns."""
    parser = _kind(kinds, "active", "a copy learned from a pool of unrelated rows")
    add = parser.add_argument
    words = "of photographs, drawings, noise, or a folder; for texts topics, spam or wikitext-2"
    add("--pool", metavar="NAME", help=words)
    add("--pool-size", type=whole(1), metavar="N", help=_usual("pool_size"))
    names = [*strategies.STRATEGIES, "noise"]
    add("--strategy", choices=names, help=_usual("strategy"))
    add("--candidates", type=whole(0), metavar="N", help="rows DFAL looks at; 0: all of them")
    words = f"epochs without progress {_usual('patience')}"
    add("--patience", type=whole(1), metavar="N", help=words)
    words = "keeps what was paid for; goes on from it"
    add("--checkpoint", type=path, metavar="DIR", help=words)
    parser = _kind(kinds, "jacobian", "a copy learned by Jacobian-based augmentation")
    parser.set_defaults(strategy="jbda", checkpoint=None)


def _kind(kinds: Any, name: str, what: str) -> Parser:
    """A parser with the options of every attack that learns."""
    parser = kinds.add_parser(name, help=what, description=f"Steal a victim: {what}.")
    parser.set_defaults(run=run)
    group = parser.add_argument_group("victim")
    victim.add_victim(group)
    victim.add_key(group)
    words = "what it has learned; without --victim one is trained on the spot"
    group.add_argument("--data", choices=sorted(tasks.TASKS), help=words)
    words = "neurons of one that is trained, an mlp; the usual network unless given"
    group.add_argument("--hidden", type=whole(1), metavar="N", help=words)
    box = parser.add_argument_group("oracle")
    words = f"what it tells {_usual('output')}"
    box.add_argument("--output", choices=(*oracle.EXACT, "label"), help=words)
    words = f"queries that it answers {_usual('budget')}"
    box.add_argument("--budget", type=whole(10), metavar="N", help=words)
    oracle.add_defence(box)
    oracle.add_journal(box)
    add = parser.add_argument
    add("--rounds", type=whole(1), metavar="N", help=_usual("rounds"))
    add("--copy", metavar="KIND", help="tiny, small, mlp, cnn-1 to cnn-4, text-cnn, text-gru")
    words = f"at most, for each copy {_usual('epochs')}"
    add("--epochs", type=whole(1), metavar="N", help=words)
    add("--batch", type=whole(1), metavar="N", help=_usual("batch"))
    words = "the queries and their labels, .npz"
    add("--log", type=path, metavar="FILE", help=words)
    options.add_results(parser, save="the copy", plot="figures of the attack", seed=True)
    return parser


def _usual(name: str) -> str:
    """The default of an option, which is that of a grid."""
    return f"(default: {getattr(learned_theft.Settings, name)})"


# ---- what it does


@dataclass
class _Theft:
    """One theft: what was chosen, and the victim, which is right so often."""

    settings: learned_theft.Settings
    task: tasks.Task
    pool: np.ndarray
    victim: Any
    accuracy: float = math.nan

    @property
    def network(self) -> Network | None:
        """The victim, where it is in this process."""
        return self.victim if isinstance(self.victim, Network) else None


def run(args: argparse.Namespace, console: Console) -> int:
    """Learn a copy; keep it at once; then tell how it went."""
    with usage_errors():
        victim.check_service(args)
        files.check_places(args)
        if args.journal and args.checkpoint:
            raise UsageError("--journal and --checkpoint both keep what was paid for; choose one")
        theft = _prepared(args, console)
    _introduce(args, theft, console)
    chosen, about = theft.settings, asdict(theft.settings)
    settings = {"output": chosen.output, "budget": chosen.budget}
    judge = learned_theft.judge_of(theft.task, theft.network, len(theft.task.x_test))
    with oracle.opened(args, console, theft.victim, about, chance=4, **settings) as asked:
        result, failure = _attack(lambda: _extract(args, theft, asked, judge))
    _write(args, theft, result, console)
    console.problems = [_sentence(each, args) for each in [*console.problems, failure] if each]
    return console.end(130 if isinstance(failure, KeyboardInterrupt) else 1)


def _prepared(args: argparse.Namespace, console: Console) -> _Theft:
    """Everything before the first query; wrong words are told before any training."""
    settings, task = _settings(args)
    pool = learned_theft.thief_pool(settings, task)
    tasks.build(settings.copy, task, rng=0)
    if args.victim is not None:
        return _Theft(settings, task, pool, victim.of_task(args, task, settings.output))
    console.say(f"training a victim on {task.name}: {task.found}")
    epochs = settings.victim_epochs
    trained = tasks.victim(settings.victim, task, epochs=epochs, rng=args.seed)
    return _Theft(settings, task, pool, trained)


def _settings(args: argparse.Namespace) -> tuple[learned_theft.Settings, tasks.Task]:
    """The settings of a theft; what was not said follows from the data."""
    if args.data is None and isinstance(args.victim, Path):
        args.data = Network.load(args.victim).about.get("data")
    if args.data is None:
        raise UsageError(
            "expected --data NAME, what the victim has learned: its test part judges the copy; "
            "files of mstheft train know it by themselves"
        )
    if args.data not in tasks.TASKS:
        raise UsageError(f"expected --data as one of {', '.join(tasks.TASKS)}, got {args.data}")
    if args.hidden and args.victim:
        raise UsageError("--hidden is for a victim that is trained on the spot; leave one out")
    task = tasks.cached(args.data)
    names = {each.name for each in fields(learned_theft.Settings)} - {"victim"}
    named = {name: getattr(args, name, None) for name in names}
    chosen: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if args.hidden:
        chosen["victim"] = f"mlp-{args.hidden}"
    return learned_theft.Settings(**{**tasks.SUITABLE[task.kind], **chosen}), task


def _introduce(args: argparse.Namespace, theft: _Theft, console: Console) -> None:
    task, right = theft.task, ""
    if theft.network:
        theft.accuracy = accuracy(theft.network, task.x_test, task.y_test)
        right = f", right on {_share(theft.accuracy)} of the test part of {task.name}"
    console.say(f"victim: {args.victim or 'trained on the spot'}{right}")
    how = theft.settings
    console.say(f"oracle: {how.output}, {how.budget:,} queries; copy: {how.copy}\n")


def _extract(
    args: argparse.Namespace, theft: _Theft, asked: Oracle, judge: learned_theft.Judge
) -> LearnedResult:
    about: dict[str, Any] = {"victim": f"trained, seed {args.seed}"}
    if is_url(args.victim):
        about = {"victim": args.victim}
    elif args.victim:
        about = learned_theft.victim_checksum(theft.victim)
    if args.defence:
        about["defence"] = args.defence
    how = {"checkpoint": args.checkpoint, "about": about}
    return learned_theft.extract(theft.settings, asked, theft.task, theft.pool, judge, **how)


def _attack(extract: Callable[[], LearnedResult]) -> tuple[LearnedResult, BaseException | None]:
    """The result, whole or as far as it came, and what ended it."""
    try:
        return extract(), None
    except ENDS as error:
        partial = getattr(error, "partial", None)
        partial = partial if isinstance(partial, LearnedResult) else LearnedResult()
        if isinstance(error, ValueError) and not partial.queries:  # nothing was asked yet
            raise UsageError(str(error)) from error
        return partial, error


# ---- what came of it


def _write(
    args: argparse.Namespace, theft: _Theft, result: LearnedResult, console: Console
) -> None:
    """Keep and tell everything that was asked for."""
    if result.model is not None:
        files.keep(result.model, args.save, console)
    _write_log(args, theft, result, console)
    _tell(result, console)
    files.write_json(args, console, _record(args, theft, result))
    if theft.network and result.model is not None:
        shown = theft.pool if args.kind == "active" else None
        drawn = pictures.learned_pictures(theft.network, result, theft.task.x_test, shown)
        files.write_pictures(args, console, drawn)


def _write_log(
    args: argparse.Namespace, theft: _Theft, result: LearnedResult, console: Console
) -> None:
    """The queries and their labels, as `mstheft detect` reads them."""
    asked = learned_theft.rows_queried(result, theft.pool)
    if args.log is None or theft.network is None or not len(asked):
        return
    with console.attempt("--log"):
        file, rows = io.BytesIO(), asked.reshape(len(asked), -1).astype(np.float32)
        np.savez(file, queries=rows, labels=theft.network.labels(asked))
        tables.write(args.log, file.getvalue())


def _tell(result: LearnedResult, console: Console) -> None:
    """The stages, then the copy of each round."""
    console.say(tables.stage_table(tables.stage_rows(result)))
    if not result.curve:
        return
    head = ("round", "queries", "epoch kept", "validation F1", "agreement", "accuracy")
    lines = [
        [f"{p.round}", f"{p.queries:,}", f"{p.kept}", _share(p.validation)]
        + [_share(p.evaluated.get(name, math.nan)) for name in head[4:]]
        for p in result.curve
    ]
    console.say(f"\ncopies, judged on the test part\n{tables.table(head, lines, right=head)}")
    best = max(result.curve, key=_merit)
    console.say(f"\nthe copy of round {best.round} is the result: {result.notes['verify']}")


def _merit(point: Round) -> tuple[float, int]:
    """What picks the copy: F1 on the validation rows; the last one where there are none."""
    return (-1.0 if math.isnan(point.validation) else point.validation), point.round


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def _record(args: argparse.Namespace, theft: _Theft, result: LearnedResult) -> dict[str, Any]:
    """What went in and what came out, for --json."""
    name = str(args.victim or "trained on the spot")
    values = {"attack": args.kind, "victim": name, "victim_accuracy": theft.accuracy}
    values |= {"settings": asdict(theft.settings), "defence": args.defence}
    best = max(result.curve, key=_merit).round if result.curve else None
    curve = [asdict(point) for point in result.curve]
    values |= {"chosen_round": best, "curve": curve, "found": result.notes}
    return values | tables.record(result)


def _sentence(problem: object, args: argparse.Namespace) -> object:
    """What ended it, and how to go on."""
    if isinstance(problem, KeyboardInterrupt):
        kept = [f"--{name}" for name in ("checkpoint", "journal") if getattr(args, name, None)]
        go_on = f"the same command goes on from its {kept[0]}" if kept else "start again"
        return f"stopped by Ctrl-C; {go_on}"
    if isinstance(problem, BudgetExhausted) and is_url(args.victim):
        return victim.budget_spent(problem, args.victim)
    return problem
