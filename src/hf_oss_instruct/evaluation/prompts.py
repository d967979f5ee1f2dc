"""Prompt styles: a problem's prompt as is, as a chat message, or in the format of the Magicoder models."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.problems import Problem

STYLES = ("completion", "chat", "magicoder")
NEW_TOKENS = {"completion": 512, "chat": 2048, "magicoder": 512}
"""Default maximum number of tokens: the paper's 512 for a function, more for an answer with an explanation."""
FENCE_END = "\n```"
# MBPP's prompts, as evalplus writes them: a sentence, then an assertion.
_DOCSTRING = re.compile(r'^"""\n(?P<text>.*?)\n?(?P<tests>^assert .*?)?\n"""\s*$', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ModelPrompt:
    """A problem as a prompt.

    Attributes:
        text: the text to continue, or the instruction to insert into a template.
        kind: the kind of text that the model returns, see `extraction.extract`.
        stop: stop sequences; programs are cut there later in any case.
        prefix: beginning of the answer, which follows the prompt and precedes the generated text.
    """

    text: str
    kind: str
    stop: tuple[str, ...] = ()
    prefix: str = ""


def build_prompt(problem: Problem, style: str) -> ModelPrompt:
    """Build the prompt for a problem.

    Args:
        problem: the problem.
        style: `completion` (the prompt itself), `chat` (an instruction; the answer holds a fenced block) or `magicoder` (the
            paper's instruction, and an answer that begins with the prompt in a fence: `experiments/text2code.py` there).

    Raises:
        UsageError: the style is unknown.
    """
    if style == "completion":
        return ModelPrompt(problem.prompt, "completion", problem.stop_tokens)
    if style == "chat":
        return ModelPrompt(f"{instruction(problem)}\nAnswer with the whole program in one fenced block.", "answer")
    if style == "magicoder":
        docstring = _DOCSTRING.match(problem.prompt)
        opened = f"```{named(problem.language).fence}" + ("" if docstring else f"\n{problem.prompt.strip()}")
        return ModelPrompt(instruction(problem), "answer", (FENCE_END,), opened)
    raise UsageError(f"Unknown prompt style {style!r}. Use one of: {', '.join(STYLES)}.")


def instruction(problem: Problem) -> str:
    """Write a problem as an instruction; for MBPP, that is its sentence and assertion."""
    fence = named(problem.language).fence
    if (docstring := _DOCSTRING.match(problem.prompt)) is None:
        return f"Write a solution to the following problem:\n```{fence}\n{problem.prompt.strip()}\n```"
    text = docstring["text"].strip()
    text += "" if text.endswith(".") else "."
    if not docstring["tests"]:
        return text
    return f"{text} Your code should satisfy the following assertion:\n```{fence}\n{docstring['tests'].strip()}\n```"
