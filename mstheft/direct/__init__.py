"""Exact recovery: attacks that solve for the weights instead of learning them."""

from mstheft.direct import deep, labels, line, linear, recognise, relu, smooth, sweep
from mstheft.direct.answers.diagnosis import measure_noise
from mstheft.direct.answers.noise import Noise
from mstheft.direct.linear import boundary
from mstheft.direct.polishing.polish import Polished, polish

label_only = boundary  # its name before it became `boundary`

__all__ = [
    "Noise",
    "Polished",
    "boundary",
    "deep",
    "label_only",
    "labels",
    "line",
    "linear",
    "measure_noise",
    "polish",
    "recognise",
    "relu",
    "smooth",
    "sweep",
]
