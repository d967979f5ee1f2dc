"""Completion text to problem and solution, or the reason why it is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from hf_oss_instruct.data import Completion, Pair
from hf_oss_instruct.errors import Refusal
from hf_oss_instruct.synthesis.finish import Ending, ending

PROBLEM, SOLUTION = "[problem description]", "[solution]"
_HEADING = r"[\s#>*_`\d.)-]*"
"""What models put before a marker that stands as a heading: `## `, `**`, `1. `."""
_OPENS = {marker: re.compile(_HEADING + re.escape(marker), re.IGNORECASE) for marker in (PROBLEM, SOLUTION)}
_MARKS = {marker: re.compile(re.escape(marker), re.IGNORECASE) for marker in (PROBLEM, SOLUTION)}
_DASH = re.compile(r"^[-–—]\s+")

Parser: TypeAlias = Callable[[Completion], Pair]


def parse(completion: Completion) -> Pair:
    """The two sections of a completion.

    Text behind a marker on its own line belongs to the section, and a line that opens with a marker goes before one that has it
    inside, such as `-> list[Solution]:`. Every completion that the paper accepts is accepted.

    Raises:
        Refusal: `truncated` (the finish reason means a cut), `refused` (it means a content filter), `unparsable` (a marker is
            missing or they are in the wrong order), `empty` (a section has no text).

    Source:
        Acceptance as in the paper's code, see `parse_magicoder`; the two liberties above are ours.
    """
    _require_finished(completion)
    try:
        return _sections(completion.text, _heading, _behind)
    except Refusal:
        return _sections(completion.text, _first, _behind)


def parse_magicoder(completion: Completion) -> Pair:
    """The two sections exactly as the paper's code reads them.

    The first line with each marker, in any case, anywhere in the line; these lines are dropped whole. The paper's code takes the
    finish reason `stop` alone, which its teacher always gave; here whatever is no cut is taken, as by `parse`.

    Raises:
        Refusal: as `parse`.

    Source:
        ise-uiuc/magicoder, generate_data.py, `parse_problem_solution` and the checks around it.
    """
    _require_finished(completion)
    return _sections(completion.text, _first, lambda line, marker: "")


def _sections(text: str, find: Callable[[list[str], str], int | None], behind: Callable[[str, str], str]) -> Pair:
    lines = text.splitlines(keepends=True)
    problem_at, solution_at = find(lines, PROBLEM), find(lines, SOLUTION)
    if problem_at is None or solution_at is None:
        missing = PROBLEM if problem_at is None else SOLUTION
        raise Refusal("unparsable" if text.strip() else "empty", f"no line has {missing}")
    if problem_at >= solution_at:
        raise Refusal("unparsable", f"{SOLUTION} stands before {PROBLEM}")
    problem = behind(lines[problem_at], PROBLEM) + "".join(lines[problem_at + 1 : solution_at])
    solution = behind(lines[solution_at], SOLUTION) + "".join(lines[solution_at + 1 :])
    pair = Pair(problem.strip(), solution.strip())
    if not pair.problem or not pair.solution:
        raise Refusal("empty", f"section {PROBLEM if not pair.problem else SOLUTION} has no text")
    return pair


def _require_finished(completion: Completion) -> None:
    how = ending(completion.finish_reason)
    if how is Ending.FILTERED:
        raise Refusal("refused", f"the server's content filter cut the answer (finish reason {completion.finish_reason!r})")
    if how is Ending.CUT:
        raise Refusal("truncated", f"the answer was cut: finish reason {completion.finish_reason!r}")


def _first(lines: list[str], marker: str) -> int | None:
    return next((number for number, line in enumerate(lines) if marker in line.lower()), None)


def _heading(lines: list[str], marker: str) -> int | None:
    """The first line that opens with the marker, else the first that has it anywhere."""
    opens = _OPENS[marker].match
    found = next((number for number, line in enumerate(lines) if "[" in line and opens(line)), None)
    return _first(lines, marker) if found is None else found


def _behind(line: str, marker: str) -> str:
    """The text behind a marker on its own line, without a colon and the marks that were opened before the marker."""
    before, rest = _MARKS[marker].split(line, maxsplit=1)
    closing = ":：" + "".join({"*", "_", "`", "#"} & set(before))
    return _DASH.sub("", rest.lstrip().lstrip(closing).lstrip())
