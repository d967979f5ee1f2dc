from __future__ import annotations

from pathlib import Path

import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.preflight import why_unavailable
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.run import run_many
from hf_oss_instruct.verification.memo import Verdicts
from hf_oss_instruct.verification.suites import read_suite
from hf_oss_instruct.verification.verify import VerificationOptions, verify_row

DOUBLE = "def double(x):\n    return 2 * x\n"
TESTS = (
    "from solution import double\n\ndef test_two():\n    assert double(2) == 4\n\ndef test_three():\n    assert double(3) == 6\n"
)


def test_a_verdict_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    first = Verdicts(path)
    row = verify_row([DOUBLE], TESTS, "python", verdicts=first)
    assert (row.status, first.made) == ("passed", 2)
    path.write_bytes(path.read_bytes() + b"{torn")
    again = Verdicts(path)
    assert verify_row([DOUBLE], TESTS, "python", verdicts=again) == row
    assert again.made == 0
    verify_row([DOUBLE], TESTS.replace("6", "7"), "python", verdicts=again)
    assert again.made > 0


@pytest.mark.parametrize(
    ("solution", "tests", "status", "said"),
    [
        (DOUBLE, "".join(f"assert double({at}) == {2 * at}\n" for at in range(10_000)), "tests_missing", "10,000 tests"),
        (DOUBLE, "# " + "x" * 1_000_001, "tests_missing", "1,000,000 are read"),
        ("x = 1\n" * 200_000, TESTS, "tests_failed", "at most 256,000"),
        ("", TESTS, "tests_failed", "the solution is empty"),
        (DOUBLE, "", "tests_missing", "no tests"),
        (DOUBLE, "describe('x', () => { it('y', () => {}) })", "tests_missing", "not valid Python"),
    ],
)
def test_what_is_too_large_missing_or_in_another_language_is_one_status(
    solution: str, tests: str, status: str, said: str
) -> None:
    row = verify_row([solution], tests, "python")
    assert row.status == status
    assert said in row.detail


def test_a_solution_that_hangs_has_failed_its_tests_at_the_time_limit() -> None:
    limits = Limits(wall_s=1.0, memory_mib=2048)
    row = verify_row(
        ["import time\n\ndef double(x):\n    time.sleep(3600)\n"], TESTS, "python", VerificationOptions(limits=limits)
    )
    assert (row.status, row.test_results) == ("tests_failed", (False, False))
    assert "timeout" in row.solutions[0].status + row.detail


def test_a_language_without_a_toolchain_or_reader_says_so() -> None:
    row = verify_row(["main = print 1"], "main", "haskell")
    assert (row.status, row.cause) == ("not_verifiable", "toolchain")
    with pytest.raises(UsageError, match="Unknown selection"):
        VerificationOptions(select="best")
    with pytest.raises(UsageError, match="No solutions to verify"):
        verify_row([], TESTS, "python")


@pytest.mark.parametrize(("language", "typed"), [("javascript", ""), ("typescript", ": number")])
def test_a_console_assert_that_only_prints_is_a_failure(language: str, typed: str) -> None:
    """HumanEval-X's tests: an arrow function that asserts, and a call of it."""
    if trouble := why_unavailable(language):
        pytest.skip(trouble)
    tests = (
        "const testDouble = () => {\n  console.assert(double(2) === 4)\n  console.assert(double(3) === 6)\n}\n\ntestDouble()\n"
    )
    right = f"const double = (x{typed}) => {{\n  return 2 * x;\n}}\n"
    assert verify_row([right], tests, language).status == "passed"
    assert verify_row([right.replace("2 * x", "x + 2")], tests, language).status == "tests_failed"


def test_the_single_tests_stand_alone_and_can_be_given_again() -> None:
    texts = read_suite(TESTS, "python", DOUBLE).standalone()
    assert texts[0].startswith("from solution import double")
    assert verify_row([DOUBLE], texts, "python").test_results == (True, True)


def test_of_several_solutions_the_method_selects_and_marks_say_which_tests_repeat() -> None:
    wrong = DOUBLE.replace("2 * x", "x + 2")
    row = verify_row([wrong, DOUBLE, DOUBLE + "\n"], TESTS, "python", VerificationOptions(select="codet", mutants=4))
    assert (row.chosen, row.passes, row.selected_by) == (1, 2, "codet")
    assert [one.results for one in row.solutions] == [(True, False), (True, True), (True, True)]
    assert len(row.marks) == 2


def test_one_compilation_is_run_many_times_with_its_own_input_and_environment() -> None:
    source = '#include <bits/stdc++.h>\nint main() { std::string s; std::cin >> s; puts(s.c_str()); return s == "b" ? 3 : 0; }\n'
    ran = run_many(source, "cpp", [({}, "a"), ({}, "b"), ({}, "c")])
    assert [(one.status, one.exit_code, one.stdout) for one in ran] == [("ok", 0, "a\n"), ("failed", 3, "b\n"), ("ok", 0, "c\n")]
    said = run_many("import os\nprint(os.environ['V'], input())\n", "python", [({"V": str(at)}, f"in {at}") for at in range(2)])
    assert [one.stdout for one in said] == ["0 in 0\n", "1 in 1\n"]
    assert run_many("int main() {", "cpp", [({}, "")])[0].status == "compile_error"
