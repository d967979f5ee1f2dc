"""Score completions on a reward server instead of this machine."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

import aiohttp
import orjson

from hf_oss_instruct.credentials import check_key, redacted
from hf_oss_instruct.errors import OssInstructError, UsageError
from hf_oss_instruct.rewards.options import RewardOptions
from hf_oss_instruct.rewards.outcome import RewardOutcome, unscored
from hf_oss_instruct.rewards.scorer import ScorerItem
from hf_oss_instruct.rewards.serving import wire
from hf_oss_instruct.terminal.display import one_line

CONNECT_S = 10.0
RETRY_S = (0.2, 5.0)
"""Seconds before the first retry, and at most; doubled each time."""
BATCH_SIZE = 256
"""Completions in a request; where the server's queue or its limit of bytes is smaller, requests are halved."""
TOO_LARGE = 413
BUSY = (429, 502, 503, 504)


class RemoteScorer:
    """Scores completions on a reward server. `connected` makes one.

    Args:
        options: with the server's `url` and `token`.
    """

    def __init__(self, options: RewardOptions) -> None:
        self._options = options
        self._url = options.url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}

    @classmethod
    async def connected(cls, options: RewardOptions) -> RemoteScorer:
        """Check that the server is reachable, works and accepts the token.

        Raises:
            UsageError: it does not; the message says why.
        """
        if not options.url.startswith(("http://", "https://")):
            raise UsageError(f"The reward server {options.url!r} is not a URL. Use one such as http://127.0.0.1:8080.")
        check_key(options.token or None, options.url, "The token of the reward server")
        scorer = cls(options)
        shown = redacted(options.url)
        try:
            async with scorer._session() as session:
                async with session.get(scorer._url + wire.HEALTH) as answer:
                    if answer.status != 200:
                        raise UsageError(f"The reward server {shown} does not work: {one_line(await answer.text(), 200)}")
                # A request without items checks the token, which /health does not require.
                status, text = await scorer._post(session, [])
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UsageError(
                f"The reward server {shown} cannot be reached: {error}. Start it with: hf-oss-instruct reward-server --port PORT"
            ) from None
        if status == 401:
            raise UsageError(f"The reward server {shown} refuses the token. Set HF_OSS_INSTRUCT_REWARD_TOKEN to the server's.")
        # A full queue at the start does not stop the client: the server works.
        if status not in (200, *BUSY):
            raise UsageError(f"The reward server {shown} does not accept requests: HTTP {status}, {one_line(text, 200)}")
        return scorer

    async def score(self, items: Sequence[ScorerItem]) -> list[RewardOutcome | OssInstructError]:
        """Score a batch. Completions that the server does not score within `call_wall_s` are unscored."""
        deadline = time.monotonic() + self._options.call_wall_s
        parts = [items[start : start + BATCH_SIZE] for start in range(0, len(items), BATCH_SIZE)]
        async with self._session() as session:
            scored = await asyncio.gather(*(self._scored(session, part, deadline) for part in parts))
        return [outcome for part in scored for outcome in part]

    async def _scored(
        self, session: aiohttp.ClientSession, items: Sequence[ScorerItem], deadline: float
    ) -> list[RewardOutcome | OssInstructError]:
        """Ask until the server answers; while it is busy or gone, wait longer each time."""
        pause, last_error = RETRY_S[0], ""
        while (left := deadline - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    status, text = await self._post(session, items)
                if status == 200:
                    return wire.outcomes_of(orjson.loads(text), len(items))
                # The server's limits are not known here, so halve until the parts fit.
                if status == TOO_LARGE and len(items) > 1:
                    half = len(items) // 2
                    first = await self._scored(session, items[:half], deadline)
                    return first + await self._scored(session, items[half:], deadline)
                last_error = f"HTTP {status}: {one_line(text, 200)}"
                if status not in BUSY:
                    return [UsageError(f"The reward server answered {last_error}")] * len(items)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                last_error = f"{type(error).__name__}: {error}"
            await asyncio.sleep(max(0.0, min(pause, deadline - time.monotonic())))
            pause = min(2 * pause, RETRY_S[1])
        return [unscored(f"the reward server did not answer in time: {last_error or 'the time was over'}")] * len(items)

    async def _post(self, session: aiohttp.ClientSession, items: Sequence[ScorerItem]) -> tuple[int, str]:
        # Not by orjson, which writes NaN as null and takes no integer above 64 bits: values that functions return.
        body = json.dumps(wire.request_of(items, self._options.variant, self._options.untrusted_tests)).encode()
        headers = {"Content-Type": "application/json"}
        # The token and the tests are for this host alone, wherever it redirects to.
        async with session.post(self._url + wire.SCORE, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    def _session(self) -> aiohttp.ClientSession:
        # Scoring takes as long as the programs do; the deadline of the call ends it.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        return aiohttp.ClientSession(headers=self._headers, timeout=timeout)
