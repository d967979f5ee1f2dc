"""The Python function `evolve`: the Python equivalent of the command `evolve`, also for notebooks."""

from __future__ import annotations

from pathlib import Path

from hf_oss_instruct.methods.evolution import evolve_table, plan_evolution
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.declare import argument, arguments, same_option, taken_from, with_arguments_of
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.option_types import Integer
from hf_oss_instruct.spec.prompts import PromptSpec
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.synthesis.run import with_benchmarks
from hf_oss_instruct.synthesis.tables.arguments import TableArguments
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher


@arguments
class EvolveArguments(TableArguments, EvolutionSpec):
    """Arguments of `evolve`."""

    teacher: Teacher = argument("Teacher that makes the problems harder.")
    solver: Teacher | None = same_option(EvolutionSpec, "solver")
    answer_format: str = same_option(PromptSpec, "answer_format")
    verification: VerificationSpec | None = argument(
        "Whether and how rows are run with tests: `VerificationSpec(verify=True)`. Default: not at all.", default=None
    )
    checks: Checks | None = argument(
        "Which checks rows must pass: duplicates, near duplicates, benchmarks. Default: all.", default=None
    )
    n: int | None = argument("Evolve only the first rows.", default=None, kind=Integer(1))


@with_arguments_of(EvolveArguments)
def evolve(call: EvolveArguments) -> RunReport:
    """Make the problems of a dataset harder in rounds (Evol-Instruct), solve them again, and write the rows of all rounds.

    After an error, an interruption or a crash, the same call continues, and no answer is requested twice.

    Returns:
        The report, as in `run.json`.

    Raises:
        UsageError: the rows have no problems or no solutions, or the arguments contradict each other.
        SeedError: the source cannot be read.
        SandboxError: rows are to be verified and this machine has no sandbox.
        RunError: `out` contains something else, is in use, or cannot be written.
        TeacherError: the teacher cannot continue, or some rows are pending after all retries.
        BudgetReachedError: a limit is reached.
        RunInterruptedError: Ctrl-C, SIGTERM or SIGHUP was received.

    Source:
        WizardCoder, arXiv 2306.08568, section 2.1; Magicoder, arXiv 2312.02120, section 2.3 (the S models).
    """
    check_teacher(call.teacher)
    evolution = taken_from(call, EvolutionSpec)
    spec = call.run_spec(prompt=taken_from(call, PromptSpec), checks=call.checks, verification=call.verification)
    spec, lists = with_benchmarks(spec, spec.checks.benchmarks)
    plan = plan_evolution(call.rows().first(call.n), spec, evolution, call.teacher)
    return evolve_table(plan, Path(call.out), lists=lists, progress=call.progress).require_complete("evolved")
