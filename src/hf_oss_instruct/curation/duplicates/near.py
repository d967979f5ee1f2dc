"""Find rows with a text that resembles one of an earlier row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.curation.annotations import identity, not_rejected, reject
from hf_oss_instruct.curation.duplicates import THRESHOLD, minhash
from hf_oss_instruct.curation.duplicates.exact import COMPARED, exact_duplicates
from hf_oss_instruct.storage.spill import Hashes, Positions, merged

DETAILS_BUFFER = 2**16
"""Rejections whose details are kept as Python strings, until they are written into the table."""
PAIR = np.dtype([("later", "<i8"), ("earlier", "<i8"), ("column", "u1"), ("similarity", "<f8")])
"""Texts that may be near duplicates: their positions, the number of the column, and the Jaccard similarity there."""
Pairs: TypeAlias = np.ndarray[Any, np.dtype[np.void]]
"""(pairs,): of `PAIR`."""


def near_duplicates(table: pa.Table, columns: Sequence[str] = COMPARED, threshold: float = THRESHOLD) -> pa.Table:
    """Reject rows with a text similar to that of an earlier kept row as `near_duplicate`.

    No row is rejected because of a rejected row, so that similarity does not propagate along chains.

    Args:
        table: rows in seed order.
        columns: the text columns to compare, each with itself; those that the table lacks are left out.
        threshold: least Jaccard similarity of two texts' sets of word 5-grams, 0 to 1.
    """
    names, alive = [name for name in columns if name in table.column_names], not_rejected(table)
    texts = [_taken_from(table[name]) for name in names]
    # Sorted runs on disk: where nearly all rows resemble each other, a row has up to 400 candidate pairs
    # (1.4 GB at a million rows).
    candidates = [minhash.candidates(_compared(column, alive)) for column in texts]
    gone, why = ~alive, dict[int, str]()  # gone: (rows,)
    for part in merged(*candidates):
        for pairs in _repeating(_records(part), gone, partial(_near, texts, threshold)):
            later, earlier, column, similarity = (pairs[name].tolist() for name in PAIR.names or ())
            details = map(
                near_duplicate_detail, [names[number] for number in column], similarity, [identity(table, row) for row in earlier]
            )
            why.update(zip(later, details, strict=True))
        if len(why) >= DETAILS_BUFFER:
            table, why = reject(table, "near_duplicate", why), {}
    return reject(table, "near_duplicate", why)


def ids_to_keep(table: pa.Table, columns: Sequence[str] = COMPARED, threshold: float | None = THRESHOLD) -> frozenset[str]:
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


def _taken_from(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column from which Arrow can take rows: it cannot from string views."""
    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def _compared(column: pa.ChunkedArray, alive: np.ndarray[Any, np.dtype[np.bool_]]) -> Iterator[pa.Array]:
    """The chunks of a column, with nulls for rows that are not compared."""
    first = 0
    for chunk in column.chunks:
        compared = alive[first : first + len(chunk)]
        yield chunk if compared.all() else pc.if_else(pa.array(compared), chunk, pa.scalar(None, chunk.type))
        first += len(chunk)


def _records(parts: Sequence[Hashes]) -> Pairs:
    """(pairs,): the candidates of all columns, sorted by the later row, then by the earlier one, then by the column."""
    pairs = np.zeros(sum(map(len, parts)), PAIR)  # (pairs,)
    pairs["later"], pairs["earlier"] = minhash.unpacked(np.concatenate(parts))  # both (pairs,)
    pairs["column"] = np.repeat(np.arange(len(parts)), [*map(len, parts)])
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
    # First the pairs whose earlier row lies before this range, so that it is known whether it is kept.
    # Each round compares twice as many of them, because a text is hashed again in each.
    before = candidates["earlier"] < candidates["later"].min()  # (pairs,)
    left, width = candidates[before & ~gone[candidates["earlier"]]], 1
    while len(left):
        next_ones = np.arange(len(left)) - np.searchsorted(left["later"], left["later"]) < width  # (left,): the next of each row
        pairs = near(left[next_ones])
        # One pair is enough to reject a row: the first.
        pairs = pairs[np.diff(pairs["later"], prepend=-1) > 0]  # (rows,)
        gone[pairs["later"]] = True
        yield pairs
        left, width = left[~next_ones & ~gone[left["later"]]], 2 * width
    # Then the pairs within the range, whose outcome depends on each other, in the order of rows.
    pairs = near(candidates[~before & ~gone[candidates["later"]] & ~gone[candidates["earlier"]]])
    # Copies, because fields of packed records are not aligned, and Python cannot iterate over memory views of such.
    pairs = pairs[rejecting_pairs(pairs["later"].copy(), pairs["earlier"].copy())]
    gone[pairs["later"]] = True
    yield pairs


def _near(columns: Sequence[pa.ChunkedArray], threshold: float, pairs: Pairs) -> Pairs:
    """The pairs that are near duplicates, with their similarity."""
    for number, column in enumerate(columns):
        of_column = pairs["column"] == number  # (pairs,)
        compared = pairs[of_column]
        pairs["similarity"][of_column] = minhash.exact(column, compared["later"], compared["earlier"])
    return pairs[pairs["similarity"] >= threshold]


def rejecting_pairs(later: Positions, earlier: Positions) -> Positions:
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


def near_duplicate_detail(column: str, similarity: float, earlier: str) -> str:
    """The detail of a near duplicate. `cluster_sizes` reads the id from its end.

    Args:
        column: the column in which the texts are similar.
        similarity: their Jaccard similarity, 0 to 1.
        earlier: id of the earlier row.
    """
    return f"its {column} is {similarity:.0%} that of {earlier}"
