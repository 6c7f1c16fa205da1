"""A folder that keeps what a run has paid for and learned, so that it can be ended at any moment.

    settings.json      what the run was asked to do
    bought-NAME.npz    the rows asked under that name, and the answers, as soon as they came
    copy-03.npz        the copy of round 3, in the format of `Network.save`
    round-03.json      its place on the curve; written last, so the round is whole

Every file is written whole or not at all, and never changed. A run that is started again goes
through the same story, and takes from here what is already there.
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
from mstheft.learning.result import Round
from mstheft.nn.network import Network
from mstheft.nn.storage import replace_file

FORMAT = 1
CHUNK = 4096  # rows that are read together


class Checkpoint:
    """The folder of one run, or none at all: then nothing is kept and nothing is found.

    path : folder, made if it is not there; None to keep nothing
    settings : JSON values; a folder of a run with others is refused with a ValueError
    Raises `DataError` for files that are damaged or somebody else's.
    """

    def __init__(self, path: str | os.PathLike[str] | None, settings: dict[str, Any]):
        self.path = None if path is None else Path(path)
        self._lock: IO[bytes] | None = None
        if self.path is None:
            return
        if self.path.exists() and not self.path.is_dir():
            raise DataError(f"expected checkpoint= as a folder, got the file {self.path}")
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.path / "lock")
        try:
            self._begin({"format": FORMAT, **settings})
        except BaseException:
            self.close()
            raise

    def _begin(self, settings: dict[str, Any]) -> None:
        """Clear what a killed run half wrote; write the settings down, or insist on them."""
        assert self.path is not None
        for file in self.path.glob("*.part"):  # half written when a run was killed
            file.unlink()
        before = self._json("settings.json")
        if before is None:
            if any(self.path.glob("*-*.*")):
                raise DataError(
                    f"expected a checkpoint in {self.path}, but it has no settings.json"
                )
            self._write_json("settings.json", settings)
        elif before != settings:
            changed = sorted(
                f"{name} was {before.get(name)!r}, now {settings.get(name)!r}"
                for name in before.keys() | settings.keys()
                if before.get(name) != settings.get(name)
            )
            raise ValueError(
                f"expected the settings of the run in {self.path}, but {'; '.join(changed)}: "
                "name another folder or set them back"
            )

    def close(self) -> None:
        """Let other runs have the folder."""
        if self._lock is not None:
            self._lock.close()

    # ---- purchases

    def bought(self, name: str) -> tuple[np.ndarray, Array] | None:
        """Rows and answers saved under this name, or None."""
        file = self._file(f"bought-{name}.npz")
        if file is None:
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
            replace_file(
                self.path / f"bought-{name}.npz",
                lambda file: np.savez(file, rows=rows, answers=answers),
            )

    # ---- rounds

    def trained(self, turn: int) -> Round | None:
        """The round as it was saved, or None."""
        name = f"round-{turn:02d}.json"
        values = self._json(name)
        try:
            return None if values is None else Round(**values)
        except TypeError as error:
            assert self.path is not None
            raise _damaged(self.path / name, error) from error

    def copy(self, turn: int) -> Network | None:
        """The copy of a round, or None where it is neither the last nor the best."""
        file = self._file(f"copy-{turn:02d}.npz")
        return None if file is None else Network.load(file)

    def save_trained(self, copy: Network, point: Round, best: int) -> None:
        """Save a round; of the copies of earlier rounds only that of round `best` stays."""
        if self.path is None:
            return
        name = f"copy-{point.round:02d}.npz"
        copy.save(self.path / name)
        self._write_json(f"round-{point.round:02d}.json", asdict(point))
        for file in self.path.glob("copy-*.npz"):
            if file.name not in (name, f"copy-{best:02d}.npz"):
                file.unlink()

    # ---- files

    def _file(self, name: str) -> Path | None:
        file = None if self.path is None else self.path / name
        return file if file is not None and file.is_file() else None

    def _json(self, name: str) -> Any:
        file = self._file(name)
        if file is None:
            return None
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise _damaged(file, error) from error

    def _write_json(self, name: str, values: Any) -> None:
        assert self.path is not None
        content = json.dumps(values, indent=1).encode()
        replace_file(self.path / name, lambda file: file.write(content))


def _locked(file: Path) -> IO[bytes]:
    """The file, open, and held until it is closed or the process ends in whatever way.

    Two runs on one folder would both buy every batch.
    """
    lock = open(file, "wb")  # noqa: SIM115
    if fcntl is None:
        return lock
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DataError(f"expected {file.parent} for this run, but another is using it") from None
    return lock


def _damaged(file: Path, error: Exception) -> DataError:
    return DataError(f"{file}: expected a file of a checkpoint, but it is damaged ({error})")


# ---- settings that tell one run from another


def settings_of(
    oracle: Oracle,
    pool: Array,
    strategy: str | Callable[..., np.ndarray],
    copy: Network,
    again: Network,
) -> dict[str, object]:
    """What a checkpoint insists on beside the numbers that the caller chose.

    copy, again : what new_copy built twice. Raises ValueError where they differ: a run that goes on
    from its checkpoint would end with another copy than one that was never interrupted.
    """
    checksum = network_checksum(copy)
    if checksum != network_checksum(again):
        raise ValueError(
            "expected new_copy() to build the same network each time when checkpoint= is given, "
            "got two that differ; fix its rng, as in zoo.mlp([784, 64, 10], rng=0)"
        )
    return {
        "strategy": strategy_name(strategy),
        "output": oracle.output,
        "decimals": oracle.decimals,
        "pool": pool_checksum(pool),
        "new_copy": checksum,
    }


def strategy_name(strategy: str | Callable[..., np.ndarray]) -> str:
    """A strategy's name, or where its function is defined."""
    if isinstance(strategy, str):
        return strategy
    return f"{strategy.__module__}.{strategy.__qualname__}"


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
