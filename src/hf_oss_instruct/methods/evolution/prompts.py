"""Prompts for a harder problem, by one of the operations, and for its solution."""

from __future__ import annotations

from collections.abc import Sequence

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.data import Message, digest
from hf_oss_instruct.spec.evolution import OPERATIONS
from hf_oss_instruct.synthesis.generation.prompting import render, template
from hf_oss_instruct.terminal.display import fence_for

PROBLEM_ONLY = "Answer with the new problem alone, below the line [Problem Description]."
"""The sentence of the template `frame` that says what the answer looks like."""


def operation_of(row_id: str, round: int, operations: Sequence[str] = OPERATIONS) -> str:
    """The operation by which a row is evolved in a round: chosen by their hash, so that every session chooses the same.

    Args:
        row_id: the `seed_id` of the row that the rounds began with.
        round: number of the round, from 1.
        operations: the operations to choose from.
    """
    return operations[int(digest("operation", row_id, round)[:8], 16) % len(operations)]


def evolve_prompt(problem: str, operation: str, language: str, *, as_json: bool = False) -> tuple[Message, ...]:
    """The request for a harder problem.

    Args:
        problem: the problem to start from.
        operation: one of `OPERATIONS`.
        language: as in `languages.LANGUAGES`.
        as_json: whether the answer is to be a JSON object.
    """
    return render(
        _frame(as_json),
        operation=template(__package__, operation).strip(),
        language=named(language).title,
        problem=problem,
        fence=fence_for(problem),
    )


def answer_prompt(problem: str, language: str, *, as_json: bool = False) -> tuple[Message, ...]:
    """The request for the solution of an evolved problem.

    Args:
        problem: the evolved problem.
        language: as in `languages.LANGUAGES`.
        as_json: whether the answer is to be a JSON object.
    """
    return render(_answer(as_json), language=named(language).title, problem=problem)


def prompt_hash(operation: str, *, as_json: bool = False) -> str:
    """Hash of the templates that lead to a row: the frame, its operation, and the one for the answer."""
    return digest("prompt", _frame(as_json), template(__package__, operation), _answer(as_json))


def _frame(as_json: bool) -> str:
    text = template(__package__, "frame")
    return _replaced(text, PROBLEM_ONLY, template(__package__, "frame_json").strip()) if as_json else text


def _answer(as_json: bool) -> str:
    text = template(__package__, "answer")
    return f"{text.rstrip()} {template(__package__, 'answer_json')}" if as_json else text


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, "the template has changed"
    return text.replace(old, new)
