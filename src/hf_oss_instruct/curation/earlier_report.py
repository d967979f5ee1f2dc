"""What the `run.json` of a source says about its rows. It is not trusted, so each part is checked before it is passed on."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, cast

from hf_oss_instruct.data import digest
from hf_oss_instruct.storage.run_report import RUN_REPORT, RunReport
from hf_oss_instruct.structured import matching, read_object

logger = logging.getLogger(__name__)

_NUMBER = (int, float)
# `...` stands for any key, see `structured.matching`.
_COUNTS = {...: int}
_COUNTED = {"requested": int, "kept": int, "rejected": _COUNTS, "pending": int}
_OF_THE_RUN = {
    **dict.fromkeys(("teacher", "config_hash", "prompt_hash", "started"), str),
    "seconds": _NUMBER,
    "requests_sent": int,
    "tokens": {"prompt": int, "completion": int},
    "cost": (int, float, type(None)),
    "sandbox": (str, type(None)),
    "documents_skipped": _COUNTS,
    "snippets_refused": _COUNTS,
    "journal_lines_dropped": int,
}
"""Fields of a run's `run.json` that remain true of the rows that curation keeps, and their shapes."""
_VERIFICATION = {
    "funnel": _COUNTS,
    "not_verifiable": _COUNTS,
    "languages": {...: {"pairs": int, "passed": int}},
    "toolchains": {...: str},
    "attempts": [{"attempt": int, "tried": int, "pass_rate": _NUMBER, "solved_by_then": _NUMBER}],
    "tests": {"run": int, "weak": int, "repeated": int, "flaky": int},
    "mutation_score": {"mean": (int, float, type(None)), "rows": int},
    "flake_bound": {"reruns": int, "bound": (int, float, type(None))},
}
_PAIR = {"problem": str, "solution": str}
_LIST = {"name": str, "status": str, "revision": (str, type(None)), "tasks": int}


class EarlierReport:
    """The report of a run, or nothing for other sources. Malformed fields are left out, with a warning that names them.

    Args:
        source: folder of a run, or any other source.

    Attributes:
        of_the_run: teacher, tokens and similar fields, if present.
        counts: `requested`, `kept`, `rejected`, `pending`, if present.
        pair_columns: `problem`, `solution` → name of the column, if it is not a usual one; empty if the report names none.
        checks: entries of checks, each with name and status.
        verification: what verification found; None if nothing was verified.
    """

    def __init__(self, source: str) -> None:
        self._path = Path(source) / RUN_REPORT
        try:
            report = read_object(self._path) if self._path.is_file() else {}
        except ValueError as error:
            logger.warning("%s. Its checks and counts are left out.", error)
            report = {}
        self.of_the_run = cast(RunReport, self._fields(report, _OF_THE_RUN))
        self.counts = self._fields(report, _COUNTED)
        self.pair_columns: dict[str, str] = {
            field: name
            for field, name in self._fields(report, {"pair_columns": _PAIR}).get("pair_columns", {}).items()
            if field in _PAIR
        }
        self.checks: list[dict[str, Any]] = []
        listed = self._fields(report, {"checks": list}).get("checks", [])
        # One at a time, so that a malformed entry does not take the others with it.
        for position, check in enumerate(listed):
            if self._fits(check, _shape_of_check(check), f"checks[{position}]"):
                self.checks.append(check)
        self.verification: dict[str, Any] | None = self._fields(report, {"verification": _VERIFICATION}).get("verification")

    def _fields(self, values: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name, shape in shapes.items() if name in values and self._fits(values[name], shape, name)}

    def _fits(self, value: Any, shape: Any, name: str) -> bool:
        try:
            matching(value, shape, name)
            digest(value)  # also what no shape names: half a surrogate pair, a number that is too long
        except (ValueError, TypeError) as error:
            logger.warning("%s: %s. It is left out.", self._path, error)
            return False
        return True


def _shape_of_check(check: Any) -> dict[str, Any]:
    """A check that was not done says why, and one with benchmarks by which rule they were compared."""
    shape: dict[str, Any] = {"name": str, "status": str}
    if not isinstance(check, dict):
        return shape
    shape |= {"why": str} if check.get("status") != "done" else {}
    return shape | ({"rule": str, "policy": str, "lists": [_list_shape]} if check.get("lists") else {})


def _list_shape(entry: Any) -> dict[str, Any]:
    done = isinstance(entry, dict) and entry.get("status") == "done"
    return _LIST | ({} if done else {"why": str})
