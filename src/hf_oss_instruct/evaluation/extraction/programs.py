"""Turn a model's output into a program, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.extraction.code_blocks import blocks, has_fence, plain
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.languages import language_of
from hf_oss_instruct.evaluation.extraction.selection import solution
from hf_oss_instruct.evaluation.extraction.unfenced import definitions_in_prose
from hf_oss_instruct.evaluation.problems import Problem

_FENCES = ("\n```", "\n~~~")
"""An unmatched closing fence always ends a program."""
_BEGINNINGS = ("import", "package", "function", "container")
"""Start of a completion that rewrites the function instead of continuing the prompt."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """A program, and how it was extracted.

    Attributes:
        program: the program to run, without tests.
        how: `solution` (as given), `completion` (prompt and completion), `fence` (a block that defines the entry point), `lines`
            (definitions between sentences), `body` (a function's body under the prompt's signature), `longest` (the longest
            block that parses, if nothing defines the entry point), `unparsed` (the parser crashed on the text).
        whole: whether the function is closed, so that a leading closing brace of the tests must be dropped.
    """

    program: str
    how: str
    whole: bool = True


def extract_here(problem: Problem, text: str, kind: str) -> Extracted:
    """Do the work of `extraction.extract` in this process.

    Args:
        problem: the problem.
        text: the model's output.
        kind: the kind of text, see `extraction.extract`.
    """
    if not text.strip():
        return Extracted("", kind)
    if kind == "program":
        return _before_tests(problem, text)
    language = language_of(problem.language)
    text = plain(text)
    if kind == "completion":
        return _from_completion(language, problem, text)
    if kind == "answer" or has_fence(text):
        return _from_answer(language, problem, text)
    return _from_solution(language, problem, text)


def extract_unparsed(problem: Problem, text: str, kind: str) -> Extracted:
    """Extract a program without parsing: the last block that mentions the entry point, else the last block.

    Args:
        problem: the problem.
        text: the model's output.
        kind: the kind of text, see `extraction.extract`.
    """
    text = plain(text)
    codes = [block.code for block in blocks(text, parses=lambda code: True, spans=lambda code: False)] if has_fence(text) else []
    if kind == "completion" and not codes:
        return Extracted(problem.prompt + cut(text, (*problem.stop_tokens, *_FENCES)), "unparsed", whole=False)
    code = next((code_block for code_block in reversed(codes) if problem.entry_point in code_block), codes[-1] if codes else text)
    return Extracted(code if problem.entry_point in code else problem.prompt + code, "unparsed")


def cut(text: str, stop_tokens: Sequence[str]) -> str:
    """Cut a text at the first stop token."""
    positions = [position for token in stop_tokens if (position := text.find(token)) >= 0]
    return text[: min(positions, default=len(text))]


def _before_tests(problem: Problem, program: str) -> Extracted:
    position = program.rfind(problem.tests.strip())
    if position < 0 or not problem.tests.strip():
        raise EvaluationError(
            f"The tests in the program for {problem.task_id} differ from this version of the data. Check --data."
        )
    return Extracted(program[:position], "solution", whole=False)


def _from_answer(language: ExtractionRules, problem: Problem, text: str) -> Extracted:
    how, code = solution(language, problem, text)
    return Extracted(language.join(problem, language.source(code)), how)


def _from_solution(language: ExtractionRules, problem: Problem, text: str) -> Extracted:
    """Use a program as is, but close it and remove its own tests if the benchmark's tests are appended to it."""
    if problem.language == "python" or not problem.entry_point:
        return Extracted(text, "solution")
    source = language.source(language.closed(text))
    if not language.path_to(problem.entry_point, source.items):
        return Extracted(text, "solution")
    return Extracted(language.join(problem, source), "solution")


def _from_completion(language: ExtractionRules, problem: Problem, text: str) -> Extracted:
    """Join the prompt and its completion up to the first stop token, unless the completion is an answer or starts over."""
    text = text.removeprefix(problem.prompt)
    # An indented first line continues the function, even if a fence follows: the text after it is cut off below.
    continues = text.lstrip("\n").startswith((" ", "\t", *filter(None, [language.body_opener])))
    if not continues and has_fence(text):
        return _from_answer(language, problem, text)
    ended = cut(text, (*problem.stop_tokens, *_FENCES))
    if not continues and problem.entry_point in text and (again := _repeated_function(language, problem, text, ended)):
        return Extracted(language.join(problem, language.source(again)), "lines")
    return Extracted(problem.prompt + ended, "completion", whole=False)


def _repeated_function(language: ExtractionRules, problem: Problem, text: str, ended: str) -> str:
    """Return the definitions of a completion that contains the whole function instead of continuing the prompt."""
    name = problem.entry_point
    if language.path_to(name, language.prompt_of(problem).items):
        begins = (item.kind for item in language.source(text).items if item.kind != "comment")
        return definitions_in_prose(language, text, name) if next(begins, "statement") in _BEGINNINGS else ""
    return "" if language.path_to(name, language.source(ended).items) else definitions_in_prose(language, text, name)
