"""The documents: their length, links, commands, Python, and the figures that they quote."""

import argparse
import csv
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from mstheft import cli, nn
from mstheft.course import manifest

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
BENCHMARKS = ROOT / "tests" / "benchmarks"
RESULTS = BENCHMARKS / "RESULTS.md"
GUIDE = sorted((ROOT / "tutorials" / "guide").glob("*.md"))
DOCUMENTS = [
    README, CONTRIBUTING, RESULTS, ROOT / "CHANGELOG.md",
    *sorted((ROOT / "tutorials").glob("*.md")), *GUIDE,
]  # fmt: skip


def name_of(path):
    return str(path.relative_to(ROOT))


def text_of(path):
    return path.read_text(encoding="utf-8")


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(path), re.MULTILINE | re.DOTALL)


# ---- length and links


def test_the_readme_fits_in_a_hand():
    assert 100 <= len(text_of(README).splitlines()) <= 200


def test_the_commands_that_ci_reads_are_there():
    for name in ("tour", "tests"):
        assert len(re.findall(rf"<!-- {name} -->\n```sh\n[^\n]+\n```\n", text_of(README))) == 1


def anchors(text):
    """The names that GitHub gives to headings."""
    heads = re.findall(r"^#+ +(.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken_links(path, text):
    """Relative links, pictures among them, that lead nowhere."""
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        if not target.exists() or (anchor and anchor not in anchors(text_of(target))):
            yield link


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_relative_link_leads_somewhere(path):
    assert list(broken_links(path, text_of(path))) == []


def test_a_broken_link_is_seen():
    text = "[a](nowhere.md) [b](README.md#nothing) [c](README.md#results) [d](https://x.y/z)"
    assert list(broken_links(README, text)) == ["nowhere.md", "README.md#nothing"]


def test_every_page_of_the_guide_is_in_the_book():
    index = text_of(ROOT / "tutorials" / "index.md")
    assert len(GUIDE) >= 10
    assert [path.stem for path in GUIDE if f"\nguide/{path.stem}\n" not in index] == []


# ---- Python

NEEDS_A_SERVICE = "HttpVictim("
SLOW = "pate.teachers("


def python_blocks():
    """Every block of Python once, with the page on which it stands first."""
    first = {}
    for path in (README, *GUIDE):
        for n, source in enumerate(blocks(path, "python"), 1):
            first.setdefault(source, f"{path.name}, block {n}")
    for source, name in first.items():
        marks = [pytest.mark.slow] if SLOW in source else []
        yield pytest.param(source, name, id=name, marks=marks)


@pytest.mark.parametrize(("source", "name"), list(python_blocks()))
def test_every_python_block_runs(source, name, tmp_path, monkeypatch):
    """In a folder with the networks that the pages save; what needs a service is compiled only."""
    code = compile(source, name, "exec")
    if NEEDS_A_SERVICE in source:
        return
    if "import torch" in source:
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    for saved in ("mnist.npz", "victim.npz"):
        nn.zoo.mlp([784, 8, 10], rng=0).save(saved)
    exec(code, {"__name__": "block"})


# ---- commands


def commands(path):
    """Every `mstheft …` of the sh blocks, and of the text where no … stands for something.

    In the text `mstheft serve` is the name of a command, of which there must be a help.
    """
    text = text_of(path)
    spans = re.findall(r"`(mstheft [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    named = [f"{each} --help" if re.fullmatch("[a-z ]+", each) else each for each in spans]
    lines = [line for block in blocks(path, "sh") for line in block.splitlines()]
    for line in (*lines, *(each for each in named if "…" not in each)):
        for part in line.split("&&"):
            words = shlex.split(part, comments=True)
            if words and Path(words[0]).name == "mstheft":
                yield words[1:]


class Parsed(BaseException):
    """The arguments were understood; nothing else is to happen."""


@pytest.fixture
def parse(monkeypatch):
    """parse(words): run the command line up to where the arguments are understood."""
    original = argparse.ArgumentParser.parse_args

    def stop(*args, **settings):
        original(*args, **settings)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    return cli.main


@pytest.mark.parametrize("path", [README, CONTRIBUTING, *GUIDE], ids=name_of)
def test_every_command_is_understood(path, parse, capsys):
    for words in commands(path):
        try:
            status = parse(words)
        except Parsed:
            status = 0
        assert status == 0, f"mstheft {shlex.join(words)}: {capsys.readouterr().err}"


def test_there_are_commands_to_understand():
    assert sum(len(list(commands(path))) for path in (README, *GUIDE)) > 60


def test_a_command_with_a_wrong_option_is_seen(parse, capsys):
    assert parse(["steal", "relu", "--shap", "20-8-3", "--nothing"]) == 2


# ---- figures


@pytest.fixture
def benchmark_of(monkeypatch):
    """benchmark_of(name): the script of that name, imported."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


TABLES = sorted(path.stem for path in (BENCHMARKS / "experiments").glob("*.csv"))


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_of_the_experiments_are_those_of_their_csv(name, benchmark_of):
    found = rows(BENCHMARKS / "experiments" / f"{name}.csv")
    table = benchmark_of("experiments").TABLES[name]
    block = benchmark_of("results").block(name)
    assert table(found) == block
    found[-1]["final"] = found[-1]["prada_w"] = "0.1234"  # a figure that is another is seen
    assert table(found) != block


def test_the_table_of_the_arena_is_that_of_its_csv(benchmark_of):
    found = rows(BENCHMARKS / "arenas" / "glyphs.csv")
    assert benchmark_of("arena").overview(found) == benchmark_of("results").block("arena")


def test_the_table_of_coarse_answers_is_that_of_its_runs(benchmark_of):
    script, results = benchmark_of("precision"), benchmark_of("results")
    for shape, name in script.NAMES.items():
        head, *body = script.precision.table(script.read(script.HERE / f"{shape}.jsonl"))
        assert results.table(head, body) == results.block(name)


def test_the_guide_shows_the_table_of_piecewise_networks(benchmark_of):
    page = text_of(ROOT / "tutorials" / "guide" / "piecewise.md")
    table = benchmark_of("piecewise").short(benchmark_of("results").block("piecewise"))
    assert len(table.splitlines()) > 15
    assert table in page


def test_a_whole_run_replaces_its_table_and_no_other(benchmark_of, tmp_path, capsys):
    results = benchmark_of("results")
    path = tmp_path / "RESULTS.md"
    mark = "<!-- benchmark: {} -->\n{}\n<!-- /benchmark -->\n"
    path.write_text(mark.format("a", "| old |") + mark.format("b", "| b |"))
    with results.recorded("a", path=path, whole=False):
        sys.stdout.write("| part |\n")
    assert results.block("a", path) == "| old |"
    with results.recorded("a", path=path):
        sys.stdout.write("| new |\n| 1 |\n")
    assert path.read_text() == mark.format("a", "| new |\n| 1 |") + mark.format("b", "| b |")
    assert capsys.readouterr().out == "| part |\n| new |\n| 1 |\n"
    with pytest.raises(ZeroDivisionError), results.recorded("b", path=path):
        sys.stdout.write(f"| {1 / 0} |\n")
    assert results.block("b", path) == "| b |"
    with pytest.raises(KeyError, match="benchmark: c"), results.recorded("c", path=path):
        pass


def test_every_table_that_a_script_writes_has_its_place(benchmark_of):
    for path in BENCHMARKS.glob("*.py"):
        for name in re.findall(r"(?:recorded|write)\(\"([a-z0-9-]+)\"", text_of(path)):
            assert benchmark_of("results").block(name), (path.name, name)


def section(text, anchor):
    """The text under the heading of that name."""
    parts = re.split(r"^(?=#+ )", text, flags=re.MULTILINE)
    return next(part for part in parts if anchor in anchors(part))


QUOTED = r"\d{1,3}(?:,\d{3})+|\d+ of \d+|\d+\.?\d* %|2\^\d+\.\d+|\d+(?= queries)"


def quoted_figures(line):
    """[(anchor, what the line quotes)]: long numbers, 'n of n', shares, powers of two."""
    anchor = re.search(r"RESULTS\.md#([\w-]+)", line)
    result = line.split("|")[2] if anchor else ""
    found = re.findall(
        r"\d{1,3}(?:,\d{3})+|\d+ of \d+|\d+\.?\d* %|2\^\d+\.\d+|\d+(?= queries)", result
    )
    return [(anchor.group(1), figure) for figure in found]


def test_the_figures_of_the_readme_stand_in_the_results():
    table = text_of(README).split("\n## Results\n")[1].split("\n## ")[0]
    quoted = [each for line in table.splitlines() for each in quoted_figures(line)]
    assert len(quoted) > 15
    for anchor, figure in quoted:
        assert figure in section(text_of(RESULTS), anchor), (anchor, figure)


# ---- the course


def ways_through(path):
    """(lessons, hours) of each way in the table of three."""
    row = r"^\| [^|]+ \| ([^|]*\d\d[^|]*) \| ([\d½]+) hours \|$"
    for words, hours in re.findall(row, text_of(path), re.MULTILINE):
        spans = [range(int(a), int(b) + 1) for a, b in re.findall(r"(\d\d) to (\d\d)", words)]
        lessons = {int(n) for n in re.findall(r"\d\d", words)}.union(*spans)
        yield lessons, float(hours.replace("½", ".5"))


def test_the_ways_through_the_course_need_nothing_else_and_take_their_time():
    course = manifest.find(ROOT)
    ways = list(ways_through(README))
    assert ways == list(ways_through(ROOT / "tutorials" / "guide" / "teachers.md"))
    assert len(ways) == 3
    for lessons, hours in ways:
        assert all(lessons.issuperset(course.lesson(n).prerequisites) for n in lessons)
        assert abs(sum(course.lesson(n).minutes for n in lessons) / 60 - hours) <= 0.25


# ---- the house


def test_the_map_has_every_room_and_no_other():
    table = text_of(CONTRIBUTING).split("## A map of the house")[1].split("\n## ")[0]
    lines = [line.split("|")[2] for line in table.splitlines() if re.match(r"\| \d", line)]
    mapped = {name.rstrip("/") for line in lines for name in re.findall(r"`([\w./]+)`", line)}
    there = {
        path.name
        for path in (ROOT / "mstheft").iterdir()
        if not path.name.startswith("__") and not path.name.startswith(".")
    }
    assert mapped == there


@pytest.mark.parametrize("path", [README, CONTRIBUTING], ids=name_of)
def test_every_file_that_is_named_is_there(path):
    """`direct/sweep/` in a column that begins in mstheft/, or a path from the top."""
    named = re.findall(r"`((?:\.github|\.ci|mstheft|tests|tutorials)/[\w./-]+)`", text_of(path))
    if path == README:
        cells = [line.split("|")[3] for line in text_of(path).splitlines() if line.count("|") == 5]
        inside = [name for cell in cells for name in re.findall(r"`(\w+/[\w./]*)`", cell)]
        named += [f"mstheft/{name}" for name in inside]
        assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_oldest_versions_are_those_that_are_declared():
    declared = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["dependencies"]
    oldest = text_of(ROOT / "tests" / "minimum.txt")
    pinned = dict(re.findall(r"^(\w+)==([\d.]+)", oldest, re.MULTILINE))
    for each in declared:
        name, version = re.match(r"(\w+)>=([\d.]+)", each).groups()
        assert f"{pinned[name]}.".startswith(f"{version}."), name
