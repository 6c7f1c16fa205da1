"""Settings as frozen dataclasses: each field says what its value may be, and `checked` insists.

@dataclass(frozen=True)
class Settings:
    budget: int = setting(500, low=1)
    output: str = setting("probs", choices=OUTPUTS)

settings = checked(Settings, {"budget": 2000})
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from mstheft.errors import DataError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

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
    """A field of settings. low : its lowest value; check : raises ValueError for a wrong one."""
    metadata = {"low": low, "choices": choices, "check": check}
    return field(default=default, metadata=metadata)


def checked(kind: type[Kind], table: Mapping[str, object]) -> Kind:
    """An instance of the dataclass `kind` from {name: value}; other fields have their defaults.

    A field is a bool, an int, a float (a whole number will do), a str, or a table: such a
    dataclass again. Raises ValueError that names the setting.
    """
    if not isinstance(table, Mapping):
        raise ValueError(f"expected a table, got {table!r}; write name = value")
    options = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    needed = {name for name, each in options.items() if each.default is MISSING}
    if unoptions := sorted(table.keys() - options.keys()):
        raise ValueError(f"expected {', '.join(options)}, got {unoptions[0]}; correct it")
    if missing := sorted(needed - table.keys()):
        raise ValueError(f"expected {', '.join(options)}, got no {missing[0]}; add it")
    types = get_type_hints(kind)
    kinds = {name: (get_args(each) or (each,))[0] for name, each in types.items()}  # of X | None: X
    return kind(
        **{
            name: _value(name, value, kinds[name], options[name].metadata)
            for name, value in table.items()
        }
    )


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


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds. Raises `DataError` where there is none, or it is damaged."""
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"{path}: expected a TOML file, but there is none; name one") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected TOML, but {error}; correct that line") from error
