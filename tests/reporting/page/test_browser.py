"""The page in a browser: it works from disk without a network, and nothing in a row takes effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from hf_oss_instruct import report
from hf_oss_instruct.reporting.rows import open_rows
from hf_oss_instruct.reporting.server import ReportServer
from hf_oss_instruct.schemas import VERIFIED_SCHEMA
from tests.reporting.datasets import ATTACK, attacked, benchmark, rejected, run_folder, verified

from .browser import axe, chromium, look, requests, until

KEPT, REJECTED = 120, 8
HUGE = "word " * 100_000
HIDDEN = r"[\u0000-\u0008\u000e-\u001f\u202a-\u202e\u2066-\u2069]"
"""Control and bidirectional characters."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of verified rows, the last ones full of attacks, and of rejected ones."""
    home = tmp_path_factory.mktemp("report")
    rows = [verified(number) for number in range(KEPT - 3)]
    rows += [attacked(KEPT - 3), attacked(KEPT - 2), verified(KEPT - 1) | {"problem": HUGE + "the end"}]
    fallen = [rejected(number, "truncated") for number in range(REJECTED - 1)]
    quoting = {"received": ATTACK, "repo_name": ATTACK}
    fallen += [rejected(99, "contaminated", "toy:Toy/0:quote") | quoting]
    run = run_folder(home / "<b>run", rows, fallen, VERIFIED_SCHEMA, teacher=ATTACK)
    report(run, benchmarks=[str(benchmark(home / "toy.jsonl"))]).save(run / "report")
    return run


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(params=["from disk", "served"])
def page(request: pytest.FixtureRequest, driver: webdriver.Chrome, folder: Path) -> Iterator[webdriver.Chrome]:
    """The page, opened from disk or from the server, with its rows listed."""
    if request.param == "served":
        with ReportServer(open_rows(folder), 0) as server:
            server.start()
            yield opened(driver, server.address)
            driver.get("about:blank")
    else:
        yield opened(driver, address(folder))
    assert driver.execute_script("return window.pwned") is None


def address(folder: Path, anchor: str = "") -> str:
    return (folder / "report" / "index.html").as_uri() + anchor


def opened(driver: webdriver.Chrome, url: str, width: int = 1280) -> webdriver.Chrome:
    look(driver, width)
    driver.get("about:blank")
    driver.get(url)
    until(driver, lambda: "of " in count(driver))
    return driver


def count(driver: webdriver.Chrome) -> str:
    return driver.find_element(By.ID, "count").text


def choose(driver: webdriver.Chrome, name: str, value: str) -> None:
    driver.execute_script(
        "const one = document.getElementById('filter-' + arguments[0]); one.value = arguments[1];"
        "one.dispatchEvent(new Event('change'))",
        *(name, value),
    )


def press(driver: webdriver.Chrome, keys: str) -> None:
    driver.find_element(By.TAG_NAME, "body").send_keys(keys)


def listed(driver: webdriver.Chrome) -> list[str]:
    return driver.execute_script("return [...document.querySelectorAll('#list a')].map((link) => link.dataset.key)")  # type: ignore[no-any-return]


def article(driver: webdriver.Chrome, key: str) -> Any:
    return until(driver, lambda: driver.find_elements(By.CSS_SELECTOR, f"article[aria-label='Row {key}']"))[0]


def test_filters_search_and_pages_find_the_rows(page: webdriver.Chrome) -> None:
    assert count(page) == f"Rows 1 to 50 of {KEPT + REJECTED}"
    page.find_element(By.ID, "next").click()
    until(page, lambda: count(page).startswith("Rows 51 to 100"))
    choose(page, "table", "rejected")
    until(page, lambda: count(page) == f"Rows 1 to {REJECTED} of {REJECTED}")
    choose(page, "reason", "contaminated")
    until(page, lambda: listed(page) == ["rejected-7"])
    choose(page, "table", "")
    choose(page, "reason", "")
    choose(page, "rate", "1")
    until(page, lambda: count(page) == "Rows 1 to 30 of 30")
    choose(page, "rate", "")
    page.find_element(By.ID, "search").send_keys("WORD21 term39")
    until(page, lambda: listed(page) == ["kept-3"])


def test_a_row_shows_its_texts_tests_and_verdicts_and_where_it_comes_from(page: webdriver.Chrome) -> None:
    page.execute_script("location.hash = 'row=' + arguments[0]", f"{5:032x}")  # by its id
    shown = article(page, "kept-5")
    for text in ("Encrypt a password", "std::string hash", "assert f(5) == 1", "test 1: passed", "test 2: failed", "x = 5"):
        assert text in shown.text
    link = shown.find_element(By.CSS_SELECTOR, "dl a").get_attribute("href")
    assert link == "https://github.com/owner/repo5/blob/" + "a" * 40 + "/src/a%20file5.txt#L3-L9"
    assert shown.find_elements(By.CSS_SELECTOR, "pre .hljs-comment")
    matrix = page.execute_script(
        "return [...document.querySelectorAll('table.matrix tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert matrix == [
        ["solution", "test 1", "test 2", "passed"],
        ["1: passed", "✓passed", "✗failed", "1 of 2"],
        ["2: failed", "✗failed", "?unknown", "0 of 2"],
        ["passed by", "1 of 2", "0 of 2", ""],
    ]


def test_the_keyboard_walks_through_the_rows_and_puts_two_side_by_side(page: webdriver.Chrome) -> None:
    press(page, "j")
    article(page, "kept-0")
    press(page, "j")
    article(page, "kept-1")
    press(page, "c")
    press(page, "j")
    article(page, "kept-2")
    assert article(page, "kept-1").location["y"] == article(page, "kept-2").location["y"]
    until(page, lambda: page.execute_script("return location.hash") == "#row=kept-2&with=kept-1")
    press(page, Keys.ESCAPE)
    press(page, Keys.ESCAPE)
    until(page, lambda: not page.find_elements(By.TAG_NAME, "article"))
    press(page, "/")
    assert page.switch_to.active_element.get_attribute("id") == "search"


@pytest.mark.parametrize("key", ["kept-117", "kept-118", "kept-119", "rejected-7"])
def test_nothing_in_a_row_takes_effect(page: webdriver.Chrome, key: str) -> None:
    page.get_log("browser")
    page.execute_script("location.hash = 'row=' + arguments[0]", key)
    shown = article(page, key)
    text = page.execute_script("return arguments[0].textContent", shown)
    if key == "kept-119":
        assert len(text) < 300_000
        assert "more characters" in text
    else:
        assert "</script><script>window.pwned = 1</script>" in text
        assert "\\x1b[31mred" in text
        assert "\\u202egnitirw" in text
    hidden = page.execute_script("return document.documentElement.outerHTML.match(new RegExp(arguments[0]))", HIDDEN)
    assert hidden is None
    assert not page.find_elements(By.CSS_SELECTOR, "#open img, #open script, #open svg")
    links = [link.get_attribute("href") for link in shown.find_elements(By.TAG_NAME, "a")]
    assert all("pwned" not in link and "javascript:" not in link for link in links)
    assert page.get_log("browser") == []


def test_the_page_is_quiet_and_asks_for_nothing_but_its_rows(driver: webdriver.Chrome, folder: Path) -> None:
    driver.get_log("browser")
    requests(driver)
    opened(driver, address(folder, "#row=kept-3"))
    article(driver, "kept-3")
    page, *asked = [url for url in requests(driver) if url not in ("about:blank", "data:,")]
    assert page.startswith(address(folder))
    assert [url.rsplit("/report/")[-1] for url in asked] == ["rows/index.js", "rows/00000.js"]
    assert driver.get_log("browser") == []
    assert driver.execute_script("return document.querySelector('h1').textContent") == "<b>run"
    point = driver.find_element(By.CSS_SELECTOR, "svg.chart [data-row]")
    driver.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', { bubbles: true }))", point)
    article(driver, "kept-0")  # the first point of the map opens the first row


SCRIPT = "</script><script>window.pwned = 1</script>"
NAMES = ("__proto__", "constructor", "toString", SCRIPT, "\u202ename", "a.b[0]", " ", "x" * 5_000)


def test_columns_with_hostile_names_and_values_are_columns_like_others(driver: webdriver.Chrome, tmp_path: Path) -> None:
    values: list[Any] = [ATTACK, {"__proto__": 1, "<b>": ATTACK}, float("nan"), 2**63 - 1, [ATTACK], True, b"\xff\x00", "long"]
    rows = [{"problem": f"Sort {n}", "solution": "x", "lang": ATTACK} | dict(zip(NAMES, values, strict=True)) for n in range(3)]
    rows += [{"problem": "Other types", "solution": "y", "tests": {"a": 1}, "solutions": "text", "test_results": 7, "seed": 5}]
    report(rows, benchmarks=[]).save(tmp_path)
    driver.get_log("browser")
    opened(driver, (tmp_path / "index.html").as_uri() + "#row=kept-0")
    shown = article(driver, "kept-0")
    text = driver.execute_script("return arguments[0].textContent", shown)
    for name in ("__proto__", "constructor", SCRIPT, "\\u202ename", "a.b[0]"):
        assert name in text
    assert not shown.find_elements(By.TAG_NAME, "script")
    driver.execute_script("location.hash = 'row=kept-3'")
    assert "Other types" in article(driver, "kept-3").text
    assert driver.execute_script("return window.pwned") is None
    assert driver.get_log("browser") == []


def test_a_script_that_is_not_the_pages_own_does_not_run(driver: webdriver.Chrome, folder: Path) -> None:
    text = (folder / "report" / "index.html").read_text()
    other = folder / "report" / "changed.html"
    other.write_text(text.replace("</main>", "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'></main>"))
    opened(driver, other.as_uri())
    assert driver.execute_script("return window.pwned") is None
    assert any("Content Security Policy" in entry["message"] for entry in driver.get_log("browser"))


@pytest.mark.parametrize(
    ("dark", "width"),
    # Colors depend on the theme and what is cut on the width.
    [(False, 390), (True, 1280), *(pytest.param(*other, marks=pytest.mark.long) for other in [(False, 1280), (True, 390)])],
)
def test_axe_finds_no_serious_fault_and_nothing_is_cut(driver: webdriver.Chrome, folder: Path, width: int, dark: bool) -> None:
    script = axe()
    opened(driver, address(folder, "#row=kept-117"), width)
    look(driver, width, dark=dark)
    article(driver, "kept-117")
    for details in driver.find_elements(By.TAG_NAME, "details"):
        driver.execute_script("arguments[0].open = true", details)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    paper = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(18, 22, 27)") == dark
    driver.execute_script(script)
    found = driver.execute_async_script("axe.run().then(arguments[0])")
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in serious]
    assert len(found["passes"]) > 10
