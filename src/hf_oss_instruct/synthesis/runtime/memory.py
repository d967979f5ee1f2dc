"""Memory settings of the process during a run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 20_000
"""New containers after which Python looks for reference cycles. A run keeps thousands of rows and makes hardly any cycle: at
Python's own 700 the search takes a sixth of its CPU time."""


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Collect garbage rarely; the caller's thresholds come back at the end."""
    thresholds = gc.get_threshold()
    gc.set_threshold(max(thresholds[0], NEW_OBJECTS), *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
