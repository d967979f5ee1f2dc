"""The Python function `synthesize_to_disk`: the Python equivalent of the command `synthesize`, also for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hf_oss_instruct.data import Row
from hf_oss_instruct.errors import RunInterruptedError, TeacherError, UsageError
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.seeds.sampling import SeedStream
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.prompts import SECTIONS, Prompt, PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.synthesis.generation.oss_instruct import check_seeds
from hf_oss_instruct.synthesis.generation.task import GenerationTask
from hf_oss_instruct.synthesis.run import run, with_benchmarks
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.templates import DROP


def synthesize_to_disk(
    seeds: SeedStream,
    teacher: Teacher,
    out: str | Path,
    *,
    prompt: Prompt | None = None,
    sampling: Sampling | None = None,
    parser: str = "default",
    keep_reasoning: bool = False,
    thoughts: str = DROP,
    answer_format: str = SECTIONS,
    concepts: bool = False,
    style: str | None = None,
    checks: Checks | None = None,
    limits: RunLimits | None = None,
    verification: VerificationSpec | None = None,
    concurrency: int = 16,
    timeout: float | None = None,
    then: Sequence[GenerationTask[Row]] = (),
    progress: Progress = SILENT,
) -> RunReport:
    """Write a dataset of (problem, solution) pairs to a folder, as the command `synthesize` does, or continue one.

    Every answer is kept in `out/journal` before it is used. After an error, an interruption or a crash, the same call
    continues, and no answer is requested twice. Of the errors below, all but the first two come after the tables and the report
    were written.

    Args:
        seeds: the result of `read_seeds`. They are drawn from the beginning, even if some were already read.
        teacher: the teacher that answers.
        out: the folder: a new or empty one, or that of the same run. It gets `data/`, `sft/` and `rejected/` (parquet),
            `README.md`, `run.json` and `oss_instruct.yaml`; `load_dataset(out)` reads it.
        prompt: template; ours by default.
        sampling: sampling parameters; the paper's by default.
        parser: how an answer is parsed: `default`, or `magicoder` for the paper's exact rule.
        keep_reasoning: store a reasoning model's thoughts in the column `reasoning`.
        thoughts: `keep` puts them into that column and before the completions of the config `sft`; `drop` does not.
        answer_format: `sections`, or `json` for an object whose schema is sent as `response_format`.
        concepts: whether to request the concepts of each snippet first, and then a problem about these.
        style: `function`, `script` or `class`, to have each pair rewritten to that form; None to leave it as it is.
        checks: which checks rows must pass: duplicates, near duplicates, benchmarks.
        limits: limits on requests, tokens and cost.
        verification: whether and how each pair is run with tests: `VerificationSpec(verify=True)`.
        concurrency: requests in flight at once.
        timeout: timeout of one request, in seconds; None adapts it to the answers.
        then: generation tasks that each row goes through before it is checked, such as a judge.
        progress: a progress display, such as that of `show_progress()`; by default nothing is shown.

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
    check_seeds(seeds, teacher)
    if not isinstance(seeds, SeedStream):
        raise UsageError(
            f"seeds must be the result of read_seeds, not {type(seeds).__name__}, because they are drawn again when a run is "
            "continued. Pass read_seeds(FOLDER, n=100), or use synthesize."
        )
    # As the command has it: `run` fills in the revision of the source.
    plan = replace(seeds.plan, source=seeds.source.name, revision=None)
    spec = RunSpec(
        seeds=plan,
        teacher=TeacherSpec(concurrency=concurrency, timeout=timeout),
        prompt=PromptSpec(
            template=prompt or Prompt.default(),
            parser=parser,
            keep_reasoning=keep_reasoning,
            thoughts=thoughts,
            answer_format=answer_format,
            concepts=concepts,
            style=style,
        ),
        sampling=sampling or Sampling(),
        checks=checks or Checks(),
        limits=limits or RunLimits(),
        verification=verification or VerificationSpec(),
    )
    spec, lists = with_benchmarks(spec, spec.checks.benchmarks)
    result = run(Path(out), spec, seeds.source, teacher, then=then, lists=lists, progress=progress)
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
