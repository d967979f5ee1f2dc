"""Create or continue a run in a folder, as `synthesize --out DIR` does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path

from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList, find, keys
from hf_oss_instruct.data import FORMAT_VERSION, Outcome, Row, Seed, Skipped
from hf_oss_instruct.errors import OssInstructError, RunError, UsageError
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.seeds.sampling import sample
from hf_oss_instruct.seeds.source import Source, pinned
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.shard import SPLIT, Shard
from hf_oss_instruct.storage.run_report import JOURNAL, VERDICTS, RunReport, write_run_report
from hf_oss_instruct.storage.workdir import difference, different_run_error, format_value, locked, names_in, write_atomically
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.concepts import pair_task
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.generation.task import GenerationTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.output import DatasetWriter, publish, report_of
from hf_oss_instruct.synthesis.requests.budget import Budget
from hf_oss_instruct.synthesis.requests.reservations import Reservations
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.run_progress import update_counts
from hf_oss_instruct.synthesis.run_stats import RunStats
from hf_oss_instruct.synthesis.runtime.drive import FINISH_S, drive
from hf_oss_instruct.synthesis.runtime.memory import rare_garbage_collection
from hf_oss_instruct.synthesis.sessions import earlier_report, earlier_usage
from hf_oss_instruct.synthesis.verifying import Prepare, open_verification
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.terminal.signals import defer_signals
from hf_oss_instruct.verification.memo import Verdicts

CONFIG = "oss_instruct.yaml"


@dataclass(frozen=True)
class RunResult:
    """The result of a run.

    Attributes:
        stats: the counts.
        report: `run.json` as written.
        error: what stopped it before every seed was answered; None if there was none.
        interrupted: whether it was stopped by Ctrl-C, SIGTERM or SIGHUP.
    """

    stats: RunStats
    report: RunReport
    error: OssInstructError | None = None
    interrupted: bool = False


def run(
    out: Path,
    spec: RunSpec,
    source: Source,
    teacher: Teacher,
    *,
    then: Sequence[GenerationTask[Row]] = (),
    retry_policy: RetryPolicy | None = None,
    lists: Sequence[BenchmarkList] | None = None,
    progress: Progress = SILENT,
) -> RunResult:
    """Create or continue the run in `out`, and write a dataset there that `load_dataset` reads.

    Whatever stops it, every answer is in the journal, the tables, report and card show the progress, and the same call
    continues.

    Args:
        out: the folder.
        spec: the run; `teachers.resolve` has opened its teacher already.
        source: the source of its documents.
        teacher: the teacher that answers.
        then: generation tasks that each row goes through before it is checked and written, such as a judge.
        retry_policy: when to give up; by default as in `spec`.
        lists: the benchmarks of `spec.checks`, if they were loaded already.
        progress: a progress display.

    Raises:
        RunError: `out` contains something else, another run, or is in use; or it cannot be written.
        UsageError, SeedError: as `open_source` and `SeedPlan` do.
    """
    # The source's revision goes into the run config, so that a resumed run draws the same seeds or is refused.
    spec = replace(spec, seeds=pinned(spec.seeds, source))
    with progress.stage(f"Reading seeds from {spec.seeds.source}"):
        seeds = _read_first(sample(source, spec.seeds, progress))
    task, concurrency, shard = pair_task(spec, teacher), spec.teacher.in_flight, spec.seeds.shard
    limits = spec.limits.of_shard(shard) if shard else spec.limits
    retry_policy = retry_policy or RetryPolicy.of(limits, spec.teacher.timeout)
    verification = open_verification(spec, teacher, exclusive=True)
    follow_ups = [
        *(verification.described() if verification else []),
        *(f"{follow_up.name}: {follow_up.teacher.identity}" for follow_up in then),
    ]
    _check_folder(out, shard)
    # The lock comes first: what follows reads and writes the folder.
    with locked(out), rare_garbage_collection(), defer_signals() as stopping, ExitStack() as stack:
        before = _adopt(out, spec, task, follow_ups)
        stats, started = RunStats(spec.seeds.requested or 0, limits=limits), time.monotonic()
        tables = DatasetWriter(out, stats, spec, find(spec.checks.benchmarks) if lists is None else lists)
        if verification:
            verification = replace(verification, verdicts=stack.enter_context(Verdicts(out / VERDICTS)))
        reservations = stack.enter_context(Reservations(out, bounded=limits.bounded))
        with Journal(out / JOURNAL, also=[task.journal_home]) as journal:
            embedded = [step.name for step in task.tasks if step.teacher.embedded]
            spent = earlier_usage(before, journal, reservations, free=embedded)

            def stream(stop: asyncio.Event) -> AsyncGenerator[Outcome, None]:
                return outcomes(
                    seeds,
                    (*task.tasks, *([Prepare(verification)] if verification else []), *then),
                    journal,
                    concurrency=concurrency,
                    window_size=spec.teacher.window_size,
                    retry_policy=retry_policy,
                    budget=Budget(limits, spent, reservations.write),
                    usage=stats.usage,
                    stop=stop,
                    finish_s=0.0 if spec.teacher.batch else FINISH_S,  # batches continue without us
                    # A session that stops early still writes all rows that earlier ones have paid for.
                    replay_journal=True,
                )

            update = partial(update_counts, stats=stats, requests_before=spent.requests_sent, stopping=stopping)
            with progress.stage(f"Making pairs with {teacher.identity}", "seeds", spec.seeds.requested, update):
                error = drive(stream, tables.consume, stopping)
            # Also after an error or a signal: the tables always show the rows so far.
            with progress.stage("Checking the whole dataset and writing it"):
                tables.finish()
            report = report_of(spec, task, stats, tables.checks(), before, spent, time.monotonic() - started, journal.dropped)
            if follow_ups:
                report["tasks"] = follow_ups
        # After the journal is closed, which syncs it: the report is the last file, and stands for all others.
        publish(out, spec, task, stats, report)
        return RunResult(stats, report, error, bool(stopping))


def with_benchmarks(spec: RunSpec, names: Sequence[str], *, download: bool = True) -> tuple[RunSpec, list[BenchmarkList]]:
    """Read the benchmarks that no row may quote.

    Args:
        spec: the run.
        names: as the caller has them: a file on this machine is a path here, and a hash of its contents in a run config.
        download: whether to ask the Hub for benchmarks that are not in its cache; a dry run does not.

    Returns:
        The run with the names that its run config records, and the benchmarks.

    Raises:
        UsageError: a benchmark is unknown, or a file of one cannot be read.
    """
    lists = find(names, download=download)
    return replace(spec, checks=replace(spec.checks, benchmarks=keys(names, lists))), lists


def _read_first(seeds: Iterator[Seed | Skipped]) -> Iterator[Seed | Skipped]:
    """The same seeds; reads the first one, so that an unreadable source raises its error before a folder is created."""
    first = list(islice(seeds, 1))
    return chain(first, seeds)


def check_out(out: Path, spec: RunSpec, teacher: Teacher) -> None:
    """Refuse what `run` would refuse because of its folder; writes nothing, for a dry run.

    Args:
        out: the folder.
        spec: the run, with its seeds pinned.
        teacher: the teacher that would answer.

    Raises:
        RunError: `out` contains something else, or another run.
        UsageError: its path has wildcards.
    """
    _check_folder(out, spec.seeds.shard)
    verification = open_verification(spec, teacher)
    if (out / CONFIG).exists():
        _check_same_run(out, spec, pair_task(spec, teacher), verification.described() if verification else [])


def _check_folder(out: Path, shard: Shard | None) -> None:
    """Refuse a folder that contains something else than a run."""
    if shard and (out.parent / SPLIT / out.name).exists():
        raise RunError(
            f"Shard {shard} was split: its answers are in the smaller shards next to {str(out)!r}, which request the rest. "
            "Run synthesize for them."
        )
    if not (out / CONFIG).exists() and (wildcards := sorted(set(str(out.resolve())) & set("*?["))):
        raise UsageError(
            f"The folder {str(out)!r} has {' '.join(wildcards)} in its path, which load_dataset interprets as a pattern, so it "
            "would not find the dataset. Use another folder."
        )
    # Finished tables are replaced, so other people's files would be at risk.
    if out.is_dir() and not (out / CONFIG).exists() and names_in(out):
        raise RunError(f"The folder {str(out)!r} contains other files and no {CONFIG}. Use a new or empty folder.")


def _adopt(out: Path, spec: RunSpec, task: OssInstructTask, follow_ups: list[str]) -> RunReport:
    """Check that the folder contains this run, and return its report; in a new folder, write the config."""
    if (out / CONFIG).exists():
        return _check_same_run(out, spec, task, follow_ups)
    # The first file: it marks the folder as a run's, and a folder with files and without it is refused.
    write_atomically(out / CONFIG, spec.to_yaml())
    # Written at once, so that a run that is killed can be exported and resumed with the same teacher.
    begun: RunReport = {"format_version": FORMAT_VERSION, "teacher": task.teacher.identity}
    if follow_ups:
        begun["tasks"] = follow_ups
    write_run_report(out, begun)
    return {}


def _check_same_run(out: Path, spec: RunSpec, task: OssInstructTask, follow_ups: list[str]) -> RunReport:
    """Refuse a folder that contains another run; return the report of this one."""
    differences = RunSpec.from_file(out / CONFIG).differences(spec)
    before = earlier_report(out)
    # A run config names no teacher, only the report does.
    earlier = before.get("teacher", task.teacher.identity)
    if earlier != task.teacher.identity:
        differences.append(difference("teacher", earlier, task.teacher.identity))
    if (named := before.get("tasks", [])) != follow_ups:
        differences.append(difference("tasks", format_value(named), format_value(follow_ups)))
    # The command is the same, since `pinned` fills in the revision: advice to repeat earlier options would be of no use.
    if [line.split(":")[0] for line in differences] == ["--revision"]:
        raise RunError(
            f"The source {spec.seeds.source!r} has changed since the run in {str(out)!r} began, and its seeds with it. "
            f"Restore that state to continue the run, or start a new one in another folder. To export its rows so "
            f"far: hf-oss-instruct export {out} --out NEW."
        )
    if differences:
        raise different_run_error(out, differences)
    return before
