"""What verification makes of a row: its columns, and whether it is kept."""

from __future__ import annotations

from typing import Any, cast

from hf_oss_instruct.data import CheckResult, Rejection, Row, digest
from hf_oss_instruct.schemas import lineage_of, seed_of
from hf_oss_instruct.spec.verification import ALL, VerificationSpec
from hf_oss_instruct.synthesis.verifying.candidate import Candidate
from hf_oss_instruct.verification.verify import Verified

NOT_VERIFIABLE = "not_verifiable"
MAX_NAMED_TESTS = 10
"""Failing tests that are named, by their number."""
SOLUTION_LANGUAGE = "solution_language"
"""Flag of a row whose solution is in another language than its column `lang` says, which is the seed's."""


def outcome_of(item: Candidate, verified: Verified, spec: VerificationSpec) -> Row | Rejection:
    """The verified row, or why it is not kept.

    Args:
        item: the row with its solutions.
        verified: the outcome of each.
        spec: which rows are kept.
    """
    facts = facts_of(item, verified)
    dropped = rule(verified, spec)
    if dropped.reason is not None:
        received = _received(item, facts["tests"])
        return Rejection(seed_of(item.row), dropped.reason, dropped.detail, received, facts, lineage_of(item.row))
    # `cause` and `language` are for the statistics: a kept row has them as flags.
    row = dict(item.row) | {name: value for name, value in facts.items() if name not in ("cause", "language")}
    flags = [f"{NOT_VERIFIABLE}:{verified.cause}"] if verified.status == NOT_VERIFIABLE else []
    flags += [f"{SOLUTION_LANGUAGE}:{item.language}"] if item.language != item.row["lang"] else []
    if flags:
        row["flags"] = [*(item.row.get("flags") or []), *flags]
    return cast(Row, row)


def _received(item: Candidate, tests: list[str]) -> str:
    """The content of a row that is not kept: its solution, and its tests in a separate section."""
    solution = str(item.row["solution"])
    return "\n\n".join([solution, "[Tests]", *tests]) if tests else solution


def unverified(item: Candidate, verified: Verified, spec: VerificationSpec) -> Row | Rejection:
    """The outcome of a row whose tests were never run.

    Args:
        item: the row, with its solutions.
        verified: why its tests were not run.
        spec: which rows are kept.
    """
    return outcome_of(item, verified, spec)


def rule(verified: Verified, spec: VerificationSpec) -> CheckResult:
    """Why a row is not kept; nothing if it is.

    A row with a lower pass rate than 1 is kept if `min_pass_rate` allows it, or with `keep all`. The other thresholds hold in
    both cases.
    """
    status, tests = verified.status, len(verified.test_results)
    rate = verified.pass_rate or 0.0
    if status == NOT_VERIFIABLE:
        kept = spec.unverifiable == "keep"
        return CheckResult() if kept else CheckResult(NOT_VERIFIABLE, explanation(verified))
    if status == "empty":  # nothing to keep
        return CheckResult(status, verified.detail)
    enough = spec.min_pass_rate is not None and rate >= spec.min_pass_rate
    if spec.keep != ALL and status != "passed" and not (status == "tests_failed" and tests and enough):
        return CheckResult(status, explanation(verified))
    if spec.min_pass_rate is not None and not enough:
        if not tests:
            return CheckResult(status, explanation(verified))
        return CheckResult("tests_failed", f"it passes {rate:.0%} of the tests, at least {spec.min_pass_rate:.0%} wanted")
    if spec.min_tests is not None and tests < spec.min_tests:
        return CheckResult("tests_missing", f"it has {tests} tests, at least {spec.min_tests} wanted")
    score = verified.mutation_score
    if spec.min_mutation_score is not None and (score is None or score < spec.min_mutation_score):
        detail = "the tests have no mutation score" if score is None else f"the tests' mutation score is {score:.2f}"
        return CheckResult("tests_vacuous", f"{detail}, at least {spec.min_mutation_score:.2f} wanted")
    return CheckResult()


def explanation(verified: Verified) -> str:
    """Why a row did not pass, in a line: which tests the selected solution fails, with the first error. Empty if it passed."""
    if verified.status == NOT_VERIFIABLE:
        return f"{verified.cause}: {verified.detail}"
    failed = [str(number) for number, passed in enumerate(verified.test_results, 1) if not passed]
    if verified.status != "tests_failed" or not failed:
        return verified.detail
    shown = ", ".join(failed[:MAX_NAMED_TESTS]) + (", …" if len(failed) > MAX_NAMED_TESTS else "")
    which = f"{'test' if len(failed) == 1 else 'tests'} {shown} of {len(verified.test_results)}"
    return f"fails {which}: {verified.detail}"


def facts_in(row: Row) -> tuple[str, str]:
    """The language of a kept row's solution, and why it cannot be verified if it cannot, by its flags."""
    flags = dict(flag.partition(":")[::2] for flag in row["flags"] or ())
    cause = flags.get(NOT_VERIFIABLE, "") if row["execution_status"] == NOT_VERIFIABLE else ""
    return flags.get(SOLUTION_LANGUAGE, row["lang"]), cause


def facts_of(item: Candidate, verified: Verified) -> dict[str, Any]:
    """The columns of verification, and beside them the cause of `not_verifiable` and the language."""
    ran = verified.solutions
    texts = list(item.solutions)
    # As in `in_order`, the last repair stands first.
    if ran and len(ran) == len(texts) and ran[0].text != texts[0].program:
        texts = [texts[-1], *texts[:-1]]
    solutions = [
        {
            "text": solution.text,
            "teacher": solution.teacher,
            "status": solution.rejection or (ran[index].status if index < len(ran) else "not_run"),
            "results": list(ran[index].results) if index < len(ran) else [],
        }
        for index, solution in enumerate(texts)
    ]
    columns: dict[str, Any] = {
        "tests": list(verified.tests) or _raw_tests(item),
        "test_results": list(verified.test_results),
        "solutions": solutions,
        "pass_rate": verified.pass_rate,
        "attempts": len(solutions),
        "passes": verified.passes,
        "execution_status": verified.status,
        "detail": explanation(verified) or None,
        "mutation_score": verified.mutation_score,
        "mutants": verified.mutants if ran else None,
        "flaky": verified.flaky if ran else None,
        "selected_by": verified.selected_by or None,
        "stderr_tail": verified.stderr_tail or None,
        "sandbox": verified.sandbox or None,
        "toolchain": _short(verified.toolchain),
        "test_marks": list(verified.marks),
        "reruns": verified.reruns,
        "cause": verified.cause,
        "language": item.language,
    }
    if verified.chosen is not None and texts[verified.chosen].text != item.row["solution"]:
        columns["solution"] = texts[verified.chosen].text
    return columns


def _raw_tests(item: Candidate) -> list[str]:
    """Tests that were not read, as they came."""
    tests = item.tests if item.tests is not None else item.row.get("tests")
    return [] if not tests else [tests] if isinstance(tests, str) else list(tests)


def _short(toolchain: str) -> str | None:
    """What ran a program, without the paths and times of this machine: names, and a hash that tells builds apart."""
    if not toolchain or ";" not in toolchain:
        return toolchain or None
    names = [part.split(" ")[0].rpartition("/")[2] for part in toolchain.split("; ")[2:]]
    return f"{', '.join(names)} ({digest(toolchain)[:8]})"
