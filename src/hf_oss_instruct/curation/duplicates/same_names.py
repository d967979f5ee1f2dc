"""Find rows that define the same functions and classes as an earlier row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.annotations import flag, identity, not_rejected
from hf_oss_instruct.curation.duplicates.exact import repeated
from hf_oss_instruct.storage.spill import Hashes, Positions, Spill

_OPENINGS = ngrams.word_hashes("def class func fn fun function struct interface trait enum module sub".split())
# Names that unrelated programs share; nearly every class has an `__init__`.
_EVERYBODYS = np.sort(ngrams.word_hashes("main Main Solution solution solve Program App Test test __init__".split()))


def same_names(table: pa.Table, column: str = "solution") -> pa.Table:
    """Flag rows that define the same functions and classes as an earlier row, as `same_names:<seed_id>`.

    Names are the words after `def`, `class`, `fn` etc. Generic names (`main`, `Solution`) do not count.
    """
    if column not in table.column_names:
        return table
    first: dict[int, int] = {}
    flags = {}
    (rows, numbers), alive = _name_sets(table[column]), not_rejected(table)
    for at in np.flatnonzero(repeated(numbers)).tolist():
        row = int(rows[at])
        if alive[row] and (before := first.setdefault(int(numbers[at]), row)) != row:
            flags[row] = [f"same_names:{identity(table, before)}"]
    return flag(table, flags)


def _name_sets(column: pa.ChunkedArray) -> tuple[Positions, Hashes]:
    """The texts that define names, and a hash of the set of each; both (defining,)."""
    texts, sets = Spill(np.int64), Spill(np.uint64)
    for rows in ngrams.texts(column):
        words = ngrams.words(rows, ngrams.IDENTIFIERS)
        positions = ngrams.known_positions(words.hashes, _OPENINGS) + 1  # (openings,): the word after each
        row_of = np.searchsorted(words.ends, positions - 1, "right") - 1  # (openings,)
        inside = positions < words.ends[row_of + 1]  # (openings,): whether the row goes on
        names, row_of = words.hashes[positions[inside]], row_of[inside]  # both (names,)
        telling = ~np.isin(names, _EVERYBODYS)  # (names,)
        names, row_of = names[telling], row_of[telling]
        order = np.lexsort((names, row_of))  # (names,)
        names, row_of = names[order], row_of[order]
        new = np.concatenate([[True], (names[1:] != names[:-1]) | (row_of[1:] != row_of[:-1])])[: len(names)]  # (names,)
        sums = np.zeros(len(rows), np.uint64)  # (rows,)
        # The sum of mixed hashes stands for the set: it does not depend on the order of definitions.
        np.add.at(sums, row_of[new], ngrams.mix64(names[new]))
        defining = np.flatnonzero(sums)  # (defining,)
        texts.append(rows.first + defining)
        sets.append(sums[defining])
    return texts.read(), sets.read()
