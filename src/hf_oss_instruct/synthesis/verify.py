"""The Python function `verify`: the Python equivalent of the command `verify`, also for notebooks."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.spec.declare import argument, arguments, same_option, taken_from, with_arguments_of
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.synthesis.tables.arguments import TableArguments
from hf_oss_instruct.synthesis.verifying.run import verify_table
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher


@arguments
class VerifyArguments(TableArguments, VerificationSpec):
    """Arguments of `verify`."""

    verify: bool = field(init=False, default=True)
    teacher: Teacher | None = argument(
        "Teacher that writes tests, solutions and repairs on demand. Default: none, so that no requests are sent.", default=None
    )
    tests: str | None = same_option(
        VerificationSpec,
        "tests",
        python_help="Where tests come from: `given` (the rows' own) or `apart` (a separate request that sees problem and "
        "signatures, never the solution). Default: `given` for rows that have tests, else `apart`.",
    )
    tester: Teacher | None = same_option(VerificationSpec, "tester")
    solver: Teacher | None = same_option(VerificationSpec, "solver")


@with_arguments_of(VerifyArguments)
def verify(call: VerifyArguments) -> RunReport:
    """Run the solutions of a dataset with tests in the sandbox, measure the tests, and write the rows that are kept.

    After an error, an interruption or a crash, the same call resumes: no request is sent and no program run twice.

    Returns:
        The report, as in `run.json`.

    Raises:
        UsageError: the rows have no problems or no solutions, or the arguments contradict each other.
        SeedError: the source cannot be read.
        SandboxError: this machine has no sandbox; nothing was requested or run.
        RunError: `out` contains something else, is in use, or cannot be written.
        TeacherError: the teacher cannot continue, or some rows are pending after all retries.
        BudgetReachedError: a limit is reached.
        RunInterruptedError: Ctrl-C, SIGTERM or SIGHUP was received.
    """
    spec = call.run_spec(verification=taken_from(call, VerificationSpec))
    if call.teacher is not None:
        check_teacher(call.teacher)
    result = verify_table(
        str(call.source),
        Path(call.out),
        spec,
        # Without a teacher the embedded one takes its place: it sends no requests.
        call.teacher or CommentFunctionTeacher(),
        columns=call.columns,
        language=named(call.language).name,
        progress=call.progress,
    )
    return result.require_complete("verified")
