"""What a check holds in its hands: the learner's functions, and a judge for their answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.course import explain, manifest, show
from mstheft.course.feedback import Feedback, Mismatch
from mstheft.course.messages import advice, cause, say
from mstheft.course.process import MEMORY, NOISE, Process, Stopped, seconds

MOST_DEATHS = 2  # processes of one file that are started anew


class Learner:
    """The functions of one exercise file, called in another process.

    lesson : whose exercise it is
    path : the learner's file
    seed : from which the inputs were drawn, for the last line of a feedback
    hidden : further folders that the file may not read
    """

    def __init__(
        self,
        lesson: manifest.Lesson,
        path: Path,
        seed: int | None = None,
        hidden: tuple[Path, ...] = (),
    ):
        self.lesson, self.path, self.seed = lesson, path.resolve(), seed
        top = lesson.home.parent
        self.hidden = (lesson.home, top / "tests", Path(__file__).parents[1], *hidden)
        self._process: Process | None = None
        self._deaths = 0
        self._stops: dict[str, Stopped] = {}  # functions that are not called again
        self.last: Answer | None = None  # with which a check now works

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.close()
        self._process = None

    # ---- calling

    def call(self, name: str, *args: Any, **kwargs: Any) -> Answer:
        """Call the learner's function. Fails with a feedback if it does not give plain data."""
        __tracebackhide__ = True
        call = Answer(self, name, args, kwargs)
        raw = self._ask(call)
        if "raised" in raw:
            call.fail("raised", got=say("raised", error=raw["says"]), text=self._at(raw))
        if "result" not in raw:
            self._odd(call, raw)
        call.value, self.last = raw["result"], call
        if raw.get("changed"):
            names = ", ".join(map(str, raw["changed"]))
            call.fail(
                "mutated",
                expected=say("mutated_expected"),
                got=say("mutated_got", names=names),
            )
        return call

    def refuses(
        self, name: str, *args: Any, mistakes: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """The function must raise `ValueError` on these arguments."""
        __tracebackhide__ = True
        call = Answer(self, name, args, kwargs)
        raw = self._ask(call)
        if raw.get("raised") == "ValueError":
            return
        if "raised" in raw:
            got = say("raised", error=raw["says"])
            call.fail("raised", say("should_refuse"), got, say("should_refuse_cause"))
        if "result" not in raw:
            self._odd(call, raw)
        got = raw["result"]
        for key, value in (mistakes or {}).items():
            if explain.same(value, got, 1e-6, 1e-9):
                call.fail(key, say("should_refuse"), show.value(got))
        call.fail("no_refusal", say("should_refuse"), show.value(got), say("should_refuse_cause"))

    def _ask(self, call: Answer) -> dict[str, Any]:
        __tracebackhide__ = True
        try:
            if call.name in self._stops:
                raise self._stops[call.name]
            process = self._running(call)
            known = process.hello["functions"]
            if call.name not in known:
                call.absent()
            if known[call.name]["unwritten"]:
                call.unwritten()
            return process.call(call.name, call.args, call.kwargs)
        except Stopped as stop:
            if call.name not in self._stops:
                self._stops[call.name] = stop
                self._deaths += 1
                self.close()
            call.stopped(stop)
            raise AssertionError from stop  # not reached: `stopped` fails

    def _running(self, call: Answer) -> Process:
        __tracebackhide__ = True
        if self._deaths >= MOST_DEATHS:
            call.fail("stopped", got=say("stopped"), text="", stopped=say("stopped"))
        if not self.path.is_file():
            file = self.lesson.exercise.name
            text = say("no_file_cause", number=self.lesson.number)
            call.fail("no_file", got=say("no_file", file=file), text=text)
        if self._process is None:
            try:
                self._process = Process(self.path, self.hidden)
            except Stopped:
                self._deaths = MOST_DEATHS  # it never gets as far as a function
                raise
        hello = self._process.hello
        file = self.path.name
        if "unread" in hello:
            got = say("syntax", file=file, error=hello["unread"])
            call.fail("syntax", got=got, text=say("syntax_cause"))
        if "unloaded" in hello:
            got = say("load", file=file, error=hello["unloaded"])
            text = say("load_cause") + " " + self._at(hello)
            call.fail("load", got=got, text=text)
        if not isinstance(hello.get("functions"), dict):
            raise Stopped("ended")
        return self._process

    def _odd(self, call: Answer, raw: dict[str, Any]) -> None:
        __tracebackhide__ = True
        if "memory" in raw:
            raise_ = Stopped("memory")
            call.stopped(raise_)
        text = str(raw.get("not_plain", "no answer"))
        call.fail("not_plain", got=say("not_plain", error=text), text=say("not_plain_cause"))

    def _at(self, raw: dict[str, Any]) -> str:
        error = str(raw.get("says") or raw.get("unloaded", ""))
        return f"{say('raised_cause', line=_line(raw.get('line')))} {advice(error)}".strip()

    @property
    def printed(self) -> str:
        """The beginning of what the learner's file has printed."""
        time.sleep(0.02)  # it comes through a pipe of its own
        return self._process.printed.strip() if self._process else ""


class Counted:
    """A function of the victim's that counts the rows which it is asked.

    function : (n, d) -> (n, …) if `rows`, else any function of one number
    rows : a point (d,) that is not in a row of its own is refused, in words
    """

    def __init__(self, function: Callable[[Any], Any], rows: bool = False):
        self.function, self.rows, self.count = function, rows, 0

    def __call__(self, x: Any) -> Any:
        """The function's answer, counted. Raises ValueError for a bare point where rows belong."""
        if self.rows and np.ndim(x) != 2:
            raise ValueError(say("not_rows", shape=np.shape(x)))
        self.count += len(x) if np.ndim(x) else 1
        return self.function(x)


class Answer:
    """One call and what came back in `value`."""

    def __init__(self, learner: Learner, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.learner, self.name, self.args, self.kwargs = learner, name, args, kwargs
        self.value: Any = None

    def equals(
        self,
        expected: Any,
        mistakes: dict[str, Any] | None = None,
        rtol: float = 1e-6,
        atol: float = 1e-9,
    ) -> Answer:
        """The answer must be `expected`: in kind, shape and value.

            |got - expected| ≤ atol + rtol · |expected|

        mistakes : key of a known mistake -> the answer that it would give on this input
        """
        __tracebackhide__ = True
        if explain.same(expected, self.value, rtol, atol):
            return self
        if self.value is None and expected is not None:
            self.fail("none", show.value(expected), "None", say("none"))
        found = explain.likeliest(expected, self.value, mistakes or {}, self.args, rtol, atol)
        self.fail(found.key, show.value(expected), show.value(self.value), found.text)
        return self

    def holds(self, ok: Any, what: str, mistake: str | None = None) -> Answer:
        """What must be true of an answer that has many right forms."""
        __tracebackhide__ = True
        if bool(np.all(ok)):
            return self
        if self.value is None:
            self.fail("none", what, "None", say("none"))
        self.fail(mistake or "unknown", what, show.value(self.value))
        return self

    def asked(self, count: int, most: int) -> Answer:
        """The victim may have been asked at most this often, in rows."""
        __tracebackhide__ = True
        if count > most:
            expected, got = say("asked_most", most=most), say("asked", count=count)
            self.fail("too_many_queries", expected, got)
        return self

    # ---- failing

    def fail(
        self,
        key: str,
        expected: str = "",
        got: str = "",
        text: str | None = None,
        following: str = "",
        stopped: str = "",
    ) -> None:
        """Raise the `Mismatch` of this call."""
        __tracebackhide__ = True
        lesson, known = self.learner.lesson, self.learner.lesson.function(self.name)
        own = known.mistakes.get(key) if known else None
        text = own or text or (None if text == "" else cause(key) or cause("unknown"))
        facts = {"number": lesson.number, "name": self.name, "file": _near(lesson.exercise)}
        remarks, outside = [], key in ("syntax", "load", "no_file", "stopped")
        if self.learner.printed:
            remarks.append(say("printed", text=self.learner.printed[:300]))
        if self.learner.seed is not None and key not in ("unwritten", "absent", "syntax", "load"):
            remarks.append(say("seed", seed=self.learner.seed))
        called = show.call(self.name, self.args, self.kwargs)
        raise Mismatch(
            Feedback(
                function=self.name,
                called="" if outside or key == "unwritten" else called,
                expected=expected,
                got=got,
                key=key,
                cause=text or "",
                following=following or say("next_file" if outside else "next_check", **facts),
                remarks=tuple(remarks),
                stopped=stopped,
            )
        )

    def unwritten(self) -> None:
        """The body is still the starter's."""
        __tracebackhide__ = True
        facts = {"number": self.learner.lesson.number, "name": self.name}
        lesson = self.learner.lesson
        places = {"file": _near(lesson.exercise), "lesson": _near(lesson.lesson)}
        got, text = say("unwritten_got", **facts), say("unwritten", **facts)
        self.fail("unwritten", "", got, text, say("next_start", **places, **facts))

    def unfit(self, error: BaseException) -> Feedback:
        """The check could not even look at this answer: another kind or shape than it expects."""
        try:
            told = f"{type(error).__name__}: {error}"
            self.fail("unfit", got=show.value(self.value), text=say("unfit_cause", error=told))
        except Mismatch as mismatch:
            return mismatch.feedback
        raise error

    def absent(self) -> None:
        """There is no such function."""
        __tracebackhide__ = True
        got = say("missing", name=self.name, file=self.learner.path.name)
        number = self.learner.lesson.number
        self.fail("absent", "", got, say("missing_cause", number=number))

    def stopped(self, stop: Stopped) -> None:
        """The process had to be stopped."""
        __tracebackhide__ = True
        facts = {"seconds": f"{seconds():g}", "memory": MEMORY, "megabytes": NOISE}
        got = say(stop.kind, what=stop.what, **facts) + _line(stop.line)
        self.fail(stop.kind, "", got, say(f"{stop.kind}_cause"), stopped=got)


def _line(line: Any) -> str:
    """Where in the learner's file, as it was told from there; '' if that is not known."""
    try:
        number, text = line
        return say("raised_line", line=int(number), text=str(text)[:100])
    except (TypeError, ValueError):
        return ""


def _near(path: Path) -> str:
    """The path as one would type it here."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith(os.path.join("..", "..", "..")) else str(path)
