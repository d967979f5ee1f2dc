"""What a model is trained on: the published models' own template, to the character."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from hf_oss_instruct.templates import to_prompt_completion

BEFORE = (
    "You are an exceptionally intelligent coding assistant that consistently delivers accurate and reliable responses "
    "to user instructions.\n\n@@ Instruction\nWrite a solution to the following coding problem:\n"
)
AFTER = "\n\n@@ Response\n"


@given(st.text(), st.text())
@example("Fill {problem} and {instruction}, {0} and {{}}, %s and \\1.", "return {problem}")
def test_problem_and_solution_stand_in_magicoders_prompt_as_they_are(problem: str, solution: str) -> None:
    made = to_prompt_completion({"problem": problem, "solution": solution})
    assert made == {"prompt": BEFORE + problem + AFTER, "completion": solution}
