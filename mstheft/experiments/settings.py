"""Settings as frozen dataclasses: each field has the limits of its value, and `checked` insists.

@dataclass(frozen=True)
class Settings:
    budget: int = setting(500, low=1)
    output: str = setting("probs", choices=OUTPUTS)

settings = checked(Settings, {"budget": 2000})
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, field, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints

Kind = TypeVar("Kind")
Value = TypeVar("Value")
WORDS = {int: "a whole number", str: "a word", bool: "true or false", float: "a number"}


def setting(
    default: Value,
    *,
    low: float | None = None,
    choices: Sequence[Value] | None = None,
    check: Callable[[Value], object] | None = None,
) -> Value:
    """A field of settings. low : its lowest value; check : raises ValueError."""
    return field(default=default, metadata={"low": low, "choices": choices, "check": check})


def checked(kind: type[Kind], table: Mapping[str, object]) -> Kind:
    """An instance of the dataclass `kind` from {name: value}; other fields have their defaults.

    A field is a bool, an int, a float (a whole number will do), a str, or a table: such a
    dataclass again. Raises ValueError that names the setting.
    """
    if not isinstance(table, Mapping):
        raise ValueError(f"expected a table, got {table!r}; write name = value")
    options = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    needed = {name for name, each in options.items() if each.default is MISSING}
    if unknown := sorted(table.keys() - options.keys()):
        raise ValueError(f"expected {', '.join(options)}, got {unknown[0]}; correct it")
    if missing := sorted(needed - table.keys()):
        raise ValueError(f"expected {', '.join(options)}, got no {missing[0]}; add it")
    types = get_type_hints(kind)
    kinds = {name: (get_args(each) or (each,))[0] for name, each in types.items()}  # of X | None: X
    limits = {name: options[name].metadata for name in table}
    return kind(**{name: _value(name, table[name], kinds[name], limits[name]) for name in table})


def _value(name: str, value: Any, kind: type, limits: Mapping[str, Any]) -> object:
    if is_dataclass(kind):
        return checked(kind, value)
    if type(value) not in ((float, int) if kind is float else (kind,)):
        raise ValueError(f"expected {name} as {WORDS[kind]}, got {value!r}; correct it")
    low, choices, check = (limits.get(limit) for limit in ("low", "choices", "check"))
    if low is not None and value < low:
        raise ValueError(f"expected {name} of at least {low}, got {value}; raise it")
    if choices is not None and value not in choices:
        raise ValueError(f"expected {name} as one of {', '.join(choices)}, got {value!r}")
    if check is not None:
        check(value)
    return value


@contextlib.contextmanager
def located(place: object) -> Iterator[None]:
    """Name the place of the settings, a file or a table, in a ValueError of the `with` block."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
