"""Find exact and near duplicates of earlier rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from hf_oss_instruct.curation import minhash, ngrams
from hf_oss_instruct.curation.annotations import flag, not_rejected, reject
from hf_oss_instruct.curation.ngrams import Hashes, Positions
from hf_oss_instruct.data import KEEP, CheckResult, Row
from hf_oss_instruct.packed import NumberMap
from hf_oss_instruct.spill import Spill, key_ranges, merged

COMPARED = ("seed", "problem", "solution")
THRESHOLD = 0.7
"""Jaccard similarity of word 5-grams from which on two texts are near duplicates."""
DETAILS_AT_ONCE = 2**16
"""Rejections whose details are kept as Python strings, until they are written into the table."""
PAIR = np.dtype([("later", "<i8"), ("earlier", "<i8"), ("column", "u1"), ("similarity", "<f8")])
"""Texts that may be near duplicates: their positions, the number of the column, and the Jaccard similarity there."""
Pairs: TypeAlias = np.ndarray[Any, np.dtype[np.void]]
"""(pairs,): of `PAIR`."""
_WHITE = b"\t\n\v\f\r\x1c\x1d\x1e\x1f "
"""The ASCII characters that `str.split` treats as white space."""
_OPENINGS = ngrams.word_hashes("def class func fn fun function struct interface trait enum module sub".split())
_EVERYBODYS = np.sort(ngrams.word_hashes("main Main Solution solution solve Program App Test test __init__".split()))


class ExactDuplicates:
    """Drops rows whose seed, problem or solution occurred in an earlier kept row, ignoring white space.

    Rows must come in seed order: the first of a group is kept. Blank texts never match.

    Args:
        columns: the columns to compare, each with itself.

    Source:
        ise-uiuc/magicoder, `clean_data.py`, the paper's only deduplication.
    """

    name, version = "duplicates", 1

    def __init__(self, columns: Sequence[str] = COMPARED) -> None:
        self._columns, self._seen = columns, NumberMap()

    def __call__(self, row: Row) -> CheckResult:
        """Keep or drop one row, and remember it if it is kept."""
        marks = []
        for column in self._columns:
            squeezed = "".join(row[column].split())  # type: ignore[literal-required]  # text columns of a row
            if not squeezed:
                continue
            mark = xxhash.xxh3_64_intdigest(f"{column}\0{squeezed}".encode())
            if mark in self._seen:
                return CheckResult("duplicate", repeats(column))
            marks.append(mark)
        for mark in marks:
            self._seen.set(mark, 1)
        return KEEP


def exact_duplicates(table: pa.Table, columns: Sequence[str] = COMPARED) -> pa.Table:
    """Reject rows that share a text or `seed_id` with an earlier kept row as `duplicate`: `ExactDuplicates` for a whole table.

    Args:
        table: rows in seed order.
        columns: the text columns to compare, each with itself; those that the table lacks are left out.
    """
    names = [name for name in columns if name in table.column_names]
    if "seed_id" in table.column_names and pc.count_distinct(table["seed_id"]).as_py() < len(table):
        names.insert(0, "seed_id")
    numbers = [squeezed(table[name]) for name in names]
    again = np.any([np.zeros(len(table), bool), *map(repeated, numbers)], axis=0)  # (rows,)
    rows = np.flatnonzero(again & not_rejected(table)).tolist()
    same = first_repeats((row, [int(column[row]) for column in numbers]) for row in rows)
    return reject(table, "duplicate", {row: repeats(names[column]) for row, column in same})


def near_duplicates(table: pa.Table, columns: Sequence[str] = COMPARED, threshold: float = THRESHOLD) -> pa.Table:
    """Reject rows with a text similar to that of an earlier kept row as `near_duplicate`.

    No row is rejected because of a rejected row, so that similarity does not propagate along chains.

    Args:
        table: rows in seed order.
        columns: the text columns to compare, each with itself; those that the table lacks are left out.
        threshold: least Jaccard similarity of two texts' sets of word 5-grams, 0 to 1.
    """
    names, alive = [name for name in columns if name in table.column_names], not_rejected(table)
    texts = [table[name] for name in names]
    candidates = [minhash.candidates(_compared(column, alive)) for column in texts]
    gone, why = ~alive, dict[int, str]()
    for found in merged(*candidates):
        for pairs in _repeating(_records(found), gone, partial(_near, texts, threshold)):
            later, earlier, column, similarity = (pairs[name].tolist() for name in PAIR.names or ())
            details = map(resembles, [names[number] for number in column], similarity, [_identity(table, row) for row in earlier])
            why.update(zip(later, details, strict=True))
        if len(why) >= DETAILS_AT_ONCE:
            table, why = reject(table, "near_duplicate", why), {}
    return reject(table, "near_duplicate", why)


def same_names(table: pa.Table, column: str = "solution") -> pa.Table:
    """Flag rows that define the same functions and classes as an earlier row, as `same_names:<seed_id>`.

    Names are the words after `def`, `class`, `fn` etc. Generic names (`main`, `Solution`) do not count.
    """
    if column not in table.column_names:
        return table
    first: dict[int, int] = {}
    found = {}
    (rows, numbers), alive = _name_sets(table[column]), not_rejected(table)
    for at in np.flatnonzero(repeated(numbers)).tolist():
        row = int(rows[at])
        if alive[row] and (before := first.setdefault(int(numbers[at]), row)) != row:
            found[row] = [f"same_names:{_identity(table, before)}"]
    return flag(table, found)


def fit(table: pa.Table, columns: Sequence[str] = COMPARED, threshold: float | None = THRESHOLD) -> frozenset[str]:
    """The `seed_id` of every row that deduplication keeps, for pipelines that filter on many machines.

    Args:
        table: all rows in seed order, `seed_id` and the text columns.
        columns: the text columns to compare.
        threshold: as in `near_duplicates`; None compares word for word only.
    """
    marked = exact_duplicates(table, columns)
    marked = marked if threshold is None else near_duplicates(marked, columns, threshold)
    return frozenset(marked["seed_id"].filter(pa.array(not_rejected(marked))).to_pylist())


def cluster_sizes(details: Iterable[str | None]) -> dict[str, int]:
    """Size of a cluster, including the kept row → number of clusters; computed from the details of `near_duplicate`."""
    leaders = Counter(detail.rpartition(" that of ")[2] for detail in details if detail)
    sizes = Counter(size + 1 for size in leaders.values())
    return {str(size): sizes[size] for size in sorted(sizes)}


def first_repeats(rows: Iterable[tuple[int, Sequence[int]]]) -> Iterator[tuple[int, int]]:
    """The rows that share a text with an earlier kept row, each with the number of the first column in which it does.

    Args:
        rows: in order, each with a hash of its text in every column, which is 0 where that never matches.
    """
    seen: list[set[int]] | None = None
    for row, marks in rows:
        seen = seen or [set() for _ in marks]
        same = next((column for column, mark in enumerate(marks) if mark in seen[column]), None)
        if same is None:
            for mark, before in zip(marks, seen, strict=True):
                before.update({mark} - {0})
        else:
            yield row, same


def _compared(column: pa.ChunkedArray, alive: np.ndarray[Any, np.dtype[np.bool_]]) -> Iterator[pa.Array]:
    """The chunks of a column, with nulls for rows that are not compared."""
    first = 0
    for chunk in column.chunks:
        compared = alive[first : first + len(chunk)]
        yield chunk if compared.all() else pc.if_else(pa.array(compared), chunk, pa.scalar(None, chunk.type))
        first += len(chunk)


def _records(found: Sequence[Hashes]) -> Pairs:
    """(pairs,): the candidates of all columns, sorted by the later row, then by the earlier one, then by the column."""
    pairs = np.zeros(sum(map(len, found)), PAIR)
    pairs["later"], pairs["earlier"] = minhash.unpacked(np.concatenate(found))
    pairs["column"] = np.repeat(np.arange(len(found)), [*map(len, found)])
    return pairs[np.lexsort((pairs["column"], pairs["earlier"], pairs["later"]))]


def _repeating(candidates: Pairs, gone: np.ndarray[Any, np.dtype[np.bool_]], near: Callable[[Pairs], Pairs]) -> Iterator[Pairs]:
    """The pairs of near duplicates that reject their later row: for each row the first pair whose earlier row is kept.

    Where many rows resemble each other, most candidates are not compared: those of rows that were rejected before, and those that
    come after a row's first near duplicate.

    Args:
        candidates: (pairs,), sorted, all those of a range of later rows.
        gone: (rows,), whether a row is rejected; of the rows before the range it is known, of its own it is set here.
        near: compares pairs, and returns those that are near duplicates.
    """
    before = candidates["earlier"] < candidates["later"].min()
    left, width = candidates[before & ~gone[candidates["earlier"]]], 1
    while len(left):
        next_ones = np.arange(len(left)) - np.searchsorted(left["later"], left["later"]) < width  # (left,): the next of each row
        found = near(left[next_ones])
        found = found[np.diff(found["later"], prepend=-1) > 0]
        gone[found["later"]] = True
        yield found
        left, width = left[~next_ones & ~gone[left["later"]]], 2 * width
    found = near(candidates[~before & ~gone[candidates["later"]] & ~gone[candidates["earlier"]]])
    found = found[rejecting(found["later"].copy(), found["earlier"].copy())]
    gone[found["later"]] = True
    yield found


def _near(columns: Sequence[pa.ChunkedArray], threshold: float, pairs: Pairs) -> Pairs:
    """The pairs that are near duplicates, with their similarity."""
    for number, column in enumerate(columns):
        of_column = pairs["column"] == number
        compared = pairs[of_column]
        pairs["similarity"][of_column] = minhash.exact(column, compared["later"], compared["earlier"])
    return pairs[pairs["similarity"] >= threshold]


def rejecting(later: Positions, earlier: Positions) -> Positions:
    """Which pairs of near duplicates reject their later row: for each row the first pair whose earlier row is kept.

    Args:
        later: (pairs,), sorted, and of one later row by the earlier one.
        earlier: (pairs,), all smaller than `later`.
    """
    rejected, pairs = set[int](), []
    for pair, (row, before) in enumerate(zip(later.data, earlier.data, strict=True)):  # memory views give one number at a time
        if row not in rejected and before not in rejected:
            rejected.add(row)
            pairs.append(pair)
    return np.array(pairs, np.int64)


def repeats(column: str) -> str:
    """The detail of an exact duplicate."""
    return f"its {column} stood in an earlier row"


def resembles(column: str, similarity: float, earlier: str) -> str:
    """The detail of a near duplicate, given the id of the earlier row."""
    return f"its {column} is {similarity:.0%} that of {earlier}"


def _identity(table: pa.Table, row: int) -> str:
    return str(table["seed_id"][row]) if "seed_id" in table.column_names else f"row {row}"


def repeated(numbers: Hashes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(numbers,): whether a hash occurs more than once; zeros do not count."""
    found = np.zeros(len(numbers), bool)
    for positions in key_ranges(numbers):
        order = positions[np.argsort(numbers[positions], kind="stable")]
        same = numbers[order][1:] == numbers[order][:-1]
        found[order[1:][same]] = found[order[:-1][same]] = True
    return np.asarray(found & (numbers != 0), bool)


def squeezed(column: pa.ChunkedArray) -> Hashes:
    """(rows,): a hash of each text without white space, 0 for blank ones."""
    hashes = np.zeros(len(column), np.uint64)
    for rows in ngrams.texts(column):
        data, ends = rows.data.tobytes(), rows.ends.tolist()
        for row, (start, stop) in enumerate(pairwise(ends), rows.first):
            text = data[start:stop]
            bare = text.translate(None, _WHITE) if text.isascii() else "".join(text.decode(errors="replace").split()).encode()
            if bare:
                hashes[row] = xxhash.xxh3_64_intdigest(bare) or 1
    return hashes


def _name_sets(column: pa.ChunkedArray) -> tuple[Positions, Hashes]:
    """The texts that define names, and a hash of the set of each; both (defining,)."""
    texts, sets = Spill(np.int64), Spill(np.uint64)
    for rows in ngrams.texts(column):
        found = ngrams.words(rows, ngrams.IDENTIFIERS)
        positions = ngrams.among(found.hashes, _OPENINGS) + 1
        row_of = np.searchsorted(found.ends, positions - 1, "right") - 1
        inside = positions < found.ends[row_of + 1]
        names, row_of = found.hashes[positions[inside]], row_of[inside]
        telling = ~np.isin(names, _EVERYBODYS)
        names, row_of = names[telling], row_of[telling]
        order = np.lexsort((names, row_of))
        names, row_of = names[order], row_of[order]
        new = np.concatenate([[True], (names[1:] != names[:-1]) | (row_of[1:] != row_of[:-1])])[: len(names)]
        sums = np.zeros(len(rows), np.uint64)
        np.add.at(sums, row_of[new], ngrams.mix(names[new]))
        defining = np.flatnonzero(sums)
        texts.append(rows.first + defining)
        sets.append(sums[defining])
    return texts.read(), sets.read()
