"""`load_dataset("oss-instruct", …)` in its first form: lazy, typed, and cached by what changes rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets import load_dataset

import hf_oss_instruct
from hf_oss_instruct.data import SCHEMA
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.synthesis.registration import NAME, register
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
    # The canary: when this fails, look at registration.py and at the bound datasets<6.
    import datasets.packaged_modules as packaged

    register()
    assert packaged._PACKAGED_DATASETS_MODULES[NAME][0] == "hf_oss_instruct.synthesis.builder"
    assert callable(packaged._hash_python_lines)
    for table in ("_MODULE_TO_EXTENSIONS", "_MODULE_TO_METADATA_FILE_NAMES", "_MODULE_TO_METADATA_EXTENSIONS"):
        assert isinstance(getattr(packaged, table), dict)
    assert datasets.__version__.startswith("5.")


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
    assert row["teacher"] == "comment-function/1"
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
    assert next(iter(rows))["teacher"] == "comment-function/1"


def test_wrong_options_say_what_is_right(files: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Unknown teacher 'gpt'"):
        next(iter(load(files, tmp_path, streaming=True, teacher="gpt")))
    with pytest.raises(UsageError, match="needs model="):
        next(iter(load(files, tmp_path, streaming=True, base_url="http://127.0.0.1:9/v1")))
    with pytest.raises(SeedError, match="No seed files"):
        hf_oss_instruct.OssInstruct(cache_dir=str(tmp_path)).as_streaming_dataset(split="train")
