"""What isolation costs: a run in each tier against the same program in a bare subprocess, interleaved, in one run.

    python benchmarks/sandbox.py [--rounds 100] [--workers 2] [--seconds 5]

Rows: a new Python and a new shell in a tier (`fresh`), and a fork of the pre-forked worker. Ratios and differences are to
the bare subprocess of the same program. Minima say what it costs; medians, what else the machine does. As root, `chrt -r 1`
before the command keeps other work from the processors.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.sandbox.mounts import PYTHON
from hf_oss_instruct.sandbox.run import Job, run_program, run_programs

PROGRAM = "print(42)"
IMPORTING = "import collections, datetime, decimal, functools, heapq, itertools, json, math, random, re, string\nprint(42)"


def bare(source: str) -> Callable[[], None]:
    def run() -> None:
        assert subprocess.run([PYTHON, "-c", source], capture_output=True, check=True).stdout == b"42\n"

    return run


def bare_shell() -> None:
    assert subprocess.run(["/bin/bash", "-c", "echo 42"], capture_output=True, check=True).stdout == b"42\n"


def ours(source: str, language: str, tier: str, fresh: bool) -> Callable[[], None]:
    def run() -> None:
        ended = run_program(source, language, tier=tier, fresh=fresh)
        assert ended.stdout == "42\n", ended

    return run


def kinds() -> dict[str, dict[str, Callable[[], None]]]:
    """Program → way of running it → run; the first way is the bare one."""
    found: dict[str, dict[str, Callable[[], None]]] = {
        "python, no import": {"bare subprocess": bare(PROGRAM)},
        "python, 11 imports": {"bare subprocess": bare(IMPORTING)},
        "shell": {"bare subprocess": bare_shell},
    }
    for tier in available_tiers():
        for program, source in (("python, no import", PROGRAM), ("python, 11 imports", IMPORTING)):
            found[program][f"{tier}, fresh"] = ours(source, "python", tier.name, fresh=True)
            found[program][f"{tier}, pre-forked"] = ours(source, "python", tier.name, fresh=False)
        found["shell"][f"{tier}, fresh"] = ours("echo 42", "shell", tier.name, fresh=False)
    return found


def latency(rounds: int) -> None:
    print(f"{'program':20} {'how':24} {'min ms':>8} {'median':>8} {'× bare':>7} {'+ms min':>8} {'+ms med':>8}")
    for program, ways in kinds().items():
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, run in ways.items():
                started = time.perf_counter()
                run()
                taken[way].append(1000 * (time.perf_counter() - started))
        base, *_ = taken.values()
        for way, times in taken.items():
            low, middle = min(times), statistics.median(times)
            more = f"{low - min(base):8.1f} {middle - statistics.median(base):8.1f}"
            print(f"{program:20} {way:24} {low:8.1f} {middle:8.1f} {low / min(base):7.2f} {more}", flush=True)


def throughput(workers: int, seconds: float) -> None:
    print(f"\nruns/s of {PROGRAM!r} with {workers} workers, {seconds:g} s each")
    run = bare(PROGRAM)
    ended = time.monotonic() + seconds
    with ThreadPoolExecutor(workers) as pool:
        base = sum(pool.map(lambda _: count(run, ended), range(workers))) / seconds
    print(f"{'bare subprocess':24} {base:8.1f}")
    for tier in available_tiers():
        started, done = time.monotonic(), 0
        for execution in run_programs(itertools.repeat(Job(PROGRAM)), workers, tier=tier.name):
            assert execution.status == "ok", execution
            done += 1
            if time.monotonic() - started > seconds:
                break
        rate = done / (time.monotonic() - started)
        print(f"{tier.name + ', pre-forked':24} {rate:8.1f} {rate / base:7.2f} × bare", flush=True)


def count(run: Callable[[], None], until: float) -> int:
    done = 0
    while time.monotonic() < until:
        run()
        done += 1
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    if not available_tiers():
        sys.exit("this machine has no sandbox: hf-oss-instruct env says why")
    latency(options.rounds)
    throughput(options.workers, options.seconds)


if __name__ == "__main__":
    main()
