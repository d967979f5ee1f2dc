"""The report of a source may hold anything: what is malformed is left out with a warning, and the rows are kept."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.curation.console import show_curated
from hf_oss_instruct.curation.earlier_report import EarlierReport
from hf_oss_instruct.curation.run import curate
from hf_oss_instruct.publishing.cards.dataset_card import curated_card

REPORT: dict[str, Any] = {
    **dict.fromkeys(("teacher", "config_hash", "prompt_hash", "started"), "text"),
    **{"requested": 3, "kept": 2, "rejected": {"duplicate": 1}, "pending": 0, "seconds": 1.5, "requests_sent": 3},
    **{"tokens": {"prompt": 1, "completion": 2}, "cost": None, "sandbox": "bubblewrap", "journal_lines_dropped": 0},
    **{"documents_skipped": {"too_long": 1}, "snippets_refused": {"secret": 1}},
    "checks": [
        {"name": "execution", "status": "done"},
        {"name": "language", "status": "not_done", "why": "left out"},
        {"name": "leaks", "status": "done", "rule": "r", "policy": "drop", "lists": [
            {"name": "exam", "status": "not_done", "revision": None, "tasks": 2, "why": "no network"}]},
    ],
    "verification": {
        "funnel": {"pairs": 3, "kept": 2},
        "not_verifiable": {"network": 1},
        "languages": {"python": {"pairs": 3, "passed": 2}},
        "toolchains": {"python": "python 3.11"},
        "attempts": [{"attempt": 1, "tried": 3, "passed": 2, "pass_rate": 0.5, "solved_by_then": 0.5}],
        "tests": {"run": 3, "weak": 0, "repeated": 0, "flaky": 0},
        "mutation_score": {"mean": 0.5, "rows": 2},
        "flake_bound": {"reruns": 4, "bound": 0.75},
        "of a later version": {"a": [1]},
    },
}  # fmt: skip
WRONG = (None, True, 7, "x", "\ud800", [], {}, [7], {"a": []}, {"\ud800": 1}, ...)
"""Values that are put in each place; `...` takes the place away."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a report has values, at all levels."""
    listed = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in listed:
        yield (*path, key)
        yield from places(one, (*path, key))


def with_value(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(REPORT)
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


def report_from(before: EarlierReport) -> dict[str, Any]:
    """What curate makes of it, without the rows."""
    own = {"source": "s", "columns": ["problem"], "requested": 1, "kept": 1, "rejected": {}, "columns_renamed": {}}
    verified = {"verification": before.verification} if before.verification else {}
    return {**before.of_the_run, "checks": before.checks, **own, **verified}


def test_a_whole_report_is_passed_on_without_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "run.json").write_text(json.dumps(REPORT))
    before = EarlierReport(str(tmp_path))
    assert {**before.of_the_run, **before.counts, "checks": before.checks, "verification": before.verification} == REPORT
    assert EarlierReport("me/on-the-hub").of_the_run == {}
    assert not caplog.records


def test_a_wrong_value_anywhere_breaks_neither_card_nor_console(tmp_path: Path) -> None:
    tried = 0
    logging.getLogger("hf_oss_instruct.curation.earlier_report").disabled = True
    try:
        for number, path in enumerate(places(REPORT)):
            for value in WRONG[number % 3 :: 3]:  # each place gets some of them, and each of them many places
                (tmp_path / "run.json").write_text(json.dumps(with_value(path, value)))
                report = report_from(EarlierReport(str(tmp_path)))
                curated_card("name", report).encode()
                show_curated(report, tmp_path)
                tried += 1
    finally:
        logging.getLogger("hf_oss_instruct.curation.earlier_report").disabled = False
    assert tried > 170


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            json.dumps(with_value(("verification", "languages", "python", "pairs"), "x")),
            "verification.languages.python.pairs is 'x'",
        ),
        (json.dumps(with_value(("verification", "attempts"), [1])), "verification.attempts[0] is 1, and should be dict"),
        (json.dumps(with_value(("checks", 1), {"name": "language", "status": "not_done"})), "checks[1].why is missing"),
        ("[]", "should hold a JSON object"),
        ("{", "cannot be read"),
    ],
)
def test_curate_names_the_file_and_what_it_leaves_out(
    tmp_path: Path, text: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "pairs"
    source.mkdir()
    (source / "rows.jsonl").write_text(json.dumps({"problem": "Say one.", "solution": "print(1)"}) + "\n")
    (source / "run.json").write_text(text)
    report = curate(str(source), tmp_path / "out", steps=["duplicates"], card=curated_card)
    assert report["kept"] == 1
    [warning] = caplog.messages
    assert said in warning
    assert str(source / "run.json") in warning
