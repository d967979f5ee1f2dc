"""Normalize texts before they are compared: to prose, identifier-blind code, characters without white space, names."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.ngrams import Bytes, ColumnTexts
from hf_oss_instruct.storage.spill import Hashes, Positions, distinct

# Translated benchmarks such as MultiPL-E call a list what their language calls it. The first word of each group stands for all.
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
_SYNONYMS = {ngrams.word_hash(word): ngrams.word_hash(group.split()[0]) for group in _SAME for word in group.split()[1:]}
_FROM = np.array(sorted(_SYNONYMS), np.uint64)
_TO = np.array([_SYNONYMS[word] for word in sorted(_SYNONYMS)], np.uint64)

# Not names, for identifier-blind code: keywords, and the builtin functions and methods that solutions call.
_KEPT = (
    "and as assert break case class const continue def del do elif else except false finally for from func function if "
    "import in is lambda let new none not null or pass raise return try true var while with yield False None True abs "
    "all any append bin bool chr count dict enumerate eval filter find float format hashlib hex index input insert int "
    "isalpha isdigit islower isupper items join keys len list lower lstrip map math max min next ord pop pow print range "
    "remove replace reverse reversed round rstrip set sort sorted split startswith endswith str strip sum swapcase tuple "
    "upper values zip"
)
_KEEP = np.sort(ngrams.word_hashes(_KEPT.split()))
_LIST = np.uint64(ngrams.word_hash("list"))
_NAME = np.uint64(ngrams.word_hash("name"))
DIGITS = ngrams.alphabet(ngrams.DIGITS)
# Every visible character, in lower case.
_INK = ngrams.alphabet("".join(map(chr, range(33, 127))), fold=True, beyond_ascii=True)
# What stands before and after a name that is defined: a keyword or a type (`int`, `List<T>`, `char *`); an opening
# bracket, or `= (`, `= function`, `= async (` in JavaScript. Words of `_NO_TYPES` stand before a call or in a sentence.
_BEFORE = re.compile(rb"([\w>\]*&]+)[ \t]+\*?_*$")
_AFTER = re.compile(rb"\w+[ \t]*(?:\(|=[ \t]*(?:async[ \t]*)?(?:\(|function))")
_NO_TYPES = frozenset(b"return new await yield in not and or if elif while else print assert throw the a an".split())
_IS_SIGN = ((_INK != 0) & (ngrams.IDENTIFIERS == 0)).astype(np.uint8)
_SIGNS = ngrams.mix64(np.where(np.arange(256) == ord('"'), ord("'"), np.arange(256)).astype(np.uint64))
"""(256,): the hash of each punctuation mark; both quotation marks have the same."""
_MARKS = ngrams.alphabet("/*#;%!-")
_UNDERSCORED = ngrams.alphabet(ngrams.LOWERCASE + ngrams.LOWERCASE.upper() + ngrams.DIGITS, fold=True, beyond_ascii=True)


def prose_words(rows: ColumnTexts) -> ngrams.Words:
    """The words of prose. The names that languages give to lists, maps etc. become one word, also two words (array list)."""
    words = ngrams.words(rows, ngrams.PROSE)
    positions = ngrams.known_positions(words.hashes, _FROM)  # (synonyms,)
    words.hashes[positions] = _TO[np.searchsorted(_FROM, words.hashes[positions])]
    lists = positions[words.hashes[positions] == _LIST]  # (occurrences of list,)
    # The second of two neighbors is dropped, unless it is the first word of the next row.
    again = lists[1:][np.diff(lists) == 1]  # (dropped words,)
    again = again[~np.isin(again, words.ends)]
    if not len(again):
        return words
    ends = words.ends - np.searchsorted(again, words.ends)  # (rows + 1,)
    return ngrams.Words(np.delete(words.hashes, again), ends, np.delete(words.starts, again), np.delete(words.stops, again))


def tokens_without_identifiers(rows: ColumnTexts) -> tuple[Hashes, Positions, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Code tokens with all names replaced by one: hashes (tokens,), ends (rows + 1,), which tokens are specific (tokens,)."""
    words = ngrams.words(rows, ngrams.IDENTIFIERS)
    distinctive = np.zeros(len(words.hashes), bool)  # (words,)
    distinctive[ngrams.known_positions(words.hashes, _KEEP)] = True
    distinctive |= np.take(DIGITS, rows.data[words.starts]) != 0
    kind = np.take(_IS_SIGN, rows.data)  # 1: punctuation, 2: first letter of a word
    kind[words.starts] = 2
    positions = np.flatnonzero(kind)  # (tokens,): byte offsets
    is_word = np.take(kind, positions) == 2  # (tokens,)
    every = np.take(_SIGNS, np.take(rows.data, positions))  # (tokens,)
    every[is_word] = np.where(distinctive, words.hashes, _NAME)
    is_distinctive = np.zeros(len(every), bool)  # (tokens,)
    is_distinctive[is_word] = distinctive
    return every, np.searchsorted(positions, rows.ends), is_distinctive


def without_whitespace(rows: ColumnTexts) -> tuple[Bytes, Positions]:
    """Texts in lower case without white space and comment markers; and where rows begin and end (rows + 1,)."""
    folded = np.take(_INK, rows.data)  # (bytes,)
    ink = folded != 0  # (bytes,): whether a byte is kept
    ink[_comment_marks(rows, ink)] = False
    return folded[ink], rows.ends - np.searchsorted(np.flatnonzero(~ink), rows.ends)


def _comment_marks(rows: ColumnTexts, ink: np.ndarray[Any, np.dtype[np.bool_]]) -> Positions:
    """Where markers such as `//`, `*` or `#` come first in a line."""
    lines = distinct(np.concatenate([rows.ends[:-1], np.flatnonzero(rows.data == ord("\n")) + 1]))  # (lines,): where lines begin
    inked, others = np.flatnonzero(ink), np.append(np.flatnonzero(np.take(_MARKS, rows.data) == 0), len(rows.data))
    next_ink = np.searchsorted(inked, lines)  # (lines,)
    first = inked[next_ink[next_ink < len(inked)]]  # an empty line gets the next line's offset, twice
    lengths = others[np.searchsorted(others, first)] - first  # (lines with text,): bytes of each marker
    return np.repeat(first - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))


def plain_names(rows: ColumnTexts) -> tuple[ngrams.Words, Positions]:
    """The names in texts in lower case without underscores, so that `hasCloseElements` equals `has_close_elements`.

    Returns:
        The words, whose `starts` do not count underscores; and the offsets of underscores in `rows.data`.
    """
    lines = np.flatnonzero(rows.data == ord("_"))  # (underscores,)
    ends = rows.ends - np.searchsorted(lines, rows.ends)  # (rows + 1,)
    return ngrams.words(ColumnTexts(rows.first, np.delete(rows.data, lines), ends), _UNDERSCORED), lines


def with_underscores(starts: Positions, lines: Positions) -> Positions:
    """Convert offsets that do not count underscores to offsets in the text."""
    return starts + np.searchsorted(lines - np.arange(len(lines)), starts, "right")


def is_defined(data: Bytes, start: int) -> bool:
    """Whether the name that begins here looks like a definition: `def name(`, `int name(`, `const name = (`."""
    # 40 and 100 bytes bound the search: a pattern anchored at the end of a long line would be tried at every byte of it.
    before = _BEFORE.search(data[max(start - 40, 0) : start].tobytes())
    return bool(before and before[1] not in _NO_TYPES and _AFTER.match(data[start : start + 100].tobytes()))
