"""The benchmarks as tasks for the plain `lighteval` command.

    lighteval … "humaneval_plus|0" --custom-tasks hf_oss_instruct.evaluation.integrations.lighteval_tasks

`humaneval`, `humaneval_plus`, `mbpp`, `mbpp_plus`, `multipl_e:LANGUAGE` (and `multipl_e`, which is all of them) and
`multipl_e_mbpp:LANGUAGE` are for completion; `humaneval_chat` … `multipl_e_chat:LANGUAGE` for models that lighteval asks
through a chat template or a chat server. `humaneval_plus@n=20|0` asks for 20 samples of every problem.

Data is loaded from the Hub at the commits that `score` uses, or from the folder in the environment variable
OSS_INSTRUCT_BENCHMARKS.

Written for lighteval 0.13 (November 2026).
"""

from __future__ import annotations

import functools
import json
import logging
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xxhash
from lighteval.metrics.metrics_sample import SampleLevelComputation, SamplingMetric
from lighteval.metrics.utils.metric_utils import SampleLevelMetric
from lighteval.models.model_output import ModelResponse
from lighteval.tasks.lighteval_task import LightevalTaskConfig
from lighteval.tasks.requests import Doc, SamplingMethod

from hf_oss_instruct.benchmarks.registry import BENCHMARKS, HubBenchmark
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.benchmarks import PYTHON_TASKS, load, multipl_e
from hf_oss_instruct.evaluation.benchmarks.humaneval import STOP_TOKENS
from hf_oss_instruct.evaluation.benchmarks.mbpp import STOP_TOKENS as MBPP_STOP_TOKENS
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.prompts import NEW_TOKENS, build_prompt
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.pass_at_k import pass_at_k
from hf_oss_instruct.evaluation.scoring.results import KS
from hf_oss_instruct.evaluation.scoring.scoring import score
from hf_oss_instruct.evaluation.scoring.verdicts import Verdict
from hf_oss_instruct.evaluation.sources import find
from hf_oss_instruct.storage.cache import cache_folder, write_cached

DATA_VARIABLE = "OSS_INSTRUCT_BENCHMARKS"
"""Environment variable with the folder of the benchmarks' files, because lighteval tasks take no arguments."""
MULTIPL_E_STOPS = {
    "cpp": ["\n}"],
    "cs": ["\n    }\n"],
    "d": ["\n\n", "\nvoid", "\nbool", "\nint"],
    "go": ["\nfunc", "struct", "\n// "],
    "java": ["\n    }\n"],
    "jl": ["\nfunction", "\nmacro", "\n\n"],
    "js": ["\nfunction ", "\n/*", "\n//", "\nconsole.log"],
    "lua": ["\nlocal", "\nfunction", "\n--", "\n\n"],
    "php": ["\nfunction", "\n?>", "\n//", "\n#"],
    "pl": ["\nsub", "\n#", "\n\n"],
    "r": ["\n#", "\n```"],
    "rb": ["\nclass", "\ndef", "\n#", "\n\n"],
    "rkt": ["\n(define ", "\n#|", "\n;", "\n("],
    "rs": ["\n}"],
    "scala": ["\n    }\n"],
    "sh": ["\n}"],
    "swift": ["\n}"],
    "ts": ["\nfunction ", "\n/*", "\n//", "\nclass"],
}
"""MultiPL-E's stop tokens, identical in all rows of a language: lighteval needs them before it reads a row."""
logger = logging.getLogger(__name__)


class PassAtK(SamplingMetric, SampleLevelComputation):
    """pass@k of all answers of a task, judged together in the sandbox.

    Args:
        task: task name, see `benchmarks.load`.
        n: number of samples per problem; set by `TASK@n=20`.
    """

    def __init__(self, task: str, n: int = 1) -> None:
        # lighteval asks for n samples only if the function of a metric is a SamplingMetric.
        SamplingMetric.__init__(self)
        self.task, self.n = task, n

    def num_samples(self) -> int:
        """Return how many answers lighteval requests."""
        return self.n

    def compute(self, responses: Sequence[ModelResponse], docs: Sequence[Doc], **_: Any) -> list[dict[str, Any]]:  # type: ignore[override]
        """Judge each document's answers; the rows go into lighteval's details and to `aggregated`."""
        specifics = [doc.specific or {} for doc in docs]
        samples = [
            Sample(facts["task_id"], number, text, facts["kind"])
            for facts, response in zip(specifics, responses, strict=True)
            for number, text in enumerate(response.text)  # unchanged: the scoring core removes the reasoning
        ]
        verdicts: dict[str, list[Verdict]] = {}
        for verdict in score(benchmark(self.task), samples):
            verdicts.setdefault(verdict.task_id, []).append(verdict)
        if unknown := [verdict for own in verdicts.values() for verdict in own if not verdict.final]:
            logger.warning("%s: %d of %d samples have no verdict: %s", self.task, len(unknown), len(samples), unknown[0].reason)
        return [_row(verdicts[facts["task_id"]]) for facts in specifics]


def aggregated(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Compute pass@1, 10 and 100, up to the number of samples, with lighteval's standard error; `base_pass@k` for base tests.

    Problems without a verdict are excluded from every score; if no problem has one, the score is NaN.
    """
    scores: dict[str, float] = {}
    for name, part in (("", "passed"), ("base_", "base")):
        counts = [(len(own), sum(own)) for row in rows if (own := [outcome for outcome in row[part] if outcome is not None])]
        if not counts and part == "passed":
            scores["pass@1"] = math.nan
        for k in [k for k in KS if counts and k <= min(n for n, _ in counts)]:
            values = [pass_at_k(n, c, k) for n, c in counts]
            mean = sum(values) / len(values)
            scores[f"{name}pass@{k}"] = mean
            if len(values) > 1:
                spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
                scores[f"{name}pass@{k}_stderr"] = spread / math.sqrt(len(values))
    return scores | {"not_evaluated": float(sum(outcome is None for row in rows for outcome in row["passed"]))}


@functools.cache
def benchmark(task: str) -> Benchmark:
    """Load the problems of a task, from the Hub or from the folder in the environment variable."""
    return load(task, data=Path(os.environ[DATA_VARIABLE]) if os.environ.get(DATA_VARIABLE) else None)


def _row(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    judged = [verdict.final for verdict in verdicts]
    return {
        "passed": [verdict.passed if known else None for verdict, known in zip(verdicts, judged, strict=True)],
        "base": [None if verdict.plus is None else verdict.base for verdict in verdicts],
        "status": [verdict.status for verdict in verdicts],
        "reason": [verdict.reason for verdict in verdicts],
        "program": [verdict.program for verdict in verdicts],
        "stderr": [verdict.stderr for verdict in verdicts],
        "cpu_s": [verdict.cpu_s for verdict in verdicts],
        "wall_s": [verdict.wall_s for verdict in verdicts],
    }


def _documents(task: str, style: str) -> Callable[[dict[str, Any], str], Doc]:
    """Return the function with which lighteval turns a row into a document."""

    def document(line: dict[str, Any], task_name: str) -> Doc:
        if line.get("__few_shots"):
            raise UsageError(f"{task_name} does not support few-shot examples. Write it as {task_name}|0.")
        problems = benchmark(task)
        name = line.get("name", line.get("task_id"))
        problem = problems.problems[name if isinstance(name, str) else f"Mbpp/{name}"]
        prompt = build_prompt(problem, style)
        facts = {"task_id": problem.task_id, "kind": prompt.kind, "language": problem.language, "version": problems.version}
        return Doc(query=prompt.text, choices=[problem.reference or ""], gold_index=0, specific=facts, task_name=task_name)

    document.__name__ = f"{style}_of_{task}"  # lighteval's answer cache identifies a task by the names in its config
    return document


def _config(name: str, task: str, style: str, source: HubBenchmark, stop: Sequence[str]) -> LightevalTaskConfig | None:
    """Build a task; None if local files are requested and it has none."""
    local = os.environ.get(DATA_VARIABLE)
    if local and find(source, Path(local)) is None:
        return None
    metric = SampleLevelMetric(
        metric_name="pass@k",
        higher_is_better=True,
        category=SamplingMethod.GENERATIVE,
        sample_level_fn=PassAtK(task),
        corpus_level_fn=aggregated,
        # All documents at once: lighteval would judge one after the other.
        batched_compute=True,
    )
    return LightevalTaskConfig(
        name=name,
        prompt_function=_documents(task, style),
        hf_repo=str(_id_folder(task)) if local else source.repo,
        hf_subset="default" if local else source.subset,
        hf_revision=None if local else source.revision,
        metrics=[metric],
        hf_avail_splits=["test"],
        evaluation_splits=["test"],
        generation_size=NEW_TOKENS[style],
        # lighteval would also apply them to chat answers, which may hold them before the solution.
        stop_sequence=list(stop) if style == "completion" else [],
    )


def _id_folder(task: str) -> Path:
    """Create a folder with the IDs of a task's problems, for `datasets` to read if it cannot read the benchmark's own file."""
    loaded = benchmark(task)
    key = json.dumps([loaded.task, loaded.version, list(loaded.problems)])
    folder = cache_folder("lighteval", xxhash.xxh3_128_hexdigest(key.encode()))
    lines = "".join(json.dumps({"task_id": task_id}) + "\n" for task_id in loaded.problems)
    write_cached(folder / "test.jsonl", lines.encode())
    return folder


def _table() -> list[LightevalTaskConfig]:
    stops = {"humaneval": STOP_TOKENS, "humaneval_plus": STOP_TOKENS, "mbpp": MBPP_STOP_TOKENS, "mbpp_plus": MBPP_STOP_TOKENS}
    configs: list[LightevalTaskConfig | None] = []
    for style, suffix in (("completion", ""), ("chat", "_chat")):
        for task in PYTHON_TASKS:
            configs.append(_config(f"{task}{suffix}", task, style, BENCHMARKS[task], stops[task]))
        for origin, family in (("", "multipl_e"), ("mbpp-", "multipl_e_mbpp")):
            for key, stop in MULTIPL_E_STOPS.items():
                task, source = multipl_e.source(f"{origin}{key}")
                configs.append(_config(f"{family}{suffix}:{key}", task, style, source, stop))
    return [config for config in configs if config]


TASKS_TABLE = _table()
