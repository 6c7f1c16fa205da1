"""`mstheft vectors`: known answers to look at, and to hold any function against."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from mstheft import vectors
from mstheft.commands.shared import Desk, Wrong, arguments_of_user
from mstheft.nn import zoo


def run(args: argparse.Namespace, desk: Desk) -> int:
    """List the formulas, show a case, or check a function."""
    return {"list": _list, "show": _show, "check": _check}[args.action](args, desk)


def _list(args: argparse.Namespace, desk: Desk) -> int:
    count = vectors.names()
    for subject in vectors.subjects():
        document = vectors.load(subject)
        desk.say(f"{subject}: {document['title']}")
        for formula in document["formulas"]:
            cases = count[formula["name"]]
            desk.say(f"  {formula['name']:<42}{cases:>3} case{'s' if cases > 1 else ''}")
    desk.say(f"{sum(count.values())} cases for {len(count)} formulas")
    return 0


def _show(args: argparse.Namespace, desk: Desk) -> int:
    former = vectors.table()["former_subjects"].get(args.id, [])
    subjects = [args.id] if args.id in vectors.subjects() else former
    for subject in subjects:
        for formula in vectors.load(subject)["formulas"]:
            cases = ", ".join(case["id"] for case in formula["cases"])
            desk.say(f"{formula['name']}\n  {formula['equation']}\n  cases: {cases}")
    if subjects:
        return 0
    with arguments_of_user():
        found = vectors.cases(args.id)
    desk.say("\n\n".join(map(_shown, found)))
    return 0


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


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _check(args: argparse.Namespace, desk: Desk) -> int:
    function, spoken = _imported(args.function)
    name = args.as_name or _name_of(args.function)
    try:
        cases = vectors.cases(name)
    except ValueError as error:
        told = "" if args.as_name else f"; or say which formula {spoken} is: --as FORMULA"
        raise Wrong(f"{error}{told}") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong result is told of, and an infinity may be right
        failures = vectors.check(function, name, network=zoo.given, seconds=args.seconds)
    for failure in failures:
        desk.say(str(failure))
    told = f"{len(cases)} case{'s' if len(cases) > 1 else ''} of {cases[0].name}"
    if failures:
        return desk.fail(1, f"{spoken} fails {len(failures)} of {told}")
    desk.say(f"{spoken} is right on {'the' if len(cases) == 1 else 'all'} {told}")
    return 0


def _name_of(spoken: str) -> str:
    """The whole of `room.module:function` where it is a formula of this package, else the end."""
    short = spoken.removeprefix("mstheft.")
    return short if short in vectors.table()["functions"].values() else spoken.rpartition(":")[2]


def _imported(spoken: str) -> tuple[Callable[..., Any], str]:
    """The function of 'package.module:function' or 'folder/file.py:function', and its name."""
    module, colon, path = spoken.rpartition(":")
    if not (colon and module and path):
        raise Wrong(f"expected module:function or file.py:function, got {spoken!r}; write both")
    found: Any = _module(module)
    for part in path.split("."):
        if not hasattr(found, part):
            raise Wrong(f"expected {path} in {module}, but it has no {part}; check the name")
        found = getattr(found, part)
    if isinstance(found, type) or not callable(found):
        raise Wrong(
            f"expected {spoken} to be a function, got {type(found).__name__}; wrap it in a "
            "function that takes the arguments which mstheft vectors show tells"
        )
    return found, path


def _module(name: str) -> ModuleType:
    """Import from the current folder or from anywhere that Python looks; nothing is printed."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        if not name.endswith(".py"):
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(Path(name).stem, name)
        if spec is None or spec.loader is None:
            raise ImportError("it is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look there
        spec.loader.exec_module(module)
        return module
    except (Exception, SystemExit) as error:  # anybody's file may raise anything
        raise Wrong(
            f"expected a module that can be imported, but {name} cannot: {type(error).__name__}: "
            f"{error}; run this where it lies, or name the file: folder/file.py:function"
        ) from error
