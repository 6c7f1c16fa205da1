"""What a check works with: the learner's functions, called in another process."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mstheft.course import explain, manifest, show
from mstheft.course.answer import Answer, place
from mstheft.course.messages import advice, say
from mstheft.course.process import Process, Stopped

__tracebackhide__ = True  # pytest shows the line of the check and none from here
MOST_DEATHS = 2  # processes of one file that are started anew


class Learner:
    """The functions of the learner's file for a lesson, called in another process.

    seed : of the inputs, for the last line of a feedback
    walled : it is a stranger's file, which runs behind a wall
    """

    def __init__(
        self,
        lesson: manifest.Lesson,
        path: Path,
        seed: int | None = None,
        walled: bool = False,
    ):
        self.lesson, self.path, self.seed = lesson, path.resolve(), seed
        self.walled = walled
        self._process: Process | None = None
        self._stops: dict[str, Stopped] = {}  # functions not called again; '' is the file itself
        self.last: Answer | None = None  # the answer that a check is judging

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.close()
        self._process = None

    def call(self, name: str, *args: object, **kwargs: object) -> Answer:
        """Call the learner's function. Fails with a feedback if it does not give plain data."""
        call = Answer(self, name, args, kwargs)
        raw = self._ask(call)
        if "raised" in raw:
            call.fail("raised", got=str(raw["says"]), text=_stopped_by(raw))
        call.value, self.last = self._result(call, raw), call
        if raw.get("changed"):
            names = ", ".join(map(str, raw["changed"]))
            call.fail("mutated", say("mutated_expected"), say("mutated_got", names=names))
        return call

    def refuses(
        self, name: str, *args: object, mistakes: dict[str, object] | None = None, **kwargs: object
    ) -> Answer:
        """The function must raise `ValueError` on these arguments."""
        call = Answer(self, name, args, kwargs)
        raw = self._ask(call)
        if raw.get("raised") == "ValueError":
            return call
        if "raised" in raw:
            call.fail("raised", say("should_refuse"), str(raw["says"]), say("should_refuse_cause"))
        got = self._result(call, raw)
        for key, value in (mistakes or {}).items():
            if explain.same(value, got, 1e-6, 1e-9):
                call.fail(key, say("should_refuse"), show.value(got))
        call.fail("no_refusal", say("should_refuse"), show.value(got), say("should_refuse_cause"))

    def _ask(self, call: Answer) -> dict[str, Any]:
        if stop := self._stops.get("") or self._stops.get(call.name):
            call.stopped(stop, loading="" in self._stops)
        if len(self._stops) >= MOST_DEATHS:
            call.fail("stopped", got=say("stopped"), text="", stopped=True)
        process = self._running(call)
        functions = process.hello["functions"]
        if call.name not in functions:
            call.absent()
        if functions[call.name]["unwritten"]:
            call.unwritten()
        try:
            return process.call(call.name, call.args, call.kwargs)
        except Stopped as stop:
            self._stops[call.name] = stop
            self.close()
            call.stopped(stop)

    def _running(self, call: Answer) -> Process:
        """The process, with the file loaded. Fails with a feedback if it cannot be loaded."""
        file = self.path.name
        if not self.path.is_file():
            text = say("no_file_cause", number=self.lesson.number)
            following = say("next_reset", number=self.lesson.number)
            call.fail("no_file", got=say("no_file", file=file), text=text, following=following)
        try:
            self._process = self._process or Process(self.path, self.walled)
            hello = self._process.hello
            functions = isinstance(hello.get("functions"), dict)
            if not (functions or hello.keys() & {"unread", "unloaded"}):
                raise Stopped("ended")
        except Stopped as stop:
            self._stops[""] = stop
            self.close()
            call.stopped(stop, loading=True)
        if error := hello.get("unread"):
            text = advice(error) or say("syntax_cause")
            call.fail("syntax", got=say("syntax", file=file, error=error), text=text)
        if error := hello.get("unloaded"):
            got = say("load", file=file, error=error)
            call.fail("load", got=got, text=_explained("load_cause", hello))
        return self._process

    def _result(self, call: Answer, raw: dict[str, Any]) -> object:
        if "memory" in raw:
            call.stopped(Stopped("memory"))
        if "result" not in raw:
            text = str(raw.get("not_plain", "no answer"))
            call.fail("not_plain", got=text, text=advice(text) or say("not_plain_cause"))
        return raw["result"]

    @property
    def printed(self) -> str:
        """The beginning of what the learner's file has printed."""
        time.sleep(0.02)  # it comes through a pipe of its own
        return self._process.printed.strip() if self._process else ""


def _stopped_by(raw: dict[str, Any]) -> str:
    """What stopped a function that should have answered: its own `raise`, or a slip."""
    line = raw.get("line")
    own = isinstance(line, (list, tuple)) and str(line[-1]).strip().startswith("raise ")
    return say("raised_own", line=place(line)) if own else _explained("raised_cause", raw)


def _explained(key: str, raw: dict[str, Any]) -> str:
    """A cause with the learner's line, and what such an error most often means."""
    error = str(raw.get("says") or raw.get("unloaded", ""))
    return f"{say(key, line=place(raw.get('line')))} {advice(error)}".strip()


class Counted:
    """A function of the victim that counts its queries, in rows.

    function : (n, d) -> (n, …) if `rows`, else any function of one number
    rows : refuse a point (d,) that is not in a row of its own, in words
    """

    def __init__(self, function: Callable[[Any], Any], rows: bool = False):
        self.function, self.rows, self.count = function, rows, 0
        self.__name__ = getattr(function, "__name__", "function")  # as feedback shows it

    def __call__(self, x: ArrayLike) -> Any:
        """The function's answer, counted. Raises ValueError for a bare point where rows belong."""
        shape = np.shape(x)
        if self.rows and len(shape) != 2:
            raise ValueError(say("not_rows", shape=shape))
        self.count += shape[0] if shape else 1
        return self.function(x)
