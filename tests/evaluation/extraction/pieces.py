"""One small problem in sixteen languages, in MultiPL-E's form, and what an answer to it may be made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hf_oss_instruct.evaluation.problems import Problem


@dataclass(frozen=True)
class Pieces:
    """Parts of answers in one language.

    Attributes:
        prompt: what a completion continues.
        tests: what stands after it.
        stops: where a completion ends.
        function: a right definition of the entry point, whole.
        body: a right body under the prompt, up to what closes the function.
        helper: the definition of `square`.
        using: a right definition that needs it.
        slip: what makes a right text wrong: what is replaced by what.
        usage: a line that calls the function.
        own_tests: the model's own tests and `main`.
        stub: the prompt's function without a body.
        shapes: name → whole answers in the language's own ways, right ones.
        entry: the function's name.
    """

    prompt: str
    tests: str
    stops: tuple[str, ...]
    function: str
    body: str
    helper: str
    using: str
    slip: tuple[str, str]
    usage: str
    own_tests: str
    stub: str
    shapes: Mapping[str, str] = field(default_factory=dict)
    entry: str = "sum_squares"

    def problem(self, language: str) -> Problem:
        """As a benchmark has it."""
        return Problem("sum_squares", language, self.prompt, self.entry, self.stops, "pieces", tests=self.tests)


PYTHON = Pieces(
    'from typing import List\n\n\ndef sum_squares(n: int) -> int:\n    """ The sum of the squares up to n.\n    >>> sum_squares(3)\n'
    '    14\n    """\n',
    "\nassert sum_squares(0) == 0\nassert sum_squares(3) == 14\nassert sum_squares(5) == 55\n",
    ("\ndef ", "\nclass ", "\nprint(", "\n#", "\nif "),
    "def sum_squares(n: int) -> int:\n    total = 0\n\n    for i in range(1, n + 1):\n        total += i * i\n    return total\n",
    "    total = 0\n    for i in range(1, n + 1):\n        total += i * i\n    return total\n",
    "def square(x: int) -> int:\n    return x * x\n",
    "def sum_squares(n: int) -> int:\n    return sum(square(i) for i in range(1, n + 1))\n",
    ("n + 1", "n"),
    "print(sum_squares(3))\n",
    "def test_sum_squares():\n    assert sum_squares(3) == 14\n    assert False, 'a wrong test'\n\n\n"
    "def main():\n    test_sum_squares()\n    print(sum_squares(int(input())))\n\n\nif __name__ == '__main__':\n    main()\n",
    'def sum_squares(n: int) -> int:\n    """The sum of the squares up to n."""\n    pass\n',
    {
        "class": "class Solution:\n    def sum_squares(self, n: int) -> int:\n        return sum(i * i for i in range(1, n + 1))\n",
        "lambda": "sum_squares = lambda n: sum(i * i for i in range(1, n + 1))\n",
        "decorated": "from functools import cache\n\n@cache\ndef sum_squares(n):\n    return n * n + sum_squares(n - 1) if n + 1 > 1 else 0\n",
        "future": '"""Squares."""\nfrom __future__ import annotations\n\ndef sum_squares(n):\n    return sum(i * i for i in range(1, n + 1))\n',
        "recursion limit": "import sys\nsys.setrecursionlimit(10000)\nN = 1\ndef sum_squares(n):\n    return sum(i * i for i in range(N, n + 1))\n",
        "fence in docstring": 'def sum_squares(n):\n    """Squares.\n\n```python\nsum_squares(3)\n```\n    """\n'
        "    return sum(i * i for i in range(1, n + 1))\n",
        "input at the top": "def sum_squares(n):\n    return sum(i * i for i in range(1, n + 1))\n\nn = int(input())\nprint(sum_squares(n))\n",
        "exit at the end": "import sys\ndef sum_squares(n):\n    return sum(i * i for i in range(1, n + 1))\n\nsys.exit(sum_squares(2))\n",
    },
)

_JS_TESTS = (
    "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = sum_squares;\n  assert.deepEqual(candidate(0),0);\n"
    "  assert.deepEqual(candidate(3),14);\n  assert.deepEqual(candidate(5),55);\n}\n\ntest();"
)
_JS_OWN = (
    "const assert = require('assert');\nfunction test() {\n  assert.strictEqual(sum_squares(3), 15);\n}\ntest();\n"
    "if (require.main === module) {\n  console.log(sum_squares(Number(process.argv[2])));\n}\n"
)
JAVASCRIPT = Pieces(
    "//The sum of the squares up to n.\n// >>> sum_squares(3)\n// 14\nfunction sum_squares(n){\n",
    _JS_TESTS,
    ("\nfunction ", "\n/*", "\n//", "\nconsole.log"),
    "function sum_squares(n) {\n  let total = 0;\n\n  for (let i = 1; i <= n; i++) {\n    total += i * i;\n  }\n  return total;\n}\n",
    "  let total = 0;\n  for (let i = 1; i <= n; i++) {\n    total += i * i;\n  }\n  return total;\n}\n",
    "function square(x) {\n  return x * x;\n}\n",
    "function sum_squares(n) {\n  let total = 0;\n  for (let i = 1; i <= n; i++) total += square(i);\n  return total;\n}\n",
    ("<= n", "< n"),
    "console.log(sum_squares(3));\n",
    _JS_OWN,
    "function sum_squares(n) {\n  // TODO: write it\n}\n",
    {
        "export": "export function sum_squares(n) {\n  let t = 0;\n  for (let i = 1; i <= n; i++) t += i * i;\n  return t;\n}\n",
        "export default": "function sum_squares(n) {\n  let t = 0;\n  for (let i = 1; i <= n; i++) t += i * i;\n  return t;\n}\n\n"
        "export default sum_squares;\n",
        "exports": "exports.sum_squares = function (n) {\n  let t = 0;\n  for (let i = 1; i <= n; i++) t += i * i;\n  return t;\n};\n",
        "arrow": "const sum_squares = (n) => {\n  let t = 0;\n  for (let i = 1; i <= n; i++) t += i * i;\n  return t;\n};\n\n"
        "module.exports = { sum_squares };\n",
        "shebang": "#!/usr/bin/env node\n'use strict';\nimport { ok } from 'node:assert';\nfunction sum_squares(n) {\n  let t = 0;\n"
        "  for (let i = 1; i <= n; i++) t += i * i;\n  ok(true);\n  return t;\n}\n",
        "exported function": "module.exports = function sum_squares(n) {\n    let t = 0;\n    for (let i = 1; i <= n; i++) t += i * i;\n    return t;\n};\n",
        "exported object": "module.exports = {\n  sum_squares(n) {\n    let t = 0;\n    for (let i = 1; i <= n; i++) t += i * i;\n    return t;\n  },\n};\n",
        "class": "class Solution {\n  sum_squares(n) {\n    let t = 0;\n    for (let i = 1; i <= n; i++) t += i * i;\n    return t;\n  }\n}\n",
        "assert in use": "const assert = require('assert');\nfunction sum_squares(n) {\n  assert(n >= 0);\n  let t = 0;\n"
        "  for (let i = 1; i <= n; i++) t += i * i;\n  return t;\n}\n",
        "exit": "function sum_squares(n) {\n  let t = 0;\n  for (let i = 1; i <= n; i++) t += i * i;\n  return t;\n}\nprocess.exit(0);\n",
    },
)
TYPESCRIPT = Pieces(
    "//The sum of the squares up to n.\n// >>> sum_squares(3)\n// 14\nfunction sum_squares(n: number): number {\n",
    "declare var require: any;\n" + _JS_TESTS,
    ("\nfunction ", "\n/*", "\n//", "\nclass"),
    "function sum_squares(n: number): number {\n  let total = 0;\n\n  for (let i = 1; i <= n; i++) {\n    total += i * i;\n  }\n  return total;\n}\n",
    "  let total = 0;\n  for (let i = 1; i <= n; i++) {\n    total += i * i;\n  }\n  return total;\n}\n",
    "function square(x: number): number {\n  return x * x;\n}\n",
    "function sum_squares(n: number): number {\n  let total = 0;\n  for (let i = 1; i <= n; i++) total += square(i);\n  return total;\n}\n",
    ("<= n", "< n"),
    "console.log(sum_squares(3));\n",
    _JS_OWN.replace("if (require.main", "declare var module: any;\ndeclare var process: any;\nif (require.main"),
    "function sum_squares(n: number): number {\n  throw new Error('Not implemented');\n}\n",
    {
        "class": "export class Squares {\n  private first: number = 1;\n  public sum_squares(n: number): number {\n    let t = 0;\n"
        "    for (let i = this.first; i <= n; i++) t += i * i;\n    return t;\n  }\n}\n",
        "export": "export function sum_squares(n: number): number {\n  let t = 0;\n  for (let i = 1; i <= n; i++) t += i * i;\n  return t;\n}\n",
        "export const": "type Fn = (n: number) => number;\nexport const sum_squares: Fn = (n) => {\n  let t = 0;\n"
        "  for (let i = 1; i <= n; i++) t += i * i;\n  return t;\n};\nexport default sum_squares;\n",
        "interface": "interface Box { total: number }\nexport function sum_squares(n: number): number {\n  const b: Box = { total: 0 };\n"
        "  for (let i = 1; i <= n; i++) b.total += i * i;\n  return b.total;\n}\n",
    },
)
PHP = Pieces(
    "<?php\n// The sum of the squares up to n.\n// >>> sum_squares(3)\n// 14\nfunction sum_squares($n) {\n",
    "function candidate(...$args) {\n    return sum_squares(...$args);\n}\n\nfunction test(): void {\n"
    '    if (candidate(0) !== 0) { throw new Exception("Test failed!"); }\n'
    '    if (candidate(3) !== 14) { throw new Exception("Test failed!"); }\n'
    '    if (candidate(5) !== 55) { throw new Exception("Test failed!"); }\n}\n\ntest();',
    ("\nfunction", "\n?>", "\n//", "\n#"),
    "function sum_squares($n) {\n    $total = 0;\n\n    for ($i = 1; $i <= $n; $i++) {\n        $total += $i * $i;\n    }\n    return $total;\n}\n",
    "    $total = 0;\n    for ($i = 1; $i <= $n; $i++) {\n        $total += $i * $i;\n    }\n    return $total;\n}\n",
    "function square($x) {\n    return $x * $x;\n}\n",
    "function sum_squares($n) {\n    $total = 0;\n    for ($i = 1; $i <= $n; $i++) $total += square($i);\n    return $total;\n}\n",
    ("<= $n", "< $n"),
    "echo sum_squares(3), PHP_EOL;\n",
    "function test() {\n    if (sum_squares(3) !== 15) { exit(1); }\n}\ntest();\n",
    "function sum_squares($n) {\n    // TODO\n    return 0;\n}\n",
    {
        name: head
        + "function sum_squares($n) {\n    $t = 0;\n    for ($i = 1; $i <= $n; $i++) $t += $i * $i;\n    return $t;\n}\n"
        + tail
        for name, head, tail in (
            ("tag", "<?php\n", ""),
            ("tag on the line", "<?php ", ""),
            ("closed", "<?php\n", "?>\n"),
            ("both on one line", "<?php ", "?>"),
            ("strict", "<?php\n\ndeclare(strict_types=1);\n\n", ""),
            ("namespace", "<?php\nnamespace App\\Math;\n\n", ""),
            ("markup behind", "<?php\n", "?>\n<p>Done</p>\n"),
            ("exit", "<?php\n", "exit;\n"),
        )
    }
    | {
        "namespace in braces": "<?php\nnamespace Squares {\nfunction sum_squares(int $n): int {\n    $t = 0;\n"
        "    for ($i = 1; $i <= $n; $i++) { $t += $i * $i; }\n    return $t;\n}\n}\nnamespace {\necho \\Squares\\sum_squares(3);\n}\n",
        "class": "<?php\nclass Solution {\n    public function sum_squares(int $n): int {\n        $t = 0;\n"
        "        for ($i = 1; $i <= $n; $i++) $t += $i * $i;\n        return $t;\n    }\n}\n$s = new Solution();\n",
        "closure": "$sum_squares = function ($n) {\n    $t = 0;\n    for ($i = 1; $i <= $n; $i++) $t += $i * $i;\n    return $t;\n};\n",
    },
)
SHELL = Pieces(
    '#!/bin/bash\n# The sum of the squares up to n.\n# >>> $(sum_squares "3")\n# "14"\n#\n# $1 is an integer\nsum_squares() {\n',
    '}\n\ncandidate() {\n    sum_squares "$@"\n}\n\nset -e\nrun_test() {\n    [[ $(candidate "0") = "0" ]]\n    [[ $(candidate "3") = "14" ]]\n'
    '    [[ $(candidate "5") = "55" ]]\n}\n\nrun_test',
    ("\n}",),
    'sum_squares() {\n  local total=0 i\n\n  for ((i = 1; i <= $1; i++)); do\n    total=$((total + i * i))\n  done\n  echo "$total"\n}\n',
    '    local total=0 i\n    for ((i = 1; i <= $1; i++)); do\n        total=$((total + i * i))\n    done\n    echo "$total"\n}\n',
    "square() {\n  echo $(($1 * $1))\n}\n",
    'sum_squares() {\n  local total=0 i\n  for ((i = 1; i <= $1; i++)); do\n    total=$((total + $(square "$i")))\n  done\n  echo "$total"\n}\n',
    ("<= $1", "< $1"),
    "sum_squares 3\n",
    'run_test() {\n  [[ $(sum_squares 3) == 15 ]] || exit 1\n}\nrun_test\nif [ $# -ne 1 ]; then\n  echo "Usage: $0 N"\n  exit 1\nfi\n',
    "sum_squares() {\n  # TODO\n  :\n}\n",
    {
        name: head
        + "sum_squares() {\n  local t=0 i\n  for ((i = 1; i <= $1; i++)); do t=$((t + i * i)); done\n  echo $t\n}\n"
        + tail
        for name, head, tail in (
            ("strict", "#!/usr/bin/env bash\nset -euo pipefail\n\n", 'sum_squares "${1:-3}"\n'),
            ("usage check", "#!/bin/bash\n", 'if [ $# -ne 1 ]; then\n  echo "Usage: $0 N" >&2\n  exit 1\nfi\nsum_squares "$1"\n'),
            ("exit", "", 'sum_squares "$1"\nexit 0\n'),
            ("read", "", 'read -p "n: " n\nsum_squares "$n"\n'),
            ("sourced", "", 'if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then\n  sum_squares "$@"\nfi\n'),
            ("check first", "#!/bin/bash\n[ $# -eq 0 ] && { echo usage; exit 1; }\n", ""),
        )
    }
    | {
        "keyword": "function sum_squares {\n  local t=0 i\n  for ((i = 1; i <= $1; i++)); do t=$((t + i * i)); done\n  echo $t\n}\n"
    },
)
RUBY = Pieces(
    "# The sum of the squares up to n.\n# >>> sum_squares.call(3)\n# 14\ndef sum_squares(n)\n",
    "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_sum_squares\n    candidate = method(:sum_squares)\n"
    "    assert_equal(0, candidate.call(0))\n    assert_equal(14, candidate.call(3))\n    assert_equal(55, candidate.call(5))\n  end\nend\n",
    ("\nclass", "\ndef", "\n#", "\n\n"),
    "def sum_squares(n)\n  total = 0\n\n  (1..n).each { |i| total += i * i }\n  total\nend\n",
    "  total = 0\n  (1..n).each { |i| total += i * i }\n  total\nend\n",
    "def square(x)\n  x * x\nend\n",
    "def sum_squares(n)\n  (1..n).sum { |i| square(i) }\nend\n",
    ("1..n", "1...n"),
    "puts sum_squares(3)\n",
    "require 'minitest/autorun'\nclass TestSquares < Minitest::Test\n  def test_it\n    assert_equal 15, sum_squares(3)\n  end\nend\n"
    "if __FILE__ == $0\n  puts sum_squares(gets.to_i)\nend\n",
    "def sum_squares(n)\n  # TODO\n  raise NotImplementedError\nend\n",
    {
        "end": "def sum_squares(n)\n  (1..n).sum { |i| i * i }\nend\n\n__END__\nsum_squares(3) is 14\n",
        "guard": "#!/usr/bin/env ruby\n# frozen_string_literal: true\n\nrequire 'set'\n\ndef sum_squares(n)\n  (1..n).sum { |i| i * i }\nend\n\n"
        "puts sum_squares(ARGV[0].to_i) if __FILE__ == $PROGRAM_NAME\n",
        "class of class methods": "class Squares\n  class << self\n    def sum_squares(n)\n      (1..n).sum { |i| i * i }\n    end\n  end\nend\n",
        "module": "module Squares\n  def self.sum_squares(n)\n    (1..n).sum { |i| i * i }\n  end\nend\n",
        "class": "class Solution\n  def sum_squares(n)\n    (1..n).sum { |i| i * i }\n  end\nend\n",
        "lambda": "sum_squares = ->(n) { (1..n).sum { |i| i * i } }\n",
        "exit": "def sum_squares(n)\n  (1..n).sum { |i| i * i }\nend\n\nexit if sum_squares(1) == 1\n",
    },
)
PERL = Pieces(
    "# The sum of the squares up to n.\n# >>> sum_squares(3)\n# 14\nsub sum_squares {\n    my($n) = @_;\n",
    "use Test::Deep;\n\n\nsub testhumaneval {\n    my $candidate = \\&sum_squares;\n"
    + "".join(
        f'        if(eq_deeply($candidate->({n}),{value})) {{\n        print "ok!" }}else{{\n        exit 1;\n        }}\n'
        for n, value in ((0, 0), (3, 14), (5, 55))
    )
    + "}\n\ntesthumaneval();",
    ("\nsub", "\n#", "\n\n"),
    "sub sum_squares {\n    my ($n) = @_;\n    my $total = 0;\n\n    for my $i (1 .. $n) {\n        $total += $i * $i;\n    }\n    return $total;\n}\n",
    "    my $total = 0;\n    for my $i (1 .. $n) {\n        $total += $i * $i;\n    }\n    return $total;\n}\n",
    "sub square {\n    my ($x) = @_;\n    return $x * $x;\n}\n",
    "sub sum_squares {\n    my ($n) = @_;\n    my $total = 0;\n    $total += square($_) for 1 .. $n;\n    return $total;\n}\n",
    ("1 .. $n", "1 .. $n - 1"),
    'print sum_squares(3), "\\n";\n',
    "use Test::More;\nis(sum_squares(3), 15, 'squares');\ndone_testing();\nsub main {\n    print sum_squares($ARGV[0]);\n    exit 0;\n}\nmain() unless caller;\n",
    "sub sum_squares {\n    my ($n) = @_;\n    # TODO\n    die 'not implemented';\n}\n",
    {
        "end": "use strict;\nuse warnings;\n\nsub sum_squares {\n    my ($n) = @_;\n    my $t = 0;\n    $t += $_ * $_ for 1 .. $n;\n    return $t;\n}\n\n"
        "1;\n__END__\n\n=head1 NAME\n\nsum_squares\n",
        "package": "package Squares;\nuse strict;\nsub sum_squares {\n    my ($n) = @_;\n    my $t = 0;\n    $t += $_ * $_ for 1 .. $n;\n"
        "    return $t;\n}\n1;\n",
        "shebang": "#!/usr/bin/perl\nuse strict;\nuse warnings;\nuse List::Util qw(sum0);\n\nsub sum_squares {\n    my $n = shift;\n"
        "    return sum0(map { $_ * $_ } 1 .. $n);\n}\nexit(0);\n",
        "pod": "sub sum_squares {\n    my ($n) = @_;\n    my $t = 0;\n    $t += $_ * $_ for 1 .. $n;\n    return $t;\n}\n\n=pod\n\nSquares.\n\n",
    },
)
LUA = Pieces(
    "-- The sum of the squares up to n.\n-- >>> sum_squares(3)\n-- 14\nlocal function sum_squares(n)\n",
    "lu = require('luaunit')\n\nfunction test_humaneval()\nlocal candidate = sum_squares\n    lu.assertEquals(candidate(0), 0)\n"
    "    lu.assertEquals(candidate(3), 14)\n    lu.assertEquals(candidate(5), 55)\nend\n\nos.exit(lu.LuaUnit.run())",
    ("\nlocal", "\nfunction", "\n--", "\n\n"),
    "local function sum_squares(n)\n  local total = 0\n\n  for i = 1, n do\n    total = total + i * i\n  end\n  return total\nend\n",
    "  local total = 0\n  for i = 1, n do\n    total = total + i * i\n  end\n  return total\nend\n",
    "local function square(x)\n  return x * x\nend\n",
    "local function sum_squares(n)\n  local total = 0\n  for i = 1, n do\n    total = total + square(i)\n  end\n  return total\nend\n",
    ("1, n do", "1, n - 1 do"),
    "print(sum_squares(3))\n",
    "local lu = require('luaunit')\nfunction test_squares()\n  lu.assertEquals(sum_squares(3), 15)\nend\nos.exit(lu.LuaUnit.run())\n",
    "local function sum_squares(n)\n  -- TODO\n  error('not implemented')\nend\n",
    {
        "return": "local function sum_squares(n)\n  local t = 0\n  for i = 1, n do t = t + i * i end\n  return t\nend\n\nreturn sum_squares\n",
        "returned table": "return {\n  sum_squares = function(n)\n    local t = 0\n    for i = 1, n do t = t + i * i end\n    return t\n  end,\n}\n",
        "table": "local M = {\n  sum_squares = function(n)\n    local t = 0\n    for i = 1, n do t = t + i * i end\n    return t\n  end,\n}\n\nreturn M\n",
        "module": "local M = {}\n\nfunction M.sum_squares(n)\n  local t = 0\n  for i = 1, n do t = t + i * i end\n  return t\nend\n\nreturn M\n",
        "module with name": "local M = {}\nfunction M.sum_squares(n)\n  local t = 0\n  for i = 1, n do t = t + i * i end\n  return t\nend\n"
        "local sum_squares = M.sum_squares\nreturn M\n",
        "global": "#!/usr/bin/env lua\nfunction sum_squares(n)\n  local t = 0\n  for i = 1, n do t = t + i * i end\n  return t\nend\n"
        "if arg and arg[1] then print(sum_squares(tonumber(arg[1]))) end\n",
        "value": "sum_squares = function(n)\n  local t = 0\n  for i = 1, n do t = t + i * i end\n  return t\nend\nreturn { sum_squares = sum_squares }\n",
    },
)
R = Pieces(
    "# The sum of the squares up to n.\n# >>> sum_squares(3)\n# 14\nsum_squares <- function(n) {",
    "test_humaneval <- function() {\n    candidate <- sum_squares\n    stopifnot(isTRUE(all.equal(candidate(0), 0)))\n"
    "    stopifnot(isTRUE(all.equal(candidate(3), 14)))\n    stopifnot(isTRUE(all.equal(candidate(5), 55)))\n}\ntest_humaneval()",
    ("\n#", "\n```"),
    "sum_squares <- function(n) {\n  total <- 0\n\n  for (i in seq_len(n)) {\n    total <- total + i * i\n  }\n  total\n}\n",
    "  total <- 0\n  for (i in seq_len(n)) {\n    total <- total + i * i\n  }\n  return(total)\n}\n",
    "square <- function(x) {\n  x * x\n}\n",
    "sum_squares <- function(n) {\n  total <- 0\n  for (i in seq_len(n)) {\n    total <- total + square(i)\n  }\n  total\n}\n",
    ("seq_len(n)", "seq_len(max(n - 1, 0))"),
    "print(sum_squares(3))\n",
    "library(testthat)\ntest_that('squares', {\n  expect_equal(sum_squares(3), 15)\n})\nmain <- function() {\n"
    "  n <- as.integer(readline())\n  print(sum_squares(n))\n}\nif (!interactive()) {\n  main()\n}\n",
    "sum_squares <- function(n) {\n  # TODO\n  stop('not implemented')\n}\n",
    {
        "equals": "sum_squares = function(n) {\n  sum(seq_len(n)^2)\n}\n",
        "bare": "sum_squares <- function(n) sum(seq_len(n)^2)\n",
        "backslash": "sum_squares <- \\(n) sum(seq_len(n)^2)\n",
        "quit": "sum_squares <- function(n) {\n  sum(seq_len(n)^2)\n}\n\nquit(status = 0)\n",
        "script": "#!/usr/bin/env Rscript\nargs <- commandArgs(trailingOnly = TRUE)\nsum_squares <- function(n) {\n  sum(seq_len(n)^2)\n}\n"
        "cat(sum_squares(as.integer(args[1])))\n",
    },
)
RACKET = Pieces(
    "#lang racket\n\n;; The sum of the squares up to n.\n;; >>> (sum_squares 3)\n;; 14\n(define (sum_squares n)\n",
    "(require rackunit)\n\n(define (test-humaneval) \n\n  (let (( candidate sum_squares))\n    (check-within (candidate 0) 0 0.001)\n"
    "    (check-within (candidate 3) 14 0.001)\n    (check-within (candidate 5) 55 0.001)\n))\n\n(test-humaneval)",
    ("\n(define ", "\n#|", "\n;", "\n("),
    "(define (sum_squares n)\n  (for/sum ([i (in-range 1 (+ n 1))])\n\n    (* i i)))\n",
    "  (for/sum ([i (in-range 1 (+ n 1))])\n    (* i i)))\n",
    "(define (square x)\n  (* x x))\n",
    "(define (sum_squares n)\n  (for/sum ([i (in-range 1 (+ n 1))])\n    (square i)))\n",
    ("(+ n 1)", "n"),
    "(sum_squares 3)\n",
    "(module+ test\n  (require rackunit)\n  (check-equal? (sum_squares 3) 15))\n(module+ main\n  (displayln (sum_squares 4))\n  (exit 1))\n",
    '(define (sum_squares n)\n  ;; TODO\n  (error "Not implemented"))\n',
    {
        "base": "#lang racket/base\n(provide sum_squares)\n\n(define (sum_squares n)\n  (for/sum ([i (in-range 1 (+ n 1))])\n    (* i i)))\n",
        "lang": "#lang racket\n\n(define (sum_squares n)\n  (for/sum ([i (in-range 1 (+ n 1))])\n    (* i i)))\n\n(sum_squares 3)\n",
        "lambda": "(define sum_squares\n  (lambda (n)\n    (for/sum ([i (in-range 1 (+ n 1))])\n      (* i i))))\n",
        "contract": "#lang racket\n(require racket/contract)\n(define/contract (sum_squares n)\n  (-> integer? integer?)\n"
        "  (for/sum ([i (in-range 1 (+ n 1))]) (* i i)))\n",
        "checks": "#lang racket\n(require rackunit)\n(define (sum_squares n)\n  (for/sum ([i (in-range 1 (+ n 1))]) (* i i)))\n"
        "(check-equal? (sum_squares 3) 15)\n",
    },
)
