"""Where a program takes a second to compile, `make test` tries one of four, from the first on; `make test-long` tries all."""

from __future__ import annotations

from itertools import islice

import pytest

FEW = 4
EVERY = pytest.mark.parametrize("every", [FEW, pytest.param(1, marks=pytest.mark.long)], ids=["some", "all"])


def thinned(programs: dict[str, str], every: int = FEW) -> dict[str, str]:
    """Every so many of these programs."""
    return dict(islice(programs.items(), 0, None, every))
