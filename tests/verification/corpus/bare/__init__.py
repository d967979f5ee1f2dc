"""Runs solution and tests with the toolchains and test frameworks themselves, without any code of ours between them.

`outcome("ruby", solution, tests)` is what RSpec, or plain Ruby, says of a pair. A module writes the files of its languages and says which
commands run them: `scripts` (Python, shell, Ruby, PHP), `compiled` (C++, Go, Rust), `managed` (Java, C#) and `node`. Frameworks that are not
installed raise `NotProvableError`, which names the package; Pest, xUnit and MSTest have none in Debian, on PyPI or npm.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.verification.corpus.bare import compiled, managed, node, scripts
from tests.verification.corpus.bare.steps import NotProvableError, Step

__all__ = ["HANGS", "NotProvableError", "outcome"]

SECONDS = 120  # of a run on a busy machine; a program that hangs gets `HANGS`
HANGS = 4


def outcome(
    language: str, solution: str, tests: str, environment: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> str:
    """What a bare toolchain says of a pair: `passed`, `failed` or `timeout`.

    Raises:
        NotProvableError: see there.
    """
    tests = re.sub(r"\A\s*```\w*\n(.*?)```\s*\Z", r"\1", tests, flags=re.DOTALL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            for step in _RUNNERS[language](folder, solution, tests):
                if not step.is_passed_by(*_run(step, folder, seconds, environment or {})):
                    return "failed"
        except subprocess.TimeoutExpired:
            return "timeout"
    return "passed"


def _run(step: Step, folder: Path, seconds: float, environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and output of a command. When it takes too long, what it started ends with it."""
    with subprocess.Popen(
        step.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace", cwd=folder,
        env={**os.environ, "TZ": "UTC", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment}, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            stdout, _ = process.communicate(step.given, timeout=seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, stdout


_RUNNERS: dict[str, Callable[[Path, str, str], list[Step]]] = {
    "python": scripts.python, "shell": scripts.shell, "ruby": scripts.ruby, "php": scripts.php, "cpp": compiled.cpp, "go": compiled.go,
    "rust": compiled.rust, "csharp": managed.csharp, "java": managed.java, "javascript": node.javascript, "typescript": node.typescript,
}  # fmt: skip
