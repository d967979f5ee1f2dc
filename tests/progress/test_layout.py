"""What a stage looks like in a terminal and in a log."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from hf_oss_instruct.progress.counts import Counts
from hf_oss_instruct.progress.layout import View, clock, frame, log_line
from hf_oss_instruct.progress.rates import Rates

COUNTS = Counts(
    600,
    done=540,
    waiting=491,
    outcomes={"kept": 40, "verified": 31},
    reasons={"truncated": 2, "unparsable": 7},
    requests=540,
    tokens=100_000,
    spent={"cost": (0.31, 5.0)},
    remark="slowest request 62 of 300 s",
)
VIEW = View("Making pairs with m", "seeds", COUNTS, Rates(8.1, 8.1, 2310.0, 7.4), 66.0)


def drawn(view: View, width: int) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, height=40, color_system=None).print(frame(view, width))
    return file.getvalue().splitlines()


def test_a_wide_terminal() -> None:
    title, bar, outcomes, speeds, remark, *rest = drawn(VIEW, 100)
    assert title.rstrip() == "Making pairs with m"
    assert bar.rstrip().endswith("540 of 600 seeds · 90% · 0:07 left")
    assert outcomes.rstrip() == ("40 kept · 31 verified · 491 wait for an earlier one · 9 rejected: 7 unparsable · 2 truncated")
    assert speeds.rstrip() == ("8.1 requests/s · 2,310 tokens/s · cost 0.31 of 5.00, about 0.34 in all · 1:06 so far")
    assert remark.rstrip() == "slowest request 62 of 300 s"
    assert not any(line.strip() for line in rest)


def test_a_narrow_terminal_loses_nothing() -> None:
    said = " ".join(" ".join(drawn(VIEW, 40)).split())
    for part in ("540 of 600 seeds", "0:07 left", "40 kept", "7 unparsable", "2,310 tok/s", "cost 0.31 of 5.00", "62 of 300 s"):
        assert part in said


@pytest.mark.parametrize("width", [20, 40, 63, 64, 80, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = drawn(VIEW, width)
    assert max(map(cell_len, (line.rstrip() for line in lines))) < width


@given(st.text(max_size=200), st.integers(10, 200), st.integers(0, 10**9), st.integers(0, 10**9))
def test_untrusted_text_moves_no_cursor_and_breaks_no_line(text: str, width: int, total: int, done: int) -> None:
    counts = Counts(total or None, done, outcomes={text: 1}, reasons={text: 2}, values={text: text}, remark=text)
    view = View(f"\x1b[2J\r\n{text}", "rows", counts, Rates(), 0.0)
    line = log_line(view)
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in line)
    lines = drawn(view, width)
    assert not any(letter in "\x1b\r\x07\x08\x9b" for one in lines for letter in one)
    assert max(map(cell_len, (one.rstrip() for one in lines)), default=0) <= width


def test_a_log_line_says_everything_at_once() -> None:
    assert log_line(VIEW) == (
        "Making pairs with m: 540 of 600 seeds · 90% · 0:07 left · 40 kept · 31 verified · 491 wait for an earlier one · "
        "9 rejected: 7 unparsable · 2 truncated · 8.1 requests/s · 2,310 tokens/s · cost 0.31 of 5.00, about 0.34 in all · "
        "1:06 so far · slowest request 62 of 300 s"
    )


def test_a_stage_without_a_total_shows_what_is_known() -> None:
    view = View("Reading rows.parquet", "rows", Counts(), Rates(), 3.0)
    assert drawn(view, 80)[1].rstrip() == "0:03 so far"
    assert log_line(view) == "Reading rows.parquet: 0:03 so far"


def test_hours_are_hours() -> None:
    assert [clock(seconds) for seconds in (0, 59.9, 60, 4223)] == ["0:00", "0:59", "1:00", "1:10:23"]
