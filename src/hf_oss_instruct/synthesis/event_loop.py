"""The event loop of requests: uvloop where it is installed (a bare aiohttp client: 0.27 instead of 0.41 ms per request)."""

from __future__ import annotations

import asyncio


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop that does not run yet. uvloop exists for CPython on Linux and macOS; elsewhere asyncio's own serves."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
