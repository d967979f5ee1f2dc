"""Which lines of a document become the seed snippet, and in which order seeds come.

Three samplers. `hash` (the default) and `functions` look at one document at a time, so their seeds do not depend on batch,
shard or order. `magicoder` is the code of the paper to the bit, for reproductions, and depends on all of these.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Protocol, TypeAlias

import numpy as np
import xxhash

from hf_oss_instruct.data import Document, Seed, Skipped
from hf_oss_instruct.errors import SeedsExhausted, UsageError
from hf_oss_instruct.syntax import MINED_LANGUAGES, documented_functions

MAX_LINES = 15
"""A snippet has 1 to 15 lines (paper, section 2.1; `min_lines`, `max_lines` in ise-uiuc/magicoder)."""
MAGICODER_SEED = 976
"""The paper's random seed (`Args.seed` in ise-uiuc/magicoder, generate_data.py)."""
MAGICODER_CHUNK = 1000
MAGICODER_DOCUMENTS = 150_000
"""Documents of each language the paper looks at (`max_considered_data`)."""
REDRAWS = 32
"""Tries to find a snippet that is neither blank nor drawn before; a document that fails so often is all but blank."""

SAMPLERS = {"hash": "hash/1", "functions": "functions/1", "magicoder": "magicoder/1"}
"""Name of each sampler, with the version that rows record. A change of what a sampler draws is a new version."""


class Source(Protocol):
    """A source of documents."""

    @property
    def name(self) -> str:
        """What rows call the data set."""
        ...

    @property
    def revision(self) -> str | None:
        """Its commit, version or content hash."""
        ...

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        """Every document in one of `languages` (None: in any), read lazily.

        With `order_seed`, a source that can list its documents cheaply gives them in an order drawn by hash, so that the
        first hundred are a fair sample; without, in the source's own order. `assumed` is the language of documents that say
        nothing of theirs.
        """
        ...


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """How many seeds to draw, from what, and how.

    Attributes:
        n: number of seeds; None with counts in `languages`, or for one seed of every document.
        languages: language name → number of seeds (None: no count of its own); empty for every language.
        sampler: a name of `SAMPLERS`.
        snippets_per_document: at most so many of one document; None ("auto") draws again only if `n` asks for it.
        rng_seed: the random number of the draw, 0 … 2⁶³−1.

    Raises:
        UsageError: the values contradict each other.
    """

    n: int | None = None
    languages: tuple[tuple[str, int | None], ...] = ()
    sampler: str = "hash"
    snippets_per_document: int | None = None
    rng_seed: int = 0

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise UsageError(f"Unknown sampler {self.sampler!r}. Use one of: {', '.join(SAMPLERS)}.")
        counted = [n for _, n in self.languages if n is not None]
        if counted and (self.n is not None or len(counted) < len(self.languages)):
            raise UsageError("Give a count for every language or for none, and --n only without counts.")
        names = [name for name, _ in self.languages]
        if twice := {name for name in names if names.count(name) > 1}:
            raise UsageError(f"Languages named twice: {', '.join(sorted(twice))}. Name each once.")
        for value in (*counted, *(v for v in (self.n, self.snippets_per_document) if v is not None)):
            if value < 1:
                raise UsageError(f"A number of seeds or snippets must be at least 1, not {value}.")
        if not 0 <= self.rng_seed < 2**63:
            raise UsageError(f"The rng_seed must be 0 … 2^63-1, not {self.rng_seed}.")

    @property
    def requested(self) -> int | None:
        """Number of seeds asked for; None where the source decides."""
        counts = [n for _, n in self.languages if n is not None]
        return sum(counts) if counts else self.n

    def shares(self) -> list[tuple[tuple[str, ...] | None, int | None]]:
        """What to draw one after the other: (languages, number of seeds)."""
        if any(n is not None for _, n in self.languages):
            return [((name,), n) for name, n in self.languages]
        return [(tuple(name for name, _ in self.languages) or None, self.n)]


def sample(source: Source, plan: SeedPlan) -> Iterator[Seed | Skipped]:
    """Draw the seeds of a plan, in seed order, with the documents that gave none in between.

    Raises:
        SeedsExhausted: at the end, if the source gave fewer seeds than the plan asks for.
    """
    index, short = count(), []
    for share, (languages, wanted) in enumerate(plan.shares()):
        found = 0
        for item in _draw(source, languages, wanted, plan):
            if isinstance(item, Skipped) and item.lang is None and share:
                continue  # what is in no language is met again in every language's turn
            if isinstance(item, Seed):
                found, item = found + 1, item.at(next(index))
            yield item
            if found == wanted:
                break
        if wanted is not None and found < wanted:
            short.append(f"{found:,} of {wanted:,}" + (f" in {', '.join(languages)}" if languages else ""))
    if short:
        more = ", or draw more of a document: --snippets-per-document auto" if plan.snippets_per_document else ""
        raise SeedsExhausted(f"{source.name} gave {'; '.join(short)} seeds asked for. Ask for fewer, name a larger source{more}.")


def in_another_order(seeds: Iterable[Seed], number: int) -> Iterator[Seed]:
    """The same seeds, in an order drawn by hash of their ids; reads all of them first."""
    drawn = sorted(seeds, key=lambda seed: (xxhash.xxh3_64_intdigest(seed.seed_id.encode(), number), seed.seed_id))
    return (seed.at(place) for place, seed in enumerate(drawn))


def _draw(source: Source, languages: Collection[str] | None, wanted: int | None, plan: SeedPlan) -> Iterator[Seed | Skipped]:
    assumed = plan.languages[0][0] if len(plan.languages) == 1 else None
    if plan.sampler == "magicoder":
        documents = source.documents(languages, None, assumed)
        yield from magicoder_seeds(islice(documents, MAGICODER_DOCUMENTS), plan.rng_seed)
        return
    spans: SpanRule = {"hash": hash_spans, "functions": function_spans}[plan.sampler]
    passes = 1 if wanted is None else plan.snippets_per_document
    for draw in count() if passes is None else range(passes):
        found = False
        for item in source.documents(languages, plan.rng_seed, assumed):
            outcome = item if isinstance(item, Skipped) else _nth_seed(item, spans, draw, plan)
            found = found or isinstance(outcome, Seed)
            if draw == 0 or isinstance(outcome, Seed):  # what gives nothing is counted once, not in every pass
                yield outcome
        if not found:
            return


Span: TypeAlias = tuple[int, int, str]
"""First line and last line, counted from 1, and the text."""
SpanRule: TypeAlias = Callable[[Document, int], Iterator[Span]]
"""Document and rng_seed → draw 0, draw 1, …"""


def _nth_seed(document: Document, spans: SpanRule, draw: int, plan: SeedPlan) -> Seed | Skipped:
    if not document.content.strip():
        return Skipped("empty", document.origin.lang)
    span = next(islice(spans(document, plan.rng_seed), draw, None), None)
    if span is None:
        return Skipped("no_documented_function" if spans is function_spans else "blank", document.origin.lang)
    start, end, text = span
    return Seed(text, start, end, document.origin, SAMPLERS[plan.sampler], plan.rng_seed)


def hash_spans(document: Document, rng_seed: int) -> Iterator[Span]:
    r"""1–15 consecutive lines, chosen by `xxh3_64(row_id, rng_seed)`; only `\n` ends a line.

    The low 32 bits give the length, the high 32 the first line (Lemire's multiply-shift). Draws after the first, and the
    re-draws of a blank or repeated snippet, put their numbers into the hash.
    """
    lines = document.content.removesuffix("\n").split("\n")
    row_id, seen = document.origin.row_id.encode(), set()
    for draw in count():
        for redraw in range(REDRAWS):
            key = row_id if draw == redraw == 0 else b"%s\0%d.%d" % (row_id, draw, redraw)
            h = xxhash.xxh3_64_intdigest(key, rng_seed)
            start = ((h >> 32) * len(lines)) >> 32
            end = min(start + 1 + (h & 0xFFFFFFFF) % MAX_LINES, len(lines))
            text = "\n".join(lines[start:end])
            if text.strip() and (start, end) not in seen:
                break
        else:
            return
        seen.add((start, end))
        yield start + 1, end, text


def function_spans(document: Document, rng_seed: int) -> Iterator[Span]:
    """Each documented function with its documentation, in an order drawn by hash."""
    if document.origin.lang not in MINED_LANGUAGES:
        return
    row_id, lines = document.origin.row_id.encode(), document.content.split("\n")

    def place(start_line: int) -> int:
        return xxhash.xxh3_64_intdigest(b"%s\0%d" % (row_id, start_line), rng_seed)

    found = documented_functions(document.content, document.origin.lang)
    for function in sorted(found, key=lambda function: place(function.start_line)):
        start, end = function.start_line, function.end_line
        yield start, end, "\n".join(lines[start - 1 : end])


def magicoder_seeds(documents: Iterable[Document | Skipped], rng_seed: int) -> Iterator[Seed | Skipped]:
    """The paper's seeds to the bit (ise-uiuc/magicoder, `extract_seed_code` and the shuffle in `main`).

    One generator per chunk of 1,000 documents, seeded with rng_seed + number of its first document; lines as `splitlines`
    cuts them; then the permutation that `Dataset.shuffle(seed=rng_seed)` makes. Where the original crashes on an empty
    document, it is skipped. Reads the whole source before the first seed.
    """
    drawn: list[Seed | Skipped] = []
    rng = random.Random()
    for item in documents:
        if isinstance(item, Skipped):
            yield item
            continue
        if len(drawn) % MAGICODER_CHUNK == 0:
            rng.seed(rng_seed + len(drawn))
        drawn.append(_magicoder_seed(item, rng, rng_seed))
    for position in np.random.default_rng(rng_seed).permutation(len(drawn)):
        yield drawn[position]


def _magicoder_seed(document: Document, rng: random.Random, rng_seed: int) -> Seed | Skipped:
    lines = document.content.splitlines(keepends=True)
    if not lines:
        return Skipped("empty", document.origin.lang)
    start = rng.choice(range(len(lines)))
    text = "".join(lines[start : start + rng.randint(1, MAX_LINES)])
    first = 1 + "".join(lines[:start]).count("\n")  # provenance counts \n, as the other samplers and GitHub do
    last = first + text.count("\n") - text.endswith("\n")
    return Seed(text, first, last, document.origin, SAMPLERS["magicoder"], rng_seed)
