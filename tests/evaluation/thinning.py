"""Where a program takes a second to compile, `make test` tries every other one, from the first on; `make test-long` tries all."""

from __future__ import annotations

from itertools import islice

import pytest

EVERY = pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.long)], ids=["every other", "all"])


def thinned(programs: dict[str, str], every: int) -> dict[str, str]:
    """Every so many of these programs."""
    return dict(islice(programs.items(), 0, None, every))
