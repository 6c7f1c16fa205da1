"""The whole story in one run: small victims on drawn digits, stolen one after the other.

A tour is a list of chapters. Each chapter trains a victim, puts it behind an `Oracle`, hands the
oracle to one attack, and shows the stages in pictures:

    Setting, digits  ->  chapter(setting, digits)  ->  formatting.Chapter  ->  one HTML page

To add a chapter, add a function to `exact` or `learned`, and its name to `CHAPTERS`. Nothing here
prints.
"""

import os
from collections.abc import Callable
from pathlib import Path

from mstheft.experiments.tasks import Task
from mstheft.report import formatting, page
from mstheft.report.formatting import Chapter
from mstheft.report.tour import exact, learned
from mstheft.report.tour.arena import arena
from mstheft.report.tour.exact import Setting
from mstheft.report.tour.words import words

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


def run(
    folder: str | os.PathLike[str],
    setting: Setting | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> Path:
    """Go through all chapters and write `folder`/index.html; returns its path.

    report : called with the text of each chapter as it is ready
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    return write(folder, chapters(setting or Setting(), report))


def chapters(setting: Setting, report: Callable[[str], None]) -> list[Chapter]:
    """All chapters, one after the other."""
    report(f"drawing {setting.train + setting.test:,} digits ...")
    digits, done = exact.glyphs(setting), []
    for number, chapter in enumerate(CHAPTERS, 1):
        done.append(chapter(setting, digits))
        report(f"\n{number}. {formatting.chapter_text(done[-1])}")
    return done


def write(folder: str | os.PathLike[str], done: list[Chapter]) -> Path:
    """The page of these chapters, `folder`/index.html; returns its path."""
    path = Path(folder) / "index.html"
    formatting.write(path, page.page(*words("tour"), done))
    return path
