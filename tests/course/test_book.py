"""The book: built once, then looked at in a real browser; a lesson that fails fails it."""

import dataclasses
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mstheft.course import book, manifest
from mstheft.errors import MstheftError

ROOT = Path(__file__).parents[2]
COURSE = manifest.find(ROOT)
LESSONS = [lesson for lesson in COURSE.lessons if lesson.lesson.is_file()]
GUIDE = sorted((COURSE.home / "guide").glob("*.md"))
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def small(tmp_path, source):
    """A course of one lesson."""
    home = tmp_path / "tutorials"
    (home / "lessons").mkdir(parents=True)
    shutil.copytree(COURSE.home / "guide", home / "guide")
    shutil.copytree(COURSE.home / "figures", home / "figures")
    for name in ("conf.py", "index.md", "notation.md", "references.md"):
        shutil.copy(COURSE.home / name, home)
    (home / "lessons" / "02_logistic.py").write_text(source)
    return manifest.Course(home, "small")


@pytest.mark.slow
def test_a_lesson_that_fails_fails_the_book(tmp_path):
    pytest.importorskip("myst_nb")
    course = small(
        tmp_path, "# %% [markdown]\n# # 02 · A\n\n# %%\nx = 1\nassert x == 2, 'not two'\n"
    )
    with pytest.raises(MstheftError, match=r"(?s)02_logistic.*not two"):
        book.build(course, tmp_path / "out")


@pytest.mark.slow
def test_a_formula_that_cannot_be_rendered_fails_the_book(tmp_path):
    pytest.importorskip("myst_nb")
    course = small(tmp_path, "# %% [markdown]\n# # 02 · A\n#\n# $\\nosuchthing x$\n\n# %%\nx = 1\n")
    with pytest.raises(MstheftError, match="nosuchthing"):
        book.build(course, tmp_path / "out")


def test_a_missing_package_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(book.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MstheftError, match=r"pip install -e '\.\[course\]'"):
        book.build(COURSE, tmp_path)


def test_a_lesson_becomes_a_notebook_and_a_newer_one_is_kept(tmp_path):
    pytest.importorskip("jupytext")
    course = small(tmp_path, "# %% [markdown]\n# # A\n\n# %%\nx = 1\n")
    lesson = dataclasses.replace(COURSE.lesson(2), home=course.home)
    path = book.notebook(lesson)
    cells = json.loads(path.read_text())["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", "code"]
    path.write_text("mine")
    assert book.notebook(lesson).read_text() == "mine"


# ---- in a browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The whole book."""
    pytest.importorskip("myst_nb")
    return book.build(COURSE, tmp_path_factory.mktemp("book") / "out").parent


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium of the system."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = next((p for p in map(shutil.which, CHROMIUM) if p), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as play:
        # Flags without which Chromium itself asks the network for things.
        quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
        with play.chromium.launch(executable_path=path, args=[*quiet, "--disable-sync"]) as chrome:
            yield chrome


def opened(browser, path, size):
    """A page, and everything that went wrong while it was opened."""
    page = browser.new_page(viewport=size)
    wrong = []
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on("request", lambda r: wrong.append(r.url) if r.url.startswith("http") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    return page, wrong


def looked_at(page):
    """What a reader would complain of."""
    pictures = page.eval_on_selector_all(
        "img", "all => all.filter(i => !i.complete || i.naturalWidth == 0).map(i => i.src)"
    )
    body = page.evaluate(
        "(() => { const b = document.body.cloneNode(true);"
        "b.querySelectorAll('pre, code, script, style, math').forEach(e => e.remove());"
        "return b.textContent })()"
    )
    raw = re.findall(r"\$[^$\n]{1,60}\$|\\(?:frac|sum|cdot|begin|mathrm)\b", body)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return pictures, raw, wide


@pytest.mark.browser
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_can_be_read(browser, pages, lesson, size):
    page, wrong = opened(browser, pages / "lessons" / f"{lesson.name}.html", size)
    pictures, raw, wide = looked_at(page)
    assert wrong == []
    assert pictures == []
    assert raw == []
    assert wide <= 1
    assert page.locator("article img").count() >= 2
    assert page.locator("h1").first.inner_text().startswith(f"{lesson.number:02d} ·")
    link = page.locator("p.download a")
    notebook = pages / "lessons" / link.get_attribute("href")
    assert json.loads(notebook.read_text())["cells"]
    page.close()


@pytest.mark.browser
def test_the_page_to_drag_stands_in_its_lesson(browser, pages):
    page, wrong = opened(browser, pages / "lessons" / "04_critical_points.html", DESK)
    page.locator("iframe").scroll_into_view_if_needed()
    inside = page.frame_locator("iframe")
    assert "kinks" in inside.locator("#readout").inner_text()
    assert wrong == []
    page.close()


@pytest.mark.browser
def test_formulas_are_drawn_without_a_network(browser, pages):
    page, wrong = opened(browser, pages / "lessons" / "02_logistic.html", DESK)
    assert wrong == []
    sizes = page.eval_on_selector_all(
        "math", "all => all.map(m => m.getBoundingClientRect().height)"
    )
    assert len(sizes) > 20
    assert min(sizes) > 5
    page.close()


@pytest.mark.browser
def test_previous_and_next(browser, pages):
    page, _ = opened(browser, pages / "lessons" / "02_logistic.html", DESK)
    page.locator("a.next-page").click()
    assert page.locator("h1").first.inner_text().startswith("03")
    page.locator("a.prev-page").click()
    assert page.locator("h1").first.inner_text().startswith("02")
    page.close()


@pytest.mark.browser
def test_search_finds_a_lesson(browser, pages):
    page, wrong = opened(browser, pages / "index.html", DESK)
    page.locator("input.sidebar-search").fill("softmax")
    page.keyboard.press("Enter")
    page.wait_for_selector("ul.search li")
    assert "02" in page.locator("ul.search").inner_text()
    assert wrong == []
    page.close()


@pytest.mark.browser
def test_the_glossary_can_be_read(browser, pages):
    for size in (PHONE, DESK):
        page, wrong = opened(browser, pages / "notation.html", size)
        pictures, raw, wide = looked_at(page)
        assert (wrong, pictures, raw) == ([], [], [])
        assert wide <= 1
        assert "模型窃取" in page.locator("article").inner_text()
        page.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", [path.stem for path in GUIDE])
def test_a_page_of_the_guide_can_be_read(browser, pages, name):
    for size in (PHONE, DESK):
        page, wrong = opened(browser, pages / "guide" / f"{name}.html", size)
        pictures, raw, wide = looked_at(page)
        assert (wrong, pictures, raw) == ([], [], [])
        assert wide <= 1
        page.close()


@pytest.mark.browser
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_page_of_the_tour_can_be_read(browser, tour, size):
    page, wrong = opened(browser, tour, size)
    pictures, raw, wide = looked_at(page)
    assert (wrong, pictures, raw) == ([], [], [])
    assert wide <= 1
    page.close()


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """The page that `mstheft tour` writes."""
    from mstheft import cli

    out = tmp_path_factory.mktemp("tour")
    assert cli.main(["tour", "--out", str(out), "--quiet"]) == 0
    return out / "index.html"


def status_page():
    """What the service shows of an ordinary visitor, and of queries that all lie on one line."""
    from service_checks import ask

    from mstheft.defend.prada import Detector
    from mstheft.nn import zoo
    from mstheft.oracle.http import service
    from mstheft.oracle.http.accounts import Accounts

    accounts = Accounts(":memory:", [("visitor", "one", 500), ("thief", "two", None)])
    app = service.application(zoo.mlp([20, 8, 3], rng=0), accounts, detector=Detector)
    ordinary = np.random.default_rng(0).normal(size=(300, 20))
    for key, x in (("one", ordinary), ("two", np.outer(np.arange(300.0), np.ones(20)))):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        told = ask(app, ("POST", "/v1/predict", headers, json.dumps({"inputs": x.tolist()})))
        assert told.status_code == 200
    text = ask(app, ("GET", "/", {}, b"")).text
    app.state.service.close()
    return text


@pytest.mark.browser
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_status_page_of_the_service_can_be_read(browser, tmp_path, size):
    pytest.importorskip("starlette")
    path = tmp_path / "status.html"
    with ThreadPoolExecutor(1) as other:  # a loop of its own: the browser's runs in this thread
        path.write_text(other.submit(status_page).result())
    page, wrong = opened(browser, path, size)
    pictures, raw, wide = looked_at(page)
    assert (wrong, pictures, raw) == ([], [], [])
    assert wide <= 1
    assert page.locator("svg, img").count() >= 2
    assert "visitor" in page.locator("body").inner_text()
    page.close()
