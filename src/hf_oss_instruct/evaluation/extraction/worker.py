"""The worker process of `isolated`: reads one JSON request per line and returns programs."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from dataclasses import asdict
from typing import Any

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.extraction.programs import extract_here
from hf_oss_instruct.evaluation.problems import Problem

MEMORY_BYTES = 4 << 30
"""Limit of the address space, in bytes."""


def serve(cpu_s: float) -> None:
    """Answer requests until there are no more.

    Args:
        cpu_s: CPU seconds per request, after which the kernel kills the process: a looping parser holds the GIL.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # A crash is expected here, and needs no core dump.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The default action is to kill the process, which needs no handler to run.
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    _say("ready")
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s)
        answer = _answer(json.loads(line))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        _say(json.dumps(answer))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    problem = request["problem"]
    try:
        problem = Problem(**{**problem, "stop_tokens": tuple(problem["stop_tokens"])})
        return asdict(extract_here(problem, request["text"], request["kind"]))
    except EvaluationError as error:
        return {"error": str(error)}
    except MemoryError:
        # The parent takes a signal for a crash of the parser, and extracts without one.
        os.abort()


if __name__ == "__main__":
    serve(float(sys.argv[1]))
