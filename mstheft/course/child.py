"""The learner's own process: loads one file, calls its functions, answers with plain data.

It is started as a script by `mstheft.course.learner` and never imports `mstheft`: the checks, the
expected answers and the victims live in the process that started it, and only names of callables
come here. It contains nothing: what a stranger's file may do is decided by the wall (`wall.py`)
that it is started behind.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib.util
import inspect
import io
import linecache
import os
import sys
import traceback
import types
from typing import Any, BinaryIO

import numpy as np

NEEDLESS = (  # packages that no exercise needs
    *(
        "mstheft",
        "pytest",
        "scipy",
        "matplotlib",
        "sklearn",
        "pandas",
        "torch",
        "tensorflow",
        "jax",
    ),
)


def main() -> None:
    """Speak with the checker on what were standard input and output, until it hangs up."""
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))  # where the checker's modules lie
    wire = _module("wire")
    reading = os.fdopen(os.dup(0), "rb")
    writing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the learner prints goes to standard error, which the checker bounds
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    order = wire.receive(reading)
    _limit(order["memory"], order["cpu"])
    wire.send(writing, "up")
    home = _Home(wire, reading, writing, order)
    if home.load(order["path"]):
        while home.serve():
            pass


def _module(name: str) -> types.ModuleType:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"_course_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _limit(memory: int, cpu: int) -> None:
    try:
        import resource
    except ImportError:
        return  # Windows: the time limit of the checker is all there is
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, 2**24),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # not every system has every limit
            resource.setrlimit(kind, (most, most))


class _Home:
    """The learner's functions, and the connection to the checker."""

    def __init__(self, wire: Any, reading: BinaryIO, writing: BinaryIO, order: dict[str, Any]):
        self.wire, self.reading, self.writing, self.order = wire, reading, writing, order
        module = sys.modules["exercise"] = types.ModuleType("exercise")  # dataclasses look there
        self.space = module.__dict__

    def send(self, value):
        self.wire.send(self.writing, value, lambda thing: getattr(thing, "_course_name", None))

    def receive(self):
        return self.wire.receive(self.reading, self._thing)

    def _thing(self, name):
        return (_Box if name.get("box") else _Callable)(self, name)

    def load(self, path: str) -> bool:
        """Run the learner's file and report its functions; False if it cannot be run."""
        try:
            with open(path, "rb") as file:
                source = file.read()
            text = importlib.util.decode_source(source)  # heeds a BOM and a coding line
            code = compile(text, path, "exec")
        except (OSError, SyntaxError, ValueError) as error:
            self.send({"unread": _slip(error)})
            return False
        linecache.cache[path] = (len(text), None, text.splitlines(True), path)
        for own in (__file__, self.wire.__file__):  # tracebacks go through them
            linecache.cache[own] = (0, None, [], own)
        sys.meta_path.insert(0, _Needless)
        try:
            exec(code, self.space)
        except BaseException as error:
            self.send({"unloaded": _one_line(error), "line": _line(error, path)})
            return False
        self.send({"functions": _functions(self.space, ast.parse(text))})
        return True

    def serve(self) -> bool:
        """Answer one call."""
        order = self.receive()
        args, kwargs = order["args"], order["kwargs"]
        function = self.space[order["call"]]
        names = _names(function, args, kwargs)
        before = {name: _image(value) for name, value in names.items()}
        try:
            answer = {"result": function(*args, **kwargs)}
            answer["changed"] = [n for n, v in names.items() if _image(v) != before[n]]
            self.send(answer)
        except self.wire.NotPlain as error:
            self.send({"not_plain": str(error)})
        except MemoryError as error:
            self.send({"memory": str(error)})
        except SystemExit:
            os._exit(0)
        except BaseException as error:
            what = {"raised": type(error).__name__, "says": _one_line(error)}
            self.send({**what, "line": _line(error, self.order["path"])})
        return True

    def ask(self, name, method, args, kwargs):
        """Have the checker call something that lives there."""
        self.send({"ask": name["id"], "method": method, "args": list(args), "kwargs": kwargs})
        answer = self.receive()
        if "error" in answer:
            kind = getattr(builtins, answer["error"], RuntimeError)
            raise kind(answer["says"])
        return answer["answer"]


class _Callable:
    """A function that lives with the checker."""

    def __init__(self, home, name):
        self._course_home, self._course_name = home, name

    def __call__(self, *args, **kwargs):
        return self._course_home.ask(self._course_name, "__call__", args, kwargs)


class _Box(_Callable):
    """An oracle that lives with the checker."""

    def query(self, x):
        return self._course_home.ask(self._course_name, "query", (x,), {})

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self._course_home.ask(self._course_name, "get", (name,), {})


class _Needless:
    """Finds no module, but says which ones no exercise needs."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if (package := name.partition(".")[0]) in NEEDLESS:
            raise ImportError(f"{package} cannot be imported in an exercise")


def _functions(space, tree):
    """Name -> names of arguments, and whether the body is still the starter's."""
    empty = {
        node.name: all(  # the last of that name is the one that counts
            isinstance(p, ast.Pass)
            or (isinstance(p, ast.Expr) and isinstance(p.value, ast.Constant))
            for p in node.body
        )
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    functions = {}
    for name, thing in space.items():
        if callable(thing) and isinstance(name, str) and not name.startswith("_"):
            functions[name] = {"unwritten": empty.get(name, False)}
    return functions


def _names(function, args, kwargs):
    try:
        return dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):
        return {str(i): a for i, a in enumerate(args)} | kwargs


def _image(value):
    """Something that differs when an array in `value` has been changed in place."""
    if isinstance(value, np.ndarray):
        return (value.shape, value.tobytes())
    if isinstance(value, (tuple, list)):
        return tuple(map(_image, value))
    if isinstance(value, dict):
        return tuple((k, _image(v)) for k, v in value.items())
    return None


def _slip(error):
    """A text that is no Python, in one line without its path."""
    if not isinstance(error, SyntaxError) or error.lineno is None:
        return _one_line(error)
    text = f", {error.text.strip()}" if error.text and error.text.strip() else ""
    return f"line {error.lineno}{text}: {error.msg}"[:400]


def _one_line(error):
    buffer = io.StringIO()
    try:
        traceback.print_exception(type(error), error, None, limit=0, file=buffer)
        return " ".join(buffer.getvalue().split())[:400]
    except Exception:
        return type(error).__name__


def _line(error, path):
    """The last line of the learner's file that was on the way to the error."""
    frames = traceback.walk_tb(error.__traceback__)
    at = [line for frame, line in frames if frame.f_code.co_filename == path]
    if not at:
        return None
    return [at[-1], linecache.getline(path, at[-1]).strip()[:100]]


if __name__ == "__main__":
    main()
