"""What is published is checked, file by file: no secret, no denied row, no link out of the folder, no traceback."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.curation.licenses import is_permissive
from hf_oss_instruct.curation.snippet_filters import secret
from hf_oss_instruct.errors import OssInstructError, PublishError
from hf_oss_instruct.publishing.dataset import dataset_push
from hf_oss_instruct.publishing.hub import Push
from hf_oss_instruct.publishing.model import model_push
from hf_oss_instruct.publishing.rules import Rules
from hf_oss_instruct.publishing.scores import read_results
from hf_oss_instruct.schemas import REJECTED_SCHEMA, SFT_SCHEMA
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "a1B2c3"  # no real one, in the form of one
RULES = Rules(secret, is_permissive, allow_unchecked=True)
SHARD = "train-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "pairs"
    run(
        out,
        RunSpec(seeds=SeedPlan(n=6, sampler="functions"), checks=Checks(benchmarks=())),
        open_source("stdlib"),
        CommentFunctionTeacher(),
    )
    return out


@pytest.fixture
def pairs(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "pairs"))


def push(folder: Path, **options: Any) -> Push:
    return dataset_push(folder, options.pop("rules", RULES), prompt="a prompt", repo_id="me/pairs", **options)


def rejected(folder: Path, *rows: dict[str, Any]) -> None:
    """Rows for the folder's `rejected/`, with a report that counts them."""
    full = [
        {"seed_id": f"{n:032x}", "lang": "python", "raw_index": n, "index": n, "seed": "x = 1"} | row
        for n, row in enumerate(rows)
    ]
    (folder / "rejected").mkdir(exist_ok=True)
    for path in (folder / "rejected").iterdir():
        path.unlink()
    pq.write_table(pa.Table.from_pylist(full, REJECTED_SCHEMA), folder / "rejected" / SHARD)
    report = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(report | {"rejected": {"parse_error": len(rows)}}))


def test_of_what_was_rejected_no_denied_row_no_secret_and_no_closed_code_leaves(pairs: Path) -> None:
    open_code = {"licenses": ["MIT"], "reason": "parse_error"}
    rejected(
        pairs,
        open_code | {"received": "fine"},
        open_code | {"received": f"token = '{TOKEN}'"},
        open_code | {"seed": f"key = '{TOKEN}'"},
        open_code | {"detail": f"the server said {TOKEN}"},
        open_code | {"reason": "denied"},
        {"licenses": ["AGPL-3.0"], "reason": "license"},
    )
    found = push(pairs, with_rejected=True)
    content = found.files[f"rejected/{SHARD}"]
    assert isinstance(content, bytes)
    assert pq.read_table(pa.BufferReader(content))["received"].to_pylist() == ["fine"]
    assert [note for note in found.notes if note.startswith("withheld")] == [
        "withheld from rejected/: 3 rows with a secret",
        "withheld from rejected/: 1 row denied",
        "withheld from rejected/: 1 row whose license is unknown or forbids it",
    ]
    without = push(pairs, with_rejected=True, with_seeds=False)
    content = without.files[f"rejected/{SHARD}"]
    assert isinstance(content, bytes)
    table = pq.read_table(pa.BufferReader(content))
    assert set(table["seed"].to_pylist()) == {""}
    assert TOKEN not in str(table.to_pylist())
    assert "denied" not in table["reason"].to_pylist()


def test_nothing_is_left_of_rejected_rows_that_are_all_denied(pairs: Path) -> None:
    rejected(pairs, {"reason": "denied", "licenses": ["MIT"]})
    found = push(pairs, with_rejected=True)
    assert not [name for name in found.files if name.startswith("rejected/")]
    assert "config_name: rejected" not in found.card


def test_a_secret_in_any_file_stops_it(pairs: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{"prompt": "p", "completion": f"key = '{TOKEN}'"}], SFT_SCHEMA), pairs / "sft" / SHARD)
    with pytest.raises(PublishError, match=f"secrets: sft/{SHARD}, row 0, completion: secret"):
        push(pairs)
    pq.write_table(pa.Table.from_pylist([{"prompt": "p", "completion": "c"}], SFT_SCHEMA), pairs / "sft" / SHARD)
    report = json.loads((pairs / "run.json").read_text())
    (pairs / "run.json").write_text(json.dumps(report | {"why": f"https://user:{TOKEN}@example.org"}))
    with pytest.raises(PublishError, match=r"secrets: run\.json: secret") as caught:
        push(pairs)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("name", ["run.json", "oss_instruct.yaml", f"data/{SHARD}", f"sft/{SHARD}", "data"])
def test_links_out_of_a_run_are_refused_by_name(name: str, pairs: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (pairs / name).rename(elsewhere)
    (pairs / name).symlink_to(elsewhere)
    with pytest.raises(PublishError, match=f"'{name}.*' in .* is a symbolic link to '{elsewhere}"):
        push(pairs)


def test_links_out_of_a_model_s_folder_are_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "training.json").write_text("{}")
    (tmp_path / "id_rsa").write_text("key")
    for name in ("tokenizer_config.json", "model.safetensors", "training.json"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(tmp_path / "id_rsa")
        with pytest.raises(PublishError, match=f"'{name}' in .* is a symbolic link"):
            model_push(folder, repo_id="me/model")
        (folder / name).unlink()
    (folder / "training.json").symlink_to(folder / "real.json")
    (folder / "real.json").write_text("{}")
    with pytest.raises(PublishError, match="is missing"):
        model_push(folder, repo_id="me/model")


def test_what_is_no_regular_file_is_refused(pairs: Path) -> None:
    (pairs / "data" / SHARD).unlink()
    os.mkfifo(pairs / "data" / SHARD)
    with pytest.raises(PublishError, match="is not a regular file"):
        push(pairs)


WRONG: list[Any] = [None, [], {}, "x", -1, 1.5, True, [[]], {"a": None}, "9" * 400]


def test_a_report_of_any_shape_is_published_or_refused_in_words(pairs: Path) -> None:
    text = (pairs / "run.json").read_text()
    report = json.loads(text)
    broken = [report | {key: value} for key in report for value in WRONG] + [
        {k: v for k, v in report.items() if k != key} for key in report
    ]
    broken += [report | {"checks": [value]} for value in WRONG] + [report | {"tokens": {"prompt": value}} for value in WRONG]
    texts = [
        *map(json.dumps, broken),
        *map(json.dumps, WRONG),
        "[" * 100_000,
        text[:50],
        "NaN",
        text.replace("6", "1" * 30),
        "\ud800",
    ]
    for one in texts:
        (pairs / "run.json").write_bytes(one.encode("utf-8", "surrogatepass"))
        with suppress(OssInstructError):
            push(pairs)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 1000, b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_damaged_tables_are_named(content: bytes, pairs: Path) -> None:
    (pairs / "data" / SHARD).write_bytes(content)
    with pytest.raises(PublishError, match=f"{SHARD}' cannot be read"):
        push(pairs)
    pq.write_table(pa.table({"lang": ["python"]}), pairs / "data" / SHARD)
    with pytest.raises(PublishError, match="has no column 'seed'"):
        push(pairs)


def test_scores_of_any_shape_are_read_or_refused_in_words(tmp_path: Path) -> None:
    one = {"mean": 0.5, "low": 0.4, "high": 0.6, "problems": 10.0}
    whole = {
        "task": "t",
        "version": "v",
        "source": "s",
        "problems": 1,
        "samples": 1,
        "facts": {},
        "scores": {"base": {"pass@1": one}},
    }
    (tmp_path / "verdicts.jsonl").touch()
    (tmp_path / "results.json").write_text(json.dumps(whole))
    assert read_results(tmp_path)[0]["task"] == "t"
    broken: list[Any] = [whole | {key: value} for key in whole for value in WRONG]
    broken += [whole | {"scores": {"base": {"pass@1": one | {key: value}}}} for key in one for value in [*WRONG, 2.0, -0.1]]
    broken += [whole | {"facts": {"sampling": value}} for value in WRONG]
    for content in [*map(json.dumps, broken), json.dumps(whole).replace("0.5", "NaN"), "[" * 100_000]:
        (tmp_path / "results.json").write_text(content)
        try:
            read_results(tmp_path)
        except PublishError:
            continue
        assert "NaN" not in content
