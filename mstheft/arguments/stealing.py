"""The arguments of `mstheft steal`: a kind is one more function, called in `add_steal`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mstheft.arguments.values import add_common, file_or_url, url, whole, widths
from mstheft.defend import named
from mstheft.direct import deep, linear, relu, smooth, sweep
from mstheft.direct.linear import boundary as label_only
from mstheft.direct.sweep import box as sweep_box
from mstheft.experiments import tasks as victims
from mstheft.learning import strategies
from mstheft.report import pictures as figures


def add_steal(commands: Any) -> None:
    """mstheft steal KIND."""
    steal = commands.add_parser("steal", help="steal one model and judge the copy")
    kinds = steal.add_subparsers(metavar="KIND", dest="kind", required=True)
    _add_logistic(kinds)
    _add_softmax(kinds)
    _add_label(kinds)
    _add_relu(kinds)
    _add_sweep(kinds)
    _add_smooth(kinds)
    _add_deep(kinds)
    _add_active(kinds)
    _add_jacobian(kinds)


def _add_logistic(kinds: Any) -> None:
    parser, victims = _kind(kinds, "logistic", "equation solving against one sigmoid")
    victims.add_argument("--dim", type=whole(1), metavar="D", help="random weights, D inputs")
    parser.set_defaults(widths=lambda args: [args.dim, 1], two_classes=True)
    parser.set_defaults(attack=linear.extract, pictures=figures.linear_pictures)
    _add_answers(parser, "probs")


def _add_softmax(kinds: Any) -> None:
    parser, victims = _kind(kinds, "softmax", "equation solving against many classes")
    victims.add_argument("--dim", type=whole(1), metavar="D", help="random weights, D inputs")
    parser.add_argument("--classes", type=whole(2), metavar="K", help="with --dim (default: 10)")
    parser.set_defaults(widths=lambda args: [args.dim, args.classes or 10])
    parser.set_defaults(attack=linear.extract, pictures=figures.linear_pictures)
    _add_answers(parser, "probs")


def _add_label(kinds: Any) -> None:
    parser, victims = _kind(kinds, "label", "logistic regression from its labels alone")
    victims.add_argument("--dim", type=whole(1), metavar="D", help="random weights, D inputs")
    parser.set_defaults(widths=lambda args: [args.dim, 1], two_classes=True)
    parser.set_defaults(attack=label_only.extract, pictures=figures.label_pictures)
    parser.set_defaults(output="label", decimals=None)


def _add_relu(kinds: Any) -> None:
    parser = _hidden(kinds, "relu", "one hidden ReLU layer, in four steps")
    parser.set_defaults(attack=relu.extract, pictures=figures.relu_pictures)


def _add_sweep(kinds: Any) -> None:
    parser = _hidden(kinds, "sweep", "one hidden ReLU layer, in fewer queries")
    parser.add_argument("--low", type=float, metavar="V", help="ask only inputs from here")
    parser.add_argument("--high", type=float, metavar="V", help="up to here, in every input")
    parser.set_defaults(attack=sweep.extract, pictures=figures.sweep_pictures)
    parser.set_defaults(options=_box)


def _box(args: argparse.Namespace) -> dict[str, Any]:
    """The walls between which inputs are asked. Raises `ValueError` for a box that is none."""
    sweep_box.walls(1, args.low, args.high)
    return {"low": args.low, "high": args.high}


def _add_smooth(kinds: Any) -> None:
    parser = _hidden(kinds, "smooth", "one hidden layer of tanh, sigmoid or softplus")
    parser.add_argument("--activation", choices=smooth.ACTIVATIONS, default="tanh")
    parser.set_defaults(attack=smooth.extract, pictures=figures.smooth_pictures)
    parser.set_defaults(options=lambda args: {"activation": args.activation})


def _add_deep(kinds: Any) -> None:
    what = "two hidden ReLU layers, or three"
    parser = _hidden(kinds, "deep", what, "784-64-32-10", "64-32-16-16-10")
    parser.add_argument(
        "--layers",
        type=int,
        choices=(2, 3),
        dest="depth",
        help="hidden ones of --model (default: 2)",
    )
    parser.set_defaults(attack=deep.extract, pictures=figures.deep_pictures)
    parser.set_defaults(options=_depth)


def _depth(args: argparse.Namespace) -> dict[str, Any]:
    """How many hidden layers, as far as anything says it."""
    told = args.shape[1:-1] if args.shape else args.hidden
    return {"layers": args.depth or (len(told) if told else 2)}


def _hidden(
    kinds: Any, name: str, what: str, example: str = "784-64-10", *others: str
) -> argparse.ArgumentParser:
    """A parser for victims with as many hidden layers as the examples have."""
    parser, victims = _kind(kinds, name, what)
    usual, *more = (each.split("-", 1)[1].rsplit("-", 1)[0] for each in (example, *others))
    hidden = "-".join("H" for _ in usual.split("-"))
    victims.add_argument(
        "--shape", type=widths(example, *others), metavar=f"D-{hidden}-K", help="random weights"
    )
    parser.add_argument(
        "--hidden",
        type=widths(usual, *more),
        metavar=hidden,
        help=f"with --data (default: {usual})",
    )
    parser.set_defaults(
        widths=lambda args: args.shape,
        layers=lambda args: tuple(args.hidden or widths(usual)(usual)),
    )
    _add_answers(parser, "logits")
    return parser


def _add_active(kinds: Any) -> None:
    parser = _learned(kinds, "active", "a copy learned from a pool of unrelated rows")
    add = parser.add_argument
    add(
        "--pool",
        metavar="NAME",
        help="of photographs, drawings, noise, or a folder; for texts topics, spam or wikitext-2",
    )
    add("--pool-size", type=whole(1), metavar="N", help="(default: 5000)")
    add("--strategy", choices=[*strategies.STRATEGIES, "noise"], default="k-center")
    add("--candidates", type=whole(0), metavar="N", help="rows DFAL looks at; 0: all of them")
    add("--patience", type=whole(1), metavar="N", help="epochs without progress (default: 5)")
    add("--checkpoint", type=Path, metavar="DIR", help="keeps what was paid for; goes on from it")


def _add_jacobian(kinds: Any) -> None:
    parser = _learned(kinds, "jacobian", "a copy learned by Jacobian-based augmentation")
    parser.set_defaults(strategy="jbda", checkpoint=None)


def _learned(kinds: Any, name: str, what: str) -> argparse.ArgumentParser:
    """A parser with the options of every attack that learns."""
    parser = kinds.add_parser(name, help=what, description=f"Steal a victim: {what}.")
    parser.set_defaults(command="learn")
    add = parser.add_argument
    add("--data", choices=sorted(victims.TASKS), help="what the victim has learned")
    words = "by mstheft train --save; or the URL of mstheft serve"
    add("--victim", type=file_or_url, dest="victim_file", metavar="FILE|URL", help=words)
    add("--output", choices=("logits", "log_probs", "probs", "label"), default="probs")
    add("--budget", type=whole(10), default=1000, metavar="N", help="(default: %(default)s)")
    add("--rounds", type=whole(1), default=5, metavar="N", help="(default: %(default)s)")
    add("--copy", metavar="KIND", help="tiny, small, mlp, cnn-1 to cnn-4, text-cnn, text-gru")
    add("--epochs", type=whole(1), metavar="N", help="at most, for each copy (default: 30)")
    add("--batch", type=whole(1), metavar="N", help="(default: 50)")
    add("--save", type=Path, metavar="FILE", help="the copy, .npz")
    add("--json", type=Path, metavar="FILE", help="everything that is printed, and more")
    add("--log", type=Path, metavar="FILE", help="the queries and their labels, .npz")
    _add_box(parser)
    add("--plot", type=Path, metavar="DIR", help="figures of the attack, .png")
    add_common(parser)
    return parser


def _kind(kinds: Any, name: str, what: str) -> tuple[argparse.ArgumentParser, Any]:
    """A parser with the options of every kind, and the group of which one names the victim."""
    parser = kinds.add_parser(name, help=what, description=f"Steal a victim: {what}.")
    parser.set_defaults(
        command="steal", interrupted=False, two_classes=False, layers=lambda args: ()
    )
    parser.set_defaults(activation="relu", options=lambda args: {})
    victims = parser.add_mutually_exclusive_group(required=True)
    victims.add_argument("--model", type=Path, metavar="FILE", help="written by Network.save")
    victims.add_argument("--data", choices=("mnist", "glyphs"), help="train a victim on these")
    victims.add_argument("--victim", type=url, metavar="URL", help="of mstheft serve")
    add = parser.add_argument
    add("--budget", type=whole(0), metavar="N", help="queries that the oracle answers")
    _add_box(parser)
    add("--save", type=Path, metavar="FILE", help="the copy, .npz")
    add("--json", type=Path, metavar="FILE", help="everything that is printed, and more")
    add("--plot", type=Path, metavar="DIR", help="a figure of each stage, .png")
    add_common(parser)
    return parser, victims


def _add_answers(parser: argparse.ArgumentParser, usual: str) -> None:
    modes = ("logits", "log_probs", "probs")
    parser.add_argument(
        "--output",
        choices=modes,
        default=usual,
        help="what the oracle tells (default: %(default)s)",
    )
    parser.add_argument("--decimals", type=whole(0), metavar="N", help="to which it rounds")


def _add_box(parser: argparse.ArgumentParser) -> None:
    """What stands between victim and attack."""
    add = parser.add_argument
    add("--key", metavar="KEY", help="of the service behind a URL")
    add("--defence", metavar="WORDS", help=f"changes answers: {named.FORMS}; several with commas")
    words = "keeps every answer; a run that was killed goes on from it"
    add("--journal", type=Path, metavar="FILE", help=words)
