"""The feedback that a learner reads: called, expected, got, the likeliest cause, what is next."""

from dataclasses import dataclass

from mstheft.course.messages import say


@dataclass(frozen=True)
class Feedback:
    """The feedback on one answer that failed its check."""

    function: str
    called: str
    expected: str
    got: str
    key: str  # names the cause
    cause: str
    following: str
    remarks: tuple[str, ...] = ()
    stopped: bool = False  # was the process stopped, now or before?

    def __str__(self) -> str:
        rows = [("called", self.called), ("expected", self.expected), ("got", self.got)]
        why = "begin" if self.key == "unwritten" else "cause"
        rows += [(why, self.cause), ("next", self.following)]
        shown = [(say(key), text) for key, text in rows if text]
        width = max(len(title) for title, _ in shown)
        indent = "\n" + " " * (width + 2)
        lines = [f"{title:{width}}  " + text.replace("\n", indent) for title, text in shown]
        return "\n".join([*lines, *self.remarks])


class Mismatch(AssertionError):
    """A check that failed; it reads as the learner's feedback."""

    def __init__(self, feedback: Feedback):
        super().__init__("\n" + str(feedback))
        self.feedback = feedback
