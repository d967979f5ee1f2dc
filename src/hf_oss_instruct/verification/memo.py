"""Verdicts that were made before: a line each in `verdicts.jsonl`, by hash of all that they depend on."""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import xxhash

from hf_oss_instruct.errors import OssInstructError
from hf_oss_instruct.evaluation.preflight import toolchain_of
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.storage.line_files import LineFiles
from hf_oss_instruct.storage.packed import NumberMap
from hf_oss_instruct.storage.workdir import JsonlAppender
from hf_oss_instruct.structured import any_json
from hf_oss_instruct.verification.suites.core import Suite

VERSION = 4
"""Of the rules by which verdicts are made: a change makes every verdict be made again."""


class NoVerdictError(OssInstructError):
    """A verdict is not known, and none is made any more."""


class Verdicts:
    """Facts about programs and their tests. Safe to use from threads.

    Args:
        path: the file, made with the first verdict; by default a temporary one.
        also: files of others that are read, too.
        read_only: whether nothing is written to the file, which may be missing, and no verdict is made.

    Attributes:
        closed: whether no more verdicts are made: unknown verdicts raise `NoVerdictError`.
        made: how many were made.

    Raises:
        RunError: the file cannot be written.
    """

    def __init__(self, path: Path | None = None, *, also: Iterable[Path] = (), read_only: bool = False) -> None:
        self._files, self._known, self._rows = LineFiles(), NumberMap(), NumberMap()
        self._lock = threading.Lock()
        self._path = path
        self._lines: JsonlAppender | None = None
        self.closed, self.made = read_only, 0
        for file in (*also, path):
            if file and file.exists():
                self._read(file)
        self._known.pack()
        self._rows.pack()

    @classmethod
    def shared(cls, folder: Path) -> Verdicts:
        """Verdicts of a folder that several processes write to, each to a separate file."""
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        return cls(folder / name, also=sorted(folder.glob("*.jsonl")))

    def _read(self, path: Path) -> None:
        offset = 0
        with path.open("rb") as file:
            for line in file:
                with suppress(ValueError, KeyError, TypeError, AttributeError):  # a damaged line is made again
                    fields = any_json(line.decode("utf-8", "replace"))
                    if "verdict" in fields:
                        self._take(fields["key"], fields.get("row", ""), self._files.location(path, offset))
                offset += len(line)

    def __enter__(self) -> Verdicts:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._lock:
            self.closed = True
            self._files.close()
            if self._lines:
                self._lines.close()
                self._lines = None

    def of_row(self, row: str) -> Any:
        """The last verdict on a row, from any machine and toolchain; None if there is none."""
        with self._lock:
            return (self._line(self._rows, "row", row) or {}).get("verdict")

    def note(self, row: str, verdict: Any) -> None:
        """Store the verdict on a row without a run, for `of_row`."""
        if self.of_row(row) != (verdict := json.loads(json.dumps(verdict))):
            with self._lock:
                self._keep(row, verdict, row)

    def of(self, key: str, make: Callable[[], Any], final: Callable[[Any], bool] = lambda verdict: True, row: str = "") -> Any:
        """The verdict of a key, made now if it is not known.

        Args:
            key: as of `key_of`.
            make: gives it, as plain JSON values.
            final: whether it is kept; what a failing sandbox says is not.
            row: name by which `of_row` finds it.

        Raises:
            NoVerdictError: it is not known, and no more are made.
        """
        return self.of_all([key], lambda unknown: [make()], final, row)[0]

    def of_all(
        self,
        keys: Sequence[str],
        make: Callable[[list[int]], Sequence[Any]],
        final: Callable[[Any], bool] = lambda verdict: True,
        row: str = "",
    ) -> list[Any]:
        """The verdicts of several keys, those that are not known made together.

        Args:
            keys: as of `key_of`.
            make: gives those of the keys at these places, as plain JSON values.
            final: as in `of`.
            row: as in `of`.

        Raises:
            NoVerdictError: one is not known, and no more are made.
        """
        with self._lock:
            known = {key: line["verdict"] for key in keys if (line := self._line(self._known, "key", key))}
            # Of several equal keys one verdict is made.
            unknown = [index for index, key in enumerate(keys) if key not in known and key not in keys[:index]]
            if unknown and self.closed:
                raise NoVerdictError("The run is stopping and this row has no verdict yet. Repeat the command or call.")
        # Outside of the lock, because programs run for seconds. Through JSON, so that a new verdict has the
        # types of one that was read.
        made = (
            dict(zip((keys[index] for index in unknown), json.loads(json.dumps(make(unknown))), strict=True)) if unknown else {}
        )
        with self._lock:
            self.made += len(made)
            for key, verdict in made.items():
                if final(verdict):
                    self._keep(key, verdict, row)
        return [made[key] if key in made else known[key] for key in keys]

    def _line(self, index: NumberMap, name: str, value: str) -> dict[str, Any] | None:
        """The line that an index has for the value of a field; None if there is none, or if only the hashes are equal."""
        if (location := index.get(_hash(value))) is None:
            return None
        line: dict[str, Any] = any_json(self._files.line(location).decode("utf-8", "replace"))
        # The index has 64-bit hashes, so two keys may share one.
        return line if line.get(name) == value else None

    def _keep(self, key: str, verdict: Any, row: str) -> None:
        """Write a verdict."""
        if self.closed:
            return
        if self._path is None:
            folder = tempfile.TemporaryDirectory(prefix="hf-oss-instruct-")
            weakref.finalize(self, folder.cleanup)
            self._path = Path(folder.name) / "verdicts.jsonl"
        if self._lines is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lines = JsonlAppender(self._path)
        offset = self._lines.append({"key": key, **({"row": row} if row else {}), "verdict": verdict})
        self._take(key, row, self._files.location(self._path, offset))

    def _take(self, key: str, row: str, location: int) -> None:
        self._known.set(_hash(key), location)
        if row:
            self._rows.set(_hash(row), location)


def _hash(name: str) -> int:
    # Programs may hold half of a surrogate pair, which UTF-8 cannot.
    return xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogatepass"))


def key_of(what: str, suite: Suite, limits: Limits, tier: str | None, *more: Any) -> str:
    """Hash of the subject of a verdict, the tests, limits, toolchain and tier.

    Args:
        what: the program.
        suite: its tests.
        limits: of a run.
        tier: the sandbox tier that the caller names, if any.
        more: whatever else the verdict depends on, as plain JSON values.
    """
    tests = [[test.kind, test.name, test.run or test.text, test.output] for test in suite.tests]
    parts = [VERSION, what, tests, suite.run_preamble, suite.more, suite.separate, suite.aliases, asdict(limits)]
    parts += [toolchain_of(suite.language), tier, *more]
    return xxhash.xxh3_128_hexdigest(json.dumps(parts).encode("utf-8", "surrogatepass"))
