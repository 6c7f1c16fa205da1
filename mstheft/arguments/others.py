"""The arguments of every command but `mstheft steal`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mstheft.arguments.values import add_common, positive, share, whole, widths
from mstheft.experiments import tasks as victims


def add_detect(commands: Any) -> None:
    """mstheft detect KIND --log FILE."""
    detect = commands.add_parser("detect", help="would these queries have been noticed?")
    kinds = detect.add_subparsers(metavar="KIND", dest="kind", required=True)
    parser = kinds.add_parser("prada", help="by the distances between queries")
    parser.set_defaults(command="detect", json=None, save=None, model=None)
    add = parser.add_argument
    add("--log", type=Path, required=True, metavar="FILE", help="by mstheft steal active --log")
    add("--delta", type=share, default=0.9, metavar="D", help="alarm below (default: 0.9)")
    add("--plot", type=Path, metavar="DIR", help="histogram and W over time, .png")
    add("--quiet", action="store_true", help="say only what went wrong")


def add_grid(commands: Any) -> None:
    """mstheft grid FILE."""
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
    add("--workers", type=whole(1), default=1, metavar="N", help="processes (default: 1)")
    add("--scheduler", metavar="ADDRESS", help="a Dask cluster's")
    add("--quiet", action="store_true", help="say only what went wrong")


def add_study(commands: Any) -> None:
    """mstheft study KIND."""
    study = commands.add_parser("study", help="measure the attacks under changed conditions")
    kinds = study.add_subparsers(metavar="KIND", dest="kind", required=True)
    parser = kinds.add_parser(
        "precision", help="the same victims behind coarser and coarser answers"
    )
    parser.set_defaults(command="study", save=None, model=None)
    add = parser.add_argument
    add(
        "--shape",
        type=widths("784-64-10"),
        default=[30, 8, 4],
        metavar="D-H-K",
        help="(default: 30-8-4)",
    )
    add("--seeds", type=whole(1), default=3, metavar="N", help="victims (default: 3)")
    add("--json", type=Path, metavar="FILE", help="every run")
    add("--plot", type=Path, metavar="DIR", help="error against digits, .png")
    add_common(parser)


def add_tour(commands: Any) -> None:
    """mstheft tour."""
    parser = commands.add_parser("tour", help="steal small victims and write a page about it")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("mstheft-tour"),
        metavar="DIR",
        help="(default: %(default)s)",
    )
    parser.set_defaults(command="tour")
    add_common(parser)


def add_train(commands: Any) -> None:
    """mstheft train ARCHITECTURE --data NAME."""
    parser = commands.add_parser("train", help="train a victim and keep it")
    add = parser.add_argument
    add("architecture", choices=victims.ARCHITECTURES, help="of the network")
    add("--data", choices=sorted(victims.TASKS), required=True, help="what it learns")
    add("--epochs", type=whole(1), default=5, metavar="N", help="(default: %(default)s)")
    add("--batch", type=whole(1), default=64, metavar="N", help="(default: %(default)s)")
    add("--rate", type=positive, default=1e-3, metavar="R", help="of Adam (default: %(default)s)")
    add("--blocks", type=whole(1), default=3, metavar="N", help="of cnn, 1 to 4 (default: 3)")
    add("--hidden", type=whole(1), default=128, metavar="N", help="of mlp (default: 128)")
    add("--patience", type=whole(1), metavar="N", help="stop after N epochs without progress")
    add("--save", type=Path, metavar="FILE", help="the network, .npz")
    add("--plot", type=Path, metavar="DIR", help="its learning curves, .png")
    parser.set_defaults(command="train")
    add_common(parser)


def add_data(commands: Any) -> None:
    """mstheft data list | verify | where | fetch NAME."""
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


def add_vectors(commands: Any) -> None:
    """mstheft vectors list | show ID | check FUNCTION."""
    parser = commands.add_parser("vectors", help="known answers, to hold any code against")
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    actions.add_parser("list", help="every formula, with the number of its cases")
    show = actions.add_parser("show", help="inputs, answer and source of a case")
    show.add_argument("id", metavar="ID", help="a case, a formula, or a subject of the list")
    check = actions.add_parser("check", help="call a function on all cases of a formula")
    check.add_argument("function", metavar="FUNCTION", help="module:name or folder/file.py:name")
    check.add_argument("--as", dest="as_name", metavar="NAME", help="formula or case it stands for")
    check.add_argument(
        "--seconds", type=positive, default=60.0, metavar="S",
        help="wait no longer for a case (default: %(default)g)",
    )  # fmt: skip
    parser.set_defaults(command="vectors")
