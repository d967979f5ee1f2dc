"""Memory settings of the process while a run goes on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

NEW_OBJECTS = 50_000
"""New containers after which Python looks for reference cycles. A run keeps thousands of rows and makes hardly any cycle: at
Python's own 700 the search takes a sixth of its CPU time."""


@contextmanager
def tuned_memory() -> Iterator[None]:
    """Collect garbage rarely, and let Arrow use the system's allocator: its own keeps 50 MB that it has freed.

    Settings of the caller's process come back at the end.
    """
    thresholds, pool = gc.get_threshold(), pa.default_memory_pool()
    gc.set_threshold(max(thresholds[0], NEW_OBJECTS), *thresholds[1:])
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        pa.set_memory_pool(pool)
