"""The pages to drag: whole, without a network, and the same numbers as the library's."""

import json
import re
import shutil

import numpy as np
import pytest
from scipy import stats

from mstheft.report import draggable

SIZES = {"phone": {"width": 390, "height": 800}, "desk": {"width": 1280, "height": 900}}


@pytest.mark.parametrize("name", draggable.PAGES)
def test_a_page_loads_nothing_and_holds_its_data(name):
    text = draggable.page(name)
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert "http" not in re.sub(r"http://www.w3.org/2000/svg|http-equiv", "", text)
    data = re.search(r'id="data">(.*?)</script>', text).group(1)
    assert json.loads(data)


def test_all_are_written(tmp_path):
    paths = draggable.write(tmp_path / "pages")
    assert [path.stem for path in paths] == list(draggable.PAGES)
    assert len(paths) >= 6
    assert all(path.stat().st_size < 200_000 for path in paths)


@pytest.fixture(scope="module")
def chrome():
    playwright = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((p for p in map(shutil.which, names) if p), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as play:
        quiet = ["--no-sandbox", "--disable-background-networking"]
        with play.chromium.launch(executable_path=path, args=quiet) as browser:
            yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    draggable.write(folder)
    return folder


def opened(chrome, folder, name, size="desk", scheme="light"):
    page = chrome.new_page(viewport=SIZES[size], color_scheme=scheme)
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.goto((folder / f"{name}.html").as_uri())
    return page, wrong


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", draggable.PAGES)
def test_a_page_can_be_read(chrome, folder, name, size, scheme):
    page, wrong = opened(chrome, folder, name, size, scheme)
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert len(page.locator("#readout").inner_text()) > 40
    assert page.locator("svg").count() >= 2
    assert "NaN" not in page.content().split('id="data"')[0]
    back, text = (
        page.evaluate(f"getComputedStyle(document.body).{each}")
        for each in ("backgroundColor", "color")
    )
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (back, text)]
    assert (light[0] > light[1]) == (scheme == "light")
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", draggable.PAGES)
def test_keys_move_everything(chrome, folder, name):
    page, wrong = opened(chrome, folder, name)
    for control in page.locator("input[type=range], .handle").all():
        before = page.locator("#readout").inner_text(), page.locator("#stage").inner_html()
        control.focus()
        is_slider = control.get_attribute("type") == "range"
        at_edge = is_slider and control.input_value() == control.get_attribute("min")
        for _ in range(3):
            page.keyboard.press("ArrowRight" if at_edge else "ArrowLeft")
            page.keyboard.press("ArrowUp" if at_edge else "ArrowDown")
        after = page.locator("#readout").inner_text(), page.locator("#stage").inner_html()
        assert after != before, control.get_attribute("aria-label")
    for button in page.locator("button").all():
        button.click()
    assert wrong == []
    assert "NaN" not in page.locator("#readout").inner_text()
    page.close()


@pytest.mark.browser
def test_a_point_follows_the_mouse(chrome, folder):
    page, wrong = opened(chrome, folder, "line")
    before = page.locator("#readout").inner_text()
    box = page.locator(".handle").first.bounding_box()
    page.mouse.move(box["x"] + 9, box["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] - 60, steps=4)
    page.mouse.up()
    assert page.locator("#readout").inner_text() != before
    assert wrong == []
    page.close()


@pytest.mark.browser
def test_a_stream_is_drawn_by_hand(chrome, folder):
    page, _ = opened(chrome, folder, "prada")
    page.get_by_role("button", name="begin anew").click()
    assert page.locator("#readout").inner_text().startswith("0 queries")
    box = page.locator("svg").first.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 250, steps=40)
    page.mouse.up()
    assert int(page.locator("#readout").inner_text().split()[0]) > 20
    page.get_by_role("button", name="a thief on a grid").click()
    assert page.locator("#readout").inner_text().startswith("Alarm at query")
    page.get_by_role("button", name="honest users").click()
    assert "no alarm" in page.locator("#readout").inner_text()
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("n", [20, 60, 150])
def test_w_is_that_of_shapiro_and_wilk(chrome, folder, n):
    x = np.random.default_rng(n).gamma(3, size=n)
    page, _ = opened(chrome, folder, "prada")
    got = page.evaluate(f"W({x.tolist()})")
    assert got == pytest.approx(stats.shapiro(x).statistic, abs=2e-4)
    page.close()


@pytest.mark.browser
def test_the_bill_is_that_of_the_accountant(chrome, folder):
    page, _ = opened(chrome, folder, "pate")
    for n, sigma in ((100, 40.0), (1000, 100.0)):
        a = 1 + np.geomspace(1e-3, 1e4, 20_000)
        want = (n * a / sigma**2 + np.log(1e5) / (a - 1)).min()
        assert page.evaluate(f"epsilon({n}, {sigma})") == pytest.approx(want, rel=1e-3)
    page.close()
