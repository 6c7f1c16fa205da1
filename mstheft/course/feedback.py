"""The feedback that a learner reads: called, expected, got, the likeliest cause, what is next."""

from dataclasses import dataclass

from mstheft.course.messages import say


@dataclass(frozen=True)
class Feedback:
    """The feedback on one wrong answer.

    key : names the cause
    stopped : was the process stopped, now or before?
    """

    function: str
    called: str
    expected: str
    got: str
    key: str
    cause: str
    following: str
    remarks: tuple[str, ...] = ()
    stopped: bool = False

    def __str__(self) -> str:
        rows = [("called", self.called), ("expected", self.expected), ("got", self.got)]
        why = "begin" if self.key == "unwritten" else "cause"
        rows += [(why, self.cause), ("next", self.following)]
        wide = max(len(say(key)) for key, text in rows if text)
        lines = [
            f"{say(key):{wide}}  " + text.replace("\n", "\n" + " " * (wide + 2))
            for key, text in rows
            if text
        ]
        return "\n".join([*lines, *self.remarks])


class Mismatch(AssertionError):
    """A check that failed; it reads as the learner's feedback."""

    def __init__(self, feedback: Feedback):
        super().__init__("\n" + str(feedback))
        self.feedback = feedback
