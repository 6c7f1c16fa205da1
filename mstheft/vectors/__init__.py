"""Known-answer vectors: inputs and right answers for every formula, to hold any code against.

    from mstheft import vectors

    assert vectors.check(my_softmax, "softmax") == []

The answers were computed with 50-digit arithmetic from the papers' formulas, never with this
package. Each case names the bug that it catches. `mstheft vectors list` shows them all.
"""

from mstheft.vectors.cases import Case, cases, load, names, subjects, table
from mstheft.vectors.checking import Failure, check
from mstheft.vectors.victim import Victim

__all__ = ["Case", "Failure", "Victim", "cases", "check", "load", "names", "subjects", "table"]
