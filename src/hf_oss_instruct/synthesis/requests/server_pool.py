"""Which of a teacher's servers gets the next request: the one with most room. Each server has its own limits and back-off."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from hf_oss_instruct.synthesis.requests.rate_limit import RateLimiter
from hf_oss_instruct.teachers.protocol import Server, Teacher

logger = logging.getLogger(__name__)

GONE_AFTER = 3
"""Consecutive failures after which a server is left out: fewer than where there is only one, since others answer meanwhile."""


@dataclass(slots=True)
class ServerSlot:
    """A slot for one request at a server.

    Attributes:
        teacher: the teacher that the request is for.
        limiter: is informed of the result.
        server: the server, if the teacher has several.
    """

    teacher: Teacher
    limiter: RateLimiter
    server: Server | None = None

    @property
    def target(self) -> Teacher:
        """Where requests go: the teacher, or the same model at one server."""
        return self.server.teacher if self.server else self.teacher


@dataclass(slots=True)
class _ServerState:
    """Facts about a server: its limits, and why it cannot answer anything (an invalid key, an unknown model)."""

    limiter: RateLimiter
    unusable: str = ""
    warned: set[str] = field(default_factory=set)


class ServerPool:
    """Distributes requests among the servers of teachers; teachers with servers of the same name share their limits.

    Args:
        clock: returns seconds; tests pass their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._open, self._turn = clock, True, 0
        self._known: dict[str, _ServerState] = {}
        self._changed = asyncio.Event()

    async def acquire(self, teacher: Teacher) -> ServerSlot:
        """Wait until one of a teacher's servers has room, and count a request to it as in flight."""
        servers = teacher.servers
        while True:
            self._turn += 1
            turn = self._turn % len(servers)  # so that equally loaded servers take turns
            limiters = [(self._state_of(server).limiter, server) for server in (*servers[turn:], *servers[:turn])]
            shortest = math.inf
            for limiter, server in sorted(limiters, key=lambda pair: pair[0].load):
                # Once closed, everybody gets a slot at once, and finds out that the run has stopped.
                wait_s = limiter.delay_s() if self._open else 0.0
                if wait_s <= 0:
                    limiter.in_flight += 1
                    return ServerSlot(teacher, limiter, server)
                shortest = min(shortest, wait_s)
            # Nothing is awaited since the delays were computed, so that no change is missed.
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), None if shortest == math.inf else shortest)

    def close(self) -> None:
        """Wake everything that waits for room, because nothing will be sent any more."""
        self._open = False
        self._changed.set()

    def answered(self, slot: ServerSlot) -> None:
        """Note that a server can answer."""
        if slot.server:
            self._state_of(slot.server).unusable = ""

    def mark_unusable(self, slot: ServerSlot, error: Exception) -> bool:
        """Leave a server out that cannot answer anything at present, and return whether another of the teacher's can."""
        if slot.server is None:
            return False
        state, server = self._state_of(slot.server), slot.server
        state.unusable = str(error)
        # Probed again like a server that is gone: a key or a model may be repaired while the run continues.
        state.limiter.pause()
        if state.unusable not in state.warned:
            state.warned.add(state.unusable)
            logger.warning("The server %s is left out for now: %s", server.name, error)
        return any(not self._state_of(other).unusable for other in slot.teacher.servers)

    def has_usable_servers(self, slot: ServerSlot) -> bool:
        """Whether another of the teacher's servers is not left out, so that one server's failures do not stop the run."""
        if slot.server is None:
            return False
        limiters = (self._state_of(other).limiter for other in slot.teacher.servers)
        return any(not other.gone and not other.paused_s for other in limiters if other is not slot.limiter)

    def wait_s(self, slot: ServerSlot, asked_s: float | None) -> float | None:
        """Seconds to wait before a request is sent again, after a server has requested a pause: none while others take it."""
        if slot.server is None or asked_s is None:
            return asked_s
        slot.limiter.pause_for(asked_s)
        return min(self._state_of(server).limiter.paused_s for server in slot.teacher.servers)

    @property
    def note(self) -> str:
        """A message for the progress line, or an empty text."""
        gone = [name for name, state in list(self._known.items()) if state.limiter.gone]
        return f"{len(gone)} of {len(self._known)} servers left out for now: {', '.join(gone)}" if gone else ""

    def _state_of(self, server: Server) -> _ServerState:
        if server.name not in self._known:
            limiter = RateLimiter(server.concurrency, self._clock, gone_after=GONE_AFTER, changed=self._changed)
            self._known[server.name] = _ServerState(limiter)
        return self._known[server.name]
