"""How much rounding stops which attack: `mstheft study precision`, its table and its figure.

    python tests/benchmarks/precision.py

Three random victims of shape 30-8-4 behind each kind of answer. Writes the table of RESULTS.md.
"""

from __future__ import annotations

from results import FIGURES, recorded, table

from mstheft.experiments import precision
from mstheft.plots.precision import error_against_digits

SHAPE = [30, 8, 4]


def main() -> None:
    runs = list(precision.study(SHAPE))
    head, *rows = precision.table(runs)
    with recorded("precision"):
        print(table(head, rows).replace("| 1 decimals", "| 1 decimal"))
    drawn: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in head[1:]}
    for run in runs:
        if run.verified and run.error is not None:
            drawn[run.attack][0].append(run.digits)
            drawn[run.attack][1].append(run.error)
    figure = error_against_digits(drawn).get_figure()
    figure.savefig(FIGURES / "precision.png", dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
