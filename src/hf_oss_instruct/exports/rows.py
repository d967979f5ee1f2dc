"""Select the rows of a dataset to export: those with tests, and a solution that passed them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.data import digest
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.progress.counts import Counts
from hf_oss_instruct.rewards.columns import read_row
from hf_oss_instruct.rewards.grading.program import names_in
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.terminal.display import error_message

BATCH_ROWS = 256
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A problem with its tests.

    Attributes:
        id: the row's `seed_id`, or a hash of its problem and tests. No two rows of an export share one, and it can name a file.
        problem: the text of the problem.
        tests: the tests, with the solution that passed them.
    """

    id: str
    problem: str
    tests: RowTests

    @property
    def instruction(self) -> str:
        """What a model is asked: the problem, the names that its tests use, and how to answer."""
        title = named(self.tests.language).title
        lines = [self.problem.strip()]
        if self.tests.pairs:
            lines.append(f"Write a whole {title} program that reads standard input and writes to standard output.")
        elif missing := [name for name in self.names if name not in self.problem]:
            lines.append(f"Write it in {title}, and name it as its tests do: {', '.join(f'`{name}`' for name in missing)}.")
        lines.append(f"Answer with one Markdown code block in {title}.")
        return "\n\n".join(lines)

    @property
    def names(self) -> list[str]:
        """The names of the solution that the tests use."""
        if self.tests.function:
            return [self.tests.function]
        used = names_in(self.tests.code, self.tests.entry_point)
        return [name for name in used if name in self.tests.solution]


@dataclass
class ExportableRows:
    """The rows of a dataset that can be exported. Iterate once, then read `skipped`.

    Attributes:
        folder: `--out` of synthesize, or any folder with Parquet files.
        skipped: reason → number of skipped rows.
        counts: the text to display. Writers count the rows that they have written.
    """

    folder: Path
    skipped: Counter[str] = field(default_factory=Counter)
    counts: Counts = field(default_factory=Counts)

    def __iter__(self) -> Iterator[ExportRow]:
        with suppress(pa.ArrowException, OSError):  # `parquet_rows` says what is wrong
            self.counts.total = sum(pq.read_metadata(path).num_rows for path in parquet_files(self.folder))
        # The counter itself, which the display reads as it grows.
        self.counts.reasons, self.counts.reasons_are = self.skipped, "left out"
        known: Counter[str] = Counter()
        for row in parquet_rows(self.folder):
            if isinstance(read := _read(row), str):
                self.skip(read)
                continue
            # A table may repeat an id; both rows are exported.
            known[read.id] += 1
            yield read if known[read.id] == 1 else replace(read, id=f"{read.id}_{known[read.id]}")

    def skip(self, reason: str) -> None:
        """Count a skipped row."""
        self.skipped[reason] += 1
        self.counts.done += 1


def parquet_files(folder: Path, config: str = "data") -> list[Path]:
    """The Parquet files of a config's folder, or those in the folder itself."""
    return sorted((folder / config).glob("*.parquet")) or (sorted(folder.glob("*.parquet")) if config == "data" else [])


def parquet_rows(folder: Path, config: str = "data") -> Iterator[dict[str, Any]]:
    """The rows of a folder's Parquet files: those of a config's folder, or those in the folder itself.

    Raises:
        UsageError: there are none, or one cannot be read.
    """
    if not (paths := parquet_files(folder, config)):
        raise UsageError(
            f"{str(folder)!r} has no Parquet files in {config}/. Pass a folder that synthesize or curate wrote, with rows."
        )
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(BATCH_ROWS):
                    yield from batch.to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise UsageError(
                f"{str(path)!r} cannot be read: {error_message(error)}. Restore the file that the run wrote."
            ) from error


def _read(row: Mapping[str, Any]) -> ExportRow | str:
    """A row, or the reason to skip it."""
    status = row.get("execution_status")
    if status not in (None, "passed"):
        return f"not verified: {status}"
    problem = next((row[name] for name in ("problem", "instruction", "prompt") if isinstance(row.get(name), str)), "")
    if not problem.strip():
        return "no problem"
    try:
        tests = read_row(row)
    except UsageError as error:
        return "no tests" if "The row has no tests" in str(error) else "tests that are not understood"
    if not tests.solution.strip():
        return "no solution"
    return ExportRow(_name(row.get("seed_id")) or digest(problem, tests.key), problem, tests)


def _name(seed_id: Any) -> str:
    """Return a seed's id as a folder name; empty if it cannot be one. Untrusted rows may have `../..` there."""
    return seed_id.lower() if isinstance(seed_id, str) and _NAME.fullmatch(seed_id) else ""
