"""Terminal output of a run: pairs, and the report at its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hf_oss_instruct.data import Pending, Rejection, Row, is_row
from hf_oss_instruct.spec.prompts import JSON, SECTIONS
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.teachers.finish_reason import FinishKind, finish_kind
from hf_oss_instruct.teachers.json_answers import NEITHER
from hf_oss_instruct.terminal.console import (
    show_block,
    show_ending,
    show_line,
    show_rejected,
    show_unfinished_checks,
    view_commands,
)
from hf_oss_instruct.terminal.display import plural

FORMS = {JSON: "as JSON", SECTIONS: "as sections", NEITHER: "in neither form"}
"""Form of an answer → how the end of a run names it."""
STEPS = {
    "with_tests": "with tests",
    "solution_passes": "whose solution passes",
    "tests_worth_passing": "whose tests are strong enough",
}
"""Step of verification in `run.json` → how the end of a run names it."""


def show_report(report: RunReport, out: Path, then: str = "") -> None:
    """Print the report of a run.

    Args:
        report: `run.json`.
        out: the folder.
        then: the next command, if there is one.
    """
    views = view_commands(out)
    show_ending(
        f"{plural(report['kept'], 'pair')} kept of {plural(report['requested'], 'seed')}", out, view=views, next_command=then
    )
    show_rejected(report)
    tokens = plural(report["tokens"]["prompt"] + report["tokens"]["completion"], "token")
    requests = f"{plural(report['requests_sent'], 'request')} · {tokens}" if report["requests_sent"] else "no requests"
    show_line(f"  teacher {report['teacher']} · {requests} · {report['seconds']:,.1f} s")
    if changes := report["parameters_changed"]:
        parts = ", ".join(f"{name} was {f'sent as {new}' if new else 'left out'}" for name, new in changes.items())
        show_line(f"  the server does not accept every parameter: {parts}")
    if forms := report.get("answer_forms"):
        show_line(f"  answers: {', '.join(f'{count:,} {FORMS.get(form, form)}' for form, count in forms.items())}")
    if unknown := {
        word: n for word, n in report["finish_reasons"].items() if word != "none" and finish_kind(word) is FinishKind.UNKNOWN
    }:
        words = ", ".join(f"{count:,} {word!r}" for word, count in unknown.items())
        show_line(f"  unknown finish reasons, treated as complete answers: {words}")
    if report["documents_skipped"]:
        skipped = ", ".join(f"{count:,} {reason}" for reason, count in report["documents_skipped"].items())
        show_line(f"  documents without a seed: {skipped}")
    if report["snippets_refused"]:
        refused = ", ".join(f"{count:,} {reason}" for reason, count in report["snippets_refused"].items())
        show_line(f"  snippets filtered out and replaced: {refused}")
    if (diversity := report.get("diversity")) and diversity["rows"]:
        tasks, pairs = plural(diversity["distinct_tasks"], "distinct task"), plural(diversity["rows"], "pair")
        before = " before near duplicates were removed" if report["rejected"].get("near_duplicate") else ""
        show_line(f"  {tasks} in {pairs}{before}: {diversity['near_duplicate_rate']:.1%} of the problems resembled another")
    if balance := report.get("balance"):
        parts = ", ".join(f"{count:,} {name}" for name, count in balance["categories"].items())
        show_line(f"  seeds by category: {parts}")
    show_verification(report)
    show_unfinished_checks(report)


def show_verification(report: RunReport) -> None:
    """Print the results of verification, if there was one."""
    if not (verification := report.get("verification")):
        return
    funnel = " → ".join(f"{count:,} {STEPS.get(name, name)}" for name, count in verification["funnel"].items())
    show_line(f"  {f'verified in {where}' if (where := report['sandbox']) else 'no program was run'}: {funnel}")
    score, reruns = verification["mutation_score"]["mean"], verification["flake_bound"]["reruns"]
    facts = [f"mutation score {score:.2f}"] if score is not None else []
    if reruns and not verification["tests"]["flaky"]:
        facts.append(f"no test changed its result in {plural(reruns, 'rerun')}")
    if facts:
        show_line(f"  {', '.join(facts)}")
    if causes := verification["not_verifiable"]:
        show_line(f"  not verifiable here: {', '.join(f'{count:,} {cause}' for cause, count in causes.items())}")


def show_outcome(outcome: Row | Rejection | Pending, output: str) -> None:
    """Print a pair, or the outcome of its seed."""
    if output == "json":
        print(json.dumps(_as_json(outcome)))  # noqa: T201
    elif output == "quiet":
        return
    elif is_row(outcome):
        location = f"{outcome['file_path'] or outcome['seed_dataset']}:{outcome['start_line']}-{outcome['end_line']}"
        show_block(f"seed {outcome['index']} · {outcome['lang']} · {location}", None)
        if outcome.get("concepts"):
            show_block("concepts", ", ".join(outcome["concepts"]))
        show_block("problem", outcome["problem"])
        show_block("solution", outcome["solution"])
        _show_tests(outcome, outcome.get("detail"))
    elif isinstance(outcome, Rejection):
        show_block(f"seed {outcome.seed.index} rejected · {outcome.reason}", outcome.detail)
        if outcome.verified:
            show_block("solution", outcome.received)
            _show_tests(outcome.verified)
    else:
        show_block(f"seed {outcome.seed.index} pending", outcome.why)


def _show_tests(row: Mapping[str, Any], why: Any = None) -> None:
    """Print the results of a verified row: its tests and its solutions, and why it did not pass, if that was not said yet."""
    if not row.get("execution_status"):
        return
    results, marks = row["test_results"] or [], row["test_marks"] or []
    for number, test in enumerate(row["tests"] or []):
        became = ("passed" if results[number] else "failed") if number < len(results) else "not run"
        mark = f" · {marks[number]}" if number < len(marks) and marks[number] else ""
        show_block(f"test {number + 1} · {became}{mark}", test)
    facts = [f"status {row['execution_status']}"]
    if len(solutions := row["solutions"] or []) > 1:
        each = ", ".join(f"{sum(solution['results'])}/{len(solution['results'])} {solution['status']}" for solution in solutions)
        facts.append(f"solutions {each} · kept by {row['selected_by']}")
    if row["mutation_score"] is not None:
        facts.append(f"{row['mutation_score']:.0%} of {row['mutants']} mutants killed")
    facts += [f"sandbox {row['sandbox']}"] if row["sandbox"] else []
    show_block(f"verification · {' · '.join(facts)}", why)


def name_of(outcome: Row | Rejection | Pending) -> str:
    """`kept`, `rejected` or `pending`."""
    return "kept" if is_row(outcome) else "pending" if isinstance(outcome, Pending) else "rejected"


def _as_json(outcome: Any) -> dict[str, Any]:
    if is_row(outcome):
        return {"outcome": "kept", **outcome}
    return {"outcome": name_of(outcome), **{key: value for key, value in asdict(outcome).items() if key != "verified" or value}}
