"""Resolve the source of seeds that a name or a list of files means: the standard library, a folder, tables, or a Hub dataset."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path, PurePosixPath
from typing import NoReturn

from hf_oss_instruct.code.languages import LANGUAGES, language_of_path
from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.embeddings import EmbeddingModel
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.hub import HUB_ID
from hf_oss_instruct.seeds.folders import FolderSource
from hf_oss_instruct.seeds.reading import DEFAULT, ReadOptions
from hf_oss_instruct.seeds.sampling import SeedStream
from hf_oss_instruct.seeds.source import Source
from hf_oss_instruct.seeds.tables.hub import HubTables
from hf_oss_instruct.seeds.tables.local import LocalTables
from hf_oss_instruct.spec.declare import arguments, same_option, taken_from, with_arguments_of
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.storage.formats import NAMES, UNMISTAKABLE, tables_among, tables_below

STDLIB_NAME = "python-stdlib"
"""Name of the standard library in rows and run configs."""


def open_source(spec: str, *, revision: str | None = None, reading: ReadOptions = DEFAULT) -> Source:
    """The source that `--seeds` names.

    Args:
        spec: `stdlib`; a file or folder of source code; a parquet, JSON or CSV file, or a folder of these; or the id of a Hub
            dataset (`bigcode/the-stack`).
        revision: branch, tag or commit of a Hub dataset.
        reading: how documents are read.

    Raises:
        SeedError: the source does not exist or contains no code.
    """
    if not isinstance(spec, str | os.PathLike):
        raise UsageError(
            f"source must be a path or a name, not {type(spec).__name__}. Seeds from a Source of your own: "
            "SeedStream(source, SeedPlan(n=100))."
        )
    spec = os.fspath(spec)
    if spec in ("stdlib", STDLIB_NAME):
        return stdlib()
    path = Path(os.path.expanduser(spec))
    # A local path comes first, also where a dataset on the Hub has the same name.
    if spec and os.path.exists(path):
        return _open_path(path, reading)
    if HUB_ID.fullmatch(spec):
        return HubTables(spec, revision, reading=reading)
    raise SeedError(f"{spec!r} does not exist. Pass an existing path, 'stdlib', or a Hub id such as 'bigcode/the-stack'.")


def open_named(spec: str, revision: str | None, *, reading: ReadOptions = DEFAULT) -> Source:
    """The source that a run config names: the standard library or a Hub dataset, never a local folder with the same name.

    Args:
        spec: `stdlib`, or the id of a dataset on the Hub.
        revision: branch, tag or commit of the dataset; None for the newest.
        reading: how documents are read.

    Raises:
        UsageError: a local file or folder has the same name, so it is ambiguous.
        SeedError: as `open_source`.
    """
    if spec not in ("stdlib", STDLIB_NAME) and os.path.exists(spec):
        raise UsageError(
            f"The run config refers to {spec!r} on the Hub, but a local folder has the same name. Run it from another "
            f"folder, or pass the seeds: --seeds, or seeds= in Python."
        )
    return open_source(spec, revision=revision, reading=reading)


@arguments
class SeedArguments(SeedPlan):
    """Arguments of `read_seeds`."""

    # Keyword-only there already, which type checkers do not see.
    revision: str | None = same_option(SeedPlan, "revision")
    embedding_model: EmbeddingModel | str | None = same_option(SeedPlan, "embedding_model")  # type: ignore[assignment]
    deny: Denylist | str | Path | None = same_option(SeedPlan, "deny")  # type: ignore[assignment]
    shard: Shard | str | None = same_option(SeedPlan, "shard")  # type: ignore[assignment]


@with_arguments_of(SeedArguments)
def read_seeds(call: SeedArguments) -> SeedStream:
    """Draw seed snippets from source code, lazily.

    Returns:
        An iterator over the seeds, which draws each when it is needed; `synthesize` and `synthesize_to_disk` take it.

    Raises:
        UsageError: the arguments contradict each other.
        SeedError: the source is missing or unreadable, or (at the end) gives fewer than `n` seeds.

    Source:
        Magicoder, arXiv 2312.02120, section 2.1.
    """
    plan = taken_from(call, SeedPlan)
    return SeedStream(open_source(plan.source, revision=plan.revision, reading=ReadOptions.of(plan)), plan)


def stdlib() -> Source:
    """The standard library of the running Python, without its tests: available everywhere, with a known license."""
    root = Path(sysconfig.get_path("stdlib"))
    if not (root / "json" / "decoder.py").is_file():
        raise SeedError(f"The standard library's source is not in {str(root)!r}. Pass a folder of source code, such as my_code/.")
    version = ".".join(map(str, sys.version_info[:3]))
    return FolderSource(root, name=STDLIB_NAME, revision=version, stdlib=True)


def open_files(paths: list[Path], *, reading: ReadOptions = DEFAULT) -> Source:
    """One source of several files: all source code, or all tables.

    Raises:
        SeedError: a file is missing, none has a known type, or source code and tables are mixed.
    """
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise SeedError(f"The file {missing[0]!r} does not exist. Pass files of source code or tables on this machine.")
    # absolute, not resolved: the Hub's cache links names with a suffix to blobs without one
    absolute = sorted({Path(os.path.abspath(path)) for path in paths})
    root = Path(os.path.commonpath([path.parent for path in absolute]))
    names = [path.relative_to(root).as_posix() for path in absolute]
    tables, is_source = tables_among(names), any(language_of_path(name) for name in names)
    # A .json or .csv file beside source code is not a table of it.
    if is_source and any(map(UNMISTAKABLE.search, tables)):
        raise SeedError(f"The files mix tables ({tables[0]!r}) and source code. Load them one kind at a time.")
    if tables and not is_source:
        return LocalTables(root, tables, reading=reading)
    source = FolderSource(root, paths=map(PurePosixPath, names), reading=reading)
    return source if source.files else _no_code(root)


def _open_path(path: Path, reading: ReadOptions) -> Source:
    if path.is_file():
        return open_files([path], reading=reading)
    source = FolderSource(path, reading=reading)
    if source.files:
        return source
    tables = tables_below(path)
    return LocalTables(path, tables, reading=reading) if tables else _no_code(path)


def _no_code(path: Path) -> NoReturn:
    known = ", ".join(language.suffixes[0] for language in LANGUAGES[:12])
    raise SeedError(
        f"{str(path)!r} contains no source code and no tables ({NAMES}). Source files are recognized by suffix: {known}, …"
    )
