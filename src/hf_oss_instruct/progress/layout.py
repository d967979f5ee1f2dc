"""A stage as text: lines that fit a terminal of any width, or one line of a log. Untrusted text is shown as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.text import Text

from hf_oss_instruct.progress.counts import Counts
from hf_oss_instruct.progress.rates import Rates
from hf_oss_instruct.terminal.display import one_line

NARROW_COLUMNS = 64
"""Width in columns below which the bar gets a separate line, and units are abbreviated."""
MAX_BAR_COLUMNS = 60
SEPARATOR = " · "


class View(NamedTuple):
    """The displayed state of a stage.

    Attributes:
        title: name of the work.
        unit: the unit that is counted.
        counts: its numbers.
        rates: its speed.
        elapsed_s: seconds since it began.
    """

    title: str
    unit: str
    counts: Counts
    rates: Rates
    elapsed_s: float


def frame(view: View, width: int) -> RenderableType:
    """The lines of a terminal.

    Args:
        view: the stage.
        width: columns of the terminal.
    """
    width = max(width - 1, 10)  # a full last column would make some terminals wrap
    lines: list[RenderableType] = [_line(one_line(view.title), width, "bold"), *_bar(view, width)]
    lines += [_line(line, width) for line in wrapped(_outcomes(view.counts), width)]
    lines += [_line(line, width, "dim") for line in wrapped(_rates(view, short=width < NARROW_COLUMNS), width)]
    lines += [_line(line, width, "magenta") for line in wrapped(_remarks(view.counts), width)]
    return Group(*lines, Text())  # where the terminal echoes what is typed, such as ^C


def log_line(view: View) -> str:
    """The stage on one line without control characters."""
    parts = [_done(view), *_outcomes(view.counts), *_rates(view, short=False), *_remarks(view.counts)]
    return ": ".join(filter(None, (one_line(view.title), SEPARATOR.join(filter(None, parts)))))


def wrapped(parts: Iterable[str], width: int) -> Iterator[str]:
    """Join parts to lines of at most `width` columns; a longer part gets a separate line.

    Args:
        parts: texts that are not broken.
        width: columns.
    """
    line = ""
    for part in parts:
        longer = f"{line}{SEPARATOR}{part}" if line else part
        if line and cell_len(longer) > width:
            yield line
            longer = part
        line = longer
    if line:
        yield line


def clock(seconds: float) -> str:
    """Seconds as `m:ss` or `h:mm:ss`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _line(text: str, width: int, style: str = "") -> Text:
    line = Text(text, style, no_wrap=True)
    line.truncate(width, overflow="ellipsis")
    return line


def _bar(view: View, width: int) -> list[RenderableType]:
    """The bar and what it shows in figures, on one line where that fits."""
    counts, figures = view.counts, _done(view)
    if counts.total is None:
        return [_line(figures, width)]
    beside = width - cell_len(figures) - 2
    own_line = width < NARROW_COLUMNS or beside < 10
    bar = ProgressBar(
        max(counts.total, 1),
        counts.done,
        width if own_line else min(beside, MAX_BAR_COLUMNS),
        style="dim",
        complete_style="cyan",
        finished_style="green",
    )
    return [_line(figures, width), _Bar(bar)] if own_line else [_Bar(bar, f"  {figures}")]


class _Bar:
    """A bar, and the text after it on the same line."""

    def __init__(self, bar: ProgressBar, after: str = "") -> None:
        self._bar, self._after = bar, Text(after, no_wrap=True)

    def __rich_console__(self, console: object, options: object) -> Iterator[RenderableType]:
        yield self._bar
        yield self._after


def _done(view: View) -> str:
    counts = view.counts
    if counts.total is None:
        done = f"{counts.done:,} {view.unit}" if counts.done else ""
        so_far = f"{clock(view.elapsed_s)} so far" if view.elapsed_s >= 1 else ""
        return SEPARATOR.join(filter(None, (done, so_far)))
    parts = [f"{counts.done:,} of {counts.total:,} {view.unit}".rstrip(), f"{counts.done / max(counts.total, 1):.0%}"]
    # After an interruption only what is in flight is awaited, so the time for the rest says nothing.
    if view.rates.left_s is not None and not counts.stopping:
        parts.append(f"{clock(view.rates.left_s)} left")
    return SEPARATOR.join(parts)


def _outcomes(counts: Counts) -> Iterator[str]:
    yield from (f"{number:,} {one_line(name)}" for name, number in counts.outcomes.items())
    if counts.waiting:
        yield f"{counts.waiting:,} wait for an earlier one"
    reasons = sorted(dict(counts.reasons).items(), key=lambda item: -item[1])
    if total := sum(number for _, number in reasons):
        first, *others = (f"{number:,} {one_line(reason)}" for reason, number in reasons)
        yield f"{total:,} {counts.reasons_are}: {first}"
        yield from others


def _rates(view: View, short: bool) -> Iterator[str]:
    counts, rates = view.counts, view.rates
    if rates.requests:
        yield f"{_rate(rates.requests)} {'req' if short else 'requests'}/s"
    elif rates.done:
        yield f"{_rate(rates.done)} {view.unit}/s"
    if rates.tokens:
        yield f"{_rate(rates.tokens)} {'tok' if short else 'tokens'}/s"
    yield from (f"{one_line(name)} {one_line(value)}" for name, value in counts.values.items())
    for name, (used, limit) in counts.spent.items():
        in_all = used * counts.total / counts.done if name == "cost" and counts.total and counts.done else 0.0
        about = f", about {_format_amount(name, in_all)} in all" if in_all > used else ""
        yield f"{name} {_format_amount(name, used)}" + (f" of {_format_amount(name, limit)}" if limit is not None else "") + about
    if counts.total is not None and view.elapsed_s >= 1:
        yield f"{clock(view.elapsed_s)} so far"


def _remarks(counts: Counts) -> Iterator[str]:
    yield from (one_line(text) for text in (counts.stopping, counts.remark) if text)


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:,.1f}" if number >= 0.1 else f"{number:.2g}"


def _format_amount(name: str, number: float) -> str:
    return f"{number:,.2f}" if name == "cost" else f"{number:,.0f}"
