"""Tasks for scoring during training (a benchmark's problems or custom tasks), and their judges, which use the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.code.languages import find_language
from hf_oss_instruct.code.syntax import MINED_LANGUAGES, parses
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.evaluation.prompts import instruction
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.reference import References
from hf_oss_instruct.evaluation.scoring.scoring import SampleGrader
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.structured import any_json
from hf_oss_instruct.training.callbacks import AnswerOutcome, JudgedAnswer, Scoring

REQUIRED_FIELDS = ("instruction", "entry_point", "tests")
"""Required fields of a custom task; `language` is optional, Python by default."""


def scoring(
    what: str,
    *,
    every: int = Scoring.every,
    data: Path | None = None,
    count: int | None = None,
    max_new_tokens: int = Scoring.max_new_tokens,
    batch_size: int = Scoring.batch_size,
    tier: str | None = None,
) -> Scoring:
    """Configure scoring during training, judged in the sandbox.

    Args:
        what: a task of `benchmarks.load` such as `humaneval_plus`; or a `.jsonl` file, each line with `instruction` (what the
            model is asked), `entry_point` (the function to write), `tests` (statements that run after it and raise if it is
            wrong) and optionally `language`.
        every: steps between scores.
        data: local files of the benchmark; None for the Hub.
        count: how many of the problems, evenly spread; all of them by default.
        max_new_tokens: tokens of an answer at most.
        batch_size: answers generated together.
        tier: as of `run_program`.

    Raises:
        UsageError: the task is unknown, the file does not exist, or a line of the file lacks a field.
        EvaluationError: the benchmark's data cannot be read.
        SandboxError: this machine has no sandbox.
    """
    tier = chosen_tier(tier).name
    problems = _read_custom_tasks(Path(what)) if what.endswith(".jsonl") else _of_benchmark(what, data)
    step = max(1, len(problems) // (count or len(problems)))
    return Scoring(problems[::step][:count], SandboxAnswerJudge(tier), every, max_new_tokens, batch_size)


def _of_benchmark(task: str, data: Path | None) -> list[dict[str, Any]]:
    return [{"instruction": instruction(problem), "problem": problem} for problem in load(task, data).problems.values()]


def _read_custom_tasks(path: Path) -> list[dict[str, Any]]:
    """Read custom tasks from a .jsonl file."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The tasks {str(path)!r} cannot be read: {error}. Pass a .jsonl file.") from error
    return [_task(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _task(path: Path, number: int, line: str) -> dict[str, Any]:
    where = f"Line {number} of {path}"
    try:
        record = any_json(line)
    except ValueError as error:
        raise UsageError(f"{where} is not JSON: {error}. Write one object per line.") from error
    missing = [
        name for name in REQUIRED_FIELDS if not (isinstance(record, dict) and isinstance(record.get(name), str) and record[name])
    ]
    if missing:
        raise UsageError(f"{where} has no text {missing[0]!r}. A task has {', '.join(REQUIRED_FIELDS)}, and may have language.")
    language_name = record.get("language", "python")
    if (language := find_language(language_name) if isinstance(language_name, str) else None) is None:
        raise UsageError(f"{where} is in an unknown language {record['language']!r}. Leave it out for Python.")
    problem = Problem(
        task_id=f"{path.name}:{number}",
        language=language.name,
        prompt="",
        entry_point=record["entry_point"],
        stop_tokens=(),
        fingerprint=xxhash.xxh3_128_hexdigest(line.encode()),
        tests=record["tests"],
    )
    return {"instruction": record["instruction"], "problem": problem}


class SandboxAnswerJudge:
    """Extracts the program in an answer and grades it, as `score` does.

    Args:
        tier: as of `run_program`.
    """

    def __init__(self, tier: str | None = None) -> None:
        self._grader = SampleGrader(References(tier=tier), {}, tier)

    def __call__(self, task: Mapping[str, Any], answer: str) -> JudgedAnswer:
        """Judge one answer to one task."""
        problem: Problem = task["problem"]
        verdict, _ = self._grader.verdict(problem, Sample(problem.task_id, 0, answer, "answer"))
        # An answer without the function that was asked for counts as not parsed.
        holds_code = bool(verdict.program.strip()) and problem.entry_point in verdict.program
        parsed = holds_code and (problem.language not in MINED_LANGUAGES or parses(verdict.program, problem.language))
        outcome = (
            AnswerOutcome.NOT_JUDGED if not verdict.final else AnswerOutcome.PASSED if verdict.passed else AnswerOutcome.FAILED
        )
        return JudgedAnswer(parsed, outcome, verdict.status, verdict.sandbox)
