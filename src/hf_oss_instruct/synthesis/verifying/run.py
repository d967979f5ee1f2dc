"""`verify`: any table with problems and solutions in, the verified rows out, resumed like every run."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from hf_oss_instruct.curation.rows import OURS, REPORT, read
from hf_oss_instruct.data import Outcome, Row, digest, storable
from hf_oss_instruct.errors import OssInstructError, UsageError
from hf_oss_instruct.schemas import SCHEMA
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
from hf_oss_instruct.synthesis.verifying.table_columns import TableColumns, columns_of, language_of
from hf_oss_instruct.synthesis.verifying.table_output import Outcomes, report_of, write
from hf_oss_instruct.synthesis.verifying.table_rows import problem_of, solution_of, tests_of
from hf_oss_instruct.synthesis.verifying.tasks import Prepare
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.verification.memo import Verdicts
from hf_oss_instruct.workdir import owned

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
    started, usage, found = time.monotonic(), Usage(), Outcomes()
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
        report = report_of(source, names, len(table), found, usage, before, time.monotonic() - started)
        report |= {"tasks": verification.described()} if verification.described() else {}
        write(out, table, names, found, report, source)
    return VerifyResult(report, trouble, bool(stopping), found.why)


def _rows(table: pa.Table, names: TableColumns, language: str) -> Iterator[Row]:
    """The rows in our columns. Those of a run keep theirs; others get an id by their text."""
    ours, seen, empty = set(table.column_names) >= OURS, Counter[str](), dict.fromkeys(SCHEMA.names)
    read_ones = (names.problem, names.solution, names.tests, names.language, names.entry_point)
    wanted = [name for name in table.column_names if ours or name in read_ones]
    place = 0
    for batch in table.select(wanted).to_batches(1000):
        for columns in batch.to_pylist():
            problem = storable(problem_of(columns[names.problem], names))
            solution = storable(solution_of(columns[names.problem], columns[names.solution], names))
            row = empty | ({name: columns[name] for name in SCHEMA.names if name in columns} if ours else {})
            row |= {"problem": problem, "solution": solution, "lang": _language(columns, names, row, language)}
            entry_point = columns[names.entry_point] if names.entry_point else None
            row["tests"] = tests_of(columns[names.tests], entry_point) if names.tests else None
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
