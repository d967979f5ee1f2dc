"""What of the benchmarks is looked for: an index of hashes, built once for a set of tasks."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from hf_oss_instruct.curation import words
from hf_oss_instruct.curation.tasks import Task
from hf_oss_instruct.curation.words import Bytes, Hashes, Places, Texts

VERSION = 1
"""Version of the rules; part of the cache's key and of `run.json`."""
LONG, SHORT = 10, 5
"""Words of the n-grams of which one is enough, and of those of which a share is."""
WORDY = 4
"""Different words of at least two letters in a long n-gram: tables of numbers are no quotes."""
SHARE = 0.5
"""Share of a prompt's short n-grams that a text must hold."""
FEWEST_SHORT = 4
"""Fewer short n-grams are no sign of a prompt."""
COMMON = 200
"""Short n-grams of more prompts than this count neither way."""
WINDOW = 40
"""Characters of the shortest quote, without white space."""
WHOLE = range(5, 10)
"""Words of a short prompt that counts as quoted when all of it stands in a text."""
BLIND = 20
"""Tokens of an identifier-blind n-gram."""
BLIND_WORDS = 4
"""Different keywords, builtin names and numbers in it."""
LONG_NAME = 6
"""Letters of an entry point's name that is telling, without underscores."""

SIEVE = 2**20
_SPREAD = np.uint64(0x9E3779B97F4A7C15)

_SAME = (
    "a an",
    "list array vector slice arraylist vec",
    "dictionary dict map hash hashmap object table",
    "none nil null undefined nullptr nothing optional",
    "tuple tuples pair",
    "lists arrays vectors slices",
    "string str",
    "strings strs",
    "integer int",
    "integers ints",
    "boolean bool",
    "floats doubles",
    "float double",
)
_SYNONYMS = {words.word_hash(word): words.word_hash(group.split()[0]) for group in _SAME for word in group.split()[1:]}
_FROM = np.array(sorted(_SYNONYMS), np.uint64)
_TO = np.array([_SYNONYMS[word] for word in sorted(_SYNONYMS)], np.uint64)

_KEPT = (
    "and as assert break case class const continue def del do elif else except false finally for from func function if "
    "import in is lambda let new none not null or pass raise return try true var while with yield False None True abs "
    "all any append bin bool chr count dict enumerate eval filter find float format hashlib hex index input insert int "
    "isalpha isdigit islower isupper items join keys len list lower lstrip map math max min next ord pop pow print range "
    "remove replace reverse reversed round rstrip set sort sorted split startswith endswith str strip sum swapcase tuple "
    "upper values zip"
)
_KEEP = words.word_hashes(_KEPT.split())
_LIST = np.uint64(words.word_hash("list"))
_NAME = np.uint64(words.word_hash("name"))
_DIGITS = words.alphabet(words.DIGITS)
_INK = words.alphabet("".join(map(chr, range(33, 127))), fold=True, beyond_ascii=True)
_BEFORE = re.compile(rb"([\w>\]*&]+)[ \t]+\*?_*$")
_AFTER = re.compile(rb"\w+[ \t]*(?:\(|=[ \t]*(?:async[ \t]*)?(?:\(|function))")
_NO_TYPES = frozenset(b"return new await yield in not and or if elif while else print assert throw the a an".split())
_IS_SIGN = ((_INK != 0) & (words.IDENTIFIERS == 0)).astype(np.uint8)
_SIGNS = words.mix(np.where(np.arange(256) == ord('"'), ord("'"), np.arange(256)).astype(np.uint64))
"""The hash of each sign; either quotation mark is one."""
_MARKS = words.alphabet("/*#;%!-")
_UNDERSCORED = words.alphabet(words.SMALL + words.SMALL.upper() + words.DIGITS, fold=True, beyond_ascii=True)


def prose_words(rows: Texts) -> words.Words:
    """The words of texts as a reader has them; what languages call their list is one word, also if it is two (array list)."""
    found = words.words(rows, words.PROSE)
    places = words.among(found.hashes, _FROM)
    found.hashes[places] = _TO[np.searchsorted(_FROM, found.hashes[places])]
    lists = places[found.hashes[places] == _LIST]
    again = lists[1:][np.diff(lists) == 1]
    again = again[~np.isin(again, found.ends)]
    if not len(again):
        return found
    ends = found.ends - np.searchsorted(again, found.ends)
    return words.Words(np.delete(found.hashes, again), ends, np.delete(found.starts, again), np.delete(found.stops, again))


def blind_tokens(rows: Texts) -> tuple[Hashes, Places, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Tokens of code with every name made the same: hashes, where rows begin and end, and which tokens are telling."""
    found = words.words(rows, words.IDENTIFIERS)
    telling = np.zeros(len(found.hashes), bool)
    telling[words.among(found.hashes, _KEEP)] = True
    telling |= np.take(_DIGITS, rows.data[found.starts]) != 0
    kind = np.take(_IS_SIGN, rows.data)  # 1 for a sign, 2 for the first letter of a word
    kind[found.starts] = 2
    places = np.flatnonzero(kind)
    is_word = np.take(kind, places) == 2
    every = np.take(_SIGNS, np.take(rows.data, places))
    every[is_word] = np.where(telling, found.hashes, _NAME)
    tells = np.zeros(len(every), bool)
    tells[is_word] = telling
    return every, np.searchsorted(places, rows.ends), tells


def squeezed(rows: Texts) -> tuple[Bytes, Places]:
    """Texts without white space, capital letters and the signs that open lines of comments; and where rows begin and end."""
    folded = np.take(_INK, rows.data)
    ink = folded != 0
    ink[_comment_marks(rows, ink)] = False
    return folded[ink], rows.ends - np.searchsorted(np.flatnonzero(~ink), rows.ends)


def _comment_marks(rows: Texts, ink: np.ndarray[Any, np.dtype[np.bool_]]) -> Places:
    """Where signs such as `//`, `*` or `#` stand first in a line."""
    lines = words.distinct(np.concatenate([rows.ends[:-1], np.flatnonzero(rows.data == ord("\n")) + 1]))
    inked, others = np.flatnonzero(ink), np.append(np.flatnonzero(np.take(_MARKS, rows.data) == 0), len(rows.data))
    at = np.searchsorted(inked, lines)
    first = inked[at[at < len(inked)]]  # of an empty line, the next line's: the same again
    lengths = others[np.searchsorted(others, first)] - first
    return np.repeat(first - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))


def plain_names(rows: Texts) -> tuple[words.Words, Places]:
    """The names in texts without underscores and capital letters: `hasCloseElements` is `has_close_elements`.

    Returns:
        The words, whose `starts` count no underscores; and where the underscores are in `rows.data`.
    """
    lines = np.flatnonzero(rows.data == ord("_"))
    ends = rows.ends - np.searchsorted(lines, rows.ends)
    return words.words(Texts(rows.first, np.delete(rows.data, lines), ends), _UNDERSCORED), lines


def with_underscores(starts: Places, lines: Places) -> Places:
    """Places that count no underscores, counted with them."""
    return starts + np.searchsorted(lines - np.arange(len(lines)), starts, "right")


def is_defined(data: Bytes, start: int) -> bool:
    """Whether the name that begins here seems to be defined here: `def name(`, `int name(`, `const name = (`."""
    before = _BEFORE.search(data[max(start - 40, 0) : start].tobytes())
    return bool(before and before[1] not in _NO_TYPES and _AFTER.match(data[start : start + 100].tobytes()))


@dataclass(frozen=True, slots=True)
class Lookup:
    """A map from hashes to the numbers of what holds them.

    Attributes:
        hashes: (hashes,), sorted, each once.
        ends: (hashes + 1,), where the owners of a hash begin and end.
        owners: (entries,), numbers of owners.
        sieve: (2, slots), whether any hash begins, and whether any ends, with certain bits: most lookups end here.
    """

    hashes: Hashes
    ends: Places
    owners: Places
    sieve: np.ndarray[Any, np.dtype[np.bool_]]

    @classmethod
    def of(cls, hashes: Hashes, owners: Places) -> Lookup:
        """A map from pairs."""
        order = np.lexsort((owners, hashes))
        hashes, owners = hashes[order], owners[order]
        new = np.ones(len(hashes), bool)
        new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        hashes, owners = hashes[new], owners[new]
        first = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]])[: len(hashes)])
        return cls.from_parts(hashes[first], np.append(first, len(hashes)), owners)

    @classmethod
    def from_parts(cls, hashes: Hashes, ends: Places, owners: Places) -> Lookup:
        """The map again from what `of` made."""
        sieve = np.zeros((2, 1 << min(max(16 * len(hashes), 1 << 12).bit_length(), 24)), bool)
        sieve[0, cls._slots(hashes, sieve.shape[1])] = True
        sieve[1, (hashes & np.uint64(sieve.shape[1] - 1)).astype(np.int64)] = True
        return cls(hashes, ends, owners, sieve)

    def find(self, hashes: Hashes) -> tuple[Places, Places]:
        """Which of the hashes are known: their places, and their numbers in `self.hashes`."""
        if not len(self.hashes):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        slots = self.sieve.shape[1]
        places = np.flatnonzero(np.take(self.sieve[0], self._slots(hashes, slots)))
        places = places[np.take(self.sieve[1], (hashes[places] & np.uint64(slots - 1)).astype(np.int64))]
        at = np.minimum(np.searchsorted(self.hashes, hashes[places]), len(self.hashes) - 1)
        hit = self.hashes[at] == hashes[places]
        return places[hit], at[hit]

    def expand(self, rows: Places, at: Places) -> tuple[Places, Places]:
        """For each (row, number of a hash): the row with each owner of the hash."""
        counts = self.ends[at + 1] - self.ends[at]
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(rows, counts), self.owners[np.repeat(self.ends[at], counts) + within]

    @staticmethod
    def _slots(hashes: Hashes, size: int) -> Places:
        return (hashes >> np.uint64(64 - size.bit_length() + 1)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Index:
    """Everything that is looked for.

    Attributes:
        names: names of the tasks, by number.
        quotes: squeezed statements, proses and solutions; `windows` has their first characters.
        quote_tasks: the task of each.
        windows: first `WINDOW` bytes of a quote → quote.
        beginnings: (SIEVE,), whether any quote begins with certain eight bytes.
        long: wordy n-grams of `LONG` words → task.
        short: n-grams of `SHORT` words of a prose → prose.
        needed: (proses,), how many of them are `SHARE`; 0 where the prose has too few.
        prose_tasks: the task of each prose.
        whole: a short prose as one n-gram → task.
        blind: identifier-blind n-grams of a solution → task.
        called: a telling entry point without underscores → task.
    """

    names: tuple[str, ...]
    quotes: tuple[bytes, ...]
    quote_tasks: Places
    windows: Lookup
    beginnings: np.ndarray[Any, np.dtype[np.bool_]]
    long: Lookup
    short: Lookup
    needed: Places
    prose_tasks: Places
    whole: Lookup
    blind: Lookup
    called: Lookup

    def save(self, path: Path) -> None:
        """Write it as plain arrays."""
        arrays: dict[str, Any] = {
            "lengths": np.array([*map(len, self.quotes)]),
            "quotes": np.frombuffer(b"".join(self.quotes), np.uint8),
        }
        arrays["names"] = np.frombuffer("\n".join(self.names).encode(), np.uint8)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Lookup):
                arrays |= {f"{field.name}.{part}": getattr(value, part) for part in ("hashes", "ends", "owners")}
            elif isinstance(value, np.ndarray):
                arrays[field.name] = value
        with path.open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> Index:
        """Read what `save` wrote.

        Raises:
            OSError, ValueError, KeyError: it is damaged or none of ours.
        """
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            ends = [0, *np.cumsum(arrays["lengths"]).tolist()]
            blob = arrays["quotes"].tobytes()
            parts: dict[str, Any] = {
                "names": tuple(arrays["names"].tobytes().decode().split("\n")),
                "quotes": tuple(blob[start:stop] for start, stop in pairwise(ends)),
            }
            for field in fields(cls):
                if f"{field.name}.hashes" in arrays:
                    parts[field.name] = Lookup.from_parts(
                        *(arrays[f"{field.name}.{part}"] for part in ("hashes", "ends", "owners"))
                    )
                elif field.name not in parts:
                    parts[field.name] = arrays[field.name]
        return cls(**parts)


def build(tasks: Sequence[Task]) -> Index:
    """The index of some tasks."""
    statements = _owned((number, text) for number, task in enumerate(tasks) for text in task.statements)
    proses = _owned((number, text) for number, task in enumerate(tasks) for text in task.proses)
    solutions = _owned((number, text) for number, task in enumerate(tasks) for text in task.solutions)
    called = _owned((number, name) for number, task in enumerate(tasks) for name in task.entry_points)
    quotes = {text: owner for owned in (statements, proses, solutions) for owner, text in _squeezed(owned) if len(text) >= WINDOW}
    short, needed, whole = _proses(proses)
    return Index(
        names=tuple(task.name.replace("\n", " ") for task in tasks),
        quotes=tuple(quotes),
        quote_tasks=np.array([*quotes.values()], np.int64),
        windows=_windows(list(quotes)),
        beginnings=_beginnings(quotes),
        long=_joined([_long(statements), _long(solutions)]),
        short=short,
        needed=needed,
        prose_tasks=np.array(proses[0], np.int64),
        whole=whole,
        blind=_blind(solutions),
        called=_called(called),
    )


Owned = tuple[list[int], list[str]]


def _owned(pairs: Iterable[tuple[int, str]]) -> Owned:
    listed = list(pairs)
    return [owner for owner, _ in listed], [text for _, text in listed]


def _joined(parts: list[tuple[Hashes, Places]]) -> Lookup:
    return Lookup.of(
        np.concatenate([np.empty(0, np.uint64), *(hashes for hashes, _ in parts)]),
        np.concatenate([np.empty(0, np.int64), *(owners for _, owners in parts)]),
    )


def _squeezed(owned: Owned) -> Iterator[tuple[int, bytes]]:
    for rows in words.texts(words.of_strings(owned[1])):
        data, ends = squeezed(rows)
        for row in range(len(rows)):
            yield owned[0][rows.first + row], data[ends[row] : ends[row + 1]].tobytes()


def _windows(quotes: list[bytes]) -> Lookup:
    data = np.frombuffer(b"".join(quote[:WINDOW] for quote in quotes), np.uint8)
    places = np.arange(len(quotes))
    return Lookup.of(words.windows(data, places * WINDOW, WINDOW), places)


def _beginnings(quotes: Iterable[bytes]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    firsts = words.eights(np.frombuffer(b"".join(quote[: words.WORD] for quote in quotes), np.uint8))[:: words.WORD]
    sieve = np.zeros(SIEVE, bool)
    sieve[sieve_slots(firsts)] = True
    return sieve


def sieve_slots(first: Hashes) -> Places:
    """Places in a sieve of quotes' first eight bytes."""
    return ((first * _SPREAD) >> np.uint64(64 - SIEVE.bit_length() + 1)).astype(np.int64)


def _long(owned: Owned) -> tuple[Hashes, Places]:
    """The wordy long n-grams, and the task of each."""
    hashes, owners = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    tasks = np.array(owned[0], np.int64)
    for rows in words.texts(words.of_strings(owned[1])):
        found = prose_words(rows)
        grams, row_of = words.grams(found.hashes, found.ends, LONG)
        wordy = _wordy(found, rows.data)
        hashes.append(grams[wordy])
        owners.append(tasks[row_of[wordy] + rows.first])
    return np.concatenate(hashes), np.concatenate(owners)


def _wordy(found: words.Words, data: Bytes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which long n-grams hold `WORDY` different words."""
    digits = np.concatenate([[0], np.cumsum(np.take(_DIGITS, data) != 0)])
    is_word = (digits[found.stops] == digits[found.starts]) & (found.stops - found.starts > 1)
    numbers = np.where(is_word, found.hashes, np.uint64(0))
    if len(numbers) < LONG:
        return np.empty(0, bool)
    row_of = np.repeat(np.arange(len(found.ends) - 1), np.diff(found.ends))
    inside = row_of[: len(numbers) - LONG + 1] == row_of[LONG - 1 :]
    ordered = np.sort(np.lib.stride_tricks.sliding_window_view(numbers, LONG)[inside], axis=1)
    new = ordered[:, 1:] != ordered[:, :-1]
    return np.asarray(new.sum(axis=1) + (ordered[:, 0] != 0) >= WORDY)


def _proses(owned: Owned) -> tuple[Lookup, Places, Lookup]:
    """Short n-grams → prose, how many of them each prose needs, and whole short proses → task."""
    grams, rows, short, tasks = [], [], [], []
    for batch in words.texts(words.of_strings(owned[1])):
        found = prose_words(batch)
        hashes, row_of = words.grams(found.hashes, found.ends, SHORT)
        grams.append(hashes)
        rows.append(row_of + batch.first)
        for row in np.flatnonzero(np.isin(np.diff(found.ends), list(WHOLE))).tolist():
            own = found.hashes[found.ends[row] : found.ends[row + 1]]
            short.append(words.grams(own, np.array([0, len(own)]), len(own))[0])
            tasks.append(owned[0][row + batch.first])
    lookup = _joined(list(zip(grams, rows, strict=True)))
    rare = np.diff(lookup.ends) <= COMMON
    hashes = np.repeat(lookup.hashes, np.diff(lookup.ends))[np.repeat(rare, np.diff(lookup.ends))]
    lookup = Lookup.of(hashes, lookup.owners[np.repeat(rare, np.diff(lookup.ends))])
    counts = np.bincount(lookup.owners, minlength=len(owned[0]))
    needed = np.where(counts >= FEWEST_SHORT, np.ceil(counts * SHARE), 0).astype(np.int64)
    return lookup, needed, Lookup.of(np.concatenate([np.empty(0, np.uint64), *short]), np.array(tasks, np.int64))


def _blind(owned: Owned) -> Lookup:
    parts = []
    tasks = np.array(owned[0], np.int64)
    for rows in words.texts(words.of_strings(owned[1])):
        hashes, ends, telling = blind_tokens(rows)
        grams, row_of = words.grams(hashes, ends, BLIND)
        row_of_token = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
        inside = row_of_token[: max(len(hashes) - BLIND + 1, 0)] == row_of_token[BLIND - 1 :]
        if len(grams):
            views = np.sort(
                np.lib.stride_tricks.sliding_window_view(np.where(telling, hashes, np.uint64(0)), BLIND)[inside], axis=1
            )
            distinct = (views[:, 1:] != views[:, :-1]).sum(axis=1) + (views[:, 0] != 0)
            parts.append((grams[distinct >= BLIND_WORDS], tasks[row_of[distinct >= BLIND_WORDS] + rows.first]))
    return _joined(parts)


def _called(owned: Owned) -> Lookup:
    names = [name.replace("_", "").lower() for name in owned[1]]
    telling = [place for place, name in enumerate(names) if len(name) >= LONG_NAME]
    hashes = np.array([words.word_hash(names[place]) for place in telling], np.uint64)
    return Lookup.of(hashes, np.array([owned[0][place] for place in telling], np.int64))


def content_key(tasks: Sequence[Task]) -> str:
    """A key of the tasks' content and of the rules' version: the name of the index in the cache."""
    state = xxhash.xxh3_128(f"needles/{VERSION}".encode())
    for task in tasks:
        state.update(repr(task).encode(errors="replace"))
    return str(state.hexdigest())


def cached(tasks: Sequence[Task]) -> Index:
    """The index of some tasks, from `$HF_HOME/oss-instruct/needles/` if it was built before."""
    home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    path = Path(home) / "oss-instruct" / "needles" / f"{content_key(tasks)}.npz"
    try:
        return Index.load(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        index = build(tasks)
    with suppress(OSError):  # a cache that cannot be written costs time, nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{os.getpid()}-{path.name}")
        index.save(temporary)
        temporary.replace(path)
    return index
