"""How large a folder is that a stranger has filled, and how to remove it: it may be deeper than any path or stack."""

from __future__ import annotations

import contextlib
import os

TOO_LARGE, DEPTH = 1 << 62, 100


def size(folder: str) -> int:
    """Bytes on disk of the files in a folder that is being written to; one that cannot be looked through counts as too large."""
    total, line = 0, [(folder, 0)]
    while line:
        place, depth = line.pop()
        if depth > DEPTH:
            return TOO_LARGE
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    line += [(entry.path, depth + 1)] if entry.is_dir(follow_symlinks=False) else []
        except FileNotFoundError:  # removed just now
            continue
        except OSError:
            return TOO_LARGE
    return total


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
