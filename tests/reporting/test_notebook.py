"""`report(rows)` in Python: the charts inline, and the same page that the command writes."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pytest
from datasets import Dataset, DatasetDict, IterableDataset

import hf_oss_instruct
from hf_oss_instruct.errors import UsageError

from .datasets import ATTACK, kept, rejected, run_folder, verified


def test_a_notebook_shows_charts_as_images_with_their_numbers() -> None:
    report = hf_oss_instruct.report([verified(number) for number in range(40)], benchmarks=[])
    shown = report._repr_mimebundle_()
    images = [b64decode(one).decode() for one in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown["text/html"])]
    titles = [figure.title for figure in report.figures]
    assert {"Languages", "Categories", "Pass rate", "Map of the rows"} <= set(titles)
    for image, title in zip(images, titles, strict=True):
        assert ElementTree.fromstring(image).tag.endswith("svg")
        assert title in image
    assert "<script" not in shown["text/html"]
    assert "<td>Python</td><td>10</td>" in shown["text/html"]
    assert shown["text/plain"].splitlines()[0] == "40 rows kept of 40"


def test_nothing_in_the_rows_takes_effect_in_a_notebook() -> None:
    rows = [kept(number) | {name: ATTACK for name in ("lang", "repo_name", "problem")} for number in range(3)]
    html = hf_oss_instruct.report(rows, benchmarks=[])._repr_html_()
    texts = [html, *(b64decode(one).decode() for one in re.findall(r"base64,([^\"]+)", html))]
    for text in texts:
        assert "<script" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "&lt;img src=x onerror=" in html
    assert "<img src=x" not in html


def test_rows_of_every_kind_give_the_same_numbers(tmp_path: Path) -> None:
    rows = [kept(number) for number in range(12)]
    table = pa.Table.from_pylist(rows)
    kinds = [rows, table, table.to_pandas(), Dataset.from_list(rows), Dataset.from_list(rows + rows).select(range(12))]
    kinds += [IterableDataset.from_generator(lambda: iter(rows))]
    numbers = [json.dumps(hf_oss_instruct.report(one, benchmarks=[]).numbers) for one in kinds]
    assert set(numbers) == {numbers[0]}
    with pytest.raises(UsageError, match=r"rows\['train'\]"):
        hf_oss_instruct.report(DatasetDict(train=Dataset.from_list(rows)), benchmarks=[])


def test_rows_with_different_columns_and_types_lose_nothing() -> None:
    rows = [{"problem": "a b", "solution": "c"}, {"problem": "d", "solution": "e", "lang": "python", "odd": 1}]
    rows += [{"problem": "f", "solution": "g", "lang": "rust", "odd": "text"}]
    numbers = hf_oss_instruct.report(rows, benchmarks=[]).numbers
    assert numbers["composition"]["languages"]["rows"] == {"not stated": 1, "python": 1, "rust": 1}


def test_a_report_is_saved_as_the_page_of_the_command(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [kept(number) for number in range(9)], [rejected(1, "duplicate")])
    report = hf_oss_instruct.report(folder, compare=[kept(number) for number in range(5)], benchmarks=[])
    page = report.save(tmp_path / "out")
    assert page.read_text().startswith("<!doctype html>")
    assert json.loads((tmp_path / "out/report.json").read_text()) == report.numbers
    assert report.numbers["compared"]["funnel"]["kept"] == 5
    assert sorted(path.name for path in (tmp_path / "out/rows").iterdir()) == ["00000.js", "index.js"]
    report.save(tmp_path / "out", browser=False)
    assert not (tmp_path / "out/rows").exists()
