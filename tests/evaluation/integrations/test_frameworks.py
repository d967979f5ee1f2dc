"""MultiPL-E in languages whose failed tests do not end the program by themselves: right passes, wrong is a wrong answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.code.toolchains import TOOLCHAINS, missing_executables
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.scoring import score
from tests.evaluation import toys

NAME = "HumanEval_53_add"
GO: dict[str, Any] = {
    "name": NAME,
    "language": "go_test.go",
    "prompt": (
        'package add_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\n// Add two numbers.\nfunc add(x int, y int) int {\n'
    ),
    "tests": """func TestAdd(t *testing.T) {
  candidate := add
	type test struct {
		actual   interface{}
		expected interface{}
	}
   tests := []test{
     { actual: candidate(1, 2), expected: 3 },
   }

	for i, tc := range tests {
		t.Run(fmt.Sprintf("test num % d", i), func(t *testing.T) {
			if fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {
				t.Errorf("expected '%s', got '%s'", tc.expected, tc.actual)
			}
		})
	}
}
""",
    "stop_tokens": ["\nfunc", "struct", "\n// "],
}
CSHARP: dict[str, Any] = {
    "name": NAME,
    "language": "cs",
    "prompt": (
        "using System;\nusing System.Numerics;\nusing System.Diagnostics;\nusing System.Linq;\nclass Problem {\n"
        "    // Add two numbers.\n    public static long Add(long x, long y) {\n"
    ),
    "tests": ("    }\n    public static void Main(string[] args) {\n    Debug.Assert(Add((1L), (2L)) == (3L));\n    }\n\n}\n"),
    "stop_tokens": ["\n    }\n"],
}
RACKET: dict[str, Any] = {
    "name": NAME,
    "language": "rkt",
    "prompt": "#lang racket\n\n;; Add two numbers.\n(define (add x y)\n",
    "tests": (
        "(require rackunit)\n\n(define (test-humaneval) \n\n  (let (( candidate add))\n"
        "    (check-within (candidate 1 2) 3 0.001)\n))\n\n(test-humaneval)"
    ),
    "stop_tokens": ["\n(define ", "\n#|", "\n;", "\n("],
}
D: dict[str, Any] = {
    "name": NAME,
    "language": "d",
    "prompt": "import std.math;\n/*\nAdd two numbers.\n*/\nlong add(long x, long y) \n",
    "tests": "unittest\n{\n    alias candidate = add;\n\n    assert(candidate(1L, 2L) == 3L);\n}\nvoid main(){}",
    "stop_tokens": ["\n\n", "\nvoid", "\nbool", "\nint"],
}
CASES = {
    "go": (GO, "    return x + y\n}\n", "    return x\n}\n"),
    "csharp": (CSHARP, "        return x + y;\n", "        return x;\n"),
    "racket": (RACKET, "  (+ x y))\n", "  x)\n"),
    "d": (D, "{\n    return x + y;\n}\n", "{\n    return x;\n}\n"),
}


@pytest.mark.parametrize("language", CASES)
def test_a_wrong_answer_is_told_from_a_right_one(language: str, tmp_path: Path) -> None:
    if missing_executables(TOOLCHAINS[language]) and not os.environ.get("CI"):
        pytest.skip(f"Install the toolchain with: {TOOLCHAINS[language].install}")
    row, *texts = CASES[language]
    samples = [Sample(NAME, number, text, "completion") for number, text in enumerate(texts)]
    right, wrong = score(toys.multipl_e(tmp_path, row), samples)
    assert (right.status, wrong.status) == ("passed", "wrong_answer"), (right, wrong)
    assert wrong.reason
