"""Read inspect_ai logs (`.eval`, `.json`), of our tasks and of inspect_evals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.sample_files.records import Fault, Record
from hf_oss_instruct.extras import install_command

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample

KINDS = ("completion", "answer")
"""The values that our tasks write as a sample's `kind`."""


def from_log(file: Path) -> Iterator[Record | Fault]:
    """Yield the answers of a log, one record per sample and epoch.

    Raises:
        EvaluationError: inspect_ai is not installed, or cannot read the file.
    """
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as error:
        raise EvaluationError(
            f"{file.name} needs inspect_ai, which is not installed. Install it with: {install_command('inspect')}"
        ) from error
    try:
        # These fields can be large, and are not needed here.
        samples = read_eval_log(file, exclude_fields={"messages", "events", "store", "attachments"}).samples or []
    except Exception as error:  # inspect can raise anything
        raise EvaluationError(f"inspect_ai cannot read the log {str(file)!r}: {error}. Run inspect eval again.") from error
    if not samples:
        yield Fault(file.name, "is a log without samples", "Run inspect eval without --no-log-samples.")
    # So that the n-th sample of each problem is of the n-th epoch.
    for sample in sorted(samples, key=lambda sample: sample.epoch):
        yield _record(f"{file.name}, sample {sample.id!r}, epoch {sample.epoch}", sample, file)


def _record(location: str, sample: EvalSample, file: Path) -> Record | Fault:
    if sample.error is not None:
        return Fault(location, f"ended with an error: {sample.error.message:.80}", f"Finish it: inspect eval-retry {file.name}.")
    kind = sample.metadata.get("kind")
    texts = [choice.message.text for choice in sample.output.choices]
    return Record(location, kind if kind in KINDS else "answer", texts or [""], str(sample.id))
