"""Extract the program from a model's output: cut completions, find the code in answers, restore the parts that it left out.

`code_blocks` finds code in a text, `selection` picks the solution, `language` and the files in `languages/` turn it into a
program that fits before the benchmark's tests; `isolated` does all of this in another process if a grammar may crash or loop.
"""

from __future__ import annotations

from hf_oss_instruct.code.syntax import GRAMMARS
from hf_oss_instruct.evaluation.extraction.isolated import extract_isolated
from hf_oss_instruct.evaluation.extraction.programs import Extracted, cut, extract_here
from hf_oss_instruct.evaluation.problems import Problem


def extract(problem: Problem, text: str, kind: str) -> Extracted:
    """Extract the program from a model's output.

    Args:
        problem: the problem.
        text: the model's output.
        kind: `completion` of the prompt, `solution` (a whole program), `answer` (of a chat model), or `program` (MultiPL-E's
            results: prompt, completion and tests).

    Raises:
        EvaluationError: the tests in a `program` differ from the problem's, or the language's grammar is not installed.
    """
    if problem.language in GRAMMARS or kind == "program" or not text.strip():
        return extract_here(problem, text, kind)
    return extract_isolated(problem, text, kind)


__all__ = ["Extracted", "cut", "extract"]
