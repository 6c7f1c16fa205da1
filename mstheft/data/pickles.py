"""Reading pickles without running them: the CIFAR-10 batches are Python 2 pickles.

A pickle is a program for a small stack machine. Most of its instructions push plain values;
two of them are dangerous, because together they call any function of any module:

    GLOBAL 'os system'      push the function os.system
    'rm -rf ~'  TUPLE1      push its arguments
    REDUCE                  call it

Here GLOBAL pushes a name and nothing else, and REDUCE knows by heart what a few names mean.
No function is ever looked up, so none can be called. Sizes are believed only as far as the
bytes are there, so a short pickle cannot take much memory either.
"""

from __future__ import annotations

import io
import pickletools
from typing import Any

from mstheft.data.pickled_arrays import (
    PLAIN,
    Unfinished,
    build,
    finished,
    number_type,
    scalar,
    text,
    wrong,
)
from mstheft.errors import DataError

__all__ = ["load"]

_MARK = object()
_NEW = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
_FIXED = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_AS_THEY_ARE = {
    *("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
_PY2_TEXTS = {"STRING", "BINSTRING", "SHORT_BINSTRING"}  # bytes, which pickletools shows as latin-1
_GET = {"GET", "BINGET", "LONG_BINGET"}
_PUT = {"PUT", "BINPUT", "LONG_BINPUT"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_KEYS = (str, bytes, int, float, type(None))  # never a tuple: hashing nested ones takes forever

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")  # before and since NumPy 2
_NAMES = {
    **{f"{module} _reconstruct": "array" for module in _MULTIARRAY},
    **{f"{module} scalar": "scalar" for module in _MULTIARRAY},
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "_codecs encode": "bytes",  # how Python 3 writes bytes for Python 2
}


def load(content: bytes) -> Any:
    """Build what a pickle describes, if that is plain containers, numbers, text and arrays.

    content : the whole pickle; protocols 0 to 4 (0 of Python 2 only with ASCII)
    Returns lists, tuples, dicts, str, bytes, numbers, None, and NumPy arrays and scalars of
    numbers. Strings of Python 2 come back as bytes. Arrays are read-only: they share memory
    with the bytes they were read from.
    Raises DataError for everything else: damaged, cut short, or naming any other function or
    class, whether or not it would be called.
    Source: Lib/pickletools.py, which documents every instruction.
    """
    try:
        return _Machine(content).run()
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        if isinstance(error, DataError):
            raise
        raise wrong("sound instructions", f"damaged data ({error})") from error


class _Name:
    """A function or class that the pickle names; one of the values of `_NAMES`."""

    def __init__(self, kind: str):
        self.kind = kind


class _Machine:
    """The stack machine: values, marks between them, and a memo of values to come back to."""

    def __init__(self, content: bytes):
        self.content = content
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.made = 0  # bytes made by 'bytes', which an honest pickle holds in full

    def run(self) -> Any:
        """Follow the instructions up to STOP, which has to be the last byte."""
        position = -1
        for instruction, value, at in pickletools.genops(io.BytesIO(self.content)):
            if instruction.name not in ("PROTO", "FRAME", "STOP"):
                self.step(instruction.name, value)
            position = at if at is not None else -1
        if len(self.stack) != 1 or position != len(self.content) - 1:
            raise wrong("one value", "none, several, or something behind it")
        return _only_plain(self.pop())

    def step(self, name: str, value: Any) -> None:
        """Do one instruction."""
        push = self.stack.append
        if name in _AS_THEY_ARE:
            push(value)
        elif name in _PY2_TEXTS:
            push(value.encode("latin-1"))
        elif name in _FIXED:
            push(_FIXED[name])
        elif name in _NEW:
            push(_NEW[name]())
        elif name == "MARK":
            push(_MARK)
        elif name in _GET:
            push(finished(self.memo[int(value)]))
        elif name in _PUT or name == "MEMOIZE":
            self.memo[len(self.memo) if name == "MEMOIZE" else int(value)] = self.top()
        elif name in _TUPLES:
            push(tuple([self.pop() for _ in range(_TUPLES[name])][::-1]))
        else:
            self.gather(name, value)

    def gather(self, name: str, value: Any) -> None:
        """Do one of the instructions that put several values together."""
        if name in ("APPEND", "SETITEM"):
            values = [self.pop() for _ in range(1 + (name == "SETITEM"))][::-1]
            _extend(self.top(), values, list if name == "APPEND" else dict)
        elif name in ("APPENDS", "SETITEMS"):
            values = self.pop_to_mark()
            _extend(self.top(), values, list if name == "APPENDS" else dict)
        elif name in ("LIST", "DICT"):
            values = self.pop_to_mark()
            empty: list | dict = [] if name == "LIST" else {}
            self.stack.append(_extend(empty, values, type(empty)))
        elif name == "TUPLE":
            self.stack.append(tuple(self.pop_to_mark()))
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            if name == "STACK_GLOBAL":
                function, module = self.pop(), self.pop()
                # Text only: to print nested containers could take forever.
                value = " ".join((module, function))
            if value not in _NAMES:
                raise wrong(PLAIN, f"the name {value[:80]!r}")
            self.stack.append(_Name(_NAMES[value]))
        elif name == "REDUCE":
            arguments, function = self.pop(), self.pop()
            self.stack.append(self.reduce(function, arguments))
        elif name == "BUILD":
            state, unfinished = self.pop(), self.pop()
            self.stack.append(build(unfinished, state))
        else:
            raise wrong(PLAIN, f"the instruction {name}")

    def reduce(self, function: Any, arguments: Any) -> Any:
        """Do what one of the known names means."""
        kind = function.kind if isinstance(function, _Name) else None
        if kind == "array" and isinstance(arguments[0], _Name) and arguments[0].kind == "ndarray":
            return Unfinished()  # its other arguments are the shape (0,) and b"b", then replaced
        if kind == "dtype":
            return Unfinished(number_type(text(arguments[0])))
        if kind == "scalar":
            return scalar(arguments[0], arguments[1])
        if kind == "bytes" and text(arguments[1]) in ("latin1", "latin-1"):
            self.made += len(arguments[0])
            if self.made > len(self.content):
                raise wrong(f"at most {len(self.content):,} bytes of text", "more")
            return arguments[0].encode("latin-1")
        raise wrong(PLAIN, "a call of something else")

    def top(self) -> Any:
        """Look at the uppermost value."""
        if not self.stack or self.stack[-1] is _MARK:
            raise wrong("a value on the stack", "none")
        return self.stack[-1]

    def pop(self) -> Any:
        """Take the uppermost value."""
        self.top()
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """Take all values above the last mark, and the mark."""
        taken = []
        while (value := self.stack.pop()) is not _MARK:
            taken.append(value)
        return taken[::-1]


def _extend(target: Any, values: list[Any], kind: type[list] | type[dict]) -> Any:
    """Append to a list, or set the items of a dict."""
    if not isinstance(target, kind):
        raise wrong(f"a {kind.__name__} to fill", type(target).__name__)
    if isinstance(target, list):
        target.extend(values)
        return target
    keys = values[::2]
    if len(values) % 2 or not all(isinstance(key, _KEYS) for key in keys):
        raise wrong("numbers and text as keys", "something else")
    target.update(zip(keys, values[1::2], strict=True))
    return target


def _only_plain(value: Any) -> Any:
    """Return a value if nothing inside it is an ingredient. Looks at each object once."""
    seen, todo = set(), [value]
    while todo:
        item = todo.pop()
        if isinstance(item, (list, tuple, dict)):
            if id(item) in seen:
                continue
            seen.add(id(item))
            todo.extend(item.values() if isinstance(item, dict) else item)
        elif isinstance(item, (_Name, Unfinished)):
            raise wrong(PLAIN, "a name or a half-made array")
    return value
