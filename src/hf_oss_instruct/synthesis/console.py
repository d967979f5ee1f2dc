"""Terminal output of a run: a progress line while it works, pairs, the report at its end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from hf_oss_instruct.console import show_block, show_line, show_result, show_unfinished_checks
from hf_oss_instruct.data import Pending, Rejection, Row
from hf_oss_instruct.teachers.finish_reason import Ending, ending

if TYPE_CHECKING:
    from hf_oss_instruct.synthesis.output import RunStats

LINE_EVERY_S = 10.0
"""Seconds between progress lines if there is no terminal."""
SLOW_S = 10.0
"""Age in seconds from which on a request in flight is reported as slow."""


@contextmanager
def live(requested: int, output: str) -> Iterator[Callable[[RunStats], None]]:
    """Show progress: a live line on a terminal, a line now and then elsewhere, nothing for `json` and `quiet`."""
    started = time.monotonic()
    if output in ("json", "quiet"):
        yield lambda stats: None
        return
    if not sys.stderr.isatty():
        yield _plain_lines(requested, started)
        return
    console = Console(stderr=True)
    with Live(Text("starting …"), console=console, refresh_per_second=8, transient=True) as line:
        yield lambda stats: line.update(Text(progress_line(stats, requested or stats.requested, time.monotonic() - started)))


def _plain_lines(requested: int, started: float) -> Callable[[RunStats], None]:
    last = started

    def on_progress(stats: RunStats) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= LINE_EVERY_S:
            last = now
            print(progress_line(stats, requested or stats.requested, now - started), file=sys.stderr, flush=True)  # noqa: T201

    return on_progress


def progress_line(stats: RunStats, requested: int, seconds: float) -> str:
    """Format the progress on one line: answered seeds, kept pairs, rejections by reason, tokens, rate and time left.

    Rate and remaining time are computed from answers: rows are emitted in seed order, so `kept` waits for the slowest answer.

    Args:
        stats: counts of the run so far.
        requested: number of seeds requested.
        seconds: wall time since the start.
    """
    usage, handed_out = stats.usage, stats.done + stats.unanswered
    done = max(usage.settled, handed_out)
    rate = (usage.answered or done) / seconds if seconds else 0.0
    parts = [f"{done:,}/{requested:,} seeds", f"{stats.kept:,} kept"]
    parts += [f"{count:,} {reason}" for reason, count in stats.rejected.most_common()]
    if stats.unanswered:
        parts.append(f"{stats.unanswered:,} unanswered")
    tokens = usage.prompt_tokens + usage.completion_tokens
    if tokens:
        parts.append(f"{tokens:,} tokens")
    if cost := stats.limits.cost(usage.prompt_tokens, usage.completion_tokens):
        parts.append(f"cost {cost:,.2f} of about {cost * requested / max(handed_out, 1):,.2f}")
    parts.append(f"{rate:,.1f}/s")
    if rate:
        minutes, rest = divmod(int(max(requested - done, 0) / rate), 60)
        parts.append(f"{minutes}:{rest:02d} left")
    slowest = max(usage.deadlines, key=lambda deadline: deadline.oldest_s, default=None)
    if slowest and slowest.oldest_s > SLOW_S:
        parts.append(f"slowest request {slowest.oldest_s:.0f} of {slowest.seconds:.0f} s")
    if usage.note:
        parts.append(usage.note)
    return " · ".join(parts)


def show_report(report: dict[str, Any], out: Path) -> None:
    """Print the report of a run."""
    show_result(f"{report['kept']:,} pairs kept of {report['requested']:,} seeds", out)
    for reason, count in report["rejected"].items():
        show_line(f"  {count:,} rejected: {reason}")
    if report["pending"]:
        show_line(f"  {report['pending']:,} pending")
    tokens = report["tokens"]["prompt"] + report["tokens"]["completion"]
    facts = (
        f"  teacher {report['teacher']} · {report['requests_sent']:,} requests · {tokens:,} tokens · {report['seconds']:,.1f} s"
    )
    show_line(facts)
    if changes := report["parameters_changed"]:
        said = ", ".join(f"{name} was {f'sent as {new}' if new else 'left out'}" for name, new in changes.items())
        show_line(f"  the server does not take every parameter: {said}")
    if strange := {word: n for word, n in report["finish_reasons"].items() if word != "none" and ending(word) is Ending.UNKNOWN}:
        words = ", ".join(f"{count:,} {word!r}" for word, count in strange.items())
        show_line(f"  unknown finish reasons, taken for natural ends: {words}")
    if report["documents_skipped"]:
        skipped = ", ".join(f"{count:,} {reason}" for reason, count in report["documents_skipped"].items())
        show_line(f"  documents that gave no seed: {skipped}")
    if report["snippets_refused"]:
        refused = ", ".join(f"{count:,} {reason}" for reason, count in report["snippets_refused"].items())
        show_line(f"  snippets refused and drawn again: {refused}")
    show_verification(report)
    show_unfinished_checks(report)


def show_verification(report: dict[str, Any]) -> None:
    """Print the results of verification, if there was one."""
    if not (found := report.get("verification")):
        return
    funnel = " → ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found["funnel"].items())
    show_line(f"  {f'verified in {where}' if (where := report['sandbox']) else 'no program was run'}: {funnel}")
    score, bound = found["mutation_score"]["mean"], found["flake_bound"]["bound"]
    facts = [f"mutation score {score:.2f}" if score is not None else ""]
    facts += (
        [f"flips in less than {bound:.2%} of runs"] if bound is not None and bound < 1 and not found["tests"]["flaky"] else []
    )
    if said := [fact for fact in facts if fact]:
        show_line(f"  {', '.join(said)}")
    if causes := found["not_verifiable"]:
        show_line(f"  not verifiable here: {', '.join(f'{count:,} {cause}' for cause, count in causes.items())}")


def show_outcome(outcome: Row | Rejection | Pending, output: str) -> None:
    """Print a pair, or the outcome of its seed."""
    if output == "json":
        print(json.dumps(_as_json(outcome)))  # noqa: T201
    elif output == "quiet":
        return
    elif isinstance(outcome, dict):
        place = f"{outcome['file_path'] or outcome['seed_dataset']}:{outcome['start_line']}-{outcome['end_line']}"
        show_block(f"seed {outcome['index']} · {outcome['lang']} · {place}", None)
        show_block("problem", outcome["problem"])
        show_block("solution", outcome["solution"])
        _show_tests(outcome)
    elif isinstance(outcome, Rejection):
        show_block(f"seed {outcome.seed.index} rejected · {outcome.reason}", outcome.detail)
        if outcome.verified:
            show_block("solution", outcome.received)
            _show_tests(outcome.verified)
    else:
        show_block(f"seed {outcome.seed.index} pending", outcome.why)


def _show_tests(row: Mapping[str, Any]) -> None:
    """Print the results of a verified row: its tests and its solutions."""
    if not row.get("execution_status"):
        return
    results, marks = row["test_results"] or [], row["test_marks"] or []
    for number, test in enumerate(row["tests"] or []):
        became = ("passed" if results[number] else "failed") if number < len(results) else "not run"
        mark = f" · {marks[number]}" if number < len(marks) and marks[number] else ""
        show_block(f"test {number + 1} · {became}{mark}", test)
    facts = [f"status {row['execution_status']}"]
    if len(solutions := row["solutions"] or []) > 1:
        each = ", ".join(f"{sum(one['results'])}/{len(one['results'])} {one['status']}" for one in solutions)
        facts.append(f"solutions {each} · kept by {row['selected_by']}")
    if row["mutation_score"] is not None:
        facts.append(f"{row['mutation_score']:.0%} of {row['mutants']} mutants killed")
    facts += [f"sandbox {row['sandbox']}"] if row["sandbox"] else []
    show_block(f"verification · {' · '.join(facts)}")


def _as_json(outcome: Any) -> dict[str, Any]:
    if isinstance(outcome, dict):
        return {"outcome": "kept", **outcome}
    name = "pending" if isinstance(outcome, Pending) else "rejected"
    return {"outcome": name, **{key: value for key, value in asdict(outcome).items() if key != "verified" or value}}
