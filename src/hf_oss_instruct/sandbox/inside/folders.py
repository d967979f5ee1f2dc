"""What a stranger has put into a folder, and how to remove it: it may be deeper than any path or stack."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import time

from . import procfs

TOO_LARGE, DEPTH = 1 << 62, 100
FILES = 16384  # files and folders in a work folder, at most


def sizes(folder: str) -> dict[int, int]:
    """The files in a folder that is being written to: inode → bytes on disk.

    A folder with too many, or that cannot be looked through, counts as one file that is too large.
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
    """When a name last came into a folder or one below it, or went, in nanoseconds since 1970; now if that cannot be told."""
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
    """Whether `stat` and `/proc/PID/maps` give a file here the same number; some file systems in layers do not."""
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
    """Remove a folder nobody uses any more. Folders in folders are lifted to the top, so that no path grows long."""
    lifted = 0
    while children := _folders_in(folder):
        for child in children:
            for inner in _folders_in(child):
                os.rename(inner, os.path.join(folder, f"lifted {lifted}"))
                lifted += 1
            os.rmdir(child)
    os.rmdir(folder)


def _folders_in(folder: str) -> list[str]:
    """The folders in a folder, from which everything else is removed."""
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
