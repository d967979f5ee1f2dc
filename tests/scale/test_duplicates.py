"""Duplicates found in four stages by many tasks: the rows that stay are those that one process keeps, whoever has which row."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hf_oss_instruct.curation.duplicates.exact import COMPARED, exact_duplicates
from hf_oss_instruct.curation.duplicates.minhash import MAX_NEIGHBORS
from hf_oss_instruct.curation.duplicates.near import ids_to_keep, near_duplicates
from hf_oss_instruct.errors import RunError, UsageError

pytest.importorskip("datatrove")

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor

from hf_oss_instruct.scale.duplicates.steps import DuplicateBuckets, DuplicateClusters, DuplicateFilter, DuplicateSignatures
from hf_oss_instruct.scale.steps import Check, RowReader, RowWriter

SCHEMA = pa.schema([("seed_id", pa.string()), ("index", pa.int64()), *((name, pa.string()) for name in COMPARED)])


def rows_of(texts: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    return [
        {"seed_id": f"id{number}", "index": number, **dict(zip(COMPARED, text, strict=True))} for number, text in enumerate(texts)
    ]


def documents(rows: list[dict[str, Any]]) -> list[Document]:
    return [Document(row["solution"], row["seed_id"], metadata=dict(row)) for row in rows]


def in_one_process(rows: list[dict[str, Any]], check: str, **options: Any) -> dict[str, str | None]:
    table = pa.Table.from_pylist(rows, SCHEMA)
    marked = near_duplicates(table, **options) if check == "near_duplicates" else exact_duplicates(table, **options)
    return dict(zip(marked["seed_id"].to_pylist(), marked["detail"].to_pylist(), strict=True))


def in_stages(
    shares: list[list[dict[str, Any]]], folder: Path, check: str, buckets: int = 3, **options: Any
) -> dict[str, str | None]:
    """Each document's id and why it goes, where task number I has the rows of share I."""
    for rank, share in enumerate(shares):
        assert len([*DuplicateSignatures(folder, check, **options).run(documents(share), rank, len(shares))]) == len(share)
    for rank in range(buckets):
        assert not [*DuplicateBuckets(folder).run(None, rank, buckets)]
    assert not [*DuplicateClusters(folder).run(None)]
    found = {}
    for rank, share in enumerate(shares):
        passed = [*DuplicateFilter(folder, keep_rejected=True).run(documents(share), rank, len(shares))]
        assert [document.id for document in passed] == [row["seed_id"] for row in share]
        assert {document.metadata.get("reason") for document in passed} <= {None, check}
        found |= {document.id: document.metadata.get("detail") for document in passed}
    return found


def dealt(rows: list[dict[str, Any]], tasks: int, rng: random.Random) -> list[list[dict[str, Any]]]:
    """Rows given to tasks in any way and order."""
    shares: list[list[dict[str, Any]]] = [[] for _ in range(tasks)]
    for row in rng.sample(rows, len(rows)):
        rng.choice(shares).append(row)
    return shares


def sentence(rng: random.Random, length: int = 40) -> list[str]:
    return [f"w{rng.randrange(300)}" for _ in range(length)]


def varied(rng: random.Random, families: int, copies: int) -> list[tuple[str, str, str]]:
    """Texts of which many are near others, some equal, some blank, some short, in any order; columns vary independently."""
    columns = []
    for _ in COMPARED:
        texts = [sentence(rng, rng.choice([3, 16, 40])) for _ in range(families)]
        while len(texts) < copies:
            copy = list(rng.choice(texts))  # also of copies: chains
            for place in rng.sample(range(len(copy)), min(len(copy), rng.randrange(3))):
                copy[place] = f"x{rng.randrange(10)}"
            texts.append(copy)
        texts[rng.randrange(copies)] = []
        columns.append(rng.sample([" ".join(text) for text in texts], copies))
    return [*zip(*columns, strict=True)]


@pytest.mark.parametrize("check", ["duplicates", "near_duplicates"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 5), st.sampled_from([1, 4, 75, 160]))
def test_the_rows_that_stay_and_the_reasons_are_those_of_one_process(
    check: str, tmp_path_factory: pytest.TempPathFactory, rng_seed: int, tasks: int, buckets: int
) -> None:
    rng = random.Random(rng_seed)
    rows = rows_of(varied(rng, 12, 40))
    expected = in_one_process(rows, check)
    assert any(expected.values())
    assert in_stages(dealt(rows, tasks, rng), tmp_path_factory.mktemp("stages"), check, buckets) == expected


def chain(rng: random.Random, links: int) -> list[str]:
    """Texts each of which is near only to its neighbors."""
    words = sentence(rng, 60)
    found = [" ".join(words)]
    for step in range(1, links):
        for place in (step * 7 % 60, (step * 7 + 30) % 60):
            words[place] = f"changed{step}"
        found.append(" ".join(words))
    return found


@pytest.mark.parametrize("order", ["forward", "backward", "middle first"])
def test_of_a_chain_every_row_stays_that_is_near_no_kept_one(order: str, tmp_path: Path) -> None:
    links = chain(random.Random(4), 9)
    turned = {"forward": links, "backward": links[::-1], "middle first": [links[4], *links[:4], *links[5:]]}[order]
    rows = rows_of([("", "", text) for text in turned])
    found = in_stages([rows[0::3], rows[1::3], rows[2::3]], tmp_path, "near_duplicates")
    assert found == in_one_process(rows, "near_duplicates")
    gone = [row for row, detail in found.items() if detail]
    assert 1 < len(gone) < 8  # connected components would leave one row


def test_the_order_is_that_of_a_column_or_of_the_tasks(tmp_path: Path) -> None:
    text = " ".join(sentence(random.Random(5)))
    rows = rows_of([("", "", text), ("", "", text + " more")])
    by_index = in_stages([[rows[1]], [rows[0]]], tmp_path / "index", "near_duplicates")
    assert [row for row, detail in by_index.items() if detail] == ["id1"]
    by_task = in_stages([[rows[1]], [rows[0]]], tmp_path / "tasks", "near_duplicates", order=None)
    assert [row for row, detail in by_task.items() if detail] == ["id0"]


def test_a_bucket_of_many_equal_texts_is_compared_as_in_one_process(tmp_path: Path) -> None:
    rng = random.Random(6)
    base = sentence(rng, 30)
    texts = [" ".join([*base[:at], "other", *base[at + 1 :]]) for at in range(30)] * 2
    assert len(texts) > 3 * MAX_NEIGHBORS
    rows = rows_of([("", text, "") for text in texts])
    found = in_stages(dealt(rows, 4, rng), tmp_path, "near_duplicates", threshold=0.6)
    assert found == in_one_process(rows, "near_duplicates", threshold=0.6)


def written(folder: Path, tasks: int, rows: list[dict[str, Any]]) -> Path:
    for task in range(tasks):
        folder.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows[task::tasks], SCHEMA), folder / f"train-{task:05d}-of-{tasks:05d}.parquet")
    return folder


def test_pipelines_with_several_workers_resume_and_keep_what_curate_keeps(tmp_path: Path) -> None:
    rng = random.Random(7)
    rows = rows_of(varied(rng, 20, 60))
    source, exact, near = written(tmp_path / "rows", 4, rows), tmp_path / "exact", tmp_path / "near"

    def rows_left() -> list[Any]:
        return [RowReader(source), DuplicateFilter(exact), Check("decontamination")]

    stages: dict[str, tuple[int, list[Any]]] = {
        "1": (4, [RowReader(source), DuplicateSignatures(exact, "duplicates")]),
        "2": (3, [DuplicateBuckets(exact)]),
        "3": (1, [DuplicateClusters(exact)]),
        "4": (4, [*rows_left(), DuplicateSignatures(near)]),
        "5": (5, [DuplicateBuckets(near)]),
        "6": (1, [DuplicateClusters(near)]),
        "7": (4, [*rows_left(), DuplicateFilter(near), RowWriter(tmp_path / "kept", SCHEMA)]),
    }
    for name, (tasks, steps) in stages.items():
        logs = tmp_path / "logs" / name
        workers = 2 if name == "4" else 1  # a process of its own takes seconds to import everything
        LocalPipelineExecutor(steps, tasks=tasks, workers=workers, logging_dir=str(logs)).run()
        if name == "4":  # as if a machine had been lost in the middle of a task
            (logs / "completions" / "00002").unlink()
            (near / "signatures" / "00002-of-00004" / "job.json").unlink()
            others = near / "signatures" / "00001-of-00004" / "job.json"
            before = others.stat().st_mtime_ns
            LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=str(logs)).run()
            assert others.stat().st_mtime_ns == before
    kept = {row["seed_id"] for row in pq.read_table(tmp_path / "kept").to_pylist()}
    assert kept == ids_to_keep(pa.Table.from_pylist(rows, SCHEMA))
    assert 5 < len(kept) < 60
    assert not [*tmp_path.rglob("*.pkl")]


def test_a_stage_before_its_predecessor_has_finished_is_refused_by_name(tmp_path: Path) -> None:
    rows = rows_of([("", "", " ".join(sentence(random.Random(8)))) for _ in range(4)])
    with pytest.raises(RunError, match="signatures' has no output of a task"):
        [*DuplicateBuckets(tmp_path).run(None, 0, 1)]
    [*DuplicateSignatures(tmp_path).run(documents(rows), 1, 3)]
    with pytest.raises(RunError, match="Tasks 0, 2 of 3 have not finished"):
        [*DuplicateBuckets(tmp_path).run(None, 0, 1)]
    [*DuplicateSignatures(tmp_path).run([], 0, 3)]
    stopped = DuplicateSignatures(tmp_path).run(documents(rows), 2, 3)
    next(iter(stopped))
    with pytest.raises(RunError, match="was stopped: run the pipeline of signatures again"):
        [*DuplicateBuckets(tmp_path).run(None, 0, 1)]
    [*DuplicateSignatures(tmp_path, threshold=0.9).run([], 2, 3)]
    with pytest.raises(RunError, match=r"signatures of another kind: threshold: 0\.7 in the first task, 0\.9 in this one"):
        [*DuplicateBuckets(tmp_path).run(None, 0, 1)]
    [*DuplicateSignatures(tmp_path).run([], 0, 2)]
    with pytest.raises(RunError, match="outputs of pipelines with 2 and 3 tasks"):
        [*DuplicateBuckets(tmp_path).run(None, 0, 1)]


def test_a_filter_that_reads_other_documents_is_refused(tmp_path: Path) -> None:
    rows = rows_of([("", "", f"text {number}") for number in range(3)])
    in_stages([rows], tmp_path, "near_duplicates")
    for others, what in ((rows[::-1], "document 0 is 'id2'"), (rows[:2], "there are 2 documents, and not 3")):
        with pytest.raises(RunError, match=what):
            [*DuplicateFilter(tmp_path).run(documents(others), 0, 1)]
    with pytest.raises(RunError, match="written by 1 tasks, but 2 filter"):
        [*DuplicateFilter(tmp_path).run(documents(rows), 0, 2)]


def test_what_cannot_be_compared_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'same_names' does not look for duplicates"):
        DuplicateSignatures(tmp_path, "same_names")
    with pytest.raises(UsageError, match=r"must be above 0 and at most 1, not 1\.5"):
        DuplicateSignatures(tmp_path, threshold=1.5)
    plain = Document("a text", "d1", metadata={"index": 3})
    with pytest.raises(UsageError, match="'d1' has no column 'seed'; its columns: index"):
        [*DuplicateSignatures(tmp_path).run([plain])]
    assert [*DuplicateSignatures(tmp_path, columns=["text"], order=None).run([plain])] == [plain]
    with pytest.raises(UsageError, match="has 2 tasks"):
        [*DuplicateClusters(tmp_path).run(None, 0, 2)]
    assert json.loads((tmp_path / "signatures" / "00000-of-00001" / "job.json").read_text())["columns"] == ["text"]
