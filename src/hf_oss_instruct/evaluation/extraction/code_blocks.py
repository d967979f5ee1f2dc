"""Find code in a chat model's answer: parse it as CommonMark, after repairing what models get wrong."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

# Tokens by which models end a turn or a text.
_END = re.compile(
    r"<\|(?:im_end|endoftext|end_of_text|eot_id|eom_id|end_of_turn|EOT|end|return)\|>|</s>|<eos>|<end_of_turn>|"
    r"<｜end▁of▁sentence｜>|\[/INST\]"
)
# Byte order mark, zero-width space and word joiner.
_UNSEEN = re.compile("[\ufeff\u200b\u2060]")
# A fence may stand in a quote or a list.
_FENCE = re.compile(r"^(?P<indent>[ \t]*(?:(?:>|[-*+]|\d+[.)])[ \t]*)*)(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)$")
# Text, then a fence on the same line.
_BEFORE_FENCE = re.compile(r"^(?P<before>.*[^`~\s].*?)[ \t]*(?P<fence>`{3,})(?P<info>[\w+#.-]*)[ \t]*$")
# A whole block on one line.
_ONE_LINE = re.compile(r"^(?P<fence>`{3,})(?P<tag>[\w+#.-]*)[ \t]+(?P<code>.*[^`])(?P=fence)[ \t]*$")
# Code on the line of the opening fence, after the language or in place of it.
_CODE_IN_INFO = re.compile(
    r"^(?P<tag>[\w+#.-]*)[ \t]*(?P<code>(?:<\?php|#include|#lang|#!|(?:def|class|import|from|func|function|fn|pub|sub|local|"
    r"package|using|use|public|const|let|var|async|export|long|int|require|library)[ \t(]|\(define|@).*)$"
)
# Code in HTML tags or marks such as `[PYTHON]`, which may never be closed.
_MARKED = re.compile(
    r"<(?P<html>pre|code|answer|solution|program|final_answer|python|java|php|cpp|bash)\b[^>]*>(?P<in_html>.*?)(?:</(?P=html)>|\Z)|"
    r"\[(?P<mark>PYTHON|CODE|JAVA|PHP|ANSWER|SOLUTION)\](?P<in_mark>.*?)(?:\[/(?P=mark)\]|\Z)",
    re.DOTALL,
)
_INNER = re.compile(r"</?(?:pre|code)\b[^>]*>")
_OUTER = ("", "md", "markdown", "text", "txt", "plaintext")
"""Fence tags whose content may be Markdown with nested fences."""


@dataclass(frozen=True, slots=True)
class Block:
    """Code in an answer.

    Attributes:
        code: the text inside.
        tag: the language tag of its fence, in lower case; empty if none.
        lead: the last line of text before it.
        closed: whether the fence was closed.
    """

    code: str
    tag: str = ""
    lead: str = ""
    closed: bool = True


def plain(text: str) -> str:
    r"""Normalize line ends to `\n` and remove special tokens and invisible characters."""
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _END.sub("\n", text)


def has_fence(text: str) -> bool:
    """Whether any line opens or closes a block."""
    return "```" in text or "~~~" in text


def blocks(text: str, parses: Callable[[str], bool], spans: Callable[[str], bool]) -> list[Block]:
    """Return the code blocks of an answer, in order.

    Args:
        text: the answer, normalized by `plain`.
        parses: whether a text has no syntax errors.
        spans: whether a text that contains fences is one program. If a block does not parse up to the first fence that could
            close it, later ones are tried, so that a fence in a docstring does not end it.
    """
    result = list(_fenced(text, parses, spans))
    if not result:
        for match in _MARKED.finditer(text):
            code = match["in_html"] if match["in_html"] is not None else match["in_mark"]
            code = html.unescape(_INNER.sub("", code))
            result += list(_fenced(code, parses, spans)) or [Block(code.strip("\n") + "\n")]
    return [block for block in result if block.code.strip()]


def _fenced(text: str, parses: Callable[[str], bool], spans: Callable[[str], bool]) -> Iterator[Block]:
    if not has_fence(text):
        return
    lines = list(_split_fences(text.split("\n")))
    position = 0
    for token in _markdown().parse("\n".join(lines)):
        if token.type != "fence" or token.map is None or token.map[0] < position:
            continue
        start, end = token.map
        tag = (re.findall(r"[\w+#-]+", token.info) or [""])[0].lower()
        lead = next((line for line in reversed(lines[:start]) if line.strip()), "")
        closed = end > start + 1 and _closes(lines[end - 1], token.markup)
        code, position = token.content, end
        # The whole answer in one fence: the code is in the fences inside.
        if tag in _OUTER and has_fence(code) and not parses(code) and (inner := list(_fenced(code, parses, spans))):
            yield from inner
            continue
        # The first fence that could close the block may be part of its code; or this one was never closed.
        if not parses(code) or (_opening(lines, start + 1, end) and not spans(code)):
            longer = _longer(lines, start, end, token.markup, spans) if closed else None
            if longer is None and (
                opens := _opening(lines, start + 1, end)
            ):  # this fence was never closed, and another one opens
                yield Block("\n".join(lines[start + 1 : opens]) + "\n", tag, lead, closed=False)
                yield from _fenced("\n".join(lines[opens:]), parses, spans)
                return
            code, position = longer or (code, end)
        yield Block(code, tag, lead, closed)


def _longer(lines: Sequence[str], start: int, end: int, markup: str, spans: Callable[[str], bool]) -> tuple[str, int] | None:
    """Return the block up to the first later fence that makes it a program, and the line after that."""
    closings = [position for position in range(end, len(lines)) if _closes(lines[position], markup)]
    # Each try parses the whole block, so their number is limited.
    for position in closings[:8]:
        code = textwrap.dedent("\n".join(lines[start + 1 : position])) + "\n"
        if spans(code):
            return code, position + 1
    return None


def _opening(lines: Sequence[str], start: int, end: int) -> int | None:
    fences = ((position, _FENCE.match(lines[position])) for position in range(start, end))
    return next((position for position, fence in fences if fence and fence["info"].strip()), None)


def _closes(line: str, markup: str) -> bool:
    fence = _FENCE.match(line)
    return fence is not None and fence["fence"].startswith(markup) and not fence["info"].strip()


def _split_fences(lines: Sequence[str]) -> Iterator[str]:
    """Put every fence on a separate line."""
    opened = ""
    for line in lines:
        for part in _split(line, opened):
            fence = _FENCE.match(part)
            if fence and not opened:
                opened = fence["fence"]
            elif fence and fence["fence"].startswith(opened) and not fence["info"].strip():
                opened = ""
            yield part


def _split(line: str, opened: str) -> list[str]:
    fence = _FENCE.match(line)
    if not opened:
        if single := _ONE_LINE.match(line):
            return [single["fence"] + single["tag"], single["code"], single["fence"]]
        if fence and (code := _CODE_IN_INFO.match(fence["info"].strip())):
            return [fence["indent"] + fence["fence"] + code["tag"], code["code"]]
        if fence is None and (ends := _BEFORE_FENCE.match(line)) and line.count("```") == 1:
            return [ends["before"], ends["fence"] + ends["info"]]
    elif fence is None:
        ends = _BEFORE_FENCE.match(line)
        if ends and ends["fence"].startswith(opened) and not ends["info"] and "`" not in ends["before"]:
            return [ends["before"], ends["fence"]]
    elif fence["fence"].startswith(opened) and re.match(r"[ \t]+\S+[ \t]+\S", fence["info"]):  # prose after a closing fence
        return [fence["indent"] + fence["fence"], fence["info"].strip()]
    return [line]


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"maxNesting": 20})
