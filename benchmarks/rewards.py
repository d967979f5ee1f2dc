"""The code reward as TRL calls it: programs a second in batches of 256, beside a bare subprocess; and what attacks get.

    python benchmarks/rewards.py [--batches 4] [--languages python,cpp] [--verl DIR]
    python benchmarks/rewards.py --integrity [--verl DIR]

Every batch holds 32 problems with 8 different completions each, memoization is off. Processor time is that of this process and
all that it starts; the bound is what two processors could do with it. DIR is an unpacked wheel of verl, whose scorer then runs
too: only its module for code is loaded, since the package needs ray.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hf_oss_instruct.rewards import make_code_reward
from hf_oss_instruct.rewards.columns import read_row
from hf_oss_instruct.rewards.grading.prepare import make_grader
from hf_oss_instruct.sandbox.fork_servers import close_all
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.mounts import PYTHON
from hf_oss_instruct.sandbox.run import run_program

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.metering import Meter
from tests.rewards.attacks import RewardAttack, attacks

BATCH, EACH = 256, 8
Batch = tuple[list[str], dict[str, list[Any]]]
PYTHON_FUNCTION = """def task_{k}(values):
    total = {wrong}
    for value in values:
        if value % {d} == 0:
            total += value * {k}
    return total + len({tag!r}) * 0
"""
CPP_PROGRAM = """#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>
int main() {{
    int n;
    std::cin >> n;
    std::vector<int> values(n);
    for (auto &value : values) std::cin >> value;
    std::sort(values.begin(), values.end());
    std::map<std::string, int> seen;  // {tag}
    for (int value : values) seen[std::to_string(value)] += {k};
    std::cout << seen.size() + {wrong} << std::endl;
}}
"""


def python_functions(batch: int) -> Batch:
    """A function with three tests, half of them right."""
    completions, tests = [], []
    for at in range(BATCH):
        k, d = batch * 1000 + at // EACH, 2 + at // EACH % 3
        answers = [sum(v * k for v in values if v % d == 0) for values in ([], [1, 2, 3, 4], list(range(50)))]
        code = PYTHON_FUNCTION.format(k=k, d=d, wrong=at % 2, tag=f"{at}")
        completions.append(f"The idea is simple.\n\n```python\n{code}```\n")
        lines = [
            f"    assert task_{k}({given}) == {answer}"
            for given, answer in zip(("[]", "[1, 2, 3, 4]", "list(range(50))"), answers, strict=True)
        ]
        tests.append(
            f"from solution import task_{k}\n\n" + "\n\n".join(f"def test_{n}():\n{line}" for n, line in enumerate(lines))
        )
    return completions, {"tests": tests, "lang": ["python"] * BATCH}


def python_pairs(batch: int) -> Batch:
    """A program that reads standard input, with three cases."""
    completions, rows = [], []
    for at in range(BATCH):
        k = batch * 1000 + at // EACH
        completions.append(f"```python\nn = int(input())  # {at}\nprint(n * {k} + {at % 2})\n```\n")
        rows.append([{"input": f"{n}\n", "output": f"{n * k}\n"} for n in (1, 7, 40)])
    return completions, {"test_cases": rows, "lang": ["python"] * BATCH}


def cpp_pairs(batch: int) -> Batch:
    """A C++ program with three cases."""
    completions, rows = [], []
    for at in range(BATCH):
        code = CPP_PROGRAM.format(k=batch * 1000 + at // EACH, wrong=at % 2, tag=at)
        completions.append(f"```cpp\n{code}```\n")
        rows.append(
            [{"input": "3\n1 2 2\n", "output": "2\n"}, {"input": "1\n5\n", "output": "1\n"}, {"input": "0\n", "output": "0\n"}]
        )
    return completions, {"test_cases": rows, "lang": ["cpp"] * BATCH}


KINDS: dict[str, tuple[Callable[[int], Batch], str]] = {
    "python functions": (python_functions, "python"),
    "python stdin": (python_pairs, "python"),
    "cpp stdin": (cpp_pairs, "cpp"),
}


def program_in(completion: str) -> str:
    return completion.split("```")[1].partition("\n")[2]


def bare(completions: Sequence[str], columns: dict[str, list[Any]]) -> list[float | None]:
    """A subprocess for each completion, one for each input: no isolation, no limits, verdict by exit code and output."""
    found: list[float | None] = []
    with tempfile.TemporaryDirectory() as folder:
        for at, completion in enumerate(completions):
            source, command = Path(folder, "x.cpp"), [PYTHON, "-c", program_in(completion)]
            if columns["lang"][at] == "cpp":
                source.write_text(program_in(completion))
                subprocess.run(["g++", "-std=c++17", source, "-o", f"{folder}/x"], check=True)
                command = [f"{folder}/x"]
            if "tests" in columns:
                tests = columns["tests"][at].partition("\n")[2]
                calls = "".join(f"test_{n}()\n" for n in range(3))
                done = subprocess.run(
                    [PYTHON, "-c", f"{program_in(completion)}\n{tests}\n{calls}"], capture_output=True, check=False
                )
                found.append(float(done.returncode == 0))
                continue
            right = True
            for case in columns["test_cases"][at]:
                done = subprocess.run(command, input=case["input"], capture_output=True, text=True, check=False)
                right = right and done.returncode == 0 and done.stdout == case["output"]
            found.append(float(right))
    return found


def ours() -> Callable[[Sequence[str], dict[str, list[Any]]], list[float | None]]:
    function = make_code_reward(memoize=False)

    def run(completions: Sequence[str], columns: dict[str, list[Any]]) -> list[float | None]:
        return asyncio.run(function(prompts=[""] * len(completions), completions=completions, **columns))

    return run


def verl_scorer(folder: Path) -> Callable[..., Any]:
    """verl's own scorer of code, from an unpacked wheel."""
    place = folder / "verl" / "utils" / "reward_score" / "prime_code"
    spec = importlib.util.spec_from_file_location("prime_code", place / "__init__.py", submodule_search_locations=[str(place)])
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["prime_code"] = module
    spec.loader.exec_module(module)
    return module.compute_score


def by_verl(score: Callable[..., Any]) -> Callable[[Sequence[str], dict[str, list[Any]]], list[float | None]]:
    def run(completions: Sequence[str], columns: dict[str, list[Any]]) -> list[float | None]:
        found: list[float | None] = []
        for completion, cases in zip(completions, columns["test_cases"], strict=True):
            truth = {"inputs": [case["input"] for case in cases], "outputs": [case["output"] for case in cases]}
            found.append(float(score(completion, truth, continuous=True)[0]))
        return found

    return run


def throughput(batches: int, languages: Sequence[str], verl: Path | None) -> None:
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} processors, load {os.getloadavg()[0]:.1f}; batches of {BATCH}, {batches} of them\n")
    print(f"{'programs':18} {'graded by':26} {'per second':>10} {'CPU ms each':>12} {'bound on 2 CPUs':>16} {'right':>6}")
    for name, (make, language) in KINDS.items():
        if language not in languages:
            continue
        graders = {"code_reward": ours(), "bare subprocess": bare}
        if verl and name == "python stdin":
            graders["verl's scorer"] = by_verl(verl_scorer(verl))
        for title, grade in graders.items():
            # The first batch starts fork servers and prebuilds headers; a short one where each program takes long.
            count = 1 if title != "code_reward" or language == "cpp" else batches
            meter = Meter()
            if title == "code_reward":
                completions, columns = make(999)
                grade(completions[:EACH], {key: value[:EACH] for key, value in columns.items()})
            size = 64 if language == "cpp" or title != "code_reward" else BATCH
            cpu, wall, right = meter.seconds(), time.monotonic(), 0
            for batch in range(count):
                completions, columns = make(batch)
                found = grade(completions[:size], {key: value[:size] for key, value in columns.items()})
                right += sum(one == 1 - at % 2 for at, one in enumerate(found))
            cpu, wall = meter.seconds() - cpu, time.monotonic() - wall
            total = count * size
            each = cpu / total * 1000
            print(f"{name:18} {title:26} {total / wall:10.1f} {each:12.1f} {2000 / each:16.0f} {right / total:6.0%}", flush=True)
            close_all()
            meter.close()


EXIT_CODE = """
import sys, subprocess
done = subprocess.run([sys.executable, "-c", sys.stdin.read()], capture_output=True, timeout=10)
print("TOKEN" if done.returncode == 0 else "")
"""
FIRST_LINES = """
import json, sys, subprocess
job = json.loads(sys.stdin.read())
passed = 0
for case in job["cases"]:
    done = subprocess.run([sys.executable, "-c", job["program"]], input=case["input"], capture_output=True, text=True, timeout=10)
    if done.returncode:
        continue
    pairs = zip(done.stdout.strip().split("\\n"), case["output"].split("\\n"))
    passed += all(one.strip() == other.strip() for one, other in pairs)
print("TOKEN" if passed == len(job["cases"]) else "")
"""
SAME_PROCESS = """
import json, sys
job = json.loads(sys.stdin.read())
scope = {"__name__": "candidate"}
try:
    exec(job["program"], scope)
    right = all(scope[job["function"]](*given) == expected for given, expected in job["calls"][:10])
except Exception:
    right = False
print("TOKEN" if right else "")
"""


def rule(script: str, job: str) -> str:
    """What a rule of others, written anew from its description, says of a program; itself run in the sandbox."""
    token = secrets.token_hex(8)
    ran = run_program(script.replace("TOKEN", token), stdin=job, limits=Limits(cpu_s=20, wall_s=60), fresh=True)
    return "1.0" if ran.stdout.rstrip().endswith(token) else "0.0"


def others(attack: RewardAttack) -> dict[str, str]:
    """The verdicts of the rules that apply to an attack's kind of tests."""
    row = attack.row
    if row.get("lang", "python") != "python":
        return {}
    if "test_cases" in row:
        return {"open-r1": rule(FIRST_LINES, json.dumps({"program": attack.program, "cases": row["test_cases"]}))}
    tests = "\n".join(row["tests"]) if isinstance(row["tests"], list) else row["tests"].replace("from solution import add\n", "")
    calls = "\ntest_it()\n" if "test_it" in tests else ""
    found = {"exit code": rule(EXIT_CODE, f"{attack.program}\n{tests}{calls}")}
    scope = {"function": "ordered", "calls": [([[3, 1, 2]], [1, 2, 3])]} if "ordered" in tests else None
    job = scope or {"function": "add", "calls": [([1, 2], 3), ([3, 4], 7), ([10, 5], 15)]}
    return found | {"in process": rule(SAME_PROCESS, json.dumps({"program": attack.program, **job}))}


def integrity(verl: Path | None) -> None:
    score = verl_scorer(verl) if verl else None
    titles = ["code_reward", "trusted only", "exit code", "open-r1", "in process", *(["verl's scorer"] if score else [])]
    print(f"{'attack':42}" + "".join(f"{title:>15}" for title in titles))
    totals = dict.fromkeys(titles, 0)
    for attack in attacks():
        grader = make_grader(read_row(attack.row))
        cells: dict[str, str] = others(attack)
        for title, untrusted in (("code_reward", True), ("trusted only", False)):
            if not untrusted and not any(grader.trusted):
                cells[title] = "None"
                continue
            program = grader.program(attack.completion)
            found = grader.results(program, Limits(cpu_s=5, wall_s=15), untrusted=untrusted)
            counted = [right for right, safe in zip(found.passed, grader.trusted, strict=True) if safe or untrusted]
            cells[title] = "None" if found.status == "unscored" else f"{float(all(counted)):.1f}"
        if score and "test_cases" in attack.row:
            cases = attack.row["test_cases"]
            truth = {"inputs": [case["input"] for case in cases], "outputs": [case["output"] for case in cases]}
            cells["verl's scorer"] = f"{float(score(attack.completion, truth, continuous=True)[0]):.1f}"
        for title in titles:
            totals[title] += cells.get(title, "0.0") not in ("0.0", "None")
        print(f"{attack.name:42}" + "".join(f"{cells.get(title, '–'):>15}" for title in titles), flush=True)
    print(f"{'got a reward':42}" + "".join(f"{totals[title]:>15}" for title in titles))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument("--languages", default="python,cpp")
    parser.add_argument("--integrity", action="store_true")
    parser.add_argument("--verl", type=Path)
    given = parser.parse_args()
    if given.integrity:
        integrity(given.verl)
    else:
        throughput(given.batches, given.languages.split(","), given.verl)


if __name__ == "__main__":
    main()
