"""Critical points of a line: where does a piecewise linear function bend?"""

from mstheft.direct.line.critical_points import Line, bisect, measure_noise, search

__all__ = ["Line", "bisect", "measure_noise", "search"]
