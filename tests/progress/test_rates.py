"""Speed and time left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.progress.counts import Counts
from hf_oss_instruct.progress.rates import Meter, Rates


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_left_comes_from_what_is_finished_in_whichever_order() -> None:
    clock = Clock()
    meter, counts = Meter(clock), Counts(600)
    for second in range(1, 55):
        clock.now, counts.done, counts.waiting = float(second), 10 * second, max(10 * second - 49, 0)  # the 50th hangs
        rates = meter.read(counts)
    assert counts.done == 540
    assert rates.done == 10.0
    assert rates.left_s == 6.0


def test_what_an_earlier_session_did_says_nothing_about_the_speed() -> None:
    clock = Clock()
    meter, counts = Meter(clock), Counts(1000, done=900, recalled=900)
    clock.now = 2.0
    assert meter.read(counts) == Rates()
    counts.done = 910
    clock.now = 20.0
    assert meter.read(counts).left_s == 180.0


def test_a_change_of_speed_is_noticed_after_a_minute() -> None:
    clock = Clock()
    meter, counts = Meter(clock), Counts(100_000)
    for second in range(1, 400):
        clock.now = float(second)
        counts.done += 100 if second <= 200 else 1
        rates = meter.read(counts)
    assert rates.done == 1.0


def test_slow_work_is_averaged_over_its_last_sixteen() -> None:
    clock = Clock()
    meter, counts = Meter(clock), Counts(40)
    for minute in range(1, 31):
        clock.now, counts.done = 90.0 * minute, minute
        rates = meter.read(counts)
    assert rates.done == 1 / 90
    assert rates.left_s == 900.0


@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.integers(0, 50), st.integers(0, 9)), max_size=60), st.integers(0, 3000))
def test_no_reading_gives_a_negative_or_infinite_time(steps: list[tuple[float, int, int]], total: int) -> None:
    clock = Clock()
    meter, counts = Meter(clock), Counts(total)
    for seconds, done, recalled in steps:
        clock.now += seconds
        counts.done += done + recalled
        counts.recalled += recalled
        rates = meter.read(counts)
        assert rates.left_s is None or 0 <= rates.left_s < 1e12
        assert min(rates[:3]) >= 0
