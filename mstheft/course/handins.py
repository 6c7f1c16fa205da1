"""What a class handed in: every file, whose it is, for which exercise, and its text.

A file is `anna/02_logistic.py`, `anna_02_logistic.py` or `02_logistic/anna.py`; a notebook; a
file of another name that defines the functions of one exercise. Nothing is left out: a file that
cannot be judged says why.
"""

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mstheft.course.manifest import Course, Lesson
from mstheft.course.messages import say
from mstheft.errors import DataError

LARGEST = 200_000  # bytes of a Python file
TIMED = ("%%time", "%%timeit", "%%capture")  # cells of Python all the same
LARGEST_NOTEBOOK = 20_000_000  # bytes of a notebook, with its pictures
ENCODINGS = ("utf-8-sig", "gb18030", "latin-1")  # the last reads anything
PYTHON = (".py", ".txt", ".ipynb")
BESIDES = ("._", ".DS_Store", "__pycache__", "__MACOSX")  # what machines make beside files


@dataclass(frozen=True)
class HandIn:
    """A file that was handed in.

    lesson : None if it is for no exercise
    source : its Python, or '' with the `refused` reason
    remarks : how it was read, where that was not the usual way
    changed : seconds since 1970 at which the file was last changed
    """

    author: str
    path: Path
    lesson: Lesson | None
    source: str = ""
    refused: str = ""
    remarks: tuple[str, ...] = field(default=())
    changed: float = 0.0


def read(course: Course, folder: Path, names: Sequence[str] = ()) -> list[HandIn]:
    """Every file in `folder`, by author, under their names on the roster if there is one.

    Raises `DataError` if there is none.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of submissions; name one")
    files = (
        path
        for path in sorted(folder.rglob("*"))
        if (not path.is_dir() or path.is_symlink() or path.suffix.lower() in PYTHON)
        and not path.name.startswith(BESIDES)
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts[:-1])
    )
    find = on_roster(names)
    found = [_renamed(_read(course, folder, path), find) for path in files]
    if not found:
        name = course.lessons[0].name
        raise DataError(f"{folder}: expected files such as anna/{name}.py or anna_{name}.py")
    return sorted(found, key=lambda one: (one.author, one.changed, str(one.path)))


def _renamed(one: HandIn, find: Callable[[str], str | None] | None) -> HandIn:
    if find is None:
        return one
    if name := find(one.author):
        return replace(one, author=name)
    return replace(one, remarks=(*one.remarks, say("grade_unknown")))


def _read(course: Course, folder: Path, path: Path) -> HandIn:
    named = _named(course, path.stem) or _named(course, path.parent.name)
    author, when = _author(folder, path, named), path.lstat().st_mtime
    try:
        source, remarks = _source(path)
    except _Refused as reason:
        return HandIn(author, path, named, refused=str(reason), changed=when)
    lesson = named or _by_functions(course, source)
    refused = "" if lesson else say("grade_no_exercise")
    if lesson and not named:
        remarks = (*remarks, say("grade_by_functions", name=lesson.name))
    return HandIn(author, path, lesson, source, refused, remarks, when)


class _Refused(Exception):
    """Why a file is not judged."""


def _source(path: Path) -> tuple[str, tuple[str, ...]]:
    """The Python of a file, and how it was read."""
    if path.is_symlink():
        raise _Refused(say("grade_link"))
    if not path.is_file():
        raise _Refused(say("grade_no_file"))
    kind = path.suffix.lower()
    if kind not in PYTHON:
        raise _Refused(say("grade_kind", kind=kind or path.name))
    most = LARGEST_NOTEBOOK if kind == ".ipynb" else LARGEST
    if path.stat().st_size > most:
        raise _Refused(say("grade_large", kilobytes=most // 1000))
    text, remarks = _text(path.read_bytes())
    if kind == ".ipynb":
        return _cells(text), (*remarks, say("grade_notebook"))
    return text, remarks


def _text(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file: UTF-8, what its first lines say, UTF-16, or GB18030, in this order."""
    cookie = re.match(rb"(?:[^\n]*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", data)
    wide = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ()
    named = (cookie[1].decode("ascii", "replace"),) if cookie else ()
    for encoding in (*wide, "utf-8-sig", *named, *ENCODINGS[1:]):
        try:
            text = data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        text = re.sub("coding([:=])", r"coded\1", text, count=1) if cookie else text
        usual = encoding == "utf-8-sig" or encoding in named
        return text, () if usual else (say("grade_encoding", encoding=encoding.upper()),)
    raise AssertionError("Latin-1 reads anything")


def _cells(text: str) -> str:
    """The code of a notebook, without the commands of the notebook itself."""
    try:
        cells = json.loads(text)["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        code = [cell for cell in code if not cell.startswith("%%") or cell.startswith(TIMED)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _Refused(say("grade_no_notebook", error=f"{type(error).__name__}")) from None
    lines = "\n\n".join(code).splitlines()
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def _named(course: Course, words: str) -> Lesson | None:
    plain = _plain(words)
    return next((one for one in course.lessons if _plain(one.name) in plain), None)


def _by_functions(course: Course, source: str) -> Lesson | None:
    """The exercise of which the text defines most functions; None if no single one does."""
    defined = set(re.findall(r"^def (\w+)\(", source, re.MULTILINE))
    shares = [len(defined & {f.name for f in one.functions}) for one in course.lessons]
    best = max(shares)
    most = [one for one, share in zip(course.lessons, shares, strict=True) if share == best]
    return most[0] if best and len(most) == 1 else None


def _author(folder: Path, path: Path, lesson: Lesson | None) -> str:
    """The first folder that is not called after an exercise; else what is left of the name."""
    above = path.parent.relative_to(folder).parts
    own = [part for part in above if not (lesson and _plain(lesson.name) in _plain(part))]
    if own:
        return own[0]
    stem = path.stem
    if lesson:
        pattern = re.sub("[^a-z0-9]", r"[\\W_]*", lesson.name)
        stem = re.sub(pattern + r"( ?\(\d+\))?", "", stem, flags=re.IGNORECASE)
    return re.sub(r"^[_\- .]+|[_\- .]+$", "", stem) or path.stem


def _plain(words: str) -> str:
    """Letters and digits alone, in one case."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", words).casefold())


def roster(path: Path) -> list[str]:
    """The names in the first column of a table, without its heading if it has one.

    Raises `DataError` if the file has none.
    """
    text, _ = _text(path.read_bytes())
    names = [row[0].strip() for row in csv.reader(text.splitlines()) if row and row[0].strip()]
    if names and _plain(names[0]) in ("name", "names", "author", "student", "id", "姓名", "学号"):
        names = names[1:]
    if not names:
        raise DataError(f"{path}: expected one name a row in the first column, got none")
    return names


def on_roster(names: Sequence[str]) -> Callable[[str], str | None] | None:
    """author -> the name on the roster that it is or contains; None without a single one.

    None in place of the function if there is no roster.
    """
    if not names:
        return None
    plain = {_plain(name): name for name in names}

    def find(author: str) -> str | None:
        own = _plain(author)
        if own in plain:
            return plain[own]
        inside = [name for key, name in plain.items() if key and key in own]
        return max(inside, key=len) if len(inside) == 1 else None

    return find
