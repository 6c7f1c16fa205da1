"""Two networks on given rows: how often the labels are equal, how far the logits are apart."""

from __future__ import annotations

from typing import Any, NamedTuple

from mstheft.compare.answers import Answers, apart, both, labels


def agreement(f: Answers, g: Answers, x: Any) -> float:
    """Share of rows on which the labels agree: (1/n) Σ_i [argmax f(x_i) = argmax g(x_i)].

    f, g : Networks, or callables (n, d) -> (n, K) scores; with K = 1 a score above 0 is class 1
    x : (n, d)
    """
    first, second = both(f, g, x, labels=True)
    return float((labels(first) == labels(second)).mean())


def control(victim: Answers, independent: Answers, x: Any) -> float:
    """Agreement that is reached without theft: of the victim and a network that never saw it.

    Two networks that solve one task well agree on most of its inputs. Only what a copy's
    agreement has above this number was learned from the victim's answers.

    independent : trained on the task's own labels, of the copy's architecture and from as many
        samples as the copy; whoever trains it must see to that, here it cannot be known
    x : (n, d) the rows on which the copy is judged
    """
    if independent is victim:
        raise ValueError("expected a network trained without the victim, got the victim; train one")
    return agreement(victim, independent, x)


class Difference(NamedTuple):
    """max and mean of |Δlogit| over rows and classes, in logits."""

    max: float
    mean: float


def logit_difference(f: Answers, g: Answers, x: Any, *, gauge: bool = False) -> Difference:
    """How far the logits of f and g are apart on rows x, (n, d).

    gauge : subtract the mean over classes from both first. Probabilities do not tell it, so a
        copy stolen from them cannot know it. Needs K ≥ 2
    """
    far = apart(*both(f, g, x), gauge=gauge)
    return Difference(float(far.max()), float(far.mean()))
