"""A run over the rows of a table: it sends items through tasks in a folder that the same call continues.

    with TableRun(out, {"command": "verify", …}, spec) as run:
        run.drive(rows, tasks, consume)
        write(…, run.facts())

The context holds the lock on the folder.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hf_oss_instruct.data import Outcome
from hf_oss_instruct.errors import OssInstructError, RunInterruptedError, TeacherError
from hf_oss_instruct.spec.run import SETTINGS, RunSpec
from hf_oss_instruct.storage.run_report import JOURNAL, VERDICTS, RunReport
from hf_oss_instruct.storage.workdir import locked_for_job
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.task import Task
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.synthesis.requests.reservations import Reservations
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.runtime.drive import FINISH_S, drive
from hf_oss_instruct.synthesis.runtime.memory import rare_garbage_collection
from hf_oss_instruct.synthesis.sessions import earlier_report, earlier_usage
from hf_oss_instruct.terminal.signals import defer_signals
from hf_oss_instruct.verification.memo import Verdicts


@dataclass
class TableResult:
    """How a run over a table ended.

    Attributes:
        out: the folder.
        report: `run.json` as written.
        error: what stopped it before every row was settled; None if nothing did.
        interrupted: it was stopped by a signal.
        why: why the first pending row is pending.
    """

    out: Path
    report: RunReport
    error: OssInstructError | None = None
    interrupted: bool = False
    why: str = ""

    def require_complete(self, what: str) -> RunReport:
        """The report of a run that settled every row.

        Args:
            what: the outcome of rows, such as `verified`.

        Raises:
            RunInterruptedError: a signal came.
            TeacherError: some rows are pending.
            OssInstructError: what stopped the run.
        """
        kept = f"Everything received is kept in {str(self.out)!r}"
        if self.interrupted:
            raise RunInterruptedError(f"Interrupted. {kept}; the same call continues.")
        if self.error:
            raise self.error
        if pending := self.report["pending"]:
            raise TeacherError(f"{pending:,} rows are not {what} yet ({self.why}). {kept}; the same call continues.")
        return self.report


class TableRun:
    """The folder of a run over the rows of a table, locked while the context is open.

    Args:
        out: a new or empty folder, or that of the same job.
        job: what is done there, as `workdir.locked_for_job` records and compares it.
        spec: its parts `teacher` and `limits` say how requests are sent.
        also: folders with further journals whose answers are used.

    Attributes:
        usage: usage in this session.
        stopping: whether the process was interrupted.

    Raises:
        RunError: `out` contains something else, is in use, or cannot be written.
    """

    def __init__(self, out: Path, job: Mapping[str, Any], spec: RunSpec, also: Sequence[Path] = ()) -> None:
        self.out, self.usage = out, Usage()
        self._job, self._spec, self._also = job, spec, also
        self._error: OssInstructError | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(locked_for_job(self.out, self._job, SETTINGS))
            stack.enter_context(rare_garbage_collection())
            self.stopping = stack.enter_context(defer_signals())
            self._before, self._started = earlier_report(self.out), time.monotonic()
            # After the lock: no other process writes to the journal or the reservations that are read here.
            self._journal = stack.enter_context(Journal(self.out / JOURNAL, also=self._also))
            self._reservations = stack.enter_context(Reservations(self.out, bounded=self._spec.limits.bounded))
            self._spent = earlier_usage(self._before, self._journal, self._reservations)
            # Only now, since an error before this point must close what was opened, and unlock the folder.
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def requests_before(self) -> int:
        """Requests of earlier sessions."""
        return self._spent.requests_sent

    def verdicts(self) -> Verdicts:
        """The verdicts of programs in the folder."""
        return self._stack.enter_context(Verdicts(self.out / VERDICTS))

    def drive(
        self,
        items: Iterable[Any],
        tasks: Sequence[Task],
        consume: Callable[[AsyncGenerator[Outcome, None]], Awaitable[None]],
    ) -> None:
        """Send every item through the tasks, until all are settled, or a signal or an error ends it cleanly.

        Args:
            items: the items of the first task.
            tasks: the chain, see `engine.outcomes`.
            consume: takes every outcome, in the order of the items.
        """
        teacher, limits = self._spec.teacher, self._spec.limits

        def stream(stop: asyncio.Event) -> AsyncGenerator[Outcome, None]:
            return outcomes(
                items,
                tasks,
                self._journal,
                concurrency=teacher.in_flight,
                window_size=teacher.window_size,
                retry_policy=RetryPolicy.of(limits, teacher.timeout),
                budget=Budget(limits, self._spent, self._reservations.write),
                usage=self.usage,
                stop=stop,
                finish_s=0.0 if teacher.batch else FINISH_S,  # batches continue without us
                replay_journal=True,
            )

        self._error = drive(stream, consume, self.stopping)

    def facts(self) -> RunReport:
        """The facts of `run.json` about requests and time, earlier sessions included."""
        before, usage = self._before, self.usage
        return {
            "requests_sent": self._spent.requests_sent + usage.requests_sent,
            "tokens": {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens},
            "seconds": round(before.get("seconds", 0) + time.monotonic() - self._started, 3),
            "started": before.get("started", datetime.now(UTC).isoformat(timespec="seconds")),
            "versions": {"hf-oss-instruct": version("hf-oss-instruct")},
        }

    def result(self, report: RunReport, why: str = "") -> TableResult:
        """How the run ended, with the report that was written."""
        return TableResult(self.out, report, self._error, bool(self.stopping), why)
