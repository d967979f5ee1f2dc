"""The tasks of verification, one after the other for each row, all in the same engine.

prepare (the program, its tests) → tests (requested apart) → solve (more solutions) → run → repair → run → … → row | rejection
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from hf_oss_instruct.code.toolchains import TOOLCHAINS
from hf_oss_instruct.data import Completion, Message, Pending, Rejection, Request, Row, Seed, digest
from hf_oss_instruct.errors import OssInstructError, RowRejectedError, SandboxError
from hf_oss_instruct.schemas import seed_of
from hf_oss_instruct.spec.verification import APART
from hf_oss_instruct.synthesis.generation.task import FollowUp, GenerationTask, LocalTask
from hf_oss_instruct.synthesis.verifying.candidate import Candidate, Solution
from hf_oss_instruct.synthesis.verifying.prompts import repair_prompt, solve_prompt, tests_prompt
from hf_oss_instruct.synthesis.verifying.rows import outcome_of, unverified
from hf_oss_instruct.synthesis.verifying.shared import Verification
from hf_oss_instruct.synthesis.verifying.verdicts import from_json, verdict_of
from hf_oss_instruct.teachers.parsing import tests_section
from hf_oss_instruct.verification import unverifiable
from hf_oss_instruct.verification.memo import NoVerdictError
from hf_oss_instruct.verification.programs import program_in, tests_in
from hf_oss_instruct.verification.signatures import signatures
from hf_oss_instruct.verification.suites import LANGUAGES
from hf_oss_instruct.verification.suites.core import MAX_SOLUTION_CHARS, SuiteRefusedError
from hf_oss_instruct.verification.verify import Verified

MIN_TEMPERATURE = 0.8
"""Temperature of further solutions where the run's is lower: at 0 they would all be the same."""


def next_step(verification: Verification, item: Candidate) -> FollowUp:
    """What a candidate still lacks: tests, solutions, or only a run."""
    if item.tests is None:
        return FollowUp(WriteTests(verification), item)
    if len(item.solutions) - item.repairs < verification.spec.solutions:
        return FollowUp(Solve(verification), item)
    return FollowUp(RunTests(verification), item)


class _CandidateTask(GenerationTask[Candidate]):
    """A request about a candidate. What it needs to know is its verification."""

    def __init__(self, verification: Verification) -> None:
        self.verification = verification
        self.teacher, self.sampling = verification.teacher, verification.sampling

    def seed(self, item: Candidate) -> Seed:
        """See `GenerationTask.seed`."""
        return seed_of(item.row)

    def outcome(self, item: Candidate, completion: Completion) -> Row | FollowUp | Rejection:
        """See `GenerationTask.outcome`. An unusable answer counts as a refusal: the row continues without it."""
        result = super().outcome(item, completion)
        return self.refused(item, RowRejectedError(result.reason, result.detail)) if isinstance(result, Rejection) else result


class WriteTests(_CandidateTask):
    """Requests tests from problem and signatures, without showing the solution."""

    name = "tests"

    def __init__(self, verification: Verification) -> None:
        super().__init__(verification)
        self.teacher = verification.tester or verification.teacher

    def messages(self, item: Candidate) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        return tests_prompt(str(item.row["problem"]), item.signatures, item.language)

    def read(self, item: Candidate, completion: Completion) -> FollowUp:
        """See `GenerationTask.read`."""
        tests = tests_in(tests_section(completion.text), item.language)
        return next_step(self.verification, replace(item, tests=tests, tester=self.teacher_for(item).identity))

    def refused(self, item: Candidate, refusal: RowRejectedError) -> FollowUp | Row | Rejection:
        """Without tests the row stays unverified."""
        verified = Verified("tests_missing", f"the tester's answer cannot be used: {refusal.reason}: {refusal.detail}")
        return unverified(item, verified, self.verification.spec)


class Solve(_CandidateTask):
    """Requests another solution to the problem, with its own temperature and random seed."""

    name = "solve"

    def __init__(self, verification: Verification) -> None:
        super().__init__(verification)
        self.teacher = verification.solver or verification.teacher
        warm = max(verification.sampling.temperature, MIN_TEMPERATURE)
        self.sampling = replace(verification.sampling, temperature=warm)

    def messages(self, item: Candidate) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        return solve_prompt(str(item.row["problem"]), item.signatures, item.language)

    def request(self, item: Candidate) -> Request:
        """See `GenerationTask.request`; each further solution is another attempt."""
        # The same request again: the attempt gives it another key and another random seed.
        seed, attempt = self.seed(item), len(item.solutions)
        sampling = self.sampling.as_sent(int(seed.seed_id[:7], 16) + attempt)
        return Request(seed, tuple(self.messages(item)), sampling, attempt)

    def read(self, item: Candidate, completion: Completion) -> FollowUp:
        """See `GenerationTask.read`."""
        return self._with(item, Solution.of(completion.text.strip(), self.teacher_for(item).identity, item.language))

    def refused(self, item: Candidate, refusal: RowRejectedError) -> FollowUp:
        """One solution less to choose from."""
        return self._with(item, Solution("", "", self.teacher_for(item).identity, refusal.reason))

    def _with(self, item: Candidate, solution: Solution) -> FollowUp:
        return next_step(self.verification, item.with_solution(solution))


class Repair(_CandidateTask):
    """Sends a failing solution back with what failed."""

    name = "repair"

    def messages(self, item: Candidate) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        assert item.broken
        program, failures = item.broken
        return repair_prompt(str(item.row["problem"]), program, failures, item.language)

    def read(self, item: Candidate, completion: Completion) -> FollowUp:
        """See `GenerationTask.read`."""
        return self._with(item, Solution.of(completion.text.strip(), self.teacher_for(item).identity, item.language))

    def refused(self, item: Candidate, refusal: RowRejectedError) -> FollowUp:
        """The solutions that were there count."""
        return self._with(item, Solution("", "", self.teacher_for(item).identity, refusal.reason))

    def _with(self, item: Candidate, solution: Solution) -> FollowUp:
        return FollowUp(RunTests(self.verification), item.with_solution(solution))


class _Local(LocalTask[Any]):
    def __init__(self, verification: Verification) -> None:
        self.verification = verification

    def stop(self) -> None:
        """See `LocalTask.stop`."""
        self.verification.stop()


class Prepare(_Local):
    """Finds the program and the tests of a row, and what keeps it from being verified, before any request about it."""

    name = "prepare"

    def compute(self, item: Row) -> Row | FollowUp | Rejection | Pending:
        """See `LocalTask.compute`."""
        spec, text = self.verification.spec, str(item["solution"])
        program = program_in(text, str(item["lang"]))
        candidate = Candidate(item, program.language, (Solution.of(text, str(item["teacher"]), program.language),))
        # Before tests are requested, which would be paid for in vain.
        if refused := self._refused(candidate):
            return unverified(candidate, refused, spec)
        tests = None if spec.tests == APART else _given(item, program.language)
        if tests is None and not self.verification.writes_tests:
            return unverified(candidate, Verified("tests_missing", "no tests came with the pair"), spec)
        return next_step(
            self.verification, replace(candidate, tests=tests, signatures=signatures(program.text, program.language))
        )

    def _refused(self, candidate: Candidate) -> Verified | None:
        """Why the row is not verified; noted, so that an export on another machine says the same."""
        verdicts = self.verification.verdicts
        row = digest("prepare", candidate.solutions[0].program, candidate.language)
        # An export, or a run that is stopping: what a run has noted counts, and nothing is examined.
        if verdicts.closed:
            return from_json(verdict) if (verdict := verdicts.of_row(row)) else None
        try:
            self._refuse(candidate)
        except SuiteRefusedError as refused:
            verified = Verified(refused.reason, refused.detail, refused.cause)
            verdicts.note(row, asdict(verified))
            return verified
        return None

    def _refuse(self, candidate: Candidate) -> None:
        """See whether the row can be verified at all, as far as that is known without its tests."""
        (solution,) = candidate.solutions
        if not str(candidate.row["problem"]).strip() or solution.rejection:
            raise SuiteRefusedError("empty", "there is no problem" if not solution.rejection else "the solution holds no program")
        if candidate.language not in TOOLCHAINS:
            raise SuiteRefusedError("not_verifiable", f"programs in {candidate.language!r} are not run here", "language")
        if len(solution.program) > MAX_SOLUTION_CHARS:
            size = f"{len(solution.program):,} characters; at most {MAX_SOLUTION_CHARS:,} are run"
            raise SuiteRefusedError("tests_failed", f"the solution has {size}")
        options = self.verification.options
        unverifiable.before_run([solution.program], candidate.language, options.tier, options.package_folders)
        # Tests that came with the row may be pairs of input and output, which need no reader for the language.
        if candidate.language not in LANGUAGES and _given(candidate.row, candidate.language) is None:
            raise SuiteRefusedError("not_verifiable", f"tests in {candidate.language!r} are not run here", "language")


def _given(row: Row, language: str) -> str | list[str] | None:
    """The tests that came with a row; None without any."""
    tests = row.get("tests")
    if not tests:
        return None
    return tests_in(tests, language) if isinstance(tests, str) else [tests_in(test, language) for test in tests]


class RunTests(_Local):
    """Runs every solution with the tests in the sandbox, measures the tests, and decides the outcome of the row."""

    name = "run"

    def compute(self, item: Candidate) -> Row | FollowUp | Rejection | Pending:
        """See `LocalTask.compute`."""
        try:
            with self.verification.active:
                verified = verdict_of(item, self.verification)
        except NoVerdictError:
            return Pending(self.seed(item), "the run was interrupted before its tests were run")
        except SandboxError as error:
            # Programs that were ended on purpose look like those of a failing sandbox.
            if not self.verification.verdicts.closed:
                raise
            return Pending(self.seed(item), f"the run was interrupted: {error}")
        # Such as a full disk: it would meet every other row, too, so the run stops.
        except OssInstructError:
            raise
        except Exception as error:  # a suite that our readers stumble over must not hold up the other rows
            return Pending(self.seed(item), f"verification failed with {type(error).__name__}: {error}")
        if verified.status == "sandbox_error":
            return Pending(self.seed(item), f"the sandbox failed: {verified.detail}")
        if verified.status == "tests_failed" and item.repairs < self.verification.spec.repair and verified.chosen is not None:
            return FollowUp(Repair(self.verification), _broken(item, verified))
        return outcome_of(item, verified, self.verification.spec)

    def seed(self, item: Candidate) -> Seed:
        """See `LocalTask.seed`."""
        return seed_of(item.row)


def _broken(item: Candidate, verified: Verified) -> Candidate:
    """The candidate with what to repair: the selected solution, and the tests that it fails."""
    assert verified.chosen is not None
    chosen = verified.solutions[verified.chosen]
    failed = [test for test, passed in zip(verified.tests, verified.test_results, strict=True) if not passed]
    # `detail` is the error of the first failing test; of the others none is recorded.
    failures = tuple((test, chosen.detail if index == 0 else "") for index, test in enumerate(failed))
    return replace(item, broken=(chosen.text, failures), repairs=item.repairs + 1)
