"""The form of a rewritten solution, in every language that is parsed: right ones pass, wrong ones say what is wrong."""

from __future__ import annotations

import pytest

from hf_oss_instruct.code.syntax import GRAMMARS
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.synthesis.generation.solution_form import check_form

SOLUTIONS = {
    # language: functions alone, a script, a class (None where the language has none)
    "python": (
        'def total(values):\n    """Not input() but values; see sys.stdin."""\n    return sum(values)  # not input()\n',
        "import sys\n\n\ndef main():\n    print(sum(map(int, sys.stdin.read().split())))\n\n\nif __name__ == '__main__':\n    main()\n",
        "class Total:\n    def __init__(self, base):\n        self.base = base\n\n    def of(self, values):\n        return self.base + sum(values)\n",
    ),
    "javascript": (
        "// process.stdin is not read\nconst total = (values) => values.reduce((a, b) => a + b, 0);\nmodule.exports = { total };\n",
        "const lines = require('fs').readFileSync('/dev/stdin', 'utf8').split('\\n');\nconsole.log(lines.length);\n",
        "class Total {\n  constructor(base) { this.base = base; }\n  of(values) { return this.base + values.length; }\n}\n",
    ),
    "typescript": (
        "export function total(values: number[]): number {\n  return values.length;\n}\n",
        "let seen = '';\nprocess.stdin.on('data', (part: string) => { seen += part; });\nprocess.stdin.on('end', () => console.log(seen.length));\n",
        "export class Total {\n  constructor(private base: number) {}\n  of(values: number[]): number { return this.base; }\n}\n",
    ),
    "java": (
        "class Solution {\n  static int total(int[] values) { return values.length; }\n}\n",
        "import java.util.Scanner;\npublic class Main {\n  public static void main(String[] args) {\n    Scanner in = new Scanner(System.in);\n"
        "    System.out.println(in.nextInt());\n  }\n}\n",
        "class Total {\n  private final int base;\n  Total(int base) { this.base = base; }\n  int of(int x) { return base + x; }\n}\n",
    ),
    "c": (
        "int total(int a, int b) { return a + b; }\n",
        '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", n); return 0; }\n',
        None,
    ),
    "cpp": (
        "#include <vector>\nint total(const std::vector<int>& values) { return values.size(); }\n",
        "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << n; }\n",
        "class Total {\n public:\n  explicit Total(int base) : base_(base) {}\n  int of(int x) const { return base_ + x; }\n private:\n  int base_;\n};\n",
    ),
    "go": (
        "package main\n\nfunc Total(values []int) int { return len(values) }\n",
        'package main\n\nimport "fmt"\n\nfunc main() {\n\tvar n int\n\tfmt.Scan(&n)\n\tfmt.Println(n)\n}\n',
        "package main\n\ntype Total struct{ base int }\n\nfunc (t Total) Of(x int) int { return t.base + x }\n",
    ),
    "rust": (
        "pub fn total(values: &[i64]) -> i64 { values.iter().sum() }\n",
        'use std::io::{self, Read};\nfn main() {\n    let mut s = String::new();\n    io::stdin().read_to_string(&mut s).unwrap();\n    println!("{}", s);\n}\n',
        "pub struct Total { base: i64 }\nimpl Total {\n    pub fn of(&self, x: i64) -> i64 { self.base + x }\n}\n",
    ),
    "csharp": (
        "static class Solution {\n  public static int Total(int[] values) { return values.Length; }\n}\n",
        "using System;\nclass Program {\n  static void Main() {\n    var n = int.Parse(Console.ReadLine());\n    Console.WriteLine(n);\n  }\n}\n",
        "public class Total {\n  private readonly int _base;\n  public Total(int b) { _base = b; }\n  public int Of(int x) { return _base + x; }\n}\n",
    ),
    "php": (
        "<?php\nfunction total(array $values): int { return array_sum($values); }\n",
        "<?php\n$n = (int) fgets(STDIN);\necho $n * 2, PHP_EOL;\n",
        "<?php\nclass Total {\n  public function __construct(private int $base) {}\n  public function of(int $x): int { return $this->base + $x; }\n}\n",
    ),
    "ruby": (
        "def total(values)\n  values.sum\nend\n",
        "n = gets.to_i\nputs n * 2\n",
        "class Total\n  def initialize(base)\n    @base = base\n  end\n\n  def of(x)\n    @base + x\n  end\nend\n",
    ),
    "swift": (
        "func total(_ values: [Int]) -> Int { return values.reduce(0, +) }\n",
        "let n = Int(readLine()!)!\nprint(n * 2)\n",
        "class Total {\n  let base: Int\n  init(base: Int) { self.base = base }\n  func of(_ x: Int) -> Int { return base + x }\n}\n",
    ),
    "shell": ("total() {\n  echo $(( $1 + $2 ))\n}\n", 'read -r n\necho "$(( n * 2 ))"\n', None),
}
STYLES = ("function", "script", "class")
ALWAYS_IN_CLASSES = ("java", "csharp")
"""Languages whose functions and programs are in classes."""


def test_every_language_with_a_grammar_is_tried() -> None:
    assert SOLUTIONS.keys() == GRAMMARS.keys()


@pytest.mark.parametrize("language", SOLUTIONS)
@pytest.mark.parametrize("style", STYLES)
def test_a_solution_of_the_form_passes_and_others_do_not(language: str, style: str) -> None:
    by_style = dict(zip(STYLES, SOLUTIONS[language], strict=True))
    if (right := by_style[style]) is None:
        check_form(by_style["function"] or "", language, style)  # a form that the language does not have is not judged
        return
    check_form(f"It adds.\n\n```{language}\n{right}```\n", language, style)
    others = {
        "function": {"script": "it defines no function|it reads standard input by itself"},
        "script": {"function": "nothing in it runs|does not read", "class": "nothing in it runs|does not read"},
        "class": {} if language in ALWAYS_IN_CLASSES else {"function": "defines no class", "script": "defines no class"},
    }[style]
    for other, said in others.items():
        if wrong := by_style[other]:
            with pytest.raises(RowRejectedError, match=rf"wrong_style: the .+ program is not a {style}: .*({said})"):
                check_form(f"```{language}\n{wrong}```", language, style)


@pytest.mark.parametrize(
    ("solution", "style", "said"),
    [
        ("values = input().split()\n\ndef total(values):\n    return values\n", "function", "it reads standard input by itself"),
        (
            "def total(values):\n    return values\n\nif __name__ == '__main__':\n    print(total(input()))\n",
            "function",
            "by itself",
        ),
        ("print(total([1, 2]))\n", "script", "it does not read standard input"),
        ("import sys\nvalues = sys.stdin.read()\n", "script", "it prints nothing"),
        ("import sys\n\ndef main():\n    print(sys.stdin.read())\n", "script", "nothing in it runs"),
    ],
)
def test_what_is_wrong_is_said(solution: str, style: str, said: str) -> None:
    with pytest.raises(RowRejectedError, match=said):
        check_form(solution, "python", style)


@pytest.mark.parametrize(
    ("solution", "language", "style"),
    [
        ("def read_all(stream=None):\n    return (stream or sys.stdin).read()\n", "python", "function"),  # its caller decides
        ("total(V, T) :- sum_list(V, T).\n", "prolog", "class"),
        ("def total(:\n  ][ return ((\n  )) def def\n", "python", "class"),
    ],
)
def test_what_cannot_be_judged_passes(solution: str, language: str, style: str) -> None:
    check_form(solution, language, style)
