"""The scoring core: problems and samples in, verdicts out. It does not depend on any evaluation framework."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace

import xxhash

from hf_oss_instruct.evaluation import call_tests
from hf_oss_instruct.evaluation.call_tests.expected import ExpectedValues
from hf_oss_instruct.evaluation.call_tests.grading import judge_calls
from hf_oss_instruct.evaluation.extraction import Extracted, extract
from hf_oss_instruct.evaluation.oracles import ORACLES
from hf_oss_instruct.evaluation.preflight import toolchain_of, why_unavailable
from hf_oss_instruct.evaluation.problems import Benchmark, Problem
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.reference import References
from hf_oss_instruct.evaluation.scoring.verdicts import NOT_FINAL, Verdict
from hf_oss_instruct.evaluation.tamper_protection import guarded
from hf_oss_instruct.reasoning import split_reasoning, strip_end_tokens
from hf_oss_instruct.sandbox.fork_servers import give_up
from hf_oss_instruct.sandbox.judging.judge import judge
from hf_oss_instruct.sandbox.judging.judgement import Judgement
from hf_oss_instruct.sandbox.judging.python_tests import judge_tests
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.terminal.display import one_line

VERSION = 5
"""Version of the judging rules: a change invalidates every cached verdict."""
WHOLE_PROGRAM_LIMITS = Limits(cpu_s=15.0, wall_s=180.0, memory_mib=4096)
"""For tests that are a program: MultiPL-E's 15 seconds, as CPU time."""
MIN_CPU_SHARE = 0.9
"""A timeout that used less than this fraction of its CPU time was caused by the wall time limit."""
MAX_STDERR_CHARS = 2000
# How a failed assertion reads: as an exception; in C and C++; in R; in rackunit; in Go.
_ASSERTED = re.compile(r"\bAssert(?:ion)?Error\b|\b[Aa]ssertion\b.*\bfailed|\) is not TRUE$|^FAILURE$|^--- FAIL: ", re.MULTILINE)
_ERROR = re.compile(r"\b\w*(?:Error|Exception)\b|[Aa]ssertion")


def score(
    benchmark: Benchmark,
    samples: Iterable[Sample],
    *,
    known: Mapping[str, Verdict] | None = None,
    on_verdict: Callable[[Verdict], None] = lambda verdict: None,
    workers: int | None = None,
    references: References | None = None,
    tier: str | None = None,
) -> list[Verdict]:
    """Judge samples in parallel.

    Args:
        benchmark: the problems.
        samples: the model's samples.
        known: key → earlier verdict, which is reused.
        on_verdict: called in this thread with each verdict as it arrives, reused ones first.
        workers: number of samples judged in parallel; the number of CPUs by default.
        references: the reference solutions' answers; cached ones by default.
        tier: as of `run_program`.

    Returns:
        The verdicts in the order of the samples.

    Raises:
        SandboxError: no sandbox works on this machine.
        EvaluationError: a reference solution cannot be used.
    """
    grader = SampleGrader(references or References(tier=tier), dict(known or {}), tier)
    samples = list(samples)
    # Start with the longest, so that the end does not wait for one of them on a single CPU.
    order = sorted(range(len(samples)), key=lambda index: -grader.expected_cpu_s(benchmark.problems[samples[index].task_id]))
    verdicts: dict[int, Verdict] = {}
    late: list[int] = []
    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0)), thread_name_prefix="score") as pool:
        futures = {
            pool.submit(grader.verdict, benchmark.problems[samples[index].task_id], samples[index]): index for index in order
        }
        try:
            for future in as_completed(futures):
                verdict, waited = future.result()
                verdicts[futures[future]] = verdict
                if waited:
                    late.append(futures[future])
                else:
                    on_verdict(verdict)
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(error, KeyboardInterrupt):  # otherwise the pool would wait minutes for active runs
                give_up()
            raise
    for index in sorted(late):  # with nothing else running, the wall time limit ends only programs that wait
        verdict, _ = grader.verdict(benchmark.problems[samples[index].task_id], samples[index])
        verdicts[index] = replace(verdict, retried=True)
        on_verdict(verdicts[index])
    return [verdicts[index] for index in range(len(samples))]


class SampleGrader:
    """Judges samples, or reuses earlier verdicts.

    Args:
        references: the reference solutions' answers.
        known: key → earlier verdict.
        tier: as of `run_program`.
    """

    def __init__(self, references: References, known: dict[str, Verdict], tier: str | None = None) -> None:
        self._references, self._known, self._tier = references, known, tier
        self._expected = ExpectedValues(tier=tier)

    def expected_cpu_s(self, problem: Problem) -> float:
        """Estimate the CPU seconds that a sample of the problem needs; 0 if unknown."""
        return self._references.known_cpu_s(problem) if problem.calls else 0.0

    def verdict(self, problem: Problem, sample: Sample) -> tuple[Verdict, bool]:
        """Return the verdict, and whether the wall time limit caused it."""
        extracted = extract(problem, answer_of(sample), sample.kind)
        if reason := why_unavailable(problem.language, self._tier):
            return _verdict(problem, sample, extracted, Judgement("not_evaluated", [False], detail=reason), ""), False
        limits = self._references.of(problem).limits if problem.calls else WHOLE_PROGRAM_LIMITS
        key = key_of(extracted.program, problem, limits, self._tier)
        # An earlier run judged an equal program, maybe as another sample.
        if (known := self._known.get(key)) and known.final:
            again = replace(known, task_id=sample.task_id, sample=sample.number, answer=sample.text, extracted=extracted.how)
            return again, False
        judged = self._judge(problem, extracted, limits)
        ran = judged.execution
        # Limits are CPU time. A program that had used little of it waited, or the machine was busy.
        waited = judged.status == "timeout" and ran is not None and ran.cpu_s < MIN_CPU_SHARE * limits.cpu_s
        verdict = _verdict(problem, sample, extracted, judged, key)
        return verdict, waited

    def _judge(self, problem: Problem, extracted: Extracted, limits: Limits) -> Judgement:
        if not extracted.program.strip():
            return Judgement("empty_answer", [False] * (len(problem.calls.inputs) if problem.calls else 1))
        if problem.calls is None:
            return _with_precise_status(
                self._judge_tests(problem, extracted.program, _tests_to_append(problem.tests, extracted), limits)
            )
        calls, expected = problem.calls, self._references.of(problem).expected
        program, rule = extracted.program + calls.adapter, ORACLES[calls.oracle]
        return judge(
            program, problem.entry_point, calls.inputs, expected, calls.tolerance, limits=limits, tier=self._tier, rule=rule
        )

    def _judge_tests(self, problem: Problem, program: str, tests: str, limits: Limits) -> Judgement:
        """Grade from outside if the tests are calls whose expected values can be computed without the program; else inside."""
        if problem.language == "python":
            return judge_tests(program, tests, limits, entry_point=problem.entry_point, tier=self._tier)
        if called := call_tests.read(tests, problem.language):
            expected = self._expected.of(problem, called)
            if not expected.final:
                return Judgement("sandbox_error", [False], detail=expected.error)
            if expected.values:
                return judge_calls(program, called, expected.values, problem.language, limits, tier=self._tier)
        program, tests = guarded(program, tests, problem.language)
        return judge_program(program, tests, problem.language, limits, tier=self._tier)


def answer_of(sample: Sample) -> str:
    """Return the model's answer without reasoning and end tokens; MultiPL-E's results are used unchanged."""
    return sample.text if sample.kind == "program" else strip_end_tokens(split_reasoning(sample.text)[1])


def key_of(program: str, problem: Problem, limits: Limits, tier: str | None = None) -> str:
    """Hash everything that a verdict depends on: program, tests, limits and toolchain.

    Args:
        program: source code of the solution.
        problem: the problem with its tests.
        limits: resource limits of the run.
        tier: name of a sandbox tier, see `sandbox.run.run_program`.
    """
    parts = [VERSION, program, problem.fingerprint, asdict(limits), toolchain_of(problem.language), tier]
    return xxhash.xxh3_128_hexdigest(json.dumps(parts).encode("utf-8", "surrogatepass"))


def _tests_to_append(tests: str, extracted: Extracted) -> str:
    """Return the tests to append to a program, without the leading brace if the function is already closed."""
    return tests.lstrip().removeprefix("}") if extracted.whole else tests


def _with_precise_status(judged: Judgement) -> Judgement:
    """Refine a failed status: a failed assertion is a wrong answer, a parse error a syntax error. Add the program's message."""
    if judged.status != "runtime_error" or (ran := judged.execution) is None:
        return judged
    output = ran.stderr.strip() or (ran.stdout.strip() if "--- FAIL: " in ran.stdout else "")  # Go's tests report there
    if not output:
        return judged
    lines = [line for line in output.split("\n") if _ERROR.search(line)] or output.split("\n")
    status = "wrong_answer" if _ASSERTED.search(output) else "compile_error" if "SyntaxError" in output else judged.status
    return replace(judged, status=status, detail=judged.detail or one_line(lines[-1]))


def _verdict(problem: Problem, sample: Sample, extracted: Extracted, judged: Judgement, key: str) -> Verdict:
    passed = judged.status == "passed"
    base: bool | None = passed
    plus: bool | None = None
    if problem.calls:
        count = problem.calls.base
        base = None if count is None else all(judged.per_input[:count])
        plus = passed
    # The sandbox or the machine failed: the sample did not.
    if judged.status in NOT_FINAL:
        base = plus = None
    ran = judged.execution
    return Verdict(
        sample.task_id,
        sample.number,
        judged.status,
        base,
        plus,
        judged.detail,
        round(ran.wall_s, 4) if ran else 0.0,
        round(ran.cpu_s, 4) if ran else 0.0,
        extracted.program,
        sample.text,
        extracted.how,
        per_input="".join("01"[right] for right in judged.per_input) if judged.outside else "",
        stderr=ran.stderr[-MAX_STDERR_CHARS:] if ran else "",
        sandbox=ran.tier if ran else "",
        key=key,
        graded=("outside" if judged.outside else "inside") if ran else "",
    )
