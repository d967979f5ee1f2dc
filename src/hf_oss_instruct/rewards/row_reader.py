"""The tests of rows, each read once: a batch holds a row for each completion, most of them the same ones."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import xxhash

from hf_oss_instruct.rewards.columns import LANGUAGE_COLUMNS, TEST_COLUMNS, read_row
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests

READ_COLUMNS = (*TEST_COLUMNS, *LANGUAGE_COLUMNS, "inputs", "outputs", "fn_name", "solution", "entry_point", "test_weights")
"""Columns that are read."""
CACHE_SIZE = 4096
"""Rows whose tests are kept."""


class RowTestsReader:
    """Reads the tests of rows and caches the last ones."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, RowTests] = OrderedDict()

    def read(self, row: Mapping[str, Any]) -> RowTests:
        """Read the tests of a row, see `read_row`.

        Raises:
            UsageError: see `read_row`.
        """
        own = {name: row[name] for name in READ_COLUMNS if name in row}
        try:
            key = xxhash.xxh3_128_digest(json.dumps(own, default=_plain).encode())  # not orjson, to which NaN is null
        except (TypeError, ValueError, RecursionError):  # such as a set, whose order may differ
            return read_row(row)
        if key in self._known:
            self._known.move_to_end(key)
        else:
            self._known[key] = read_row(row)
            while len(self._known) > CACHE_SIZE:
                self._known.popitem(last=False)
        return self._known[key]


def _plain(value: Any) -> Any:
    """Arrays as lists: the `repr` of a long array omits its middle."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r:.60} is not JSON")
