"""What a run's options of verification open: its teachers, and a working sandbox."""

from __future__ import annotations

import logging

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.verification import APART
from hf_oss_instruct.synthesis.verifying.shared import Verification
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher
from hf_oss_instruct.terminal.unsafe import UNSAFE_WARNING
from hf_oss_instruct.verification.memo import Verdicts

logger = logging.getLogger(__name__)


def open_verification(
    spec: RunSpec, teacher: Teacher, verdicts: Verdicts | None = None, *, exclusive: bool = False
) -> Verification | None:
    """The verification that a run specifies, with teachers and sandbox; None if it specifies none.

    Args:
        spec: the run; its tester and solver are teachers, see `teachers.resolve.with_teachers`.
        teacher: who writes the pairs.
        verdicts: known verdicts, and where new ones go; in memory by default.
        exclusive: as of `Verification`.

    Raises:
        UsageError: options conflict, or a tester or solver is not a teacher.
        SandboxError: this machine has no sandbox; nothing was requested.
    """
    verification = spec.verification
    verification.require_switch()
    if not verification.verify:
        return None
    # Raises on a machine without a sandbox, before anything is paid for.
    chosen_tier(verification.tier)
    if verification.unsafe_no_sandbox:
        logger.warning(UNSAFE_WARNING)
    tester, solver = verification.tester, verification.solver
    for other in (tester, solver):
        if other is not None:
            check_teacher(other)
    if teacher.embedded:
        if verification.tests == APART and tester is None:
            raise UsageError("The embedded teacher cannot write tests. Pass a model with --tester, or pass --tests answer.")
        if (verification.solutions > 1 and solver is None) or verification.repair:
            raise UsageError("The embedded teacher cannot solve or repair anything. Pass a model with --model.")
    return Verification(verification, verdicts or Verdicts(), teacher, tester, solver, spec.sampling, exclusive)


def requests_per_row(spec: RunSpec, teacher: Teacher) -> tuple[int, int]:
    """The fewest and the most requests that a row costs, not counting retries; the embedded teacher's pair costs none.

    Raises:
        UsageError, SandboxError: as `open_verification`.
    """
    verification = open_verification(spec, teacher)
    fewest, most = verification.requests_per_row() if verification else (0, 0)
    of_pair = 0 if teacher.embedded else 1 + spec.prompt.concepts + (spec.prompt.style is not None)
    return of_pair + fewest, of_pair + most
