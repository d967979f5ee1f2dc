"""The site of the docs: it builds without a warning, its links lead somewhere, and it fetches nothing from elsewhere."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from docs.api_reference import INTERNAL

import hf_oss_instruct

ROOT = Path(__file__).parents[1]


class Page(HTMLParser):
    """What a page links to and loads, the anchors that it offers, and its text by section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.sections: dict[str, str] = {}
        self._section = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given["id"]} if "id" in given else set()
        if tag in ("h2", "h3"):
            self._section = given.get("id", "").removeprefix("hf_oss_instruct.")
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif (address := given.get("src") or given.get("href")) and given.get("rel") != "canonical":
            self.loads.append(address)

    def handle_data(self, data: str) -> None:
        self.sections[self._section] = self.sections.get(self._section, "") + data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    words = [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--site-dir", folder]
    done = subprocess.run(words, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in site.glob("*.html") if path.name != "404.html"}


def test_every_page_of_the_docs_is_there(pages: dict[Path, Page]) -> None:
    written = {path.stem for path in (ROOT / "docs").glob("*.md")} | {"changelog", "architecture", "contributing"}
    assert {path.stem for path in pages} == written


def test_every_link_leads_to_a_page_and_its_anchor(pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[target].anchors if target in pages else set()
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in anchors | {"__skip"}):
                broken.append(f"{path.name}: {link}")
    assert not broken


def test_a_page_loads_nothing_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    assert {load for page in pages.values() for load in page.loads if urlsplit(load).netloc} == set()
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert "@import" not in styles
    assert "url(http" not in styles.replace('"', "")


@pytest.fixture(scope="module")
def api(pages: dict[Path, Page]) -> Page:
    return next(page for path, page in pages.items() if path.name == "api.html")


def test_the_api_page_documents_every_public_name(api: Page) -> None:
    assert [name for name in hf_oss_instruct.__all__ if not any(anchor.endswith(f".{name}") for anchor in api.anchors)] == []


def test_the_api_page_has_the_arguments_that_a_decorator_gives_a_function(api: Page) -> None:
    described = " ".join(api.sections["read_seeds"].split())
    assert "SeedPlan" not in described
    for name, parameter in inspect.signature(hf_oss_instruct.read_seeds).parameters.items():
        assert f"{name}: {parameter.annotation} = " in described.replace(" | ", " | "), name
    assert "snippets_per_document int | None Maximum number of snippets per document." in described


def test_the_api_page_shows_values_and_no_declarations(api: Page) -> None:
    text = "".join(api.sections.values())
    assert not [name for name in ("option(", "Interface.", "lambda", "SILENT", "DROP", "SECTIONS", "<factory>") if name in text]
    sampling = " ".join(api.sections["Sampling"].split())
    assert "temperature: float = 0.0" in sampling
    assert "temperature float Sampling temperature, 0 for greedy decoding." in sampling


def test_the_api_page_leaves_out_members_for_the_engine(api: Page) -> None:
    for name, members in INTERNAL.items():
        documented = getattr(hf_oss_instruct, name)
        assert [member for member in members if not hasattr(documented, member)] == []
        assert [member for member in members if f"hf_oss_instruct.{name}.{member}" in api.anchors] == []


def test_every_name_of_a_list_on_the_api_page_has_its_own_line(api: Page) -> None:
    assert not [words for section in api.sections.values() for words in re.findall(r"\n\s*(\w+,)\s*\n", section)]
