"""The trace of a sweep, its notes and its error, and whether another line is worth searching."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mstheft.direct import line as lines
from mstheft.direct.answers.view import View
from mstheft.direct.box import Box
from mstheft.direct.hyperplanes.hyperplanes import Hyperplanes
from mstheft.direct.hyperplanes.jacobians import JacobianSite
from mstheft.direct.hyperplanes.plan import Plan
from mstheft.direct.polishing.finish import Polishing
from mstheft.errors import ExtractionError
from mstheft.result import Result, count
from mstheft.typing import Array

MOST_ROUGH = 4  # lines before coarse answers are polished, whatever is left
OFF = 0.1  # error of a polished row whose misfit has not fallen, relative to its length
RELIABLE = 0.1  # error of a rough row, relative to its length, up to which it predicts its kinks


@dataclass
class Trace:
    """What the stages saw.

    neurons : rows scaled so that |a_i·v| = 1 on the line that showed the neuron
    is_rough : are the answers coarse? new : neurons that the last line has added
    needed : how many of a rough copy's neurons random rows need
    signs : (h,) s_i before rounding; witness : (2, d) where the copy was right and where wrong
    misfit : what the copy misses of the differences paid for, before and after refinement
    view : where coarse probabilities were read; all that the trace holds is in its units
    """

    neurons: Hyperplanes
    lines: list[lines.Line] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    sites: list[JacobianSite] = field(default_factory=list)
    signs: Array | None = None
    witness: Array | None = None
    is_rough: bool = False
    new: int = 0
    needed: int = 0
    polishing: Polishing = field(default_factory=Polishing)
    misfit: list[float] = field(default_factory=list)
    view: View | None = None


def open_ends(trace: Trace, line: lines.Line, left: int, most: int) -> bool:
    """Is another line worth it before a copy is tried?

    left : kinks of the last line that are not explained. Coarse answers leave some on most lines:
        there lines are searched until one shows nothing new.
    """
    if not len(trace.neurons):
        return True
    if trace.is_rough:
        reliable = (
            float(np.median(trace.neurons.relative_errors)) * np.sqrt(len(line.start)) < RELIABLE
        )
        return (left > 0 or trace.new > 0) and len(trace.lines) < (MOST_ROUGH if reliable else 2)
    is_open = (left or line.unresolved) and trace.witness is None
    return bool(is_open) and len(trace.lines) < most


def describe(result: Result) -> None:
    """One line on what each stage found, as far as the attack came."""
    trace, notes = result.trace, result.notes
    kinks = sum(len(line.kinks) for line in trace.lines)
    if trace.lines:
        notes["line"] = f"{count(kinks, 'kink')} on {count(len(trace.lines), 'line')}"
    if trace.sites:
        rows, width = trace.neurons.rows.shape
        notes["jacobians"] = f"{count(len(trace.sites), 'Jacobian')}, {rows:,} rows of {width:,}"
    if trace.signs is not None:
        notes["signs"] = f"{count(len(trace.signs), 'sign')}, " + (
            f"at most {np.abs(np.abs(trace.signs) - 1).max(initial=0):.1e} from ±1"
            if np.isfinite(trace.signs).all()
            else "not determined: an affine remainder stands for them"
        )
    if trace.misfit:
        notes["refinement"] = f"misfit {trace.misfit[0]:.1e}, then {trace.misfit[1]:.1e}"


def polished_planes(result: Result) -> Hyperplanes:
    """The hyperplanes of a polished copy: better ones to tell new kinks from known ones."""
    (rows, offsets), (outputs, _) = result.model.dense()
    polished = result.trace.polishing.polished
    before = result.trace.neurons.points
    points = before if len(before) == len(rows) else np.zeros(rows.shape)
    length = np.linalg.norm(rows, axis=1)
    away = (np.einsum("hd,hd->h", rows, points) + offsets) / length**2
    share = min(1.0, polished.misfit[-1] / max(polished.misfit[0], 1e-300))
    errors = OFF * share * length / np.sqrt(rows.shape[1])
    return Hyperplanes(rows, points - away[:, None] * rows, outputs.T, errors)


def gave_up(result: Result, box: Box | None) -> ExtractionError:
    """The error of a sweep that has searched all of its lines in vain."""
    trace = result.trace
    kinks, neurons = max(len(line.kinks) for line in trace.lines), len(trace.neurons)
    if kinks == 0:
        stage, advice = "line", "try direct.linear" if box is None else "widen the box"
        why = "no kink on any line, so the victim is linear or constant there, or too coarse"
    elif neurons == 0:
        stage, advice = "jacobians", "try direct.deep for more hidden layers"
        why = f"none of {kinks} kinks gave a row that agrees with its line"
    else:
        off = "could not be finished" if np.isnan(result.error) else f"is off by {result.error:.2g}"
        stage, advice = "verify", "try direct.deep, or learn a copy from labelled data"
        if trace.is_rough:
            advice = "try learning.sketched, which needs no kinks, or direct.deep"
        why = f"the copy with {neurons} neurons from {len(trace.lines)} lines {off}"
    return ExtractionError(stage, why, f"ask for more digits, or {advice}", partial=result)
