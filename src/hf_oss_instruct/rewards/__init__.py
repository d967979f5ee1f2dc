"""Rewards that run code: does the program in a completion pass the tests of its row?

One core (`scorer.py`) with several interfaces: TRL, verl, verifiers and inspect_ai (`integrations/`), HTTP (`serving/`).

    trl grpo --reward_funcs hf_oss_instruct.rewards.code_reward …
"""

from hf_oss_instruct.rewards.integrations.trl import code_reward, make_code_reward

__all__ = ["code_reward", "make_code_reward"]
