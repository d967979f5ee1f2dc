"""Expected values and time limits, from the reference solution: run once in the sandbox, cached by content hash."""

from __future__ import annotations

import gzip
import json
import threading
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.sandbox.inside import values
from hf_oss_instruct.sandbox.judging.judge import return_values
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.storage.cache import cache_folder, write_cached
from hf_oss_instruct.structured import checked, loads

FORMAT = 4
HEAD: dict[str, type | tuple[type, ...]] = {"calls": int, "cpu_s": (int, float), "hash": str}
"""Keys in the first line of a cache file."""
REFERENCE_LIMITS = Limits(cpu_s=300.0, wall_s=3000.0, memory_mib=4096)
"""Limits of a reference solution. On a machine ten times slower than ours each one still finishes."""
MIN_CPU_S, CPU_FACTOR = 4.0, 4.0
"""An answer may use four times the CPU time of the reference (as in evalplus), and at least four seconds."""
WALL_PER_CPU, EXTRA_WALL_S = 10.0, 30.0
"""The wall time limit only ends programs that wait; it leaves room for a machine under ten times the load."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The results of a problem's reference solution.

    Attributes:
        expected: the return value of each call.
        cpu_s: CPU time of the longest batch of calls, in seconds.
        limits: resource limits of an answer, for each batch of calls.
    """

    expected: list[Any]
    cpu_s: float
    limits: Limits


def limits_for(cpu_s: float) -> Limits:
    """Scale the limits to the reference's CPU time, in powers of two, so that a second measurement gives the same limits."""
    allowed = MIN_CPU_S
    while allowed < CPU_FACTOR * cpu_s:
        allowed *= 2
    return Limits(cpu_s=allowed, wall_s=WALL_PER_CPU * allowed + EXTRA_WALL_S, memory_mib=4096)


class References:
    """The references of a benchmark's problems, each run on first use.

    Args:
        home: cache folder; `$HF_HOME/oss-instruct/expected` by default.
        tier: name of a sandbox tier, see `sandbox.run.run_program`.
    """

    def __init__(self, home: Path | None = None, tier: str | None = None) -> None:
        self._home = home or cache_folder("expected")
        self._tier = tier
        self._found: dict[str, Reference] = {}
        self._locks: dict[str, threading.Lock] = {}

    def of(self, problem: Problem) -> Reference:
        """Return the reference of a problem with calls.

        Raises:
            EvaluationError: the reference solution does not answer every call.
        """
        with self._locks.setdefault(problem.task_id, threading.Lock()):
            if problem.task_id not in self._found:
                self._found[problem.task_id] = self._read(problem) or self._run(problem)
            return self._found[problem.task_id]

    def forget(self, problem: Problem) -> None:
        """Free the memory of a problem's answers, which are in the cache."""
        self._found.pop(problem.task_id, None)

    def known_cpu_s(self, problem: Problem) -> float:
        """Return the CPU seconds of a problem's reference if cached, else 0, without loading the answers."""
        head = self._head(problem)
        return float(head["cpu_s"]) if head else 0.0

    def _path(self, problem: Problem) -> Path:
        key = xxhash.xxh3_128_hexdigest(
            json.dumps([FORMAT, problem.reference, problem.entry_point, problem.fingerprint]).encode()
        )
        return self._home / f"{key}.jsonl.gz"

    def _head(self, problem: Problem) -> dict[str, Any] | None:
        try:
            with gzip.open(self._path(problem), "rt", encoding="utf-8") as lines:
                return checked(loads(lines.readline()), HEAD, "the head")
        except (OSError, EOFError, ValueError, zlib.error):
            return None

    def _read(self, problem: Problem) -> Reference | None:
        try:
            with gzip.open(self._path(problem), "rt", encoding="utf-8") as lines:
                head = checked(loads(lines.readline()), HEAD, "the head")
                body = lines.read()
            expected = [values.loads(line) for line in body.splitlines()]
        except (OSError, EOFError, ValueError, zlib.error):  # missing, truncated or modified: computed again
            return None
        whole = len(expected) == head["calls"] and head["hash"] == xxhash.xxh3_128_hexdigest(body.encode())
        return self._reference(problem, expected, head["cpu_s"]) if whole else None

    def _run(self, problem: Problem) -> Reference:
        calls = problem.calls
        if calls is None or problem.reference is None:
            raise EvaluationError(f"{problem.task_id} has no reference solution. Its tests are a program: run that instead.")
        try:
            program = problem.reference + calls.adapter
            expected, cpu_s = return_values(program, problem.entry_point, calls.inputs, REFERENCE_LIMITS, tier=self._tier)
        except UsageError as error:
            raise EvaluationError(f"The reference solution of {problem.task_id} cannot be used: {error}") from error
        self._write(problem, expected, cpu_s)
        return self._reference(problem, expected, cpu_s)

    def _reference(self, problem: Problem, expected: list[Any], cpu_s: float) -> Reference:
        # Values that the data itself holds win: the reference then only gives the time limits.
        shipped = problem.calls.expected if problem.calls else None
        return Reference(list(shipped) if shipped is not None else expected, cpu_s, limits_for(cpu_s))

    def _write(self, problem: Problem, expected: list[Any], cpu_s: float) -> None:
        path = self._path(problem)
        body = "\n".join(map(values.dumps, expected))
        key = xxhash.xxh3_128_hexdigest(body.encode())
        head = json.dumps({"task_id": problem.task_id, "calls": len(expected), "cpu_s": cpu_s, "hash": key})
        text = f"{head}\n{body}"
        try:
            # `mtime=0`, so that equal values give equal files.
            write_cached(path, gzip.compress(text.encode(), 1, mtime=0))
        except OSError as error:
            warnings.warn(
                f"Could not cache the expected values; the next run computes them again: {error}", RuntimeWarning, stacklevel=2
            )
