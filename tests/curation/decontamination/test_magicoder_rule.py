"""The paper's rule: the same rows fall as by its plain loop."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList
from hf_oss_instruct.curation.decontamination.magicoder_rule import MagicoderRule
from hf_oss_instruct.curation.ngrams import of_strings
from tests.support import contamination as bed

HUMANEVAL = [
    {"prompt": 'def f(x):\n    """ Fold the Napkin.\n    >>> f(1) """\n', "canonical_solution": "    return fold(x)\n"},
    {"prompt": 'def g():\n    """a"""\ndef h():\n    """ Second one. """\n', "canonical_solution": "return x + y"},
]
MBPP = [{"task_id": 3, "text": "not in the test split", "code": "zz"}, {"task_id": 11, "text": "Open Doors", "code": "b = 2"}]
LISTS = [
    BenchmarkList.of("humaneval", None, HUMANEVAL),
    BenchmarkList.of("mbpp", None, MBPP),
    BenchmarkList.of("own", None, MBPP),
]
SUBSTRINGS = ["Open Doors", "b = 2", "Fold the Napkin.\n    >>> f(1)", "return fold(x)", "Second one."]


def plainly(problem: str, solution: str, substrings: list[str]) -> bool:
    """The rule as `find_substrings` states it."""
    content = "\n\n".join([problem.lower(), solution.lower()])
    return any(substring.lower() in content for substring in substrings)


def dropped(rows: list[tuple[str, str]], lists: list[BenchmarkList]) -> list[bool]:
    table = pa.table({"problem": of_strings([p for p, _ in rows]), "solution": of_strings([s for _, s in rows])})
    return [reason == "contaminated" for reason in MagicoderRule(lists)(table)["reason"].to_pylist()]


PIECE = st.sampled_from(
    [
        *SUBSTRINGS,
        *map(str.upper, SUBSTRINGS),
        "return x + y",
        "not in the test split",
        "zz",
        "İ",
        "b =",
        " 2",
    ]
)
TEXT = st.lists(PIECE | st.text(alphabet="b=2 \n", max_size=4), max_size=5).map("".join)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6))
def test_the_same_rows_fall_as_by_the_plain_loop(rows: list[tuple[str, str]]) -> None:
    assert dropped(rows, LISTS) == [plainly(*row, SUBSTRINGS) for row in rows]


def test_benchmarks_that_the_paper_leaves_out_are_not_looked_for() -> None:
    assert dropped([("Open Doors", "")], [LISTS[2]]) == [False]


@pytest.mark.skipif(not bed.DATA.is_dir(), reason="the benchmarks' files are not on this machine")
def test_on_real_tasks_told_in_many_ways_the_same_rows_fall() -> None:
    listed = BenchmarkList.of("humaneval", None, bed.read(bed.DATA / "humaneval" / "HumanEval.jsonl.gz"))
    rule = MagicoderRule([listed])
    substrings = []
    for row in listed.rows:
        parts = row["prompt"].split('"""' if '"""' in row["prompt"] else "'''")
        substrings.append((parts[3] if len(parts) == 5 else parts[1]).strip())
        solution = row["canonical_solution"].strip()
        if solution not in ("return x + y", "return len(string)", "return n**2"):
            substrings.append(solution)
    assert sorted(substring.lower() for substring in substrings) == sorted(substring for _, substring in rule._substrings)
    rows = [(case.text[: len(case.text) // 2], case.text) for case in bed.contaminated()]
    assert dropped(rows, [listed]) == [plainly(*row, substrings) for row in rows]
