"""Which lines of a document become the seed snippet, and in which order seeds come.

Three samplers. `hash` (the default) and `functions` look at one document at a time, so their seeds do not depend on batch,
shard or order. `magicoder` is the code of the paper to the bit, for reproductions, and depends on all of these.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Protocol, TypeAlias

import numpy as np
import xxhash

from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.data import Document, Provenance, Seed, Skipped
from hf_oss_instruct.documented import documented_functions
from hf_oss_instruct.errors import SeedsExhausted, UsageError
from hf_oss_instruct.seeds.filters import ANY, FILTERS, PERMISSIVE, Filters, Gate, allowed
from hf_oss_instruct.seeds.reading import MAX_DOCUMENT_BYTES, MAX_SNIPPET_CHARS, ReadOptions, charset
from hf_oss_instruct.seeds.shortage import Shortage
from hf_oss_instruct.seeds.vectorized import MAX_LINES, Batch, Span, first_spans
from hf_oss_instruct.syntax import MINED_LANGUAGES

MAGICODER_SEED = 976
"""The paper's random seed (`Args.seed` in ise-uiuc/magicoder, generate_data.py)."""
MAGICODER_CHUNK = 1000
MAGICODER_DOCUMENTS = 150_000
"""Documents of each language the paper looks at (`max_considered_data`)."""
REDRAWS = 32
"""Tries to find a snippet that is neither blank nor drawn before; a document that fails so often is all but blank."""
REFUSALS = 8
"""Snippets in a row that the filters refuse before the whole document is given up."""

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
    """How many seeds to draw, from what, how, and what is refused.

    Attributes:
        n: number of seeds; None with counts in `languages`, or for one seed of every document.
        languages: language name → number of seeds (None: no count of its own); empty for every language.
        sampler: a name of `SAMPLERS`.
        snippets_per_document: at most so many of one document; None ("auto") draws again only if `n` asks for it.
        rng_seed: the random number of the draw, 0 … 2⁶³−1; None: 0, the paper's 976 with the sampler `magicoder`.
        licenses: `any`, `permissive`, or SPDX names with commas; None: `permissive` for the Hub, `any` for what is local.
        filters: names of `sieve.FILTERS`; None: all of them, none with the sampler `magicoder`.
        one_in: look at one document in so many, drawn by hash of its id.
        deny: what was asked to be left out.
        max_document_bytes: documents with more bytes are left out; 0 for no limit.
        max_snippet_chars: snippets with more characters are refused; 0 for no limit.
        encoding: encoding of files that are neither UTF-8 nor say what they are; None leaves such files out.
        code_column: column of a table that holds the code; None looks for one.

    Raises:
        UsageError: the values contradict each other.
    """

    n: int | None = None
    languages: tuple[tuple[str, int | None], ...] = ()
    sampler: str = "hash"
    snippets_per_document: int | None = None
    rng_seed: int | None = None
    licenses: str | None = None
    filters: tuple[str, ...] | None = None
    one_in: int = 1
    deny: Denylist | None = None
    max_document_bytes: int = MAX_DOCUMENT_BYTES
    max_snippet_chars: int = MAX_SNIPPET_CHARS
    encoding: str | None = None
    code_column: str | None = None

    def __post_init__(self) -> None:
        allowed(self.licenses or ANY)
        Filters(self.filters or ())
        if self.sampler not in SAMPLERS:
            raise UsageError(f"Unknown sampler {self.sampler!r}. Use one of: {', '.join(SAMPLERS)}.")
        counted = [n for _, n in self.languages if n is not None]
        if counted and (self.n is not None or len(counted) < len(self.languages)):
            raise UsageError("Give a count for every language or for none, and --n only without counts.")
        names = [name for name, _ in self.languages]
        if twice := {name for name in names if names.count(name) > 1}:
            raise UsageError(f"Languages named twice: {', '.join(sorted(twice))}. Name each once.")
        for value in (*counted, *(v for v in (self.n, self.snippets_per_document, self.one_in) if v is not None)):
            if value < 1:
                raise UsageError(f"A number of seeds or snippets must be at least 1, not {value}.")
        if not 0 <= self.random_seed < 2**63:
            raise UsageError(f"The rng_seed must be 0 … 2^63-1, not {self.rng_seed}.")
        if min(self.max_document_bytes, self.max_snippet_chars) < 0:
            raise UsageError("max_document_bytes and max_snippet_chars must be positive, or 0 for no limit.")
        if self.encoding is not None:
            object.__setattr__(self, "encoding", charset(self.encoding))

    @property
    def random_seed(self) -> int:
        """The random number of the draw."""
        if self.rng_seed is not None:
            return self.rng_seed
        return MAGICODER_SEED if self.sampler == "magicoder" else 0

    @property
    def reading(self) -> ReadOptions:
        """How the source reads its documents."""
        return ReadOptions(self.encoding, self.max_document_bytes, self.code_column, as_stored=self.sampler == "magicoder")

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


def settled(plan: SeedPlan, source: Source) -> SeedPlan:
    """The plan with the licences and filters that it leaves to the source, and the random number of its sampler."""
    licenses, filters = plan.licenses, plan.filters
    if licenses is None:
        licenses = PERMISSIVE if getattr(source, "of_strangers", False) else ANY
    if filters is None:
        filters = FILTERS if hasattr(source, "of_strangers") and plan.sampler != "magicoder" else ()
    return replace(plan, licenses=licenses, filters=filters, rng_seed=plan.random_seed)


def sample(source: Source, plan: SeedPlan) -> Iterator[Seed | Skipped]:
    """Draw the seeds of a plan, in seed order, with the documents and snippets that gave none in between.

    Raises:
        SeedsExhausted: at the end, if the source gave fewer seeds than the plan asks for.
    """
    index, shortage, draw = count(), Shortage(source.name), _Draw(source, settled(plan, source))
    for share, (languages, wanted) in enumerate(plan.shares()):
        found = 0
        for item in draw.seeds(languages, wanted):
            if isinstance(item, Skipped) and item.lang is None and share:
                continue  # what is in no language is met again in every language's turn
            if isinstance(item, Seed):
                found, item = found + 1, item.at(next(index))
            else:
                shortage.note(item)
            yield item
            if found == wanted:
                break
        shortage.settle(found, wanted, languages)
    if shortage.short:
        raise SeedsExhausted(shortage.message(draw_more=plan.snippets_per_document is not None))


def in_another_order(seeds: Iterable[Seed], number: int) -> Iterator[Seed]:
    """The same seeds, in an order drawn by hash of their ids; reads all of them first."""
    drawn = sorted(seeds, key=lambda seed: (xxhash.xxh3_64_intdigest(seed.seed_id.encode(), number), seed.seed_id))
    return (seed.at(place) for place, seed in enumerate(drawn))


class _Draw:
    """A plan at work on a source."""

    def __init__(self, source: Source, plan: SeedPlan) -> None:
        if plan.deny:
            plan.deny.check()
        self._source, self._plan = source, plan
        self._assumed = plan.languages[0][0] if len(plan.languages) == 1 else None
        self._gate = Gate(plan.licenses or ANY, plan.deny, plan.one_in, plan.random_seed)
        # what a documented function stands in parses, and defines it
        names = plan.filters or ()
        names = tuple(name for name in names if name != "parses") if plan.sampler == "functions" else names
        self._filters = Filters(names, plan.max_snippet_chars)
        self._rng_seed = plan.random_seed

    def seeds(self, languages: Collection[str] | None, wanted: int | None) -> Iterator[Seed | Skipped]:
        """The seeds of one share; endless where a document may be drawn from again and again."""
        plan = self._plan
        if plan.sampler == "magicoder":
            yield from self._magicoder(languages)
            return
        passes = 1 if wanted is None else plan.snippets_per_document
        for draw in count() if passes is None else range(passes):
            found = False
            for outcome in self._pass(languages, draw):
                found = found or isinstance(outcome, Seed)
                if draw == 0 or isinstance(outcome, Seed) or outcome.snippet:  # what gives nothing is counted in one pass only
                    yield outcome
            if not found:
                return

    def _magicoder(self, languages: Collection[str] | None) -> Iterator[Seed | Skipped]:
        """What is refused is refused after the draw, whose result depends on every document."""
        documents = islice(self._source.documents(languages, None, self._assumed), MAGICODER_DOCUMENTS)
        contents: dict[str, str] = {}
        for item in magicoder_seeds(_noted(documents, contents if self._plan.filters else None), self._rng_seed):
            if isinstance(item, Skipped) or not self._gate.draws(item.origin.row_id):
                if isinstance(item, Skipped):
                    yield item
                continue
            reason = self._gate.reason(item.origin) or self._filters.snippet(item.snippet, item.origin.lang)
            reason = reason or self._filters.document(item.origin, lambda: contents[item.origin.row_id])  # noqa: B023
            yield Skipped(reason, item.origin.lang) if reason else item

    def _pass(self, languages: Collection[str] | None, draw: int) -> Iterator[Seed | Skipped]:
        """One draw from every document."""
        if batches := getattr(self._source, "batches", None):
            for batch in batches(languages, self._assumed, self._gate):
                vectorised = draw == 0 and self._plan.sampler == "hash"
                yield from self._first_of(batch) if vectorised else self._each(batch.documents(), draw)
            return
        documents = self._source.documents(languages, self._rng_seed, self._assumed)
        yield from self._each(self._let_in(documents), draw)

    def _let_in(self, documents: Iterable[Document | Skipped]) -> Iterator[Document | Skipped]:
        for item in documents:
            if isinstance(item, Skipped):
                yield item
            elif self._gate.draws(item.origin.row_id):
                reason = self._gate.reason(item.origin)
                yield Skipped(reason, item.origin.lang) if reason else item

    def _each(self, documents: Iterable[Document | Skipped], draw: int) -> Iterator[Seed | Skipped]:
        for item in documents:
            if isinstance(item, Skipped):
                yield item
            else:
                yield from self._nth(item, draw)

    def _first_of(self, batch: Batch) -> Iterator[Seed | Skipped]:
        """The same as `_each` for the first draw of `hash`, over all documents of a batch at once."""
        rows = [row for row, item in enumerate(batch.items) if isinstance(item, Provenance)]
        origins = [item for item in batch.items if isinstance(item, Provenance)]
        spans = first_spans(batch.texts.only(rows), [origin.row_id for origin in origins], self._rng_seed)
        drawn = dict(zip(rows, spans, strict=True))
        filters, rng_seed, sampler = self._filters, self._rng_seed, SAMPLERS["hash"]
        for row, item in enumerate(batch.items):
            if isinstance(item, Skipped):
                yield item
                continue
            start, end, text = drawn[row]
            if not text or text.isspace() or filters.snippet(text, item.lang):
                yield from self._nth(Document(batch.texts[row], item), 0)
            elif reason := filters.document(item, lambda: batch.texts[row]):  # noqa: B023  # asked for at once
                yield Skipped(reason, item.lang)
            else:
                yield Seed(text, start, end, item, sampler, rng_seed)

    def _nth(self, document: Document, draw: int) -> Iterator[Seed | Skipped]:
        """The nth snippet of a document that no filter refuses, after those that were refused on the way to it."""
        origin, plan = document.origin, self._plan
        if not document.content.strip():
            yield Skipped("empty", origin.lang)
            return
        accepted, refused = 0, []
        for start, end, text in SPANS[plan.sampler](document, self._rng_seed):
            if reason := self._filters.snippet(text, origin.lang):
                refused.append(reason)
                if len(refused) == REFUSALS:
                    break
                continue
            if accepted == draw:
                yield from (Skipped(reason, origin.lang, snippet=True) for reason in refused)
                reason = self._filters.document(origin, lambda: document.content)
                yield (
                    Skipped(reason, origin.lang)
                    if reason
                    else Seed(text, start, end, origin, SAMPLERS[plan.sampler], self._rng_seed)
                )
                return
            accepted, refused = accepted + 1, []
        if refused:
            yield Skipped(refused[0], origin.lang)
        else:
            yield Skipped("no_documented_function" if plan.sampler == "functions" else "blank", origin.lang)


def _noted(documents: Iterable[Document | Skipped], contents: dict[str, str] | None) -> Iterator[Document | Skipped]:
    """The same documents; their texts are kept for filters that look at them later."""
    for item in documents:
        if contents is not None and isinstance(item, Document):
            contents[item.origin.row_id] = item.content
        yield item


SpanRule: TypeAlias = Callable[[Document, int], Iterator[Span]]
"""Document and rng_seed → draw 0, draw 1, …"""


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


SPANS: dict[str, SpanRule] = {"hash": hash_spans, "functions": function_spans}


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
