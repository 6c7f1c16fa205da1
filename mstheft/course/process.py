"""Starts and bounds the learner's process (time, memory, output) and answers its calls back."""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any, cast

from mstheft.course import wall, wire

MEMORY = 2048  # megabytes of address space
NOISE = 10  # megabytes of printing
SHOWN = 2000  # characters of printing that a feedback may show


def seconds() -> float:
    """The time limit of one call, or of loading the file. The tests of the course shorten it."""
    return float(os.environ.get("MSTHEFT_CALL_SECONDS", "10"))


class Stopped(Exception):
    """The process had to be stopped, or has ended.

    kind : 'slow', 'memory', 'noisy' or 'ended'
    """

    def __init__(self, kind: str):
        super().__init__(kind)
        self.kind = kind


class Process:
    """One learner's file at `path`, loaded in a process of its own, behind a wall if `walled`.

    `hello` is the first answer: the functions of the file, or why it cannot be loaded.
    """

    def __init__(self, path: Path, walled: bool):
        self.scratch = tempfile.mkdtemp(prefix="mstheft-learner-")
        self.things: list[Any] = []
        self.printed, self._noise = "", 0
        self._frames: queue.Queue[Any] = queue.Queue(maxsize=4)
        own = [Path(__file__).with_name(name) for name in ("child.py", "wire.py")]
        command = [sys.executable, "-B", str(own[0])]
        if walled:
            self.process = wall.start(command, [*own, path], _environment("/tmp"))
            path = wall.FILES / path.name
        else:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.scratch,
                env=_environment(self.scratch),
                start_new_session=True,
            )
        self._stdin = cast(IO[bytes], self.process.stdin)
        for work, pipe in ((self._read, self.process.stdout), (self._listen, self.process.stderr)):
            threading.Thread(target=work, args=(pipe,), daemon=True).start()
        try:
            self._send({"path": str(path), "memory": MEMORY * 2**20, "cpu": 120})
            self._next(time.monotonic() + 60)  # Python and NumPy start, on however slow a machine
            self.hello = self._next(time.monotonic() + seconds())
        except BaseException:
            self.close()
            raise

    def call(
        self, name: str, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> dict[str, Any]:
        """Call one function: its answer, or how it failed. Raises `Stopped`."""
        self.things = []
        self._send({"call": name, "args": args, "kwargs": kwargs})
        end = time.monotonic() + seconds()
        while "ask" in (answer := self._next(end)):
            self._send(self._answer(answer))
        return answer

    def close(self) -> None:
        """End the process and all it may have started."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError, ValueError):
            self._stdin.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    # ---- the wire

    def _send(self, value: object) -> None:
        watch = threading.Timer(seconds(), self.process.kill)  # it may not read its input
        watch.start()
        try:
            wire.send(self._stdin, value, self._name)
        except (BrokenPipeError, ValueError):
            raise self._why() from None
        finally:
            watch.cancel()

    def _name(self, thing: object) -> dict[str, object] | None:
        box = hasattr(thing, "query")
        if not (box or callable(thing)):
            return None
        self.things.append(thing)
        return {"id": len(self.things) - 1, "box": box}

    def _thing(self, name: dict[str, Any]) -> Any:
        return self.things[int(name["id"])]

    def _read(self, stream: IO[bytes]) -> None:
        """Frames as they come; a thread, so that waiting has an end on every system."""
        try:
            while True:
                self._frames.put(wire.receive(stream, self._thing))
        except (wire.Ended, OSError, ValueError, IndexError, MemoryError):
            self._frames.put(Stopped("ended"))
        stream.close()

    def _listen(self, stream: IO[bytes]) -> None:
        """Store the beginning of what is printed, count the rest, end the process at too much."""
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(stream.fileno(), 65536):
                self._noise += len(data)
                self.printed = (self.printed + data.decode("utf-8", "replace"))[:SHOWN]
                if self._noise > NOISE * 2**20:
                    self.process.kill()
        stream.close()

    def _next(self, end: float) -> dict[str, Any]:
        try:
            frame = self._frames.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise Stopped("slow") from None
        if isinstance(frame, Stopped):
            raise self._why()
        return frame if isinstance(frame, dict) else {}

    def _why(self) -> Stopped:
        """Why the process is gone."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        if self._noise > NOISE * 2**20:
            return Stopped("noisy")
        too_long = getattr(signal, "SIGXCPU", 0)  # behind a wall its process ends with 128 + signal
        if self.process.returncode in (-too_long, 128 + too_long):
            return Stopped("slow")
        return Stopped("ended")

    def _answer(self, request: dict[str, Any]) -> dict[str, object]:
        try:
            thing = self.things[int(request["ask"])]
            method, args = request["method"], request["args"]
            if method == "get":
                return {"answer": _attribute(thing, args[0])}
            function = thing if method == "__call__" else thing.query
            return {"answer": function(*args, **request["kwargs"])}
        except Exception as error:
            return {"error": type(error).__name__, "says": str(error)[:300]}


def _attribute(oracle: object, name: str) -> object:
    if name not in ("count", "left", "inputs", "outputs", "output"):
        raise AttributeError(f"an oracle has no {name}; it has query, count, left, inputs, output")
    return getattr(oracle, name)


def _environment(scratch: str) -> dict[str, str]:
    """Only what Python needs: nothing here shows where the checks are."""
    needed = ("PATH", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "LANG", "LC_ALL", "VIRTUAL_ENV")
    given = {name: os.environ[name] for name in needed if name in os.environ}
    places = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "MPLCONFIGDIR"), scratch)
    python = {"IOENCODING": "utf-8", "WARNINGS": "ignore", "UNBUFFERED": "1"}
    return {**given, **wall.ONE_THREAD, **places, **{f"PYTHON{k}": v for k, v in python.items()}}
