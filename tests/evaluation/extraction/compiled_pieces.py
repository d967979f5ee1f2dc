"""The same problem in the languages that are compiled."""

from __future__ import annotations

from tests.evaluation.extraction.pieces import Pieces

_LOOP = "long t = 0; for (long i = 1; i <= n; i++) t += i * i; return t;"

GO = Pieces(
    'package sum_squares_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\n// The sum of the squares up to n.\n// >>> sum_squares(3)\n// 14\n'
    "func sum_squares(n int) int {\n",
    "func TestSum_Squares(t *testing.T) {\n  candidate := sum_squares\n\ttype test struct {\n\t\tactual   interface{}\n\t\texpected interface{}\n\t}\n"
    "   tests := []test{\n     { actual: candidate(0), expected: 0 },\n     { actual: candidate(3), expected: 14 },\n"
    "     { actual: candidate(5), expected: 55 },\n   }\n\n\tfor i, tc := range tests {\n"
    '\t\tt.Run(fmt.Sprintf("test num % d", i), func(t *testing.T) {\n'
    '\t\t\tif fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {\n'
    "\t\t\t\tt.Errorf(\"expected '%s', got '%s'\", tc.expected, tc.actual)\n\t\t\t}\n\t\t})\n\t}\n}\n",
    ("\nfunc", "struct", "\n// "),
    "func sum_squares(n int) int {\n\ttotal := 0\n\n\tfor i := 1; i <= n; i++ {\n\t\ttotal += i * i\n\t}\n\treturn total\n}\n",
    "\ttotal := 0\n\tfor i := 1; i <= n; i++ {\n\t\ttotal += i * i\n\t}\n\treturn total\n}\n",
    "func square(x int) int {\n\treturn x * x\n}\n",
    "func sum_squares(n int) int {\n\ttotal := 0\n\tfor i := 1; i <= n; i++ {\n\t\ttotal += square(i)\n\t}\n\treturn total\n}\n",
    ("<= n", "< n"),
    "fmt.Println(sum_squares(3))\n",
    'func TestSum_Squares(t *testing.T) {\n\tif sum_squares(3) != 15 {\n\t\tt.Error("bad")\n\t}\n}\n\nfunc main() {\n\tfmt.Println(sum_squares(3))\n}\n',
    'func sum_squares(n int) int {\n\t// TODO\n\tpanic("not implemented")\n}\n',
    {
        name: head
        + "func sum_squares(n int) int {\n\tt := 0\n\tfor i := 1; i <= n; i++ {\n\t\tt += i * i\n\t}\n"
        + extra
        + "\treturn t\n}\n"
        + tail
        for name, head, extra, tail in (
            ("package main", 'package main\n\nimport "fmt"\n\n', "", "\nfunc main() {\n\tfmt.Println(sum_squares(3))\n}\n"),
            ("own package", "package squares\n\n", "", ""),
            ("same package", "package sum_squares_test\n\n", "", ""),
            (
                "unused imports",
                'package main\n\nimport (\n\t"fmt"\n\t"os"\n\t"strings"\n)\n\n',
                "",
                "\nfunc main() {\n\tfmt.Println(os.Args)\n}\n",
            ),
            ("used import", 'package main\n\nimport (\n\t"math"\n)\n\n', "\tt = int(math.Round(float64(t)))\n", ""),
            ("named import", 'package x\n\nimport m "math"\n\n', "\tt = int(m.Round(float64(t)))\n", ""),
            ("only testing", 'package sum_squares_test\n\nimport "testing"\n\n', "", ""),
            (
                "type",
                "package main\n\ntype pair struct{ a, b int }\n\nfunc (p pair) sum() int { return p.a + p.b }\n\n",
                "\tt = pair{t, 0}.sum()\n",
                "",
            ),
        )
    },
)
_JAVA_HEAD = (
    "import java.util.*;\nimport java.lang.reflect.*;\nimport org.javatuples.*;\nimport java.security.*;\nimport java.math.*;\n"
    "import java.io.*;\nimport java.util.stream.*;\nclass Problem {\n"
)
_JAVA_FUNCTION = "public static long sumSquares(long n) { " + _LOOP + " }"
JAVA = Pieces(
    _JAVA_HEAD
    + "    // The sum of the squares up to n.\n    // >>> sumSquares((3l))\n    // (14l)\n    public static long sumSquares(long n) {\n",
    "    }\n    public static void main(String[] args) {\n    assert(sumSquares((0l)) == (0l));\n    assert(sumSquares((3l)) == (14l));\n"
    "    assert(sumSquares((5l)) == (55l));\n    }\n\n}\n",
    ("\n    }\n",),
    "public static long sumSquares(long n) {\n    long total = 0;\n\n    for (long i = 1; i <= n; i++) {\n        total += i * i;\n    }\n    return total;\n}\n",
    "        long total = 0;\n        for (long i = 1; i <= n; i++) {\n            total += i * i;\n        }\n        return total;\n    }\n",
    "static long square(long x) {\n    return x * x;\n}\n",
    "public static long sumSquares(long n) {\n    long total = 0;\n    for (long i = 1; i <= n; i++) total += square(i);\n    return total;\n}\n",
    ("<= n", "< n"),
    "System.out.println(sumSquares(3));\n",
    "public static void main(String[] args) {\n    System.out.println(sumSquares(3));\n    System.exit(1);\n}\n",
    'public static long sumSquares(long n) {\n    // TODO\n    throw new UnsupportedOperationException("Not implemented");\n}\n',
    {
        "class": f"public class Solution {{\n    {_JAVA_FUNCTION}\n}}\n",
        "own main": f"import java.util.*;\n\npublic class Main {{\n    {_JAVA_FUNCTION}\n\n    public static void main(String[] args) {{\n"
        "        System.out.println(sumSquares(3));\n    }\n}\n",
        "problem": f"{_JAVA_HEAD}    {_JAVA_FUNCTION}\n}}\n",
        "problem, open": f"{_JAVA_HEAD}    {_JAVA_FUNCTION}\n",
        "stray brace": f"{_JAVA_HEAD}    {_JAVA_FUNCTION}\n}}\n}}\n",
        "constructor": f"package com.example;\n\npublic final class Util {{\n    private Util() {{}}\n\n    {_JAVA_FUNCTION}\n}}\n",
        "record": "record Box(long v) {}\n\nclass Problem\n{\n    public static long sumSquares(long n)\n    {\n        long t = 0;\n"
        "        for (long i = 1; i <= n; i++) t += new Box(i * i).v();\n        return t;\n    }\n}\n",
        "second class": "public class Solution {\n    static long cube = 0;\n    public static long sumSquares(long n) { return Solution.of(n); }\n"
        f"    static long of(long n) {{ {_LOOP} }}\n}}\n\nclass Other {{\n    long v;\n    Other(long v) {{ this.v = v; }}\n}}\n",
        "instance": f"class Solution {{\n    public long sumSquares(long n) {{ {_LOOP} }}\n}}\n",
        "instance in problem": f"class Problem {{\n    private long sumSquares(long n) {{ {_LOOP} }}\n}}\n",
        "nested": f"public class Outer {{\n    static class Inner {{\n        {_JAVA_FUNCTION}\n    }}\n}}\n",
        "interface": f"interface Shape {{ long area(); }}\n\npublic class Solution {{\n    {_JAVA_FUNCTION}\n}}\n",
    },
    entry="sumSquares",
)
_CS_HEAD = (
    "using System;\nusing System.Numerics;\nusing System.Diagnostics;\nusing System.Collections.Generic;\nusing System.Linq;\nusing System.Text;\n"
    "using System.Security.Cryptography;\nclass Problem {\n"
)
_CS_FUNCTION = "public static long SumSquares(long n) { " + _LOOP + " }"
CSHARP = Pieces(
    _CS_HEAD
    + "    // The sum of the squares up to n.\n    // >>> SumSquares((3L))\n    // (14L)\n    public static long SumSquares(long n) {\n",
    "    }\n    public static void Main(string[] args) {\n    Debug.Assert(SumSquares((0L)) == (0L));\n    Debug.Assert(SumSquares((3L)) == (14L));\n"
    "    Debug.Assert(SumSquares((5L)) == (55L));\n    }\n\n}\n",
    ("\n    }\n",),
    "public static long SumSquares(long n) {\n    long total = 0;\n\n    for (long i = 1; i <= n; i++) {\n        total += i * i;\n    }\n    return total;\n}\n",
    "        long total = 0;\n        for (long i = 1; i <= n; i++) {\n            total += i * i;\n        }\n        return total;\n    }\n",
    "static long Square(long x) {\n    return x * x;\n}\n",
    "public static long SumSquares(long n) {\n    long total = 0;\n    for (long i = 1; i <= n; i++) total += Square(i);\n    return total;\n}\n",
    ("<= n", "< n"),
    "Console.WriteLine(SumSquares(3));\n",
    "public static void Main(string[] args) {\n    Console.WriteLine(SumSquares(3));\n    Environment.Exit(1);\n}\n",
    "public static long SumSquares(long n) {\n    // TODO\n    throw new NotImplementedException();\n}\n",
    {
        "class": f"public class Solution {{\n    {_CS_FUNCTION}\n}}\n",
        "allman": "class Problem\n{\n    public static long SumSquares(long n)\n    {\n        long t = 0;\n        for (long i = 1; i <= n; i++)\n"
        "        {\n            t += i * i;\n        }\n        return t;\n    }\n}\n",
        "namespace": "using System;\n\nnamespace Squares.Sums\n{\n    using System.Linq;\n\n    public static class Solution\n    {\n"
        f"        {_CS_FUNCTION}\n\n        public static void Main(string[] args)\n        {{\n            Console.WriteLine(SumSquares(3));\n"
        "        }\n    }\n}\n",
        "file namespace": f"namespace Squares;\n\npublic class Solution {{\n    {_CS_FUNCTION}\n}}\n",
        "more classes": f"class Box {{\n    public long V;\n    public Box(long v) {{ V = v; }}\n}}\n\nclass Program {{\n    {_CS_FUNCTION}\n"
        "    static void Main() { Console.WriteLine(new Box(SumSquares(2)).V); }\n}\n",
        "stray brace": f"{_CS_HEAD}    {_CS_FUNCTION}\n}}\n}}\n",
        "expression body": "class Solution {\n    public static long SumSquares(long n) => n <= 0 ? 0 : n * n + SumSquares(n - 1);\n}\n",
        "instance": f"class Solution {{\n    public long SumSquares(long n) {{ {_LOOP} }}\n}}\n",
    },
    entry="SumSquares",
)
CPP = Pieces(
    "#include<assert.h>\n#include<bits/stdc++.h>\n// The sum of the squares up to n.\n// >>> sum_squares((3))\n// (14)\nlong sum_squares(long n) {\n",
    "}\nint main() {\n    auto candidate = sum_squares;\n    assert(candidate((0)) == (0));\n    assert(candidate((3)) == (14));\n"
    "    assert(candidate((5)) == (55));\n}\n",
    ("\n}",),
    "long sum_squares(long n) {\n    long total = 0;\n\n    for (long i = 1; i <= n; i++) {\n        total += i * i;\n    }\n    return total;\n}\n",
    "    long total = 0;\n    for (long i = 1; i <= n; i++) {\n        total += i * i;\n    }\n    return total;\n}\n",
    "long square(long x) {\n    return x * x;\n}\n",
    "long sum_squares(long n) {\n    long total = 0;\n    for (long i = 1; i <= n; i++) total += square(i);\n    return total;\n}\n",
    ("<= n", "< n"),
    "std::cout << sum_squares(3);\n",
    "void test() {\n    assert(sum_squares(3) == 15);\n}\n\nint main() {\n    test();\n    std::cout << sum_squares(3);\n    return 0;\n}\n",
    'long sum_squares(long n) {\n    // TODO\n    throw std::logic_error("not implemented");\n}\n',
    {
        "using": f"#include <vector>\n#include <iostream>\nusing namespace std;\n\nlong sum_squares(long n) {{ {_LOOP} }}\n\nint main() {{ cout << 1; }}\n",
        "declared first": f"#include <string>\nlong sum_squares(long n);\nint main() {{ return sum_squares(2); }}\nlong sum_squares(long n) {{ {_LOOP} }}\n",
        "own header": f'#include "sum_squares.h"\nlong sum_squares(long n) {{ {_LOOP} }}\n',
        "namespace": f"namespace squares {{\nlong sum_squares(long n) {{ {_LOOP} }}\n}}\n",
        "class": f"class Solution {{\npublic:\n    long sum_squares(long n) const {{ {_LOOP} }}\n}};\n",
        "static method": f"struct Solution {{\n    static long sum_squares(long n) {{ {_LOOP} }}\n}};\n",
        "auto": "auto sum_squares = [](long n) { " + _LOOP + " };\n",
        "struct": "struct P { long a; };\ntypedef long ll;\n#define ONE 1\nlong sum_squares(long n) { ll t = 0; for (long i = ONE; i <= n; i++) "
        "{ P p{i}; t += p.a * p.a; } return t; }\n",
    },
)
RUST = Pieces(
    "/// The sum of the squares up to n.\n/// >>> sum_squares(3)\n/// 14\nfn sum_squares(n: isize) -> isize {\n",
    "}\n\nfn main() {\n    let candidate = sum_squares;\n    assert_eq!(candidate(0), 0);\n    assert_eq!(candidate(3), 14);\n"
    "    assert_eq!(candidate(5), 55);\n}\n",
    ("\n}",),
    "fn sum_squares(n: isize) -> isize {\n    let mut total = 0;\n\n    for i in 1..=n {\n        total += i * i;\n    }\n    total\n}\n",
    "    let mut total = 0;\n    for i in 1..=n {\n        total += i * i;\n    }\n    total\n}\n",
    "fn square(x: isize) -> isize {\n    x * x\n}\n",
    "fn sum_squares(n: isize) -> isize {\n    (1..=n).map(square).sum()\n}\n",
    ("1..=n", "1..n"),
    'println!("{}", sum_squares(3));\n',
    "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn it_sums() {\n        assert_eq!(sum_squares(3), 15);\n    }\n}\n\n"
    'fn main() {\n    println!("{}", sum_squares(3));\n    std::process::exit(1);\n}\n',
    "fn sum_squares(n: isize) -> isize {\n    todo!()\n}\n",
    {
        "pub": "#![allow(dead_code)]\nuse std::collections::{HashMap, HashSet};\n\n#[inline]\npub fn sum_squares(n: isize) -> isize {\n"
        "    let _m: HashMap<isize, HashSet<isize>> = HashMap::new();\n    (1..=n).map(|i| i * i).sum()\n}\n",
        "impl": "struct Solution;\n\nimpl Solution {\n    pub fn sum_squares(n: isize) -> isize {\n        (1..=n).map(|i| Self::square(i)).sum()\n    }\n"
        "    fn square(x: isize) -> isize { x * x }\n}\n",
        "impl alone": "impl Solution {\n    pub fn sum_squares(n: isize) -> isize {\n        (1..=n).map(|i| i * i).sum()\n    }\n}\n",
        "module": "pub mod squares {\n    pub fn sum_squares(n: isize) -> isize {\n        (1..=n).map(|i| i * i).sum()\n    }\n}\n",
    },
)
D = Pieces(
    "import std.math;\n/*\n The sum of the squares up to n.\n    >>> sum_squares(3L)\n    14L\n    \n*/\nlong sum_squares(long n) \n",
    "unittest\n{\n    alias candidate = sum_squares;\n\n    assert(candidate(0L) == 0L);\n    assert(candidate(3L) == 14L);\n"
    "    assert(candidate(5L) == 55L);\n}\nvoid main(){}",
    ("\n\n", "\nvoid", "\nbool", "\nint"),
    "long sum_squares(long n)\n{\n    long total = 0;\n\n    foreach (i; 1 .. n + 1)\n    {\n        total += i * i;\n    }\n    return total;\n}\n",
    "{\n    long total = 0;\n    foreach (i; 1 .. n + 1)\n    {\n        total += i * i;\n    }\n    return total;\n}\n",
    "long square(long x)\n{\n    return x * x;\n}\n",
    "long sum_squares(long n)\n{\n    long total = 0;\n    foreach (i; 1 .. n + 1)\n        total += square(i);\n    return total;\n}\n",
    ("n + 1", "n"),
    "writeln(sum_squares(3));\n",
    "unittest\n{\n    assert(sum_squares(3) == 15);\n}\n\nvoid main()\n{\n    import std.stdio;\n    writeln(sum_squares(3));\n}\n",
    "long sum_squares(long n)\n{\n    // TODO\n    return 0;\n}\n",
    {
        "module": "module squares;\n\nimport std.stdio;\nimport std.math;\n\nlong sum_squares(long n)\n{\n    long t = 0;\n    foreach (i; 1 .. n + 1)\n"
        "        t += i * i;\n    return t;\n}\n\nvoid main()\n{\n    writeln(sum_squares(3));\n}\n",
        "import list": "import std.algorithm, std.range;\n\nlong sum_squares(long n)\n{\n    return iota(1, n + 1).map!(i => i * i).sum;\n}\n",
        "attributes": "@safe pure long sum_squares(long n)\n{\n    long t = 0;\n    for (long i = 1; i < n + 1; i++)\n        t += i * i;\n    return t;\n}\n",
        "struct": "struct Box { long v; }\nlong sum_squares(long n)\n{\n    auto b = Box(0);\n    foreach (i; 1 .. n + 1)\n        b.v += i * i;\n"
        "    return b.v;\n}\n",
        "static method": "struct Solution\n{\n    static long sum_squares(long n)\n    {\n        long t = 0;\n        foreach (i; 1 .. n + 1)\n"
        "            t += i * i;\n        return t;\n    }\n}\n",
    },
)
