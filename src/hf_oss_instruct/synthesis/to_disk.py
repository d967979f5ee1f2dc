"""The Python function `synthesize_to_disk`: the Python equivalent of the command `synthesize`, also for notebooks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hf_oss_instruct.errors import RunInterruptedError, TeacherError, UsageError
from hf_oss_instruct.progress.counts import PROGRESS_HELP, SILENT, Progress
from hf_oss_instruct.seeds.sampling import SeedStream
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.declare import argument, arguments, with_arguments_of
from hf_oss_instruct.spec.option_types import Folder
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.synthesis.function_arguments import PairArguments
from hf_oss_instruct.synthesis.generation.oss_instruct import check_seeds
from hf_oss_instruct.synthesis.run import run, with_benchmarks


@arguments
class FolderArguments(PairArguments):
    """Arguments of `synthesize_to_disk`."""

    seeds: SeedStream = argument(
        "The result of `read_seeds`. They are drawn from the beginning, even if some were already read.", kw_only=False
    )
    out: str | Path = argument(
        "The folder: a new or empty one, or that of the same run. It gets `data/`, `sft/` and `rejected/` (Parquet), "
        "`README.md`, `run.json` and `oss_instruct.yaml`; `load_dataset(out)` reads it.",
        kind=Folder(),
        kw_only=False,
    )
    checks: Checks | None = argument(
        "Which checks rows must pass: duplicates, near duplicates, benchmarks. Default: all.", default=None
    )
    progress: Progress = argument(PROGRESS_HELP, default=SILENT)


@with_arguments_of(FolderArguments)
def synthesize_to_disk(call: FolderArguments) -> RunReport:
    """Write a dataset of (problem, solution) pairs to a folder, as the command `synthesize` does, or continue one.

    Every answer is kept in `out/journal` before it is used. After an error, an interruption or a crash, the same call
    continues, and no answer is requested twice. Of the errors below, all but the first two come after the tables and the report
    were written.

    Returns:
        The report, as in `run.json`.

    Raises:
        UsageError: the arguments contradict each other.
        RunError: `out` contains something else or another run, is in use, or cannot be written.
        SeedError: the source cannot be read, or (at the end) gave fewer than `n` seeds.
        TeacherError: the teacher cannot continue, or some seeds got no answer after all retries.
        BudgetReachedError: a limit is reached.
        RunInterruptedError: Ctrl-C, SIGTERM or SIGHUP was received.

    Source:
        Magicoder, arXiv 2312.02120, sections 2.1 and 2.2.
    """
    seeds, teacher = call.seeds, call.teacher
    check_seeds(seeds, teacher)
    if not isinstance(seeds, SeedStream):
        raise UsageError(
            f"seeds must be the result of read_seeds, not {type(seeds).__name__}, because they are drawn again when a run is "
            "continued. Pass read_seeds(FOLDER, n=100), or use synthesize."
        )
    # As the command has it: `run` fills in the revision of the source.
    plan = replace(seeds.plan, source=seeds.source.name, revision=None)
    spec = call.pair_spec(seeds=plan, checks=call.checks)
    spec, lists = with_benchmarks(spec, spec.checks.benchmarks)
    out = Path(call.out)
    result = run(out, spec, seeds.source, teacher, then=call.then, lists=lists, progress=call.progress)
    if result.interrupted:
        raise RunInterruptedError(f"Interrupted. Everything received is kept in {str(out)!r}; the same call continues.")
    if result.error:
        raise result.error
    if pending := result.stats.pending:
        raise TeacherError(
            f"{pending:,} seeds have no answer yet ({result.stats.pending_why}). Everything received is kept in {str(out)!r}; "
            "the same call continues."
        )
    return result.report
