"""The program in a solution as models write it, and what a tester may see of it."""

from __future__ import annotations

import pytest

from hf_oss_instruct.verification.programs import program_in
from hf_oss_instruct.verification.programs import tests_in as code_of_tests
from hf_oss_instruct.verification.signatures import signatures

FENCED = "Here it is:\n\n```python\ndef f(x):\n    return x\n```\n\nExample usage:\n\n```python\nprint(f(1))\n```\n"


@pytest.mark.parametrize(
    ("text", "language", "program", "found"),
    [
        (FENCED, "python", "def f(x):\n    return x\n", "python"),
        ("def f(x):\n    return x", "python", "def f(x):\n    return x\n", "python"),
        ("```js\nfunction f() {}\n```", "python", "function f() {}\n", "javascript"),
        ("```ts\nconst f = (x: number) => x;\n```", "javascript", "const f = (x: number) => x;\n", "javascript"),
        ("```\nx = 1\n```", "python", "x = 1\n", "python"),
        ("```json\n{}\n```", "python", "", "python"),
        ("", "python", "", "python"),
    ],
)
def test_the_program_is_the_block_that_defines_most(text: str, language: str, program: str, found: str) -> None:
    got = program_in(text, language)
    assert (got.text, got.language) == (program, found)


def test_helpers_of_other_blocks_come_before_the_block_that_uses_them() -> None:
    helper = "```python\ndef half(x):\n    return x / 2\n```\n"
    main = "```python\ndef f(x):\n    return half(x)\n\n\ndef g(x):\n    return f(x)\n```\n"
    text = f"First a helper:\n{helper}Then:\n{main}"
    names: dict[str, object] = {}
    exec(program_in(text, "python").text, names)
    assert names["g"](4) == 2  # type: ignore[operator]


def test_the_code_of_tests_is_that_of_all_blocks() -> None:
    assert (
        code_of_tests("```python\nassert f(1)\n```\nand\n```python\nassert f(2)\n```", "python") == "assert f(1)\n\nassert f(2)\n"
    )
    assert code_of_tests("assert f(1)", "python") == "assert f(1)"


SECRET = "secret_of_the_body"
PROGRAMS = {
    "python": f"# {SECRET}\nTABLE = ['{SECRET}']\nclass A:\n    def m(self):\n        return {SECRET}\n"
    f"def f(x: int) -> int:\n    '''{SECRET}'''\n    return {SECRET}\n",
    "javascript": f"// {SECRET}\nconst f = (x) => {SECRET};\nclass A {{ constructor() {{ {SECRET}(); }} }}\n",
    "typescript": f"interface P {{ a: number }}\nexport function f(p: P): number {{ return {SECRET}; }}\n",
    "java": f"import java.util.*;\nclass S {{ S() {{ {SECRET}(); }} static int f(int x) {{ return {SECRET}; }} }}\n",
    "cpp": f"#include <vector>\nint f(int x) {{ return {SECRET}; }}\nstruct S {{ int m() const {{ return {SECRET}; }} }};\n",
    "go": f"package main\ntype S struct {{ a int }}\nfunc (s S) f(x int) int {{ return {SECRET} }}\n",
    "rust": f"pub struct S {{ a: i32 }}\nimpl S {{ pub fn f(x: i32) -> i32 {{ {SECRET} }} }}\n",
    "php": f"<?php\nfunction f(int $x): int {{ return {SECRET}; }}\n",
    "ruby": f"def f(x)\n  {SECRET}\nend\n",
    "csharp": f"public class S {{ public static int f(int x) {{ return {SECRET}; }} public int P => {SECRET}; }}\n",
    "shell": f"f() {{\n  echo {SECRET}\n}}\n",
}


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_tester_sees_signatures_and_no_body(language: str) -> None:
    shown = signatures(PROGRAMS[language], language)
    assert SECRET not in shown, shown
    assert "f" in shown
    assert "..." in shown


def test_without_functions_or_a_grammar_there_is_nothing_to_show() -> None:
    assert signatures("print(input())\n", "python") == ""
    assert signatures("fun f(x: Int) = x", "kotlin") == ""
    assert signatures("", "python") == ""
