"""A second problem, on a list: running totals. A parameter that is not a number shows what a type, a reference or a template does."""

from __future__ import annotations

from hf_oss_instruct.evaluation.problems import Problem
from tests.evaluation.extraction import compiled_pieces, pieces

_JS = (
    "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = running_totals;\n  assert.deepEqual(candidate([]),[]);\n"
    "  assert.deepEqual(candidate([1, 2, 3]),[1, 3, 6]);\n  assert.deepEqual(candidate([4, -1]),[4, 3]);\n}\n\ntest();"
)
_JAVA_LIST = "(new ArrayList<Long>(Arrays.asList({})))"
_CS_LIST = "(new List<long>(new long[]{{{}}}))"
_CPP_LIST = "(std::vector<long>({{{}}}))"

# Language → prompt and tests.
_TEXTS: dict[str, tuple[str, str]] = {
    "python": (
        'from typing import List\n\n\ndef running_totals(numbers: List[int]) -> List[int]:\n    """ Running totals.\n'
        '    >>> running_totals([1, 2, 3])\n    [1, 3, 6]\n    """\n',
        "\nassert running_totals([]) == []\nassert running_totals([1, 2, 3]) == [1, 3, 6]\nassert running_totals([4, -1]) == [4, 3]\n",
    ),
    "javascript": ("//Running totals.\n// >>> running_totals([1, 2, 3])\n// [1, 3, 6]\nfunction running_totals(numbers){\n", _JS),
    "typescript": (
        "//Running totals.\n// >>> running_totals([1, 2, 3])\n// [1, 3, 6]\nfunction running_totals(numbers: number[]): number[] {\n",
        f"declare var require: any;\n{_JS}",
    ),
    "php": (
        "<?php\n// Running totals.\n// >>> running_totals(array(1, 2, 3))\n// array(1, 3, 6)\nfunction running_totals($numbers) {\n",
        "function candidate(...$args) {\n    return running_totals(...$args);\n}\n\nfunction test(): void {\n"
        '    if (candidate(array()) !== array()) { throw new Exception("Test failed!"); }\n'
        '    if (candidate(array(1, 2, 3)) !== array(1, 3, 6)) { throw new Exception("Test failed!"); }\n'
        '    if (candidate(array(4, -1)) !== array(4, 3)) { throw new Exception("Test failed!"); }\n}\n\ntest();',
    ),
    "shell": (
        '#!/bin/bash\n# Running totals.\n# >>> $(running_totals "1 2 3")\n# ["1", "3", "6"]\n#\n# $1 is a space-separated list\n'
        "running_totals() {\n",
        '}\n\ncandidate() {\n    running_totals "$@"\n}\n\nset -e\nrun_test() {\n    [[ $(candidate "") = "" ]]\n'
        '    [[ $(candidate "1 2 3") = "1 3 6" ]]\n    [[ $(candidate "4 -1") = "4 3" ]]\n}\n\nrun_test',
    ),
    "ruby": (
        "# Running totals.\n# >>> running_totals.call([1, 2, 3])\n# [1, 3, 6]\ndef running_totals(numbers)\n",
        "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_running_totals\n    candidate = method(:running_totals)\n"
        "    assert_equal([], candidate.call([]))\n    assert_equal([1, 3, 6], candidate.call([1, 2, 3]))\n"
        "    assert_equal([4, 3], candidate.call([4, -1]))\n  end\nend\n",
    ),
    "perl": (
        "# Running totals.\n# >>> running_totals([1, 2, 3])\n# [1, 3, 6]\nsub running_totals {\n    my($numbers) = @_;\n",
        "use Test::Deep;\n\n\nsub testhumaneval {\n    my $candidate = \\&running_totals;\n"
        + "".join(
            f'        if(eq_deeply($candidate->({given}),{value})) {{\n        print "ok!" }}else{{\n        exit 1;\n        }}\n'
            for given, value in (("[]", "[]"), ("[1, 2, 3]", "[1, 3, 6]"), ("[4, -1]", "[4, 3]"))
        )
        + "}\n\ntesthumaneval();",
    ),
    "lua": (
        "-- Running totals.\n-- >>> running_totals({1, 2, 3})\n-- {1, 3, 6}\nlocal function running_totals(numbers)\n",
        "lu = require('luaunit')\n\nfunction test_humaneval()\nlocal candidate = running_totals\n    lu.assertEquals(candidate({}), {})\n"
        "    lu.assertEquals(candidate({1, 2, 3}), {1, 3, 6})\n    lu.assertEquals(candidate({4, -1}), {4, 3})\nend\n\n"
        "os.exit(lu.LuaUnit.run())",
    ),
    "r": (
        "# Running totals.\n# >>> running_totals(c(1, 2, 3))\n# c(1, 3, 6)\nrunning_totals <- function(numbers) {",
        "test_humaneval <- function() {\n    candidate <- running_totals\n    stopifnot(isTRUE(all.equal(candidate(c()), c())))\n"
        "    stopifnot(isTRUE(all.equal(candidate(c(1, 2, 3)), c(1, 3, 6))))\n"
        "    stopifnot(isTRUE(all.equal(candidate(c(4, -1)), c(4, 3))))\n}\ntest_humaneval()",
    ),
    "racket": (
        "#lang racket\n\n;; Running totals.\n;; >>> (running_totals (list 1 2 3))\n;; (list 1 3 6)\n(define (running_totals numbers)\n",
        "(require rackunit)\n\n(define (test-humaneval) \n\n  (let (( candidate running_totals))\n"
        "    (check-within (candidate (list )) (list ) 0.001)\n    (check-within (candidate (list 1 2 3)) (list 1 3 6) 0.001)\n"
        "    (check-within (candidate (list 4 -1)) (list 4 3) 0.001)\n))\n\n(test-humaneval)",
    ),
    "go": (
        'package running_totals_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\n// Running totals.\n// >>> running_totals([]int{1, 2, 3})\n'
        "// []int{1, 3, 6}\nfunc running_totals(numbers []int) []int {\n",
        compiled_pieces.GO.tests.replace("TestSum_Squares", "TestRunning_Totals")
        .replace("sum_squares", "running_totals")
        .replace("candidate(0), expected: 0", "candidate([]int{}), expected: []int{}")
        .replace("candidate(3), expected: 14", "candidate([]int{1, 2, 3}), expected: []int{1, 3, 6}")
        .replace("candidate(5), expected: 55", "candidate([]int{4, -1}), expected: []int{4, 3}"),
    ),
    "java": (
        compiled_pieces.JAVA.prompt.partition("    // The sum")[0]
        + "    // Running totals.\n    public static ArrayList<Long> runningTotals(ArrayList<Long> numbers) {\n",
        "    }\n    public static void main(String[] args) {\n"
        + "".join(
            f"    assert(runningTotals({_JAVA_LIST.format(given)}).equals({_JAVA_LIST.format(value)}));\n"
            for given, value in (("", ""), ("(long)1l, (long)2l, (long)3l", "(long)1l, (long)3l, (long)6l"))
        )
        + "    }\n\n}\n",
    ),
    "csharp": (
        compiled_pieces.CSHARP.prompt.partition("    // The sum")[0]
        + "    // Running totals.\n    public static List<long> RunningTotals(List<long> numbers) {\n",
        "    }\n    public static void Main(string[] args) {\n"
        "    Debug.Assert(RunningTotals((new List<long>())).SequenceEqual((new List<long>())));\n"
        + "".join(
            f"    Debug.Assert(RunningTotals({_CS_LIST.format(given)}).SequenceEqual({_CS_LIST.format(value)}));\n"
            for given, value in (("(long)1L, (long)2L, (long)3L", "(long)1L, (long)3L, (long)6L"),)
        )
        + "    }\n\n}\n",
    ),
    "cpp": (
        "#include<assert.h>\n#include<bits/stdc++.h>\n// Running totals.\n// >>> running_totals((std::vector<long>({(long)1, (long)2})))\n"
        "// (std::vector<long>({(long)1, (long)3}))\nstd::vector<long> running_totals(std::vector<long> numbers) {\n",
        "}\nint main() {\n    auto candidate = running_totals;\n    assert(candidate((std::vector<long>())) == (std::vector<long>()));\n"
        + "".join(
            f"    assert(candidate({_CPP_LIST.format(given)}) == {_CPP_LIST.format(value)});\n"
            for given, value in (("(long)1, (long)2, (long)3", "(long)1, (long)3, (long)6"),)
        )
        + "}\n",
    ),
    "rust": (
        "/// Running totals.\n/// >>> running_totals(vec![1, 2, 3])\n/// vec![1, 3, 6]\nfn running_totals(numbers: Vec<isize>) -> Vec<isize> {\n",
        "}\n\nfn main() {\n    let candidate = running_totals;\n    assert_eq!(candidate(Vec::<isize>::new()), Vec::<isize>::new());\n"
        "    assert_eq!(candidate(vec![1, 2, 3]), vec![1, 3, 6]);\n    assert_eq!(candidate(vec![4, -1]), vec![4, 3]);\n}\n",
    ),
    "d": (
        "import std.math;\n/*\n Running totals.\n    >>> running_totals([1L, 2L, 3L])\n    [1L, 3L, 6L]\n    \n*/\n"
        "long[] running_totals(long[] numbers) \n",
        "unittest\n{\n    alias candidate = running_totals;\n\n    assert(candidate([]) == []);\n"
        "    assert(candidate([1L, 2L, 3L]) == [1L, 3L, 6L]);\n    assert(candidate([4L, -1L]) == [4L, 3L]);\n}\nvoid main(){}",
    ),
}
_ENTRIES = {"java": "runningTotals", "csharp": "RunningTotals"}


def list_problem(language: str) -> Problem:
    """The problem of running totals, as MultiPL-E has problems."""
    prompt, tests = _TEXTS[language]
    stops = getattr(compiled_pieces, language.upper(), None) or getattr(pieces, language.upper())
    return Problem(
        "running_totals", language, prompt, _ENTRIES.get(language, "running_totals"), stops.stops, "lists", tests=tests
    )
