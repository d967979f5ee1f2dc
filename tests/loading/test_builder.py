"""`load_dataset("oss-instruct", …)`: where its seeds and teacher come from, its types, its cache."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

import hf_oss_instruct
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.loading.datasets_compat import NAME, install
from hf_oss_instruct.schemas import SCHEMA
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support import corpora
from tests.support.teacher import LocalTeacher

FUNCTION = '''def shift_{n}(values, distance):
    """Move every value of a list {n} places further by the distance given, and return them as a new list."""
    return [value + distance * {n} for value in values]
'''


@pytest.fixture
def files(tmp_path: Path) -> str:
    (tmp_path / "code").mkdir()
    for n in range(40):
        (tmp_path / "code" / f"shift_{n:02}.py").write_text(FUNCTION.format(n=n))
    return str(tmp_path / "code" / "*.py")


@pytest.fixture
def teacher() -> Iterator[LocalTeacher]:
    with LocalTeacher() as server:
        yield server


def load(files: str, tmp_path: Path, *words: str, **options: Any) -> Any:
    return load_dataset(NAME, *words, data_files=files, split="train", cache_dir=str(tmp_path / "cache"), **options)


def test_the_private_names_of_datasets_that_we_touch_exist() -> None:
    # The canary: when this fails, look at datasets_compat.py and at the bound datasets<6.
    import datasets.load as loading
    import datasets.packaged_modules as packaged
    from datasets import iterable_dataset

    before = len(packaged._ALL_EXTENSIONS)
    install()  # a second time
    assert len(packaged._ALL_EXTENSIONS) == before
    assert packaged._PACKAGED_DATASETS_MODULES[NAME][0] == "hf_oss_instruct.loading.builder"
    assert packaged._EXTENSION_TO_MODULE[".ossi"] == (NAME, {})
    for table in ("_MODULE_TO_EXTENSIONS", "_MODULE_TO_METADATA_FILE_NAMES", "_MODULE_TO_METADATA_EXTENSIONS"):
        assert NAME in getattr(packaged, table)
    assert ".ossi" in packaged._ALL_ALLOWED_EXTENSIONS
    assert loading.PackagedDatasetModuleFactory.get_module.__wrapped__.__name__ == "get_module"
    assert {"module_path", "hash", "builder_kwargs"} <= set(loading.DatasetModule.__dataclass_fields__)
    for name in ("_resolve_data_files", "create_config_id"):
        assert hasattr(datasets.BuilderConfig, name)
    assert hasattr(datasets.DatasetBuilder, "_get_examples_iterable_for_split")
    assert issubclass(iterable_dataset.DataSourcesShufflingDisallowed, Exception)
    ours = {"__iter__", "_init_state_dict", "shuffle_data_sources", "shard_data_sources", "reshard_data_sources", "num_shards"}
    theirs = {name for name in vars(iterable_dataset.ExamplesIterable) if name == "__iter__" or not name.startswith("__")}
    assert {"features", "is_typed"} <= set(vars(iterable_dataset._BaseExamplesIterable))
    assert ours == theirs, "a method of theirs that we do not replace"
    assert datasets.__version__.startswith("5.")


def test_stock_to_parquet_still_fails_on_a_stream_without_rows(tmp_path: Path) -> None:
    # The canary: when this fails, `_with_empty_shards` in datasets_compat.py can go.
    stock = datasets.IterableDataset.to_parquet.__wrapped__
    features = datasets.Features({"a": datasets.Value("int64")})
    stream = datasets.IterableDataset.from_generator(lambda: iter(()), features=features)
    with pytest.raises(pa.ArrowInvalid, match="at least one table"):
        stock(stream, tmp_path / "stock.parquet")
    stream.to_parquet(tmp_path / "ours.parquet", batch_size=10)
    assert pq.read_table(tmp_path / "ours.parquet").schema.names == ["a"]
    assert pq.read_metadata(tmp_path / "ours.parquet").num_rows == 0


@pytest.mark.parametrize("order", ["hf_oss_instruct, datasets", "datasets, hf_oss_instruct"])
def test_either_order_of_imports_registers_the_name(order: str) -> None:
    code = f"import {order}\nfrom datasets.packaged_modules import _PACKAGED_DATASETS_MODULES as t\nprint('{NAME}' in t)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_rows_are_made_when_they_are_read(files: str, tmp_path: Path, teacher: LocalTeacher) -> None:
    rows = load(files, tmp_path, streaming=True, model="m", base_url=teacher.base_url, concurrency=4)
    assert not teacher.requests
    first = [row for row, _ in zip(rows, range(5), strict=False)]
    assert [row["index"] for row in first] == [0, 1, 2, 3, 4]
    assert len(teacher.requests) <= 5 + 1 + 4
    assert first[0]["teacher"] == "openai-compatible:m"


def test_the_embedded_teacher_serves_by_default(files: str, tmp_path: Path) -> None:
    row = next(iter(load(files, tmp_path, streaming=True)))
    assert row["teacher"] == "comment-function/2"
    assert "Move every value" in row["problem"]
    assert list(row) == SCHEMA.names


def test_map_style_and_streaming_give_equal_rows_and_features(files: str, tmp_path: Path) -> None:
    streamed, cached = load(files, tmp_path, streaming=True), load(files, tmp_path)
    assert streamed.features == cached.features
    assert list(streamed) == list(cached)
    assert len(cached) == 40


def test_a_second_load_asks_nobody(files: str, tmp_path: Path, teacher: LocalTeacher) -> None:
    options = {"model": "m", "base_url": teacher.base_url}
    first = load(files, tmp_path, **options)
    assert len(teacher.requests) == 40
    assert load(files, tmp_path, **options, concurrency=2)._fingerprint == first._fingerprint
    assert len(teacher.requests) == 40
    # An interrupted or repeated stream does not pay again either: the journal lies below the cache.
    list(load(files, tmp_path, streaming=True, **options))
    assert len(teacher.requests) == 40
    load(files, tmp_path, **options, temperature=0.5)
    assert len(teacher.requests) == 80


def test_the_sft_config_has_prompt_and_completion(files: str, tmp_path: Path) -> None:
    rows = load(files, tmp_path, "sft", n=3)
    assert rows.column_names == ["prompt", "completion"]
    assert len(rows) == 3
    assert rows[0]["prompt"].endswith("@@ Response\n")


def test_a_teacher_object_is_taken_as_it_is(files: str, tmp_path: Path) -> None:
    rows = load(files, tmp_path, streaming=True, teacher=hf_oss_instruct.CommentFunctionTeacher())
    assert next(iter(rows))["teacher"] == "comment-function/2"


def test_wrong_options_say_what_is_right(files: str, tmp_path: Path) -> None:
    def refused(message: str, error: type[Exception] = UsageError, **options: Any) -> None:
        with pytest.raises(error, match=message):
            load(files, tmp_path, streaming=True, **options)

    refused("Unknown teacher 'gpt'", teacher="gpt")
    refused(r"need --model \(model=\)", base_url="http://127.0.0.1:9/v1")
    refused("cannot be combined with model=", teacher=hf_oss_instruct.CommentFunctionTeacher(), model="m")
    refused("needs documented functions, not the sampler 'hash'", sampler="hash")
    refused("Leave one of them out", seeds="stdlib")
    refused("Unknown parser 'strict'", parser="strict")
    refused("no {code}", prompt="Write something.")
    refused(r"max_cost \(--max-cost\) needs price_in and price_out", max_cost=1.0)
    refused("'temprature' key", ValueError, temprature=1.0)


def test_without_files_the_working_directory_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "private.py").write_text(FUNCTION.format(n=1))
    monkeypatch.chdir(tmp_path)
    for streaming in (True, False):
        with pytest.raises(SeedError, match="No seeds were given"):
            load_dataset(NAME, split="train", streaming=streaming)
    with pytest.raises(SeedError, match="No seeds were given"):
        hf_oss_instruct.OssInstruct(cache_dir=str(tmp_path)).as_streaming_dataset(split="train")


def test_seeds_come_from_every_shape_that_the_readers_know(files: str, tmp_path: Path) -> None:
    corpora.the_stack_v1(tmp_path / "v1")
    for options in ({"data_dir": str(Path(files).parent)}, {"seeds": str(Path(files).parent)}, {"seeds": "stdlib"}):
        row = next(iter(load_dataset(NAME, split="train", streaming=True, **options)))
        assert row["problem"].startswith("Write the Python function")
    with LocalTeacher() as server:
        rows = load_dataset(
            NAME, data_dir=str(tmp_path / "v1"), split="train", streaming=True, model="m", base_url=server.base_url
        )
        assert next(iter(rows))["licenses"]
    splits = load_dataset(NAME, data_files={"train": files, "test": files.replace("*", "shift_0*")}, streaming=True)
    assert {name: len(list(rows)) for name, rows in splits.items()} == {"train": 40, "test": 10}


def test_a_teacher_is_chosen_by_the_call_then_configure_then_the_environment(
    files: str, tmp_path: Path, teacher: LocalTeacher, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def named(**options: Any) -> str:
        return next(iter(load(files, tmp_path, streaming=True, **options)))["teacher"]

    assert named() == "comment-function/2"
    assert "No teacher was given" in caplog.text
    caplog.clear()
    monkeypatch.setenv("OSS_INSTRUCT_MODEL", "of-the-environment")
    monkeypatch.setenv("OSS_INSTRUCT_BASE_URL", teacher.base_url)
    assert named() == "openai-compatible:of-the-environment"
    hf_oss_instruct.configure(teacher=InferenceTeacher("configured", teacher.base_url))
    try:
        assert named() == "openai-compatible:configured"
        assert named(model="called", base_url=teacher.base_url) == "openai-compatible:called"
        assert named(teacher="comment-function") == "comment-function/2"
    finally:
        hf_oss_instruct.configure()
    assert not caplog.text


def test_the_cache_key_is_what_changes_rows(files: str, tmp_path: Path) -> None:
    def key(**options: Any) -> str:
        return hf_oss_instruct.OssInstruct(data_files=options.pop("files", files), cache_dir=str(tmp_path), **options).config_id

    same = key(model="m", base_url="http://localhost:1/v1")
    assert key(model="m", base_url="http://localhost:2/v1", concurrency=3, max_requests=9) == same
    others = [
        key(),
        key(model="other", base_url="http://localhost:1/v1"),
        *(
            key(model="m", base_url="http://localhost:1/v1", **{name: value})
            for name, value in {
                "n": 5,
                "rng_seed": 1,
                "sampler": "magicoder",
                "shuffle_seeds": 0,
                "prompt": "{code}",
                "parser": "magicoder",
                "temperature": 0.5,
                "top_p": 0.9,
                "max_tokens": 99,
                "languages": ["python"],
                "files": files.replace("*", "shift_1*"),
            }.items()
        ),
    ]
    assert len({same, *others}) == 1 + len(others)
    Path(files.replace("*", "shift_00")).write_text("changed = True\n")
    assert key(model="m", base_url="http://localhost:1/v1") != same


def test_a_secret_in_a_name_reaches_no_cache_path(files: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    with LocalTeacher() as server:
        load(files, tmp_path, model="m", base_url=server.base_url.replace("//", "//user:hunter2@"), api_key_env="MY_KEY", n=2)
        assert server.requests[0]["headers"]["authorization"] == "Bearer sk-very-secret"
    cached = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert cached
    for path in cached:
        assert not re.search(rb"hunter2|very-secret|MY_KEY", path.read_bytes() + bytes(path)), path
