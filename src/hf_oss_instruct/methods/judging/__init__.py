"""Judging: models score rows by a rubric, and the scores are compared with each other and with test results."""

from hf_oss_instruct.methods.judging.rubric import Rubric
from hf_oss_instruct.methods.judging.run import JudgingPlan, judge_table, plan_judging

__all__ = ["JudgingPlan", "Rubric", "judge_table", "plan_judging"]
