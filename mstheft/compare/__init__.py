"""Comparing two networks: the same answers, the same function, the same parameters?

From the weakest statement to the strongest:

    agreement, fidelity       how often the labels are equal
    logit_difference          how far the logits are apart on given rows
    functional_equivalence    (ε, δ): |f - g| ≤ ε but for a share δ of the inputs, by sampling
    certificate               (ε, 0): |f - g| ≤ ε on a whole box, by arithmetic
    align                     the parameters, up to order and scale

`as_convolution` turns a dense copy of a convolution into one.

A network is called `a` or `b` where its parameters are read, and `f` or `g` where only its answers
are: those may be any callable (n, d) -> (n, K) as well. Source: Jagielski et al. 2020,
section 3 (fidelity and functional equivalence).
"""

from mstheft.compare.agreement import Answers, Difference, agreement, control, logit_difference
from mstheft.compare.alignment import align
from mstheft.compare.certificate import certificate
from mstheft.compare.convolution import Convolution, as_convolution
from mstheft.compare.fidelity import Equivalence, Fidelity, Sample, fidelity, interval
from mstheft.compare.fidelity import functional_equivalence as functional_equivalence
from mstheft.compare.summary import Summary, summary

__all__ = ["Answers", "Convolution", "Difference", "Equivalence", "Fidelity", "Sample", "Summary"]
__all__ += ["agreement", "align", "as_convolution", "certificate", "control", "fidelity"]
__all__ += ["functional_equivalence", "interval", "logit_difference", "summary"]
