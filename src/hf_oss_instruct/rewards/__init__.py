"""Rewards that run code: does the program in a completion pass the tests of its row?

One core (`scorer.py`) with several interfaces: TRL (`trl.py`), verl (`verl.py`), verifiers (`verifiers.py`), HTTP (`server.py`).

    trl grpo --reward_funcs hf_oss_instruct.rewards.code_reward …
"""

from hf_oss_instruct.rewards.trl import code_reward, make_code_reward

__all__ = ["code_reward", "make_code_reward"]
