"""Fetch a benchmark's files: from the cache of huggingface_hub if they are cached, else from the Hub."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from hf_oss_instruct.hub import LIBRARY, client

SUFFIXES = (".parquet", ".jsonl", ".json", ".jsonl.gz")
"""Files of rows that can be read."""
REACH_S = 10.0
"""Seconds that the Hub has to answer at all."""


def data_files(folder: Path) -> list[Path]:
    """The files of rows at any depth of a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name.endswith(SUFFIXES))


def fetch(repo: str, revision: str, patterns: Sequence[str], *, reachable: bool = True) -> list[Path]:
    """The files of a dataset repository, from the local cache first.

    Args:
        repo: dataset repository on the Hub.
        revision: commit, branch or tag.
        patterns: patterns of the files to fetch.
        reachable: whether to ask the Hub for files that are not in the cache.

    Returns:
        Local paths in order; empty if no file matches, or if none is cached and the Hub is not asked.

    Raises:
        UsageError: the token would be sent unencrypted to another machine.
        Exception: whatever the Hub's client raises.
    """
    from huggingface_hub import snapshot_download

    def snapshot(*, offline: bool) -> list[Path]:
        folder = snapshot_download(
            repo,
            repo_type="dataset",
            revision=revision,
            allow_patterns=list(patterns),
            local_files_only=offline,
            library_name=LIBRARY,
        )
        local_files = {path.relative_to(folder).as_posix(): path for path in data_files(Path(folder))}
        # The folder may hold other files, which were fetched before for another purpose.
        return [path for name, path in local_files.items() if any(fnmatch(name, pattern) for pattern in patterns)]

    try:
        files = snapshot(offline=True)
    # `LocalEntryNotFoundError` is an OSError: nothing of this revision is cached.
    except OSError:
        files = []
    if files or not reachable:
        return files
    # One request with a timeout: a listing retries five times, which takes half a minute without a network.
    client().dataset_info(repo, revision=revision, timeout=REACH_S)
    return snapshot(offline=False)
