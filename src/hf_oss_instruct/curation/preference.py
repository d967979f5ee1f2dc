"""Preference pairs: a solution that passes its tests beside one that fails some of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from hf_oss_instruct.curation.pairs import TableColumns, pair_rows
from hf_oss_instruct.schemas import PREFERENCE_SCHEMA, VERIFIED_SCHEMA
from hf_oss_instruct.templates import to_prompt_completion

MARGIN, CHOSEN_ABOVE, REJECTED_ABOVE = 0.4, 0.8, 0.0
"""Pass rates: the chosen one's is above 0.8 and more than 0.4 above the rejected one's, which is above 0 (AceCoder)."""


SOURCE_COLUMNS = ("solutions", "execution_status")
"""Columns beside the pair that preference pairs are made from."""


def preference_table(table: pa.Table, names: TableColumns) -> pa.Table | None:
    """The preference pairs of a table's rows; None for a table without the columns that verification writes.

    Args:
        table: the rows.
        names: its columns.
    """
    # Tables from elsewhere may have a column `solutions` of another type, such as lists of programs.
    typed = (
        set(table.column_names) >= {*SOURCE_COLUMNS}
        and table.schema.field("solutions").type == VERIFIED_SCHEMA.field("solutions").type
    )
    if not typed:
        return None
    pairs = [pair for row in pair_rows(table, names, SOURCE_COLUMNS) for pair in preference_pairs(row)]
    return pa.Table.from_pylist(pairs, PREFERENCE_SCHEMA)


def preference_pairs(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The pairs of a verified row, in the order of its solutions: prompt, chosen, rejected.

    Only a row that passed has any. The rejected solution passes some tests and fails others, so it is neither a refusal
    nor a program that does not load.

    Args:
        row: with the columns of verification.

    Source:
        AceCoder, arXiv 2502.01718: the margins between pass rates.
    """
    if row["execution_status"] != "passed":
        return
    pair, seen = to_prompt_completion(row), {row["solution"]}
    for other in row["solutions"]:
        rate = sum(other["results"]) / len(other["results"]) if other["results"] else 0.0
        # The chosen solution passes all tests, so its rate is 1.0 and above `CHOSEN_ABOVE`.
        if REJECTED_ABOVE < rate < 1.0 - MARGIN and other["text"] not in seen:
            seen.add(other["text"])
            yield {"prompt": pair["prompt"], "chosen": pair["completion"], "rejected": other["text"]}
