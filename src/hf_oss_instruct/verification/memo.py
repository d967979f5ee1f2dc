"""Verdicts that were made before: a line each in `verdicts.jsonl`, by hash of all that they depend on."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import xxhash

from hf_oss_instruct.errors import OssInstructError
from hf_oss_instruct.evaluation.preflight import toolchain_of
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.structured import any_json
from hf_oss_instruct.verification.suites.core import Suite
from hf_oss_instruct.workdir import Lines

VERSION = 4
"""Of the rules by which verdicts are made: a change makes every verdict be made again."""


class NoVerdictError(OssInstructError):
    """A verdict is not known, and none is made any more."""


class Verdicts:
    """What is known of programs and their tests. Safe to use from threads.

    Args:
        path: the file, made with the first verdict; None keeps verdicts in memory only.
        also: files of others that are read, too.
        read_only: whether nothing is written to the file, which may be missing, and no verdict is made.

    Attributes:
        closed: whether no more verdicts are made: what is not known raises `NoVerdictError`.
        made: how many were made.

    Raises:
        RunError: the file cannot be written.
    """

    def __init__(self, path: Path | None = None, *, also: Iterable[Path] = (), read_only: bool = False) -> None:
        self._known: dict[str, Any] = {}
        self._rows: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._path = None if read_only else path
        self._lines: Lines | None = None
        self.closed, self.made = read_only, 0
        for file in (*also, path):
            if file and file.exists():
                self._read(file)

    @classmethod
    def shared(cls, folder: Path) -> Verdicts:
        """Verdicts of a folder that several processes write to, each to a separate file."""
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        return cls(folder / name, also=sorted(folder.glob("*.jsonl")))

    def _read(self, path: Path) -> None:
        for line in path.read_bytes().splitlines():
            try:
                row = any_json(line.decode("utf-8", "replace"))
                self._take(row["key"], row["verdict"], row.get("row", ""))
            except (ValueError, KeyError, TypeError, AttributeError):  # a damaged line is made again
                continue

    def __enter__(self) -> Verdicts:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._lock:
            self.closed, self._path = True, None
            if self._lines:
                self._lines.close()
                self._lines = None

    def of_row(self, row: str) -> Any:
        """The last verdict on a row, from any machine and toolchain; None if there is none."""
        with self._lock:
            return self._rows.get(row)

    def note(self, row: str, verdict: Any) -> None:
        """Keep what was found of a row without a run, for `of_row`."""
        with self._lock:
            if self._rows.get(row) != (verdict := json.loads(json.dumps(verdict))):
                self._take(row, verdict, row)
                self._write({"key": row, "row": row, "verdict": verdict})

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
            unknown = [index for index, key in enumerate(keys) if key not in self._known and key not in keys[:index]]
            if unknown and self.closed:
                raise NoVerdictError("The run is stopping and this row has no verdict yet. Run the same command again.")
        found = (
            dict(zip((keys[index] for index in unknown), json.loads(json.dumps(make(unknown))), strict=True)) if unknown else {}
        )
        with self._lock:
            self.made += len(found)
            for key, verdict in found.items():
                if final(verdict):
                    self._take(key, verdict, row)
                    self._write({"key": key, **({"row": row} if row else {}), "verdict": verdict})
            return [found[key] if key in found else self._known[key] for key in keys]

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._path is None:
            return
        if self._lines is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lines = Lines(self._path)
        self._lines.append(line)

    def _take(self, key: str, verdict: Any, row: str) -> None:
        self._known[key] = verdict
        if row:
            self._rows[row] = verdict


def key_of(what: str, suite: Suite, limits: Limits, tier: str | None, *more: Any) -> str:
    """Hash of what a verdict is about, the tests, limits, toolchain and tier."""
    tests = [[test.kind, test.name, test.run or test.text, test.output] for test in suite.tests]
    parts = [VERSION, what, tests, suite.run_preamble, suite.more, suite.separate, suite.aliases, asdict(limits)]
    parts += [toolchain_of(suite.language), tier, *more]
    return xxhash.xxh3_128_hexdigest(json.dumps(parts).encode("utf-8", "surrogatepass"))
