"""Statistics of verification from `run.json`, which also counts rejected rows; the tables have no verdicts for those."""

from __future__ import annotations

from typing import Any

from hf_oss_instruct.reporting.measures.counts import MAX_NAME_CHARS, number, numbers_in
from hf_oss_instruct.reporting.rows import ReportRows
from hf_oss_instruct.terminal.display import one_line


def verified_run(rows: ReportRows) -> dict[str, Any] | None:
    """The funnel, the yield by language and by attempt, the tests' quality and the sandbox's tier; None if nothing was verified.

    Returns:
        `funnel` (step → rows, in order), `not_verifiable` (cause → rows), `languages` (pairs, passed, toolchain), `attempts`
        (attempt, tried, pass_rate, solved_by_then), `tests` (mark → tests), `mutation_score` (mean, rows), `flake_bound`
        (reruns, bound: with 95 % confidence fewer runs flip) and `sandbox` (tier → rows).
    """
    verification = rows.run.get("verification")
    if not isinstance(verification, dict) or not (funnel := numbers_in(verification.get("funnel"), zeros=True)):
        return None
    toolchains = _object(verification.get("toolchains"))
    return {
        "funnel": funnel,
        "not_verifiable": numbers_in(verification.get("not_verifiable")),
        "languages": {
            one_line(name, MAX_NAME_CHARS): {
                "pairs": number(_object(counts).get("pairs")),
                "passed": number(_object(counts).get("passed")),
                "toolchain": one_line(str(toolchains.get(name, "")), MAX_NAME_CHARS),
            }
            for name, counts in _object(verification.get("languages")).items()
        },
        "attempts": [
            {
                "attempt": number(attempt.get("attempt")),
                "tried": number(attempt.get("tried")),
                "pass_rate": _share(attempt.get("pass_rate")) or 0.0,
                "solved_by_then": _share(attempt.get("solved_by_then")) or 0.0,
            }
            for attempt in _objects(verification.get("attempts"))
        ],
        "tests": numbers_in(verification.get("tests"), zeros=True),
        "mutation_score": {
            "mean": _share(_object(verification.get("mutation_score")).get("mean")),
            "rows": number(_object(verification.get("mutation_score")).get("rows")),
        },
        "flake_bound": {
            "reruns": number(_object(verification.get("flake_bound")).get("reruns")),
            "bound": _share(_object(verification.get("flake_bound")).get("bound")),
        },
        "sandbox": numbers_in(verification.get("sandbox")),
    }


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _share(value: Any) -> float | None:
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
    return round(float(value), 4) if known else None
