"""Load the benchmarks that decontamination checks against, from the Hub or from local files."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.benchmarks.fetch import SUFFIXES, data_files, fetch
from hf_oss_instruct.benchmarks.registry import BENCHMARKS as REGISTRY
from hf_oss_instruct.benchmarks.registry import (
    DECONTAMINATED,
    USUAL_COLUMNS,
    BenchmarkColumns,
    HubBenchmark,
    decontaminated,
    recorded,
)
from hf_oss_instruct.benchmarks.rows import read_rows
from hf_oss_instruct.curation.decontamination.benchmark_tasks import BenchmarkTask, tasks_of
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.hub import HUB_ID, is_unreachable, reason

LOCAL = "xxh3:"
"""Prefix of the revision of a local list; the hash of its files follows."""
UNREACHABLE = "the Hub cannot be reached"
DEFAULT = "default"
"""All benchmarks except the large ones, which are reported as left out."""


@dataclass(frozen=True, slots=True)
class BenchmarkList:
    """A benchmark's rows, or why there are none.

    Attributes:
        name: its name in `registry.DECONTAMINATED`, a Hub id, or the name of its file or folder.
        revision: commit on the Hub, or hash of the local files.
        rows: column → value.
        tasks: the tasks in them.
        columns: which columns of the rows hold what.
        why: why it cannot be checked against; None if it can.
        left_out: whether it was not requested.
        unreachable: whether the reason is that the Hub cannot be reached.
    """

    name: str
    revision: str | None
    rows: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    tasks: tuple[BenchmarkTask, ...] = field(default=(), repr=False)
    columns: BenchmarkColumns = field(default=USUAL_COLUMNS, repr=False)
    why: str | None = None
    left_out: bool = False
    unreachable: bool = False

    @classmethod
    def of(
        cls, name: str, revision: str | None, rows: Iterable[Mapping[str, Any]], columns: BenchmarkColumns = USUAL_COLUMNS
    ) -> BenchmarkList:
        """Create a list from rows; extracts their tasks.

        Args:
            name: as in the attribute.
            revision: as in the attribute.
            rows: column → value.
            columns: as in the attribute.
        """
        rows = tuple(rows)
        return cls(name, revision, rows, tuple(tasks_of(name, rows, columns)), columns)

    @property
    def key(self) -> str:
        """The name in a run config: a local list is named by a hash of its content, not by its path."""
        local = self.revision is not None and self.revision.startswith(LOCAL)
        return f"{self.name}@{self.revision}" if local else self.name


def find(names: Iterable[str], *, download: bool = True) -> list[BenchmarkList]:
    """Load the requested benchmarks, each with its rows or the reason why it has none.

    Args:
        names: names of benchmarks in any spelling, `default` for all of these, ids of Hub datasets (`ns/name`,
            `ns/name@revision`), files (parquet, JSON lines, also gzipped), and folders: every file or folder in one is a list.
        download: whether to ask the Hub for benchmarks that are not in its cache.

    Raises:
        UsageError: a name is none of these, or a local list cannot be read or contains no task.
    """
    lists: list[BenchmarkList] = []
    reachable = download
    for name in dict.fromkeys(map(recorded, names)):
        # A benchmark's name never means a local file: a run config is the same on every machine.
        if Path(name).exists() and not decontaminated(name):
            lists.extend(_local(Path(name)))
            continue
        for benchmark in DECONTAMINATED if name == DEFAULT else [name]:
            listed = _from_hub(benchmark, named=name != DEFAULT, reachable=reachable)
            # Without a network, every further request would spend half a minute on retries.
            reachable = reachable and not listed.unreachable
            lists.append(listed)
    return list({listed.name: listed for listed in lists}.values())


def keys(names: Iterable[str], lists: Iterable[BenchmarkList]) -> tuple[str, ...]:
    """The names for a run config, which contains no paths: local lists are named by a hash of their content."""
    local = [listed.key for listed in lists if f"@{LOCAL}" in listed.key]
    named = [name for name in map(recorded, names) if decontaminated(name) or not Path(name).exists()]
    return tuple(dict.fromkeys([*named, *local]))


def _local(path: Path) -> Iterator[BenchmarkList]:
    if path.is_file():
        yield _of_files(path.name.split(".")[0], [path])
        return
    files = data_files(path)
    by_list: dict[str, list[Path]] = {}
    for file in files:
        first = file.relative_to(path).parts[0]
        by_list.setdefault(first.split(".")[0], []).append(file)
    if not by_list:
        raise UsageError(
            f"The folder {str(path)!r} contains no benchmark: no file ends in {', '.join(SUFFIXES)}. Name another folder."
        )
    for name, own in by_list.items():
        yield _of_files(name, own)


def _of_files(name: str, files: Sequence[Path]) -> BenchmarkList:
    state = xxhash.xxh3_128()
    for file in files:
        state.update(file.read_bytes())
    listed = BenchmarkList.of(name, f"{LOCAL}{state.hexdigest()}", (row for file in files for row in _rows(file, USUAL_COLUMNS)))
    if not listed.tasks:
        columns = sorted({column for row in listed.rows[:100] for column in row})
        raise UsageError(
            f"The benchmark {name!r} ({', '.join(str(file) for file in files[:3])}) has no text column named "
            f"{', '.join(USUAL_COLUMNS.prompts)}, only {', '.join(columns) or 'none'}. Rename the one with the prompts."
        )
    return listed


def _from_hub(name: str, *, named: bool, reachable: bool) -> BenchmarkList:
    repo, _, revision = name.partition("@")
    source = decontaminated(name)
    if source is None and revision.startswith(LOCAL):
        return BenchmarkList(repo, revision, why="it is a local list: name its file or folder again with --benchmarks")
    if source is None and not HUB_ID.fullmatch(repo):
        what = "No such file or folder:" if "/" in name else "Unknown benchmark"
        raise UsageError(
            f"{what} {name!r}. Use one of {', '.join(REGISTRY)}, an existing file or folder, or a dataset on the Hub (ns/name)."
        )
    source = source or HubBenchmark(repo, repo, repo, revision or "main", tuple(f"*{suffix}" for suffix in SUFFIXES))
    if source.gigabytes and not named:
        why = f"its files are large ({source.gigabytes} GB): name it, --benchmarks default,{name}"
        return BenchmarkList(name, source.revision, why=why, left_out=True)
    return _fetched(name, source, reachable)


def _fetched(name: str, source: HubBenchmark, reachable: bool) -> BenchmarkList:
    here = "" if decontaminated(name) else "no file or folder has this name, and "
    try:
        files = fetch(source.repo, source.revision, source.files, reachable=reachable)
    except UsageError:
        raise
    except Exception as error:  # whatever the client raises, the run continues and reports that this benchmark was not checked
        return BenchmarkList(name, source.revision, why=here + reason(error), unreachable=is_unreachable(error))
    if not files and not reachable:
        return BenchmarkList(name, source.revision, why=here + UNREACHABLE, unreachable=True)
    # huggingface_hub keeps files in `snapshots/COMMIT/`: the commit that a branch pointed to.
    commit = next((path.name for file in files[:1] for path in file.parents if path.parent.name == "snapshots"), None)
    revision = commit or source.revision
    try:
        rows = (row for file in files for row in _rows(file, source.columns))
        listed = BenchmarkList.of(name, revision, rows, source.columns)
    except UsageError as error:
        return BenchmarkList(name, revision, why=str(error))
    return listed if listed.tasks else BenchmarkList(name, revision, why=f"{source.repo} contains no recognizable task")


def _rows(file: Path, columns: BenchmarkColumns) -> Iterator[dict[str, Any]]:
    try:
        # No other columns: the tests in them can be gigabytes.
        yield from (row.value for row in read_rows(file, columns.names) if isinstance(row.value, dict))
    except (OSError, EOFError, ValueError, zlib.error) as error:  # includes the errors of pyarrow and json
        raise UsageError(
            f"The benchmark file {str(file)!r} cannot be read: {error}. Download it again, or leave it out."
        ) from error
