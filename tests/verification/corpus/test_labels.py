"""The labels of the corpus are proved by bare toolchains and test frameworks: no code of verification runs here.

The frameworks, 60 MB, are not part of `.ci/toolchains`; labels that want one that is absent are counted as not proved, with the line
that installs it. All of them: apt-get install --no-install-recommends libgtest-dev libgmock-dev catch2 doctest-dev junit4 junit5
golang-github-stretchr-testify-dev ruby-rspec ruby-minitest ruby-test-unit phpunit bats bats-assert shunit2 libnunit-cil-dev nunit-console
"""

from __future__ import annotations

from collections import Counter

import pytest

from hf_oss_instruct.evaluation.preflight import why_unavailable
from tests.verification.corpus.bare import HANGS, NotProvableError, outcome
from tests.verification.corpus.cases import Case
from tests.verification.corpus.test_corpus import CASES, LANGUAGES

FLIPS = 40
"""Runs until a flaky suite has to have had both results."""
NO_NETWORK = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
SAME_NAMES = ("off by one", "swapped", "bounds swapped")
"""Wrong solutions of the first part of the corpus that have all the names of the right one."""


def first_declaration(solution: str) -> str:
    """The beginning of a program up to its first parenthesis or brace, by which versions of a program are recognized."""
    return solution.replace("declare(strict_types=1);", "").split("{")[0].split("(")[0]


def wrong_solutions(case: Case) -> list[str]:
    """The programs of the corpus that are subtly wrong versions of a case's."""
    rows = [one for one in CASES if one.language == case.language and one.kind == "wrong"]
    first = first_declaration(case.solution)
    named = [one for one in rows if one.name in SAME_NAMES or ", " in one.name]
    return list(dict.fromkeys(one.solution for one in named if first_declaration(one.solution) == first))


def disproved(case: Case) -> str:
    """What a bare toolchain says against a label; empty for nothing."""
    if case.kind == "flaky":
        zones, orders = ({"TZ": "UTC"}, {"TZ": "Asia/Tokyo"}), ({}, {"REVERSED": "1"})
        seen = {
            outcome(case.language, case.solution, case.tests, {**zones[at % 2], **orders[at % 2], "PYTHONHASHSEED": str(at)})
            for at in range(2)
        }
        for at in range(FLIPS):
            if len(seen) > 1:
                return ""
            seen.add(outcome(case.language, case.solution, case.tests, {"PYTHONHASHSEED": str(at)}))
        return f"always {seen}"
    seconds = {"seconds": HANGS} if case.kind == "hanging" else {}
    found = outcome(case.language, case.solution, case.tests, NO_NETWORK if case.kind == "elsewhere" else {}, **seconds)
    expected = {"right": "passed", "wrong": "failed", "vacuous": "passed", "hanging": "timeout", "elsewhere": "failed"}[case.kind]
    if case.kind == "vacuous" and "tests_failed" in case.status and found == "failed":
        return ""
    if found != expected:
        return found
    if case.kind == "vacuous":
        on_wrong = [outcome(case.language, one, case.tests) for one in wrong_solutions(case)]
        if "source" in case.name and "passed" in on_wrong:  # what stands in the source of one wrong program, and not of another
            return ""
        return "" if set(on_wrong) <= {"passed"} else f"a wrong program: {on_wrong}"
    return ""


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_bare_toolchains_confirm_the_labels(language: str) -> None:
    """Hostile programs deceive bare toolchains, which is why they are in the corpus: they are not asked here."""
    if trouble := why_unavailable(language):
        pytest.skip(trouble)
    against, proved, unproved = [], 0, Counter[str]()
    for case in (one for one in CASES if one.language == language and one.kind != "hostile"):
        try:
            if said := disproved(case):
                against.append(f"{case.name} ({case.kind}): {said}")
            else:
                proved += 1
        except NotProvableError as error:
            unproved[str(error)] += 1
    print(f"{language}: {proved} labels proved; not proved, for want of {dict(unproved)}")
    assert not against, "\n".join(against)
    assert proved >= 15, unproved
