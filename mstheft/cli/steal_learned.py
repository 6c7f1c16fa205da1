"""`mstheft steal active | jacobian`: learn a copy, and say how well it agrees."""

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mstheft.cli import files, logs, options, victim
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.options import Args, Kinds, add, is_url, path, whole
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.experiments import learned_theft, tasks
from mstheft.learning import strategies
from mstheft.learning.result import LearnedResult
from mstheft.nn import Network
from mstheft.nn.augment import KINDS as AUGMENTS
from mstheft.nn.fit import accuracy
from mstheft.report import formatting, pictures

ENDS = (ValueError, ConnectionError, ExtractionError, BudgetExhausted, KeyboardInterrupt)
KINDS = {
    "active": "a copy learned from a pool of unrelated rows",
    "jacobian": "a copy learned by Jacobian-based augmentation",
}


def add_kinds(kinds: Kinds) -> None:
    """Every attack that learns."""
    for name, what in KINDS.items():
        parser, group, box = victim.attack_parser(kinds, name, what, run)
        victim.add_options(group, "victim", "key")
        words = "what it has learned; without --victim one is trained on the spot"
        add(group, "--data", sorted(tasks.TASKS), words)
        words = "neurons of one that is trained, an mlp; the usual network unless given"
        add(group, "--hidden N", whole(1), words)
        add(box, "--output", (*victim.EXACT, "label"), f"what it tells {_usual('output')}")
        add(box, "--budget N", whole(10), f"queries that it answers {_usual('budget')}")
        victim.add_options(box, "defence", "journal")
        add(parser, "--rounds N", whole(1), _usual("rounds"))
        words = "tiny, small, mlp, cnn-1 to cnn-4, text-cnn, text-gru"
        add(parser, "--copy KIND", str, words)
        add(parser, "--epochs N", whole(1), f"at most, for each copy {_usual('epochs')}")
        add(parser, "--batch N", whole(1), _usual("batch"))
        add(parser, "--patience N", whole(1), f"epochs without progress {_usual('patience')}")
        words = f"images moved or mirrored at every step {_usual('augment')}"
        add(parser, "--augment KIND", sorted(AUGMENTS), words)
        add(parser, "--log FILE", path, logs.HELP)
        options.add_results(parser, save="the copy", plot="figures of the attack", seed=True)
    kinds.choices["jacobian"].set_defaults(strategy="jbda", checkpoint=None)
    active = kinds.choices["active"]
    words = "of photographs, drawings, noise, or a folder; for texts topics, spam or wikitext-2"
    add(active, "--pool NAME", str, words)
    add(active, "--pool-size N", whole(1), _usual("pool_size"))
    add(active, "--strategy", [*strategies.STRATEGIES, "noise"], _usual("strategy"))
    add(active, "--candidates N", whole(0), "rows DFAL looks at; 0: all of them")
    words = "each round goes on from the copy of the round before"
    active.add_argument("--warm", action="store_true", default=None, help=words)
    add(active, "--checkpoint DIR", path, "keeps what was paid for; goes on from it")


def _usual(name: str) -> str:
    """The default of an option, which is that of a grid."""
    return f"(default: {getattr(learned_theft.Settings, name)})"


def run(args: Args, console: Console) -> int:
    """Learn a copy; keep it at once; then tell how it went."""
    with usage_errors():
        if args.journal and args.checkpoint:
            raise UsageError("--journal and --checkpoint both keep what was paid for; choose one")
        how, task = _settings(args)
        pool = learned_theft.thief_pool(how, task)
        tasks.build(how.copy, task, rng=0)  # wrong words are told before any training
        if args.kind == "active" and len(pool) < how.budget:
            what = f"--budget {how.budget} needs a pool of as many rows, got {len(pool)}"
            raise UsageError(f"{what}; raise --pool-size or lower --budget")
        answers = victim.learned(args, how, task, console, "a victim")
    network, name = victim.network_of(answers), str(args.victim or "trained on the spot")
    right, words, rows = math.nan, "", len(task.x_test)
    if network:
        right = accuracy(network, task.x_test, task.y_test)
        words = f", right on {_share(right)} of the test part of {task.name}"
    console.say(f"victim: {name}{words}")
    console.say(f"oracle: {how.output}, {how.budget:,} queries; copy: {how.copy}\n")
    judge, limits = learned_theft.judge_of(task, network, rows), {"budget": how.budget, "chance": 4}
    with victim.opened(args, console, answers, asdict(how), output=how.output, **limits) as oracle:
        given = {"checkpoint": args.checkpoint, "about": _about(args, network)}
        result, failure = _attack(
            lambda: learned_theft.extract(how, oracle, task, pool, judge, **given)
        )
    files.keep(result.model, args.save, console)
    if args.log:
        logs.write(args, console, *learned_theft.exchange(result, pool), how.output)
    _tell(result, console)
    values = {"attack": args.kind, "victim": name, "victim_accuracy": right}
    values |= {"settings": asdict(how), "defence": args.defence}
    last = result.curve[-1].round if result.curve else None
    values |= {"chosen_round": last, "curve": [asdict(point) for point in result.curve]}
    files.write_json(args, console, values | {"found": result.notes} | formatting.record(result))
    if network and result.model is not None:
        shown = pool if args.kind == "active" else None
        drawn = pictures.learned_pictures(network, result, task.x_test, shown)
        files.write_pictures(args, console, drawn)
    console.problems = [_sentence(each, args) for each in [*console.problems, failure] if each]
    return console.end(130 if isinstance(failure, KeyboardInterrupt) else 1)


def _settings(args: Args) -> tuple[learned_theft.Settings, tasks.Task]:
    """The settings of a theft; what was not given follows from the data."""
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
    chosen = victim.given(args, learned_theft.Settings)
    if args.hidden:
        chosen["victim"] = f"mlp-{args.hidden}"
    return learned_theft.Settings(**{**tasks.SUITABLE[task.kind], **chosen}), task


def _about(args: Args, network: Network | None) -> dict[str, Any]:
    """What tells this theft from others in its checkpoint."""
    about: dict[str, Any] = {"victim": args.victim or f"trained, seed {args.seed}"}
    if isinstance(args.victim, Path) and network:
        about = learned_theft.victim_checksum(network)
    return about | ({"defence": args.defence} if args.defence else {})


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


def _tell(result: LearnedResult, console: Console) -> None:
    """The stages, then the copy of each round."""
    console.say(formatting.stage_table(formatting.stage_rows(result)))
    if not result.curve:
        return
    head = ("round", "queries", "epoch kept", "validation F1", "agreement", "accuracy")
    lines = [
        [f"{p.round}", f"{p.queries:,}", f"{p.kept}", _share(p.validation)]
        + [_share(p.evaluated.get(name, math.nan)) for name in head[4:]]
        for p in result.curve
    ]
    console.say(f"\ncopies, judged on the test part\n{formatting.table(head, lines, right=head)}")
    last = result.curve[-1].round
    console.say(f"\nthe copy of round {last} is the result: {result.notes['verify']}")


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def _sentence(problem: object, args: Args) -> object:
    """What ended it, and how to go on."""
    if isinstance(problem, KeyboardInterrupt):
        places = [f"--{name}" for name in ("checkpoint", "journal") if getattr(args, name)]
        go_on = f"the same command goes on from its {places[0]}" if places else "start again"
        return f"stopped by Ctrl-C; {go_on}"
    if isinstance(problem, BudgetExhausted) and is_url(args.victim):
        return victim.budget_spent(problem, args.victim)
    return problem
