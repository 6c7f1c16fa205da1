"""The whole story in one run: small victims on drawn digits, stolen one after the other.

A tour is a list of chapters. Each chapter trains a victim, puts it behind an `Oracle`, hands the
oracle to one attack, and shows the stages in pictures:

    Setting, digits  ->  chapter(setting, digits)  ->  tables.Chapter  ->  one HTML page

To add a chapter, add a function to `exact` or `learned`, and its name to `CHAPTERS`. Nothing here
prints.
"""

import os
from collections.abc import Callable
from pathlib import Path

from mstheft.experiments.tasks import Task
from mstheft.report import page, tables
from mstheft.report.tables import Chapter
from mstheft.report.tour import exact, learned
from mstheft.report.tour.arena import arena
from mstheft.report.tour.exact import Setting

CHAPTERS: tuple[Callable[[Setting, Task], Chapter], ...] = (
    exact.logistic,
    exact.softmax,
    exact.four_steps,
    exact.one_sweep,
    exact.smooth_neurons,
    exact.two_layers,
    learned.learned_copy,
    arena,
)

TITLE = "How to steal a neural network"
INTRO = (
    "Each victim on this page was trained a moment ago on digits drawn from fonts, and then put "
    "behind a counter: the thief may hand in inputs and read answers, and sees nothing else. At "
    "the end of each chapter the copy is held against the victim on pictures that neither the "
    "training nor the theft has used.",
    "F is the floor: the number of unknowns divided by the numbers in one answer. No attack on a "
    "network without special structure can do with fewer questions, so queries / F measures "
    "how thrifty a theft was. Do this only to models that are yours or that you may test.",
)


def run(
    folder: str | os.PathLike[str],
    setting: Setting | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> Path:
    """Go through all chapters and write `folder`/index.html; returns its path.

    report : called with the text of each chapter as it is ready
    """
    setting, path = setting or Setting(), Path(folder) / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    report(f"drawing {setting.train + setting.test:,} digits ...")
    digits, done = exact.glyphs(setting), []
    for number, chapter in enumerate(CHAPTERS, 1):
        done.append(chapter(setting, digits))
        report(f"\n{number}. {tables.chapter_text(done[-1])}")
    tables.write(path, page.page(TITLE, INTRO, done))
    return path
