"""`mstheft tour`: its chapters and its page."""

import os

import pytest

from mstheft.errors import ExtractionError
from mstheft.report import tour

SMALL = tour.Setting(train=400, test=200, side=8, hidden=4)


@pytest.fixture
def small_digits(monkeypatch):
    monkeypatch.setattr(tour, "Setting", lambda *args, **more: SMALL)


@pytest.mark.slow
def test_the_tour_prints_its_chapters(run, small_digits):
    status, printed, complaint = run("tour", "--out", "page")
    assert (status, complaint) == (0, "")
    assert printed.count("a verified copy") == len(tour.CHAPTERS) - 2
    assert printed.count("a learned copy") == 1
    assert printed.count("honest users: ") == 24, "the arena comes last"
    assert "page/index.html written after" in printed.replace(os.sep, "/")
    assert os.listdir("page") == ["index.html"]


def test_a_tour_that_fails_is_status_1(run, monkeypatch):
    def fails(setting, tell):
        raise ExtractionError("solve", "needs this", "try that")

    monkeypatch.setattr(tour, "chapters", fails)
    status, _, complaint = run("tour")
    assert (status, complaint) == (1, "mstheft: stage 'solve': needs this; try that\n")
