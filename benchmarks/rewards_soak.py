"""Does scoring leak? Many short programs through the reward, memoization off: memory, descriptors, processes and the rate.

    python benchmarks/rewards_soak.py [--calls 1000000] [--every 10000] [--odd 16] [--workers 0] [--cpu-minutes 12]

Problems come again, as they do in training, so that what is kept of each is soon complete; programs do not. One in `--odd`
hangs, exits, forks or fills memory; one in 16 burns a third of the time. Slopes are per million calls, of a line through the
second half, with its standard error. It ends after so many calls, or after so many minutes of CPU time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

import numpy as np

from hf_oss_instruct.rewards import make_code_reward

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.metering import Meter

BATCH, PROBLEMS = 256, 64
ODD = (
    "import time\ndef f(x):\n    time.sleep(60)",
    "import os\nos._exit(0)\ndef f(x):\n    return x",
    "import os\nfor _ in range(20):\n    os.fork()\ndef f(x):\n    return x",
    "held = []\nwhile True:\n    held.append(bytearray(1 << 24))\ndef f(x):\n    return x",
    "def f(x):\n    while True:\n        pass",
    "def f(x):\n    return x" + " " * 10,
    "raise SystemExit",
    "def f(",
)


def descendants() -> int:
    """How many processes this one has, at any depth."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return len(found) - 1


def state() -> tuple[float, int, int]:
    """Memory in MiB, open descriptors, processes."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return resident, len(os.listdir("/proc/self/fd")), descendants()


def batch(start: int, odd: int) -> tuple[list[str], list[str]]:
    completions, tests = [], []
    for number in range(start, start + BATCH):
        problem = number // 8 % PROBLEMS
        right = f"def f(x):\n    return x + {problem + number % 2}  # {number}"
        completions.append(f"```python\n{ODD[number // odd % len(ODD)] if number % odd == odd - 1 else right}\n```")
        tests.append(f"assert f(1) == {problem + 1}")
    return completions, tests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=10_000)
    parser.add_argument("--odd", type=int, default=16, help="one program in so many hangs, exits, forks or fills memory")
    parser.add_argument("--workers", type=int, default=0, help="programs at the same time; 0 for one for each CPU")
    parser.add_argument("--cpu-minutes", type=float, default=float("inf"))
    asyncio.run(soak(parser.parse_args()))


async def soak(given: argparse.Namespace) -> None:
    meter = Meter()
    reward = make_code_reward(memoize=False, cpu_s=0.5, wall_s=1.0, memory_mib=256, workers=given.workers)
    print(f"{'calls':>10} {'per second':>10} {'CPU ms each':>11} {'MiB':>8} {'files':>6} {'processes':>10} {'None':>6}")
    rows: list[tuple[float, ...]] = []
    done = unscored = started = 0
    began = last = time.monotonic()
    shown, spent, allowed = 0, meter.seconds(), given.cpu_minutes * 60 + meter.seconds()
    running: set[asyncio.Task[list[float | None]]] = set()
    while done < given.calls and meter.seconds() < allowed:
        # Two batches at once: the slow program that ends one does not leave a processor idle. None runs when the state is read.
        while len(running) < 2 and started < min(given.calls, shown + given.every):
            completions, tests = batch(started, given.odd)
            running.add(asyncio.create_task(reward(prompts=[""] * BATCH, completions=completions, tests=tests)))
            started += BATCH
        ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for found in (task.result() for task in ended):
            assert len(found) == BATCH
            assert all(one in (0.0, 1.0, None) for one in found)
            done, unscored = done + BATCH, unscored + found.count(None)
        if done - shown >= given.every:
            now = time.monotonic()
            memory, files, processes = state()
            each = (meter.seconds() - spent) / (done - shown) * 1000
            rows.append((done, memory, files, processes, each))
            rate = (done - shown) / (now - last)
            print(f"{done:10,} {rate:10.1f} {each:11.1f} {memory:8.1f} {files:6} {processes:10} {unscored:6}", flush=True)
            shown, last, spent = done, now, meter.seconds()
    half = np.array(rows[len(rows) // 2 :])
    print(f"\n{done:,} calls in {time.monotonic() - began:.0f} s, {unscored} without a reward")
    for place, name in ((1, "MiB"), (2, "files"), (3, "processes"), (4, "CPU ms a call")):
        if len(half) > 3:
            (slope, _), covariance = np.polyfit(half[:, 0], half[:, place], 1, cov=True)
            print(f"{name}: {slope * 1e6:+.1f} ± {covariance[0, 0] ** 0.5 * 1e6:.1f} per million calls")


if __name__ == "__main__":
    main()
