"""`verify`: any table with problems and solutions in, the verified rows out, resumed like every run."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from hf_oss_instruct.curation import checks
from hf_oss_instruct.curation.rows import OURS, REPORT, read
from hf_oss_instruct.curation.run import CONFIG, OF_THE_RUN
from hf_oss_instruct.data import (
    FORMAT_VERSION,
    PREFERENCE_SCHEMA,
    SCHEMA,
    SFT_SCHEMA,
    VERIFICATION_COLUMNS,
    VERIFIED_SCHEMA,
    Outcome,
    Pending,
    Rejection,
    Row,
    digest,
    storable,
)
from hf_oss_instruct.errors import OssInstructError, UsageError
from hf_oss_instruct.publishing.cards import curated_card
from hf_oss_instruct.shards import Shards
from hf_oss_instruct.signals import deferring
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.synthesis.budget import Budget, Usage
from hf_oss_instruct.synthesis.driving import drive
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.journal import Journal
from hf_oss_instruct.synthesis.memory import rare_garbage_collection
from hf_oss_instruct.synthesis.request_runner import RetryPolicy
from hf_oss_instruct.synthesis.verifying.opening import open_verification
from hf_oss_instruct.synthesis.verifying.preference import preference_pairs
from hf_oss_instruct.synthesis.verifying.rows import facts_in
from hf_oss_instruct.synthesis.verifying.stats import VerificationStats
from hf_oss_instruct.synthesis.verifying.table_columns import TableColumns, columns_of, language_of, read_tests, text_of
from hf_oss_instruct.synthesis.verifying.tasks import Prepare
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.templates import to_prompt_completion
from hf_oss_instruct.verification.memo import VERSION, Verdicts
from hf_oss_instruct.workdir import owned, write_whole

AHEAD = 64
UNKNOWN = "unknown"
"""Teacher of rows that do not say who wrote them."""


@dataclass
class VerifyResult:
    """How a verification ended.

    Attributes:
        report: `run.json` as written.
        trouble: what stopped it before every row was settled; None if nothing did.
        interrupted: it was stopped by a signal.
        why: why the first pending row is pending.
    """

    report: dict[str, Any]
    trouble: OssInstructError | None = None
    interrupted: bool = False
    why: str = ""


@dataclass
class _Found:
    """What became of the rows, by their place in the table."""

    stats: VerificationStats = field(default_factory=VerificationStats)
    kept: dict[int, Row] = field(default_factory=dict)
    rejected: dict[int, Rejection] = field(default_factory=dict)
    pending: int = 0
    why: str = ""

    def settle(self, place: int, outcome: Outcome) -> None:
        if isinstance(outcome, Rejection):
            self.rejected[place] = outcome
            assert outcome.verified
            self.stats.count(outcome.verified, outcome.verified["language"], outcome.verified["cause"])
        elif isinstance(outcome, dict):
            self.kept[place] = outcome
            self.stats.count(outcome, *facts_in(outcome))
        else:
            assert isinstance(outcome, Pending)
            self.pending += 1
            self.why = self.why or outcome.why


def verify_table(
    source: str,
    out: Path,
    spec: RunSpec,
    teacher: Teacher,
    *,
    columns: Mapping[str, str] | None = None,
    language: str = "python",
    on_progress: Callable[[int, int, Usage], None] = lambda done, of, usage: None,
) -> VerifyResult:
    """Verify the rows of a dataset, and write those that are kept, the others with their reason, and a report.

    Args:
        source: folder of a run; tables or a folder of them; or the id of a dataset on the Hub.
        out: a new or empty folder, or that of the same verification, which goes on.
        spec: its parts `verification`, `sampling`, `limits` and `teacher` count.
        teacher: who writes tests, solutions and repairs, where they are asked for.
        columns: `problem`, `solution`, `tests`, `language` → name of the column, where it is not a usual one.
        language: of rows that say neither in a column nor on a code fence what they are written in.
        on_progress: told the settled rows, all rows and the usage, a few times a second.

    Raises:
        UsageError: the rows have no problems or no solutions, or options do not go together.
        SeedError: the source cannot be read.
        SandboxError: this machine has no sandbox.
        RunError: `out` holds something else, is in use, or cannot be written.
    """
    spec = spec.changed(verification={"verify": True})
    table = read(source)
    if not len(table):
        raise UsageError(f"{source!r} has no rows. Name a folder or table with some.")
    names = columns_of(table.column_names, columns)
    verification = open_verification(spec, teacher, exclusive=True)
    assert verification
    started, usage, found = time.monotonic(), Usage(), _Found()
    job = _job(source, spec, names, verification.described(), language)
    with owned(out, job), rare_garbage_collection(), deferring() as stopping:
        before = _before(out)
        with Journal(out / "journal") as journal, Verdicts(out / "verdicts.jsonl") as verdicts:
            tasks = (Prepare(replace(verification, verdicts=verdicts)),)

            def stream(stop: asyncio.Event) -> AsyncGenerator[Outcome, None]:
                return outcomes(
                    _rows(table, names, language),
                    tasks,
                    journal,
                    concurrency=spec.teacher.concurrency,
                    ahead=AHEAD * spec.teacher.concurrency,
                    retry_policy=RetryPolicy(give_up_after_s=spec.limits.give_up_after, deadline_s=spec.teacher.timeout),
                    budget=Budget(spec.limits, _spent(before) if spec.limits.bounded else None),
                    usage=usage,
                    stop=stop,
                    catch_up=True,
                )

            async def consume(opened: AsyncGenerator[Outcome, None]) -> None:
                place = 0
                async for outcome in opened:
                    found.settle(place, outcome)
                    place += 1

            trouble = drive(stream, consume, stopping, lambda: on_progress(usage.settled, len(table), usage))
        found.pending = len(table) - len(found.kept) - len(found.rejected)
        report = _report(source, names, len(table), found, usage, before, time.monotonic() - started)
        report |= {"tasks": verification.described()} if verification.described() else {}
        _write(out, table, names, found, report, source)
    return VerifyResult(report, trouble, bool(stopping), found.why)


def _rows(table: pa.Table, names: TableColumns, language: str) -> Iterator[Row]:
    """The rows in our columns. Those of a run keep theirs; others get an id by their text."""
    ours, seen, empty = set(table.column_names) >= OURS, Counter[str](), dict.fromkeys(SCHEMA.names)
    wanted = [name for name in table.column_names if ours or name in (names.problem, names.solution, names.tests, names.language)]
    place = 0
    for batch in table.select(wanted).to_batches(1000):
        for columns in batch.to_pylist():
            problem, solution = storable(text_of(columns[names.problem])), storable(text_of(columns[names.solution]))
            row = empty | ({name: columns[name] for name in SCHEMA.names if name in columns} if ours else {})
            row |= {"problem": problem, "solution": solution, "lang": _language(columns, names, row, language)}
            row["tests"] = read_tests(columns[names.tests]) if names.tests else None
            if not ours:
                key = digest(problem, solution)
                seen[key] += 1
                row |= {
                    "seed_id": digest(key, seen[key]),
                    "raw_index": place,
                    "index": place,
                    "seed": "",
                    "teacher": UNKNOWN,
                    "prompt_hash": "",
                    "seed_dataset": "",
                    "start_line": 0,
                    "end_line": 0,
                    "sampler": "",
                    "rng_seed": 0,
                }
            place += 1
            yield cast(Row, row)


def _language(columns: Mapping[str, Any], names: TableColumns, row: Mapping[str, Any], default: str) -> str:
    return language_of(columns[names.language] if names.language else row.get("lang"), default)


def _job(source: str, spec: RunSpec, names: TableColumns, tasks: list[str], language: str) -> dict[str, Any]:
    """What tells one verification from another."""
    return {
        "command": "verify",
        "source": str(Path(source).resolve()) if Path(source).exists() else source,
        "columns": [names.problem, names.solution, names.tests, names.language],
        "language": language,
        "verification": spec.as_dict()["verification"],
        "sampling": spec.as_dict()["sampling"],
        "tasks": tasks,
    }


def _before(out: Path) -> dict[str, Any]:
    try:
        return read_object(out / REPORT, {"requests_sent": int, "seconds": (int, float), "started": str, "tokens": dict})
    except ValueError:
        return {}


def _spent(before: Mapping[str, Any]) -> Usage:
    tokens = before.get("tokens", {})
    return Usage(before.get("requests_sent", 0), int(tokens.get("prompt", 0)), int(tokens.get("completion", 0)))


def _report(
    source: str, names: TableColumns, rows: int, found: _Found, usage: Usage, before: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    try:
        run = read_object(Path(source) / REPORT, {"checks": list})
    except ValueError:  # no run, or one whose report says nothing
        run = {}
    earlier = [one for one in run.get("checks", []) if isinstance(one, dict) and one.get("name") != "execution"]
    known = {one.get("name") for one in earlier}
    others = [
        checks.skipped(step.name, "verify runs solutions only; see curate")
        for step in checks.STEPS
        if step.name not in {*known, "denied"}
    ]
    rejected = Counter(one.reason for one in found.rejected.values())
    said = found.stats.report(len(found.kept))
    return {
        "format_version": FORMAT_VERSION,
        "source": Path(source).resolve().name if Path(source).exists() else source,
        "source_counts": {key: run[key] for key in ("requested", "kept", "rejected", "pending") if key in run} or None,
        **{key: run[key] for key in OF_THE_RUN if key in run},
        "columns": [name for name in (names.problem, names.solution, names.tests, names.language) if name],
        "requested": rows,
        "kept": len(found.kept),
        "rejected": dict(rejected.most_common()),
        "pending": found.pending,
        "requests_sent": before.get("requests_sent", 0) + usage.requests_sent,
        "tokens": {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens},
        "seconds": round(before.get("seconds", 0) + seconds, 3),
        "started": before.get("started", datetime.now(UTC).isoformat(timespec="seconds")),
        "versions": {"hf-oss-instruct": version("hf-oss-instruct")},
        "checks": [{"name": "execution", "version": VERSION, "status": "done"}, *earlier, *others],
        "sandbox": ", ".join(said["sandbox"]) or None,
        "verification": said,
    }


def _write(out: Path, table: pa.Table, names: TableColumns, found: _Found, report: dict[str, Any], source: str) -> None:
    """Tables, then card and, last, the report."""
    base, renamed = _without_verification(table)
    kept, dropped = sorted(found.kept), sorted(found.rejected)
    data = _with_columns(base.take(pa.array(kept, pa.int64())), [found.kept[at] for at in kept])
    data = _with_solutions(data, renamed.get(names.solution, names.solution), [found.kept[at] for at in kept])
    lost = [found.rejected[at] for at in dropped]
    fallen = _with_columns(base.take(pa.array(dropped, pa.int64())), [one.verified or {} for one in lost])
    for name, values in (("reason", [one.reason for one in lost]), ("detail", [one.detail for one in lost])):
        fallen = fallen.drop_columns([name]) if name in fallen.column_names else fallen
        fallen = fallen.append_column(name, pa.array(values, pa.string()))
    pairs = [to_prompt_completion(found.kept[at]) for at in kept]
    preferences = [pair for at in kept for pair in preference_pairs(found.kept[at])]
    for name, part in (
        ("data", data),
        ("rejected", fallen),
        ("sft", pa.Table.from_pylist(pairs, SFT_SCHEMA)),
        ("preference", pa.Table.from_pylist(preferences, PREFERENCE_SCHEMA)),
    ):
        shards = Shards(out / name, part.schema)
        shards.abandon()  # what a killed session left
        shards.add_table(part)
        shards.finish()
    report |= {"pairs": len(pairs), "preferences": len(preferences), "columns_renamed": renamed}
    config = Path(source) / CONFIG
    if config.is_file():
        write_whole(out / CONFIG, config.read_bytes())
    write_whole(out / "README.md", curated_card(out.resolve().name, report))
    write_whole(out / REPORT, json.dumps(report, indent=2) + "\n")


def _without_verification(table: pa.Table) -> tuple[pa.Table, dict[str, str]]:
    """The table without columns of ours that will be written anew; others of the same names get out of the way."""
    ours, renamed = set(table.column_names) >= OURS, dict[str, str]()
    clashing = [name for name in VERIFICATION_COLUMNS if name in table.column_names]
    if ours:
        return table.drop_columns(clashing), renamed
    for name in clashing:
        new = f"source_{name}"
        while new in table.column_names:
            new += "_"
        renamed[name] = new
    return table.rename_columns([renamed.get(name, name) for name in table.column_names]), renamed


def _with_columns(table: pa.Table, rows: list[Any]) -> pa.Table:
    for name in VERIFICATION_COLUMNS:
        kind = VERIFIED_SCHEMA.field(name).type
        table = table.append_column(name, pa.array([row.get(name) for row in rows], kind))
    flags = [row.get("flags") for row in rows]
    if any(flags) and "flags" in table.column_names:
        place = table.column_names.index("flags")
        table = table.set_column(place, "flags", pa.array(flags, pa.list_(pa.string())))
    return table


def _with_solutions(table: pa.Table, column: str, rows: list[Row]) -> pa.Table:
    """The table with the solutions that were kept, where another than the row's own was."""
    own = table[column].to_pylist()
    new = [
        row["solution"] if row["solution"] != storable(text_of(value)) else value for row, value in zip(rows, own, strict=True)
    ]
    if new == own:
        return table
    kind = table.schema.field(column).type
    fits = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    values = pa.array(new, kind) if fits else pa.array([text_of(value) for value in new], pa.string())
    return table.set_column(table.column_names.index(column), column, values)
