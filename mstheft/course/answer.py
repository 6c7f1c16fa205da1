"""One answer of a learner's function, and how it is judged."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import ArrayLike

from mstheft.course import explain, show
from mstheft.course.feedback import Feedback, Mismatch
from mstheft.course.manifest import Lesson
from mstheft.course.messages import cause, say
from mstheft.course.process import MEMORY, NOISE, Stopped, seconds

__tracebackhide__ = True  # pytest shows the line of the check and none from here
OUTSIDE = ("syntax", "load", "no_file")  # causes that lie outside the functions
UNCALLED = ("unwritten", "absent")  # causes for which no function was called


class Caller(Protocol):
    """What an answer names of the learner whose function was called."""

    lesson: Lesson
    path: Path
    seed: int | None

    @property
    def printed(self) -> str:
        """The beginning of what the learner's file has printed."""


class Answer:
    """One call of a learner's function; `value` is what it returned."""

    def __init__(
        self, caller: Caller, name: str, args: tuple[object, ...], kwargs: dict[str, object]
    ):
        self.caller, self.name, self.args, self.kwargs = caller, name, args, kwargs
        self.value: Any = None

    def equals(
        self,
        expected: object,
        mistakes: dict[str, object] | None = None,
        rtol: float = 1e-6,
        atol: float = 1e-9,
    ) -> "Answer":
        """The answer must be `expected`: in kind, shape and value.

            |got - expected| ≤ atol + rtol · |expected|

        mistakes : {key of a mistake: the answer that it would give on this input}
        """
        if explain.same(expected, self.value, rtol, atol):
            return self
        if self.value is None and expected is not None:
            self.fail("none", show.value(expected), "None", say("none"))
        why = explain.likeliest(expected, self.value, mistakes or {}, self.args, rtol, atol)
        self.fail(why.key, show.value(expected), show.value(self.value), why.text)

    def holds(self, ok: ArrayLike, what: str, mistake: str | None = None) -> "Answer":
        """A condition on an answer that has many right forms, and the condition in words."""
        if bool(np.all(ok)):
            return self
        if self.value is None:
            self.fail("none", what, "None", say("none"))
        self.fail(mistake or "unknown", what, show.value(self.value))

    def costs(self, count: int, most: int) -> "Answer":
        """The function may have queried the victim for at most so many rows."""
        if count > most:
            expected, got = say("asked_most", most=most), say("asked", count=count)
            self.fail("too_many_queries", expected, got)
        return self

    def fail(
        self,
        key: str,
        expected: str = "",
        got: str = "",
        text: str | None = None,
        following: str = "",
        stopped: bool = False,
    ) -> NoReturn:
        """Raise the `Mismatch` of this call."""
        lesson, printed, seed = self.caller.lesson, self.caller.printed, self.caller.seed
        function = lesson.function(self.name)
        own = function.mistakes.get(key) if function else None
        if own and key == "raised":
            own = f"{own} {text}"  # the text names the line
        text = own or text or (None if text == "" else cause(key) or cause("unknown"))
        facts = {"number": lesson.number, "name": self.name, "file": show.near(lesson.exercise)}
        outside = key in (*OUTSIDE, "stopped")
        called = show.call(self.name, self.args, self.kwargs)
        with_seed = seed is not None and key not in (*UNCALLED, "syntax", "load")
        feedback = Feedback(
            function=self.name,
            called="" if outside or key in UNCALLED else called,
            expected=expected,
            got=got,
            key=key,
            cause=text or "",
            following=following or say("next_file" if outside else "next_check", **facts),
            remarks=(
                *([say("printed", text=printed[:300])] if printed else []),
                *([say("seed", seed=seed)] if with_seed else []),
            ),
            stopped=stopped,
        )
        raise Mismatch(feedback)

    def unwritten(self) -> NoReturn:
        """The body is still the starter's."""
        lesson = self.caller.lesson
        facts = {"number": lesson.number, "name": self.name}
        places = {"file": show.near(lesson.exercise), "lesson": show.near(lesson.lesson)}
        got, text = say("unwritten_got", **facts), say("unwritten", **facts)
        self.fail("unwritten", "", got, text, say("next_start", **places, **facts))

    def unfit(self, error: BaseException) -> Feedback:
        """The check failed on this answer: another kind or shape than it expects."""
        try:
            why = f"{type(error).__name__}: {error}"
            self.fail("unfit", got=show.value(self.value), text=say("unfit_cause", error=why))
        except Mismatch as mismatch:
            return mismatch.feedback

    def absent(self) -> NoReturn:
        """There is no such function."""
        got = say("missing", name=self.name, file=self.caller.path.name)
        self.fail("absent", "", got, say("missing_cause", number=self.caller.lesson.number))

    def stopped(self, stop: Stopped, loading: bool = False) -> NoReturn:
        """The process had to be stopped, while it was `loading` the file or called."""
        facts = {"seconds": f"{seconds():g}", "memory": MEMORY, "megabytes": NOISE}
        got = say(stop.kind, **facts)
        text = say(f"{stop.kind}_cause")
        if loading:
            got = say("load", file=self.caller.path.name, error=got)
            self.fail("load", "", got, f"{say('load_cause', line='')} {text}", stopped=True)
        self.fail(stop.kind, "", got, text, stopped=True)


def place(line: Sequence[Any] | None) -> str:
    """The line [number, text] of the learner's file in words; '' for anything else."""
    try:
        number, text = line or ()
        return say("raised_line", line=int(number), text=str(text)[:100])
    except (TypeError, ValueError):
        return ""
