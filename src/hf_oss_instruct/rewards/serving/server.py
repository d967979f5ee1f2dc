"""A reward server: scores completions for trainers on other machines. The command `reward-server` starts it.

    POST /v1/score   completions with their tests → outcomes (`wire.py`)
    GET  /health     200 if the sandbox works
    GET  /metrics    counters in the text format of Prometheus

Requests beyond the queue are refused with 429 and `Retry-After`, so that clients wait and memory stays bounded.
"""

from __future__ import annotations

import asyncio
import functools
import hmac
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import orjson
from aiohttp import web

from hf_oss_instruct.errors import OssInstructError, SandboxError, UsageError
from hf_oss_instruct.rewards.options import RewardOptions
from hf_oss_instruct.rewards.outcome import STATUSES, RewardOutcome
from hf_oss_instruct.rewards.scorer import Scorer, ScorerItem
from hf_oss_instruct.rewards.serving import wire
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.structured import any_json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RewardServer:
    """The state of a server, and its handlers.

    Args:
        options: of every completion; `variant` and `untrusted_tests` come with each request.
        queue: completions that may be queued or running at the same time.
        body_bytes: size of a request at most.

    Raises:
        SandboxError: no sandbox works on this machine.
    """

    def __init__(self, options: RewardOptions, queue: int, body_bytes: int) -> None:
        self._options = replace(options, url="", token="")
        self._token = options.token
        self._tier = chosen_tier(options.tier or None).name
        self._queue, self._body_bytes = queue, body_bytes
        self._held = 0
        self._statuses: Counter[str] = Counter()
        self._answers: Counter[int] = Counter()
        self._busy_s = 0.0
        # Clients choose variant and weight, so the number of scorers must be bounded.
        self._scorer = functools.lru_cache(maxsize=8)(self._make_scorer)
        self.stopping = False

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application(client_max_size=self._body_bytes, middlewares=[self._counted])
        app.router.add_post(wire.SCORE, self._score)
        app.router.add_get(wire.HEALTH, self._health)
        app.router.add_get(wire.METRICS, self._metrics)
        return app

    def _make_scorer(self, variant: str, untrusted_tests: float) -> Scorer:
        return Scorer(replace(self._options, variant=variant, untrusted_tests=untrusted_tests))

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if self._token and request.path != wire.HEALTH and not self._may_enter(request):
                raise web.HTTPUnauthorized(text="The bearer token is missing or wrong.", headers={"WWW-Authenticate": "Bearer"})
            answer = await handler(request)
            self._answers[answer.status] += 1
            return answer
        except web.HTTPException as error:
            self._answers[error.status] += 1
            raise

    def _may_enter(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        # In constant time, so that the time of a refusal says nothing about the token.
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token.encode())

    async def _score(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":  # which a browser's page cannot send here without our consent
            raise web.HTTPUnsupportedMediaType(text="Send JSON, with the header Content-Type: application/json.")
        if self.stopping:
            raise web.HTTPServiceUnavailable(text="The server is stopping.", headers={"Retry-After": "5"})
        try:
            items, variant, untrusted_tests = wire.items_of(any_json(await request.read()))
            scorer = self._scorer(variant, untrusted_tests)
        except (ValueError, UsageError) as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        # It would never fit: after 429 the client would wait in vain.
        if len(items) > self._queue:
            message = f"{len(items)} completions in one request; the queue holds {self._queue}. Send fewer at a time."
            raise web.HTTPRequestEntityTooLarge(max_size=self._queue, actual_size=len(items), text=message)
        if self._held + len(items) > self._queue:
            raise web.HTTPTooManyRequests(text=f"The queue of {self._queue} completions is full.", headers={"Retry-After": "1"})
        outcomes = await self._scored(scorer, items)
        return web.Response(body=orjson.dumps(wire.response_of(outcomes)), content_type="application/json")

    async def _scored(self, scorer: Scorer, items: Sequence[ScorerItem]) -> list[RewardOutcome | OssInstructError]:
        # Without a lock, because only the event loop's thread changes it.
        self._held += len(items)
        began = time.monotonic()
        try:
            outcomes = await scorer.score(items)
        finally:
            self._held -= len(items)
            self._busy_s += time.monotonic() - began
        for outcome in outcomes:
            self._statuses["refused" if isinstance(outcome, OssInstructError) else outcome.status] += 1
        return outcomes

    async def _health(self, request: web.Request) -> web.Response:
        if self.stopping:
            raise web.HTTPServiceUnavailable(text="The server is stopping.")
        try:
            tier = await asyncio.to_thread(chosen_tier, self._tier)
        except SandboxError as error:
            raise web.HTTPServiceUnavailable(text=str(error)) from None
        return web.json_response({"status": "ok", "sandbox": tier.name, "queued": self._held, "queue": self._queue})

    async def _metrics(self, request: web.Request) -> web.Response:
        lines = ["# TYPE oss_instruct_reward_completions_total counter"]
        statuses = [*STATUSES, "refused"]
        lines += [f'oss_instruct_reward_completions_total{{status="{status}"}} {self._statuses[status]}' for status in statuses]
        lines += ["# TYPE oss_instruct_reward_responses_total counter"]
        lines += [
            f'oss_instruct_reward_responses_total{{code="{code}"}} {count}' for code, count in sorted(self._answers.items())
        ]
        lines += ["# TYPE oss_instruct_reward_request_seconds_total counter"]
        lines += [f"oss_instruct_reward_request_seconds_total {self._busy_s:.3f}"]
        lines += ["# TYPE oss_instruct_reward_queued gauge", f"oss_instruct_reward_queued {self._held}"]
        lines += ["# TYPE oss_instruct_reward_queue_limit gauge", f"oss_instruct_reward_queue_limit {self._queue}"]
        return web.Response(text="\n".join(lines) + "\n", content_type="text/plain")


async def serve(
    server: RewardServer,
    host: str,
    port: int,
    stop: asyncio.Event,
    on_start: Callable[[str], None],
    shutdown_timeout_s: float = 10.0,
) -> None:
    """Serve until `stop` is set, then finish the queue.

    Args:
        server: the server.
        host: address to listen on.
        port: port to listen on; 0 for any free one.
        stop: ends it.
        on_start: called with the URL once connections are accepted.
        shutdown_timeout_s: seconds in which requests may end after `stop`.

    Raises:
        OSError: the address cannot be used.
    """
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=shutdown_timeout_s)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        chosen = runner.addresses[0][1]
        on_start(f"http://{f'[{host}]' if ':' in host else host}:{chosen}")
        await stop.wait()
        # New requests are refused from now on; those in work end in `cleanup`.
        server.stopping = True
    finally:
        await runner.cleanup()
