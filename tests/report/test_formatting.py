"""Tables, JSON and the page: pure text, so every claim is about text."""

import json
import math

import numpy as np
import pytest
from page_reader import Page

from mstheft.nn import zoo
from mstheft.report import formatting as report
from mstheft.report.page import page as html_page
from mstheft.result import Result

NASTY = "<script>alert(\"1\")</script> & 'two' <img src=http://evil.example/x>"


def chapter(title="A title", **settings):
    picture = report.Picture("kinks", "bends", "A walk.", b"\x89PNG")
    rows = [("base", "1", "0.10", "a point")]
    told = {"text": ["One.", "Two."], "figures": [picture], "numbers": {"queries": "21"}}
    return report.Chapter(title=title, stages=rows, **(told | settings))


def stolen():
    result = Result(model=zoo.softmax(4, 3, rng=0), verified=True, error=2e-9)
    result.queries, result.seconds = {"solve": 5, "verify": 1000}, {"solve": 0.5, "verify": 0.25}
    result.notes = {"solve": "15 numbers"}
    return result


def test_a_table_lines_up_its_columns():
    text = report.table(("name", "n"), [("a", "1"), ("bcdef", "1,000")], right=("n",))
    assert text == "name       n\n-----  -----\na          1\nbcdef  1,000"


def test_stage_rows_end_in_the_sum():
    rows = report.stage_rows(stolen())
    assert rows[0] == ("solve", "5", "0.50", "15 numbers")
    assert rows[-1] == ("total", "1,005", "0.75", "a verified copy")
    assert report.stage_rows(Result())[-1] == ("total", "0", "0.00", "no verified copy")


def test_found_is_what_the_attack_says_of_itself():
    result = Result(error=1e-9, notes={"line": "64 kinks on 1 line", "empty": ""})
    told = report.findings(result)
    assert told["line"] == "64 kinks on 1 line"
    assert "empty" not in told
    assert "1.0e-09" in told["verify"]
    result.found["verify"] = "its own words"
    assert report.findings(result)["verify"] == "its own words"
    assert report.findings(Result()) == {}


def test_floor_line_divides():
    # softmax 4 -> 3: F = (4·3 + 3) / 3 = 5
    assert report.floor_line(stolen()) == (
        "queries / F = 1,005 / 5.0 = 201.00   (1.00 without the check on fresh rows)"
    )


def test_json_has_no_nan_and_no_numpy():
    values = {"a": float("nan"), "b": [np.float64("inf"), np.int64(3)], "c": {"d": np.float64(0.5)}}
    assert json.loads(report.to_json(values)) == {"a": None, "b": [None, 3], "c": {"d": 0.5}}
    empty = json.loads(report.to_json(report.record(Result())))
    assert empty["verified"] is False
    assert empty["floor"] is empty["error"] is empty["queries_per_floor"] is None


def test_record_tells_every_stage():
    told = report.record(stolen())
    assert told["queries"] == 1005
    assert math.isclose(told["queries_per_floor"], 201)
    expected = {"stage": "solve", "queries": 5, "seconds": 0.5, "found": "15 numbers"}
    assert told["stages"][0] == expected


def test_a_page_is_well_formed_and_needs_nothing_else():
    page = Page(html_page("Title", ["Hello."], [chapter(), chapter("Another")]))
    assert page.self_contained()
    tags = [tag for tag, _ in page.tags]
    assert (tags.count("h1"), tags.count("h2"), tags.count("figure")) == (1, 2, 2)
    assert all(attrs.get("alt") for tag, attrs in page.tags if tag == "img")
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    links = {each[1:] for each in page.resources if each.startswith("#")}
    assert links == ids == {"part-1", "part-2"}


def test_a_page_follows_dark_and_narrow_screens():
    text = html_page("Title", [], [chapter()])
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text
    assert "default-src 'none'" in text


def test_everything_from_outside_is_escaped():
    picture = report.Picture(NASTY, NASTY, NASTY, b"")
    nasty = chapter(NASTY, text=[NASTY], figures=[picture], numbers={NASTY: NASTY})
    nasty = report.Chapter(**(vars(nasty) | {"stages": [(NASTY,) * 4]}))
    text = html_page(NASTY, [NASTY], [nasty])
    page = Page(text)
    assert page.self_contained()
    assert "<script" not in text
    assert NASTY in "".join(page.text)


def test_columns_of_all_chapters_are_gathered():
    text = html_page("T", [], [chapter(numbers={"a": "1"}), chapter(numbers={"b": "2"})])
    heads = [tag for tag, attrs in Page(text).tags if tag == "th" and attrs["scope"] == "col"]
    assert len(heads) == 3 + 2 * len(report.STAGES)
    assert Page(html_page("T", [], [])).self_contained()


def test_write_replaces_whole_files_only(tmp_path):
    path = tmp_path / "page.html"
    report.write(path, "äöü")
    report.write(path, b"\x00\x01")
    assert path.read_bytes() == b"\x00\x01"
    with pytest.raises(ValueError, match="folder"):
        report.write(tmp_path / "none" / "page.html", "x")
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


def test_a_picture_is_a_png():
    from mstheft.plots import style

    drawn = report.picture("n", style.axes(size=(1, 1)), "alt", "caption")
    assert drawn.png.startswith(b"\x89PNG\r\n")
