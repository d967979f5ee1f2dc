"""Measure and remove folders filled by untrusted code, which may be nested deeper than any path or stack allows."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import time

from . import procfs

TOO_LARGE, DEPTH = 1 << 62, 100
FILES = 16384  # maximum number of files and folders in a working folder


def sizes(folder: str) -> dict[int, int]:
    """Measure the files in a folder that is being written to: inode → bytes on disk.

    A folder that holds too many files, or that cannot be listed, counts as one file that is too large.
    """
    found: dict[int, int] = {}
    line, entries_seen = [(folder, 0)], 0
    while line:
        place, depth = line.pop()
        if depth > DEPTH:
            return {0: TOO_LARGE}
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    entries_seen += 1
                    if entries_seen > FILES:
                        return {0: TOO_LARGE}
                    state = entry.stat(follow_symlinks=False)
                    found[state.st_ino] = state.st_blocks * 512
                    line += [(entry.path, depth + 1)] if entry.is_dir(follow_symlinks=False) else []
        except FileNotFoundError:  # removed just now
            continue
        except OSError:
            return {0: TOO_LARGE}
    return found


def changed_ns(folder: str) -> int:
    """Return when an entry was last added or removed at any depth, in ns since the epoch; the current time if unknown."""
    newest, line = 0, [folder]
    try:
        while line:
            place = line.pop()
            newest = max(newest, os.stat(place).st_mtime_ns)
            with os.scandir(place) as entries:
                line += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return time.time_ns()
    return newest


def numbers_agree(folder: str) -> bool:
    """Whether `stat` and `/proc/PID/maps` report the same inode for a file here; some overlay file systems do not."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(b".")
        file.flush()
        with mmap.mmap(file.fileno(), 1):
            os.unlink(file.name)
            seen = procfs.removed_and_mapped("/proc/self", os.path.realpath(folder))
            agree = list(seen) == [os.fstat(file.fileno()).st_ino]
            open(file.name, "wb").close()  # it is removed at the end
    return agree


def remove(folder: str) -> None:
    """Remove a folder that is no longer used. Nested folders are moved to the top first, so that no path becomes too long."""
    lifted = 0
    while children := _folders_in(folder):
        for child in children:
            for inner in _folders_in(child):
                os.rename(inner, os.path.join(folder, f"lifted {lifted}"))
                lifted += 1
            os.rmdir(child)
    os.rmdir(folder)


def _folders_in(folder: str) -> list[str]:
    """Remove everything in a folder except its subfolders, and return those."""
    with contextlib.suppress(PermissionError):  # another user's: then only root gets here, whom it does not stop
        os.chmod(folder, 0o700)
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found.append(entry.path)
            else:
                os.unlink(entry.path)
    return found
