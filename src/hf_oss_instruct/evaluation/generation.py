"""Generate a model's answers to a benchmark: `samples.jsonl`, one line per sample, written after every batch and resumable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.evaluation.prompts import ModelPrompt, build_prompt
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.reasoning import split_reasoning
from hf_oss_instruct.storage import workdir
from hf_oss_instruct.storage.workdir import JsonlAppender, Setting
from hf_oss_instruct.structured import any_json, read_object

SAMPLES, GENERATION = "samples.jsonl", "generation.json"
SETTINGS = {
    "version": Setting("version of the benchmark"),
    "model": Setting("--model"),
    "files": Setting("files of the model"),
    "revision": Setting("--model-revision"),
    "backend": Setting("--backend"),
    "options": Setting("--set", {}, lambda options: " ".join(f"{key}={value}" for key, value in options.items()) or "none"),
    "style": Setting("--style"),
    "sampling.n": Setting("--n"),
    "sampling.temperature": Setting("--temperature"),
    "sampling.top_p": Setting("--top-p"),
    "sampling.max_new_tokens": Setting("--max-tokens"),
    "sampling.rng_seed": Setting("--rng-seed"),
}
"""How the error for a folder with another run's answers shows what differs."""


class Model(Protocol):
    """A model that answers prompts."""

    def answers(self, asked: Sequence[ModelPrompt], style: str) -> list[list[str]]:
        """Generate the model's texts for each prompt."""


def generate(
    problems: Sequence[Problem],
    model: Model,
    style: str,
    n: int,
    out: Path,
    *,
    batch: int,
    allow_empty: bool = True,
    progress: Progress = SILENT,
) -> int:
    """Generate the samples that a folder lacks.

    Args:
        problems: the problems.
        model: the model.
        style: prompt style, see `prompts.build_prompt`.
        n: number of samples per problem.
        out: the folder, already marked by `claim`.
        batch: number of problems per batch; each batch is written as a whole.
        allow_empty: accept an empty text as an answer, instead of as a failed request.
        progress: a progress display.

    Returns:
        The number of problems without an answer; the next call retries them.

    Raises:
        RunError: the folder cannot be written.
    """
    done = _complete_problems(out / SAMPLES, n)
    left = [problem for problem in problems if problem.task_id not in done]
    unanswered, known = 0, len(problems) - len(left)
    with JsonlAppender(out / SAMPLES) as lines, progress.stage("Generating answers", "problems", len(problems)) as counts:
        counts.done = counts.recalled = known
        for first in range(0, len(left), batch):
            some = left[first : first + batch]
            prompts = [build_prompt(problem, style) for problem in some]
            for problem, prompt, texts in zip(some, prompts, model.answers(prompts, style), strict=True):
                # lighteval returns an empty text, or too few, if a server failed permanently.
                if len(texts) < n or not (allow_empty or all(text.strip() for text in texts)):
                    unanswered += 1
                else:
                    lines.append(*(_row(problem, prompt, number, text) for number, text in enumerate(texts)))
            counts.done = known + first + len(some)
    return unanswered


def claim(out: Path, identity: Mapping[str, Any]) -> None:
    """Reserve a folder for one model, benchmark and prompt style; a folder without answers can be reserved again.

    Raises:
        RunError: it contains the answers of another run, and the message names what differs; or a `generation.json` of something
            else.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not _has_samples(out) and (out / GENERATION).exists():
            read_object(out / GENERATION, {"model": str, "style": str})
            (out / GENERATION).unlink()
    except OSError as error:
        raise RunError(f"The folder {str(out)!r} cannot be written: {error}. Make it writable, or pass another one.") from error
    except ValueError as error:
        raise RunError(f"{error}. It would be replaced. Move the file, or choose another folder.") from error
    workdir.claim(out / GENERATION, identity, SETTINGS)


def style_of(out: Path) -> str | None:
    """Return the prompt style of the answers in a folder, if there are any."""
    try:
        return str(read_object(out / GENERATION, {"style": str})["style"]) if _has_samples(out) else None
    except ValueError:  # `claim` reports the error
        return None


def _has_samples(out: Path) -> bool:
    samples = out / SAMPLES
    return samples.exists() and samples.stat().st_size > 0


def _row(problem: Problem, prompt: ModelPrompt, number: int, text: str) -> dict[str, Any]:
    """A sample for `score`; if reasoning was removed, the raw text is kept in a separate field."""
    if prompt.kind != "answer":
        return {"task_id": problem.task_id, "sample": number, prompt.kind: text}
    reasoning, answer = split_reasoning(text)
    answer = prompt.prefix + answer if answer.strip() else answer
    received = {"received": text} if reasoning else {}
    return {"task_id": problem.task_id, "sample": number, "answer": answer, **received}


def _complete_problems(path: Path, n: int) -> set[str]:
    """Return the problems that have all of their samples; remove the lines of incomplete ones, left by a kill."""
    if not path.exists():
        return set()
    lines_of: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            lines_of.setdefault(str(any_json(line)["task_id"]), []).append(line)
        except (ValueError, KeyError, TypeError):  # truncated
            continue
    # A problem counts as a whole: its samples come from one request.
    whole = {task_id: lines for task_id, lines in lines_of.items() if len(lines) == n}
    workdir.write_atomically(path, "".join(f"{line}\n" for lines in whole.values() for line in lines))
    return set(whole)
