"""The arguments of the command line: what may be said, and how a wrong word is answered.

A further `mstheft steal KIND` is one more function that adds a parser, called in `_add_steal`; a
further command one more `_add_NAME`, with a function of that name in `cli.COMMANDS`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from mstheft import figures, victims
from mstheft.direct import label_only, linear, relu, smooth, sweep
from mstheft.learning import strategies

EXAMPLES = """examples:
  mstheft tour                                     steal small victims and read how it went
  mstheft steal logistic --dim 20
  mstheft steal softmax --dim 20 --classes 5
  mstheft steal label --dim 20                     from labels alone
  mstheft steal relu --shape 784-64-10             one hidden layer, in four steps
  mstheft steal relu --data mnist --hidden 128 --plot out/
  mstheft steal sweep --shape 784-128-10           the same in 30 times fewer queries
  mstheft steal smooth --shape 100-16-10 --activation sigmoid
  mstheft study precision                          how much rounding stops which attack
  mstheft steal relu --model victim.npz --budget 300000 --json report.json --save copy.npz
  mstheft train cnn --data cifar10 --blocks 2 --epochs 5 --save victim.npz
  mstheft steal active --data glyphs --strategy k-center --budget 1000
  mstheft steal active --data cifar10 --victim victim.npz --strategy dfal+k-center --log q.npz
  mstheft detect prada --log q.npz
  mstheft grid experiment.toml --out results/
  mstheft steal sweep --shape 784-64-10 --journal run.db    goes on from it after a crash
  mstheft serve victim.npz --output probs --decimals 4 --budget 20000 --detector prada
  mstheft data list

Steal only models that are yours or that you may test."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def __init__(self, **settings: Any):
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(**{"allow_abbrev": False, "formatter_class": raw, **settings})

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def build() -> argparse.ArgumentParser:
    """The parser of `mstheft`; `args.command` names what `cli` shall run."""
    parser = _Parser(prog="mstheft", description="Model theft, explained by doing it.")
    parser.epilog = EXAMPLES
    parser.add_argument("--version", action="version", version=f"mstheft {version()}")
    parser.set_defaults(command="help", usage=parser.format_help, quiet=False)
    commands = parser.add_subparsers(metavar="COMMAND")
    _add_steal(commands)
    _add_tour(commands)
    _add_train(commands)
    _add_data(commands)
    _add_detect(commands)
    _add_grid(commands)
    _add_study(commands)
    _add_serve(commands)
    return parser


def _add_steal(commands: Any) -> None:
    steal = commands.add_parser("steal", help="steal one model and judge the copy")
    kinds = steal.add_subparsers(metavar="KIND", dest="kind", required=True)
    _add_logistic(kinds)
    _add_softmax(kinds)
    _add_label(kinds)
    _add_relu(kinds)
    _add_sweep(kinds)
    _add_smooth(kinds)
    _add_active(kinds)
    _add_jacobian(kinds)


def _add_logistic(kinds: Any) -> None:
    parser, victims = _kind(kinds, "logistic", "equation solving against one sigmoid")
    victims.add_argument("--dim", type=_whole(1), metavar="D", help="random weights, D inputs")
    parser.set_defaults(widths=lambda args: [args.dim, 1], two_classes=True)
    parser.set_defaults(attack=linear.extract, pictures=figures.linear_pictures)
    _add_answers(parser, "probs")


def _add_softmax(kinds: Any) -> None:
    parser, victims = _kind(kinds, "softmax", "equation solving against many classes")
    victims.add_argument("--dim", type=_whole(1), metavar="D", help="random weights, D inputs")
    parser.add_argument("--classes", type=_whole(2), metavar="K", help="with --dim (default: 10)")
    parser.set_defaults(widths=lambda args: [args.dim, args.classes or 10])
    parser.set_defaults(attack=linear.extract, pictures=figures.linear_pictures)
    _add_answers(parser, "probs")


def _add_label(kinds: Any) -> None:
    parser, victims = _kind(kinds, "label", "logistic regression from its labels alone")
    victims.add_argument("--dim", type=_whole(1), metavar="D", help="random weights, D inputs")
    parser.set_defaults(widths=lambda args: [args.dim, 1], two_classes=True)
    parser.set_defaults(attack=label_only.extract, pictures=figures.label_pictures)
    parser.set_defaults(output="label", decimals=None)


def _add_relu(kinds: Any) -> None:
    parser, victims = _kind(kinds, "relu", "one hidden ReLU layer, in four steps")
    victims.add_argument("--shape", type=_shape, metavar="D-H-K", help="random weights")
    parser.add_argument("--hidden", type=_whole(1), metavar="H", help="with --data (default: 64)")
    parser.set_defaults(widths=lambda args: args.shape, layers=lambda args: (args.hidden or 64,))
    parser.set_defaults(attack=relu.extract, pictures=figures.relu_pictures)
    _add_answers(parser, "logits")


def _add_sweep(kinds: Any) -> None:
    parser, victims = _kind(kinds, "sweep", "one hidden ReLU layer, in fewer queries")
    victims.add_argument("--shape", type=_shape, metavar="D-H-K", help="random weights")
    parser.add_argument("--hidden", type=_whole(1), metavar="H", help="with --data (default: 64)")
    parser.set_defaults(widths=lambda args: args.shape, layers=lambda args: (args.hidden or 64,))
    parser.set_defaults(attack=sweep.extract, pictures=figures.sweep_pictures)
    _add_answers(parser, "logits")


def _add_smooth(kinds: Any) -> None:
    parser, victims = _kind(kinds, "smooth", "one hidden layer of tanh, sigmoid or softplus")
    victims.add_argument("--shape", type=_shape, metavar="D-H-K", help="random weights")
    parser.add_argument("--activation", choices=smooth.ACTIVATIONS, default="tanh")
    parser.add_argument("--hidden", type=_whole(1), metavar="H", help="with --data (default: 64)")
    parser.set_defaults(widths=lambda args: args.shape, layers=lambda args: (args.hidden or 64,))
    parser.set_defaults(attack=smooth.extract, pictures=figures.smooth_pictures)
    parser.set_defaults(options=lambda args: {"activation": args.activation})
    _add_answers(parser, "logits")


def _add_active(kinds: Any) -> None:
    parser = _learned(kinds, "active", "a copy learned from a pool of unrelated rows")
    add = parser.add_argument
    add(
        "--pool",
        metavar="NAME",
        help="of photographs, drawings, noise, or a folder; for texts topics, spam or wikitext-2",
    )
    add("--pool-size", type=_whole(1), metavar="N", help="(default: 5000)")
    add("--strategy", choices=[*strategies.STRATEGIES, "noise"], default="k-center")
    add("--candidates", type=_whole(0), metavar="N", help="rows DFAL looks at; 0: all of them")
    add("--patience", type=_whole(1), metavar="N", help="epochs without progress (default: 5)")
    add("--checkpoint", type=Path, metavar="DIR", help="keeps what was paid for; goes on from it")


def _add_jacobian(kinds: Any) -> None:
    parser = _learned(kinds, "jacobian", "a copy learned by Jacobian-based augmentation")
    parser.set_defaults(strategy="jbda", checkpoint=None)


def _learned(kinds: Any, name: str, what: str) -> argparse.ArgumentParser:
    """A parser with the options of every attack that learns."""
    parser = kinds.add_parser(name, help=what, description=f"Steal a victim: {what}.")
    parser.set_defaults(command="learn")
    add = parser.add_argument
    add("--data", choices=sorted(victims.TASKS), required=True, help="what the victim has learned")
    add("--victim", type=Path, dest="victim_file", metavar="FILE", help="by mstheft train --save")
    add("--output", choices=("logits", "log_probs", "probs", "label"), default="probs")
    add("--budget", type=_whole(10), default=1000, metavar="N", help="(default: %(default)s)")
    add("--rounds", type=_whole(1), default=5, metavar="N", help="(default: %(default)s)")
    add("--copy", metavar="KIND", help="small, mlp, cnn-1 to cnn-4, text-cnn, text-gru")
    add("--epochs", type=_whole(1), metavar="N", help="at most, for each copy (default: 30)")
    add("--batch", type=_whole(1), metavar="N", help="(default: 50)")
    add("--save", type=Path, metavar="FILE", help="the copy, .npz")
    add("--json", type=Path, metavar="FILE", help="everything that is printed, and more")
    add("--log", type=Path, metavar="FILE", help="the queries and their labels, .npz")
    _add_journal(parser)
    add("--plot", type=Path, metavar="DIR", help="figures of the attack, .png")
    _add_common(parser)
    return parser


def _add_detect(commands: Any) -> None:
    detect = commands.add_parser("detect", help="would these queries have been noticed?")
    kinds = detect.add_subparsers(metavar="KIND", dest="kind", required=True)
    parser = kinds.add_parser("prada", help="by the distances between queries")
    parser.set_defaults(command="detect", json=None, save=None, model=None)
    add = parser.add_argument
    add("--log", type=Path, required=True, metavar="FILE", help="by mstheft steal active --log")
    add("--delta", type=_share, default=0.9, metavar="D", help="alarm below (default: 0.9)")
    add("--plot", type=Path, metavar="DIR", help="histogram and W over time, .png")
    add("--quiet", action="store_true", help="say only what went wrong")


def _add_grid(commands: Any) -> None:
    parser = commands.add_parser("grid", help="an experiment of many attacks, resumable")
    parser.set_defaults(command="grid")
    add = parser.add_argument
    add("experiment", type=Path, metavar="FILE", help="TOML: title, claim, [axes], [fixed]")
    add(
        "--out",
        type=Path,
        default=Path("mstheft-grid"),
        metavar="DIR",
        help="(default: %(default)s)",
    )
    add("--workers", type=_whole(1), default=1, metavar="N", help="processes (default: 1)")
    add("--scheduler", metavar="ADDRESS", help="a Dask cluster's")
    add("--quiet", action="store_true", help="say only what went wrong")


def _add_serve(commands: Any) -> None:
    parser = commands.add_parser("serve", help="a model behind HTTP, for others to ask")
    parser.set_defaults(command="serve")
    add = parser.add_argument
    add("model", type=Path, metavar="VICTIM", help="written by Network.save")
    modes = ("logits", "log_probs", "probs", "top_k", "label")
    add("--output", choices=modes, default="probs", help="(default: %(default)s)")
    add("--decimals", type=_whole(0), metavar="N", help="to which answers are rounded")
    add("--top", type=_whole(1), metavar="N", help="how many probabilities top_k tells")
    add("--budget", type=_whole(0), metavar="N", help="rows for each key that names no other")
    add("--detector", choices=("prada", "none"), default="prada", help="(default: %(default)s)")
    add("--delta", type=_share, default=0.9, metavar="D", help="alarm below (default: 0.9)")
    add("--keys", type=Path, metavar="FILE", help="lines NAME KEY [BUDGET] (default: a new key)")
    add("--accounts", type=Path, metavar="FILE", help="counts (default: VICTIM.accounts.db)")
    add("--host", default="127.0.0.1", help="(default: %(default)s)")
    add("--port", type=_port, default=8000, metavar="N", help="(default: %(default)s)")
    add("--quiet", action="store_true", help="say only what went wrong")


def _add_journal(parser: argparse.ArgumentParser) -> None:
    words = "keeps every answer; a run that was killed goes on from it"
    parser.add_argument("--journal", type=Path, metavar="FILE", help=words)


def _port(text: str) -> int:
    port = _whole(1)(text)
    if port > 65535:
        raise argparse.ArgumentTypeError(f"expected a port up to 65535, got {text!r}")
    return port


def _add_study(commands: Any) -> None:
    study = commands.add_parser("study", help="measure the attacks under changed conditions")
    kinds = study.add_subparsers(metavar="KIND", dest="kind", required=True)
    parser = kinds.add_parser(
        "precision", help="the same victims behind coarser and coarser answers"
    )
    parser.set_defaults(command="study", save=None, model=None)
    add = parser.add_argument
    add("--shape", type=_shape, default=[30, 8, 4], metavar="D-H-K", help="(default: 30-8-4)")
    add("--seeds", type=_whole(1), default=3, metavar="N", help="victims (default: 3)")
    add("--json", type=Path, metavar="FILE", help="every run")
    add("--plot", type=Path, metavar="DIR", help="error against digits, .png")
    _add_common(parser)


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
    add = parser.add_argument
    add("--budget", type=_whole(0), metavar="N", help="queries that the oracle answers")
    _add_journal(parser)
    add("--save", type=Path, metavar="FILE", help="the copy, .npz")
    add("--json", type=Path, metavar="FILE", help="everything that is printed, and more")
    add("--plot", type=Path, metavar="DIR", help="a figure of each stage, .png")
    _add_common(parser)
    return parser, victims


def _add_answers(parser: argparse.ArgumentParser, usual: str) -> None:
    modes = ("logits", "log_probs", "probs")
    parser.add_argument(
        "--output",
        choices=modes,
        default=usual,
        help="what the oracle tells (default: %(default)s)",
    )
    parser.add_argument("--decimals", type=_whole(0), metavar="N", help="to which it rounds")


def _add_tour(commands: Any) -> None:
    parser = commands.add_parser("tour", help="steal small victims and write a page about it")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("mstheft-tour"),
        metavar="DIR",
        help="(default: %(default)s)",
    )
    parser.set_defaults(command="tour")
    _add_common(parser)


def _add_train(commands: Any) -> None:
    parser = commands.add_parser("train", help="train a victim and keep it")
    add = parser.add_argument
    add("architecture", choices=victims.ARCHITECTURES, help="of the network")
    add("--data", choices=sorted(victims.TASKS), required=True, help="what it learns")
    add("--epochs", type=_whole(1), default=5, metavar="N", help="(default: %(default)s)")
    add("--batch", type=_whole(1), default=64, metavar="N", help="(default: %(default)s)")
    add("--rate", type=_positive, default=1e-3, metavar="R", help="of Adam (default: %(default)s)")
    add("--blocks", type=_whole(1), default=3, metavar="N", help="of cnn, 1 to 4 (default: 3)")
    add("--hidden", type=_whole(1), default=128, metavar="N", help="of mlp (default: 128)")
    add("--patience", type=_whole(1), metavar="N", help="stop after N epochs without progress")
    add("--save", type=Path, metavar="FILE", help="the network, .npz")
    add("--plot", type=Path, metavar="DIR", help="its learning curves, .png")
    parser.set_defaults(command="train")
    _add_common(parser)


def _add_data(commands: Any) -> None:
    parser = commands.add_parser("data", help="real data sets: list, fetch, verify, where")
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    actions.add_parser("list", help="what is known, and what is there")
    actions.add_parser("verify", help="check every file that is there")
    actions.add_parser("where", help="the folder where data lies")
    fetch = actions.add_parser("fetch", help="download one, check it, install it")
    fetch.add_argument("name", metavar="NAME", help="as `mstheft data list` says it")
    for each in actions.choices.values():
        each.add_argument("--quiet", action="store_true", help="say only what went wrong")
    parser.set_defaults(command="data")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text!r}")
    return value


def _share(text: str) -> float:
    value = _positive(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, got {text!r}")
    return value


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_whole(0), default=0, metavar="N", help="(default: 0)")
    parser.add_argument("--quiet", action="store_true", help="say only what went wrong")


def _whole(low: int) -> Callable[[str], int]:
    """A type of argument: whole numbers from `low` on."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) >= low):
            raise argparse.ArgumentTypeError(
                f"expected a whole number of at least {low}, got {text!r}"
            )
        return int(text)

    return read


def _shape(text: str) -> list[int]:
    try:
        inputs, hidden, outputs = map(_whole(1), text.split("-"))
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(
            f"expected inputs-hidden-outputs such as 784-64-10, got {text!r}"
        ) from None
    return [inputs, hidden, outputs]


def version() -> str:
    """The installed version."""
    try:
        return metadata.version("mstheft")
    except metadata.PackageNotFoundError:
        return "(not installed)"
