"""Output folders: one writer at a time, one job per folder, files written atomically.

with locked_for_job(Path("out"), {"command": "curate", "source": "pairs"}):
    write_atomically(Path("out/run.json"), "{}")
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.storage.atomic import atomic_write
from hf_oss_instruct.structured import read_object

LOCK, OWNER, JOB = ".lock", ".running", ".job.json"
"""Names of the lock, its owner, and the job that the folder belongs to."""


def format_value(value: object) -> str:
    """Return a value of a job as errors show it: lists with commas, `none` for nothing, long texts by their beginning."""
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "none" if value in (None, "", {}) else str(value)
    return f"{text.split(maxsplit=1)[0][:40]}… ({len(text):,} characters)" if "\n" in text.strip() else text


@dataclass(frozen=True)
class Setting:
    """How errors show one value of a job.

    Attributes:
        label: its name, such as a flag.
        default: the value of a job that does not record it.
        text: the value as the user types it.
    """

    label: str
    default: Any = None
    text: Callable[[Any], str] = format_value


Settings = Mapping[str, Setting]
"""Dotted key of a job → how errors show its value. Other keys are shown as they are."""
IN_FOLDER = ("in the folder", "now")
"""Where the two values of a difference are, if a folder belongs to another run."""


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Lock a folder exclusively, creating it if necessary.

    The kernel releases the lock when the process ends for any reason. A folder that was created, and that nothing was written to,
    is removed.

    Args:
        out: the folder.

    Raises:
        RunError: it is a file, another process holds it, or something in it cannot be written (also by the caller, inside).
    """
    with writing(out), reserved(out):
        yield


@contextmanager
def reserved(out: Path, name: str = "The folder") -> Iterator[None]:
    """The same, for a caller that also reads other files inside: errors of the file system there are not about this folder.

    Args:
        out: the folder.
        name: what the error calls the folder.

    Raises:
        RunError: it is a file, another process holds it, or it cannot be written.
    """
    _check_folder(out)
    owner, new = out / OWNER, not out.exists()
    with ExitStack() as stack:
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            try:
                # Without waiting: the other process may run for days.
                stack.enter_context(FileLock(out / LOCK, timeout=0))
            except Timeout:
                who = _text(owner) or "another process"
                raise RunError(f"{name} {str(out)!r} is in use by {who}. Wait for it to finish, or use another folder.") from None
            owner.write_text(f"process {os.getpid()} on {socket.gethostname()}", "utf-8")
        try:
            yield
        finally:
            with suppress(OSError):
                # Before the lock is released: later it could be the file of the next owner.
                owner.unlink(missing_ok=True)
                if new and not names_in(out) and not (out / JOB).exists():
                    (out / LOCK).unlink(missing_ok=True)
                    out.rmdir()


@contextmanager
def locked_for_job(out: Path, job: Mapping[str, Any], settings: Settings = {}) -> Iterator[None]:  # noqa: B006  # not changed
    """Lock a folder for one job. It must be new, empty, or started by the same job.

    Args:
        out: the folder.
        job: what is done there, as plain JSON values; the same job may be done again, resumed or from the start.
        settings: how the error shows values that differ.

    Raises:
        RunError: as `locked`; or the folder holds something else, or another job's work: the message names each difference.
    """
    # Before locking, so that a folder of something else does not even get a lock file.
    if not (out / JOB).exists():
        check_unused(out)
    with locked(out):
        claim(out / JOB, job, settings)
        yield


def check_unused(out: Path) -> None:
    """Refuse a folder with files in it, before any is overwritten.

    Args:
        out: the folder, which may be missing.

    Raises:
        RunError: it is a file, or contains something.
    """
    _check_folder(out)
    if out.is_dir() and (others := names_in(out)):
        raise RunError(f"The folder {str(out)!r} is not empty: it contains {', '.join(others[:3])}. Use a new or empty folder.")


def check_replaceable(out: Path, replaced: Iterable[str], own: Iterable[str], name: str = "The folder") -> None:
    """Refuse a folder with a file that a command would replace, unless an earlier run of the command wrote it.

    Args:
        out: the folder, which may be missing.
        replaced: names of files that the command replaces.
        own: glob patterns of files that only an earlier run leaves; one of them is enough.
        name: what the error calls the folder.

    Raises:
        RunError: the folder contains such a file, and nothing from an earlier run.
    """
    existing = [file for file in replaced if (out / file).exists()]
    if existing and not any(any(out.glob(pattern)) for pattern in own):
        raise RunError(
            f"{name} {str(out)!r} contains {existing[0]!r} from something else, which would be replaced. Move the file, or use "
            "another folder."
        )


def claim(path: Path, job: Mapping[str, Any], settings: Settings = {}) -> None:  # noqa: B006  # not changed
    """Record a job in a file, or check that the file records the same job.

    Args:
        path: the file.
        job: what is done in its folder, as plain JSON values.
        settings: how the error shows values that differ.

    Raises:
        RunError: it holds another, or cannot be read or written.
    """
    # As it will be read back: tuples become lists.
    own = json.loads(json.dumps(job))
    if not path.exists():
        write_atomically(path, json.dumps(own, indent=2) + "\n")
        return
    try:
        there = read_object(path)
    except ValueError as error:
        raise RunError(f"{error}. Use another folder.") from error
    if changed := differences(there, own, settings):
        raise different_run_error(path.parent, changed)


def different_run_error(out: Path, changed: Sequence[str]) -> RunError:
    """Return the error for a folder that belongs to another run, with the differences of the two."""
    return RunError(
        f"The folder {str(out)!r} belongs to another run: {'; '.join(changed)}. Pass the same arguments to continue it, or use "
        "another folder."
    )


def differences(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    settings: Settings = {},  # noqa: B006  # not changed
    places: tuple[str, str] = IN_FOLDER,
) -> list[str]:
    """Return the differences of two mappings, such as `--n: 200 in the folder, 2000 now`.

    Args:
        first: a mapping; nested ones are compared key by key.
        second: another.
        settings: how values are shown.
        places: where the first and the second value are.
    """
    one, other = _flat(first, settings), _flat(second, settings)
    changed = []
    for key in one | other:
        if one.get(key) != other.get(key):
            setting = settings.get(key) or Setting(key)
            first_text, second_text = (setting.text(values.get(key, setting.default)) for values in (one, other))
            changed.append(difference(setting.label, first_text, second_text, places))
    return changed


def difference(label: str, first: str, second: str, places: tuple[str, str] = IN_FOLDER) -> str:
    """Return one difference as text.

    Args:
        label: name of the value, such as a flag.
        first: one value.
        second: the other.
        places: where the first and the second value are.
    """
    return f"{label}: {first} {places[0]}, {second} {places[1]}"


def names_in(out: Path) -> list[str]:
    """Return the sorted names in a folder, without the files of this module."""
    return sorted(path.name for path in out.iterdir() if path.name not in (LOCK, OWNER, JOB))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise the errors of the file system in a block as an error that says what to do.

    Args:
        path: the file or folder that is written in the block.

    Raises:
        RunError: the disk is full, or `path` cannot be written.
    """
    try:
        yield
    except OSError as error:
        # Asked of the path itself: the error may be about another file in the block.
        if isinstance(error, NotADirectoryError | FileExistsError) and any(map(Path.is_file, (path, *path.parents))):
            raise RunError(f"{str(path)!r} cannot be written: a part of this path is a file. Use another folder.") from error
        raise RunError(
            f"{str(path)!r} cannot be written: {error.strerror or error}. Free disk space or change its permissions, and repeat "
            "the command or call; or use another folder."
        ) from error


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file atomically: concurrent readers see the old or the new content.

    Raises:
        RunError: the disk is full, or the folder cannot be written.
    """
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    with writing(path), atomic_write(path) as file:
        file.write(data)


@contextmanager
def atomic_stream(path: Path) -> Iterator[Callable[[bytes], None]]:
    """A function that writes the next part of a file, which exists only once the block has ended without an error.

    Raises:
        RunError: the disk is full, or the folder cannot be written.
    """
    with writing(path), atomic_write(path) as file:

        def write(part: bytes) -> None:
            with writing(path):
                file.write(part)

        yield write


class JsonlAppender:
    """An append-only JSONL file. A line is on disk when `append` returns; an incomplete last line, left by a kill, is truncated.

    Args:
        path: the file; created if it does not exist.

    Raises:
        RunError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            self._end = _whole_lines(self._file)
            os.ftruncate(self._file, self._end)

    def __enter__(self) -> JsonlAppender:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def append(self, *rows: Mapping[str, Any]) -> int:
        """Write rows, all or none.

        Returns:
            Where the first of them begins, in bytes.

        Raises:
            RunError: the disk is full.
        """
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        with writing(self._path):
            try:
                # A disk that is almost full takes the beginning of the data and reports no error.
                if os.write(self._file, data) < len(data):
                    raise OSError(28, "No space left on device")
            except OSError:
                with suppress(OSError):
                    # Without what was written of these rows, or the next row would continue an incomplete line.
                    os.ftruncate(self._file, self._end)
                raise
        self._end += len(data)
        return self._end - len(data)


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise RunError(f"{str(out)!r} is a file. Use a folder.")


def _whole_lines(file: int) -> int:
    """Return the number of bytes up to the end of the last complete line."""
    # From the end: only the last line can be incomplete, and the file may be large.
    end, chunk = os.fstat(file).st_size, 1 << 16
    while end > 0:
        start = max(0, end - chunk)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _flat(values: Mapping[str, Any], whole: Collection[str], before: str = "") -> dict[str, Any]:
    """The values by dotted key; a mapping at a key in `whole` is one value."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, dict) and value and before + key not in whole
        flat |= _flat(value, whole, f"{before}{key}.") if nested else {before + key: value}
    return flat


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[:200]
    except OSError:
        return ""
