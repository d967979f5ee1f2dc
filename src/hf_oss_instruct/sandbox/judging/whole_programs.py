"""Judge whole programs: a program passes if it runs to its end, tests included."""

from __future__ import annotations

import secrets
from dataclasses import replace

from hf_oss_instruct.errors import ToolchainMissingError
from hf_oss_instruct.sandbox.judging.judgement import Judgement, status_without_answer
from hf_oss_instruct.sandbox.judging.sentinel import ending_with
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.run import run_program

PRINTED_BYTES = 64 << 20  # output at which a whole program is ended; before that, output beyond its limit is discarded


def judge_program(
    program: str, tests: str = "", language: str = "python", limits: Limits | None = None, *, tier: str | None = None
) -> Judgement:
    """Run a program with its tests; it passes only if it runs to its end (`sentinel.py` says what this cannot prevent).

    Args:
        program: source code, which may include the tests.
        tests: statements to run after it. In a language with braces, they end with the closing braces of `main`.
        language: the program's language, see `languages.LANGUAGES`.
        limits: resource limits of the run.
        tier: name of a sandbox tier, see `run_program`.

    Raises:
        UsageError: the language is not supported, or the nonce cannot be inserted at the end of the text.
        SandboxError: no sandbox works on this machine.
    """
    if not program.strip():
        return Judgement("empty_answer", [False])
    nonce = secrets.token_hex(16)
    text = ending_with(nonce, program, tests, language)
    try:
        allowed = limits or Limits()
        larger = replace(allowed, output_bytes=max(allowed.output_bytes, PRINTED_BYTES))
        ran = run_program(text, language, limits=larger, tier=tier)
    except ToolchainMissingError as error:
        return Judgement("not_evaluated", [False], detail=str(error))
    # Some languages print it to standard error, such as Go's `print`.
    came_to_its_end = nonce in ran.stdout or nonce in ran.stderr
    kept = allowed.output_bytes  # of each stream: errors are at the end
    stdout, stderr = ran.stdout.replace(nonce, "")[:kept], ran.stderr.replace(nonce, "")[-kept:]
    ran = replace(ran, stdout=stdout, stderr=stderr)
    if ran.status == "ok" and came_to_its_end:
        return Judgement("passed", [True], ran)
    detail = "it ended before its last test" if ran.status == "ok" else ran.reason
    return Judgement(status_without_answer(ran, text if language == "python" else ""), [False], ran, detail)
