"""The command line: reads arguments, calls the package, prints. No mathematics.

Exit status: 0 a verified copy (or what else was asked for), 1 an attack that failed or a result
that could not be written, 2 wrong arguments, 130 Ctrl-C. Each failure is one sentence.

A command is a function `_NAME(args) -> status` in `COMMANDS`; its words stand in `arguments`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mstheft import arguments, compare, progress, report, tour, victims
from mstheft.data import fetch, store
from mstheft.errors import BudgetExhausted, DataError, ExtractionError, MstheftError
from mstheft.nn import Network, fit, zoo
from mstheft.oracle import Oracle
from mstheft.plots.training import curves
from mstheft.result import Result

ROWS = 10_000  # unseen inputs on which copy and victim are compared
MOST = 10**8  # numbers in all weights, or in those inputs: 800 MB
BIAS = 0.1  # standard deviation of the biases of a random victim


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mstheft ARGUMENTS` and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Δ shows ? in its place
    try:
        args = arguments.build().parse_args(argv)
        watched = sys.stderr is not None and sys.stderr.isatty()
        with progress.shown(watched and not args.quiet):
            return COMMANDS[args.command](args)
    except SystemExit as end:
        return int(end.code or 0)
    except _Wrong as error:
        return _fail(2, error)
    except KeyboardInterrupt as error:
        return _fail(130, f"stopped by Ctrl-C {error}")
    except (MstheftError, OSError, MemoryError) as error:
        return _fail(1, error)


class _Wrong(Exception):
    """The user has asked for something that cannot be: status 2."""


@contextlib.contextmanager
def _arguments() -> Iterator[None]:
    """What goes wrong inside was a wrong argument."""
    try:
        yield
    except (ValueError, OSError, MemoryError) as error:
        raise _Wrong(str(error) or "not enough memory; choose a smaller victim") from error


def _fail(status: int, sentence: object) -> int:
    text = " ".join(str(sentence).split()) or type(sentence).__name__
    print(f"mstheft: {text}", file=sys.stderr)
    return status


def _say(text: str) -> None:
    """Print now. That nobody reads any more is no reason to lose what was paid for."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _teller(args: argparse.Namespace) -> Callable[[str], None]:
    return (lambda text: None) if args.quiet else _say


# ---- mstheft steal


@dataclass
class _Victim:
    """A victim, and inputs x that its attack does not see, with their labels y if known."""

    network: Network
    name: str
    x: np.ndarray
    inputs: str
    y: np.ndarray | None = None
    side: int | None = None


def _steal(args: argparse.Namespace) -> int:
    """Attack; keep the copy at once, whatever comes after; then tell how it went."""
    with _arguments():
        _check_places(args)
        victim = _victim(args)
        told = {"budget": args.budget, "decimals": args.decimals}
        oracle = Oracle(victim.network, output=args.output, **told)
    say = _teller(args)
    problems: list[object] = []
    say(f"victim: {victim.name}\noracle: {_promise(oracle)}\n")
    result, failure = _attack(args, oracle)
    kept = _keep(result, args.save, problems)
    say(report.stage_table(report.stage_rows(result)))
    if kept:
        say(f"\n{'copy' if result.verified else 'copy, NOT verified,'} saved to {kept}")
    text, fidelity = _judge(result, victim, args.output)
    if text:
        say(f"\nfidelity on {victim.inputs}, none of them seen by the attack\n{text}")
        say(f"\n{report.floor_line(result)}")
    with _noted(problems, "--json"):
        if args.json:
            values = _record(args, victim, result, failure)
            values |= {"fidelity": fidelity, "copy": kept and str(kept)}
            report.write(args.json, report.to_json(values))
    with _noted(problems, "--plot"):
        if args.plot:
            say(f"\nfigures in {args.plot}: {', '.join(_draw(args, victim, result)) or 'none'}")
    problems += [failure] if failure else []
    status = 130 if args.interrupted else 1
    return max((_fail(status, each) for each in problems), default=0)


def _attack(args: argparse.Namespace, oracle: Oracle) -> tuple[Result, ExtractionError | None]:
    """What the attack returned; or how far it came, and why not further."""
    try:
        return args.attack(oracle, rng=np.random.default_rng([args.seed, 1])), None
    except ExtractionError as error:
        failure = error
    except BudgetExhausted as error:
        stopped = error.partial.stopped if isinstance(error.partial, Result) else ""
        failure = ExtractionError(
            stopped or args.kind,
            f"needs more than the budget of {error.budget:,} queries: {oracle.count:,} were "
            f"asked and the next batch has {error.asked:,}",
            "raise --budget",
            partial=error.partial,
        )
    except KeyboardInterrupt as stop:
        partial = getattr(stop, "partial", None)
        failure = ExtractionError(
            partial.stopped if isinstance(partial, Result) else args.kind,
            f"stopped by Ctrl-C after {oracle.count:,} queries",
            "start again",
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
    with _noted(problems, "--save"):
        try:
            result.model.save(path)
        except (OSError, DataError) as error:
            path = Path(tempfile.mkdtemp(prefix="mstheft-")) / path.name
            result.model.save(path)
            problems.append(f"--save: {error}; the copy is at {path} instead")
        return path
    return None


@contextlib.contextmanager
def _noted(problems: list[object], option: str) -> Iterator[None]:
    """What cannot be written is told at the end and stops nothing else."""
    try:
        yield
    except (OSError, ValueError) as error:
        problems.append(f"{option}: {error}")


def _judge(result: Result, victim: _Victim, output: str) -> tuple[str, dict[str, Any] | None]:
    """Fidelity as text and as values for JSON, as far as it can be measured."""
    if result.model is None:
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
    asked = {name: getattr(args, name) for name in ("output", "decimals", "budget", "seed")}
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


def _promise(oracle: Oracle) -> str:
    rounded = "" if oracle.decimals is None else f" rounded to {oracle.decimals} decimals"
    return f"{oracle.output}{rounded}" + (f", {oracle.budget:,} queries" if oracle.budget else "")


def _victim(args: argparse.Namespace) -> _Victim:
    """A victim trained on digits, or read from a file, or with random weights."""
    for option, partner in (("hidden", "data"), ("classes", "dim")):
        if getattr(args, option, None) and not getattr(args, partner):
            raise _Wrong(f"--{option} goes with --{partner}; leave one of them out")
    rng = np.random.default_rng([args.seed, 0])
    if args.data:
        return _trained(args, rng)
    if args.model:
        network, name = Network.load(args.model), str(args.model)
    else:
        network, name = zoo.mlp(_affordable(args.widths(args)), bias=BIAS, rng=rng), "random"
    x = rng.normal(size=(min(ROWS, max(100, MOST // network.inputs)), network.inputs))
    return _Victim(network, f"{_shape_of(network)}, {name}", x, f"{len(x):,} rows of N(0, I)")


def _trained(args: argparse.Namespace, rng: np.random.Generator) -> _Victim:
    digits = (
        tour.mnist() if args.data == "mnist" else tour.glyphs(tour.Setting(args.seed, test=3000))
    )
    if args.two_classes:
        digits = digits.three_or_eight()
    network = tour.trained(args.layers(args), digits, rng=rng)
    x, y, name = digits.x_test, digits.y_test, f"{_shape_of(network)}, trained on {digits.name}"
    return _Victim(network, name, x, f"{len(x):,} test pictures", y, digits.side)


def _affordable(widths: list[int]) -> list[int]:
    if sum(a * b for a, b in itertools.pairwise(widths)) > MOST:
        raise _Wrong(f"expected at most {MOST:,} weights, got the widths {widths}; choose fewer")
    return widths


def _shape_of(network: Network) -> str:
    return "-".join(str(n) for n in [network.inputs, *(len(b) for _, b in network.dense())])


def _check_places(args: argparse.Namespace) -> None:
    """Before anything is spent: can everything that is asked for be written?"""
    named = {f"--{name}": getattr(args, name, None) for name in ("model", "json", "save")}
    places = [path.resolve() for path in named.values() if path]
    if len(set(places)) < len(places):
        raise _Wrong("--model, --json and --save name one file twice; choose different names")
    for option, path in named.items():
        if option == "--model":
            continue
        if path and (not path.parent.is_dir() or path.is_dir()):
            raise _Wrong(f"{option} {path}: expected a file in a folder that exists; create it")
        if path and not os.access(path.parent, os.W_OK):
            raise _Wrong(f"{option} {path}: the folder cannot be written to; choose another")
    if args.plot:
        args.plot.mkdir(parents=True, exist_ok=True)


# ---- mstheft tour


def _tour(args: argparse.Namespace) -> int:
    """All chapters, and the page."""
    with _arguments():
        args.out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    path = tour.run(args.out, tour.Setting(seed=args.seed), _teller(args))
    _teller(args)(
        f"\n{path} written after {time.perf_counter() - began:.0f} s; open it in a browser"
    )
    return 0


# ---- mstheft train, mstheft data


def _train(args: argparse.Namespace) -> int:
    """Train a victim; Ctrl-C keeps the best epoch so far."""
    with _arguments():
        _check_places(args)
        task = victims.load(args.data, seed=args.seed)
        options = {"hidden": args.hidden, "blocks": args.blocks}
        network = victims.build(args.architecture, task, **options, rng=args.seed)
    say = _teller(args)
    say(f"{task.name}: {task.found}")
    settings = {name: getattr(args, name) for name in ("epochs", "batch", "rate", "patience")}
    began = time.perf_counter()
    history = victims.train(network, task, **settings, rng=args.seed)
    took, epochs = time.perf_counter() - began, len(history.validation)
    if args.save:
        network.save(args.save)
        if task.vocabulary is not None:
            task.vocabulary.save(args.save.with_suffix(".vocabulary.json"))
    right = fit.accuracy(network, task.x_test, task.y_test)
    say(f"{epochs} epochs in {took:.0f} s, epoch {history.best + 1} kept")
    say(f"accuracy on {len(task.x_test):,} test items: {100 * right:.2f} %")
    if args.save:
        say(f"saved to {args.save}")
    if args.plot:
        picture = report.picture("training", curves(history), "learning curves", "")
        report.write(args.plot / "training.png", picture.png)
    return _fail(130, "stopped by Ctrl-C; the best epoch was kept") if history.interrupted else 0


def _data(args: argparse.Namespace) -> int:
    """Real data sets: list, fetch, verify, where."""
    say = _teller(args)
    if args.action == "where":
        say(str(store.folder()))
    elif args.action == "list":
        say(report.table(("name", "file", "state"), map(_state, store.listing())))
    elif args.action == "fetch":
        for path in fetch.fetch(args.name):
            say(f"{path}: there and right")
    else:
        rows = list(store.verify())
        say(report.table(("name", "file", "state"), map(_state, rows)))
        return max((_fail(1, row.problem) for row in rows if row.problem), default=0)
    return 0


def _state(row: store.Row) -> tuple[str, str, str]:
    found = "wrong" if row.problem else "right" if row.checked else "there" if row.here else "-"
    return row.belongs_to, row.file.name, found


def _help(args: argparse.Namespace) -> int:
    print(args.usage(), end="")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "data": _data,
    "help": _help,
    "steal": _steal,
    "tour": _tour,
    "train": _train,
}
