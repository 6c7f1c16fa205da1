"""The tour on small digits: every chapter steals, the page tells it, nothing is printed."""

import pytest
from page_reader import Page

from mstheft.direct import linear, relu
from mstheft.errors import ExtractionError
from mstheft.nn import zoo
from mstheft.oracle import Oracle
from mstheft.report import formatting as report
from mstheft.report import pictures as figures
from mstheft.report import tour
from mstheft.report.tour import exact
from mstheft.result import Result

SMALL = tour.Setting(seed=1, train=400, test=200, side=8, hidden=5)


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """One small tour: (path, what it said)."""
    said = []
    path = tour.run(tmp_path_factory.mktemp("tour") / "new" / "folder", SMALL, said.append)
    return path, said


@pytest.mark.slow
def test_the_page_stands_alone(visit):
    path, _ = visit
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.self_contained()
    tags = [tag for tag, _ in page.tags]
    assert tags.count("h2") == len(tour.CHAPTERS)
    assert tags.count("img") == tags.count("figcaption") >= 12
    assert all(len(attrs["alt"]) > 20 for tag, attrs in page.tags if tag == "img")
    assert 100_000 < len(text) < 6_000_000
    assert [each.name for each in path.parent.iterdir()] == ["index.html"]


def test_it_tells_every_chapter_as_it_goes(visit):
    _, said = visit
    assert len(said) == 1 + len(tour.CHAPTERS)
    assert "sweep, labels only, watched" in said[-1]
    for text in said[1:-1]:
        learned = "A copy that learns" in text
        assert ("a learned copy" if learned else "a verified copy") in text
        assert ("agreement               100.00 %" in text) != learned
        assert "queries / F" in text


def test_it_prints_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(tour, "CHAPTERS", (exact.logistic,))
    tour.run(tmp_path, SMALL)
    assert capsys.readouterr() == ("", "")


def test_the_same_seed_gives_the_same_copies():
    digits = exact.glyphs(SMALL)
    first, second = (exact.four_steps(SMALL, digits) for _ in range(2))
    assert [row[1] for row in first.stages] == [row[1] for row in second.stages]
    alike = set(first.numbers) - {"seconds"}
    assert all(first.numbers[name] == second.numbers[name] for name in alike)


def test_a_failed_attack_writes_no_page(tmp_path, monkeypatch):
    def fails(setting, digits):
        raise ExtractionError("somewhere", "something", "something else")

    monkeypatch.setattr(tour, "CHAPTERS", (fails,))
    with pytest.raises(ExtractionError):
        tour.run(tmp_path, SMALL)
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_an_attack_that_failed_show_what_there_is():
    victim = zoo.mlp([6, 4, 3], bias=0.1, rng=0)
    result = relu.extract(Oracle(victim), rng=0)
    names = [each.name for each in figures.relu_pictures(victim, result)]
    assert names == ["kinks", "slopes", "second_differences", "signs", "weights", "errors"]
    result.verified = False
    assert [each.name for each in figures.relu_pictures(victim, result)] == names[:3]
    result.trace.lines, result.trace.neurons = [], []
    assert list(figures.relu_pictures(victim, result)) == []
    assert list(figures.linear_pictures(victim, Result())) == []
    assert list(figures.label_pictures(victim, Result())) == []


@pytest.mark.parametrize("outputs", [1, 2, 5])
@pytest.mark.parametrize("side", [None, 3])
def test_pictures_of_equation_solving(outputs, side):
    victim = zoo.mlp([9, outputs], bias=0.1, rng=0)
    result = linear.extract(Oracle(victim, "probs"), rng=0)
    pictures = list(figures.linear_pictures(victim, result, side))
    names = ["equations", "logit_line", *(["rows"] if side else []), "weights", "errors"]
    assert [each.name for each in pictures] == names
    assert all(isinstance(each, report.Picture) and each.caption for each in pictures)
