"""The cache folders of this package, next to those of `huggingface_hub` and `datasets`.

| folder | contents |
|---|---|
| `shards/`, `merged/` | shards in work whose plan is in a store; datasets that are copied to one |
| `journal/` | answers of teachers, for runs without a folder: `preview`, `load_dataset` |
| `benchmark_index/` | indexes of benchmarks for decontamination |
| `expected/` | the results of reference solutions |
| `embeddings/` | clusters of snippets by embedding models |
| `prebuilt/` | headers and classes that compilers are given |
| `software-heritage/` | texts of datasets that hold ids only |
| `recipes/` | files that run configs of dataset repositories name |
| `lighteval/` | ids of the problems of benchmarks, for lighteval |
"""

from __future__ import annotations

import os
from pathlib import Path

from hf_oss_instruct.storage.atomic import atomic_write


def cache_folder(*parts: str) -> Path:
    """A folder below `$HF_HOME/oss-instruct`. It need not exist.

    The rules are those of `huggingface_hub`: `HF_HOME`, else `huggingface` in `XDG_CACHE_HOME`, else in `~/.cache`. They are
    applied here because `huggingface_hub` reads the environment only once, when it is imported, and takes an empty variable for
    the working directory; here, an empty one counts as not set.

    Args:
        parts: names of folders, such as `journal`.
    """
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return Path(os.path.expandvars(os.path.expanduser(home)), "oss-instruct", *parts)


def write_cached(path: Path, data: bytes) -> None:
    """Write a file of the cache atomically; its folder is made.

    Raises:
        OSError: the disk is full, or the cache cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        file.write(data)
