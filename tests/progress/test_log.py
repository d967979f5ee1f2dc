"""Lines of a log: few, in time, and plain."""

from __future__ import annotations

import time

import pytest

from hf_oss_instruct.progress.counts import SILENT, Counts
from hf_oss_instruct.progress.layout import View
from hf_oss_instruct.progress.log import LogProgress, LogSchedule
from hf_oss_instruct.progress.rates import Rates
from hf_oss_instruct.progress.show import show_progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(done_at: dict[float, int], total: int | None, until: float) -> list[float]:
    """When lines come, for a stage that is polled twice a second."""
    clock = Clock()
    due, counts, found = LogSchedule(clock), Counts(total), []
    while clock.now < until:
        clock.now += 0.5
        counts.done = done_at.get(clock.now, counts.done)
        if due(View("t", "rows", counts, Rates(), clock.now)):
            found.append(clock.now)
    return found


def test_a_short_command_writes_no_line() -> None:
    assert lines({1.0: 50, 5.0: 100}, 100, 9.5) == []


def test_a_line_comes_with_every_tenth_but_not_sooner_than_ten_seconds() -> None:
    assert lines({second: int(second) for second in range(101)}, 100, 45.0) == [10.0, 20.0, 30.0, 40.0]
    assert lines({second: int(second) for second in range(0, 1001)}, 1000, 100.0) == [10.0, 40.0, 70.0, 100.0]


def test_a_stage_that_hangs_or_has_no_total_is_heard_of_every_half_minute() -> None:
    assert lines({}, 100, 100.0) == [10.0, 40.0, 70.0, 100.0]
    assert lines({}, None, 100.0) == [10.0, 40.0, 70.0, 100.0]


def test_lines_go_to_standard_error_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[View] = []

    def third(view: View) -> bool:
        seen.append(view)
        return len(seen) == 3

    with LogProgress(third, poll_s=0.001) as progress, progress.stage("Judging \x1b[31m", "samples", 10) as counts:
        counts.done = 4
        while len(seen) < 3:
            time.sleep(0.001)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "Judging \\x1b[31m: 4 of 10 samples · 40%\n")


def test_a_stage_inside_another_takes_its_place() -> None:
    progress = LogProgress()
    with progress.stage("Training") as outer, progress.stage("Scoring", "tasks", 3) as inner:
        outer.done, inner.done = 7, 1
        view = progress.view()
        assert view
        assert (view.title, view.counts.done) == ("Scoring", 1)
    assert progress.view() is None


@pytest.mark.parametrize("output", ["json", "quiet"])
def test_programs_see_nothing(output: str) -> None:
    with show_progress(output) as progress:
        assert progress is SILENT
