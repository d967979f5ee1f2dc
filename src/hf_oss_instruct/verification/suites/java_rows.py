r"""The arguments that JUnit's parameterized tests are called with.

list(rows_of(method, ['@CsvSource({"5, five"})']))  # ['5, "five"'] for a method (int, String)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_TEXT_BLOCK = re.compile(r'"""[ \t]*\n(.*?)"""', re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
# Arguments of an annotation that are texts and not rows.
_NAMED = re.compile(
    r'\b(?:nullValues|emptyValue|delimiterString|delimiter|quoteCharacter|name)\s*=\s*(?:\{[^}]*\}|"(?:[^"\\]|\\.)*"|\'[^\']+\')'
)
# Java has no literals of `short` and `byte`, and a row may write a `double` as an integer.
_NUMBERS = {"long": "{}L", "float": "{}f", "double": "(double) ({})", "short": "(short) ({})", "byte": "(byte) ({})"}
_NUMBERS |= {kind.capitalize(): written for kind, written in _NUMBERS.items()}
_AS_THEY_ARE = frozenset("int Integer boolean Boolean".split())
_TIMES = "LocalDate LocalTime LocalDateTime ZonedDateTime Instant Duration Period Year YearMonth".split()
_MADE = {
    "BigDecimal": "new java.math.BigDecimal({})",
    "BigInteger": "new java.math.BigInteger({})",
    "UUID": "java.util.UUID.fromString({})",
    "URI": "java.net.URI.create({})",
    "Path": "java.nio.file.Path.of({})",
    **{kind: f"java.time.{kind}.parse({{}})" for kind in _TIMES},
}
INJECTED = frozenset("TestInfo RepetitionInfo TestReporter".split())
"""Types of parameters that JUnit fills in itself."""


def kinds_of(method: Node) -> list[str]:
    """The types of a method's parameters."""
    parameters = method.child_by_field_name("parameters")
    return [text_of(parameter.child_by_field_name("type")) for parameter in parameters.named_children] if parameters else []


def rows_of(method: Node, marks: Sequence[str]) -> Iterator[str]:
    """The arguments of each call of a test by its annotations; one call without any where it takes none."""
    kinds = [kind for kind in kinds_of(method) if kind not in INJECTED]
    if not kinds:
        count = next(
            (int(match[1]) for mark in marks if (match := re.match(r"@RepeatedTest\(\s*(?:value\s*=\s*)?(\d+)", mark))), 1
        )
        # Every repetition is a call in the source.
        yield from ("" for _ in range(min(count, 100)))
        return
    for mark in marks:
        if mark.startswith("@CsvSource"):
            yield from _csv(mark, kinds)
        elif mark.startswith("@ValueSource"):
            yield from _values(mark, kinds[0])
        elif re.match(r"@(NullSource|NullAndEmptySource)", mark):
            yield f"({kinds[0]}) null"
        if re.match(r"@(EmptySource|NullAndEmptySource)", mark):
            yield _empty(kinds[0])


def _empty(kind: str) -> str:
    """An empty value of a type."""
    if kind.endswith("[]"):
        return f"new {kind} {{}}"
    if match := re.match(r"(?:java\.util\.)?(List|Set|Map|Collection)\b", kind):
        return f"java.util.{'List' if match[1] == 'Collection' else match[1]}.of()"
    return '""'


def _values(mark: str, kind: str) -> Iterator[str]:
    listed = mark.partition("{")[2].rpartition("}")[0] or mark.partition("=")[2].rpartition(")")[0]
    if "strings" in mark:
        for match in _STRING.finditer(listed):
            yield literal(_decoded(match[1]), kind)
        return
    for value in re.findall(r"'(?:[^'\\]|\\.)+'|[^,\s][^,]*", listed):
        yield f"({kind}) ({value.strip()})" if kind in ("short", "byte", "char") else value.strip()


def _csv(mark: str, kinds: Sequence[str]) -> Iterator[str]:
    delimiter = re.search(r"\bdelimiter\s*=\s*'([^']+)'|\bdelimiterString\s*=\s*\"((?:[^\"\\]|\\.)+)\"", mark)
    by = _decoded(delimiter[1] or delimiter[2]) if delimiter else ","
    nulls = re.search(r"\bnullValues\s*=\s*(\{[^}]*\}|\"(?:[^\"\\]|\\.)*\")", mark)
    as_null = {_decoded(text) for text in _STRING.findall(nulls[1])} if nulls else set()
    if block := _TEXT_BLOCK.search(mark):
        lines = [line.strip() for line in block[1].split("\n")]
        rows = [line for line in lines if line and not line.startswith("#")]
        rows = rows[1:] if re.search(r"useHeadersInDisplayName\s*=\s*true", mark) else rows
    else:
        rows = [_decoded(text) for text in _STRING.findall(_NAMED.sub("", mark))]
    for row in rows:
        cells = [None if cell in as_null else cell for cell in _cells(row, by)]
        yield ", ".join(literal(cell, kind) for cell, kind in zip(cells, kinds, strict=False))


def _cells(row: str, delimiter: str) -> Iterator[str | None]:
    """The values of a row; None for one that is not there, which JUnit tells from a quoted empty one."""
    cell = re.compile(rf"\s*(?:'((?:[^']|'')*)'\s*|(.*?)\s*)(?:{re.escape(delimiter)}|\Z)", re.DOTALL)
    offset, last = 0, False
    while not last:
        match = cell.match(row, offset)
        if match is None:
            return
        last, offset = not match[0].endswith(delimiter) or match.end() == offset, match.end()
        yield match[1].replace("''", "'") if match[1] is not None else match[2] or None


def _decoded(text: str) -> str:
    """The value of a string of Java."""
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return re.sub(r"\\(.)", r"\1", text)


def literal(value: str | None, kind: str) -> str:
    """A value of a row of text as Java writes it."""
    if value is None:
        return f"({kind}) null"
    text = value.strip()
    if kind in ("String", "CharSequence", "Object"):
        return json.dumps(value)
    if kind in ("char", "Character"):
        return "'\\''" if text == "'" else "'\\\\'" if text == "\\" else f"'{value[:1]}'"
    if kind in _NUMBERS:
        return _NUMBERS[kind].format(text)
    if kind in _AS_THEY_ARE:
        return text
    if maker := _MADE.get(kind.rpartition(".")[2]):
        return maker.format(json.dumps(text))
    return f"{kind}.{text}" if re.fullmatch(r"[A-Za-z_]\w*", text) else text
