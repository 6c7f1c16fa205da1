"""Settings: every value is of the kind and in the range that its field says."""

from dataclasses import dataclass

import pytest

from mstheft.errors import DataError
from mstheft.experiments.settings import checked, setting
from mstheft.files import read_toml


def even(value):
    if value % 2:
        raise ValueError(f"expected an even number, got {value}")


@dataclass(frozen=True)
class Inner:
    scale: float
    deep: bool = False


@dataclass(frozen=True)
class Settings:
    count: int = setting(2, low=1, check=even)
    kind: str = setting("a", choices=("a", "b"))
    share: float = 0.5
    inner: Inner | None = None


def test_what_is_missing_has_its_default_and_tables_become_settings():
    assert checked(Settings, {}) == Settings()
    table = {"count": 4, "share": 1, "inner": {"scale": 0.1}}
    assert checked(Settings, table) == Settings(count=4, share=1, inner=Inner(0.1))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"cuont": 2}, "expected count, kind, share, inner, got cuont"),
        ({"count": "2"}, "expected count as a whole number, got '2'"),
        ({"count": True}, "expected count as a whole number, got True"),
        ({"count": 0}, "expected count of at least 1, got 0"),
        ({"count": 3}, "expected an even number"),
        ({"kind": "c"}, "expected kind as one of a, b, got 'c'"),
        ({"share": "x"}, "expected share as a number"),
        ({"share": False}, "expected share as a number"),
        ({"inner": 3}, "expected a table, got 3"),
        ({"inner": {}}, "expected scale, deep, got no scale"),
        ({"inner": {"scale": 1.0, "deep": 1}}, "expected deep as true or false, got 1"),
        ([1], "expected a table"),
    ],
)
def test_what_cannot_be_is_named(table, says):
    with pytest.raises(ValueError, match=says):
        checked(Settings, table)


def test_files_that_are_no_toml(tmp_path):
    (tmp_path / "bad.toml").write_text("[victim")
    with pytest.raises(DataError, match="expected TOML"):
        read_toml(tmp_path / "bad.toml")
    for path in (tmp_path, tmp_path / "nothing.toml"):
        with pytest.raises(DataError, match="there is none"):
            read_toml(path)
