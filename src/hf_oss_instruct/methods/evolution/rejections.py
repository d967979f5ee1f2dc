"""Reasons to reject evolved problems and their solutions."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from hf_oss_instruct.curation.duplicates.minhash import similarity
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.spec.evolution import OPERATIONS
from hf_oss_instruct.synthesis.generation.prompting import template
from hf_oss_instruct.verification.programs import program_in

MIN_CHARS = 30
"""Characters of a problem or an answer, at least.

Source:
    theblackcat102/evol-dataset, whose rejection list has this limit for answers.
"""
COPY_SIMILARITY = 0.9
"""Jaccard similarity of word 5-grams from which on an answer's program is that of its parent."""
CACHE_SIZE = 1024
"""Texts whose program, and pairs whose similarity, are remembered: the items of later rounds look at the same ones again."""
LEAKED_WORDS = 7
"""Consecutive words of a template that show, in an answer, that it repeats its instructions."""
# After the rejection list of theblackcat102/evol-dataset: apologies, and words that only the instructions have.
_REFUSAL = re.compile(
    r"\W*(?:(?:i['’]m|i am)\s+(?:very\s+|really\s+|so\s+)?sorry|sorry\b|(?:my|i)\s+apologi|apologies\b|unfortunately,?\s+i\b|"
    r"i\s+(?:cannot|can\s?not|can['’]t|won['’]t|will not|must decline)\b|(?:i['’]m|i am)\s+(?:unable|not able)\b|"
    r"as an?\s+(?:ai|artificial intelligence|(?:large )?language model)\b)",
    re.IGNORECASE,
)
_TALKS_ABOUT_IT = re.compile(
    r"#+\s*(?:re-?written|evolved|new|given) (?:prompt|problem)|\[(?:problem description|solution)\]|"
    r"\b(?:re-?written|evolved|harder|original|old) (?:version of (?:the|this) )?(?:programming )?(?:prompt|problem|question)\b|"
    r"\bgiven prompt\b|\bproblem to start from\b",
    re.IGNORECASE,
)
_FENCED = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_WORD = re.compile(r"\w+")


def check_problem(problem: str, parent: str, max_similarity: float) -> None:
    """Reject an answer that is not an evolved problem.

    Args:
        problem: the evolved problem.
        parent: the problem that it was made of.
        max_similarity: from this similarity on it is unchanged.

    Raises:
        RowRejectedError: `refused`, `too_short`, `prompt_leaked` or `unchanged`.
    """
    _check_text(problem, "problem")
    # Unless the parent says the same, for example because it is about prompts.
    if (match := _TALKS_ABOUT_IT.search(problem)) and match[0].casefold() not in parent.casefold():
        raise RowRejectedError("prompt_leaked", f"the evolved problem talks about its making: {match[0]!r}")
    _check_leak(problem, parent, ("frame", "frame_json", *OPERATIONS))
    if (alike := _similarity(parent, problem)) >= max_similarity:
        raise RowRejectedError("unchanged", f"the evolved problem is {alike:.0%} its parent")


def check_answer(answer: str, problem: str, parent_solution: str, language: str) -> None:
    """Reject an answer that does not solve the evolved problem, as far as that shows without running it.

    Args:
        answer: the solver's text.
        problem: the evolved problem.
        parent_solution: the solution of the problem's parent.
        language: of the programs, as in `languages.LANGUAGES`.

    Raises:
        RowRejectedError: `refused`, `too_short`, `prompt_leaked` or `copied`.
    """
    _check_text(answer, "answer")
    _check_leak(answer, problem, ("answer", "answer_json"))
    program = _program(answer, language)
    if not program.strip():
        return  # verification and readers see that for themselves
    parent = _program(parent_solution, language)
    # The first comparison also finds copies that are too short for 5-grams and have other white space.
    if "".join(program.split()) == "".join(parent.split()) or _similarity(parent, program) >= COPY_SIMILARITY:
        raise RowRejectedError("copied", "the answer's program is that of its parent")


@lru_cache(CACHE_SIZE)
def _similarity(one: str, other: str) -> float:
    return similarity(one, other)


@lru_cache(CACHE_SIZE)
def _program(text: str, language: str) -> str:
    return program_in(text, language).text


def _check_text(text: str, what: str) -> None:
    # With a code block it is an answer, whatever its first words are.
    if _REFUSAL.match(text) and not _FENCED.search(text):
        raise RowRejectedError("refused", f"the teacher wrote no {what}: {text[:80]!r}")
    if len(text.strip()) < MIN_CHARS:
        raise RowRejectedError("too_short", f"the {what} has {len(text.strip())} characters, at least {MIN_CHARS} wanted")


def _check_leak(text: str, allowed: str, templates: tuple[str, ...]) -> None:
    """Reject a text that repeats a run of words of its instructions that its source text lacks."""
    leaked = (_runs(text) & _template_runs(templates)) - _runs(allowed)
    if leaked:
        raise RowRejectedError("prompt_leaked", f"the answer repeats its instructions: {' '.join(min(leaked))!r}")


@cache
def _template_runs(names: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset[tuple[str, ...]]().union(*(_runs(template(__package__, name)) for name in names))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return set(zip(*(words[index:] for index in range(LEAKED_WORDS)), strict=False))
