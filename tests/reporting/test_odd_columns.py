"""A report of tables that others wrote: their columns have our names and other types, and names that mean something elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from hf_oss_instruct.cli import cli
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.reporting.lookup import RowLookup
from hf_oss_instruct.reporting.report import report
from hf_oss_instruct.reporting.rows import open_rows

from .datasets import kept, rejected, run_folder

TEXTS = {"problem": ["Sort a list", "Parse a file", "Hash a word"], "solution": ["a", "b", "c"]}
COLUMNS = (
    "lang licenses repo_name seed_dataset operation round file_path execution_status pass_rate mutation_score flaky reruns"
    " correct judge_mean judge_scores contaminated_by flags detail seed_id repo_commit start_line seed tests test_results".split()
)
ODD = {
    "lists": pa.array([["x"], [], None]),
    "lists of lists": pa.array([[["x"]], [], None]),
    "objects": pa.array([{"a": 1}, None, {"a": 2}]),
    "lists of objects": pa.array([[{"a": 1}], [], None]),
    "maps": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "views": pa.array(["x", "y", None], pa.string_view()),
    "codes": pa.array(["x", "y", None]).dictionary_encode(),
    "bytes": pa.array([b"\xff", b"x", None]),
    "large numbers": pa.array([2**64 - 1, 1, None], pa.uint64()),
    "not numbers": pa.array([float("nan"), float("inf"), None]),
    "moments": pa.array([0, 1, None], pa.timestamp("us")),
    "nothing": pa.nulls(3),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_column_of_another_type_is_shown_and_not_counted(tmp_path: Path, kind: str) -> None:
    table = pa.table(TEXTS | dict.fromkeys(COLUMNS, ODD[kind]))
    pq.write_table(table, tmp_path / "rows.parquet")
    measured = report(tmp_path / "rows.parquet", benchmarks=[])
    assert measured.numbers["funnel"]["kept"] == 3
    assert measured.numbers["lengths"]["solution"]["mean"] == 1.0
    lookup = RowLookup(measured.rows)
    assert all(len(lookup.values(facet["name"])) <= 3 for facet in lookup.facets())
    assert lookup.find("hash", {}, 0, 9)["items"][0]["title"] == "Hash a word"
    assert lookup.row("no such id") is None
    shown = lookup.row("kept-0")
    assert shown is not None
    assert set(shown["row"]) >= ({"problem", "lang"} if kind != "nothing" else {"problem"})


def test_every_name_can_be_drawn(tmp_path: Path) -> None:
    names = ["constructor", "toString", "__proto__", "it's", 'a"]b', "a\ufffe\x00\x1b[31m", "\u202eevil", "</svg><script>"]
    rows = [{"problem": f"Sort {name}", "solution": "x", "lang": name, "repo_name": name} for name in names]
    folder = tmp_path / "caf\udce9 \x1b[31m constructor"  # a folder whose name is not UTF-8
    page = report(rows, compare=rows, benchmarks=[]).save(folder).read_text("utf-8")
    assert "constructor" in page
    assert r"a\ufffe\x00\x1b[31m" in page
    assert sorted(path.name for path in (folder / "pictures").iterdir())[0] == "categories.png"


def test_files_of_a_folder_are_read_as_one_table_or_the_column_that_differs_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number, more in enumerate(({"lang": ["c"] * 3}, {"round": [1, 2, 3]})):
        pq.write_table(pa.table(TEXTS | more), tmp_path / "data" / f"{number}.parquet")
    assert report(tmp_path, benchmarks=[]).numbers["composition"]["languages"]["rows"] == {"c": 3, "not stated": 3}
    pq.write_table(pa.table(TEXTS | {"lang": [[1], [2], [3]]}), tmp_path / "data" / "2.parquet")
    with pytest.raises(SeedError, match="lang has incompatible types"):
        open_rows(tmp_path)


def test_the_next_command_takes_the_rows_that_the_report_is_about(tmp_path: Path) -> None:
    rows = tmp_path / "rows.parquet"
    pq.write_table(pa.table(TEXTS), rows)
    words = ["--benchmarks", "none", "--out", str(tmp_path / "page")]
    assert f"curate {rows} --out clean" in CliRunner().invoke(cli, ["report", str(rows), *words]).output
    run = run_folder(tmp_path / "run", [kept(0)])
    (run / "oss_instruct.yaml").touch()
    assert f"publish {run} --to YOU/run" in CliRunner().invoke(cli, ["report", str(run), *words]).output
    run = run_folder(tmp_path / "none", [], [rejected(0, "empty")])
    (run / "oss_instruct.yaml").touch()
    assert "Next:" not in CliRunner().invoke(cli, ["report", str(run), *words]).output


def test_rows_without_text_are_refused_with_the_types_of_their_columns() -> None:
    with pytest.raises(UsageError, match=r"text columns, but the rows have messages \(list<.*>\)"):
        open_rows([{"messages": [{"role": "user", "content": "Sort a list"}]}])
    with pytest.raises(UsageError, match=r"--columns: Frage, Antwort\.$"):
        open_rows([{"Frage": "Was?", "Antwort": "Das.", "number": 1}])


@pytest.mark.parametrize("rows", [None, 5, ["a", "b"], [1], [None]])
def test_what_is_no_row_is_said(rows: Any) -> None:
    with pytest.raises(UsageError, match=r"Pass a list of dicts"):
        open_rows(rows)


def test_names_may_be_a_text_as_on_the_command_line() -> None:
    row = {"Frage": "Was ist 1 + 1?", "Antwort": "2"}
    texts = report([row], benchmarks="none", columns="Frage, Antwort").numbers
    assert texts == report([row], benchmarks=[], columns=["Frage", "Antwort"]).numbers
    assert texts["options"]["benchmarks"] == []
