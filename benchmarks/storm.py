"""Several processes that know nothing of each other share a server with a limit of requests a minute: how much of it is used.

    python benchmarks/storm.py                                  # 4 processes, 1,200 requests a minute; one minute
    python benchmarks/storm.py --processes 8 --rpm 600 --seconds 75

All start at once, with more requests in flight than the limit allows, as the tasks of a cluster do. Each line is five seconds:
answers as a share of the limit, and 429s. The last line is the share from ten seconds after the first 429s on, since a busy
machine starts some processes late.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

EVERY_S, SETTLED_S = 5, 10


def shards(processes: int, concurrency: int, url: str, folder: Path) -> list[subprocess.Popen[bytes]]:
    """Each a shard of the same run, with caches of its own, so that no answer is shared."""
    words = f"synthesize --seeds stdlib --n 20000 --format quiet --benchmarks none --model m --base-url {url}/v1"
    command = [Path(sys.executable).with_name("hf-oss-instruct"), *words.split(), "--concurrency", str(concurrency)]
    return [
        subprocess.Popen(
            [*command, "--shard", f"{index}/{processes}", "--out", str(folder / str(index))],
            env=os.environ | {"HF_HOME": str(folder / f"home-{index}")},
        )
        for index in range(processes)
    ]


def watch(url: str, rpm: int, seconds: float, running: list[subprocess.Popen[bytes]]) -> None:
    started = before = storm = None
    settled: list[tuple[float, float]] = []
    while started is None or time.monotonic() - started < seconds:
        time.sleep(EVERY_S if started else 0.1)
        assert all(process.poll() is None for process in running), "a process ended early"
        found, now = json.loads(urlopen(url).read()), time.monotonic()
        if not found["answered"]:
            continue
        answered, refused = found["answered"], found["total"] - found["answered"] - found["in_flight"]
        started = started or now
        if before:
            took = now - before[0]
            share, busy = (answered - before[1]) / took * 60 / rpm, (refused - before[2]) / took
            print(f"{now - started:5.0f} s  {share:6.1%} of the limit  {busy:6.1f} 429/s", flush=True)
            settled += [(share, busy)] if storm and now - storm > SETTLED_S else []
            storm = storm or (now if busy else None)
        before = now, answered, refused
    assert settled, "no 429, or too few seconds after the first"
    shares, busy = (sum(values) / len(settled) for values in zip(*settled, strict=True))
    print(f"settled  {shares:6.1%} of the limit  {busy:6.1f} 429/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rpm", type=int, default=1200)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    teacher = [sys.executable, str(Path(__file__).with_name("fast_teacher.py")), "--latency-ms", "500", "--rpm", str(given.rpm)]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(teacher, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        running = shards(given.processes, given.concurrency, url, Path(folder))
        try:
            watch(url, given.rpm, given.seconds, running)
        finally:
            for process in (*running, server):
                process.kill()
                process.wait()


if __name__ == "__main__":
    main()
