"""Mutants of a solution: one small change each, which good tests detect."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import xxhash

from hf_oss_instruct.code.python_syntax import parse_module
from hf_oss_instruct.code.syntax import MAX_SOURCE_CHARS, parse
from hf_oss_instruct.verification.grammars import CODE
from hf_oss_instruct.verification.quality.mutation_sites import MutationSite, sites_of

MAX_SOURCE_BYTES = 64_000
"""Bytes of a solution of which mutants are made."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed solution.

    Attributes:
        operator: `relational`, `arithmetic`, `logical`, `constant`, `condition`, `statement`, `return`, `arguments` or `jump`.
        line: the line that was changed, from 1.
        change: the text before and after the change.
        text: the whole program.
    """

    operator: str
    line: int
    change: str
    text: str


def mutants(solution: str, language: str, count: int = 8, *, program: bool = False) -> tuple[Mutant, ...]:
    """Mutants of a solution, spread over operators and lines; the same ones for the same text on every machine.

    Args:
        solution: the program.
        language: as in `languages.LANGUAGES`.
        count: how many at most.
        program: whether it is run as a whole, so that `main` and what stands outside functions count.

    Returns:
        Fewer where there are fewer places; none for a language without a row in `grammars.CODE`, or a source over
        `MAX_SOURCE_BYTES`. None has the solution's syntax tree.
    """
    source = solution.encode(errors="replace")
    if language not in CODE or count < 1 or len(source) > min(MAX_SOURCE_BYTES, MAX_SOURCE_CHARS):
        return ()
    root = parse(source, language).root_node
    by_text: dict[str, Mutant] = {}
    own = _normal_form(solution, language)
    for site in _round_robin(list(sites_of(root, language, program)), source):
        changed = (source[: site.start] + site.new.encode() + source[site.end :]).decode(errors="replace")
        # A mutant that is the same program cannot be killed, and one that does not parse says nothing about tests.
        if changed in by_text or _normal_form(changed, language) in (own, None):
            continue
        line = source.count(b"\n", 0, site.start) + 1
        before = source[site.start : site.end].decode(errors="replace")
        by_text[changed] = Mutant(site.operator, line, f"{before} → {site.new}", changed)
        if len(by_text) == count:
            break
    return tuple(by_text.values())


def _normal_form(text: str, language: str) -> str | None:
    """A normal form: equal forms mean equal programs. None if the program does not parse, where that is cheap to know."""
    if language != "python":
        return text
    try:
        return ast.dump(parse_module(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _round_robin(sites: list[MutationSite], source: bytes) -> Iterator[MutationSite]:
    """Sites, alternating over operators and lines, drawn by a hash of text and position."""
    seed = xxhash.xxh3_64_intdigest(source)
    drawn = sorted(sites, key=lambda site: xxhash.xxh3_64_intdigest(f"{seed} {site.start} {site.operator} {site.new}".encode()))
    line_of = {site.start: source.count(b"\n", 0, site.start) for site in drawn}
    operators: Counter[str] = Counter()
    lines: Counter[int] = Counter()
    while drawn:
        best = min(drawn, key=lambda site: operators[site.operator] + lines[line_of[site.start]])
        drawn.remove(best)
        operators[best.operator] += 1
        lines[line_of[best.start]] += 1
        yield best
