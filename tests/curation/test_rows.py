"""The rows of any dataset: formats, odd types, and columns that happen to be called like ours."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct import Checks, CommentFunctionTeacher, read_seeds, synthesize_to_disk
from hf_oss_instruct.api import publish
from hf_oss_instruct.curation.checks import CurationOptions
from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.curation.rows import RESERVED, read
from hf_oss_instruct.curation.run import curate
from hf_oss_instruct.errors import OssInstructError, SeedError
from hf_oss_instruct.reporting.rows import open_rows
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.storage.run_report import RunReport, write_run_report
from hf_oss_instruct.training.recipes import load_recipe

PAIRS = [
    {"problem": "Sum the prices of an invoice.", "solution": "sum(prices)"},
    {"problem": "Sort the names of a class by length.", "solution": "sorted(names, key=len)"},
]
TABLE = pa.Table.from_pylist(PAIRS)


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def curated(source: Path, **options: Any) -> tuple[pa.Table, dict[str, Any]]:
    out = source.parent / "out"
    report = curate(str(source), out, options=CurationOptions(**options))
    return pq.read_table(out / "data"), report


def test_columns_nobody_reads_may_hold_anything_and_lose_nothing(tmp_path: Path) -> None:
    odd = [1, "a2"], [{"a": 1}, [1, "b"]], [None, 2**70], [[{"x": 1}], "é"]
    rows = [pair | {f"odd{n}": values[row] for n, values in enumerate(odd)} for row, pair in enumerate(PAIRS)]
    (tmp_path / "rows.jsonl").write_text(lines(rows))
    kept, report = curated(tmp_path / "rows.jsonl")
    assert (report["requested"], report["kept"]) == (2, 2)
    assert kept.select(["problem", "solution"]).to_pylist() == PAIRS
    assert kept["odd0"].to_pylist() == ["1", "a2"]
    assert [json.loads(value) for value in kept["odd1"].to_pylist()] == odd[1]
    assert kept["odd2"].to_pylist() == [None, str(2**70)]


def test_a_run_that_kept_no_rows_is_refused_and_not_read_as_its_rejected_ones(tmp_path: Path) -> None:
    (run := tmp_path / "pairs").mkdir()
    write_run_report(run, RunReport(pairs=0))
    (run / "rejected").mkdir()
    pq.write_table(
        TABLE.append_column("reason", pa.array(["tests_missing"] * 2)), run / "rejected" / "train-00000-of-00001.parquet"
    )
    with pytest.raises(SeedError, match=r"pairs' kept no rows\. .*rejected' has the reasons\."):
        curate(str(run), tmp_path / "out")


@pytest.mark.parametrize("name", ["run.json", ".job.json"], ids=["synthesize", "verify, judge or evolve"])
def test_a_run_without_tables_is_refused_and_not_read_as_its_journal(tmp_path: Path, name: str) -> None:
    """It is running, or was killed."""
    (run := tmp_path / "pairs").mkdir()
    (run / name).write_text('{"teacher": "own/1"}')
    (run / "journal").mkdir()
    (run / "journal" / "host-1-0.jsonl").write_text(lines([{"crc": "0", "record": {"text": "x"}}]))
    (run / "oss_instruct.yaml").write_text(RunSpec().to_yaml())
    uses: list[Callable[[], Any]] = [lambda: read(str(run)), lambda: open_rows(run)]
    if name == "run.json":
        uses += [lambda: load_recipe("lora", model="m", data=str(run)), lambda: publish(run, "me/pairs")]
    for use in uses:
        with pytest.raises(OssInstructError, match=r"pairs' is a run without tables: it is not finished\. Continue it with the"):
            use()


@pytest.mark.parametrize("kept", [True, False])
def test_a_finished_run_whose_tables_were_deleted_is_not_called_unfinished(tmp_path: Path, kept: bool) -> None:
    run, teacher = tmp_path / "pairs", CommentFunctionTeacher()
    seeds, checks = partial(read_seeds, "stdlib", n=4, sampler="functions"), Checks(benchmarks="none")
    report = synthesize_to_disk(seeds(), teacher, run, checks=checks)
    name, rows = "data", report["kept"]
    if not kept:
        # As of a run whose rows were all rejected.
        name, rows = "rejected", report["requested"]
        write_run_report(run, {**report, "kept": 0, "rejected": {"duplicate": rows}})
        shutil.rmtree(run / "data")
    shutil.rmtree(run / name, ignore_errors=True)
    uses: list[Callable[[], Any]] = [
        lambda: read(str(run)),
        lambda: open_rows(run),
        lambda: load_recipe("lora", model="m", data=str(run)),
        lambda: publish(run, "me/pairs"),
    ]
    for use in uses:
        with pytest.raises(
            OssInstructError, match=rf"pairs' has lost its folder {name}/ \(rows by run\.json: {rows}\)\. Restore it"
        ):
            use()
    synthesize_to_disk(seeds(), teacher, run, checks=checks)
    assert len(read(str(run))) == report["kept"], "the same command writes them again"


def test_files_whose_columns_differ_in_type_are_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for number, extra in enumerate((1, "one", [1], {"a": 1}, None)):
        (folder / f"{number}.jsonl").write_text(lines([{"problem": f"Task {number}", "solution": "x", "extra": extra}]))
    table = read(str(folder))
    assert table["problem"].to_pylist() == [f"Task {number}" for number in range(5)]
    assert table["extra"].to_pylist() == ["1", "one", "[1]", '{"a": 1}', None]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl.gz", gzip.compress(lines(PAIRS).encode())),
        ("a.json", json.dumps(PAIRS, indent=1).encode()),
        ("a.ndjson", lines(PAIRS).encode()),
        ("a.csv", b"problem,solution\n" + b"\n".join(f'"{p["problem"]}","{p["solution"]}"'.encode() for p in PAIRS)),
    ],
)
def test_rows_are_read_from_every_format(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert read(str(tmp_path / name)).to_pylist() == PAIRS
    assert read(str(tmp_path)).to_pylist() == PAIRS


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()),
        *(pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.large_string())),
    ],
    ids=str,
)
def test_text_of_every_arrow_type_is_text(tmp_path: Path, kind: pa.DataType) -> None:
    columns = {}
    for name in TABLE.column_names:
        plain = TABLE[name].combine_chunks()
        columns[name] = plain.cast(pa.binary()).cast(kind) if pa.types.is_binary_view(kind) else plain.cast(kind)
    pq.write_table(pa.table(columns | {"blob": pa.array([b"\xff", b"\0"])}), tmp_path / "rows.parquet")
    kept, report = curated(tmp_path / "rows.parquet")
    assert report["kept"] == 2
    assert kept.select(["problem", "solution"]).to_pylist() == PAIRS
    assert kept["blob"].to_pylist() == [b"\xff", b"\0"]


def test_bytes_that_are_no_text_are_an_error_with_the_columns_name(tmp_path: Path) -> None:
    pq.write_table(pa.table({"problem": pa.array([b"caf\xe9"]), "solution": ["x"]}), tmp_path / "rows.parquet")
    with pytest.raises(SeedError, match=r"'problem' is not UTF-8.*--columns"):
        curated(tmp_path / "rows.parquet")


VALUES: dict[str, list[Any]] = {
    "text": ["duplicate", "duplicate"],
    "numbers": [7, 8],
    "nothing": [None, None],
    "words": [["mine"], []],
    "records": [{"a": 1}, {"a": 2}],
}


@pytest.mark.parametrize("values", VALUES)
def test_columns_that_are_called_like_ours_neither_clash_nor_leak(tmp_path: Path, values: str) -> None:
    theirs = {name: VALUES[values] for name in RESERVED}
    pq.write_table(pa.table({**TABLE.to_pydict(), **theirs}), tmp_path / "rows.parquet")
    kept, report = curated(tmp_path / "rows.parquet")
    assert (report["kept"], report["rejected"]) == (2, {})
    assert report["columns_renamed"] == {name: f"source_{name}" for name in RESERVED}
    for name in RESERVED:
        assert kept[f"source_{name}"].to_pylist() == VALUES[values]
    assert len(set(kept["seed_id"].to_pylist())) == 2
    assert kept["flags"].to_pylist() == kept["contaminated_by"].to_pylist() == [None, None]
    assert not {"reason", "detail"} & set(kept.column_names)


def test_what_is_rejected_keeps_their_columns_beside_our_reason(tmp_path: Path) -> None:
    rows = [pair | {"reason": f"because {n}", "source_reason": n} for n, pair in enumerate([*PAIRS, PAIRS[0]])]
    (tmp_path / "rows.jsonl").write_text(lines(rows))
    curated(tmp_path / "rows.jsonl")
    [row] = pq.read_table(tmp_path / "out/rejected").to_pylist()
    assert (row["reason"], row["source_reason_"], row["source_reason"]) == ("duplicate", "because 2", 2)


def test_an_id_that_tells_rows_apart_stays_and_other_places_of_origin_may_hold_anything(tmp_path: Path) -> None:
    rows = [pair | {"seed_id": f"s{n}", "repo_name": n, "file_path": [n], "row_id": None} for n, pair in enumerate(PAIRS)]
    (tmp_path / "rows.jsonl").write_text(lines(rows))
    kept, report = curated(tmp_path / "rows.jsonl", deny=Denylist.of("id: s1"))
    assert report["columns_renamed"] == {}
    assert (kept["seed_id"].to_pylist(), report["rejected"]) == (["s0"], {"denied": 1})


def test_what_was_curated_before_is_curated_again_under_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(lines(PAIRS))
    curated(tmp_path / "rows.jsonl")
    report = curate(str(tmp_path / "out"), tmp_path / "again")
    assert (report["kept"], report["columns_renamed"]) == (2, {})


def test_what_was_written_below_the_rows_is_not_among_them(tmp_path: Path) -> None:
    source = tmp_path / "rows"
    source.mkdir()
    (source / "a.jsonl").write_text(lines(PAIRS))
    assert curate(str(source), source / "clean")["requested"] == 2
    assert curate(str(source), source / "again")["requested"] == 2
