"""One HTML page from chapters: it holds its pictures, loads nothing and runs no script."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from mstheft.report.formatting import NUMBERS, STAGES, Chapter, Picture


def page(title: str, intro: Sequence[str], chapters: Sequence[Chapter]) -> str:
    """One HTML page: an introduction, a table of all chapters, the chapters.

    Pictures are inside it; it loads nothing, runs no script, and follows the reader's choice of
    light or dark.
    """
    names = list(dict.fromkeys(name for chapter in chapters for name in chapter.numbers))
    rows = [
        [f'<a href="#part-{i}">{escape(chapter.title)}</a>']
        + [escape(chapter.numbers.get(name, "")) for name in names]
        for i, chapter in enumerate(chapters, 1)
    ]
    overview = _table(["chapter", *names], rows, "All chapters in numbers", names) if rows else ""
    body = "\n".join(_chapter(i, chapter) for i, chapter in enumerate(chapters, 1))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<main>
<header>
<h1>{escape(title)}</h1>
{_paragraphs(intro)}
{overview}
</header>
{body}
</main>
</body>
</html>
"""


def _chapter(number: int, chapter: Chapter) -> str:
    rows = [[escape(cell) for cell in row] for row in chapter.stages]
    stages = _table(STAGES, rows, f"Stages: {chapter.title}", NUMBERS) if rows else ""
    figures = "\n".join(_figure(each) for each in chapter.figures)
    return f"""<section id="part-{number}">
<h2>{number}. {escape(chapter.title)}</h2>
{_paragraphs(chapter.text)}
{stages}
<div class="figures">
{figures}
</div>
</section>"""


def _figure(figure: Picture) -> str:
    data = base64.b64encode(figure.png).decode()
    return f"""<figure>
<div class="wide" tabindex="0" role="group" aria-label="{escape(figure.name)}">
<img src="data:image/png;base64,{data}" alt="{escape(figure.alt)}">
</div>
<figcaption>{escape(figure.caption)}</figcaption>
</figure>"""


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], label: str, right: Sequence[str]
) -> str:
    """Cells are HTML already; the first of each row names it, those under `right` are numbers."""
    kinds = [' class="number"' if name in right else "" for name in head]
    top = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(head, kinds, strict=True)
    )
    lines = []
    for first, *rest in rows:
        cells = (f"<td{kind}>{cell}</td>" for cell, kind in zip(rest, kinds[1:], strict=True))
        lines.append(f'<tr><th scope="row">{first}</th>{"".join(cells)}</tr>')
    body = "\n".join(lines)
    return f"""<div class="wide" tabindex="0" role="group" aria-label="{escape(label)}">
<table>
<thead><tr>{top}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>"""


def _paragraphs(text: Iterable[str]) -> str:
    return "\n".join(f"<p>{escape(each)}</p>" for each in text)


POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = "\n" + Path(__file__).with_name("page.css").read_text(encoding="utf-8")
