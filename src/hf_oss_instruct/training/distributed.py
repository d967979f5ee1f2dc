"""Run distributed training in a process group, forward signals to it, and wait for its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence

from hf_oss_instruct.errors import RunError, RunInterruptedError
from hf_oss_instruct.terminal.signals import defer_signals

LAUNCHED = "LOCAL_RANK"
"""Set by `accelerate launch` and `torchrun` in every process that they start."""
GRACE_S = 30.0
"""Seconds for processes to save a checkpoint after their launcher has ended; the grace period of torchrun."""


def run_launcher(words: Sequence[str]) -> None:
    """Run a launcher. Ctrl-C, SIGTERM and SIGHUP are forwarded as one SIGTERM to it and its workers; another Ctrl-C kills them.

    Raises:
        RunInterruptedError: a signal ended it; the workers have saved a checkpoint if they could.
        RunError: it failed.
    """
    with defer_signals() as stopping:
        # A separate process group: otherwise a terminal's Ctrl-C would reach launcher and workers in addition to our signal.
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, process_group=0)
        stopping.call(lambda: _signal(process, signal.SIGTERM))
        try:
            code = process.wait()
            if stopping:
                _wait_for_workers(process)
        except BaseException:
            # Nothing that was started may go on without us, such as after a second Ctrl-C.
            _signal(process, signal.SIGKILL)
            process.wait()
            raise
    if stopping:
        raise RunInterruptedError("Interrupted. Run the same command again to resume from the last checkpoint.")
    if code:
        raise RunError(
            f"The training processes ended with code {code}; see their output above. Run the same command again to resume."
        )


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _wait_for_workers(process: subprocess.Popen[bytes]) -> None:
    """Wait until the group is empty: accelerate's launcher for a single process ends before its worker does."""
    until = time.monotonic() + GRACE_S
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < until:
            # Signal 0 only tests whether the group still has a process.
            os.killpg(process.pid, 0)
            time.sleep(0.1)
