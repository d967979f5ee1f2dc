"""What the tests of this package leave as it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _gradients() -> Iterator[None]:
    """Importing lighteval's models switches them off for the whole process, also for tests of training."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_grad_enabled(True)
