"""Whether an extra is installed, without importing it: that takes seconds, and every worker collects every module."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs(module: str) -> None:
    """Skip the test module that calls this where a library is not installed."""
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed", allow_module_level=True)
