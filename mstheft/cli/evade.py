"""`mstheft evade`: steal a filter with a budget, and change on the copy what it holds back."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from mstheft.cli import files, options, oracle, victim
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.parser import Former
from mstheft.cli.values import is_url, url, whole
from mstheft.data.synthetic.programs import FEATURES
from mstheft.errors import BudgetExhausted
from mstheft.experiments import evasion, tasks
from mstheft.experiments.evasion import Evasion
from mstheft.learning import strategies
from mstheft.nn import Network
from mstheft.plots.evasion import passed
from mstheft.report import tables

# ---- arguments


def add_arguments(parser: Any) -> None:
    """Spam | malware."""
    kinds = parser.add_subparsers(metavar="KIND", dest="kind", required=True)
    spam = _kind(kinds, "spam", "messages are changed word by word")
    spam.add_argument("--data", choices=("spam", "mr"), help="(default: spam)")
    words = "the thief's texts"
    spam.add_argument("--pool", choices=("spam", "topics", "wikitext-2"), help=words)
    _kind(kinds, "malware", "features are added to programs, none removed")


def _kind(kinds: Any, name: str, what: str) -> Any:
    parser = kinds.add_parser(name, help=what, description=f"Get past a filter: {what}.")
    parser.set_defaults(run=run, defence=None)
    words = "by mstheft train, or a service: that is asked, too, which changed rows pass"
    group = parser.add_argument_group("victim")
    victim.add_victim(group, words)
    victim.add_key(group)
    add = parser.add_argument
    add("--url", type=url, metavar="URL", action=Former, today="--victim URL")
    add("--output", choices=("probs", "label"), help="(default: probs; label for malware)")
    add("--copy", metavar="KIND", help="text-bag, text-cnn, text-gru; mlp-64, softmax")
    add("--strategy", choices=strategies.STRATEGIES, help="(default: k-center)")
    add("--budget", type=whole(10), metavar="N", help="queries of the theft (default: 500)")
    add("--rounds", type=whole(1), metavar="N", help="of the theft (default: 5)")
    add("--edits", type=whole(1), metavar="N", help="of each message (default: 10)")
    add("--messages", type=whole(1), metavar="N", help="that are changed (default: 100)")
    oracle.add_journal(parser)
    options.add_results(parser, plot="share that passes against edits", seed=True)
    return parser


# ---- what it does


def run(args: argparse.Namespace, console: Console) -> int:
    """The theft, the edits, and what the filter says of them."""
    with usage_errors():
        _name_victim(args)
        files.check_places(args)
        settings, task = _settings(args)
        asked, judge = _victim(args, settings, task, console)
        how: dict[str, Any] = {"output": settings.output}
        how["budget"] = settings.budget if judge else None  # the service is asked beyond the theft
        try:
            with oracle.opened(args, console, asked, asdict(settings), **how) as box:
                found = evasion.run(settings, task, judge, box)
        except BudgetExhausted as error:
            where = args.url or args.victim
            return console.fail(1, victim.budget_spent(error, where) if is_url(where) else error)
    _tell(found, task, console)
    files.write_json(args, console, _record(args, settings, found))
    files.write_pictures(args, console, _pictures(found))
    return console.end()


def _name_victim(args: argparse.Namespace) -> None:
    """--url alone is --victim URL; beside a file it is what is asked, and the file judges."""
    if args.url and (args.victim is None or is_url(args.victim)):
        args.victim, args.url = args.url, None
    if args.url is None:
        victim.check_service(argparse.Namespace(**{**vars(args), "plot": None}))


def _settings(args: argparse.Namespace) -> tuple[evasion.Settings, tasks.Task]:
    names = {each.name for each in fields(evasion.Settings)} - {"kind", "victim"}
    chosen = {name: getattr(args, name, None) for name in names}
    given = {name: value for name, value in chosen.items() if value is not None}
    settings = evasion.settings(args.kind, **given)
    task = tasks.cached(settings.data)
    tasks.build(settings.copy, task, rng=0)  # wrong words are told before any training
    return settings, task


def _victim(
    args: argparse.Namespace, settings: evasion.Settings, task: tasks.Task, console: Console
) -> tuple[Any, Network | None]:
    """What is asked, and the filter that judges: None where the service judges itself."""
    if args.victim is None:
        console.say(f"training a filter on {task.name}: {task.found}")
        epochs = settings.victim_epochs
        network = tasks.victim(settings.victim, task, epochs=epochs, rng=args.seed)
        return network, network
    named = victim.of_task(args, task, settings.output)
    if is_url(args.victim):
        return named, None
    return (_served(args, named, settings.output) if args.url else named), named


def _served(args: argparse.Namespace, network: Network, output: str) -> Any:
    """The service that has the filter of the file."""
    served = victim.connect(args.url, args, output)
    if served.shape != network.shape or served.outputs not in (None, network.outputs):
        with victim.closing(served):
            raise UsageError(
                f"--url {args.url}: expected the filter of --victim, {network.shape} to "
                f"{network.outputs} classes, got {served.shape} to {served.outputs}; name the "
                "file that is served"
            )
    return served


# ---- what came of it


def _tell(found: Evasion, task: tasks.Task, console: Console) -> None:
    """The theft in two lines, the shares as a table, and one row before and after."""
    if math.isnan(found.accuracy):
        console.say(f"copy: {found.queries:,} queries; the service has judged what passes\n")
    else:
        console.say(f"filter: right on {found.accuracy:.1%} of its test part")
        console.say(f"copy: {found.queries:,} queries, agrees on {found.agreement:.1%}\n")
    rows = f"{len(found.before)} held-back rows"
    console.say(f"share of {rows} that the filter lets pass, by who chose the edits\n")
    console.say(_shares(found))
    stopped = found.stopped
    console.say(
        f"\nstopped as soon as the copy lets it pass, after {found.made:.1f} edits on average: "
        f"{stopped['copy']:.0%} pass the filter, {stopped['random']:.0%} with as many at random"
    )
    changed = np.flatnonzero((found.before != found.after).any(axis=1))
    if len(changed):
        console.say("\none of them\n" + _example(found, int(changed[0]), task))


def _shares(found: Evasion) -> str:
    """The table of shares after 0, 1, 2, … edits."""
    words = {"copy": "copy", "random": "at random", "filter": "filter itself"}
    head = ("edits", *(words[name] for name in found.passed), "passes the copy")
    columns = [*found.passed.values(), found.believed]
    rows = [
        [str(n), *(f"{value:.0%}" for value in shares)]
        for n, shares in enumerate(zip(*columns, strict=True))
    ]
    return tables.table(head, rows, right=head)


def _example(found: Evasion, i: int, task: tasks.Task) -> str:
    """A message before and after; of a program what was added."""
    before, after = found.before[i], found.after[i]
    if task.vocabulary is not None:
        old, new = task.vocabulary.decode(np.stack([before, after]).astype(np.int64))
        return f"  before: {old}\n  after:  {new}"
    added = np.flatnonzero(after > before)
    return f"  {int(before.sum())} features, and added: {', '.join(FEATURES[j] for j in added)}"


def _record(args: argparse.Namespace, settings: evasion.Settings, found: Evasion) -> dict[str, Any]:
    """What went in and what came out, for --json, without the rows."""
    values = {name: each for name, each in asdict(found).items() if name not in ("before", "after")}
    values["passed"] = {name: shares.tolist() for name, shares in found.passed.items()}
    values["believed"] = found.believed.tolist()
    victim_name = str(args.victim or "trained on the spot")
    what = {"victim": victim_name, "settings": asdict(settings), "rows": len(found.before)}
    return what | values


def _pictures(found: Evasion) -> Iterator[tables.Picture]:
    yield tables.picture("evasion", passed(found.passed), "", "")
