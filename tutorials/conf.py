"""The book of the course, for Sphinx: lessons executed, formulas as MathML, pages to drag.

mstheft learn book           or, the same by hand:   sphinx-build -W tutorials mstheft-book
"""

import html
import re
from pathlib import Path

from sphinx.errors import ExtensionError

from mstheft.report import draggable

HERE = Path(__file__).resolve().parent

project = "Model theft, explained by doing it"
html_title = project
copyright = "the mstheft maintainers"
language = "en"

extensions = ["myst_nb"]
source_suffix = {".md": "myst-nb", ".py": "myst-nb"}
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
include_patterns = ["index.md", "notation.md", "references.md", "guide/*.md", "lessons/*.py"]

nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_show_tb = True  # a lesson that fails is a warning, which -W makes fail the book
nb_execution_in_temp = True
nb_output_stderr = "show"
nb_merge_streams = True

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_math_renderer = "mathml"
html_copy_source = False
html_show_copyright = False
html_show_search_summary = False  # it fetches pages, which a browser forbids for local files
html_theme_options = {"source_view_link": "", "top_of_page_buttons": []}
pygments_style = "friendly"

# What the converter of docutils does not know, and what it does.
NOT_KNOWN = [
    (r"\\dots\b", r"\\ldots"),
    (r"\\(big|Big|bigg|Bigg)[lr]?(?![a-z])", ""),
    (r"\\([dt]?frac)(\w)(\w)", r"\\\1{\2}{\3}"),
]


def setup(app):
    """Formulas, and the notebook of each lesson beside its page."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("source-read", _name_what_is_outside)
    app.connect("html-page-context", _add_download)
    app.connect("build-finished", _write_notebooks)


def _name_what_is_outside(app, docname, source):
    """A link out of this folder leads nowhere in the book: it becomes the file's name."""
    depth = docname.count("/") + 1
    outside = re.compile(r"\[([^]]+)\]\(" + re.escape("../" * depth) + r"([^)#]+)(?:#[^)]*)?\)")
    source[0] = outside.sub(r"\1 (`\2`)", source[0])


def _inline(self, node):
    self.body.append(_mathml(node, block=False))
    _skip()


def _block(self, node):
    self.body.append(f'<div class="math">{_mathml(node, block=True)}</div>')
    _skip()


def _mathml(node, block):
    from docutils.utils.math import MathError
    from docutils.utils.math.latex2mathml import tex2mathml

    tex = node.astext()
    for unknown, known in NOT_KNOWN:
        tex = re.sub(unknown, known, tex)
    try:
        return tex2mathml(tex, as_block=block)
    except MathError as error:
        raise ExtensionError(f"a formula cannot be rendered ({error}): {tex}") from error


def _skip():
    from docutils import nodes

    raise nodes.SkipNode


def _add_download(app, pagename, templatename, context, doctree):
    if pagename.startswith("lessons/") and "body" in context:
        name = pagename.removeprefix("lessons/")
        for page, one in draggable.PAGES.items():
            if name.startswith(f"{one.lesson:02d}_"):
                title, place = html.escape(one.title), f"../pages/{page}.html"
                context["body"] += (
                    f'<h2>Drag it: {title}</h2><iframe src="{place}" title="{title}" '
                    f'loading="lazy" style="width: 100%; height: 56rem; border: 0"></iframe>'
                    f'<p><a href="{place}">The same on a page of its own</a></p>'
                )
        context["body"] += (
            f'<p class="download"><a href="../notebooks/{name}.ipynb" download>'
            f"Download this lesson as a notebook</a></p>"
        )


def _write_notebooks(app, error):
    import jupytext

    if error or app.builder.format != "html":
        return
    draggable.write(Path(app.outdir) / "pages")
    folder = Path(app.outdir) / "notebooks"
    folder.mkdir(exist_ok=True)
    for path in sorted((HERE / "lessons").glob("[0-9]*.py")):
        jupytext.write(jupytext.read(path), folder / f"{path.stem}.ipynb")
