"""Extract in a separate process, for grammars that crash or loop on some texts: a model's answer must not end `score`.

In tree-sitter-language-pack 0.13, the Perl grammar never returns from `f #q{S`, and the D grammar can crash with a segfault.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from threading import Lock
from typing import Any

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.extraction.programs import Extracted, extract_unparsed
from hf_oss_instruct.evaluation.problems import Problem

CPU_S = 5.0
"""CPU seconds per text; the largest answers need less than one."""


class Worker:
    """The worker process, started on the first request, and again after it died or this process forked.

    Args:
        cpu_s: CPU seconds per text.
    """

    def __init__(self, cpu_s: float = CPU_S) -> None:
        self._cpu_s = cpu_s
        self.reset()

    def reset(self) -> None:
        """Forget the process: after a fork it belongs to the parent."""
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, request: str) -> dict[str, Any] | None:
        """Send a request and return the answer; None if a signal killed the process."""
        with self._lock:
            process = self._process = self._process or _start_worker(self._cpu_s)
            if line := _exchange(process, request):
                answer: dict[str, Any] = json.loads(line)
                return answer
            self._process = None
        # Negative if a signal ended it: the parser crashed, or used up its CPU time.
        if (status := _end(process)) >= 0:
            raise EvaluationError(f"The process that parses answers failed with status {status}; see its error above.")
        return None

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            _end(process)


_WORKER = Worker()
# A forked process that used the same pipes would take the answers of its parent.
os.register_at_fork(after_in_child=_WORKER.reset)
atexit.register(_WORKER.stop)


def extract_isolated(problem: Problem, text: str, kind: str, worker: Worker = _WORKER) -> Extracted:
    """Do the work of `extraction.extract` in another process; if the parser crashes, extract without parsing (`unparsed`).

    Args:
        problem: the problem.
        text: the model's output.
        kind: the kind of text, see `extraction.extract`.
        worker: the worker process; shared by all calls by default.

    Raises:
        EvaluationError: see `extraction.extract`, or the process cannot be started.
    """
    request = {
        "problem": {
            "task_id": problem.task_id,
            "language": problem.language,
            "prompt": problem.prompt,
            "entry_point": problem.entry_point,
            "stop_tokens": problem.stop_tokens,
            "fingerprint": "",
            "tests": problem.tests,
        },
        "text": text,
        "kind": kind,
    }
    answer = worker.ask(json.dumps(request))
    if answer is None:
        return extract_unparsed(problem, text, kind)
    if "error" in answer:
        raise EvaluationError(answer["error"])
    return Extracted(**answer)


def _start_worker(cpu_s: float) -> subprocess.Popen[str]:
    # `-P`: no file in the working folder may take the place of a module.
    command = [sys.executable, "-P", "-m", "hf_oss_instruct.evaluation.extraction.worker", str(cpu_s)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
    if _exchange(process, "") != "ready\n":
        status, words = _end(process), " ".join(command)
        raise EvaluationError(f"The process that parses answers ({words}) did not start: it exited with status {status}.")
    return process


def _exchange(process: subprocess.Popen[str], request: str) -> str:
    """Send a line and return the reply; empty if the process is gone."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{request}\n" if request else "")
        process.stdin.flush()
    except BrokenPipeError:
        return ""
    return process.stdout.readline()


def _end(process: subprocess.Popen[str]) -> int:
    """Close the process's input and return its exit status."""
    process.communicate()
    return process.returncode
