"""One hidden ReLU layer, stolen in the lecture's four steps."""

from mstheft.direct.relu.absolute_weights import absolute_weights, second_difference
from mstheft.direct.relu.attack import extract, find_critical_points, measure_row
from mstheft.direct.relu.last_layer import assemble, solve_last_layer
from mstheft.direct.relu.signs import neuron_signs, relative_signs, signs_by_least_squares

__all__ = [
    "absolute_weights",
    "assemble",
    "extract",
    "find_critical_points",
    "measure_row",
    "neuron_signs",
    "relative_signs",
    "second_difference",
    "signs_by_least_squares",
    "solve_last_layer",
]
