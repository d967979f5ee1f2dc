"""Rows as Parquet tables: for TRL's GRPO and DPO trainers, and for verl."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from hf_oss_instruct.exports.rows import ExportableRows, ExportRow, parquet_rows
from hf_oss_instruct.schemas import PREFERENCE_SCHEMA
from hf_oss_instruct.storage.shards import Shards

_MESSAGES = pa.list_(pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())]))
TRL = pa.schema(
    [
        pa.field("prompt", _MESSAGES),
        *(pa.field(name, pa.string()) for name in ("id", "lang", "solution", "entry_point")),
        pa.field("tests", pa.list_(pa.string())),
    ]
)
"""A conversational prompt, and the columns that `code_reward` reads."""
_EXTRA = [pa.field(name, pa.string()) for name in ("id", "split", "language", "solution")]
VERL = pa.schema(
    [
        pa.field("data_source", pa.string()),
        pa.field("prompt", _MESSAGES),
        pa.field("ability", pa.string()),
        pa.field("reward_model", pa.struct([pa.field("style", pa.string()), pa.field("ground_truth", pa.string())])),
        pa.field("extra_info", pa.struct([pa.field("index", pa.int64()), *_EXTRA])),
    ]
)
"""verl's columns; `ground_truth` is JSON for `rewards.integrations.verl`; verl's own scorer reads inputs and outputs in it."""


def write_trl(rows: ExportableRows, out: Path) -> int:
    """Write rows for `trl grpo`; return how many."""
    return _write(out, TRL, rows, (_trl(row) for row in rows))


def write_verl(rows: ExportableRows, out: Path) -> int:
    """Write rows for verl; return how many."""
    return _write(out, VERL, rows, (_verl(row, number) for number, row in enumerate(rows)))


def write_dpo(rows: ExportableRows, out: Path) -> int:
    """Write the preference pairs of a run for `trl dpo`; return how many."""
    return _write(out, PREFERENCE_SCHEMA, rows, parquet_rows(rows.folder, "preference"))


def _write(out: Path, schema: pa.Schema, rows: ExportableRows, columns: Iterator[Mapping[str, Any]]) -> int:
    shards, count = Shards(out / "data", schema), 0
    for row in columns:
        shards.add(row)
        count += 1
        rows.counts.done += 1
    shards.finish()
    return count


def _trl(row: ExportRow) -> dict[str, Any]:
    return {
        "prompt": _chat_prompt(row),
        "id": row.id,
        "lang": row.tests.language,
        "solution": row.tests.solution,
        "entry_point": row.tests.entry_point or None,
        "tests": row.tests.to_column(),
    }


def _verl(row: ExportRow, number: int) -> dict[str, Any]:
    tests = row.tests
    truth: dict[str, Any] = {"language": tests.language}
    if tests.code:
        truth |= {"tests": list(tests.code), "entry_point": tests.entry_point}
    elif tests.pairs:
        truth |= {"inputs": [given for given, _ in tests.pairs], "outputs": [expected for _, expected in tests.pairs]}
    else:
        truth |= {"inputs": [given for given, _ in tests.calls], "outputs": [expected for _, expected in tests.calls]}
        truth["fn_name"] = tests.function
    extra = {"index": number, "id": row.id, "split": "train", "language": tests.language, "solution": tests.solution}
    return {
        "data_source": "hf_oss_instruct",
        "prompt": _chat_prompt(row),
        "ability": "code",
        "reward_model": {"style": "rule", "ground_truth": json.dumps(truth)},
        "extra_info": extra,
    }


def _chat_prompt(row: ExportRow) -> list[dict[str, str]]:
    return [{"role": "user", "content": row.instruction}]
