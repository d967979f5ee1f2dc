"""The index that decontamination searches: hashes of benchmark tasks, built once and cached."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import xxhash

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.decontamination import normalization
from hf_oss_instruct.curation.decontamination.benchmark_tasks import BenchmarkTask
from hf_oss_instruct.curation.decontamination.inverted_index import InvertedIndex, TextNumbers
from hf_oss_instruct.curation.ngrams import Bytes
from hf_oss_instruct.storage.atomic import atomic_write
from hf_oss_instruct.storage.cache import cache_folder
from hf_oss_instruct.storage.spill import Hashes, Positions

VERSION = 3
"""Version of the rules; part of the cache's key and of `run.json`."""
SOLUTION_NGRAM, STATEMENT_NGRAM, PROMPT_NGRAM = 10, 13, 5
"""Words per n-gram: of a solution and of a statement, where one match is enough, and of a prompt, where a share must match.

The first ten words of a statement are often a formula ("Write a function to check whether a given string is a"). Thirteen is the
overlap that GPT-3's authors call contamination (arXiv 2005.14165, appendix C).
"""
MIN_DISTINCT_WORDS = 4
"""Distinct words of at least two letters that a long n-gram needs, so that tables of numbers do not match."""
MIN_NGRAM_SHARE = 0.5
"""Share of a prompt's short n-grams that a text must contain."""
OPENING_SHARE = 2 / 3
"""Share of a prompt's short n-grams that count as its beginning: a text must also contain one of the later ones."""
MIN_PROMPT_NGRAMS = 4
"""Prompts with fewer short n-grams must match as a whole."""
MAX_PROMPTS_PER_NGRAM = 200
"""Short n-grams that occur in more prompts than this are ignored."""
MIN_QUOTE_CHARS = 40
"""Characters of the shortest quote, without white space."""
WHOLE_PROMPT_WORDS = range(5, 10)
"""Least number of words of a prompt that is matched as a whole."""
BLIND_NGRAM = 20
"""Tokens of an identifier-blind n-gram."""
MIN_BLIND_WORDS = 4
"""Distinct keywords, builtin names and numbers that it needs."""
MIN_ENTRY_POINT_LETTERS = 6
"""Least number of letters of an entry point that is specific enough to match, without underscores."""

PREFILTER_SLOTS = 2**20
# Fibonacci hashing: 2⁶⁴ divided by the golden ratio spreads bytes of text over the high bits of the product.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class BenchmarkIndex:
    """Everything that is searched for.

    Attributes:
        names: names of the tasks, by number.
        quotes: statements, proses and solutions without white space; `windows` has their first characters.
        quote_tasks: (quotes,), the task of each.
        windows: first `MIN_QUOTE_CHARS` bytes of a quote → quote.
        beginnings: (PREFILTER_SLOTS,), whether any quote begins with eight bytes of this hash.
        long: n-grams of `SOLUTION_NGRAM` words of solutions, with enough distinct words → task.
        statement: n-grams of `STATEMENT_NGRAM` words of statements, with enough distinct words → task.
        short: n-grams of `PROMPT_NGRAM` words of a prose → twice the prose's number, plus one if they are after its beginning.
        needed: (proses,), how many of them make up `MIN_NGRAM_SHARE`; 0 if the prose has too few.
        prose_tasks: (proses,), the task of each.
        whole: a whole short prose as one n-gram → task.
        blind: identifier-blind n-grams of a solution → task.
        called: an entry point that is specific enough, without underscores → task.
    """

    names: tuple[str, ...]
    quotes: tuple[bytes, ...]
    quote_tasks: Positions
    windows: InvertedIndex
    beginnings: Mask
    long: InvertedIndex
    statement: InvertedIndex
    short: InvertedIndex
    needed: Positions
    prose_tasks: Positions
    whole: InvertedIndex
    blind: InvertedIndex
    called: InvertedIndex

    def save(self, path: Path) -> None:
        """Write it as plain arrays, atomically."""
        arrays: dict[str, Any] = {
            "lengths": np.array([*map(len, self.quotes)]),
            "quotes": np.frombuffer(b"".join(self.quotes), np.uint8),
        }
        arrays["names"] = np.frombuffer("\n".join(self.names).encode(), np.uint8)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, InvertedIndex):
                arrays |= {f"{field.name}.{part}": getattr(value, part) for part in ("hashes", "ends", "owners")}
            elif isinstance(value, np.ndarray):
                arrays[field.name] = value
        with atomic_write(path) as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> BenchmarkIndex:
        """Read an index that `save` wrote.

        Raises:
            OSError, ValueError, KeyError: the file is damaged or not an index.
        """
        # A pickle in the cache folder could run code of whoever wrote it.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            ends = [0, *np.cumsum(arrays["lengths"]).tolist()]
            blob = arrays["quotes"].tobytes()
            parts: dict[str, Any] = {
                "names": tuple(arrays["names"].tobytes().decode().split("\n")),
                "quotes": tuple(blob[start:stop] for start, stop in pairwise(ends)),
            }
            for field in fields(cls):
                if f"{field.name}.hashes" in arrays:
                    parts[field.name] = InvertedIndex.from_parts(
                        *(arrays[f"{field.name}.{part}"] for part in ("hashes", "ends", "owners"))
                    )
                elif field.name not in parts:
                    parts[field.name] = arrays[field.name]
        return cls(**parts)


def build(tasks: Sequence[BenchmarkTask]) -> BenchmarkIndex:
    """Build the index of some tasks."""
    statements = _owned((number, text) for number, task in enumerate(tasks) for text in task.statements)
    proses = _owned((number, text) for number, task in enumerate(tasks) for text in task.proses)
    solutions = _owned((number, text) for number, task in enumerate(tasks) for text in task.solutions)
    called = _owned((number, name) for number, task in enumerate(tasks) for name in task.entry_points)
    quotes = {
        text: owner
        for owned in (statements, proses, solutions)
        for owner, text in _squeezed(owned)
        if len(text) >= MIN_QUOTE_CHARS
    }
    short, needed, whole = _prose_ngrams(proses)
    return BenchmarkIndex(
        # `save` joins names with line feeds.
        names=tuple(task.name.replace("\n", " ") for task in tasks),
        quotes=tuple(quotes),
        quote_tasks=np.array([*quotes.values()], np.int64),  # (quotes,)
        windows=_windows(list(quotes)),
        beginnings=_beginnings(quotes),
        long=_joined(_ngrams_to_match(solutions, SOLUTION_NGRAM)),
        statement=_joined(_ngrams_to_match(statements, STATEMENT_NGRAM)),
        short=short,
        needed=needed,
        prose_tasks=np.array(proses[0], np.int64),  # (proses,)
        whole=whole,
        blind=_joined(_blind_ngrams(solutions)),
        called=_entry_points(called),
    )


Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Owned: TypeAlias = tuple[list[int], list[str]]


def _owned(pairs: Iterable[tuple[int, str]]) -> Owned:
    listed = list(pairs)
    return [owner for owner, _ in listed], [text for _, text in listed]


def _joined(parts: Iterable[tuple[Hashes, TextNumbers]]) -> InvertedIndex:
    none = np.empty(0, np.uint64), np.empty(0, np.int32)  # both (0,)
    hashes, owners = zip(none, *parts, strict=True)
    return InvertedIndex.of(np.concatenate(hashes), np.concatenate(owners))


def _squeezed(owned: Owned) -> Iterator[tuple[int, bytes]]:
    for rows in ngrams.texts(ngrams.of_strings(owned[1])):
        data, ends = normalization.without_whitespace(rows)
        squeezed = data.tobytes()
        for row, (start, stop) in enumerate(pairwise(ends.tolist()), rows.first):
            yield owned[0][row], squeezed[start:stop]


def _windows(quotes: list[bytes]) -> InvertedIndex:
    data = np.frombuffer(
        b"".join(quote[:MIN_QUOTE_CHARS] for quote in quotes), np.uint8
    )  # (quotes · MIN_QUOTE_CHARS,): no quote is shorter
    positions = np.arange(len(quotes), dtype=np.int32)  # (quotes,)
    return InvertedIndex.of(ngrams.windows(data, positions.astype(np.int64) * MIN_QUOTE_CHARS, MIN_QUOTE_CHARS), positions)


def _beginnings(quotes: Iterable[bytes]) -> Mask:
    # (quotes,): the first eight bytes of each
    firsts = ngrams.sliding_uint64(np.frombuffer(b"".join(quote[: ngrams.WORD_BYTES] for quote in quotes), np.uint8))[
        :: ngrams.WORD_BYTES
    ]
    prefilter = np.zeros(PREFILTER_SLOTS, bool)  # (PREFILTER_SLOTS,)
    prefilter[prefilter_slots(firsts)] = True
    return prefilter


def prefilter_slots(first: Hashes) -> Positions:
    """Slots of the prefilter for the first eight bytes of quotes."""
    return ((first * _SPREAD) >> np.uint64(64 - PREFILTER_SLOTS.bit_length() + 1)).astype(np.int64)


def _ngrams_to_match(owned: Owned, n: int) -> Iterator[tuple[Hashes, TextNumbers]]:
    """The n-grams with enough distinct words, and the task of each."""
    tasks = np.array(owned[0], np.int32)  # (texts,)
    for rows in ngrams.texts(ngrams.of_strings(owned[1])):
        words = normalization.prose_words(rows)
        grams, row_of = ngrams.grams(words.hashes, words.ends, n)  # both (grams,)
        enough = _distinct_words(words.hashes, _is_word(words, rows.data), words.ends, n) >= MIN_DISTINCT_WORDS  # (grams,)
        yield grams[enough], tasks[row_of[enough] + rows.first]


def _is_word(words: ngrams.Words, data: Bytes) -> Mask:
    """(words,): whether a word has at least two letters and no digit."""
    # How many digits come before each byte: a word without digits has as many at its start as at its stop.
    digits = np.concatenate([[0], np.cumsum(np.take(normalization.DIGITS, data) != 0)])  # (bytes + 1,)
    return np.asarray((digits[words.stops] == digits[words.starts]) & (words.stops - words.starts > 1))


def _distinct_words(hashes: Hashes, counted: Mask, ends: Positions, n: int) -> Positions:
    """The number of distinct counted words in each n-gram; a repeated word counts at its first occurrence."""
    if len(hashes) < n:
        return np.empty(0, np.int64)
    # `last` is the position of the same word before each word, -1 if there is none. In an n-gram, a word
    # is new if that lies before the start of the n-gram; for words that do not count, it never does.
    keys = np.where(counted, hashes, np.uint64(0))  # (words,)
    order = np.argsort(keys, kind="stable")  # (words,): equal words next to each other, in text order
    again = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])  # (repetitions,)
    last = np.full(len(hashes), -1)  # (words,)
    last[order[again + 1]] = order[again]
    last[~counted] = len(hashes)
    starts = np.arange(len(hashes) - n + 1)  # (words - n + 1,)
    counts = np.zeros(len(starts), np.int64)  # (words - n + 1,)
    for position in range(n):
        counts += last[position : position + len(starts)] < starts
    row_of = np.repeat(np.arange(len(ends) - 1), np.diff(ends))  # (words,)
    return np.asarray(counts[row_of[: len(starts)] == row_of[n - 1 :]])


def _prose_ngrams(owned: Owned) -> tuple[InvertedIndex, Positions, InvertedIndex]:
    """Short n-grams → prose and whether they are after its beginning; how many each prose needs; whole short proses → task."""
    grams, owners, short, tasks = [], [], [], []
    for batch in ngrams.texts(ngrams.of_strings(owned[1])):
        words = normalization.prose_words(batch)
        hashes, row_of = ngrams.grams(words.hashes, words.ends, PROMPT_NGRAM)  # both (grams,)
        counts = np.maximum(np.diff(words.ends) - PROMPT_NGRAM + 1, 0)  # (rows,): n-grams of each
        position = np.arange(len(hashes)) - np.repeat(np.cumsum(counts) - counts, counts)  # (grams,): its number in its row
        late = position >= np.floor(counts * OPENING_SHARE)[row_of]  # (grams,)
        grams.append(hashes)
        owners.append(((row_of + batch.first) * 2 + late).astype(np.int32))
        for row in np.flatnonzero(np.isin(np.diff(words.ends), list(WHOLE_PROMPT_WORDS))).tolist():
            own = words.hashes[words.ends[row] : words.ends[row + 1]]
            short.append(ngrams.grams(own, np.array([0, len(own)]), len(own))[0])
            tasks.append(owned[0][row + batch.first])
    lookup = _joined(zip(grams, owners, strict=True)).without_common(MAX_PROMPTS_PER_NGRAM)
    # Counted without the common ones, so that a share of those that are left is needed.
    counts = np.bincount(lookup.owners // 2, minlength=len(owned[0]))  # (proses,)
    needed = np.where(counts >= MIN_PROMPT_NGRAMS, np.ceil(counts * MIN_NGRAM_SHARE), 0).astype(np.int64)  # (proses,)
    return lookup, needed, InvertedIndex.of(np.concatenate([np.empty(0, np.uint64), *short]), np.array(tasks, np.int32))


def _blind_ngrams(owned: Owned) -> Iterator[tuple[Hashes, TextNumbers]]:
    """The identifier-blind n-grams that are specific enough, and the task of each."""
    tasks = np.array(owned[0], np.int32)  # (texts,)
    for rows in ngrams.texts(ngrams.of_strings(owned[1])):
        hashes, ends, telling = normalization.tokens_without_identifiers(rows)
        grams, row_of = ngrams.grams(hashes, ends, BLIND_NGRAM)  # both (grams,)
        enough = _distinct_words(hashes, telling, ends, BLIND_NGRAM) >= MIN_BLIND_WORDS  # (grams,)
        yield grams[enough], tasks[row_of[enough] + rows.first]


def _entry_points(owned: Owned) -> InvertedIndex:
    names = [name.replace("_", "").lower() for name in owned[1]]
    telling = [position for position, name in enumerate(names) if len(name) >= MIN_ENTRY_POINT_LETTERS]
    hashes = ngrams.word_hashes([names[position] for position in telling])  # (telling,)
    return InvertedIndex.of(hashes, np.array([owned[0][position] for position in telling], np.int32))


def content_key(tasks: Sequence[BenchmarkTask]) -> str:
    """Hash of the tasks' content and the version of the rules: the name of the index in the cache."""
    state = xxhash.xxh3_128(f"benchmark_index/{VERSION}".encode())
    for task in tasks:
        state.update(repr(task).encode(errors="replace"))
    return str(state.hexdigest())


def cached(tasks: Sequence[BenchmarkTask]) -> BenchmarkIndex:
    """The index of some tasks, from the cache if it was built before."""
    path = cache_folder("benchmark_index") / f"{content_key(tasks)}.npz"
    try:
        return BenchmarkIndex.load(path)
    except (OSError, ValueError, LookupError, TypeError, EOFError, zlib.error, MemoryError, zipfile.BadZipFile):  # or damaged
        index = build(tasks)
    with suppress(OSError):  # without a writable cache the next run builds it again
        path.parent.mkdir(parents=True, exist_ok=True)
        index.save(path)
    return index
