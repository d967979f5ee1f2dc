"""The program in a solution or in tests, as models and datasets write them: Markdown with code blocks, or bare code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hf_oss_instruct.code.languages import LANGUAGES, find_language
from hf_oss_instruct.errors import OssInstructError
from hf_oss_instruct.evaluation.extraction.code_blocks import Block, blocks, plain
from hf_oss_instruct.evaluation.extraction.languages import language_of
from hf_oss_instruct.evaluation.extraction.outline import ParsedSource

MAX_CHARS = 2_000_000
"""Characters of a text that is searched for code."""
# Words before a block that is not the answer.
_ASIDE = re.compile(
    r"\b(?:example|usage|output|alternative(?:ly)?|another|incorrect|wrong|buggy|naive|instead of|original|run it|tests?)\b",
    re.IGNORECASE,
)
# Tags of blocks that hold no program.
_NO_CODE = frozenset("console output json diff html xml yaml toml text txt plaintext md markdown shell-session".split())
_BY_TAG = {language.fence: language.name for language in LANGUAGES} | {
    suffix[1:]: language.name for language in LANGUAGES for suffix in language.suffixes
}
# Models tag blocks of one language with the name of the other.
_KIN = {frozenset(pair) for pair in (("javascript", "typescript"), ("c", "cpp"))}


@dataclass(frozen=True, slots=True)
class Program:
    """A program found in a text.

    Attributes:
        text: the source.
        language: as in `languages.LANGUAGES`.
    """

    text: str
    language: str


def program_in(text: str, language: str) -> Program:
    """The program in a solution.

    The main block is the last one that defines most, ignoring examples and alternatives; the code it uses from other blocks goes
    before it. Blocks of another language than the one named count where none is of that one: then it is theirs. Text without any
    code block is taken for code.

    Args:
        text: Markdown, or code.
        language: the program's probable language, as in `languages.LANGUAGES`.
    """
    blocks = _code_blocks(text, language)
    if not blocks:
        return Program(text.strip("\n") + "\n" if text.strip() else "", language)
    own = [block for block in blocks if _tag_matches(block.tag, language)]
    if not own:
        tags = [name for block in blocks if (name := _language_of_tag(block.tag))]
        if not tags:
            return Program("", language)
        language = max(tags, key=tags.count)
        own = [block for block in blocks if _tag_matches(block.tag, language)]
    return Program(_joined(own, language), language)


def tests_in(text: str, language: str) -> str:
    """The code of all blocks in the text of tests, one after the other; the text itself without any."""
    blocks = _code_blocks(text, language)
    own = [block for block in blocks if _tag_matches(block.tag, language) or block.tag == "json"]
    return "\n\n".join(block.code.strip("\n") for block in own or blocks) + "\n" if blocks else text


def _code_blocks(text: str, language: str) -> list[Block]:
    if len(text) > MAX_CHARS or ("```" not in text and "~~~" not in text):
        return []
    return blocks(plain(text), lambda code: _clean(code, language), lambda code: False)


def _language_of_tag(tag: str) -> str | None:
    return _BY_TAG.get(tag) or (known.name if (known := find_language(tag)) else None)


def _tag_matches(tag: str, language: str) -> bool:
    named = _language_of_tag(tag)
    if named is None:
        return tag not in _NO_CODE
    return named == language or frozenset((named, language)) in _KIN


def _source(code: str, language: str) -> ParsedSource | None:
    try:
        return language_of(language).source(code)
    except OssInstructError:  # no grammar for this language
        return None


def _clean(code: str, language: str) -> bool:
    source = _source(code, language)
    return source is None or source.clean


def _joined(blocks: Sequence[Block], language: str) -> str:
    """The main block, with the definitions of other blocks that it uses before it."""
    sources = [_source(block.code, language) for block in blocks]
    # In this order: not introduced as an example, without syntax errors, with the most definitions; then the last one.
    sizes = [
        (not _ASIDE.search(block.lead) or len(blocks) == 1, source is None or source.clean, len(source.defined) if source else 1)
        for block, source in zip(blocks, sources, strict=True)
    ]
    main = max(range(len(blocks)), key=lambda index: (*sizes[index], index))
    source = sources[main]
    if source is None:
        return blocks[main].code
    words, defined, helpers = language_of(language).words(blocks[main].code), set(source.defined), list[str]()
    # Backwards, so that a helper that a later helper needs is found as well.
    for index in reversed(range(len(blocks))):
        other = sources[index]
        if index == main or other is None or not other.clean or not other.defined or defined & other.defined:
            continue
        if words & other.defined:
            helpers.insert(0, blocks[index].code)
            words, defined = words | language_of(language).words(blocks[index].code), defined | other.defined
    return "\n".join([*helpers, blocks[main].code])
