"""One HTML page from chapters: it holds its pictures, loads nothing and runs no script."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from mstheft.report.tables import NUMBERS, STAGES, Chapter, Picture


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

STYLE = """
:root { color-scheme: light dark; --back: #fbfaf7; --text: #1f2328; --quiet: #5b6470;
  --line: #d9d6cd; --card: #ffffff; --link: #00588a; --shade: #00000030; }
@media (prefers-color-scheme: dark) { :root { --back: #16181c; --text: #e8e6e1; --quiet: #a5adb8;
  --line: #3a3f47; --card: #1e2126; --link: #7cc4f0;
  --shade: #ffffff38; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 1rem/1.6 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1rem clamp(0.9rem, 4vw, 3rem) 4rem; }
h1 { font-size: clamp(1.6rem, 1.2rem + 2vw, 2.5rem); line-height: 1.2; margin: 1.5rem 0 1rem; }
h2 { font-size: clamp(1.25rem, 1rem + 1vw, 1.7rem); line-height: 1.3; margin: 0 0 0.8rem; }
p { max-width: 44rem; margin: 0 0 0.9rem; overflow-wrap: break-word; }
a { color: var(--link); }
section { margin-top: 3rem; padding-top: 2rem; border-top: 1px solid var(--line); }
.wide { overflow-x: auto; }
.wide:has(table) { background:
  linear-gradient(to right, var(--back) 50%, transparent) left / 2rem 100% no-repeat local,
  linear-gradient(to left, var(--back) 50%, transparent) right / 2rem 100% no-repeat local,
  linear-gradient(to right, var(--shade), transparent) left / 0.8rem 100% no-repeat scroll,
  linear-gradient(to left, var(--shade), transparent) right / 0.8rem 100% no-repeat scroll; }
td:last-child:not(.number) { white-space: normal; min-width: 15rem; }
.number { text-align: right; }
tbody th { min-width: 7rem; white-space: normal; }
.wide:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; margin: 0.6rem 0 1.2rem; font-size: 0.92rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.9rem 0.35rem 0; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
thead th { color: var(--quiet); font-weight: 600; }
tbody th { font-weight: 500; }
th:last-child, td:last-child { padding-right: 0; }
.figures { display: grid; gap: 1.6rem; margin-top: 1.2rem;
  align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); }
figure { margin: 0; padding: 0.8rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.5rem; min-width: 0; }
img { display: block; width: 100%; min-width: 19rem; height: auto; background: #ffffff;
  border-radius: 0.25rem; }
figcaption { color: var(--quiet); font-size: 0.93rem; line-height: 1.5; margin-top: 0.7rem; }
@media print { .figures { display: block; } figure { break-inside: avoid; margin-bottom: 1rem; } }
"""
