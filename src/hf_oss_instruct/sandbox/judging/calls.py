"""Call functions of a program in the sandbox, many calls in one run."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.inside import values
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_program

ANSWERS_BYTES = 16 << 20  # output of one batch; answers are output too
# A child process started with `spawn` runs this file under another name.
_HARNESS = "if __name__ == '__main__':\n    from inside import function_calls\n    function_calls.answer()\n"
_ANSWER = re.compile(r"^([0-9a-f]{32}) (\w+) (.*)\n", re.MULTILINE)


def answer_limits(limits: Limits | None) -> Limits:
    """Raise the output limit to make room for the answers of a batch, which are output too."""
    limits = limits or Limits()
    return replace(limits, output_bytes=max(limits.output_bytes, ANSWERS_BYTES))


def call_functions(
    program: str,
    entry_point: str,
    inputs: Sequence[Sequence[Any]],
    limits: Limits,
    tier: str | None,
    packages: tuple[str, ...] = (),
) -> tuple[list[str], dict[str, tuple[str, str]], Execution]:
    """Ask a program for the answers to several inputs, in one run.

    Args:
        program: source code of the program.
        entry_point: name of the function. If empty, each input is a function name, positional and keyword arguments, and
            answers are returned as they are.
        inputs: positional arguments of each call.
        limits: resource limits of the run.
        tier: name of a sandbox tier, see `run_program`.
        packages: as of `run_program`.

    Returns:
        The nonce of each input, nonce → kind and text of the answer, and the run itself.
    """
    # One per input: a program cannot answer a question before it was asked, or for another one.
    nonces = [secrets.token_hex(16) for _ in inputs]
    try:
        lines = [f"{nonce} {values.dumps(list(arguments), exact=True)}" for nonce, arguments in zip(nonces, inputs, strict=True)]
    except values.NotPlainValueError as error:
        raise UsageError(f"An input of {entry_point!r} cannot be sent to the sandbox: {error}. Pass plain values.") from None
    files = {"candidate.py": program.encode("utf-8", "surrogateescape")}
    questions = "\n".join([entry_point, *lines])
    ran = run_program(_HARNESS, stdin=questions, files=files, limits=limits, tier=tier, stdout_as_memory=True, packages=packages)
    return nonces, _answers(ran.stdout, set(nonces)), ran


def _answers(stdout: str, nonces: set[str]) -> dict[str, tuple[str, str]]:
    """Map each nonce to the first answer after it. Other lines, of which there may be millions, are not kept."""
    answers: dict[str, tuple[str, str]] = {}
    for line in _ANSWER.finditer(stdout):
        if line[1] in nonces:
            answers.setdefault(line[1], (line[2], line[3]))
    return answers
