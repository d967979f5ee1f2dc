"""Choose how progress is shown: redrawn on a terminal, as lines of a log elsewhere, or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.progress.log import LogProgress
from hf_oss_instruct.progress.terminal import TerminalProgress

KERNEL_VARIABLE = "JPY_PARENT_PID"
"""Set in Jupyter's kernels. A cell with `!hf-oss-instruct …` has a terminal in which the cursor cannot move up."""


@contextmanager
def show_progress(output: str = "auto") -> Iterator[Progress]:
    """Show the progress of the block on standard error.

        with show_progress() as progress:
            synthesize_to_disk(seeds, teacher, "pairs", progress=progress)

    A terminal gets a few lines that are redrawn in place; a file, a pipe, a dumb terminal or a notebook's cell gets a line
    every tenth of the work, at the latest after 30 seconds. `NO_COLOR` is respected.

    Args:
        output: `auto` shows the progress, `json` and `quiet` show nothing.

    Yields:
        A display for the argument `progress` of other functions.
    """
    if output in ("json", "quiet"):
        yield SILENT
        return
    console = Console(file=sys.stderr)  # the stream itself: a library may be silenced by redirecting `sys.stderr`
    with TerminalProgress(console) if can_redraw(console) else LogProgress() as progress:
        yield progress


def can_redraw(console: Console) -> bool:
    """Whether lines can be drawn over each other where a console writes.

    Args:
        console: of standard error.
    """
    return sys.stderr.isatty() and not console.is_dumb_terminal and KERNEL_VARIABLE not in os.environ
