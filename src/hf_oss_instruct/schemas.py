"""Parquet schemas of every dataset config, and the columns of a seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from hf_oss_instruct.data import Provenance, Seed

_PROVENANCE = [
    pa.field("seed_dataset", pa.string()),
    pa.field("seed_revision", pa.string()),
    pa.field("repo_name", pa.string()),
    pa.field("repo_commit", pa.string()),
    pa.field("file_path", pa.string()),
    pa.field("start_line", pa.int64()),
    pa.field("end_line", pa.int64()),
    pa.field("licenses", pa.list_(pa.string())),
    pa.field("license_type", pa.string()),
    pa.field("sampler", pa.string()),
    pa.field("rng_seed", pa.int64()),
]

SCHEMA = pa.schema(
    [
        *(
            pa.field(name, pa.int64() if name.endswith("index") else pa.string(), nullable=False)
            for name in (
                "seed_id",
                "lang",
                "raw_index",
                "index",
                "seed",
                "problem",
                "solution",
                "teacher",
                "prompt_hash",
            )
        ),
        pa.field("openai_fingerprint", pa.string()),
        *_PROVENANCE,
        pa.field("sampling", pa.string()),
        pa.field("prompt_tokens", pa.int64()),
        pa.field("completion_tokens", pa.int64()),
        pa.field("reasoning", pa.string()),
        pa.field("contaminated_by", pa.list_(pa.string())),
        pa.field("flags", pa.list_(pa.string())),
        pa.field("tests", pa.string()),
        pa.field("execution_status", pa.string()),
        pa.field("attempts", pa.int64()),
        pa.field("passes", pa.int64()),
        pa.field("pass_rate", pa.float64()),
        pa.field("stderr_tail", pa.string()),
        pa.field("sandbox", pa.string()),
    ]
)
"""Columns of config `default`. The first nine are never null."""

_VERIFICATION = [
    pa.field("tests", pa.list_(pa.string())),
    pa.field("test_results", pa.list_(pa.bool_())),
    pa.field("test_marks", pa.list_(pa.string())),
    pa.field(
        "solutions",
        pa.list_(
            pa.struct(
                [
                    pa.field("text", pa.string()),
                    pa.field("teacher", pa.string()),
                    pa.field("status", pa.string()),
                    pa.field("results", pa.list_(pa.bool_())),
                ]
            )
        ),
    ),
    pa.field("pass_rate", pa.float64()),
    pa.field("attempts", pa.int64()),
    pa.field("passes", pa.int64()),
    pa.field("execution_status", pa.string()),
    pa.field("detail", pa.string()),
    pa.field("mutation_score", pa.float64()),
    pa.field("mutants", pa.int64()),
    pa.field("flaky", pa.int64()),
    pa.field("reruns", pa.int64()),
    pa.field("selected_by", pa.string()),
    pa.field("stderr_tail", pa.string()),
    pa.field("sandbox", pa.string()),
    pa.field("toolchain", pa.string()),
]
VERIFICATION_COLUMNS = tuple(field.name for field in _VERIFICATION)
"""Columns that verification fills; `tests` is a list there, which `SCHEMA` holds as text."""
VERIFIED_SCHEMA = pa.schema([*(field for field in SCHEMA if field.name not in VERIFICATION_COLUMNS), *_VERIFICATION])
"""Columns of config `default` where pairs were verified. No clock is among them."""

_LINEAGE = [pa.field("parent_id", pa.string()), pa.field("round", pa.int64()), pa.field("operation", pa.string())]
LINEAGE_COLUMNS = tuple(field.name for field in _LINEAGE)
"""Columns of evolved rows: the `seed_id` of the row they were made of, how often they were evolved, and the last operation."""

_CONCEPTS = pa.field("concepts", pa.list_(pa.string()))

PREFERENCE_SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("prompt", "chosen", "rejected")])
"""Columns of config `preference`: TRL's preference type, with an explicit prompt."""

SFT_SCHEMA = pa.schema([pa.field("prompt", pa.string(), nullable=False), pa.field("completion", pa.string(), nullable=False)])
"""Columns of config `sft`: TRL's prompt–completion type."""

REJECTED_SCHEMA = pa.schema(
    [
        *(SCHEMA.field(name) for name in ("seed_id", "lang", "raw_index", "index", "seed")),
        *_PROVENANCE,
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string()),
        pa.field("received", pa.string()),
    ]
)
"""Columns of config `rejected`: the row's provenance, the reason, and the teacher's answer."""


_SCORE = pa.struct([pa.field("judge", pa.string()), pa.field("criterion", pa.string()), pa.field("score", pa.float64())])
JUDGING = [
    pa.field("judge_scores", pa.list_(_SCORE)),
    pa.field("judge_mean", pa.float64()),
    pa.field("judge", pa.list_(pa.string())),
]
"""Fields of judged rows: each judge's score by criterion, their weighted mean, and the judges that scored the row."""


def schema_of(*, verified: bool, concepts: bool) -> pa.Schema:
    """The schema of config `default`.

    Args:
        verified: whether pairs are verified.
        concepts: whether problems are made from concepts, which then have a column.
    """
    schema = VERIFIED_SCHEMA if verified else SCHEMA
    return schema.append(_CONCEPTS) if concepts else schema


def with_lineage(schema: pa.Schema) -> pa.Schema:
    """The schema of rows or rejected rows with the columns of evolved rows."""
    return pa.schema([*schema, *_LINEAGE])


def lineage_of(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The lineage of an evolved row; None for others."""
    return {name: row.get(name) for name in LINEAGE_COLUMNS} if row.get("round") else None


def provenance_columns(seed: Seed) -> dict[str, Any]:
    """The columns that a kept and a rejected row share."""
    origin = seed.origin
    return {
        "seed_id": seed.seed_id,
        "lang": origin.lang,
        "raw_index": origin.raw_index,
        "index": seed.index,
        "seed": seed.snippet,
        "seed_dataset": origin.dataset,
        "seed_revision": origin.revision,
        "repo_name": origin.repo_name,
        "repo_commit": origin.repo_commit,
        "file_path": origin.file_path,
        "start_line": seed.start_line,
        "end_line": seed.end_line,
        "licenses": None if origin.licenses is None else list(origin.licenses),
        "license_type": origin.license_type,
        "sampler": seed.sampler,
        "rng_seed": seed.rng_seed,
    }


def seed_of(columns: Mapping[str, Any]) -> Seed:
    """The seed behind `provenance_columns`; only the row's id in its dataset is not among them."""
    licenses = columns["licenses"]
    origin = Provenance(
        dataset=columns["seed_dataset"],
        revision=columns["seed_revision"],
        row_id="",
        raw_index=columns["raw_index"],
        lang=columns["lang"],
        repo_name=columns["repo_name"],
        repo_commit=columns["repo_commit"],
        file_path=columns["file_path"],
        licenses=None if licenses is None else tuple(licenses),
        license_type=columns["license_type"],
    )
    return Seed(
        columns["seed"],
        columns["start_line"],
        columns["end_line"],
        origin,
        columns["sampler"],
        columns["rng_seed"],
        columns["index"],
        columns["seed_id"],
    )
