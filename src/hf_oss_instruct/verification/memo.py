"""Verdicts that were made before: a line each in `verdicts.jsonl`, by hash of all that they depend on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.evaluation.preflight import toolchain_of
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.structured import any_json
from hf_oss_instruct.verification.suites.core import Suite
from hf_oss_instruct.workdir import Lines

VERSION = 1
"""Of the rules by which verdicts are made: a change makes every verdict be made again."""


class Verdicts:
    """What is known of programs and their tests. Safe to use from threads.

    Args:
        path: the file; None keeps verdicts in memory only.

    Raises:
        RunError: the file cannot be written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._known: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._lines = Lines(path) if path else None
        for line in path.read_bytes().splitlines() if path else ():
            try:
                row = any_json(line.decode("utf-8", "replace"))
                self._known[row["key"]] = row["verdict"]
            except (ValueError, KeyError, TypeError):  # a damaged line is made again
                continue
        self.made = 0

    def of(self, key: str, make: Callable[[], Any], final: Callable[[Any], bool] = lambda verdict: True) -> Any:
        """The verdict of a key, made now if it is not known.

        Args:
            key: as of `key_of`.
            make: gives it, as plain JSON values.
            final: whether it is kept; what a failing sandbox says is not.
        """
        return self.of_all([key], lambda unknown: [make()], final)[0]

    def of_all(
        self,
        keys: Sequence[str],
        make: Callable[[list[int]], Sequence[Any]],
        final: Callable[[Any], bool] = lambda verdict: True,
    ) -> list[Any]:
        """The verdicts of several keys, those that are not known made together.

        Args:
            keys: as of `key_of`.
            make: gives those of the keys at these places, as plain JSON values.
            final: as in `of`.
        """
        with self._lock:
            unknown = [at for at, key in enumerate(keys) if key not in self._known and key not in keys[:at]]
        found = dict(zip((keys[at] for at in unknown), json.loads(json.dumps(make(unknown))), strict=True)) if unknown else {}
        with self._lock:
            self.made += len(found)
            for key, verdict in found.items():
                if final(verdict):
                    self._known[key] = verdict
                    if self._lines:
                        self._lines.append({"key": key, "verdict": verdict})
            return [found[key] if key in found else self._known[key] for key in keys]


def key_of(what: str, suite: Suite, limits: Limits, tier: str | None, *more: Any) -> str:
    """Hash of what a verdict is about, the tests, limits, toolchain and tier."""
    tests = [[test.kind, test.name, test.run or test.text, test.output] for test in suite.tests]
    parts = [VERSION, what, tests, suite.run_preamble, suite.more, suite.separate, suite.aliases, asdict(limits)]
    parts += [toolchain_of(suite.language), tier, *more]
    return xxhash.xxh3_128_hexdigest(json.dumps(parts).encode("utf-8", "surrogatepass"))
