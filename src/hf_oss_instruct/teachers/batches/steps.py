"""The steps of a batch, from the file on disk to the results on disk, from wherever an earlier session left it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hf_oss_instruct.errors import RetryableError, TeacherError
from hf_oss_instruct.teachers.batches.api import BatchApi, BatchStatus
from hf_oss_instruct.teachers.batches.store import Batch, BatchStore

T = TypeVar("T")

FIRST_POLL_S, MAX_POLL_S, POLL_FACTOR = 5.0, 60.0, 1.5
"""Pause between two looks at a batch: at first, at most, and its growth."""
GIVE_UP_AFTER_S = 900.0
"""Seconds of continuous failures after which the run stops. The batches continue, and the next session collects them."""


class BatchSteps:
    """Takes a batch through its steps, and records each before the next.

    Args:
        api: the batch API.
        store: where batches are recorded.
        pause_factor: factor on all pauses.
        on_status: called with the state of the batch at the provider.
    """

    def __init__(
        self, api: BatchApi, store: BatchStore, pause_factor: float, on_status: Callable[[Batch, BatchStatus], None]
    ) -> None:
        self._api, self._store, self._pause_factor, self._on_status = api, store, pause_factor, on_status

    async def run(self, batch: Batch) -> Batch:
        """Create a batch, unless it is created already, wait until it has ended, and write its results to disk."""
        # The record says how far an earlier session came; each step is recorded before the next one.
        if not batch.file_id:
            file = self._store.upload_of(batch.name)
            batch = self._store.record(batch, file_id=await self._persist(lambda: self._api.upload(file)))
            status = await self._created(batch, may_exist=False)
        elif not batch.batch_id:
            status = await self._created(batch, may_exist=True)
        else:
            status = None
        if status:
            batch = self._store.record(batch, batch_id=status.batch_id)
        ended = await self._ended(batch)
        # Refused as a whole: forgotten, so that the next session submits the requests again.
        if ended.status == "failed" and not ended.files:
            self._store.drop(batch)
            reason = ended.errors or "the provider gives no reason"
            raise TeacherError(f"The batch {batch.batch_id} failed: {reason}. If it is too large, lower --batch-requests.")
        await self._persist(lambda: self._download(batch, ended))
        return self._store.record(batch, ended=True)

    async def _created(self, batch: Batch, may_exist: bool) -> BatchStatus:
        """Create a batch, once: where an earlier call may have come through, the batch is looked for first."""
        file_id = batch.file_id
        assert file_id

        async def create() -> BatchStatus:
            nonlocal may_exist
            if may_exist:
                # Looked for twice, since a call that was cut off may still be at work.
                for pause_s in (0.0, FIRST_POLL_S):
                    await asyncio.sleep(pause_s * self._pause_factor)
                    if found := await self._api.find(file_id):
                        return found
            # From here on a call that fails may still have created it.
            may_exist = True
            return await self._api.create(file_id, batch.name)

        return await self._persist(create)

    async def _ended(self, batch: Batch) -> BatchStatus:
        pause_s = FIRST_POLL_S
        batch_id = batch.batch_id
        assert batch_id
        while True:
            status = await self._persist(lambda: self._api.status(batch_id))
            self._on_status(batch, status)
            if status.ended:
                return status
            await asyncio.sleep(pause_s * self._pause_factor)
            pause_s = min(pause_s * POLL_FACTOR, MAX_POLL_S)

    async def _download(self, batch: Batch, status: BatchStatus) -> None:
        """Write all results to one file, which exists only once it is complete."""
        results = self._store.results_of(batch)
        parts = [results.with_suffix(f".part{number}") for number, _ in enumerate(status.files)]
        for file_id, part in zip(status.files, parts, strict=True):
            await self._api.download(file_id, part)
        await asyncio.to_thread(self._store.join, parts, results)

    async def _persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until it succeeds.

        Raises:
            TeacherError: nothing but failures for too long.
        """
        loop, pause_s = asyncio.get_running_loop(), 1.0
        began = loop.time()
        while True:
            try:
                return await call()
            except RetryableError as error:
                if loop.time() - began > GIVE_UP_AFTER_S:
                    raise TeacherError(f"The batch API failed: {error}. Batches continue; repeat the command or call.") from error
                await asyncio.sleep(max(error.after_s or 0.0, pause_s * self._pause_factor))
                pause_s = min(pause_s * POLL_FACTOR, MAX_POLL_S)
