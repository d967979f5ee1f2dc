"""datatrove's executor on this machine, with a process for each task, so that a task that is killed is known.

datatrove's own runs tasks in a pool, which waits forever for a task whose process the system killed, as it does when memory is
short. Needs the extra `scale`.
"""

from __future__ import annotations

import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import multiprocess
from datatrove.executor import LocalPipelineExecutor
from datatrove.utils.logging import logger
from datatrove.utils.stats import PipelineStats


class LocalExecutor(LocalPipelineExecutor):  # type: ignore[misc]  # datatrove has no types
    """Takes the arguments of `LocalPipelineExecutor`. A task that fails or is killed does not keep the others from running."""

    def run(self) -> None:
        """Run the tasks that are not completed, and log those that ended with an error."""
        ranks = self.get_incomplete_ranks(range(self.local_rank_offset, self.local_rank_offset + self.local_tasks))
        self.save_executor_as_json()
        slots, running = SimpleQueue[int](), set[Any]()
        # There are as many slots as threads, so `get` never waits.
        for slot in range(self.workers):
            slots.put(slot)

        def run_in_a_process(rank: int) -> None:
            slot = slots.get()
            process = multiprocess.get_context(self.start_method).Process(target=self._run_task, args=(rank, slot))
            process.start()
            running.add(process)
            process.join()
            running.discard(process)
            slots.put(slot)
            # Negative: the number of the signal that ended it. A task that failed without one was logged by its own process.
            if process.exitcode < 0:
                killed = -process.exitcode == signal.SIGKILL
                cause = "SIGKILL, which the system sends when memory is short" if killed else f"signal {-process.exitcode}"
                logger.error(f"The process of task {rank} was ended by {cause}.")

        with ThreadPoolExecutor(self.workers) as threads:
            try:
                list(threads.map(run_in_a_process, ranks))
            except BaseException:  # Ctrl-C: what runs ends as it does by itself, and keeps what was received
                threads.shutdown(wait=False, cancel_futures=True)
                for process in list(running):
                    process.terminate()
                raise
        self._merge_stats(ranks)

    def _run_task(self, rank: int, slot: int) -> None:
        try:
            # Private, but what the documentation of the base class tells executors to call.
            self._run_for_rank(rank, slot)
        except Exception:
            sys.exit(1)  # datatrove has logged it

    def _merge_stats(self, ranks: list[int]) -> None:
        """Add up the statistics of tasks in `stats.json`."""
        parts = []
        for rank in ranks:
            if self.logging_dir.isfile(name := f"stats/{rank:05d}.json"):
                with self.logging_dir.open(name) as file:
                    parts.append(PipelineStats.from_json(json.load(file)))
        stats = sum(parts, start=PipelineStats())
        with self.logging_dir.open("stats.json", "w") as file:
            stats.save_to_disk(file)
        logger.success(stats.get_repr(f"{len(parts)} of {len(ranks)} tasks"))
