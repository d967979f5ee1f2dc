"""The web address of a seed: its file at its commit, with its lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

# Rows are untrusted: nothing else may get into the address.
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}|v?\d+(?:\.\d+){1,3}")


def link(row: Mapping[str, Any]) -> str | None:
    """The address on GitHub, None if a row does not say enough.

    Args:
        row: columns to values; `repo_name` is `owner/name`, `repo_commit` a commit or the tag of a version. Without one the link
            leads to the default branch, whose lines may be others, so that they are left out.
    """
    repository, path, commit = (row.get(name) for name in ("repo_name", "file_path", "repo_commit"))
    if not isinstance(repository, str) or not isinstance(path, str) or not _REPOSITORY.fullmatch(repository) or not path:
        return None
    pinned = isinstance(commit, str) and _COMMIT.fullmatch(commit)
    lines = [row.get(name) for name in ("start_line", "end_line")]
    anchor = f"#L{lines[0]}-L{lines[1]}" if pinned and all(isinstance(line, int) for line in lines) else ""
    return f"https://github.com/{repository}/blob/{commit if pinned else 'HEAD'}/{quote(path.lstrip('/'))}{anchor}"
