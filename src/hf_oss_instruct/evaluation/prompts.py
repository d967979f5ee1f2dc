"""What a model is asked: a problem's prompt as it is, as a user's message, or as the Magicoder models know it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.languages import named

STYLES = ("completion", "chat", "magicoder")
NEW_TOKENS = {"completion": 512, "chat": 2048, "magicoder": 512}
"""How many tokens an answer may have: the paper's 512 for a function, more for one with its explanation."""
FENCE_END = "\n```"
_DOCSTRING = re.compile(r'^"""\n(?P<text>.*?)\n?(?P<tests>^assert .*?)?\n"""\s*$', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A problem as it is put to a model.

    Attributes:
        text: what the model continues, or the instruction that a template goes around.
        kind: what its answer is, as of `extraction.extract`.
        stop: texts at which generation may end; what a program needs is cut there later in any case.
        prefix: how the answer begins: put after the prompt, and before what the model writes.
    """

    text: str
    kind: str
    stop: tuple[str, ...] = ()
    prefix: str = ""


def asked(problem: Problem, style: str) -> Asked:
    """A problem in a style.

    Args:
        problem: the problem.
        style: `completion` (the prompt itself), `chat` (an instruction; the answer holds a fenced block) or `magicoder` (the
            paper's instruction, and an answer that begins with the prompt in a fence: `experiments/text2code.py` there).

    Raises:
        UsageError: there is no such style.
    """
    if style == "completion":
        return Asked(problem.prompt, "completion", problem.stop_tokens)
    if style == "chat":
        return Asked(f"{instruction(problem)}\nAnswer with the whole program in one fenced block.", "answer")
    if style == "magicoder":
        told = _DOCSTRING.match(problem.prompt)
        opened = f"```{named(problem.language).fence}" + ("" if told else f"\n{problem.prompt.strip()}")
        return Asked(instruction(problem), "answer", (FENCE_END,), opened)
    raise UsageError(f"Unknown prompt style {style!r}. Use one of: {', '.join(STYLES)}.")


def instruction(problem: Problem) -> str:
    """A problem as an instruction; of one that is a sentence and an assertion, as MBPP's are, these two."""
    fence = named(problem.language).fence
    if (told := _DOCSTRING.match(problem.prompt)) is None:
        return f"Write a solution to the following problem:\n```{fence}\n{problem.prompt.strip()}\n```"
    text = told["text"].strip()
    text += "" if text.endswith(".") else "."
    if not told["tests"]:
        return text
    return f"{text} Your code should satisfy the following assertion:\n```{fence}\n{told['tests'].strip()}\n```"
