"""What verification costs, and whether selection finds right solutions.

python benchmarks/verification.py rows          rows/s of Python, against `python -m pytest` in a subprocess for each suite
python benchmarks/verification.py matrix        CPU of a solution in a matrix with 100 tests
python benchmarks/verification.py codet DIR N   N problems of CodeGen-16B's data, truth from HumanEval+

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
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from hf_oss_instruct.errors import OssInstructError
from hf_oss_instruct.sandbox.judge import answers, judge
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.verification.running import run_solution
from hf_oss_instruct.verification.selection import METHODS, rates, select
from hf_oss_instruct.verification.suites import Suite, read_suite
from hf_oss_instruct.verification.verify import Options, RowIn, verify_rows

SOLUTION = '''
def clamp_{0}(x, low=0, high={0}):
    """Row {0}."""
    if low > high:
        raise ValueError("low > high")
    if x < low:
        return low
    if x > high:
        return high
    return x * 1
'''
STOPS = re.compile(r"\n(?=class |def |#|@|print|if |assert |import |from |\w)")


def suite_of(number: int, count: int) -> tuple[str, str]:
    """A row and its tests."""
    tests = [f"def test_{at}():\n    assert clamp_{number}({at - 2}) == {min(max(at - 2, 0), number)}\n" for at in range(count)]
    return SOLUTION.format(number), f"from solution import clamp_{number}\n\n" + "\n".join(tests)


def cpu_s() -> float:
    """Processor seconds of this process and the children that it has waited for."""
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def rows(count: int = 60) -> None:
    """Rows a second, with 10 tests, 8 mutants, 2 stubs and 2 reruns."""
    made = [suite_of(number, 10) for number in range(5, 5 + count)]
    options = Options(stubs=2)
    list(verify_rows([RowIn([solution], tests, "python") for solution, tests in made[:4]], options))
    began = time.monotonic()
    found = list(verify_rows([RowIn([solution], tests, "python") for solution, tests in made[4:]], options))
    ours = (count - 4) / (time.monotonic() - began)
    assert all(row.passed and row.mutants == 8 for row in found), [row.detail for row in found if not row.passed]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:

        def bare(number: int) -> int:
            place = Path(folder, str(number))
            place.mkdir()
            (place / "solution.py").write_text(made[number][0])
            (place / "test_solution.py").write_text(made[number][1])
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(place)]
            return subprocess.run(command, capture_output=True, cwd=place, check=False).returncode

        began = time.monotonic()
        assert set(pool.map(bare, range(12))) == {0}
        theirs = 12 / (time.monotonic() - began)
    began = time.monotonic()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(lambda row: run_solution(read_suite(row[1], "python", row[0]), row[0]), made))
    suites = count / (time.monotonic() - began)
    print(f"rows/s with 10 tests, 8 mutants, 2 stubs, 2 reruns: {ours:.1f}")
    print(f"suites/s, one run of each: {suites:.1f}")
    print(f"suites/s of python -m pytest in a subprocess: {theirs:.1f}; ours are {suites / theirs:.1f} times as many")
    print(f"load average {os.getloadavg()[0]:.1f}")


def matrix(count: int = 20) -> None:
    """What a solution of a matrix with 100 tests costs."""
    solution, tests = suite_of(50, 100)
    suite = read_suite(tests, "python", solution)
    run_solution(suite, solution)
    before, began = cpu_s(), time.monotonic()
    for at in range(count):
        outside, _ = run_solution(suite, solution + f"# {at}\n")
        assert all(outside.passed)
    wall, cpu = (time.monotonic() - began) / count * 1000, (cpu_s() - before) / count * 1000
    print(f"100 tests: {wall:.1f} ms wall a solution; {cpu:.1f} ms CPU in this process, without the sandbox")


def read(path: Path) -> list[dict]:
    """The rows of a compressed file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


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


def truth_of(entry: str, inputs: list, expected: list, tolerance: float, program: str) -> bool:
    """Whether HumanEval+ calls a program right."""
    return judge(program, entry, inputs, expected, tolerance, limits=Limits(cpu_s=6.0, wall_s=60.0)).status == "passed"


def passes_of(suite: Suite, program: str) -> tuple[bool, ...]:
    """Whether a program passes each test."""
    return run_solution(suite, program)[0].passed


def codet(folder: Path, count: int) -> None:
    """Select with each method, and compare with HumanEval+'s verdicts."""
    truths = {row["task_id"]: row for row in read(folder / "humanevalplus" / "HumanEvalPlus.jsonl.gz")}
    tested = {row["task_id"]: row for row in read(folder / "codet" / "test_cases.jsonl.gz")}
    right_by: dict[str, list[bool]] = {method: [] for method in METHODS}
    share, accepted, right_all, took = [], [], [], 0.0
    for row in read(folder / "codet" / "solutions.jsonl.gz")[:count]:
        truth = truths[row["task_id"]]
        entry = truth["entry_point"]
        programs = [row["prompt"] + STOPS.split(sample)[0] + "\n" for sample in row["samples"]]
        tests = list(dict.fromkeys(one for sample in tested[row["task_id"]]["samples"] for one in asserts(sample, entry)))
        distinct = list(dict.fromkeys(programs))
        try:
            inputs = truth["base_input"] + truth["plus_input"]
            expected, _ = answers(truth["prompt"] + truth["canonical_solution"], entry, inputs, Limits(cpu_s=60, wall_s=300))
        except OssInstructError as error:
            print(row["task_id"], "left out:", error)
            continue
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            judged = functools.partial(truth_of, entry, inputs, expected, truth["atol"])
            verdicts = dict(zip(distinct, pool.map(judged, distinct), strict=True))
            if not tests:
                passes = dict.fromkeys(distinct, ())
            else:
                suite = read_suite("\n".join(tests), "python", truth["prompt"] + truth["canonical_solution"])
                began = time.monotonic()
                ran = pool.map(functools.partial(passes_of, suite), distinct)
                passes = dict(zip(distinct, ran, strict=True))
                took += time.monotonic() - began
        table = np.array([passes[program] for program in programs], dtype=bool).reshape(len(programs), -1)
        right = [verdicts[program] for program in programs]
        share.append(sum(right) / len(right))
        for method in METHODS:
            right_by[method].append(right[select(table, method).chosen])
        accepted += [bool(one.size and one.mean() > 0.5) for one in table]
        right_all += right
        found_by = {method: found[-1] for method, found in right_by.items()}
        print(row["task_id"], f"{len(distinct)} solutions, {table.shape[1]} tests, {sum(right)} right", found_by, flush=True)
    draws = random.Random(0)
    print(f"pass@1 of a random sample: {100 * np.mean(share):.1f} % over {len(share)} problems; matrices took {took:.0f} s")
    for method, found in right_by.items():
        means = sorted(100 * np.mean(draws.choices(found, k=len(found))) for _ in range(2000))
        print(f"{method:10} {100 * np.mean(found):5.1f} %  (95 %: {means[50]:.1f} to {means[1949]:.1f})")
    print("accepted where more than half of the tests pass:", rates(accepted, right_all))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["rows"]:
            rows()
        case ["matrix"]:
            matrix()
        case ["codet", place, number]:
            codet(Path(place), int(number))
        case _:
            sys.exit(__doc__)
