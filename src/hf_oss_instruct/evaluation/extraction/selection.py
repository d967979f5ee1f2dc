"""Select the solution in an answer: read every block, take the last complete one, and add what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hf_oss_instruct.code.languages import LANGUAGES, find_language
from hf_oss_instruct.evaluation.extraction.cleanup import cleaned
from hf_oss_instruct.evaluation.extraction.code_blocks import Block, blocks
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import DEFINITIONS, OutlineItem, ParsedSource, encoded
from hf_oss_instruct.evaluation.extraction.unfenced import definitions_in_prose
from hf_oss_instruct.evaluation.problems import Problem

# Words above a block that is not the solution.
_ASIDE = re.compile(
    r"\b(?:alternative(?:ly)?|another|variant|wrong|incorrect|buggy|mistake|do(?:es)? not work|doesn't work|don't|avoid|"
    r"instead of|original|before|naive|brute[- ]force|in other languages?)\b",
    re.IGNORECASE,
)
_FENCES = {language.fence: language.name for language in LANGUAGES} | {
    suffix[1:]: language.name for language in LANGUAGES for suffix in language.suffixes
}
_KIN = {frozenset(pair) for pair in (("javascript", "typescript"), ("c", "cpp"))}
"""Languages whose answers often have the other's tag on their fence."""


@dataclass(frozen=True)
class _Read:
    block: Block
    source: ParsedSource
    path: Sequence[OutlineItem]
    stub: bool


def solution(language: ExtractionRules, problem: Problem, text: str) -> tuple[str, str]:
    """Find the solution in an answer; return how it was found, and its source.

    In order of preference: the last block that defines the entry point with a body and without syntax errors, is tagged with the
    problem's language, and is not introduced as something else (an alternative, a wrong approach, the original code); such a
    block with any tag; a block that defines it but only parses in part; definitions between sentences; a block that continues the
    prompt; a stub; the longest block that parses. Definitions that the block needs from other blocks are put before it.

    Args:
        language: rules of the problem's language.
        problem: the problem.
        text: the answer.
    """
    candidates = blocks(text, lambda code: language.source(code).clean, lambda code: _spans_fences(language, problem, code))
    read = [_read(language, problem, block) for block in candidates]
    # Blocks with another language's tag come second: the tag may be wrong.
    own = [candidate for candidate in read if may_be_in_language(candidate.block.tag, problem.language)]
    for group in (own, read):
        whole = [candidate for candidate in group if candidate.path and not candidate.stub and candidate.source.clean]
        if whole:
            main = next((candidate for candidate in reversed(whole) if not is_aside(candidate.block.lead)), whole[-1])
            main = _completed(language, problem, main)
            return "fence", _with_helpers(language, problem, main, group)
    for candidate in reversed([candidate for candidate in read if candidate.path and not candidate.stub]):
        return "fence", _with_helpers(language, problem, _completed(language, problem, candidate), own)
    if not any(candidate.path for candidate in read) and (code := definitions_in_prose(language, text, problem.entry_point)):
        return "lines", code
    return _from_other_code(language, problem, text, own or read)


def _spans_fences(language: ExtractionRules, problem: Problem, code: str) -> bool:
    """Whether code that contains fences is one program: all fences are in comments or Python strings."""
    source = language.source(code)
    if not source.clean or not language.path_to(problem.entry_point, source.items):
        return False
    fences = (match.start() for match in re.finditer(r"`{3,}|~{3,}", code))
    return all(_is_quoted(language, source, len(encoded(code[:index]))) for index in fences)


def _is_quoted(language: ExtractionRules, source: ParsedSource, byte: int) -> bool:
    node = source.root.descendant_for_byte_range(byte, byte + 1)
    return node is not None and ("comment" in node.type or (language.name == "python" and "string" in node.type))


def _from_other_code(language: ExtractionRules, problem: Problem, text: str, read: Sequence[_Read]) -> tuple[str, str]:
    """Try a body of the prompt's function, a stub, code with another name."""
    bodies = [candidate.block.code for candidate in read if not candidate.path] if read else [text]
    for code in sorted(bodies, key=len, reverse=True):
        if program := body_of(language, problem, code):
            return "body", program
    if stubs := [candidate.source.text for candidate in read if candidate.path]:
        return "fence", stubs[-1]
    clean = [candidate.source.text for candidate in read if candidate.source.clean]
    return "longest", max(clean or [candidate.source.text for candidate in read], key=len, default=text)


def body_of(language: ExtractionRules, problem: Problem, code: str) -> str:
    """Build the program from code as the body of the prompt's function; empty if it is not a body.

    Args:
        language: rules of the problem's language.
        problem: the problem.
        code: the possible body.
    """
    if not _may_be_body(language, problem, code):
        return ""
    for text in cleaned(code):
        for program in language.completions(problem.prompt, text.strip("\n") + "\n"):
            closed = language.closed(program)
            source = language.source(closed)
            path = language.path_to(problem.entry_point, source.items)
            if source.clean and path and not path[-1].node.has_error and not language.is_stub(path[-1]):
                return closed
    return ""


def _may_be_body(language: ExtractionRules, problem: Problem, code: str) -> bool:
    """Whether code looks like a body and not just a use of the function: it returns a value, or mentions the parameters."""
    if language.needs_return:
        return re.search(r"\breturn\b|\bthrow\b|\braise\b|=>|\byield\b", code) is not None
    signature = problem.prompt.rstrip().rpartition("\n")[2]
    parameters = set(re.findall(r"[A-Za-z_]\w*", signature.partition(problem.entry_point)[2]))
    speaks = bool(parameters & set(re.findall(r"[A-Za-z_]\w*", code))) or re.search(r"\$[@*#\d{]|\bshift\b", code) is not None
    return speaks or problem.entry_point not in code


def _read(language: ExtractionRules, problem: Problem, block: Block) -> _Read:
    """Parse a block, cleaning it up until it defines the entry point without errors, if possible."""
    tries = []
    for text in cleaned(block.code):
        source = language.source(text)
        path = language.path_to(problem.entry_point, source.items)
        tries.append(_Read(block, source, path, bool(path) and language.is_stub(path[-1])))
        if path and source.clean:
            return tries[-1]
    if not any(candidate.path for candidate in tries) and (text := _with_corrected_name(tries[0].source, problem.entry_point)):
        return _read(language, problem, Block(text, block.tag, block.lead, block.closed))
    return next((candidate for candidate in tries if candidate.path), tries[0])


def _with_corrected_name(source: ParsedSource, name: str) -> str:
    """Rename the only function to the entry point if the names differ only in case and underscores."""
    names = {defined for item in source.of_kind("function", "value") for defined in item.names if defined != name}
    alike = [defined for defined in names if defined.replace("_", "").lower() == name.replace("_", "").lower()]
    return re.sub(rf"\b{re.escape(alike[0])}\b", name, source.text) if len(alike) == 1 else ""


def _completed(language: ExtractionRules, problem: Problem, candidate: _Read) -> _Read:
    """Complete a truncated block; if its fence was never closed, remove the text after the code."""
    text = language.closed(candidate.source.text)
    if not candidate.block.closed and (language.prose_parses or not language.source(text).clean):
        text = definitions_in_prose(language, candidate.source.text, problem.entry_point) or text
    source = language.source(text)
    return _Read(candidate.block, source, language.path_to(problem.entry_point, source.items), False)


def is_aside(lead: str) -> bool:
    """Whether the line above a block introduces it as something other than the solution: an alternative, the original code."""
    return _ASIDE.search(lead) is not None


def may_be_in_language(tag: str, lang: str) -> bool:
    """Whether a block with this tag on its fence may be in a language; tags that are not a language may.

    Args:
        tag: the tag, in lower case.
        lang: the language's name in `languages.LANGUAGES`.
    """
    named = _FENCES.get(tag) or (known.name if (known := find_language(tag)) else None)
    if named is None:
        return tag not in ("console", "output", "json", "diff", "html", "xml", "yaml", "toml")
    return named == lang or frozenset((named, lang)) in _KIN


def _with_helpers(language: ExtractionRules, problem: Problem, main: _Read, read: Iterable[_Read]) -> str:
    """Prepend imports and definitions of other blocks that the block uses but does not contain."""
    others = [
        candidate.source
        for candidate in read
        if candidate.block is not main.block and not candidate.path and candidate.source.clean
    ]
    if not others:
        return main.source.text
    words, defined = language.words(main.source.text), set(main.source.defined)
    taken: list[tuple[int, int, OutlineItem]] = []
    # A definition that is taken may use others, until nothing more is needed.
    grown = True
    while grown:
        grown = False
        for number, source in enumerate(others):
            for index, item in enumerate(source.items):
                if item.kind in DEFINITIONS and words.intersection(item.names) and not defined.intersection(item.names):
                    taken.append((number, index, item))
                    defined.update(item.names)
                    words, grown = words | language.words(item.text), True
    sources = {number for number, _, _ in taken}
    # Also those of blocks that hold nothing but imports.
    imports = [
        item
        for number, source in enumerate(others)
        if number in sources or not source.of_kind("function", "type", "container", "value", "statement")
        for item in source.of_kind("import")
    ]
    added = [item.text.rstrip("\n") for item in imports] + [
        item.text.rstrip("\n") for _, _, item in sorted(taken, key=lambda entry: entry[:2])
    ]
    return language.with_preamble(added, main.source.text) if added else main.source.text
