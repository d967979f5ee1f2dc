"""The verdict of a row: known from before, or made now."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hf_oss_instruct.data import digest
from hf_oss_instruct.evaluation.preflight import toolchain_of
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.synthesis.verifying.candidate import Candidate, Solution
from hf_oss_instruct.synthesis.verifying.shared import Verification
from hf_oss_instruct.verification.memo import NoVerdictError
from hf_oss_instruct.verification.verify import SolutionResult, Verified, verify_row


def verdict_of(item: Candidate, verification: Verification) -> Verified:
    """The verdict on a row: known from before, or run now.

    Raises:
        NoVerdictError: it is not known, and no more verdicts are made.
        SandboxError: this machine has no sandbox, or it was stopped.
    """
    assert item.tests is not None
    verdicts, options = verification.verdicts, verification.options
    solutions = [solution.program for solution in in_order(item, verification.spec)]
    tests = item.tests if isinstance(item.tests, str) else list(item.tests)
    # The key of the row is the same on every machine, so that an export elsewhere finds the verdict. The other key has what
    # may change a result: toolchain, tier and packages.
    how = {name: value for name, value in asdict(options).items() if name not in ("tier", "packages")}
    row = digest("row", solutions, tests, item.language, how)
    if verdicts.closed:  # what any machine found before
        if (found := verdicts.of_row(row)) is None:
            raise NoVerdictError("The row was not verified yet.")
        return from_json(found)
    key = digest(row, toolchain_of(item.language), chosen_tier(options.tier).name, verification.packages)
    return from_json(
        verdicts.of(
            key,
            lambda: asdict(verify_row(solutions, tests, item.language, options, verdicts)),
            # An error of the sandbox says nothing about the row: the next session runs it again.
            lambda verdict: verdict["status"] != "sandbox_error",
            row,
        )
    )


def in_order(item: Candidate, spec: VerificationSpec) -> list[Solution]:
    """The solutions as selection sees them: if the row's own solution is kept, its last repair replaces it."""
    solutions = list(item.solutions)
    if spec.select == "own" and item.repairs:
        solutions.insert(0, solutions.pop())
    return solutions


def from_json(columns: dict[str, Any]) -> Verified:
    """A result out of plain JSON values."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()}
    values["solutions"] = tuple(
        SolutionResult(solution["text"], solution["status"], tuple(solution["results"]), solution["detail"])
        for solution in columns["solutions"]
    )
    return Verified(**values)
