"""`verify`: any table with problems and solutions in, the verified rows out, resumed like every run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hf_oss_instruct.data import Outcome
from hf_oss_instruct.progress.counts import SILENT, Counts, Progress
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.synthesis.requests.progress import count_requests
from hf_oss_instruct.synthesis.tables import SourceRows, TableResult, TableRun, read_source
from hf_oss_instruct.synthesis.verifying.setup import open_verification
from hf_oss_instruct.synthesis.verifying.table_output import VerificationOutcomes, report_of, write
from hf_oss_instruct.synthesis.verifying.tasks import Prepare
from hf_oss_instruct.teachers.protocol import Teacher


def verify_table(
    source: str,
    out: Path,
    spec: RunSpec,
    teacher: Teacher,
    *,
    columns: Mapping[str, str] | str | None = None,
    language: str = "python",
    progress: Progress = SILENT,
) -> TableResult:
    """Verify the rows of a dataset, and write those that are kept, the others with their reason, and a report.

    Args:
        source: folder of a run; tables or a folder of them; or the id of a dataset on the Hub.
        out: a new or empty folder, or that of the same verification, which is resumed.
        spec: its parts `verification`, `sampling`, `limits` and `teacher` count.
        teacher: the teachers that write tests, solutions and repairs, if requested.
        columns: `problem`, `solution`, `tests`, `language` → name of the column, if it is not a usual one.
        language: language of rows without one in a column or on a code fence.
        progress: a progress display.

    Raises:
        UsageError: the rows have no problems or no solutions, or options do not go together.
        SeedError: the source cannot be read.
        SandboxError: this machine has no sandbox.
        RunError: `out` contains something else, is in use, or cannot be written.
    """
    spec = spec.changed(verification={"verify": True})
    with progress.stage(f"Reading {source}"):
        rows = read_source(source, columns, language)
    verification = open_verification(spec, teacher, exclusive=True)
    assert verification
    outcomes = VerificationOutcomes()

    async def consume(opened: AsyncGenerator[Outcome, None]) -> None:
        async for outcome in opened:
            outcomes.settle(outcome)

    with TableRun(out, _job(rows, spec, verification.described()), spec) as run:
        tasks = (Prepare(replace(verification, verdicts=run.verdicts())),)

        def update(counts: Counts) -> None:
            counts.outcomes, counts.reasons = {"kept": len(outcomes.kept)}, outcomes.reasons
            before, stopping = run.requests_before, run.stopping
            count_requests(counts, run.usage, spec.limits, outcomes.settled, requests_before=before, stopping=stopping)

        with progress.stage(f"Verifying {source}", "rows", len(rows), update):
            run.drive(rows, tasks, consume)
        # Not counted one by one: a second Ctrl-C ends the stream before all rows have come out.
        outcomes.pending = len(rows) - len(outcomes.kept) - len(outcomes.rejected)
        report = report_of(rows, outcomes, run.facts())
        report |= {"tasks": verification.described()} if verification.described() else {}
        with progress.stage("Writing the dataset"):
            write(out, rows, outcomes, report)
        return run.result(report, outcomes.why)


def _job(rows: SourceRows, spec: RunSpec, tasks: list[str]) -> dict[str, Any]:
    """What identifies a verification run."""
    options = spec.as_dict()
    return {
        "command": "verify",
        **rows.identity,
        "verification": options["verification"],
        "sampling": options["sampling"],
        "tasks": tasks,
    }
