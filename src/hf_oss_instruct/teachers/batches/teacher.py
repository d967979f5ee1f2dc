"""A teacher behind a batch API: collects requests, submits them in batches, and distributes the answers as they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from hf_oss_instruct.data import Completion, Request
from hf_oss_instruct.errors import RetryableError, RowRejectedError, TeacherError
from hf_oss_instruct.teachers.batches.api import BatchApi, BatchStatus
from hf_oss_instruct.teachers.batches.steps import BatchSteps
from hf_oss_instruct.teachers.batches.store import Batch, BatchStore
from hf_oss_instruct.teachers.http.endpoint import PATH
from hf_oss_instruct.teachers.http.errors import BadRequestError, exception_for
from hf_oss_instruct.teachers.http.responses import completion_of
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.teachers.protocol import Teacher

MAX_FILE_BYTES = 100_000_000
"""Size of a file: the smallest limit of the providers that we know (OpenAI and Groq allow 200 MB, Together 100)."""
MAX_BATCHES = 2
"""Batches in which a request may fail, or stay unanswered, before it is sent directly."""
QUIET_S, QUIET_BESIDE_OTHERS_S = 5.0, 60.0
"""Seconds without a new request after which those collected are submitted: alone, and while other batches are being answered."""
ATTEMPT_TIMEOUT_S = 7 * 86_400.0
"""Deadline of an attempt: a request may be in two batches of up to a day each, and they may wait for their turn."""


class BatchTeacher(Teacher):
    """The model of an `InferenceTeacher`, through batches. Rows and keys are those of direct requests.

    Submissions are recorded in the folder of the journal before each step, so that a session that was killed loses nothing and
    a later one submits nothing twice. A request that a batch fails goes into the next one, then directly to the server.

    Args:
        direct: the same model, with direct requests.
        api: the batch API.
        most_requests, most_bytes: limits of one batch.
        concurrency: direct requests that may be in flight at once.
        pace: factor on all pauses; tests pass a small one.
    """

    timeout_s = ATTEMPT_TIMEOUT_S
    uses_batches = True

    def __init__(
        self,
        direct: InferenceTeacher,
        api: BatchApi,
        *,
        most_requests: int = 50_000,
        most_bytes: int = MAX_FILE_BYTES,
        concurrency: int = 16,
        pace: float = 1.0,
    ) -> None:
        self.identity = direct.identity
        self._direct, self._api, self._pace = direct, api, pace
        self._most_requests, self._most_bytes, self._concurrency = most_requests, most_bytes, concurrency
        self._store: BatchStore | None = None
        self._to_send_directly = set[str]()
        self._drop_finished()

    def _drop_finished(self) -> None:
        """Begin with nothing in memory, as in a new event loop."""
        self._batch_of: dict[str, Batch] = {}
        self._lines: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, asyncio.Future[dict[str, Any] | None]] = {}
        self._collected: list[tuple[Request, bytes]] = []
        self._collected_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        # The engine has as many requests in flight as its batches may hold, far more than a server takes at once.
        self._direct_slots = asyncio.Semaphore(self._concurrency)
        self._running_batches: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, BatchStatus] = {}

    @property
    def note(self) -> str:  # type: ignore[override]  # computed when the display asks
        """See `Teacher.note`."""
        seen = list(self._seen.values())
        if not self._running_batches:
            return f"{len(self._collected):,} requests collected for a batch" if self._collected else ""
        done, total = sum(batch.done for batch in seen), sum(batch.total for batch in seen)
        return f"batches: {len(self._running_batches)} at the provider, {done:,} of {total:,} requests done"

    def begin(self, journal: Path) -> None:
        """See `Teacher.begin`: read which requests are in batches already."""
        self._store = BatchStore(journal)
        for batch in self._store.batches():
            if batch.teacher != self.identity:
                continue
            if batch.file_id is None:  # nothing was created of it
                self._store.drop(batch)
            else:
                self._batch_of |= dict.fromkeys(batch.requests, batch)

    def in_batch(self, request: Request) -> bool:
        """See `Teacher.in_batch`."""
        return request.key not in self._to_send_directly

    async def complete(self, request: Request) -> Completion:
        """See `Teacher.complete`: wait until a batch has the answer."""
        if not self.in_batch(request):
            async with self._direct_slots:
                return await self._direct.complete(request)
        reason, tried = "no batch answered it", 0
        while tried < MAX_BATCHES:
            # None: the batch has ended without an answer, so the request goes into the next one.
            line = await self._result(request)
            if line is None:
                tried += 1
                continue
            try:
                return self._read(line, request)
            except RetryableError as error:
                # A parameter that the server refused by name is left out next time: that attempt does not count.
                reason, tried = str(error), tried + (not error.changed)
        self._to_send_directly.add(request.key)  # the engine reserves it again
        raise RetryableError(f"{reason}; it is sent directly", reached=True, changed=True)

    async def close(self) -> None:
        """Stop polling batches, which continue without us, and close the connections."""
        if self._timer:
            self._timer.cancel()
        tasks = list(self._running_batches.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drop_finished()
        await self._api.close()
        await self._direct.close()

    def _read(self, line: dict[str, Any], request: Request) -> Completion:
        """The content of a line of results. Raises as `Teacher.complete`."""
        response = line.get("response") or {}
        status, body = response.get("status_code"), response.get("body")
        if status == 200:
            return self._direct.noted(completion_of(body, {}))
        message = orjson.dumps(body if body is not None else line.get("error")).decode()
        error = exception_for(status if isinstance(status, int) and status >= 400 else 500, message, {})
        if isinstance(error, BadRequestError):
            self._direct.learn(error, request.sampling)
        raise error

    async def _result(self, request: Request) -> dict[str, Any] | None:
        """The line of results of a request; None if its batch has ended without one."""
        key = request.key
        if line := self._lines.pop(key, None):
            return line
        future: asyncio.Future[dict[str, Any] | None]
        future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if key in self._batch_of:
            self._start_batch(self._batch_of[key])
        else:
            self._collect(request)
        try:
            return await future
        finally:
            self._waiting.pop(key, None)

    def _collect(self, request: Request) -> None:
        body = {"model": self._direct.model, "messages": request.messages, **self._direct.parameters(request)}
        entry = {"custom_id": request.key, "method": "POST", "url": f"/v1{PATH}", "body": body}
        line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        if self._collected and self._collected_bytes + len(line) > self._most_bytes:
            self._submit()
        self._collected.append((request, line))
        self._collected_bytes += len(line)
        if self._timer:
            self._timer.cancel()
        if len(self._collected) >= self._most_requests:
            self._submit()
            return
        quiet_s = QUIET_BESIDE_OTHERS_S if self._running_batches else QUIET_S
        self._timer = asyncio.get_running_loop().call_later(quiet_s * self._pace, self._submit)

    def _submit(self) -> None:
        """Submit the collected requests that are still waited for."""
        # The engine may have cancelled some since they were collected.
        collected = [(request, line) for request, line in self._collected if request.key in self._waiting]
        self._collected, self._collected_bytes = [], 0
        if not collected:
            return
        assert self._store, "`begin` comes before the first request"
        try:
            batch = self._store.new(self.identity, [request for request, _ in collected], [line for _, line in collected])
        except Exception as error:
            self._fail([request.key for request, _ in collected], error)
            return
        self._batch_of |= dict.fromkeys(batch.requests, batch)
        self._start_batch(batch)

    def _start_batch(self, batch: Batch) -> None:
        """Take a batch through its steps, from wherever it is."""
        if batch.name not in self._running_batches:
            self._running_batches[batch.name] = asyncio.create_task(self._run_batch(batch))

    async def _run_batch(self, batch: Batch) -> None:
        assert self._store
        try:
            if not batch.ended:
                batch = await BatchSteps(self._api, self._store, self._pace, self._on_status).run(batch)
            # In a thread, because the file has the answers of up to 50,000 requests.
            lines = await asyncio.to_thread(lambda: dict(self._store.results(batch)))  # type: ignore[union-attr]
        except RowRejectedError as error:  # of a call of the batch API: no row is wrong
            self._fail(batch.requests, TeacherError(f"The batch API refused the request: {error.detail}. No row is rejected."))
        except Exception as error:
            self._fail(batch.requests, error)
        else:
            self._distribute(batch, lines)
        finally:
            self._running_batches.pop(batch.name, None)
            self._seen.pop(batch.name, None)

    def _on_status(self, batch: Batch, status: BatchStatus) -> None:
        self._seen[batch.name] = status

    def _distribute(self, batch: Batch, lines: dict[str, dict[str, Any]]) -> None:
        """Answer the waiting requests. Answers that are not requested yet are kept; other requests may go into another batch."""
        status = self._seen.get(batch.name)
        # By the user at the provider: submitting the requests again right away would undo that.
        cancelled = status is not None and status.status == "cancelled"
        for key in batch.requests:
            # Unless the request is in a newer batch by now.
            if self._batch_of.get(key, batch).name == batch.name:
                self._batch_of.pop(key, None)
            line = lines.get(key)
            if line is not None and isinstance(line.get("response"), dict):
                if not self._answer(key, line):
                    self._lines[key] = line
            elif cancelled:
                self._fail([key], _cancelled(batch))
            else:
                self._answer(key, None)

    def _answer(self, key: str, line: dict[str, Any] | None) -> bool:
        """Pass a line to the request that waits for it, and return whether there is one."""
        future = self._waiting.get(key)
        if future is None or future.done():
            return False
        future.set_result(line)
        return True

    def _fail(self, keys: Iterable[str], error: Exception) -> None:
        for key in keys:
            future = self._waiting.get(key)
            if future and not future.done():
                future.set_exception(error)


def _cancelled(batch: Batch) -> TeacherError:
    return TeacherError(
        f"The batch {batch.batch_id} was cancelled at the provider. Answers received before are kept; the same command or "
        "call submits the other requests again."
    )
