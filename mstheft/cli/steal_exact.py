"""`mstheft steal relu` and the like: an exact attack on one victim, and how its copy is judged."""

import math
from dataclasses import asdict
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from mstheft import compare
from mstheft.cli import files, logs, options, victim
from mstheft.cli.console import Console, usage_errors
from mstheft.cli.options import Args, Former, Options, add, is_url, path, whole, widths
from mstheft.cli.victim import Victim
from mstheft.direct import box, deep, labels, linear, relu, smooth, sweep
from mstheft.direct.linear import boundary
from mstheft.errors import BudgetExhausted, ExtractionError
from mstheft.experiments import tasks
from mstheft.learning import exact, steal
from mstheft.nn import Network
from mstheft.oracle import Oracle
from mstheft.report import formatting, pictures
from mstheft.result import Result, count

ENDS = (ExtractionError, BudgetExhausted, ConnectionError, ValueError, KeyboardInterrupt)


class Kind(NamedTuple):
    """An exact attack: its sentence, its module, its pictures, and shapes of its victims."""

    what: str
    module: ModuleType
    pictures: str
    shapes: str
    output: str = "logits"


KINDS = {
    "auto": Kind("whatever it is: recognised, then the attack that fits", steal, "exact", "20-8-3"),
    "logistic": Kind("equation solving against one sigmoid", linear, "linear", "20-1", "probs"),
    "softmax": Kind("equation solving against many classes", linear, "linear", "20-10", "probs"),
    "label": Kind("logistic regression from its labels alone", boundary, "label", "20-1", "label"),
    "labels": Kind("a hidden ReLU layer from labels alone", labels, "labels", "20-8-1", "label"),
    "relu": Kind("one hidden ReLU layer, in four steps", relu, "relu", "784-64-10"),
    "sweep": Kind("one hidden ReLU layer, in few queries", sweep, "sweep", "784-64-10"),
    "exact": Kind("one hidden ReLU layer, from any rows", exact, "exact", "784-64-10"),
    "smooth": Kind("one hidden layer of tanh, sigmoid or softplus", smooth, "smooth", "784-64-10"),
    "deep": Kind("two hidden ReLU layers, or more", deep, "deep", "784-64-32-10 64-32-16-16-10"),
}


def add_kinds(kinds: options.Kinds) -> None:
    """Every exact attack."""
    for name, kind in KINDS.items():
        parser, group, box = victim.attack_parser(kinds, name, kind.what, run)
        parser.set_defaults(attack=kind.module, pictures=kind.pictures, activation="relu")
        victims = group.add_mutually_exclusive_group(required=True)
        victim.add_options(victims, "victim")
        add(victims, "--model FILE", path, "", dest="victim", action=Former, today="--victim")
        add(victims, "--data", sorted(tasks.IMAGES), "train a victim on these images")
        victim.add_options(group, "key")
        numbers = () if kind.output == "label" else ("output", "decimals")
        victim.add_options(box, *numbers, "budget", "defence", "journal")
        parser.set_defaults(output=kind.output, decimals=None)
        add(parser, "--log FILE", path, logs.HELP)
        options.add_results(parser, save="the copy", plot="a figure of each stage", seed=True)
        _add_shape(parser, group, victims, kind.shapes.split(), is_any=name == "auto")
    sweeps, smooths, deeps = (kinds.choices[name] for name in ("sweep", "smooth", "deep"))
    add(sweeps, "--low V", float, "ask only inputs from here")
    add(sweeps, "--high V", float, "up to here, in every input")
    words = f"of N(0, I), 200 of them for the check (default: {exact.TIMES} F, and those)"
    add(kinds.choices["exact"], "--rows N", whole(5), words)
    words = f"neurons that the thief expects (default: {exact.GUESS})"
    add(kinds.choices["exact"], "--guess N", whole(1), words)
    words = "relative error of a weight (default: 1e-9; 1e-4 suits a float32 victim)"
    add(kinds.choices["label"], "--precision P", float, words)
    words = "neurons, if that is known: no more are sought"
    add(kinds.choices["labels"], "--neurons N", whole(1), words)
    smooths.add_argument("--activation", choices=smooth.ACTIVATIONS, default="tanh")
    words = "hidden ones of the --victim (default: 2)"
    deeps.add_argument("--layers", type=whole(2), metavar="N", dest="depth", help=words)


def _add_shape(
    parser: options.Parser, group: Options, victims: Options, shapes: list[str], is_any: bool
) -> None:
    """How large a victim is that this command makes: as large as the examples, unless given.

    is_any : it may have another number of layers, too
    """
    outputs = int(shapes[0].rpartition("-")[2])
    hidden = ["-".join(shape.split("-")[1:-1]) for shape in shapes]
    usual = widths(hidden[0])(hidden[0]) if hidden[0] else []
    letters, least = "-".join("H" for _ in usual), 2 if is_any else math.inf
    form = f"D-{letters}-K" if usual else "D-K"
    words = "random weights" + is_any * ", of any number of hidden layers"
    add(victims, f"--shape {form}", widths(*shapes, least=least), words)
    parser.set_defaults(outputs=outputs, usual=usual, hidden=None, dim=None, classes=None)
    if usual:
        words = f"with --data (default: {hidden[0]})"
        add(group, f"--hidden {letters}", widths(*hidden, least=least - 1), words)
        return
    add(victims, "--dim D", whole(1), f"the same as --shape D-{outputs}")
    if outputs > 1:
        add(group, "--classes K", whole(2), f"with --dim (default: {outputs})")


def _settings(args: Args) -> dict[str, Any]:
    """What the attack takes beside its oracle. Raises `ValueError` for a box that is none."""
    if args.kind == "sweep":
        box.walls(1, args.low, args.high)
        return {"low": args.low, "high": args.high}
    if args.kind == "deep":
        hidden = args.shape[1:-1] if args.shape else args.hidden
        return {"layers": args.depth or (len(hidden) if hidden else 2)}
    if args.kind == "label" and args.precision is not None:
        return {"precision": boundary.checked(args.precision)}
    if args.kind == "labels":
        return {"hidden": args.neurons}
    if args.kind == "exact":
        return {"rows": args.rows, "hidden": args.guess}
    return {"activation": args.activation} if args.kind == "smooth" else {}


def run(args: Args, console: Console) -> int:
    """Attack; keep the copy at once, whatever comes after; then tell how it went."""
    with usage_errors():
        chosen = victim.dense(args)
        about = {"attack": args.kind, "seed": args.seed, **_settings(args)}
    how = {name: getattr(args, name) for name in ("output", "budget", "decimals")}
    with victim.opened(args, console, chosen.answers, about, chance=2, **how) as oracle:
        rounded = "" if oracle.decimals is None else f" rounded to {oracle.decimals} decimals"
        budget = "" if oracle.budget is None else f", {count(oracle.budget, 'query', 'queries')}"
        defence = f", defended by {args.defence}" if args.defence else ""
        console.say(f"victim: {chosen.name}\noracle: {args.output}{rounded}{budget}{defence}\n")
        asked: Any = logs.Recorder(oracle) if args.log else oracle
        result, failure, interrupted = _attack(args, asked)
    if args.log:
        rows, answers = asked.exchange()
        logs.write(args, console, rows, answers, args.output)
    place = args.save
    if place and not result.verified:  # an unverified copy never replaces another
        place = place.with_name(f"{place.stem}.unverified{place.suffix}")
    place = files.keep(result.model, place, console)
    console.say(formatting.stage_table(formatting.stage_rows(result)))
    if place:
        console.say(f"\n{'copy' if result.verified else 'copy, NOT verified,'} saved to {place}")
    fidelity = _judge(result, chosen, args.output, console)
    names = ("output", "decimals", "budget", "seed", "defence")
    values = {"attack": args.kind, "victim": chosen.name} | {n: getattr(args, n) for n in names}
    why = failure and {n: getattr(failure, n) for n in ("stage", "assumption", "advice")}
    values |= formatting.record(result) | {"failure": why, "fidelity": fidelity}
    files.write_json(args, console, values | {"copy": place and str(place)})
    draw = getattr(pictures, f"{args.pictures}_pictures")
    drawn = draw(chosen.network, result, chosen.side) if args.plot else ()
    files.write_pictures(args, console, drawn)
    console.problems += [failure] if failure else []
    return console.end(130 if interrupted else 1)


def _attack(args: Args, oracle: Oracle) -> tuple[Result, ExtractionError | None, bool]:
    """What the attack returned; or how far it came, why not further, and whether by Ctrl-C."""
    rng = np.random.default_rng([args.seed, 1])
    try:
        return args.attack.extract(oracle, rng=rng, **_settings(args)), None, False
    except ENDS as error:
        failure, stopped = _failure(args, oracle, error), isinstance(error, KeyboardInterrupt)
    partial = failure.partial
    if not isinstance(partial, Result):
        partial = Result(queries={failure.stage: oracle.count})
    return partial, failure, stopped


def _failure(args: Args, oracle: Oracle, error: BaseException) -> ExtractionError:
    """What ended an attack, as the stage that it ended and how to go on."""
    if isinstance(error, ExtractionError):
        return error
    partial, queries = getattr(error, "partial", None), count(oracle.count, "query", "queries")
    stage = (partial.stopped if isinstance(partial, Result) else "") or args.kind
    advice = "start again with the same --journal" if args.journal else "start again"
    if isinstance(error, BudgetExhausted):
        own = (error.left, error.budget) == (oracle.left, oracle.budget)  # not the service's
        where = "" if own else f" that this key has at {args.victim}"
        after = "" if oracle.count == 0 else f" after {queries}"
        why = f"needs a batch of {error.asked:,}{after}, but the budget of {error.budget:,}{where} "
        why += f"has {error.left:,} left"
        advice = "raise --budget" if own else "ask whoever serves it for more"
    elif isinstance(error, KeyboardInterrupt):
        why = f"stopped by Ctrl-C after {queries}"
    elif is_url(args.victim):
        stage, why = args.kind, f"was not answered after {queries}: {error}"
    else:
        raise error
    return ExtractionError(stage, why, advice, partial=partial)


def _judge(result: Result, chosen: Victim, output: str, console: Console) -> dict[str, Any] | None:
    """Tell the fidelity as far as it can be measured; returns its values."""
    if result.model is None:
        return None
    values = None
    if chosen.network is None:
        for_it = "its own check speaks" if result.verified else "nothing speaks"
        console.say(f"\nthe victim is behind a service: {for_it} for the copy")
    else:
        try:
            text, values = _fidelity(result, chosen, chosen.network, output)
        except ValueError as error:
            text = f"cannot be measured: {error}"
        console.say(f"\nfidelity on {chosen.inputs}, none of them seen by the attack\n{text}")
    console.say(f"\n{formatting.floor_line(result)}")
    return values


def _fidelity(
    result: Result, chosen: Victim, network: Network, output: str
) -> tuple[str, dict[str, Any]]:
    """As text and as values."""
    if output == "label":  # labels do not tell the scale of the logits
        rows, share = len(chosen.x), compare.agreement(network, result.model, chosen.x)
        text = f"{'agreement':<30}{100 * share:.2f} %  ({round(share * rows):,} of {rows:,})"
        return text, {"rows": rows, "agreement": share}
    gauge = output != "logits" and network.outputs > 1
    judged = compare.summary(network, result.model, chosen.x, labels=chosen.y, gauge=gauge)
    notes = _widths(network, result.model)
    if gauge:
        notes += "\nlogits less their mean over the classes, which probabilities do not tell"
    values = asdict(judged) | {"difference": judged.difference._asdict()}
    return f"{judged}{notes}", values


def _widths(network: Network, copy: Network) -> str:
    """Why no weights are compared, where the copy has other layers than the victim."""
    widths = ["-".join(str(len(b)) for _, b in each.dense()) for each in (network, copy)]
    if widths[0] == widths[1]:
        return ""
    return f"\nno weights compared: the layers have {widths[0]} neurons, the copy's {widths[1]}"
