"""Expected values of tests that are calls: printed once by a program without the solution, and cached on disk."""

from __future__ import annotations

import json
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import xxhash

from hf_oss_instruct.evaluation.call_tests import LANGUAGES
from hf_oss_instruct.evaluation.call_tests.canonical import NotCanonicalError
from hf_oss_instruct.evaluation.call_tests.core import CallTests
from hf_oss_instruct.evaluation.call_tests.grading import printed
from hf_oss_instruct.evaluation.preflight import toolchain_of
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.sandbox.judging.calls import ANSWERS_BYTES
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.run import run_program
from hf_oss_instruct.storage.cache import cache_folder, write_cached
from hf_oss_instruct.structured import any_json, checked
from hf_oss_instruct.terminal.display import one_line

FORMAT = 1
NONCE = "0" * 32
"""A fixed nonce is enough: no solution runs in the process that prints expected values."""
LIMITS = Limits(cpu_s=60.0, wall_s=600.0, memory_mib=4096, output_bytes=ANSWERS_BYTES)


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected values of a problem's tests.

    Attributes:
        values: the printed value of each expected expression; empty if they cannot be computed without the solution.
        error: the reason why not.
        final: whether a retry would give the same result; False if the sandbox failed or a limit ended the run.
    """

    values: tuple[str, ...]
    error: str = ""
    final: bool = True


class ExpectedValues:
    """The expected values of problems, each computed on first use.

    Args:
        home: cache folder; `$HF_HOME/oss-instruct/expected` by default.
        tier: name of a sandbox tier, see `sandbox.run.run_program`.
    """

    def __init__(self, home: Path | None = None, tier: str | None = None) -> None:
        self._home = home or cache_folder("expected")
        self._tier = tier
        self._found: dict[str, Expected] = {}
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def of(self, problem: Problem, tests: CallTests) -> Expected:
        """Return the expected values of a problem's tests.

        Raises:
            SandboxError: no sandbox works on this machine.
            ToolchainMissingError: the language's compiler or interpreter is not installed.
        """
        program = LANGUAGES[problem.language].expected_program(tests, problem.prompt, NONCE)
        parts = [FORMAT, problem.language, program, toolchain_of(problem.language)]
        key = xxhash.xxh3_128_hexdigest(json.dumps(parts).encode("utf-8", "surrogatepass"))
        with self._lock:
            # One lock per program: samples of the same problem wait for its values, others do not.
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key in self._found:
                return self._found[key]
            path = self._home / f"{key}.json"
            if (expected := _read(path, len(tests.expected))) is None:
                expected = self._run(program, problem.language, len(tests.expected))
                if expected.final:
                    _write(path, expected)
            if expected.final:
                self._found[key] = expected
            return expected

    def _run(self, program: str, language: str, count: int) -> Expected:
        ran = run_program(program, language, limits=LIMITS, tier=self._tier)
        error = f"the expected values cannot be evaluated without the solution: {ran.status}, {one_line(ran.stderr[-300:])}"
        # A limit or the sandbox ended the run: another one may give the values.
        if ran.status not in ("ok", "failed", "compile_error"):
            return Expected((), error, final=False)
        texts = [text for text in printed(ran, NONCE, count) if text is not None]
        if ran.status == "ok" and len(texts) == count and _are_values(texts, language):
            return Expected(tuple(texts))
        return Expected((), error)


def _are_values(texts: list[str], language: str) -> bool:
    """Whether each is equal to itself, which a value without a canonical form is not."""
    rules = LANGUAGES[language]
    try:
        return all(rules.equal(rules.parse(text), rules.parse(text)) for text in texts)
    except NotCanonicalError:
        return False


def _read(path: Path, count: int) -> Expected | None:
    """Read a cache entry; None if it is missing or damaged, so that it is computed again."""
    try:
        # A truncated or edited entry would decide which answers are right; its hash differs.
        digest, _, body = path.read_text("utf-8").partition("\n")
        content = any_json(body) if digest == xxhash.xxh3_128_hexdigest(body.encode()) else None
    except (OSError, ValueError):
        return None
    try:
        content = checked(content, {"values": list, "trouble": str}, "the cache")
    except ValueError:
        return None
    if len(content["values"]) not in (0, count) or not all(isinstance(value, str) for value in content["values"]):
        return None
    return Expected(tuple(content["values"]), content["trouble"])


def _write(path: Path, expected: Expected) -> None:
    # Files in caches call it `trouble`.
    body = json.dumps({"values": expected.values, "trouble": expected.error})
    try:
        write_cached(path, f"{xxhash.xxh3_128_hexdigest(body.encode())}\n{body}".encode())
    except OSError as error:
        warnings.warn(
            f"The cache of expected values cannot be written; the next run evaluates them again: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
