"""`mstheft vectors`: known answers to look at, and to hold any function against."""

import functools
import importlib
import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from mstheft import vectors
from mstheft.cli import files, options
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.options import Args, Parser, add, path, positive
from mstheft.nn import zoo

_json = functools.partial(json.dumps, ensure_ascii=False)


def add_arguments(parser: Parser) -> None:
    """List | show ID | check FUNCTION."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    actions.add_parser("list", help="every formula, with the number of its cases")
    show = actions.add_parser("show", help="inputs, answer and source of a case")
    add(show, "id ID", str, "a case, a formula, or a subject of the list")
    check = actions.add_parser("check", help="call a function on all cases of a formula")
    add(check, "function FUNCTION", str, "module:name or folder/file.py:name")
    add(check, "--as NAME", str, "formula or case it stands for", dest="as_name")
    words = "wait no longer for a case (default: %(default)g)"
    add(check, "--seconds S", positive, words, default=60.0)
    for name, do in (("list", _list), ("show", _show), ("check", _check)):
        actions.choices[name].set_defaults(run=do)
        options.add_results(actions.choices[name])


def _list(args: Args, console: Console) -> int:
    count = vectors.names()
    for subject in vectors.subjects():
        document = vectors.load(subject)
        console.say(f"{subject}: {document['title']}")
        for formula in document["formulas"]:
            cases = count[formula["name"]]
            console.say(f"  {formula['name']:<42}{cases:>3} case{'s' if cases > 1 else ''}")
    console.say(f"{sum(count.values())} cases for {len(count)} formulas")
    files.write_json(args, console, {"formulas": [{"name": n, "cases": count[n]} for n in count]})
    return console.end()


def _show(args: Args, console: Console) -> int:
    former = vectors.table()["former_subjects"].get(args.id, [])
    subjects = [args.id] if args.id in vectors.subjects() else former
    formulas = [each for subject in subjects for each in vectors.load(subject)["formulas"]]
    cases = [case for formula in formulas for case in vectors.cases(formula["name"])]
    for formula in formulas:
        names = ", ".join(case["id"] for case in formula["cases"])
        console.say(f"{formula['name']}\n  {formula['equation']}\n  cases: {names}")
    if not subjects:
        with usage_errors():
            cases = vectors.cases(args.id)
        console.say("\n\n".join(map(_shown, cases)))
    files.write_json(args, console, {"cases": [asdict(case) for case in cases]})
    return console.end()


def _shown(case: vectors.Case) -> str:
    lines = [f"{case.id}, a case of {case.name}", f"  {case.equation}"]
    for name, meaning in case.arguments.items():
        lines.append(f"  {name}, {meaning}: {_json(case.inputs[name])}")
    for name, value in case.options.items():
        lines.append(f"  {name}={_json(value)}, passed by name")
    lines += [
        f"  returns {case.returns}",
        f"  expected: {_json(case.expected)}",
        f"  tolerance: relative {case.relative:g}, absolute {case.absolute:g}",
        f"  catches: {case.catches}",
        f"  source: {case.source}",
        f"  here: mstheft.{vectors.table()['functions'][case.name]}",
    ]
    return "\n".join(lines)


def _check(args: Args, console: Console) -> int:
    function, spoken = _imported(args.function)
    name = args.as_name or _name_of(args.function)
    try:
        cases = vectors.cases(name)
    except ValueError as error:
        more = "" if args.as_name else f"; or say which formula {spoken} is: --as FORMULA"
        raise UsageError(f"{error}{more}") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong result is told of, and an infinity may be right
        failures = vectors.check(function, name, network=zoo.given, seconds=args.seconds)
    for failure in failures:
        console.say(str(failure))
    what = f"{len(cases)} case{'s' if len(cases) > 1 else ''} of {cases[0].name}"
    values = {"function": args.function, "formula": cases[0].name, "cases": len(cases)}
    files.write_json(args, console, values | {"failures": list(map(str, failures))})
    if failures:
        console.problems.append(f"{spoken} fails {len(failures)} of {what}")
    else:
        console.say(f"{spoken} is right on {'the' if len(cases) == 1 else 'all'} {what}")
    return console.end()


def _name_of(spoken: str) -> str:
    """The whole of `room.module:function` where it is a formula of this package, else the end."""
    short = spoken.removeprefix("mstheft.")
    return short if short in vectors.table()["functions"].values() else spoken.rpartition(":")[2]


def _imported(spoken: str) -> tuple[Callable[..., Any], str]:
    """The function of 'package.module:function' or 'folder/file.py:function', and its name."""
    module, colon, name = spoken.rpartition(":")
    if not (colon and module and name):
        what = "expected module:function or file.py:function"
        raise UsageError(f"{what}, got {spoken!r}; write both")
    thing: Any = _module(module)
    for part in name.split("."):
        if not hasattr(thing, part):
            raise UsageError(f"expected {name} in {module}, but it has no {part}; check the name")
        thing = getattr(thing, part)
    if isinstance(thing, type) or not callable(thing):
        how = "wrap it in a function that takes the arguments which mstheft vectors show tells"
        raise UsageError(f"expected {spoken} to be a function, got {type(thing).__name__}; {how}")
    return thing, name


def _module(name: str) -> ModuleType:
    """Import from the current folder or from anywhere that Python looks; nothing is printed."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        if not name.endswith(".py"):
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(Path(name).stem, path(name))
        if spec is None or spec.loader is None:
            raise ImportError("it is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look there
        spec.loader.exec_module(module)
        return module
    except (Exception, SystemExit) as error:  # anybody's file may raise anything
        why = f"expected a module that can be imported, but {name} cannot: {type(error).__name__}"
        how = "run this where it lies, or name the file: folder/file.py:function"
        raise UsageError(f"{why}: {error}; {how}") from error
