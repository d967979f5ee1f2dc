"""What the terminal shows of a report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_oss_instruct.console import show_line, show_result


def show(numbers: dict[str, Any], page: Path) -> None:
    """The most important numbers, what could not be measured, and the file to open."""
    first, *others = lines(numbers)
    show_result(first, page)
    for text in others:
        show_line(f"  {text}")
    show_line(f"\nNext, open it in a browser:\n  {page.resolve().as_uri()}")


def lines(numbers: dict[str, Any]) -> Iterator[str]:
    """The most important numbers, a line each."""
    funnel = numbers["funnel"]
    yield f"{funnel['kept']:,} rows kept of {funnel['requested']:,}"
    if lengths := numbers["lengths"]:
        problem, solution = (f"{lengths[part]['mean']:,.0f}" for part in ("problem", "solution"))
        yield f"tokens, on average: {problem} in a problem, {solution} in a solution ({lengths['tokenizer']})"
    if (diversity := numbers["diversity"]) and diversity["rows"]:
        yield f"{diversity['distinct_tasks']:,} distinct tasks, near-duplicate rate {diversity['near_duplicate_rate']:.1%}"
    for one in numbers["similarity"]:
        if "not_done" in one:
            yield f"not compared with {one['benchmark']}: {one['not_done']}"
        else:
            yield f"similarity to {one['benchmark']}: {one['mean_of_maxima']:.3f} (mean of the highest TF-IDF cosines)"
    if (verified := numbers["verification"]) and "pass_rate" in verified:
        yield f"{verified['verified']:,} rows were run; pass rate {verified['pass_rate']['mean']:.1%} on average"
