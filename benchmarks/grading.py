"""Where are MultiPL-E's tests graded, are verdicts the same in both places, and what does each cost?

    python benchmarks/grading.py --data ../shared/data                             # all languages, every 20th problem is run
    python benchmarks/grading.py --data ../shared/data --languages js cpp --every 4

The table counts the problems of each language whose answers are compared outside of the solution's process, and those whose tests
run inside, which is found by reading every test program and evaluating its expected values. Of every Nth problem two programs are
graded both ways: one that returns the expected values in turn, and one that returns them in another order. Verdicts must be the
same outside and inside; the processor seconds of both runs, compilation included, are compared. Expected values and what
`sandbox/prebuilt.py` makes are made first and are not in the figures.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from metering import Meter

from hf_oss_instruct.evaluation import call_tests
from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.benchmarks.multipl_e import KEYS
from hf_oss_instruct.evaluation.call_tests.core import CallTests
from hf_oss_instruct.evaluation.call_tests.expected import ExpectedValues
from hf_oss_instruct.evaluation.call_tests.grading import judge_calls
from hf_oss_instruct.evaluation.preflight import why_unavailable
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.evaluation.scoring.scoring import WHOLE_PROGRAM_LIMITS
from hf_oss_instruct.evaluation.tamper_protection import guarded
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program


@dataclass(frozen=True)
class Replay:
    """How a function of a language returns one value after the other.

    Attributes:
        opening: what stands between the prompt and the cases; it counts the calls.
        case: one call: AT is its number, VALUE what it returns.
        closing: what stands after the cases.
        before: what stands before the prompt.
    """

    opening: str
    case: str
    closing: str
    before: str = ""


REPLAYS = {
    "cpp": Replay(
        "    static int replayed = 0;\n    switch (replayed++) {\n", "    case AT: return (VALUE);\n", "    }\n    abort();\n"
    ),
    "csharp": Replay(
        '    int replayed = Convert.ToInt32(AppDomain.CurrentDomain.GetData("n"));\n'
        '    AppDomain.CurrentDomain.SetData("n", replayed + 1);\n',
        "    if (replayed == AT) return VALUE;\n",
        "    throw new Exception();\n",
    ),
    "d": Replay(
        "{\n    static int replayed = -1;\n    replayed++;\n", "    if (replayed == AT) return VALUE;\n", "    assert(0);\n}\n"
    ),
    "go": Replay("    replayed++\n", "    if replayed == AT { return VALUE }\n", '    panic("")\n}\nvar replayed = -1\n'),
    "java": Replay(
        '    int replayed = Integer.getInteger("n", 0); System.setProperty("n", "" + (replayed + 1));\n',
        "    if (replayed == AT) return VALUE;\n",
        "    throw new RuntimeException();\n",
    ),
    "javascript": Replay("  switch (replayed++) {\n", "    case AT: return (VALUE);\n", "  }\n}\n", "let replayed = 0;\n"),
    "lua": Replay(
        "\n  replayed = replayed + 1\n", "  if replayed == AT then return VALUE end\n", "end\n", "local replayed = -1\n"
    ),
    "perl": Replay("\n  my $n = $replayed++;\n", "  return (VALUE) if $n == AT;\n", "}\n", "my $replayed = 0;\n"),
    "php": Replay("  static $n = 0;\n  switch ($n++) {\n", "    case AT: return (VALUE);\n", "  }\n}\n"),
    "r": Replay("\n  replayed <<- replayed + 1\n  n <- replayed\n", "  if (n == AT) return(VALUE)\n", "}\n", "replayed <- -1\n"),
    "racket": Replay(
        "\n  (set! replayed (+ replayed 1))\n  (cond\n", "    [(= replayed AT) VALUE]\n", "  ))\n(define replayed -1)\n"
    ),
    "ruby": Replay("  $replayed += 1\n  case $replayed\n", "  when AT then return (VALUE)\n", "  end\nend\n", "$replayed = -1\n"),
    "rust": Replay(
        "    static N: std::sync::atomic::AtomicIsize = std::sync::atomic::AtomicIsize::new(0);\n"
        "    let replayed = N.fetch_add(1, std::sync::atomic::Ordering::SeqCst);\n",
        "    if replayed == AT { return VALUE; }\n",
        '    panic!("")\n',
    ),
    "shell": Replay(
        '\n  local n=$(cat "$HOME/n" 2>/dev/null || echo 0)\n  echo $((n + 1)) > "$HOME/n"\n  case $n in\n',
        "    AT) printf '%s\\n' VALUE ;;\n",
        "  esac\n",
    ),
    "typescript": Replay("  switch (replayed++) {\n", "    case AT: return (VALUE) as any;\n", "  }\n}\n", "let replayed = 0;\n"),
}
"""The tests of C++, C#, Java, Rust and shell begin with the brace that closes the function."""

_PRINTED = re.compile(r"\A\w+\(AT, (.*)\);\Z", re.DOTALL)
"""An expected value with what prints it, where that depends on the test."""


def replaying(problem: Problem, values: Sequence[str]) -> str:
    """A program that returns these values in turn."""
    replay = REPLAYS[problem.language]
    values = [_PRINTED.sub(r"\1", value) for value in values]
    cases = "".join(replay.case.replace("AT", str(at)).replace("VALUE", value) for at, value in enumerate(values))
    return replay.before + problem.prompt + replay.opening + cases + replay.closing


def graded_outside(problems: Sequence[Problem], expected: ExpectedValues) -> dict[str, tuple[CallTests, tuple[str, ...]]]:
    """Problem → its calls and expected values, of those that can be graded from outside."""

    def of(problem: Problem) -> tuple[str, CallTests | None, tuple[str, ...]]:
        tests = call_tests.read(problem.tests, problem.language)
        return problem.task_id, tests, expected.of(problem, tests).values if tests else ()

    with ThreadPoolExecutor(2) as pool:
        return {name: (tests, values) for name, tests, values in pool.map(of, problems) if tests and values}


def language(key: str, data: Path | None, every: int, meter: Meter) -> None:
    problems = list(load(f"multipl_e:{key}", data).problems.values())
    name = KEYS[key]
    if name not in call_tests.LANGUAGES or (trouble := why_unavailable(name)):
        print(f"| {name} | {len(problems)} | | | not graded: {trouble if name in call_tests.LANGUAGES else 'no toolchain'} |")
        return
    outside = graded_outside(problems, ExpectedValues())
    spent, same, passed, count = [0.0, 0.0], 0, 0, 0
    for problem in [one for one in problems if one.task_id in outside][::every]:
        tests, values = outside[problem.task_id]
        for order in (tests.expected, (*tests.expected[1:], tests.expected[0])):
            program = replaying(problem, order)
            started = meter.seconds()
            inside = judge_program(*guarded(program, problem.tests, name), name, WHOLE_PROGRAM_LIMITS)
            between = meter.seconds()
            found = judge_calls(program, tests, values, name, WHOLE_PROGRAM_LIMITS)
            spent = [spent[0] + between - started, spent[1] + meter.seconds() - between]
            alike = (inside.status == "passed") == (found.status == "passed")
            count, same, passed = count + 1, same + alike, passed + (found.status == "passed")
            if not alike:
                print(f"  {problem.task_id}: inside {inside.status}, outside {found.status}, {found.detail or inside.detail}")
    ratio = f"{spent[1] / spent[0]:.2f}" if spent[0] else ""
    counts = f"{len(problems)} | {len(outside)} | {len(problems) - len(outside)}"
    print(
        f"| {name} | {counts} | {same} of {count} the same, {passed} passed "
        f"| {spent[0] / max(count, 1):.3f} | {spent[1] / max(count, 1):.3f} | {ratio} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="local files; the Hub by default")
    parser.add_argument("--languages", nargs="*", default=list(KEYS))
    parser.add_argument("--every", type=int, default=20, help="which problems are run: every Nth")
    asked = parser.parse_args()
    meter = Meter()
    print(f"processor seconds of {meter.of}")
    print("| language | problems | outside | inside | verdicts | CPU-s inside | CPU-s outside | ratio |")
    print("|---|--:|--:|--:|---|--:|--:|--:|")
    for key in asked.languages:
        language(key, asked.data, asked.every, meter)
    meter.close()


if __name__ == "__main__":
    main()
