"""The summary of a report for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.publishing.folders import kind_of
from hf_oss_instruct.reporting.page.chunks import FOLDER
from hf_oss_instruct.terminal.console import command_line, show_ending, show_line
from hf_oss_instruct.terminal.display import plural


def show(numbers: dict[str, Any], source: str, page: Path) -> None:
    """The file to open, the most important numbers, and what could not be measured.

    Args:
        numbers: `report.json`.
        source: the subject of the report.
        page: the file.
    """
    first, *others = lines(numbers)
    show_ending(f"A report on {first}", page.parent, view=[page.resolve().as_uri()], next_command=_next(source, numbers))
    for text in others:
        show_line(f"  {text}")
    if not (page.parent / FOLDER).exists():
        show_line(f"  there are too many rows for a page; browse them with: {command_line('report', source, '--serve')}")


def _next(source: str, numbers: dict[str, Any]) -> str:
    """The command to publish a folder; for rows that `publish` does not take as they are, the one that makes such a folder."""
    if not numbers["funnel"]["kept"]:
        return ""
    try:
        kind_of(Path(source))
    except PublishError:
        return command_line("curate", source, "--out", "clean")
    return command_line("publish", source, "--to", f"YOU/{Path(source).resolve().name}")


def lines(numbers: dict[str, Any]) -> Iterator[str]:
    """The most important numbers, a line each."""
    funnel = numbers["funnel"]
    yield f"{plural(funnel['kept'], 'row')} kept of {funnel['requested']:,}"
    if lengths := numbers["lengths"]:
        problem, solution = (f"{lengths[part]['mean']:,.0f}" for part in ("problem", "solution"))
        yield f"tokens, on average: {problem} in a problem, {solution} in a solution ({lengths['tokenizer']})"
    if (diversity := numbers["diversity"]) and diversity["rows"]:
        tasks = plural(diversity["distinct_tasks"], "distinct task")
        yield f"{tasks}, near-duplicate rate {diversity['near_duplicate_rate']:.1%}"
    for entry in numbers["similarity"]:
        if "not_done" in entry:
            yield f"not compared with {entry['benchmark']}: {entry['not_done']}"
        else:
            yield f"similarity to {entry['benchmark']}: {entry['mean_of_maxima']:.3f} (mean of the highest TF-IDF cosines)"
    if (verified := numbers["verification"]) and "pass_rate" in verified:
        were = "was" if verified["verified"] == 1 else "were"
        rate = verified["pass_rate"]["mean"]
        yield f"{plural(verified['verified'], 'row')} {were} run; pass rate {rate:.1%} on average"
