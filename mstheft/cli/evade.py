"""`mstheft evade`: steal a filter with a budget, and change on the copy what it holds back."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from mstheft.cli import files, options, victim
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.options import Args, Former, Parser, add, is_url, url, whole
from mstheft.data.synthetic.programs import FEATURES
from mstheft.errors import BudgetExhausted
from mstheft.experiments import evasion, tasks
from mstheft.experiments.evasion import Evasion
from mstheft.learning import strategies
from mstheft.nn import Network
from mstheft.plots.evasion import passed
from mstheft.report import formatting

KINDS = {
    "spam": "messages are changed word by word",
    "malware": "features are added to programs, none removed",
}


def add_arguments(parser: Parser) -> None:
    """Spam | malware."""
    kinds = parser.add_subparsers(metavar="KIND", dest="kind", required=True)
    for name, what in KINDS.items():
        to = kinds.add_parser(name, help=what, description=f"Get past a filter: {what}.")
        to.set_defaults(run=run, check=_name_victim, defence=None)
        group = to.add_argument_group("victim")
        words = "by mstheft train, or a service: that is asked, too, which changed rows pass"
        victim.add_options(group, victim=words)
        victim.add_options(group, "key")
        add(to, "--url URL", url, "", action=Former, today="--victim URL")
        add(to, "--output", ("probs", "label"), "(default: probs; label for malware)")
        add(to, "--copy KIND", str, "text-bag, text-cnn, text-gru; mlp-64, softmax")
        add(to, "--strategy", strategies.STRATEGIES, "(default: k-center)")  # type: ignore[arg-type]
        add(to, "--budget N", whole(10), "queries of the theft (default: 500)")
        add(to, "--rounds N", whole(1), "of the theft (default: 5)")
        add(to, "--edits N", whole(1), "of each message (default: 10)")
        add(to, "--messages N", whole(1), "that are changed (default: 100)")
        victim.add_options(to, "journal")
        options.add_results(to, plot="share that passes against edits", seed=True)
    spam = kinds.choices["spam"]
    add(spam, "--data", ("spam", "mr"), "(default: spam)")
    add(spam, "--pool", ("spam", "topics", "wikitext-2"), "the thief's texts")


def _name_victim(args: Args) -> None:
    """--url alone is --victim URL; beside a file it is what is asked, and the file judges."""
    if args.url and (args.victim is None or is_url(args.victim)):
        args.victim, args.url = args.url, None
    if args.url is None:
        victim.check_service(Args(**{**vars(args), "plot": None}))


def run(args: Args, console: Console) -> int:
    """The theft, the edits, and what the filter says of them."""
    with usage_errors():
        settings = evasion.settings(args.kind, **victim.given(args, evasion.Settings))
        task = tasks.cached(settings.data)
        tasks.build(settings.copy, task, rng=0)  # wrong words are told before any training
        asks, judge = _victim(args, settings, task, console)
        how: dict[str, Any] = {"output": settings.output}
        how["budget"] = settings.budget if judge else None  # the service is asked beyond the theft
        try:
            with victim.opened(args, console, asks, asdict(settings), **how) as oracle:
                outcome = evasion.run(settings, task, judge, oracle)
        except BudgetExhausted as error:
            where = args.url or args.victim
            return console.fail(1, victim.budget_spent(error, where) if is_url(where) else error)
    _tell(outcome, task, console)
    name, hidden = str(args.victim or "trained on the spot"), ("before", "after", "passed")
    values = {"victim": name, "settings": asdict(settings), "rows": len(outcome.before)}
    values |= {name: each for name, each in asdict(outcome).items() if name not in hidden}
    shares = {name: each.tolist() for name, each in outcome.passed.items()}
    values |= {"passed": shares, "believed": outcome.believed.tolist()}
    files.write_json(args, console, values)
    drawn = (formatting.picture("evasion", passed(outcome.passed), "", "") for _ in [0])
    files.write_pictures(args, console, drawn)
    return console.end()


def _victim(
    args: Args, settings: evasion.Settings, task: tasks.Task, console: Console
) -> tuple[Any, Network | None]:
    """What is asked, and the filter that judges: None where the service judges itself."""
    judge = victim.learned(args, settings, task, console, "a filter")
    if not args.url:
        return judge, victim.network_of(judge)
    served = victim.connect(args.url, args, settings.output)
    if served.shape != judge.shape or served.outputs not in (None, judge.outputs):
        served.close()
        raise UsageError(
            f"--url {args.url}: expected the filter of --victim, {judge.shape} to {judge.outputs} "
            f"classes, got {served.shape} to {served.outputs}; name the file that is served"
        )
    return served, judge


def _tell(outcome: Evasion, task: tasks.Task, console: Console) -> None:
    """The theft in two lines, the shares as a table, and one row before and after."""
    if math.isnan(outcome.accuracy):
        console.say(f"copy: {outcome.queries:,} queries; the service has judged what passes\n")
    else:
        console.say(f"filter: right on {outcome.accuracy:.1%} of its test part")
        console.say(f"copy: {outcome.queries:,} queries, agrees on {outcome.agreement:.1%}\n")
    rows = f"{len(outcome.before)} held-back rows"
    console.say(f"share of {rows} that the filter lets pass, by who chose the edits\n")
    words = {"copy": "copy", "random": "at random", "filter": "filter itself"}
    head = ("edits", *(words[name] for name in outcome.passed), "passes the copy")
    columns = zip(*outcome.passed.values(), outcome.believed, strict=True)
    lines = [[str(n), *(f"{value:.0%}" for value in row)] for n, row in enumerate(columns)]
    console.say(formatting.table(head, lines, right=head))
    stopped = outcome.stopped
    console.say(
        f"\nstopped as soon as the copy lets it pass, after {outcome.made:.1f} edits on average: "
        f"{stopped['copy']:.0%} pass the filter, {stopped['random']:.0%} with as many at random"
    )
    changed = np.flatnonzero((outcome.before != outcome.after).any(axis=1))
    if len(changed):
        console.say("\none of them\n" + _example(outcome, int(changed[0]), task))


def _example(outcome: Evasion, i: int, task: tasks.Task) -> str:
    """A message before and after; of a program what was added."""
    before, after = outcome.before[i], outcome.after[i]
    if task.vocabulary is not None:
        old, new = task.vocabulary.decode(np.stack([before, after]).astype(np.int64))
        return f"  before: {old}\n  after:  {new}"
    added = np.flatnonzero(after > before)
    return f"  {int(before.sum())} features, and added: {', '.join(FEATURES[j] for j in added)}"
