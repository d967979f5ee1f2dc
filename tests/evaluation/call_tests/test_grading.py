"""Call tests are graded outside of the solution's process: in each language right passes, wrong fails, no attack passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.evaluation import call_tests
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.scoring import score
from tests.evaluation import toys
from tests.evaluation.toys import SCRIPT


def verdicts(folder: Path, row: dict[str, Any], programs: list[str]) -> list[tuple[str, str]]:
    samples = [Sample(row["name"], number, program, "solution") for number, program in enumerate(programs)]
    return [(one.status, one.graded) for one in score(toys.multipl_e(folder, row), samples)]


def test_calls_and_values_are_told_apart() -> None:
    read = call_tests.read(
        SCRIPT["tests"].replace("candidate(5, -5),0", "candidate('a,)(', [{}]),['),(', {\"x\": 1}]"), "javascript"
    )
    assert read is not None
    assert read.calls == ("candidate(1, 2)", "candidate('a,)(', [{}])")
    assert read.expected == ("3", "['),(', {\"x\": 1}]")


@pytest.mark.parametrize(
    "changed",
    [
        SCRIPT["tests"].replace("deepEqual(candidate(1", "throws(candidate(1"),
        SCRIPT["tests"].replace("test();", "test(); test();"),
        SCRIPT["tests"].replace("let candidate = add_two;", "let candidate = add_two; let more = 1;"),
    ],
)
def test_another_shape_is_not_read(changed: str) -> None:
    assert call_tests.read(changed, "javascript") is None
    assert call_tests.read(SCRIPT["tests"], "cobol") is None


def test_a_test_of_another_shape_is_graded_inside_and_says_so(tmp_path: Path) -> None:
    right = "function add_two(a, b) { return a + b; }"
    row = SCRIPT | {"tests": SCRIPT["tests"].replace("test();", "test(); test();")}
    assert verdicts(tmp_path, row, [right]) == [("passed", "inside")]


def test_expected_values_that_need_the_solution_are_graded_inside(tmp_path: Path) -> None:
    row = SCRIPT | {"tests": SCRIPT["tests"].replace("),0", "),candidate(-1, 1)")}
    assert verdicts(tmp_path, row, ["function add_two(a, b) { return a + b; }"]) == [("passed", "inside")]


def test_damaged_expected_values_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    right = "function add_two(a, b) { return a + b; }"
    assert verdicts(tmp_path, SCRIPT, [right]) == [("passed", "outside")]
    (file,) = (tmp_path / "home" / "oss-instruct" / "expected").glob("*.json")
    whole = file.read_text()
    digest, body = whole.split("\n")
    assert json.loads(body)["values"] == ["d3;", "d0;"]
    for damaged in ("", whole[:-5], whole.replace("d3;", "d4;"), digest + "\n[1]"):
        file.write_text(damaged)
        assert verdicts(tmp_path, SCRIPT, [right]) == [("passed", "outside")]
        assert file.read_text() == whole
