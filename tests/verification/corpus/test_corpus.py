"""Every row of the corpus gets the status that its label says."""

from __future__ import annotations

import pytest

from hf_oss_instruct.evaluation.preflight import why_unavailable
from hf_oss_instruct.verification.verify import RowToVerify, VerificationOptions, verify_row, verify_rows
from tests.verification.corpus import (
    cpp,
    csharp,
    further,
    further_python,
    further_scripts,
    go,
    inventory,
    java,
    javascript,
    php,
    python,
    ruby,
    rust,
    shell,
    teachers,
)
from tests.verification.corpus.cases import Case

CASES: list[Case] = [
    *python.CASES,
    *javascript.CASES,
    *cpp.CASES,
    *go.CASES,
    *ruby.CASES,
    *php.CASES,
    *java.CASES,
    *rust.CASES,
    *csharp.CASES,
    *shell.CASES,
    *inventory.CASES,
    *further.CASES,
    *further_python.CASES,
    *further_scripts.CASES,
    *teachers.CASES,
]
LANGUAGES = sorted({case.language for case in CASES})


# Each language has a right row in test_several_texts, which passes only if a stub of its solution fails.
@pytest.mark.parametrize(
    ("python", "options"),
    [(True, VerificationOptions()), (False, VerificationOptions(mutants=2, reruns=1))],
    ids=["python", "others"],
)
def test_the_quick_part_of_the_corpus_gets_its_labels(python: bool, options: VerificationOptions) -> None:
    cases = [
        case for case in CASES if case.quick and (case.language == "python") == python and not why_unavailable(case.language)
    ]
    found = verify_rows([RowToVerify([case.solution], case.tests, case.language) for case in cases], options)
    wrong = [
        f"{case.language} {case.name}: {row.status}, {row.detail}"
        for case, row in zip(cases, found, strict=True)
        if row.status not in case.status.split("|")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_all_of_the_corpus_gets_its_labels(language: str) -> None:
    if trouble := why_unavailable(language):
        pytest.skip(trouble)
    cases = [case for case in CASES if case.language == language]
    found = verify_rows([RowToVerify([case.solution], case.tests, case.language) for case in cases])
    wrong = [
        f"{case.name}: {row.status}, {row.detail}"
        for case, row in zip(cases, found, strict=True)
        if row.status not in case.status.split("|")
    ]
    assert not wrong, "\n".join(wrong)


def test_a_row_of_python_says_all_that_its_columns_need() -> None:
    row = verify_row([python.CLAMP, python.WRONG["off by one"][0]], python.STRONG, "python")
    assert (row.status, row.chosen, row.selected_by, row.passes, row.attempts) == ("passed", 0, "majority", 1, 2)
    assert row.test_results == (True,) * 4
    assert row.pass_rate == 1.0
    assert row.solutions[1].status == "failed"
    assert row.solutions[1].results == (True, True, False, False)
    assert row.mutants == 8
    assert row.mutation_score is not None
    assert row.mutation_score > 0.5
    assert (row.flaky, row.reruns, row.flake_bound) == (0, 2, 1.5)
    assert row.toolchain.startswith("python 3")
    assert row.tests[0] == "assert clamp(5) == 5"
