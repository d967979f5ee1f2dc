"""Implementation of the `evaluate` metric: the interface of `code_eval`, with every program in the sandbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import SandboxError, UsageError
from hf_oss_instruct.evaluation.scoring.pass_at_k import mean_pass_at_k
from hf_oss_instruct.evaluation.scoring.reference import EXTRA_WALL_S, WALL_PER_CPU
from hf_oss_instruct.reasoning import split_reasoning, strip_end_tokens
from hf_oss_instruct.sandbox.judging.python_tests import judge_tests
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.terminal.display import one_line

CodeEvalResults = dict[int, list[tuple[int, dict[str, Any]]]]


def metric_path() -> str:
    """Return the path of the metric: `evaluate.load(hf_oss_instruct.metric_path())` replaces `evaluate.load("code_eval")`.

        metric = evaluate.load(hf_oss_instruct.metric_path())
        pass_at_k, results = metric.compute(references=["assert add(2, 3) == 5"], predictions=[["def add(a, b): return a + b"]])

    Programs run in the sandbox, so HF_ALLOW_CODE_EVAL is not needed; `timeout` is CPU time, so that a loaded machine gives
    the same results; a program that exits before its tests have run fails.

    Returns:
        A path for `evaluate.load`.
    """
    return str(Path(__file__).with_name("sandboxed_code_eval.py"))


def code_eval(
    predictions: Sequence[Sequence[str]],
    references: Sequence[str],
    k: Sequence[int] | int = (1, 10, 100),
    num_workers: int = 4,
    timeout: float = 3.0,
) -> tuple[dict[str, float], CodeEvalResults]:
    """Compute pass@k of Python programs, and the result of each.

    Args:
        predictions: the candidates of each task.
        references: the test of each task: statements that are run after a candidate.
        k: values of k for pass@k; as in `code_eval`, a k larger than the number of candidates of some task is left out.
        num_workers: number of programs run in parallel.
        timeout: CPU time limit of each program, in seconds.

    Returns:
        `{"pass@k": mean}`, and task → (number of the candidate, `task_id`, `passed`, `result`, `completion_id`), as
        `code_eval`, and `graded`: `outside` if answers were compared outside the candidate's process, `inside` if the test ran
        in it.

    Raises:
        UsageError: the numbers of tests and tasks differ.
        SandboxError: no sandbox works on this machine, or it failed, which says nothing about the program.
    """
    if len(predictions) != len(references):
        raise UsageError(f"Got {len(predictions)} lists of candidates and {len(references)} tests. Pass one test per list.")
    # Wall time only ends programs that wait, as in `scoring.reference`.
    limits = Limits(cpu_s=timeout, wall_s=WALL_PER_CPU * timeout + EXTRA_WALL_S, memory_mib=4096)
    tasks = [(task, number, text) for task, own in enumerate(predictions) for number, text in enumerate(own)]

    def judged(job: tuple[int, int, str]) -> dict[str, Any]:
        task, number, text = job
        return {"task_id": task, **_verdict(text, references[task], limits), "completion_id": number}

    results: CodeEvalResults = defaultdict(list)
    with ThreadPoolExecutor(num_workers, thread_name_prefix="code_eval") as pool:
        for row in pool.map(judged, tasks):
            results[row["task_id"]].append((row["completion_id"], row))
    counts = [(len(own), sum(row["passed"] for _, row in own)) for own in results.values()]
    wanted = [k] if isinstance(k, int) else k
    fewest = min((n for n, _ in counts), default=0)
    return {f"pass@{wanted_k}": mean_pass_at_k(counts, wanted_k) for wanted_k in wanted if wanted_k <= fewest}, results


def _verdict(text: str, test: str, limits: Limits) -> dict[str, Any]:
    judged = judge_tests(strip_end_tokens(split_reasoning(text)[1]), test, limits)
    # `code_eval` has no value for "not known".
    if judged.status == "sandbox_error":
        raise SandboxError(f"The sandbox failed on a candidate: {judged.detail}. The candidate was not judged; try again.")
    last_line = judged.execution.stderr.strip().rpartition("\n")[2] if judged.execution else ""
    words = {"passed": "passed", "timeout": "timed out"}
    return {
        "passed": judged.status == "passed",
        "graded": "outside" if judged.outside else "inside",
        "result": words.get(judged.status, f"failed: {one_line(judged.detail or last_line or judged.status)}"),
    }
