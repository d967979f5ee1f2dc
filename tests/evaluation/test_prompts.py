"""What a model is asked, and that what it answers becomes the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.extraction import extract
from hf_oss_instruct.evaluation.prompts import STYLES, build_prompt
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.scoring import score

from . import toys
from .real import DATA, real_data


def test_the_magicoder_style_is_the_papers(tmp_path: Path) -> None:
    problem = toys.plus(tmp_path).problems["HumanEval/900"]
    put = build_prompt(problem, "magicoder")
    code = 'def add(a, b):\n    """Add two numbers.\n    >>> add(1, 2)\n    3\n    """'
    assert put.text == f"Write a solution to the following problem:\n```python\n{code}\n```"
    assert put.prefix == f"```python\n{code}"
    assert put.stop == ("\n```",)


def test_an_mbpp_problem_is_asked_as_its_sentence_and_assertion() -> None:
    from hf_oss_instruct.evaluation.benchmarks.mbpp import STOP_TOKENS, prompt
    from hf_oss_instruct.evaluation.problems import Problem

    text = prompt("Write a function to add", ["assert add(1, 2) == 3"])
    problem = Problem("Mbpp/1", "python", text, "add", STOP_TOKENS, "")
    put = build_prompt(problem, "magicoder")
    assert put.text == (
        "Write a function to add. Your code should satisfy the following assertion:\n```python\nassert add(1, 2) == 3\n```"
    )
    assert put.prefix == "```python"
    assert build_prompt(problem, "chat").text.startswith(put.text)


@pytest.mark.parametrize("style", STYLES)
def test_the_reference_solution_answered_in_any_style_passes(style: str, tmp_path: Path) -> None:
    benchmark = toys.plus(tmp_path)
    samples = []
    for row in toys.PLUS:
        problem = benchmark.problems[row["task_id"]]
        put = build_prompt(problem, style)
        rest = f"\n{row['canonical_solution']}" if style == "magicoder" else row["canonical_solution"]
        wrote = f"Sure.\n```python\n{problem.reference}```\nDone." if style == "chat" else rest
        samples.append(Sample(problem.task_id, 0, put.prefix + wrote, put.kind))
    assert [verdict.status for verdict in score(benchmark, samples)] == ["passed"] * 3


@real_data
@pytest.mark.parametrize("task", ["humaneval_plus", "mbpp_plus", "multipl_e:java", "multipl_e:rkt"])
def test_every_real_problem_can_be_asked_in_every_style(task: str) -> None:
    for problem in load(task, DATA).problems.values():
        assert build_prompt(problem, "completion").text == problem.prompt
        for style in ("chat", "magicoder"):
            put = build_prompt(problem, style)
            assert put.text.count("```") == 2
            assert problem.entry_point in put.text
        if task == "humaneval_plus" and problem.reference:
            rest = problem.reference.removeprefix(problem.prompt.rstrip())
            assert extract(problem, put.prefix + rest, put.kind).how == "fence"


def test_an_unknown_style_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Use one of: completion, chat, magicoder"):
        build_prompt(toys.plus(tmp_path).problems["HumanEval/900"], "alpaca")
