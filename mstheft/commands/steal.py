"""`mstheft steal`: an exact attack on one victim, and how its copy is judged."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mstheft import arguments, compare
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
from mstheft.errors import BudgetExhausted, DataError, ExtractionError
from mstheft.experiments import tasks
from mstheft.nn import Network, zoo
from mstheft.oracle import Oracle
from mstheft.report import tables as report
from mstheft.report.tour.exact import Setting, glyphs
from mstheft.result import Result

ROWS = 10_000  # unseen inputs on which copy and victim are compared
MOST = 10**8  # numbers in all weights, or in those inputs: 800 MB
BIAS = 0.1  # standard deviation of the biases of a random victim


@dataclass
class _Victim:
    """A victim, and inputs x that its attack does not see, with their labels y if known.

    network : the model that answers; None where it is behind a service
    """

    network: Network | None
    name: str
    x: np.ndarray
    inputs: str
    y: np.ndarray | None = None
    side: int | None = None
    service: Any = None


def run(args: argparse.Namespace, desk: Desk) -> int:
    """Attack; keep the copy at once, whatever comes after; then tell how it went."""
    with arguments_of_user():
        remote.check(args.victim, args)
        check_places(args)
        victim = _victim(args)
    say = desk.say
    problems: list[object] = []
    result, failure = _theft(args, victim, desk)
    kept = _keep(result, args.save, problems)
    say(report.stage_table(report.stage_rows(result)))
    if kept:
        say(f"\n{'copy' if result.verified else 'copy, NOT verified,'} saved to {kept}")
    text, fidelity = _judge(result, victim, args.output)
    if text:
        say(f"\nfidelity on {victim.inputs}, none of them seen by the attack\n{text}")
        say(f"\n{report.floor_line(result)}")
    elif victim.network is None and result.model is not None:
        for_it = "its own check speaks" if result.verified else "nothing speaks"
        say(f"\nthe victim is behind a service: {for_it} for the copy")
        say(f"\n{report.floor_line(result)}")
    with noted(problems, "--json"):
        if args.json:
            values = _record(args, victim, result, failure)
            values |= {"fidelity": fidelity, "copy": kept and str(kept)}
            report.write(args.json, report.to_json(values))
    with noted(problems, "--plot"):
        if args.plot:
            say(f"\nfigures in {args.plot}: {', '.join(_draw(args, victim, result)) or 'none'}")
    problems += [failure] if failure else []
    status = 130 if args.interrupted else 1
    return max((desk.fail(status, each) for each in problems), default=0)


def _theft(
    args: argparse.Namespace, victim: _Victim, desk: Desk
) -> tuple[Result, ExtractionError | None]:
    """Put the victim into its box, with a journal if there is to be one, and attack."""
    with arguments_of_user():
        about = {"attack": args.kind, "seed": args.seed, **args.options(args)}
    asked = victim.network or victim.service
    with remote.closing(asked), journal_of(args.journal, asked, about) as journal:
        with arguments_of_user():
            told = {"budget": args.budget, "decimals": args.decimals, "journal": journal}
            defences = defences_of(args.defence, asked, [args.seed, 2])
            oracle = Oracle(asked, output=args.output, defences=defences, **told)
        desk.say(f"victim: {victim.name}\noracle: {_promise(oracle, args.defence)}\n")
        result, failure = _attack(args, oracle)
        if journal:
            desk.say(journal_line(journal))
    return result, failure


def _attack(args: argparse.Namespace, oracle: Oracle) -> tuple[Result, ExtractionError | None]:
    """What the attack returned; or how far it came, and why not further."""
    try:
        return args.attack(
            oracle, rng=np.random.default_rng([args.seed, 1]), **args.options(args)
        ), None
    except ExtractionError as error:
        failure = error
    except BudgetExhausted as error:
        stopped = error.partial.stopped if isinstance(error.partial, Result) else ""
        own = (error.left, error.budget) == (oracle.left, oracle.budget)  # not the service's
        where = "" if own else f" that this key has at {args.victim}"
        failure = ExtractionError(
            stopped or args.kind,
            f"needs more than the budget of {error.budget:,} queries{where}: {oracle.count:,} were "
            f"asked and the next batch has {error.asked:,}",
            "raise --budget" if own else "ask whoever serves it for more",
            partial=error.partial,
        )
    except (ConnectionError, ValueError) as error:
        if args.victim is None:
            raise
        failure = ExtractionError(
            args.kind,
            f"was not answered after {oracle.count:,} queries: {error}",
            "start again with the same --journal" if args.journal else "start again",
            partial=getattr(error, "partial", None),
        )
    except KeyboardInterrupt as stop:
        partial = getattr(stop, "partial", None)
        failure = ExtractionError(
            partial.stopped if isinstance(partial, Result) else args.kind,
            f"stopped by Ctrl-C after {oracle.count:,} queries",
            "start again with the same --journal" if args.journal else "start again",
            partial=partial,
        )
        args.interrupted = True
    if isinstance(failure.partial, Result):
        return failure.partial, failure
    return Result(queries={failure.stage: oracle.count}), failure


def _keep(result: Result, path: Path | None, problems: list[object]) -> Path | None:
    """Save the copy: at `path`, if need be in a temporary folder; an unverified one beside it."""
    if path is None or result.model is None:
        return None
    if not result.verified:
        path = path.with_name(f"{path.stem}.unverified{path.suffix}")
    return keep(result.model, path, problems)


def _judge(result: Result, victim: _Victim, output: str) -> tuple[str, dict[str, Any] | None]:
    """Fidelity as text and as values for JSON, as far as it can be measured."""
    if result.model is None or victim.network is None:
        return "", None
    pair = victim.network, result.model, victim.x
    gauge = output != "logits" and victim.network.outputs > 1
    try:
        if output == "label":  # labels do not tell the scale of the logits
            share = compare.agreement(*pair)
            count = round(share * len(victim.x))
            text = f"{'agreement':<30}{100 * share:.2f} %  ({count:,} of {len(victim.x):,})"
            return text, {"rows": len(victim.x), "agreement": share}
        judged = compare.summary(*pair, labels=victim.y, gauge=gauge)
    except ValueError as error:
        return f"cannot be measured: {error}", None
    note = "\nlogits less their mean over the classes, which probabilities do not tell"
    values = asdict(judged) | {"difference": judged.difference._asdict()}
    return f"{judged}{note if gauge else ''}", values


def _record(
    args: argparse.Namespace, victim: _Victim, result: Result, failure: ExtractionError | None
) -> dict[str, Any]:
    """What went into the attack and what came out, for --json."""
    names = ("output", "decimals", "budget", "seed", "defence")
    asked = {name: getattr(args, name) for name in names}
    told = {"mstheft": arguments.version(), "attack": args.kind, "victim": victim.name, **asked}
    told |= report.record(result)
    why = ("stage", "assumption", "advice")
    return told | {"failure": failure and {name: getattr(failure, name) for name in why}}


def _draw(args: argparse.Namespace, victim: _Victim, result: Result) -> Iterator[str]:
    """Write the figures of the stages as PNG files; yields their names."""
    for picture in args.pictures(victim.network, result, victim.side):
        name = f"{picture.name}.png"
        report.write(args.plot / name, picture.png)
        yield name


def _promise(oracle: Oracle, defence: str | None) -> str:
    rounded = "" if oracle.decimals is None else f" rounded to {oracle.decimals} decimals"
    budget = f", {oracle.budget:,} queries" if oracle.budget else ""
    return f"{oracle.output}{rounded}{budget}" + (f", defended by {defence}" if defence else "")


def _victim(args: argparse.Namespace) -> _Victim:
    """A victim trained on digits, or read from a file, or with random weights."""
    for option, partner in (("hidden", "data"), ("classes", "dim")):
        if getattr(args, option, None) and not getattr(args, partner):
            raise Wrong(f"--{option} goes with --{partner}; leave one of them out")
    if args.victim:
        service = remote.opened(args.victim, args, args.output)
        name = f"{service.inputs} inputs to {service.outputs} outputs, behind {args.victim}"
        return _Victim(None, name, np.empty((0, service.inputs)), "", service=service)
    rng = np.random.default_rng([args.seed, 0])
    if args.data:
        return _trained(args, rng)
    if args.model:
        network, name = _dense(Network.load(args.model), args), str(args.model)
    else:
        how = {"bias": BIAS, "activation": args.activation}
        network, name = zoo.mlp(_affordable(args.widths(args)), **how, rng=rng), "random"
    x = rng.normal(size=(min(ROWS, max(100, MOST // network.inputs)), network.inputs))
    return _Victim(network, f"{_shape_of(network)}, {name}", x, f"{len(x):,} rows of N(0, I)")


def _dense(network: Network, args: argparse.Namespace) -> Network:
    """Exact attacks are made for dense layers; another network would be asked for hours in vain."""
    kinds = [type(layer).__name__ for layer in network.layers]
    other = sorted(set(kinds) - {"Dense", "Activation", "Flatten"})
    if other:
        raise Wrong(
            f"--model {args.model}: expected dense layers for steal {args.kind}, got "
            f"{', '.join(other)}; learn a copy with mstheft steal active --victim {args.model}"
        )
    return network


def _trained(args: argparse.Namespace, rng: np.random.Generator) -> _Victim:
    if args.data == "mnist":
        try:
            digits = tasks.load("mnist", dtype=np.float64)
        except DataError as error:
            raise DataError(f"{error}; or use drawn digits, --data glyphs") from None
    else:
        digits = glyphs(Setting(args.seed, test=3000))
    if args.two_classes:
        digits = digits.two_classes(3, 8)
    network = tasks.dense_victim(digits, args.layers(args), activation=args.activation, rng=rng)
    x, y, name = (
        digits.flat().x_test,
        digits.y_test,
        f"{_shape_of(network)}, trained on {digits.name}",
    )
    return _Victim(network, name, x, f"{len(x):,} test pictures", y, digits.shape[0])


def _affordable(widths: list[int]) -> list[int]:
    if sum(a * b for a, b in itertools.pairwise(widths)) > MOST:
        raise Wrong(f"expected at most {MOST:,} weights, got the widths {widths}; choose fewer")
    return widths


def _shape_of(network: Network) -> str:
    return "-".join(str(n) for n in [network.inputs, *(len(b) for _, b in network.dense())])
