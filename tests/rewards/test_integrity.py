"""No program that does not solve its task gets a reward, whether tests beside the program count or not."""

from __future__ import annotations

import asyncio

import pytest

from hf_oss_instruct.rewards import make_code_reward
from tests.rewards.attacks import RewardAttack, attacks

ATTACKS = list(attacks())


@pytest.mark.parametrize("untrusted", [0, 1])
def test_attacks_get_no_reward(untrusted: int) -> None:
    columns = {name: [attack.row.get(name) for attack in ATTACKS] for name in ("tests", "test_cases", "lang", "entry_point")}
    completions = [attack.completion for attack in ATTACKS]
    function = make_code_reward(untrusted_tests=untrusted, cpu_s=3, wall_s=8)
    found = asyncio.run(function(prompts=[""] * len(ATTACKS), completions=completions, **columns))
    assert [attack.name for attack, reward in zip(ATTACKS, found, strict=True) if reward] == []
    scored = [attack.name for attack, reward in zip(ATTACKS, found, strict=True) if reward is not None]
    assert len(scored) > (len(ATTACKS) - 12 if not untrusted else len(ATTACKS) - 1)


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.row.get("test_cases")][:1], ids=lambda one: one.name)
def test_the_right_program_gets_one_where_an_attack_gets_nothing(attack: RewardAttack) -> None:
    right = "```python\nn = int(input())\nprint(n)\nprint(2 * n)\n```"
    found = asyncio.run(make_code_reward()(prompts=[""], completions=[right], test_cases=[attack.row["test_cases"]]))
    assert found == [1.0]
