"""Run the engine from a command: handle signals, and report why it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from hf_oss_instruct.data import Outcome
from hf_oss_instruct.errors import OssInstructError
from hf_oss_instruct.synthesis.runtime.event_loop import run_coroutine
from hf_oss_instruct.terminal.signals import StopRequest

FINISH_S = 20.0
"""Seconds for requests in flight to be answered after an interruption: they are paid for. Batch systems kill after 30."""


def drive(
    stream: Callable[[asyncio.Event], AsyncGenerator[Outcome, None]],
    consume: Callable[[AsyncGenerator[Outcome, None]], Awaitable[None]],
    stopping: StopRequest,
) -> OssInstructError | None:
    """Run the engine until everything is settled, or a signal or an error ends it cleanly.

    Args:
        stream: opens the engine's stream, with the event that stops it.
        consume: takes every outcome.
        stopping: whether the process was interrupted.

    Returns:
        What stopped it; None if nothing did, or a signal.
    """

    async def work() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        # A signal arrives in another context than the loop's, and perhaps after its end.
        stopping.call(lambda: loop.is_closed() or loop.call_soon_threadsafe(stop.set))
        opened = stream(stop)
        try:
            await consume(opened)
        finally:
            await opened.aclose()

    try:
        run_coroutine(work)
    except OssInstructError as error:
        return error
    except KeyboardInterrupt:  # a second Ctrl-C: consumed rows are still written
        pass
    return None
