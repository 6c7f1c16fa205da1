"""One answer of a learner's function, and how it is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from mstheft.course import explain, show
from mstheft.course.feedback import Feedback, Mismatch
from mstheft.course.messages import cause, say
from mstheft.course.process import MEMORY, NOISE, Stopped, seconds

if TYPE_CHECKING:
    from mstheft.course.learner import Learner

OUTSIDE = ("syntax", "load", "no_file")  # causes that lie outside the functions


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
        stopped: bool = False,
    ) -> NoReturn:
        """Raise the `Mismatch` of this call."""
        __tracebackhide__ = True
        lesson, known = self.learner.lesson, self.learner.lesson.function(self.name)
        own = known.mistakes.get(key) if known else None
        if own and key == "raised":
            own = f"{own} {text}"  # which says where
        text = own or text or (None if text == "" else cause(key) or cause("unknown"))
        facts = {"number": lesson.number, "name": self.name, "file": show.near(lesson.exercise)}
        remarks, outside = [], key in (*OUTSIDE, "stopped")
        if self.learner.printed:
            remarks.append(say("printed", text=self.learner.printed[:300]))
        if self.learner.seed is not None and key not in ("unwritten", "absent", "syntax", "load"):
            remarks.append(say("seed", seed=self.learner.seed))
        called = show.call(self.name, self.args, self.kwargs)
        raise Mismatch(
            Feedback(
                function=self.name,
                called="" if outside or key in ("unwritten", "absent") else called,
                expected=expected,
                got=got,
                key=key,
                cause=text or "",
                following=following or say("next_file" if outside else "next_check", **facts),
                remarks=tuple(remarks),
                stopped=stopped,
            )
        )

    def unwritten(self) -> NoReturn:
        """The body is still the starter's."""
        __tracebackhide__ = True
        facts = {"number": self.learner.lesson.number, "name": self.name}
        lesson = self.learner.lesson
        places = {"file": show.near(lesson.exercise), "lesson": show.near(lesson.lesson)}
        got, text = say("unwritten_got", **facts), say("unwritten", **facts)
        self.fail("unwritten", "", got, text, say("next_start", **places, **facts))

    def unfit(self, error: BaseException) -> Feedback:
        """The check could not even look at this answer: another kind or shape than it expects."""
        try:
            told = f"{type(error).__name__}: {error}"
            self.fail("unfit", got=show.value(self.value), text=say("unfit_cause", error=told))
        except Mismatch as mismatch:
            return mismatch.feedback

    def absent(self) -> NoReturn:
        """There is no such function."""
        __tracebackhide__ = True
        got = say("missing", name=self.name, file=self.learner.path.name)
        number = self.learner.lesson.number
        self.fail("absent", "", got, say("missing_cause", number=number))

    def stopped(self, stop: Stopped, loading: bool = False) -> NoReturn:
        """The process had to be stopped, while it was `loading` the file or called."""
        __tracebackhide__ = True
        facts = {"seconds": f"{seconds():g}", "memory": MEMORY, "megabytes": NOISE}
        got = say(stop.kind, what=stop.what, **facts) + place(stop.line)
        text = say(f"{stop.kind}_cause")
        if loading:
            got = say("load", file=self.learner.path.name, error=got)
            self.fail("load", "", got, f"{say('load_cause', line='')} {text}", stopped=True)
        self.fail(stop.kind, "", got, text, stopped=True)


def place(line: Any) -> str:
    """Where in the learner's file, as it was told from there; '' if that is not known."""
    try:
        number, text = line
        return say("raised_line", line=int(number), text=str(text)[:100])
    except (TypeError, ValueError):
        return ""
