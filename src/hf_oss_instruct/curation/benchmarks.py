"""Which benchmarks there are, at which revision, and their rows: from the Hub or from local files."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import xxhash

from hf_oss_instruct.curation.benchmark_tasks import IDS, PROMPTS, SOLUTIONS, BenchmarkTask, tasks_of
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.pins import COMMITS
from hf_oss_instruct.structured import any_json

SUFFIXES = (".parquet", ".jsonl", ".json", ".jsonl.gz")
COLUMNS = frozenset((*IDS, *PROMPTS, *SOLUTIONS, "entry_point", "test_list", "assertion"))
"""The columns that are read; tests can weigh gigabytes."""
MULTIPL_E = "cpp cs d go java jl js lua php pl r rb rkt rs scala sh swift ts clj dart elixir hs ml adb".split()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a benchmark lies on the Hub.

    Attributes:
        repo: its data set.
        files: patterns of the files that hold the tasks, tests and train splits left out.
        gigabytes: what has to travel, where that is much; such a list is read only if it is named.
        asked: the revision to read; None for the commit that we know.
    """

    repo: str
    files: tuple[str, ...]
    gigabytes: float = 0
    asked: str | None = None

    @property
    def revision(self) -> str:
        """What is read."""
        return self.asked or COMMITS[self.repo]


BENCHMARKS: Mapping[str, Source] = {
    "humaneval": Source("openai/openai_humaneval", ("openai_humaneval/test-*",)),
    "humanevalplus": Source("evalplus/humanevalplus", ("data/test-*",)),
    "mbpp": Source("google-research-datasets/mbpp", ("full/*.parquet",)),
    "mbppplus": Source("evalplus/mbppplus", ("data/test-*",)),
    "multipl-e": Source(
        "nuprl/MultiPL-E",
        tuple(f"{origin}-{language}/test-*" for language in MULTIPL_E for origin in ("humaneval", "mbpp")),
    ),
    "ds1000": Source("xlangai/DS-1000", ("test.jsonl",)),
    "gsm8k": Source("openai/gsm8k", ("main/test-*",)),
    "bigcodebench": Source("bigcode/bigcodebench", ("data/v0.1.4-*",)),
    "apps": Source("codeparrot/apps", ("test.jsonl",), 1.3),
    "livecodebench": Source("livecodebench/code_generation_lite", ("test*.jsonl",), 4.5),
}
"""Every benchmark that has a name."""
DEFAULT = "default"
"""Stands for all of them but the large ones, which are then noted as left out."""


@dataclass(frozen=True, slots=True)
class BenchmarkList:
    """A benchmark's rows, or why we have none.

    Attributes:
        name: its name in `BENCHMARKS`, a Hub id, or the name of its file or folder.
        revision: commit on the Hub, or hash of the local files.
        rows: columns to values.
        tasks: what these say.
        why: why it cannot be looked for; None if it can.
        left_out: whether nobody asked for it.
    """

    name: str
    revision: str | None
    rows: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    tasks: tuple[BenchmarkTask, ...] = field(default=(), repr=False)
    why: str | None = None
    left_out: bool = False

    @classmethod
    def of(cls, name: str, revision: str | None, rows: Iterable[Mapping[str, Any]]) -> BenchmarkList:
        """A benchmark's rows with their tasks."""
        rows = tuple(rows)
        return cls(name, revision, rows, tuple(tasks_of(name, rows)))

    @property
    def key(self) -> str:
        """The name in a run config; a local list's has its content's hash in place of its path."""
        local = self.revision is not None and self.revision.startswith("xxh3:")
        return f"{self.name}@{self.revision}" if local else self.name


def find(names: Iterable[str]) -> list[BenchmarkList]:
    """The lists that are asked for, each with its rows or with why it has none.

    Args:
        names: names in `BENCHMARKS`, `default` for all of these, ids of Hub data sets (`ns/name`, `ns/name@revision`), files
            (parquet, JSON lines, also gzipped), and folders: every file or folder in one is a list.

    Raises:
        UsageError: a name is none of these, or a local list cannot be read or holds no task.
    """
    found: list[BenchmarkList] = []
    reachable = True
    for name in dict.fromkeys(names):
        if Path(name).exists() and name not in BENCHMARKS:
            found.extend(_local(Path(name)))
            continue
        for one in BENCHMARKS if name == DEFAULT else [name]:
            listed = _from_hub(one, named=name != DEFAULT, reachable=reachable)
            reachable = reachable and not (listed.why or "").startswith(UNREACHABLE)
            found.append(listed)
    return list({listed.name: listed for listed in found}.values())


def keys(names: Iterable[str], lists: Iterable[BenchmarkList]) -> tuple[str, ...]:
    """The names for a run config: local lists by their content, since a config names no path."""
    local = [listed.key for listed in lists if "@xxh3:" in listed.key]
    return (*(name for name in dict.fromkeys(names) if name in BENCHMARKS or not Path(name).exists()), *local)


def _local(path: Path) -> Iterator[BenchmarkList]:
    if path.is_file():
        yield _of_files(path.name.split(".")[0], [path])
        return
    files = _files(path)
    by_list: dict[str, list[Path]] = {}
    for file in files:
        first = file.relative_to(path).parts[0]
        by_list.setdefault(first.split(".")[0], []).append(file)
    if not by_list:
        raise UsageError(
            f"The folder {str(path)!r} holds no benchmark: no file ends in {', '.join(SUFFIXES)}. Name another folder."
        )
    for name, own in by_list.items():
        yield _of_files(name, own)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name.endswith(SUFFIXES))


def _of_files(name: str, files: Sequence[Path]) -> BenchmarkList:
    state = xxhash.xxh3_128()
    for file in files:
        state.update(file.read_bytes())
    listed = BenchmarkList.of(name, f"xxh3:{state.hexdigest()}", (row for file in files for row in _rows(file)))
    if not listed.tasks:
        columns = sorted({column for row in listed.rows[:100] for column in row})
        raise UsageError(
            f"The benchmark {name!r} ({', '.join(str(file) for file in files[:3])}) holds no task: of its columns, "
            f"{', '.join(columns) or 'none'}, none with text is called {', '.join(PROMPTS)}. Rename the one with the prompts."
        )
    return listed


def _from_hub(name: str, *, named: bool, reachable: bool) -> BenchmarkList:
    repo, _, revision = name.partition("@")
    source = BENCHMARKS.get(name)
    if source is None and revision.startswith("xxh3:"):
        return BenchmarkList(repo, revision, why="it is a local list: name its file or folder again with --benchmarks")
    if source is None and repo.count("/") != 1:
        raise UsageError(
            f"There is no benchmark {name!r}. Name one of {', '.join(BENCHMARKS)}, a file or folder, or a data set on the Hub."
        )
    source = source or Source(repo, tuple(f"*{suffix}" for suffix in SUFFIXES), asked=revision or "main")
    if source.gigabytes and not named:
        why = f"its files are large ({source.gigabytes} GB): name it, --benchmarks default,{name}"
        return BenchmarkList(name, source.revision, why=why, left_out=True)
    return _fetched(name, source, reachable)


UNREACHABLE = "the Hub cannot be reached"
REACH_S = 10.0
"""Seconds that the Hub has to answer at all."""


def _fetched(name: str, source: Source, reachable: bool) -> BenchmarkList:
    from huggingface_hub import HfApi, snapshot_download

    def fetch(offline: bool) -> Path:
        return Path(
            snapshot_download(
                source.repo,
                repo_type="dataset",
                revision=source.revision,
                allow_patterns=list(source.files),
                local_files_only=offline,
            )
        )

    try:
        folder = fetch(offline=True)
        files = _files(folder)
    except OSError:
        files = []
    if not files:
        if not reachable:
            return BenchmarkList(name, source.revision, why=UNREACHABLE)
        try:
            # asked once: a listing is asked for five times, which without a network takes half a minute
            HfApi().dataset_info(source.repo, revision=source.revision, timeout=REACH_S)
            folder = fetch(offline=False)
            files = _files(folder)
        except Exception as error:  # whatever the Hub's client raises: the list is not there, and the run says so
            said = " ".join(str(error).split())[:200]
            refused = getattr(getattr(error, "response", None), "status_code", None)
            what = f"the Hub refused it: {said}" if refused else f"{UNREACHABLE}: {said}"
            return BenchmarkList(name, source.revision, why=what)
    revision = folder.name if folder.parent.name == "snapshots" else source.revision
    try:
        listed = BenchmarkList.of(name, revision, (row for file in files for row in _rows(file)))
    except UsageError as error:
        return BenchmarkList(name, revision, why=str(error))
    return listed if listed.tasks else BenchmarkList(name, revision, why=f"{source.repo} holds no task that we recognise")


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        if file.name.endswith(".parquet"):
            parquet = pq.ParquetFile(file)
            columns = [name for name in parquet.schema_arrow.names if name in COLUMNS]
            for batch in parquet.iter_batches(columns=columns):
                yield from batch.to_pylist()
        else:
            yield from _json_rows(file)
    except (OSError, ValueError) as error:  # pyarrow's and json's errors are among these
        raise UsageError(f"The benchmark file {str(file)!r} cannot be read: {error}. Fetch it again, or leave it out.") from error


def _json_rows(file: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb")
    with opened as lines:
        if file.name.endswith(".json"):
            values = any_json(lines.read())
        else:
            values = (any_json(line) for line in lines if line.strip())
        for row in values if isinstance(values, Iterable) and not isinstance(values, dict) else [values]:
            if isinstance(row, dict):
                yield {name: value for name, value in row.items() if name in COLUMNS}
