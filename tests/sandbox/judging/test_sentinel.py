"""In every language, a whole program passes by running past its last test, and in no other way."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from hf_oss_instruct.code.toolchains import TOOLCHAINS, missing_executables
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.sandbox.judging.sentinel import ending_with
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program

pytestmark = pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox: hf-oss-instruct env says why")


@dataclass(frozen=True)
class Whole:
    """A program around a function of a number, the tests that follow it, and three bodies of the function."""

    program: str
    tests: str
    right: str
    wrong: str
    leaves: str


C_LIKE = "int f(int x) { BODY }"
WHOLE = {
    "python": Whole("import sys\ndef f(x):\n    BODY", "assert f(1) == 2", "return x + 1", "return x", "sys.exit(0)"),
    "javascript": Whole(
        "function f(x) { BODY }", "require('node:assert').strictEqual(f(1), 2)", "return x + 1", "return x", "process.exit(0)"
    ),
    "typescript": Whole(
        "declare var require: any, process: any;\nfunction f(x: number): number { BODY }",
        "require('node:assert').strictEqual(f(1), 2)",
        "return x + 1",
        "return x",
        "process.exit(0); return 2",
    ),
    "java": Whole(
        "class Main {\n    static int f(int x) { BODY }",
        "    public static void main(String[] args) {\n        assert f(1) == 2;\n    }\n}",
        "return x + 1;",
        "return x;",
        "System.exit(0); return 2;",
    ),
    "cpp": Whole(
        f"#include <cassert>\n#include <cstdlib>\n{C_LIKE}",
        "int main() {\n    assert(f(1) == 2);\n}",
        "return x + 1;",
        "return x;",
        "std::exit(0);",
    ),
    "c": Whole(
        f"#include <assert.h>\n#include <stdlib.h>\n{C_LIKE}",
        "int main(void) {\n    assert(f(1) == 2);\n}",
        "return x + 1;",
        "return x;",
        "exit(0);",
    ),
    "csharp": Whole(
        "using System;\nusing System.Diagnostics;\nclass P {\n    static int f(int x) { BODY }",
        "    static void Main() {\n        Debug.Assert(f(1) == 2);\n    }\n}",
        "return x + 1;",
        "return x;",
        "Environment.Exit(0); return 2;",
    ),
    "go": Whole(
        'package main\nimport "os"\nfunc leave() { os.Exit(0) }\nfunc f(x int) int { BODY }',
        'func main() {\n    if f(1) != 2 { panic("f(1)") }\n}',
        "return x + 1",
        "return x",
        "leave(); return 2",
    ),
    "rust": Whole(
        "fn f(x: i32) -> i32 { BODY }", "fn main() {\n    assert_eq!(f(1), 2);\n}", "x + 1", "x", "std::process::exit(0)"
    ),
    "php": Whole(
        "<?php\nfunction f($x) { BODY }",
        'if (f(1) !== 2) { throw new Exception("f(1)"); }',
        "return $x + 1;",
        "return $x;",
        "exit(0);",
    ),
    "shell": Whole("f() { BODY; }", "f 1\n[ $REPLY = 2 ] || exit 1", "REPLY=$(($1 + 1))", "REPLY=$1", "exit 0"),
    "ruby": Whole("def f(x)\n  BODY\nend", "raise 'f(1)' unless f(1) == 2", "x + 1", "x", "exit!(0)"),
    "perl": Whole("sub f { my ($x) = @_; BODY }", 'die "f(1)" unless f(1) == 2;', "return $x + 1;", "return $x;", "exit 0;"),
    "lua": Whole("function f(x) BODY end", "assert(f(1) == 2)", "return x + 1", "return x", "os.exit(0)"),
    "r": Whole("f <- function(x) { BODY }", "stopifnot(f(1) == 2)", "x + 1", "x", "quit(status = 0)"),
    "racket": Whole("#lang racket\n(define (f x) BODY)", '(unless (= (f 1) 2) (error "f"))', "(+ x 1)", "x", "(exit 0)"),
    "d": Whole(
        "import core.stdc.stdlib;\nint f(int x) { BODY }",
        "unittest { assert(f(1) == 2); }\nvoid main() {\n}",
        "return x + 1;",
        "return x;",
        "exit(0); return 2;",
    ),
}


def needs_toolchain(language: str) -> None:
    """Skip where a toolchain is missing, but never where CI installs them all."""
    lacking = missing_executables(TOOLCHAINS[language])
    if lacking and not os.environ.get("CI"):
        pytest.skip(f"{', '.join(lacking)} is not installed. Install it with: {TOOLCHAINS[language].install}")


def test_every_language_that_is_run_is_judged_too() -> None:
    assert set(WHOLE) == set(TOOLCHAINS)


@pytest.mark.parametrize("language", WHOLE)
def test_a_whole_program_passes_only_by_running_past_its_last_test(language: str) -> None:
    needs_toolchain(language)
    whole = WHOLE[language]
    found = {
        name: judge_program(whole.program.replace("BODY", getattr(whole, name)), whole.tests, language)
        for name in ("right", "wrong", "leaves")
    }
    assert {name: judged.status for name, judged in found.items()} == {
        "right": "passed",
        "wrong": "runtime_error",
        "leaves": "runtime_error",
    }, found
    assert found["leaves"].detail == "it ended before its last test", found["leaves"]


GO_PROGRAM = """package f_test

import (
    "testing"
    "fmt"
    "os"
)

func leave() { os.Exit(0) }
func f(x int) int {
	BODY
}
"""
GO_TESTS = """
func TestF(t *testing.T) {
  candidate := f
	type test struct {
		actual   interface{}
		expected interface{}
	}
   tests := []test{
     { actual: candidate(1), expected: 2 },
   }

	for i, tc := range tests {
		t.Run(fmt.Sprintf("test num % d", i), func(t *testing.T) {
			if fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {
				t.Errorf("expected '%s', got '%s'", tc.expected, tc.actual)
			}
		})
	}
}
"""
RACKET_TESTS = """
(require rackunit)
(define (test-humaneval)
  (let* ((candidate f))
    (check-within (candidate 1) 2 0.001)
))
(test-humaneval)
"""
# How MultiPL-E writes tests where a failure does not end the program.
FRAMEWORKS = {
    "go": (GO_PROGRAM, GO_TESTS),
    "racket": ("#lang racket\n(define (f x) BODY)\n", RACKET_TESTS),
}


@pytest.mark.parametrize("language", FRAMEWORKS)
def test_a_failure_that_does_not_end_the_program_is_seen(language: str) -> None:
    needs_toolchain(language)
    program, tests = FRAMEWORKS[language]
    whole = WHOLE[language]
    bodies = {"right": whole.right, "wrong": whole.wrong, "leaves": whole.leaves}
    found = {name: judge_program(program.replace("BODY", body), tests, language) for name, body in bodies.items()}
    expected = {"right": "passed", "wrong": "runtime_error", "leaves": "runtime_error"}
    assert {name: judged.status for name, judged in found.items()} == expected, found


@pytest.mark.parametrize("language", ["javascript", pytest.param("typescript", marks=pytest.mark.long)])
def test_tests_that_end_after_the_text_does_are_waited_for(language: str) -> None:
    needs_toolchain(language)
    whole = WHOLE[language]
    late = f"setTimeout(() => {{ {whole.tests} }}, 50)"
    for body, status in ((whole.right, "passed"), (whole.wrong, "runtime_error"), (whole.leaves, "runtime_error")):
        assert judge_program(whole.program.replace("BODY", body), late, language).status == status, body


def test_a_main_of_the_program_does_not_take_the_place_of_the_tests() -> None:
    needs_toolchain("go")
    program = GO_PROGRAM.replace("BODY", "return x") + "func main() {}\n"
    assert judge_program(program, GO_TESTS, "go").status == "runtime_error"


def test_a_csharp_program_cannot_redefine_what_its_tests_ask() -> None:
    needs_toolchain("csharp")
    whole = WHOLE["csharp"]
    redefined = whole.program.replace("using System.Diagnostics;", "static class Debug { public static void Assert(bool b) {} }")
    assert judge_program(redefined.replace("BODY", whole.wrong), whole.tests, "csharp").status == "runtime_error"
    inside = f"{whole.program.replace('BODY', whole.wrong)}\n{whole.tests}"
    assert judge_program(inside, "", "csharp").status == "runtime_error"


def test_a_language_whose_end_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'haskell' is not supported\. Use one of: python, c, "):
        ending_with("0123", "main = pure ()", "", "haskell")
