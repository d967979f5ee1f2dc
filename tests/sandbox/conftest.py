"""The tiers of this machine, one test after the other."""

from __future__ import annotations

import pytest

from hf_oss_instruct.sandbox.backends import available_tiers

ISOLATING = [tier.name for tier in available_tiers()]


@pytest.fixture(params=[*ISOLATING, "unsafe-none"])
def tier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=ISOLATING)
def isolating(request: pytest.FixtureRequest) -> str:
    return str(request.param)
