"""Draw seed snippets from documents, in a reproducible order.

There are three samplers. `hash` (the default) and `functions` use one document at a time, so their seeds do not depend on batch,
shard or order. `magicoder` reproduces the paper's code bit for bit, and depends on all of these.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count, islice
from typing import TypeAlias

import numpy as np
import xxhash

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.code.documented import documented_functions
from hf_oss_instruct.code.syntax import MINED_LANGUAGES
from hf_oss_instruct.data import Document, Provenance, Seed, Skipped
from hf_oss_instruct.errors import SeedsExhaustedError
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.seeds.balance.draw import balanced
from hf_oss_instruct.seeds.balance.embedded_clusters import EmbeddedClusters
from hf_oss_instruct.seeds.balance.features import Clusters, HashedClusters
from hf_oss_instruct.seeds.filters import Filters, SourceFilter
from hf_oss_instruct.seeds.shortage import Shortage
from hf_oss_instruct.seeds.source import Source, check_source, with_defaults
from hf_oss_instruct.seeds.vectorized import MAX_LINES, DocumentBatch, Span, first_spans
from hf_oss_instruct.spec.seeds import ANY, SeedPlan
from hf_oss_instruct.spec.shard import Shard

MAGICODER_CHUNK = 1000
MAGICODER_DOCUMENTS = 150_000
"""Documents per language that the paper considers (`max_considered_data`)."""
MAX_REDRAWS = 32
"""Attempts to draw a snippet that is neither blank nor a repetition; a document that fails them all is nearly blank."""
MAX_REFUSALS = 8
"""Consecutive snippets that the filters may refuse before the document is skipped."""

SAMPLERS = {"hash": "hash/1", "functions": "functions/1", "magicoder": "magicoder/1"}
"""Sampler → the version that rows record. A sampler that draws something else needs a new version."""


def sample(source: Source, plan: SeedPlan, progress: Progress = SILENT) -> Iterator[Seed | Skipped]:
    """Draw the seeds of a plan in order, interleaved with the documents and snippets that were skipped.

    With a shard, all are drawn and only its seeds are yielded, with the positions that they have in the whole plan. Only
    shard 0 yields skipped documents, so that the counts of all shards add up.

    Args:
        source: where they are drawn from.
        plan: which seeds.
        progress: shows what takes long before the first seed.

    Raises:
        UsageError: the source is not one, or the plan's embedding model cannot be loaded.
        SeedsExhaustedError: at the end, if the source yielded fewer seeds than requested.
    """
    draw = _Draw(source, with_defaults(plan, source))
    index, shortage = count(), Shortage(source.name)
    shard, learn = plan.shard or Shard(0, 1), _clusters(plan, progress)
    for share, (languages, wanted) in enumerate(plan.shares()):
        count_drawn = 0
        drawn = draw.seeds(languages, wanted)
        for item in balanced(drawn, learn) if plan.balance else drawn:
            if isinstance(item, Skipped) and item.lang is None and share:
                continue  # documents in no known language come by once for each language
            if isinstance(item, Seed):
                count_drawn, item = count_drawn + 1, item.at(next(index))
            else:
                shortage.note(item)
            if item.index in shard if isinstance(item, Seed) else shard.index == 0:
                yield item
            if count_drawn == wanted:
                break
        shortage.settle(count_drawn, wanted, languages)
    if shortage.short:
        raise SeedsExhaustedError(shortage.message(source.languages_found, draw_more=plan.snippets_per_document is not None))


def _clusters(plan: SeedPlan, progress: Progress) -> Callable[[Sequence[str]], Clusters]:
    """How the clusters of a balanced plan are learned."""
    if not (model := plan.embedding_model):
        return HashedClusters
    pinned = model.pinned()
    return lambda snippets: EmbeddedClusters(pinned, snippets, progress)


class SeedStream(Iterator[Seed]):
    """Seeds drawn one at a time, and where they come from.

    Attributes:
        source: the source that they are drawn from.
        plan: which seeds are drawn.
    """

    def __init__(self, source: Source, plan: SeedPlan) -> None:
        check_source(source)
        check_type("plan", plan, SeedPlan, "a SeedPlan, such as SeedPlan(n=100)")
        self.source, self.plan = source, plan
        self._seeds = (item for item in sample(source, plan) if isinstance(item, Seed))

    def __next__(self) -> Seed:
        return next(self._seeds)


def shuffled(seeds: Iterable[Seed], number: int) -> Iterator[Seed]:
    """The same seeds, shuffled by a hash of their ids. Reads all of them first."""
    drawn = sorted(seeds, key=lambda seed: (xxhash.xxh3_64_intdigest(seed.seed_id.encode(), number), seed.seed_id))
    return (seed.at(index) for index, seed in enumerate(drawn))


class _Draw:
    """Draws the seeds of one plan from one source."""

    def __init__(self, source: Source, plan: SeedPlan) -> None:
        if plan.deny:
            # A run config has only the hash of the list: whoever continues the run must pass the list itself.
            plan.deny.check()
        self._source, self._plan = source, plan
        self._assumed = plan.counts[0][0] if len(plan.counts) == 1 else None
        self._source_filter = SourceFilter(plan.licenses or ANY, plan.deny, plan.one_in, plan.random_seed)
        # a document with a documented function parses and has a definition
        names = tuple(name for name in plan.filters or () if name != "parses" or plan.sampler != "functions")
        self._filters = Filters(names, plan.max_snippet_chars)
        self._rng_seed = plan.random_seed

    def seeds(self, languages: Collection[str] | None, wanted: int | None) -> Iterator[Seed | Skipped]:
        """The seeds of one share; endless if there is no limit on snippets per document."""
        plan = self._plan
        if plan.sampler == "magicoder":
            yield from self._magicoder(languages)
            return
        passes = 1 if wanted is None else plan.snippets_per_document
        for draw in count() if passes is None else range(passes):
            has_seed = False
            for outcome in self._one_pass(languages, draw):
                has_seed = has_seed or isinstance(outcome, Seed)
                # A skipped document counts only in the first pass.
                if draw == 0 or isinstance(outcome, Seed) or outcome.snippet:
                    yield outcome
            # Further draws from the same documents would find nothing either.
            if not has_seed:
                return

    def _magicoder(self, languages: Collection[str] | None) -> Iterator[Seed | Skipped]:
        """Filters run after the draw, because the paper's draw depends on every document."""
        documents = islice(self._documents(languages, None), MAGICODER_DOCUMENTS)
        contents: dict[str, str] = {}
        for item in magicoder_seeds(_with_contents(documents, contents if self._plan.filters else None), self._rng_seed):
            if isinstance(item, Skipped) or not self._source_filter.draws(item.origin.row_id):
                if isinstance(item, Skipped):
                    yield item
                continue
            reason = self._source_filter.reason(item.origin) or self._filters.snippet(item.snippet, item.origin.lang)
            reason = reason or self._filters.document(item.origin, lambda: contents[item.origin.row_id])  # noqa: B023
            yield Skipped(reason, item.origin.lang) if reason else item

    def _one_pass(self, languages: Collection[str] | None, draw: int) -> Iterator[Seed | Skipped]:
        """One snippet from every document."""
        if self._source.columnar:
            vectorized = draw == 0 and self._plan.sampler == "hash"
            for batch in self._source.batches(languages, self._assumed, self._source_filter):
                yield from self._first_snippets(batch) if vectorized else self._snippets(batch.documents(), draw)
            return
        documents = self._documents(languages, self._rng_seed)
        yield from self._snippets(self._apply_source_filter(documents), draw)

    def _documents(self, languages: Collection[str] | None, order_seed: int | None) -> Iterator[Document | Skipped]:
        """The documents of the source, one by one; anybody may have written it."""
        name = f"{type(self._source).__name__}.documents"
        documents = self._source.documents(languages, order_seed, self._assumed)
        check_type(f"What {name} returns", documents, Iterable, "an iterator of Document and Skipped objects")
        for item in documents:
            check_type(f"What {name} yields", item, Document | Skipped, "Document or Skipped objects")
            yield item

    def _apply_source_filter(self, documents: Iterable[Document | Skipped]) -> Iterator[Document | Skipped]:
        for item in documents:
            if isinstance(item, Skipped):
                yield item
            elif self._source_filter.draws(item.origin.row_id):
                reason = self._source_filter.reason(item.origin)
                yield Skipped(reason, item.origin.lang) if reason else item

    def _snippets(self, documents: Iterable[Document | Skipped], draw: int) -> Iterator[Seed | Skipped]:
        for item in documents:
            if isinstance(item, Skipped):
                yield item
            else:
                yield from self._nth_snippet(item, draw)

    def _first_snippets(self, batch: DocumentBatch) -> Iterator[Seed | Skipped]:
        """Equivalent to `_snippets` for the first draw of `hash`, vectorized over the documents of a batch."""
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
            # Draw 0 does not fit: the reference implementation draws again, and counts what was refused.
            if not text or text.isspace() or filters.snippet(text, item.lang):
                yield from self._nth_snippet(Document(batch.texts[row], item), 0)
            elif reason := filters.document(item, lambda: batch.texts[row]):  # noqa: B023  # asked for at once
                yield Skipped(reason, item.lang)
            else:
                yield Seed(text, start, end, item, sampler, rng_seed)

    def _nth_snippet(self, document: Document, draw: int) -> Iterator[Seed | Skipped]:
        """The nth snippet of a document that passes the filters, preceded by the snippets that were refused."""
        origin, plan = document.origin, self._plan
        if not document.content.strip():
            yield Skipped("empty", origin.lang)
            return
        accepted, refused = 0, []
        for start, end, text in SPANS[plan.sampler](document, self._rng_seed):
            if reason := self._filters.snippet(text, origin.lang):
                refused.append(reason)
                if len(refused) == MAX_REFUSALS:
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


def _with_contents(documents: Iterable[Document | Skipped], contents: dict[str, str] | None) -> Iterator[Document | Skipped]:
    """The same documents; their texts are kept for filters that run later."""
    for item in documents:
        if contents is not None and isinstance(item, Document):
            contents[item.origin.row_id] = item.content
        yield item


SpanRule: TypeAlias = Callable[[Document, int], Iterator[Span]]
"""Document and rng_seed → draw 0, draw 1, …"""


def hash_spans(document: Document, rng_seed: int) -> Iterator[Span]:
    r"""Draw 1–15 consecutive lines by `xxh3_64(row_id, rng_seed)`; only `\n` ends a line.

    The low 32 bits give the length, the high 32 the first line (Lemire's multiply-shift). Draws after the first, and the
    attempts after a blank or repeated snippet, add their number to the hash.
    """
    lines = document.content.removesuffix("\n").split("\n")
    row_id, seen = document.origin.row_id.encode(), set()
    for draw in count():
        for redraw in range(MAX_REDRAWS):
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
    """Each documented function with its documentation, in an order given by a hash."""
    if document.origin.lang not in MINED_LANGUAGES:
        return
    row_id, lines = document.origin.row_id.encode(), document.content.split("\n")

    def line_of(start_line: int) -> int:
        return xxhash.xxh3_64_intdigest(b"%s\0%d" % (row_id, start_line), rng_seed)

    functions = documented_functions(document.content, document.origin.lang)
    for function in sorted(functions, key=lambda function: line_of(function.start_line)):
        start, end = function.start_line, function.end_line
        yield start, end, "\n".join(lines[start - 1 : end])


SPANS: dict[str, SpanRule] = {"hash": hash_spans, "functions": function_spans}


def magicoder_seeds(documents: Iterable[Document | Skipped], rng_seed: int) -> Iterator[Seed | Skipped]:
    """The paper's seeds, bit for bit (ise-uiuc/magicoder, `extract_seed_code` and the shuffle in `main`).

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
    # Not split("\n"): like the paper's code, this also ends lines at other characters.
    lines = document.content.splitlines(keepends=True)
    if not lines:
        return Skipped("empty", document.origin.lang)
    # First the line, then the length: the paper's generator is used in this order.
    start = rng.choice(range(len(lines)))
    text = "".join(lines[start : start + rng.randint(1, MAX_LINES)])
    # Line numbers in the provenance count \n, as the other samplers and GitHub do.
    first = 1 + "".join(lines[:start]).count("\n")
    last = first + text.count("\n") - text.endswith("\n")
    return Seed(text, first, last, document.origin, SAMPLERS["magicoder"], rng_seed)
