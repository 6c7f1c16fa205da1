"""`mstheft data`: real data sets."""

from typing import Any

from mstheft.cli import files, options
from mstheft.cli.console import Console
from mstheft.cli.options import Args, Parser, add
from mstheft.data import registry
from mstheft.report import formatting

ACTIONS = {
    "list": "what is known, and what is there",
    "verify": "check every file that is there",
    "where": "the folder where data lies",
    "fetch": "download one, check it, install it",
}


def add_arguments(parser: Parser) -> None:
    """List | verify | where | fetch NAME."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    for action, what in ACTIONS.items():
        one = actions.add_parser(action, help=what, description=f"{what.capitalize()}.")
        one.set_defaults(run=run)
        options.add_results(one)
    add(actions.choices["fetch"], "name NAME", str, "as `mstheft data list` says it")


def run(args: Args, console: Console) -> int:
    """List, verify, where or fetch."""
    if args.action == "where":
        console.say(str(registry.folder()))
        files.write_json(args, console, {"folder": str(registry.folder())})
    elif args.action == "fetch":
        paths = []
        for at in registry.fetch(args.name):
            console.say(f"{at}: there and right")
            paths.append(str(at))
        files.write_json(args, console, {"paths": paths})
    else:
        rows = list(registry.listing() if args.action == "list" else registry.verify())
        lines = [(row.data_set, row.file.name, _state(row)) for row in rows]
        console.say(formatting.table(("name", "file", "state"), lines))
        files.write_json(args, console, {"files": [_values(row) for row in rows]})
        console.problems += [row.problem for row in rows if row.problem]
    return console.end()


def _state(row: registry.Row) -> str:
    if row.problem:
        return "wrong"
    return "right" if row.is_checked else "there" if row.is_present else "-"


def _values(row: registry.Row) -> dict[str, Any]:
    where = {"name": row.data_set, "file": row.file.name, "path": str(row.path)}
    return where | {"state": _state(row), "problem": row.problem}
