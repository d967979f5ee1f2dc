"""From what models write to programs: completions that run on, answers that chat."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.extraction import cut, extract, outline
from hf_oss_instruct.evaluation.problems import Problem
from tests.evaluation import toys
from tests.evaluation.extraction.table import PIECES

ADD, ROOT, EVENS = "HumanEval/900", "HumanEval/901", "HumanEval/902"


@pytest.fixture
def problems(tmp_path: Path) -> dict[str, Problem]:
    return toys.plus(tmp_path).problems


def test_a_completion_ends_where_it_leaves_its_function(problems: dict[str, Problem]) -> None:
    text = "    return a + b\n\nprint(add(1, 2))\n\ndef other():\n    pass\n"
    extracted = extract(problems[ADD], text, "completion")
    assert extracted.program == problems[ADD].prompt + "    return a + b\n"
    assert (extracted.how, extracted.whole) == ("completion", False)


def test_a_completion_that_repeats_its_prompt_is_not_run_twice(problems: dict[str, Problem]) -> None:
    extracted = extract(problems[ADD], problems[ADD].prompt + "    return a + b\n", "completion")
    assert extracted.program.count("def add") == 1


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=3), max_size=4))
def test_no_stop_token_is_left_and_nothing_before_the_first_is_lost(text: str, stops: list[str]) -> None:
    kept = cut(text, stops)
    assert text.startswith(kept)
    assert not any(token in kept for token in stops)
    assert kept == text or any(text[len(kept) :].startswith(token) for token in stops)


@pytest.mark.parametrize("fence", ["```python", "```", "~~~py", "````python"])
def test_of_several_blocks_the_one_that_defines_the_function_is_run(fence: str, problems: dict[str, Problem]) -> None:
    close = fence.rstrip("python")
    answer = (
        f"First install it:\n\n{fence}\npip install nothing\n{close}\n\nHere:\n\n"
        f"{fence}\ndef add(a, b):\n    return a + b\n{close}\nand use it like\n"
        f"{fence}\nfor i in range(100):\n    print(add(i, i), 'a longer block than the function itself')\n{close}\n"
    )
    extracted = extract(problems[ADD], answer, "answer")
    assert extracted.program == "def add(a, b):\n    return a + b\n"
    assert extracted.how == "fence"


def test_an_answer_cut_short_inside_its_fence_still_gives_its_code(problems: dict[str, Problem]) -> None:
    extracted = extract(problems[ADD], "Sure!\n```python\ndef add(a, b):\n    return a + b\n", "answer")
    assert extracted.program == "def add(a, b):\n    return a + b\n"


def test_imports_and_helpers_of_the_prompt_are_restored_unless_the_answer_has_its_own(problems: dict[str, Problem]) -> None:
    answer = "```python\ndef root(x):\n    return math.sqrt(half(x) * 2)\n```"
    names: dict[str, object] = {}
    exec(extract(problems[ROOT], answer, "answer").program, names)
    assert names["root"](4.0) == 2.0  # type: ignore[operator]
    own = "```python\nfrom __future__ import annotations\ndef half(x):\n    return 0\ndef root(x):\n    return half(x)\n```"
    exec(extract(problems[ROOT], own, "answer").program, names)
    assert names["root"](4.0) == 0  # type: ignore[operator]


def test_without_a_fence_the_longest_code_that_parses_is_found(problems: dict[str, Problem]) -> None:
    answer = "Of course (it is easy). Here you are:\n\ndef add(a, b):\n    return a + b\n\nThis adds a and b, doesn't it?\n"
    extracted = extract(problems[ADD], answer, "answer")
    assert extracted.program.strip() == "def add(a, b):\n    return a + b"
    assert extracted.how == "lines"


def test_a_bare_body_goes_under_the_prompts_signature(problems: dict[str, Problem]) -> None:
    extracted = extract(problems[ADD], "```python\nreturn a + b\n```", "answer")
    assert extracted.program == problems[ADD].prompt + "    return a + b\n"
    assert extracted.how == "body"


def test_a_solution_is_run_as_it_is_unless_it_was_never_taken_out_of_its_answer(problems: dict[str, Problem]) -> None:
    program = "import math\n\ndef add(a, b):\n    return a + b\nprint('left alone')\n"
    assert extract(problems[ADD], program, "solution").program == program
    assert extract(problems[ADD], f"Here:\n```python\n{program}```\nBye", "solution").how == "fence"


@pytest.mark.parametrize("kind", ["completion", "solution", "answer"])
@pytest.mark.parametrize("text", ["", "  \n\n"])
def test_nothing_gives_no_program(text: str, kind: str, problems: dict[str, Problem]) -> None:
    assert extract(problems[ADD], text, kind).program == ""


@given(st.text(max_size=200))
def test_no_answer_breaks_it(text: str) -> None:
    problem = Problem("HumanEval/900", "python", toys.PLUS[0]["prompt"], "add", ("\ndef ",), "")
    for kind in ("completion", "solution", "answer"):
        assert isinstance(extract(problem, text, kind).program, str)


@pytest.mark.parametrize("language", PIECES)
@settings(max_examples=25)  # the first parse loads a grammar
@given(st.text(max_size=80), st.sampled_from(["answer", "completion", "solution"]), st.data())
def test_no_answer_breaks_it_in_any_language(language: str, text: str, kind: str, data: st.DataObject) -> None:
    pieces = PIECES[language]
    cut_at = data.draw(st.integers(0, len(pieces.function)))
    problem = pieces.problem(language)
    for one in (text, f"```\n{text}\n```", f"```\n{pieces.function[:cut_at]}{text}", pieces.function[cut_at:] + text):
        assert isinstance(extract(problem, one, kind).program, str)


def test_of_several_blocks_the_last_is_taken_unless_it_is_introduced_as_something_else(problems: dict[str, Problem]) -> None:
    first, last = "def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n"
    corrected = f"```python\n{first}```\nThat subtracts. Corrected:\n```python\n{last}```\n"
    assert extract(problems[ADD], corrected, "answer").program == last
    aside = f"```python\n{first}```\nAlternatively:\n```python\n{last}```\n"
    assert extract(problems[ADD], aside, "answer").program == first


def test_a_grammar_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter_language_pack", None)
    monkeypatch.setattr(outline, "_packed_parser", outline._packed_parser.__wrapped__)
    with pytest.raises(EvaluationError, match="pip install 'tree-sitter-language-pack"):
        outline.tree("return 1", "lua")


def test_java_methods_move_into_the_class_of_the_tests() -> None:
    head = "import java.util.*;\nimport org.javatuples.*;\nclass Problem {\n"
    prompt = head + "    // Adds.\n    public static long add(long a, long b) {\n"
    problem = Problem("HumanEval_900_add", "java", prompt, "add", ("\n    }\n",), "", tests="    }\n    public static void main")
    answer = (
        "```java\nimport java.util.stream.*;\n\npublic class Solution {\n    static long id(long x) { return x; }\n"
        "    public static long add(long a, long b) {\n        return id(a) + b;\n    }\n"
        "    public static void main(String[] args) {\n        System.out.println(add(1, 2));\n    }\n}\n```"
    )
    program = extract(problem, answer, "answer").program
    assert program.rstrip().endswith("class Problem {\n    public static long add(long a, long b) { return Solution.add(a, b); }")
    assert "public class" not in program
    assert "void main" not in program
    for line in ("import java.util.*;", "import org.javatuples.*;", "import java.util.stream.*;", "static long id(long x)"):
        assert program.count(line) == 1


def test_a_cpp_answer_keeps_its_helpers_and_loses_its_main() -> None:
    problem = Problem("x", "cpp", toys.CPLUSPLUS["prompt"], "add_two", ("\n}",), "", tests=toys.CPLUSPLUS["tests"])
    answer = (
        "```cpp\n#include <vector>\nusing namespace std;\nlong id(long x) { return x; }\n"
        "long add_two(long a, long b) {\n    return id(a) + b;\n}\nint main() {\n    return 0;\n}\n```"
    )
    extracted = extract(problem, answer, "answer")
    assert "int main" not in extracted.program
    assert "long id(long x)" in extracted.program
    assert extracted.program.startswith("#include<assert.h>\n#include<bits/stdc++.h>\n")
    assert extracted.whole


def test_a_multipl_e_program_must_end_with_the_tests_of_this_data() -> None:
    problem = Problem("x", "cpp", toys.CPLUSPLUS["prompt"], "add_two", ("\n}",), "", tests=toys.CPLUSPLUS["tests"])
    program = problem.prompt + "    return a + b;\n" + problem.tests
    assert extract(problem, program, "program").program == problem.prompt + "    return a + b;\n"
    with pytest.raises(EvaluationError, match="differ from this version"):
        extract(problem, program.replace("(3)", "(4)"), "program")
