"""A model for `lighteval custom` that knows the reference solutions, and gives a wrong answer for every second sample."""

from __future__ import annotations

from typing import Any

from lighteval.models import abstract_model, model_output
from lighteval.utils.cache_management import SampleCache

from hf_oss_instruct.evaluation.integrations.lighteval_tasks import benchmark

BODIES = {"HumanEval_900_add_two": "  return a + b;\n}\n"}
"""What completes the problems that ship no reference solution."""


class Oracle(abstract_model.LightevalModel):
    """Answers what is right, then what is wrong, then what is right."""

    tokenizer = add_special_tokens = None
    max_length = 4096

    def __init__(self, config: Any) -> None:
        self.config, self._cache = config, SampleCache(config)

    def greedy_until(self, docs: list[Any]) -> list[Any]:
        """One answer for each sample that lighteval asks for."""
        return [model_output.ModelResponse(text=[answer(doc, n) for n in range(doc.num_samples)]) for doc in docs]

    loglikelihood = loglikelihood_rolling = greedy_until


def answer(doc: Any, number: int) -> str:
    """The right text where the number is even: the rest of the prompt, or a fenced block."""
    if number % 2:
        return "    return 'no'\n"
    task = doc.task_name.split("|")[0].replace("_chat", "")
    problem = benchmark(task).problems[doc.specific["task_id"]]
    if problem.reference is None:
        return BODIES[problem.task_id]
    if doc.specific["kind"] == "answer":
        return f"Here it is:\n\n```python\n{problem.reference}\n```\nIt works."
    return problem.reference.removeprefix(problem.prompt)
