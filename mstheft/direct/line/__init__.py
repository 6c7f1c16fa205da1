"""Critical points of a line: where does a piecewise linear function bend?"""

from mstheft.direct.line.bisection import bisect
from mstheft.direct.line.critical_points import measure_noise, search
from mstheft.direct.line.probe import Line

__all__ = ["Line", "bisect", "measure_noise", "search"]
