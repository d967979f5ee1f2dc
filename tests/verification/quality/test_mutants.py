from __future__ import annotations

import ast
from collections import Counter

import pytest

from hf_oss_instruct.code.syntax import parse
from hf_oss_instruct.verification.grammars import CODE
from hf_oss_instruct.verification.quality.equivalents import equivalent
from hf_oss_instruct.verification.quality.mutants import MAX_SOURCE_BYTES, mutants
from hf_oss_instruct.verification.quality.stubs import stubs

PROGRAMS = {
    "python": "def f(a, b: int = 1) -> int:\n    if a < b and not a:\n        return a + 1\n    a += 2\n    g(a, b)\n    return -a\n",
    "javascript": "function f(a, b) {\n  if (a < b && !a) { return a + 1; }\n  a += 2;\n  g(a, b);\n  return -a;\n}\n",
    "typescript": "function f(a: number, b: number): number {\n  if (a < b && !a) { return a + 1; }\n  a += 2;\n  g(a, b);\n  return -a;\n}\n",
    "java": "class A {\n  static int f(int a, int b) {\n    if (a < b && a != 3) { return a + 1; }\n    a += 2;\n    g(a, b);\n    return -a;\n  }\n}\n",
    "cpp": "int f(int a, int b) {\n  if (a < b && !a) { return a + 1; }\n  a += 2;\n  g(a, b);\n  return -a;\n}\n",
    "go": "package main\n\nfunc f(a int, b int) int {\n\tif a < b && a != 3 {\n\t\treturn a + 1\n\t}\n\ta += 2\n\tg(a, b)\n\treturn -a\n}\n",
    "rust": "fn f(mut a: i32, b: i32) -> i32 {\n    if a < b && a != 3 {\n        return a + 1;\n    }\n    a += 2;\n    g(a, b);\n    -a\n}\n",
    "php": "<?php\nfunction f($a, $b) {\n  if ($a < $b && !$a) { return $a + 1; }\n  $a += 2;\n  g($a, $b);\n  return -$a;\n}\n",
    "ruby": "def f(a, b)\n  if a < b && !a\n    return a + 1\n  end\n  a += 2\n  g(a, b)\n  -a\nend\n",
    "csharp": "class A {\n  static int F(int a, int b) {\n    if (a < b && a != 3) { return a + 1; }\n    a += 2;\n    G(a, b);\n    return -a;\n  }\n}\n",
    "shell": 'f() {\n  if [ "$1" -lt 2 ]; then\n    echo $(($1 + 1))\n    return 1\n  fi\n  g a b\n}\n',
}
OPERATORS = {"relational", "arithmetic", "logical", "constant", "condition", "statement", "return", "arguments"}
IN_SHELL = {"relational", "arithmetic", "constant", "condition", "statement"}


@pytest.mark.parametrize("language", PROGRAMS)
def test_every_operator_makes_mutants_that_parse(language: str) -> None:
    found = mutants(PROGRAMS[language], language, 100)
    assert {one.operator for one in found} >= (IN_SHELL if language == "shell" else OPERATORS)
    assert len({one.text for one in found}) == len(found)
    assert not [one.change for one in found if parse(one.text.encode(), language).root_node.has_error]


@pytest.mark.parametrize("language", PROGRAMS)
def test_stubs_keep_every_signature_and_no_body(language: str) -> None:
    found = stubs(PROGRAMS[language], language)
    assert len(found) >= 2
    for stub in found:
        assert not parse(stub.encode(), language).root_node.has_error, stub
        assert "g(" not in stub.lower()
        assert stub.lower().count("f(") == 1
    assert len(set(found)) == len(found)


def test_mutants_are_the_same_each_time_and_spread_over_operators() -> None:
    first, again = (mutants(PROGRAMS["python"], "python", 8) for _ in range(2))
    assert first == again
    assert max(Counter(one.operator for one in first).values()) <= 2
    assert mutants(PROGRAMS["python"], "python", 3) == first[:3]


def test_no_mutant_means_the_same_as_the_solution() -> None:
    for one in mutants("def f():\n    return None\n\ndef g(a):\n    return 0\n", "python", 50):
        assert ast.dump(ast.parse(one.text)) != ast.dump(ast.parse("def f():\n    return None\n\ndef g(a):\n    return 0\n"))


def test_main_comments_strings_and_guards_are_left_alone() -> None:
    program = '# 1 < 2\ndef f():\n    """3 < 4"""\n\ndef main():\n    print(1 < 2)\n\nif __name__ == "__main__":\n    main()\n'
    assert mutants(program, "python", 50) == ()
    assert mutants("def f(x):\n    return x\n" * 9999, "python") == ()
    assert len("def f(x):\n    return x\n" * 9999) > MAX_SOURCE_BYTES


def test_stubs_follow_the_types_of_results() -> None:
    typed = "def f() -> dict[str, int]:\n    return {1: 2}\n\ndef g() -> str:\n    return 'x'\n"
    assert "return {}" in stubs(typed, "python")[0]
    assert 'return ""' in stubs(typed, "python")[0]
    assert "new int[0]" in stubs("class A { int[] f() { return null; } void g() { h(); } }", "java")[0]
    assert "return *new(int), *new(error)" in stubs("package a\nfunc f() (int, error) { return 1, nil }\n", "go")[0]
    constructor = "class A:\n    def __init__(self):\n        self.x = 1\n\n    def f(self):\n        return self.x\n"
    assert all("self.x = 1" in stub and "return self.x" not in stub for stub in stubs(constructor, "python"))


def test_an_equivalent_has_other_words_and_the_same_meaning() -> None:
    for language, program in PROGRAMS.items():
        other = equivalent(program, language)
        assert other != program
        assert not parse(other.encode(), language).root_node.has_error
    scope: dict[str, object] = {}
    exec(equivalent("def f(a):\n    return a + 1\n", "python"), scope)
    assert scope["f"](2) == 3  # type: ignore[operator]


def test_languages_without_a_row_have_neither() -> None:
    assert "haskell" not in CODE
    assert (mutants("f = 1", "haskell"), stubs("f = 1", "haskell")) == ((), ())
