"""The canonical solutions of whole benchmarks: do all of them pass, always, and what does scoring cost?

    python benchmarks/evaluation.py --data ../shared/data                      # HumanEval+ and MBPP+, 6 CPU minutes
    python benchmarks/evaluation.py --data ../shared/data --tasks humaneval_plus --evalplus /tmp/evalplus/bin/evalplus.evaluate
    python benchmarks/evaluation.py --data ../shared/data --tasks humaneval_plus mbpp_plus --same    # three runs, two loaded
    python benchmarks/evaluation.py --data ../shared/data --tasks --languages python cpp java js ts  # HumanEval-X

Prints passed and total, wall seconds and processor seconds, and ratios: to the same calls in one bare process, without isolation,
comparison or limits; to evalplus (`pip install evalplus==0.3.1` in an environment of its own); to the compiler alone, outside of
any sandbox, started for each program as MultiPL-E does. Expected outputs, on both sides, and what `sandbox/prebuilt.py` makes are
made first and are not in the figures. TypeScript has no canonical solutions: HumanEval-X's in JavaScript serve, with
`--tsc FILE` for another tsc to compare with.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from metering import Meter

from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.problems import Benchmark, Problem
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.reference import References
from hf_oss_instruct.evaluation.scoring.scoring import score
from hf_oss_instruct.evaluation.scoring.verdicts import Verdict
from hf_oss_instruct.sandbox.run import run_program

HUMANEVAL_X = {"python": "python", "cpp": "cpp", "java": "java", "js": "javascript", "ts": "typescript"}
MULTIPL_E_INCLUDES = "#include<assert.h>\n#include<bits/stdc++.h>\n"  # how each of its C++ prompts begins
DECLARED = "declare var require: any, module: any, process: any;\n"
ALONE = {
    "cpp": ("program.cpp", "g++ -std=c++17 {source} -o {folder}/program", "{folder}/program"),
    "java": ("Main.java", "javac -encoding UTF8 -d {folder} {source}", "java -ea -cp {folder} Main"),
    "ts": ("program.ts", "{tsc} --target esnext --outDir {folder} {source}", "node {folder}/program.js"),
}
"""Bare: the name it wants for the source, MultiPL-E's command that compiles, and the one that runs."""
WARM = {"cpp": "#include <bits/stdc++.h>\nint main() {}", "java": "class Main { public static void main(String[] a) {} }"}


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


def canonical(benchmark: Benchmark) -> list[Sample]:
    return [Sample(problem.task_id, 0, problem.reference or "", "solution") for problem in benchmark.problems.values()]


def measured(benchmark: Benchmark, meter: Meter, references: References | None = None) -> float:
    """Score the canonical solutions, print what became of them; processor seconds."""
    wall, busy = time.monotonic(), meter.seconds()
    verdicts = score(benchmark, canonical(benchmark), references=references)
    wall, busy = time.monotonic() - wall, meter.seconds() - busy
    passed = sum(verdict.passed for verdict in verdicts)
    print(
        f"{benchmark.task} ({benchmark.version}): {passed}/{len(verdicts)} passed, {wall:.1f} s wall, {busy:.1f} CPU-s",
        flush=True,
    )
    for verdict in verdicts:
        if not verdict.passed:
            print(f"  {verdict.task_id}: {verdict.status}, {verdict.reason}")
    return busy


def plus(task: str, asked: argparse.Namespace, meter: Meter) -> None:
    benchmark, references = load(task, asked.data), References()
    for problem in benchmark.problems.values():
        if problem.calls:
            references.of(problem)
    if asked.same:
        same(benchmark, references)
        return
    busy = measured(benchmark, meter, references)
    if asked.floor:
        floor = floor_s(benchmark)
        print(f"  bare calls in one process: {floor:.1f} CPU-s; scoring is {busy / floor:.2f} × that", flush=True)
    if asked.evalplus and task in OF_EVALPLUS:
        theirs, said = evalplus(asked.evalplus, benchmark, task, asked.data, meter)
        print(f"  evalplus: {theirs:.1f} CPU-s, {said}; scoring is {busy / theirs:.2f} × that", flush=True)


OF_EVALPLUS = {"humaneval_plus": ("humaneval", "HUMANEVAL"), "mbpp_plus": ("mbpp", "MBPP")}


def evalplus(command: Path, benchmark: Benchmark, task: str, data: Path | None, meter: Meter) -> tuple[float, str]:
    """Processor seconds of evalplus over the same solutions, the second time, with its expected outputs kept; and its scores."""
    dataset, name = OF_EVALPLUS[task]
    environment = dict(os.environ)
    if data:
        (file,) = data.rglob({"humaneval": "HumanEvalPlus", "mbpp": "MbppPlus"}[dataset] + ".jsonl.gz")
        environment[f"{name}_OVERRIDE_PATH"] = str(file)
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder, "samples.jsonl")
        lines = [{"task_id": one.task_id, "solution": one.text} for one in canonical(benchmark)]
        samples.write_text("".join(json.dumps(line) + "\n" for line in lines))
        spent, said = 0.0, ""
        for _ in range(2):
            for result in Path(folder).glob("*results*"):
                result.unlink()
            busy = meter.seconds()
            words = [command, "--dataset", dataset, "--samples", samples, "--parallel", str(len(os.sched_getaffinity(0)))]
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
            spent = meter.seconds() - busy
            said = ", ".join(line for line in done.stdout.split("\n") if line.startswith("pass@1"))
    return spent, said


def same(benchmark: Benchmark, references: References) -> None:
    """Are verdicts the same with one worker, with two, and with eight busy loops beside?"""
    runs: dict[str, list[Verdict]] = {}
    for name, workers, loops in (("one worker", 1, 0), ("two workers", 2, 0), ("two workers, eight busy loops", 2, 8)):
        started = time.monotonic()
        with busy(loops):
            runs[name] = score(benchmark, canonical(benchmark), references=references, workers=workers)
        passed = sum(verdict.passed for verdict in runs[name])
        retried = sum(verdict.retried for verdict in runs[name])
        took = time.monotonic() - started
        print(f"{benchmark.task}, {name}: {passed}/{len(runs[name])} passed, {retried} retried, {took:.0f} s wall", flush=True)
    first, *others = ([(one.task_id, one.status, one.per_input) for one in verdicts] for verdicts in runs.values())
    print(
        "  verdicts, input by input: " + ("the same" if all(other == first for other in others) else "NOT the same"), flush=True
    )


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def humaneval_x(key: str, data: Path) -> Benchmark:
    """HumanEval-X's canonical solutions in the shape of MultiPL-E's programs."""
    file = data / "humaneval-x" / f"humaneval_{'js' if key == 'ts' else key}.jsonl.gz"
    before = {"cpp": MULTIPL_E_INCLUDES, "ts": DECLARED}.get(key, "")
    problems = {}
    for line in gzip.open(file, "rt", encoding="utf-8"):
        row = json.loads(line)
        whole = before + row["prompt"] + row["canonical_solution"]
        name = row["task_id"]
        problems[name] = Problem(name, HUMANEVAL_X[key], before + row["prompt"], "", (), name, whole, tests=row["test"])
    return Benchmark(f"humaneval_x:{key}", "of CodeGeeX", "", problems)


def language(key: str, asked: argparse.Namespace, meter: Meter) -> None:
    benchmark = humaneval_x(key, asked.data)
    if key in WARM:
        run_program(WARM[key], HUMANEVAL_X[key])
    ours = measured(benchmark, meter) / len(benchmark.problems)
    if key not in ALONE:
        return
    name, *lines = ALONE[key]
    given = list(benchmark.problems.values())[:: asked.every]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, name)
        commands = [line.format(source=source, folder=folder, tsc=asked.tsc).split() for line in lines]
        spent = [0.0, 0.0]  # processor seconds: compiling, running
        for problem in given:
            source.write_text(f"{problem.reference}\n{problem.tests}")
            for step, command in enumerate(commands):
                started = meter.seconds()
                subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
                spent[step] += meter.seconds() - started
    compiling, both = spent[0] / len(given), sum(spent) / len(given)
    print(
        f"  bare: {compiling:.2f} CPU-s a program for {commands[0][0]}, {both:.2f} with its run; here, sandboxed and judged: "
        f"{ours:.2f}, which is {ours / compiling:.2f} and {ours / both:.2f} × that",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="local files; the Hub by default")
    parser.add_argument("--tasks", nargs="*", default=["humaneval_plus", "mbpp_plus"])
    parser.add_argument("--floor", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--evalplus", type=Path, help="its command evalplus.evaluate")
    parser.add_argument("--same", action="store_true", help="are the verdicts of three runs the same?")
    parser.add_argument("--languages", nargs="*", default=[], choices=list(HUMANEVAL_X), help="needs --data")
    parser.add_argument("--every", type=int, default=4, help="of so many programs of --languages, the bare compiler gets one")
    parser.add_argument("--tsc", default="tsc", help="the TypeScript compiler to compare with")
    asked = parser.parse_args()
    meter = Meter()
    print(f"CPU-s are those of {meter.of}.")
    try:
        for task in asked.tasks:
            plus(task, asked, meter)
        for key in asked.languages:
            language(key, asked, meter)
    finally:
        meter.close()


if __name__ == "__main__":
    main()
