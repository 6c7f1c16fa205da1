"""A folder with the purchases and copies of a run, which can therefore be ended at any moment.

    settings.json      the settings of the run
    bought-NAME.npz    the rows queried under that name, and the answers, as soon as they came
    copy-03.npz        the copy of round 3, in the format of `Network.save`
    round-03.json      its place on the curve; written last, so the round is whole

Every file is written whole or not at all, and never changed. A run that is started again goes
through the same story, and reads its earlier steps from here.
"""

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from mstheft.typing import Array, Oracle

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from mstheft.errors import DataError
from mstheft.files import replace_file
from mstheft.learning.result import Round
from mstheft.nn.network import Network

FORMAT = 2  # 1: the best epoch was that of the highest macro-F1, at a rate that did not fall
SINCE_2: dict[str, object] = {"augment": "none", "warm": False}  # what a run of format 1 does
CHUNK = 4096  # rows that are read together


class Checkpoint:
    """The folder of one run; without a path nothing is saved and nothing is loaded.

    path : folder, made if missing, or None
    settings : JSON values; a folder of a run with others is refused with a ValueError
    format : that of the folder; a run that began as one of format 1 ends as one
    Raises `DataError` for files that are damaged or of another program.
    """

    def __init__(self, path: str | os.PathLike[str] | None, settings: dict[str, Any]):
        self.path, self.format = (None if path is None else Path(path)), FORMAT
        self._lock: IO[bytes] | None = None
        if self.path is None:
            return
        if self.path.exists() and not self.path.is_dir():
            raise DataError(f"expected checkpoint= as a folder, got the file {self.path}")
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.path / "lock")
        try:
            self._begin(self.path, settings)
        except BaseException:
            self.close()
            raise

    def _begin(self, path: Path, settings: dict[str, Any]) -> None:
        """Write the settings down, or insist on them."""
        for file in path.glob("*.part"):  # half written when a run was killed
            file.unlink()
        before = self._json("settings.json")
        if isinstance(before, dict) and before.get("format") == 1:
            self.format, before = 1, {**SINCE_2, **before}
        settings = {"format": self.format, **settings}
        if before is None:
            if any(path.glob("*-*.*")):
                raise DataError(f"expected a checkpoint in {path}, but it has no settings.json")
            replace_file(path / "settings.json", _json_of(settings))
        elif before != settings:
            changed = sorted(
                f"{name} was {before.get(name)!r}, now {settings.get(name)!r}"
                for name in before.keys() | settings.keys()
                if before.get(name) != settings.get(name)
            )
            raise ValueError(f"expected the settings of the run in {path}: {'; '.join(changed)}")

    def close(self) -> None:
        """Let other runs have the folder."""
        if self._lock is not None:
            self._lock.close()

    # ---- purchases

    def bought(self, name: str) -> tuple[np.ndarray, Array] | None:
        """Rows and answers saved under this name, or None."""
        if (file := self._file(f"bought-{name}.npz")) is None:
            return None
        try:
            with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
                rows, answers = arrays["rows"], arrays["answers"]
            if rows.ndim != 1 or rows.dtype.kind != "i" or len(rows) != len(answers):
                raise ValueError(f"{rows.dtype} rows {rows.shape}, answers {answers.shape}")
        except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError) as error:
            raise _damaged(file, error) from error
        return rows, answers

    def save_bought(self, name: str, rows: np.ndarray, answers: Array) -> None:
        """Save rows (m,) and their answers; to be called before anything else can happen."""
        if self.path is not None:
            file = self.path / f"bought-{name}.npz"
            replace_file(file, lambda file: np.savez(file, rows=rows, answers=answers))

    # ---- rounds

    def trained(self, turn: int) -> Round | None:
        """The round as it was saved, or None."""
        values = self._json(name := f"round-{turn:02d}.json")
        try:
            return None if values is None else Round(**values)
        except TypeError as error:
            raise _damaged(name, error) from error

    def copy(self, turn: int) -> Network | None:
        """The copy of a round, or None where it is not the last."""
        file = self._file(f"copy-{turn:02d}.npz")
        return None if file is None else Network.load(file)

    def save_trained(self, copy: Network, point: Round) -> None:
        """Save a round, in place of the copy of the round before."""
        if self.path is None:
            return
        name = f"copy-{point.round:02d}.npz"
        copy.save(self.path / name)
        replace_file(self.path / f"round-{point.round:02d}.json", _json_of(asdict(point)))
        for file in self.path.glob("copy-*.npz"):
            if file.name != name:
                file.unlink()

    # ---- files

    def _file(self, name: str) -> Path | None:
        file = None if self.path is None else self.path / name
        return file if file is not None and file.is_file() else None

    def _json(self, name: str) -> Any:
        if (file := self._file(name)) is None:
            return None
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise _damaged(file, error) from error


def _json_of(values: dict[str, Any]) -> Callable[[IO[bytes]], object]:
    return lambda file: file.write(json.dumps(values, indent=1).encode())


def _locked(file: Path) -> IO[bytes]:
    """The open file, locked until it is closed or the process ends: two runs on one folder would
    both buy every batch."""
    lock = open(file, "wb")  # noqa: SIM115
    if fcntl is None:
        return lock
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DataError(f"expected {file.parent} for this run, but another is using it") from None
    return lock


def _damaged(file: Path | str, error: Exception) -> DataError:
    return DataError(f"{file}: expected a file of a checkpoint, but it is damaged ({error})")


# ---- the settings that identify a run


def settings_of(
    oracle: Oracle,
    pool: Array,
    strategy: str | Callable[..., np.ndarray],
    copy: Network,
    again: Network,
) -> dict[str, object]:
    """The settings of a run beside the numbers that the caller chose.

    copy, again : two results of new_copy. Raises ValueError where they differ: a run that goes on
    from its checkpoint would end with another copy than a run without interruption.
    """
    checksum = network_checksum(copy)
    if checksum != network_checksum(again):
        wanted = "expected new_copy() to build the same network each time with checkpoint="
        raise ValueError(f"{wanted}, got two that differ; fix its rng")
    if not isinstance(strategy, str):
        strategy = f"{strategy.__module__}.{strategy.__qualname__}"
    return {
        "strategy": strategy,
        "output": oracle.output,
        "decimals": oracle.decimals,
        "pool": pool_checksum(pool),
        "new_copy": checksum,
    }


def pool_checksum(pool: Array) -> str:
    """Shape, kind and a check sum of all numbers."""
    total = 0
    for i in range(0, len(pool), CHUNK):
        total = zlib.crc32(np.ascontiguousarray(pool[i : i + CHUNK]).data, total)
    return f"{pool.shape} {pool.dtype} {total:08x}"


def network_checksum(network: Network) -> str:
    """Architecture and a check sum of the parameters."""
    total = 0
    for name, values in sorted(network.parameters().items()):
        total = zlib.crc32(name.encode() + np.ascontiguousarray(values).tobytes(), total)
    layers = json.dumps([[type(la).__name__, la.config()] for la in network.layers])
    shape = f"{network.shape}->{network.outputs}"
    return f"{shape} {network.dtype} {zlib.crc32(layers.encode(), total):08x}"
