"""Estimate the requests of an evolution before any is sent."""

from __future__ import annotations

from statistics import fmean

from hf_oss_instruct.methods.estimate import tokens_of
from hf_oss_instruct.methods.evolution.prompts import answer_prompt, evolve_prompt
from hf_oss_instruct.methods.evolution.run import EvolutionPlan
from hf_oss_instruct.methods.evolution.tasks import Evolve

GROWTH = 1.15
"""Length of an evolved problem and its solution, as a multiple of its parent's, about."""


def sample_prompt(plan: EvolutionPlan) -> str | None:
    """The first message that would be sent; None if no row has a problem."""
    items = (item for item in plan.items() if item.wanted and item.source["problem"].strip())
    return next((Evolve(plan.evolution).messages(item)[0]["content"] for item in items), None)


def estimated_tokens(plan: EvolutionPlan) -> tuple[int, int]:
    """About how many tokens prompts and answers of all rounds have, without verification."""
    rows, evolution = list(plan.rows), plan.evolution
    if not rows:
        return 0, 0
    problem = fmean(tokens_of(row["problem"]) for row in rows)
    solution = fmean(tokens_of(row["solution"]) for row in rows)
    # One language is enough for an estimate: only its name is in the templates.
    operations, language = evolution.spec.operations, rows[0]["lang"]
    template_tokens = fmean(
        tokens_of(evolve_prompt("", name, language, as_json=evolution.as_json)[0]["content"]) for name in operations
    )
    template_tokens += tokens_of(answer_prompt("", language, as_json=evolution.as_json)[0]["content"])
    prompt, completion = 0.0, 0.0
    for _ in range(evolution.spec.rounds):
        grown = problem * GROWTH
        prompt, completion = prompt + template_tokens + problem + grown, completion + grown + solution * GROWTH
        problem, solution = grown, solution * GROWTH
    return round(prompt * len(rows)), round(completion * len(rows))
