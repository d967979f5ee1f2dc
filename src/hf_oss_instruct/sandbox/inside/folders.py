"""Measure and remove folders filled by untrusted code, which may be nested deeper than any path or stack allows."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import time

from . import procfs

TOO_LARGE, MAX_DEPTH = 1 << 62, 100
MAX_FILES = 16384  # maximum number of files and folders in a working folder


def file_sizes(folder: str) -> dict[int, int]:
    """Measure the files in a folder that is being written to: inode → bytes on disk.

    A folder that holds too many files, or that cannot be listed, counts as one file that is too large.
    """
    sizes: dict[int, int] = {}
    pending, entries_seen = [(folder, 0)], 0
    while pending:
        path, depth = pending.pop()
        if depth > MAX_DEPTH:
            return {0: TOO_LARGE}
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    entries_seen += 1
                    if entries_seen > MAX_FILES:
                        return {0: TOO_LARGE}
                    state = entry.stat(follow_symlinks=False)
                    # By inode, so that hard links count once, and in blocks, because holes of sparse files take no space.
                    sizes[state.st_ino] = state.st_blocks * 512
                    pending += [(entry.path, depth + 1)] if entry.is_dir(follow_symlinks=False) else []
        except FileNotFoundError:  # removed just now
            continue
        except OSError:
            return {0: TOO_LARGE}
    return sizes


def last_change_ns(folder: str) -> int:
    """Return when an entry was last added or removed at any depth, in ns since the epoch; the current time if unknown."""
    newest, pending = 0, [folder]
    try:
        while pending:
            path = pending.pop()
            newest = max(newest, os.stat(path).st_mtime_ns)
            with os.scandir(path) as entries:
                pending += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return time.time_ns()
    return newest


def inodes_match(folder: str) -> bool:
    """Whether `stat` and `/proc/PID/maps` report the same inode for a file here; some overlay file systems do not."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(b".")
        file.flush()
        with mmap.mmap(file.fileno(), 1):
            os.unlink(file.name)
            mappings = procfs.deleted_mappings("/proc/self", os.path.realpath(folder))
            agree = list(mappings) == [os.fstat(file.fileno()).st_ino]
            open(file.name, "wb").close()  # it is removed at the end
    return agree


def remove(folder: str) -> None:
    """Remove a folder that is no longer used. Nested folders are moved to the top first, so that no path becomes too long."""
    moved = 0
    while children := _remove_files(folder):
        for child in children:
            for inner in _remove_files(child):
                os.rename(inner, os.path.join(folder, f"moved {moved}"))
                moved += 1
            os.rmdir(child)
    os.rmdir(folder)


def _remove_files(folder: str) -> list[str]:
    """Remove everything in a folder except its subfolders, and return those."""
    with contextlib.suppress(PermissionError):  # another user's folder: only root gets here, which needs no permission
        os.chmod(folder, 0o700)
    left = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                left.append(entry.path)
            else:
                os.unlink(entry.path)
    return left
