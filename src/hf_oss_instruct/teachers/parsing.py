"""Parse the text of a completion into problem and solution."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from hf_oss_instruct.data import Completion, Pair
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.teachers.finish_reason import FinishKind, finish_kind

PROBLEM, SOLUTION, TESTS = "[problem description]", "[solution]", "[tests]"
_HEADING = r"[\s#>*_`\d.)-]*"
"""What models write before a marker that is a heading: `## `, `**`, `1. `."""
_OPENS = {marker: re.compile(_HEADING + re.escape(marker), re.IGNORECASE) for marker in (PROBLEM, SOLUTION, TESTS)}
_MARKS = {marker: re.compile(re.escape(marker), re.IGNORECASE) for marker in (PROBLEM, SOLUTION, TESTS)}
_DASH = re.compile(r"^[-–—]\s+")
_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})(.*)")
_WRAPPER = re.compile(
    rf"^[ \t]*(?P<open>(?P<fence>`{{4,}}|~{{4,}})[ \t]*(?:markdown|md|text|plaintext)?[ \t]*\n)\s*{_HEADING}{re.escape(PROBLEM)}",
    re.IGNORECASE | re.MULTILINE,
)

Parser: TypeAlias = Callable[[Completion], Pair]


def _variant_patterns(names: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of markers with these names in escaped or full-width brackets, and as headings without brackets."""
    return (
        re.compile(rf"^({_HEADING})(?:\\\[|【|［)[ \t]*({names})[ \t]*(?:\\\]|】|］)", re.IGNORECASE | re.MULTILINE),
        re.compile(rf"^[ \t]*(?:\#{{1,6}}[ \t]|\*\*|__)[ \t*_\d.)]*({names})[ \t*_:：]*\#*[ \t]*$", re.IGNORECASE | re.MULTILINE),
    )


_TWO, _THREE = _variant_patterns("problem description|solution"), _variant_patterns("problem description|solution|tests")


def parse(completion: Completion) -> Pair:
    """Split a completion into problem and solution.

    Text after a marker on its line belongs to the section. A line that starts with a marker takes precedence over one that has it
    inside, such as `-> list[Solution]:`. If a marker is missing, escaped or full-width brackets are accepted, or a heading
    without brackets. Text around a fence of four or more backticks with both sections inside is ignored. Everything
    that the paper accepts is accepted.

    Raises:
        RowRejectedError: `truncated` (cut at a limit), `refused` (by a content filter), `unparsable` (a
            marker is missing or they are in the wrong order), `empty` (a section has no text).

    Source:
        Acceptance as in the paper's code, see `parse_magicoder`; the extensions above are ours.
    """
    require_finished(completion)
    text = _without_outer_fence(completion.text)
    try:
        return _sections(text, _heading, _text_after)
    except RowRejectedError:
        try:
            # The paper's rule accepts markers anywhere in a line, and whatever it accepts is accepted here.
            return _sections(text, _first, _text_after)
        except RowRejectedError as refusal:
            if refusal.reason == "unparsable" and (plain := _with_plain_markers(text)) != text:
                return _sections(plain, _heading, _text_after)
            raise


def parse_with_tests(completion: Completion) -> Pair:
    """Split a completion that may also have a section `[Tests]`, in any order.

    The marker only counts outside code fences: `# [Tests]` in a program is a comment. Without it, the pair is
    parsed by `parse` and has no tests.

    Raises:
        RowRejectedError: as `parse`, but any order of sections is accepted.
    """
    require_finished(completion)
    text = _without_outer_fence(completion.text)
    # The text as it is comes first: a heading called "Tests" counts only where no marker is.
    for variant in dict.fromkeys((text, _with_plain_markers(text, _THREE))):
        lines = variant.splitlines(keepends=True)
        if (tests_at := _outside_fences(lines, TESTS)) is not None:
            return _three_sections(lines, tests_at)
    return parse(completion)


def tests_section(text: str) -> str:
    """The text after `[Tests]` in an answer to a request for tests; the whole text if there is no such line."""
    lines = _with_plain_markers(_without_outer_fence(text), _THREE).splitlines(keepends=True)
    index = _outside_fences(lines, TESTS)
    return text if index is None else _text_after(lines[index], TESTS) + "".join(lines[index + 1 :])


def problem_section(text: str) -> str:
    """The text after `[Problem Description]`, up to a `[Solution]` that may follow; the whole text if there is no such line."""
    lines = _with_plain_markers(_without_outer_fence(text)).splitlines(keepends=True)
    if (index := _outside_fences(lines, PROBLEM)) is None:
        return text.strip()
    below = lines[index + 1 :]
    return (_text_after(lines[index], PROBLEM) + "".join(below[: _outside_fences(below, SOLUTION)])).strip()


def solution_section(text: str) -> str:
    """The text after `[Solution]`; the whole text if there is no such line outside code blocks."""
    lines = _with_plain_markers(_without_outer_fence(text)).splitlines(keepends=True)
    index = _outside_fences(lines, SOLUTION)
    return text.strip() if index is None else (_text_after(lines[index], SOLUTION) + "".join(lines[index + 1 :])).strip()


def parse_magicoder(completion: Completion) -> Pair:
    """Split a completion exactly as the paper's code does.

    Finds the first line with each marker, in any case and anywhere in the line, and drops these lines. The paper accepts only the
    finish reason `stop`, which its teacher always sent; here every answer that is not cut is accepted, as by `parse`.

    Raises:
        RowRejectedError: as `parse`.

    Source:
        ise-uiuc/magicoder, generate_data.py, `parse_problem_solution` and the checks around it.
    """
    require_finished(completion)
    return _sections(completion.text, _first, lambda line, marker: "")


def _sections(text: str, find: Callable[[list[str], str], int | None], behind: Callable[[str, str], str]) -> Pair:
    lines = text.splitlines(keepends=True)
    problem_at, solution_at = find(lines, PROBLEM), find(lines, SOLUTION)
    if problem_at is None or solution_at is None:
        missing = PROBLEM if problem_at is None else SOLUTION
        raise RowRejectedError("unparsable" if text.strip() else "empty", f"no line has {missing}")
    if problem_at >= solution_at:
        raise RowRejectedError("unparsable", f"{SOLUTION} precedes {PROBLEM}")
    problem = behind(lines[problem_at], PROBLEM) + "".join(lines[problem_at + 1 : solution_at])
    solution = behind(lines[solution_at], SOLUTION) + "".join(lines[solution_at + 1 :])
    pair = Pair(problem.strip(), solution.strip())
    if not pair.problem or not pair.solution:
        raise RowRejectedError("empty", f"section {PROBLEM if not pair.problem else SOLUTION} has no text")
    return pair


def _three_sections(lines: list[str], tests_at: int) -> Pair:
    """A pair with tests, in any order of sections; empty tests count as none."""
    starts = {TESTS: tests_at}
    for marker in (PROBLEM, SOLUTION):
        line = _outside_fences(lines, marker)
        # As `parse`, which accepts a marker anywhere in a line.
        line = _first(lines, marker) if line is None else line
        if line is None:
            raise RowRejectedError("unparsable", f"no line has {marker}")
        starts[marker] = line
    ends = dict(zip(ordered := sorted(starts.values()), [*ordered[1:], len(lines)], strict=True))
    text = {
        marker: (_text_after(lines[start], marker) + "".join(lines[start + 1 : ends[start]])).strip()
        for marker, start in starts.items()
    }
    if empty := [marker for marker in (PROBLEM, SOLUTION) if not text[marker]]:
        raise RowRejectedError("empty", f"section {empty[0]} has no text")
    return Pair(text[PROBLEM], text[SOLUTION], text[TESTS] or None)


def _outside_fences(lines: list[str], marker: str) -> int | None:
    """The first line outside code fences that starts with a marker."""
    fence = ""
    for number, line in enumerate(lines):
        if mark := _FENCE.match(line):
            if not fence:
                fence = mark[1]
            # As in CommonMark, a fence is closed by one at least as long, with nothing after it.
            elif mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif not fence and "[" in line and _OPENS[marker].match(line):
            return number
    return None


def _without_outer_fence(text: str) -> str:
    """The text inside a fence of four or more characters that opens right before the first section, if there is one."""
    opens = _WRAPPER.search(text) if "````" in text or "~~~~" in text else None
    if opens is None:
        return text
    inside = text[opens.end("open") :]
    closes = re.search(rf"^[ \t]*{re.escape(opens['fence'])}[ \t]*$", inside, re.MULTILINE)
    return inside[: closes.start()] if closes else text


def _with_plain_markers(text: str, markers: tuple[re.Pattern[str], re.Pattern[str]] = _TWO) -> str:
    """Normalize markers in escaped or full-width brackets, or as headings, to the requested form."""
    other_brackets, plain_heading = markers
    return plain_heading.sub(r"[\1]", other_brackets.sub(r"\1[\2]", text))


def require_finished(completion: Completion) -> None:
    """Reject an incomplete answer.

    Raises:
        RowRejectedError: `truncated` (cut at a limit), `refused` (by a content filter).
    """
    how = finish_kind(completion.finish_reason)
    if how is FinishKind.FILTERED:
        raise RowRejectedError(
            "refused", f"the server's content filter cut the answer (finish reason {completion.finish_reason!r})"
        )
    if how is FinishKind.TRUNCATED:
        raise RowRejectedError("truncated", f"the answer was cut: finish reason {completion.finish_reason!r}")


def _first(lines: list[str], marker: str) -> int | None:
    return next((number for number, line in enumerate(lines) if marker in line.lower()), None)


def _heading(lines: list[str], marker: str) -> int | None:
    """The first line that starts with the marker, else the first that contains it."""
    opens = _OPENS[marker].match
    line_number = next((number for number, line in enumerate(lines) if "[" in line and opens(line)), None)
    return _first(lines, marker) if line_number is None else line_number


def _text_after(line: str, marker: str) -> str:
    """The text after a marker on the same line, without a colon and the closing counterparts of characters before the marker."""
    before, rest = _MARKS[marker].split(line, maxsplit=1)
    closing = ":：" + "".join({"*", "_", "`", "#"} & set(before))
    return _DASH.sub("", rest.lstrip().lstrip(closing).lstrip())
