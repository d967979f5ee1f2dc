"""Write a file atomically: concurrent readers, and a crash, leave either the old content or the new."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that replaces `path` when the block ends without an error.

    Raises:
        OSError: it cannot be written; the previous content is still there.
    """
    # In the same folder, because a file can only be renamed within its file system.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".unfinished")
    try:
        with open(handle, "wb") as file:
            yield file
        os.chmod(name, 0o666 & ~_umask())  # mkstemp lets nobody else read it
        # After the file is closed, so that everything in it was handed to the system, and any error of that was raised.
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    # The umask can only be read by setting it; the strict value is for files that another thread creates in between.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
