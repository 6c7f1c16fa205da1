"""`mstheft steal relu` and the like: an exact attack on one victim, and how its copy is judged."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mstheft import compare
from mstheft.cli import files, options, oracle, steal_rows, victim
from mstheft.cli.console import Console, usage_errors
from mstheft.cli.parser import Parser
from mstheft.cli.values import is_url, whole, widths
from mstheft.cli.victim import Victim
from mstheft.direct import deep, linear, relu, smooth, sweep
from mstheft.direct.linear import boundary
from mstheft.direct.sweep import box
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.experiments import tasks
from mstheft.oracle import Oracle
from mstheft.report import pictures, tables
from mstheft.result import Result

Failure = ExtractionError | None
ENDS = (ExtractionError, BudgetExhausted, ConnectionError, ValueError, KeyboardInterrupt)

# ---- arguments: a further kind is a line of a table, or one more function


def add_kinds(kinds: Any) -> None:
    """Every exact attack."""
    solve, hidden = linear.extract, "one hidden ReLU layer, in"
    numbers, labels = pictures.linear_pictures, pictures.label_pictures
    _linear(kinds, "logistic", "equation solving against one sigmoid", 1, solve, numbers)
    _linear(kinds, "softmax", "equation solving against many classes", 10, solve, numbers)
    what = "logistic regression from its labels alone"
    _linear(kinds, "label", what, 1, boundary.extract, labels)
    _hidden(kinds, "relu", f"{hidden} four steps", relu.extract, pictures.relu_pictures)
    _sweep(_hidden(kinds, "sweep", f"{hidden} few queries", sweep.extract, pictures.sweep_pictures))
    what = f"{hidden} rows that nobody chose"
    rows = _hidden(kinds, "exact", what, steal_rows.extract, steal_rows.pictures)
    steal_rows.add_options(rows)
    what = "one hidden layer of tanh, sigmoid or softplus"
    _smooth(_hidden(kinds, "smooth", what, smooth.extract, pictures.smooth_pictures))
    what, shapes = "two hidden ReLU layers, or three", ("784-64-32-10", "64-32-16-16-10")
    _deep(_hidden(kinds, "deep", what, deep.extract, pictures.deep_pictures, *shapes))


def _sweep(parser: Parser) -> None:
    parser.add_argument("--low", type=float, metavar="V", help="ask only inputs from here")
    parser.add_argument("--high", type=float, metavar="V", help="up to here, in every input")
    parser.set_defaults(options=_box)


def _box(args: argparse.Namespace) -> dict[str, Any]:
    """The walls between which inputs are asked. Raises `ValueError` for a box that is none."""
    box.walls(1, args.low, args.high)
    return {"low": args.low, "high": args.high}


def _smooth(parser: Parser) -> None:
    parser.add_argument("--activation", choices=smooth.ACTIVATIONS, default="tanh")
    parser.set_defaults(options=lambda args: {"activation": args.activation})


def _deep(parser: Parser) -> None:
    words = "hidden ones of the --victim (default: 2)"
    parser.add_argument("--layers", type=int, choices=(2, 3), dest="depth", help=words)
    parser.set_defaults(options=_depth)


def _depth(args: argparse.Namespace) -> dict[str, Any]:
    """How many hidden layers, as far as anything says it."""
    hidden = args.shape[1:-1] if args.shape else args.hidden
    return {"layers": args.depth or (len(hidden) if hidden else 2)}


def _linear(kinds: Any, name: str, what: str, outputs: int, attack: Any, draw: Any) -> None:
    """A kind whose victims have no hidden layer."""
    output = "label" if name == "label" else "probs"
    parser, group, victims = _kind(kinds, name, what, attack, draw, output)
    shape, words = widths(f"20-{outputs}"), "random weights"
    victims.add_argument("--shape", type=shape, metavar="D-K", help=words)
    words = f"the same as --shape D-{outputs}"
    victims.add_argument("--dim", type=whole(1), metavar="D", help=words)
    parser.set_defaults(two_classes=outputs == 1, classes=None, layers=lambda args: ())
    parser.set_defaults(widths=lambda args: args.shape or [args.dim, args.classes or outputs])
    if outputs > 1:
        words = f"with --dim (default: {outputs})"
        group.add_argument("--classes", type=whole(2), metavar="K", help=words)


def _hidden(kinds: Any, name: str, what: str, attack: Any, draw: Any, *examples: str) -> Parser:
    """A parser for victims with as many hidden layers as the examples have."""
    parser, group, victims = _kind(kinds, name, what, attack, draw, "logits")
    shapes = examples or ("784-64-10",)
    usual, *more = (each.split("-", 1)[1].rsplit("-", 1)[0] for each in shapes)
    hidden = "-".join("H" for _ in usual.split("-"))
    shape, words = widths(*shapes), f"with --data (default: {usual})"
    victims.add_argument("--shape", type=shape, metavar=f"D-{hidden}-K", help="random weights")
    group.add_argument("--hidden", type=widths(usual, *more), metavar=hidden, help=words)
    parser.set_defaults(widths=lambda args: args.shape)
    parser.set_defaults(layers=lambda args: tuple(args.hidden or widths(usual)(usual)))
    return parser


def _kind(
    kinds: Any, name: str, what: str, attack: Any, draw: Any, output: str
) -> tuple[Parser, Any, Any]:
    """A parser with the options of every kind; the group on the victim, and that in which one
    option names it."""
    parser = kinds.add_parser(name, help=what, description=f"Steal a victim: {what}.")
    parser.set_defaults(run=run, attack=attack, pictures=draw, options=lambda args: {})
    parser.set_defaults(two_classes=False, activation="relu")
    group = parser.add_argument_group("victim")
    victims = group.add_mutually_exclusive_group(required=True)
    victim.add_victim(victims)
    victim.add_model(victims)
    words = "train a victim on these images"
    victims.add_argument("--data", choices=sorted(tasks.IMAGES), help=words)
    victim.add_key(group)
    box = parser.add_argument_group("oracle")
    if output == "label":
        parser.set_defaults(output="label", decimals=None)
    else:
        oracle.add_answers(box, output)
    box.add_argument("--budget", type=whole(0), metavar="N", help="queries that it answers")
    oracle.add_defence(box)
    oracle.add_journal(box)
    options.add_results(parser, save="the copy", plot="a figure of each stage", seed=True)
    return parser, group, victims


# ---- what it does


def run(args: argparse.Namespace, console: Console) -> int:
    """Attack; keep the copy at once, whatever comes after; then tell how it went."""
    with usage_errors():
        victim.check_service(args)
        files.check_places(args)
        chosen = victim.dense(args)
    result, failure, interrupted = _theft(args, chosen, console)
    kept = _keep(result, args.save, console)
    console.say(tables.stage_table(tables.stage_rows(result)))
    if kept:
        console.say(f"\n{'copy' if result.verified else 'copy, NOT verified,'} saved to {kept}")
    fidelity = _judge(result, chosen, args.output, console)
    values = _record(args, chosen, result, failure)
    files.write_json(args, console, values | {"fidelity": fidelity, "copy": kept and str(kept)})
    drawn = args.pictures(chosen.network, result, chosen.side) if args.plot else ()
    files.write_pictures(args, console, drawn)
    console.problems += [failure] if failure else []
    return console.end(130 if interrupted else 1)


def _theft(
    args: argparse.Namespace, chosen: Victim, console: Console
) -> tuple[Result, Failure, bool]:
    """Put the victim into its box and attack."""
    with usage_errors():
        about = {"attack": args.kind, "seed": args.seed, **args.options(args)}
    settings = {"output": args.output, "budget": args.budget, "decimals": args.decimals}
    with oracle.opened(args, console, chosen.asked, about, chance=2, **settings) as asked:
        console.say(f"victim: {chosen.name}\noracle: {_promise(asked, args.defence)}\n")
        return _attack(args, asked)


def _attack(args: argparse.Namespace, asked: Oracle) -> tuple[Result, Failure, bool]:
    """What the attack returned; or how far it came, why not further, and whether by Ctrl-C."""
    rng = np.random.default_rng([args.seed, 1])
    try:
        return args.attack(asked, rng=rng, **args.options(args)), None, False
    except ENDS as error:
        failure, stopped = _failure(args, asked, error), isinstance(error, KeyboardInterrupt)
    if isinstance(failure.partial, Result):
        return failure.partial, failure, stopped
    return Result(queries={failure.stage: asked.count}), failure, stopped


def _failure(args: argparse.Namespace, asked: Oracle, error: BaseException) -> ExtractionError:
    """What ended an attack, as the stage that it ended and how to go on."""
    if isinstance(error, ExtractionError):
        return error
    partial = getattr(error, "partial", None)
    stage = (partial.stopped if isinstance(partial, Result) else "") or args.kind
    advice = "start again with the same --journal" if args.journal else "start again"
    if isinstance(error, BudgetExhausted):
        own = (error.left, error.budget) == (asked.left, asked.budget)  # not the service's
        where = "" if own else f" that this key has at {args.victim}"
        why = f"needs more than the budget of {error.budget:,} queries{where}: {asked.count:,} "
        why += f"were asked and the next batch has {error.asked:,}"
        advice = "raise --budget" if own else "ask whoever serves it for more"
    elif isinstance(error, KeyboardInterrupt):
        why = f"stopped by Ctrl-C after {asked.count:,} queries"
    elif is_url(args.victim):
        stage, why = args.kind, f"was not answered after {asked.count:,} queries: {error}"
    else:
        raise error
    return ExtractionError(stage, why, advice, partial=partial)


def _promise(asked: Oracle, defence: str | None) -> str:
    rounded = "" if asked.decimals is None else f" rounded to {asked.decimals} decimals"
    budget = f", {asked.budget:,} queries" if asked.budget else ""
    return f"{asked.output}{rounded}{budget}" + (f", defended by {defence}" if defence else "")


# ---- what came of it


def _keep(result: Result, at: Path | None, console: Console) -> Path | None:
    """Save the copy, an unverified one beside the place that was asked for."""
    if at is None or result.model is None:
        return None
    if not result.verified:
        at = at.with_name(f"{at.stem}.unverified{at.suffix}")
    return files.keep(result.model, at, console)


def _judge(result: Result, chosen: Victim, output: str, console: Console) -> dict[str, Any] | None:
    """Tell the fidelity as far as it can be measured; returns its values."""
    if result.model is None:
        return None
    if chosen.network is None:
        for_it = "its own check speaks" if result.verified else "nothing speaks"
        console.say(f"\nthe victim is behind a service: {for_it} for the copy")
        text, values = "", None
    else:
        text, values = _fidelity(result, chosen, output)
        console.say(f"\nfidelity on {chosen.inputs}, none of them seen by the attack\n{text}")
    console.say(f"\n{tables.floor_line(result)}")
    return values


def _fidelity(result: Result, chosen: Victim, output: str) -> tuple[str, dict[str, Any] | None]:
    """As text and as values."""
    network, rows = chosen.network, len(chosen.x)
    assert network is not None
    gauge = output != "logits" and network.outputs > 1
    try:
        if output == "label":  # labels do not tell the scale of the logits
            share = compare.agreement(network, result.model, chosen.x)
            text = f"{'agreement':<30}{100 * share:.2f} %  ({round(share * rows):,} of {rows:,})"
            return text, {"rows": rows, "agreement": share}
        judged = compare.summary(network, result.model, chosen.x, labels=chosen.y, gauge=gauge)
    except ValueError as error:
        return f"cannot be measured: {error}", None
    note = "\nlogits less their mean over the classes, which probabilities do not tell"
    values = asdict(judged) | {"difference": judged.difference._asdict()}
    return f"{judged}{note if gauge else ''}", values


def _record(
    args: argparse.Namespace, chosen: Victim, result: Result, failure: Failure
) -> dict[str, Any]:
    """What went into the attack and what came out, for --json."""
    names = ("output", "decimals", "budget", "seed", "defence")
    values = {"attack": args.kind, "victim": chosen.name}
    values |= {name: getattr(args, name) for name in names} | tables.record(result)
    why = ("stage", "assumption", "advice")
    return values | {"failure": failure and {name: getattr(failure, name) for name in why}}
