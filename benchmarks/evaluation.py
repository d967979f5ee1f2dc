"""The canonical solutions of whole benchmarks: do all of them pass, and what does scoring cost?

    python benchmarks/evaluation.py --data ../shared/data                      # HumanEval+ and MBPP+, 6 CPU minutes
    python benchmarks/evaluation.py --data ../shared/data --tasks humaneval_plus

Prints passed and total, wall seconds, and processor seconds of the machine, which must be idle beside it, as a ratio to the time
that the same calls take in one bare process, without isolation, comparison or limits. Expected outputs are computed first and are
not in the figures.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.reference import References
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring import score


def busy_s() -> float:
    """Processor seconds of the whole machine so far: what runs in the sandbox is no child of ours."""
    user, nice, system, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def floor_s(benchmark: Benchmark) -> float:
    """Processor seconds of all calls in this process: the benchmark's own programs, which are trusted here and nowhere else."""
    spent = 0.0
    for problem in benchmark.problems.values():
        if problem.calls and problem.reference:
            names: dict[str, object] = {}
            exec(problem.reference + problem.calls.adapter, names)
            started = time.process_time()
            for given in problem.calls.inputs:
                names[problem.entry_point](*given)  # type: ignore[operator]
            spent += time.process_time() - started
    return spent


def measure(task: str, data: Path | None, *, with_floor: bool) -> None:
    benchmark = load(task, data)
    references = References()
    for problem in benchmark.problems.values():
        if problem.calls:
            references.of(problem)
    samples = [Sample(problem.task_id, 0, problem.reference or "", "solution") for problem in benchmark.problems.values()]
    wall, busy = time.monotonic(), busy_s()
    verdicts = score(benchmark, samples, references=references)
    wall, busy = time.monotonic() - wall, busy_s() - busy
    passed = sum(verdict.passed for verdict in verdicts)
    print(f"{task} ({benchmark.version}): {passed}/{len(verdicts)} passed, {wall:.1f} s wall, {busy:.1f} CPU-s of the machine")
    for verdict in verdicts:
        if not verdict.passed:
            print(f"  {verdict.task_id}: {verdict.status}, {verdict.reason}")
    if with_floor:
        floor = floor_s(benchmark)
        print(f"  bare calls in one process: {floor:.1f} CPU-s; scoring is {busy / floor:.2f} × that")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="local files; the Hub by default")
    parser.add_argument("--tasks", nargs="+", default=["humaneval_plus", "mbpp_plus"])
    parser.add_argument("--floor", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    for task in asked.tasks:
        measure(task, asked.data, with_floor=asked.floor)


if __name__ == "__main__":
    main()
