"""The lessons as a book of HTML pages, and one lesson as a notebook. Sphinx and Jupyter do it."""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from mstheft.course import manifest, state
from mstheft.errors import MstheftError

EXTRA = "which is not installed; run: pip install -e '.[course]'"


def build(course: manifest.Course, out: Path) -> Path:
    """Build the book into `out` and return its first page. Executes every lesson: minutes.

    Raises `MstheftError` with the end of Sphinx's output if a lesson fails, or a formula, or a
    reference.
    """
    for package in ("sphinx", "myst_nb", "furo", "jupytext", "ipykernel"):
        _need(package, "the book")
    out.mkdir(parents=True, exist_ok=True)
    own = str(Path(__file__).parents[2])  # so that the lessons use this mstheft and no other
    path = os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory() as scratch:
        words = ["-b", "html", "-W", "-q", "-d", scratch, str(course.home), str(out)]
        run = subprocess.run(
            [sys.executable, "-m", "sphinx", *words],
            env={**os.environ, "PYTHONPATH": path, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
            capture_output=True,
            text=True,
        )
    if run.returncode:
        raise MstheftError(f"the book could not be built: {_essence(run.stderr)}")
    return out / "index.html"


def _essence(output: str) -> str:
    """The error of a lesson or a formula, without what Sphinx writes about itself."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", output).splitlines()]
    lines = [line for line in lines if line and "IPKernelApp" not in line]
    return "\n".join(lines)[-3000:]


def notebook(lesson: manifest.Lesson) -> Path:
    """The lesson as `tutorials/notebooks/NN_name.ipynb`; one that is newer is left as it is.

    An older one, in which a learner may have written, is renamed and stays in the folder.
    """
    _need("jupytext", "a lesson as a notebook")
    import jupytext

    path = lesson.home / "notebooks" / f"{lesson.name}.ipynb"
    if not path.exists() or path.stat().st_mtime < lesson.lesson.stat().st_mtime:
        path.parent.mkdir(exist_ok=True)
        if path.exists():
            os.replace(path, state.aside(path))
        jupytext.write(jupytext.read(lesson.lesson), path)
    return path


def jupyter(path: Path) -> int:
    """Open a notebook in JupyterLab, until it is closed. Returns its exit status."""
    need_jupyter()
    try:
        return subprocess.call([sys.executable, "-m", "jupyterlab", str(path)])
    except KeyboardInterrupt:
        return 0


def need_jupyter() -> None:
    """Raises `MstheftError` where JupyterLab is not installed."""
    _need("jupyterlab", "Jupyter")


def _need(package: str, what: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise MstheftError(f"{what} needs {package}, {EXTRA}")
