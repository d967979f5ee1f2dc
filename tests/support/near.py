"""Near duplicates as `near_duplicates` finds them, pair by pair."""

from __future__ import annotations

import pyarrow as pa

from hf_oss_instruct.curation.duplicates import minhash
from hf_oss_instruct.curation.duplicates.near import THRESHOLD
from hf_oss_instruct.storage.spill import merged


def near_pairs(column: pa.ChunkedArray) -> dict[tuple[int, int], float]:
    """Positions of the later and of the earlier text → their similarity, from the threshold on."""
    found = {}
    for [pairs] in merged(minhash.candidates(column)):
        later, earlier = minhash.unpacked(pairs)
        similarity = minhash.exact(column, later, earlier).tolist()
        found |= dict(zip(zip(later.tolist(), earlier.tolist(), strict=True), similarity, strict=True))
    return {pair: similarity for pair, similarity in found.items() if similarity >= THRESHOLD}
