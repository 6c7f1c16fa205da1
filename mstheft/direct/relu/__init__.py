"""One hidden ReLU layer, stolen in the lecture's steps."""

from mstheft.direct.relu.attack import (
    Neuron,
    assemble,
    extract,
    keep,
    measure_row,
    random_line,
    unexplained,
)
from mstheft.direct.relu.last_layer import (
    neuron_signs,
    signs_by_least_squares,
    solve_last_layer,
    with_remainder,
)
from mstheft.direct.relu.second_differences import (
    absolute_weights,
    relative_signs,
    second_difference,
)

__all__ = [
    "Neuron",
    "absolute_weights",
    "assemble",
    "extract",
    "keep",
    "measure_row",
    "neuron_signs",
    "random_line",
    "relative_signs",
    "second_difference",
    "signs_by_least_squares",
    "solve_last_layer",
    "unexplained",
    "with_remainder",
]
