"""The errors of this package: a broken assumption, a spent budget, damaged data."""


class MstheftError(Exception):
    """Base class of every error that this package defines."""


class ExtractionError(MstheftError):
    """An attack stopped because one of its assumptions does not hold for this victim.

    stage : the stage of the attack that noticed, for instance ``"absolute weights"``
    assumption : the assumption of this stage that does not hold
    advice : what to try instead
    partial : the `Result` up to this stage: nothing that was paid for is lost
    """

    def __init__(self, stage: str, assumption: str, advice: str, partial: object = None):
        super().__init__(f"stage '{stage}': {assumption}; {advice}")
        self.stage = stage
        self.assumption = assumption
        self.advice = advice
        self.partial = partial

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.stage, self.assumption, self.advice, self.partial)


class BudgetExhausted(MstheftError):
    """A batch is larger than what is left of the oracle's budget; none of it was counted.

    asked : rows in the refused batch
    left : rows that the oracle still answers
    partial : the `Result` up to this batch, if an attack made it
    """

    def __init__(self, asked: int, left: int, budget: int):
        super().__init__(
            f"this batch asks {asked:,} rows but only {left:,} of the budget of {budget:,} are "
            "left; ask a smaller batch or raise budget="
        )
        self.asked = asked
        self.left = left
        self.budget = budget
        self.partial: object = None

    def __reduce__(self) -> tuple[type, tuple[object, ...], dict[str, object]]:
        return type(self), (self.asked, self.left, self.budget), {"partial": self.partial}


class WrongRows(MstheftError, ValueError):
    """Rows that a model does not take, for their shape or for numbers such as NaN."""


class VictimError(MstheftError, ValueError):
    """The victim answered with what is no answer, such as NaN; nothing was charged for it."""


class Unreachable(MstheftError, ConnectionError):
    """The victim gave no answer, however often it was asked; nothing was charged for it."""


class DataError(MstheftError, ValueError):
    """A file is missing, damaged, or not what its name says."""
