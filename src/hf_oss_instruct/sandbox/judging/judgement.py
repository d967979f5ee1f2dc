"""Facts about a program after it was judged."""

from __future__ import annotations

from dataclasses import dataclass, field

from hf_oss_instruct.sandbox.limits import Execution

STATUSES = (
    "passed",
    "wrong_answer",
    "runtime_error",
    "timeout",
    "compile_error",
    "empty_answer",
    "sandbox_error",
    "not_evaluated",
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a program.

    Attributes:
        status: `passed`, or that of the first input without the right answer: `wrong_answer`, `runtime_error`, `timeout`,
            `compile_error`, `empty_answer`, `sandbox_error` or `not_evaluated`.
        per_input: whether each input was answered correctly; a single entry for a whole program.
        execution: the run that decided it, or None if nothing was run. Its stdout holds the answers, not the program's output.
        detail: the wrong answer, the exception or another anomaly, in one line.
        outside: whether answers were compared outside the program's process, so that it cannot fake a pass.
    """

    status: str
    per_input: list[bool] = field(default_factory=list)
    execution: Execution | None = None
    detail: str = ""
    outside: bool = False


def status_without_answer(ran: Execution, python: str = "") -> str:
    """Return the status of a run that gave no answer."""
    if ran.status in ("timeout", "compile_error", "sandbox_error"):
        return ran.status
    if python and ran.stderr.rstrip().rpartition("\n")[2].startswith(("SyntaxError", "IndentationError")):
        return "compile_error"
    return "runtime_error"
