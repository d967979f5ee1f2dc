"""Judge many programs by the same recorded checks, all in one sandbox."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hf_oss_instruct.sandbox.inside import hash_collisions, values
from hf_oss_instruct.sandbox.judging.calls import answer_limits
from hf_oss_instruct.sandbox.judging.check_results import CheckStatus, calls_of, first_failure
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_program

_MATRIX = "if __name__ == '__main__':\n    from inside import matrix_calls\n    matrix_calls.run()\n"
_ANSWER = re.compile(r"^([0-9a-f]{32}) (\w+) (\w+) (.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ProgramVerdicts:
    """The results of several tests' checks for one program.

    Attributes:
        tests: status and detail of each test, as of `judge_checks`; None if the program did not answer every call with a plain
            value or an exception, and has to be judged alone.
        load_error: the exception that ended the program before its first call.
    """

    tests: list[CheckStatus] | None = None
    load_error: str = ""


def judge_programs(
    programs: Sequence[str],
    tests: Sequence[Sequence[Any]],
    limits: Limits | None = None,
    *,
    tier: str | None = None,
    packages: tuple[str, ...] = (),
) -> list[ProgramVerdicts]:
    """Judge several programs by the recorded checks of the same tests, all in one sandbox, each program in a separate fork.

    Args:
        programs: source code of each program.
        tests: the checks of each test, from `recorded`.
        limits: resource limits of each program.
        tier: name of a sandbox tier, see `run_program`.
        packages: as of `run_program`.

    Returns:
        Facts about each program.
    """
    limits = answer_limits(limits)
    calls = [values.dumps(list(call), exact=True) for checks in tests for check in checks for call in calls_of(check)]
    nonces = [secrets.token_hex(16) for _ in programs]
    job = {"nonces": nonces, "programs": list(programs), "calls": calls, "cpu_s": limits.cpu_s, "wall_s": limits.wall_s}
    # The forks run one after the other, each with its own limits inside.
    whole = replace(limits, cpu_s=limits.cpu_s * len(programs), wall_s=limits.wall_s * len(programs))
    ran = run_program(_MATRIX, stdin=json.dumps(job), limits=whole, tier=tier, stdout_as_memory=True, packages=packages)
    clock = hash_collisions.Clock()
    return [_verdicts(answers, len(calls), tests, ran, clock) for answers in _answers(ran.stdout, nonces)]


def _answers(stdout: str, nonces: list[str]) -> list[dict[str, tuple[str, str]]]:
    """Return the answers of each program: the number of a call (or `load`) → kind and text of the first answer."""
    answers: dict[str, dict[str, tuple[str, str]]] = {nonce: {} for nonce in nonces}
    for line in _ANSWER.finditer(stdout):
        if line[1] in answers:
            answers[line[1]].setdefault(line[2], (line[3], line[4]))
    return list(answers.values())


def _verdicts(
    answers: dict[str, tuple[str, str]], calls: int, tests: Sequence[Sequence[Any]], ran: Execution, clock: hash_collisions.Clock
) -> ProgramVerdicts:
    if "load" in answers:
        return ProgramVerdicts(load_error=answers["load"][1].strip("'\""))
    # A missing answer may be the doing of another program that filled the channel, hence "judged alone".
    ordered = [answers.get(str(number), ("odd", "")) for number in range(calls)]
    if any(kind == "odd" for kind, _ in ordered):
        return ProgramVerdicts()
    each = iter(ordered)
    return ProgramVerdicts([first_failure(checks, each, ran, clock) for checks in tests])
