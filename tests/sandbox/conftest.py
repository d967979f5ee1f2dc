"""The tiers of this machine, one test after the other, and what differs between them."""

from __future__ import annotations

import re

import pytest

from hf_oss_instruct.sandbox.backends import available_tiers

ISOLATING = [tier.name for tier in available_tiers()]


def without_folder(stderr: str) -> str:
    """What was said, less the work folder, whose name differs from run to run where a tier has no mounts of its own."""
    return re.sub(r"\S*/(program\.\w+)", r"\1", stderr)


@pytest.fixture(params=[*ISOLATING, "unsafe-none"])
def tier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=ISOLATING)
def isolating(request: pytest.FixtureRequest) -> str:
    return str(request.param)
