"""Languages whose test files cannot simply be concatenated: files with one test each, and several files combined into one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hf_oss_instruct.verification.suites.core import Test

_BLANK = re.compile(r"\n(?:[ \t]*\n){2,}")


def alone(
    tests: Sequence[Test], source: bytes, spans: Sequence[tuple[int, int]], kept: frozenset[int] = frozenset()
) -> tuple[Test, ...]:
    """Each test with everything in its file but the other tests as its text.

    Args:
        tests: the tests of a file, in any order.
        source: the file.
        spans: first byte and end of each test in it, in the order of `tests`.
        kept: tests that also stay in the texts of those after them, because they change what those inspect.
    """
    return tuple(
        replace(
            test,
            text=_without(source, [span for other, span in enumerate(spans) if other > at or (other < at and other not in kept)]),
        )
        for at, test in enumerate(tests)
    )


def renamed(text: str, names: Iterable[str], number: int) -> str:
    """Rename what a file declares, so that it can be combined with others; the first file keeps its names."""
    for name in dict.fromkeys(names) if number else ():
        text = re.sub(rf"(?<![\w$]){re.escape(name)}\b", f"{name}_{number}", text)
    return text


def _without(source: bytes, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        source = source[:start] + source[end:]
    return _BLANK.sub("\n\n", source.decode(errors="replace")).strip() + "\n"
