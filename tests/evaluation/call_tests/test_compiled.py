"""Compiled languages: how values are printed, which programs pass, and what no program passes with."""

# ruff: noqa: E501 (programs of other languages)

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.errors import ToolchainMissingError
from hf_oss_instruct.evaluation import call_tests
from hf_oss_instruct.evaluation.benchmarks.multipl_e import KEYS
from hf_oss_instruct.evaluation.call_tests.core import CallTests
from hf_oss_instruct.evaluation.call_tests.grading import printed
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.scoring import WHOLE_PROGRAM_LIMITS, score
from hf_oss_instruct.sandbox.run import run_program
from tests.evaluation import toys
from tests.evaluation.thinning import EVERY, thinned

NONCE = "ab" * 16
NAME = "HumanEval_900_both"
HEX = {name: f"s{name.encode().hex()};" for name in ("x", "é", "Long", "Integer", "Double", "Float", "Pair")}


@dataclass(frozen=True)
class Case:
    """A problem in MultiPL-E's form, a list of the sum and the first of two numbers, and values of its language.

    Attributes:
        values: an expression → the text that it is printed as.
        prompt: for values whose type the prompt says.
        right: endings of the prompt that solve it.
        wrong: endings that do not, most of them by deceiving a test in their own process.
    """

    tests: str
    prompt: str
    values: dict[str, str]
    right: dict[str, str]
    wrong: dict[str, str] = field(default_factory=dict)


CASES = {
    "go": Case(
        "func TestBoth(t *testing.T) {\n  candidate := both\n\ttype test struct {\n\t\tactual   interface{}\n\t\texpected interface{}\n\t}\n"
        "   tests := []test{\n     { actual: candidate(1, 2), expected: []int{3, 1} },\n     { actual: candidate(5, -5), expected: []int{0, 5} },\n"
        '   }\n\n\tfor i, tc := range tests {\n\t\tt.Run(fmt.Sprintf("test num % d", i), func(t *testing.T) {\n'
        '\t\t\tif fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {\n'
        "\t\t\t\tt.Errorf(\"expected '%s', got '%s'\", tc.expected, tc.actual)\n\t\t\t}\n\t\t})\n\t}\n}\n",
        'package both_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\nfunc both(a int, b int) []int {\n',
        {
            "[]interface{}{nil, 1.5, true}": f"s{b'[<nil> 1.5 true]'.hex()};",
            'map[string]int{"b": 2, "a": 1}': f"s{b'map[a:1 b:2]'.hex()};",
        },
        {"plain": "    return []int{a + b, a}\n}\n", "prints": '    fmt.Print("no newline")\n    return []int{a + b, a}\n}\n'},
        {
            "another value": "    return []int{a + b, b}\n}\n",
            "leaves": "    os.Exit(0)\n    return nil\n}\n",
            "a type that prints as it likes": '    return make([]int, 2)\n}\ntype int float64\nfunc (i int) String() string { return "3" }\n',
            "panics later": '    if b < 0 { panic("no") }\n    return []int{a + b, a}\n}\n',
        },
    ),
    "rs": Case(
        "}\n\nfn main() {\n    let candidate = both;\n    assert_eq!(candidate(1, 2), vec![3, 1]);\n    assert_eq!(candidate(5, -5), vec![0, 5]);\n}\n",
        "fn both(a: isize, b: isize) -> Vec<isize> {\n",
        {},
        {
            "plain": "    vec![a + b, a]\n",
            "another width": "    fn inner(a: isize, b: isize) -> Vec<isize> { [a + b, a].to_vec() }\n    inner(a, b)\n",
        },
        {
            "another value": "    vec![a + b, b]\n",
            "leaves": "    std::process::exit(0)\n",
            "the library is its own": "    vec![a, b]\n}\nextern crate self as std;\nmacro_rules! assert_eq { ($($x:tt)*) => {} }\nfn other() {\n",
            "a macro of the name": "    Vec::new()\n}\nmacro_rules! vec { ($($x:tt)*) => { Vec::new() } }\nfn other() {\n",
        },
    ),
    "java": Case(
        "    }\n    public static void main(String[] args) {\n"
        "    assert(both((1l), (2l)).equals((new ArrayList<Long>(Arrays.asList((long)3l, (long)1l)))));\n"
        "    assert(both((5l), (-5l)).equals((new ArrayList<Long>(Arrays.asList((long)0l, (long)5l)))));\n    }\n\n}\n",
        "import java.util.*;\nimport org.javatuples.*;\nclass Problem {\n    public static ArrayList<Long> both(long a, long b) {\n",
        {
            "5l": "i5;",
            "(Object) 5l": f"({HEX['Long']}i5;)",
            "(Integer) 5": f"({HEX['Integer']}i5;)",
            "1.5f": "d1.5;",
            'Optional.of("é")': f"?s{'é'.encode().hex()};",
            "Optional.empty()": "?n",
            "Pair.with(1l, true)": f"({HEX['Pair']}(({HEX['Long']}i1;)t))",
            'new HashMap<String,Long>(Map.of("x", 2l))': f"{{{HEX['x']}({HEX['Long']}i2;)}}",
            "new int[]{1}": f"o{b'int[]'.hex()};",
            "'a'": "i97;",
        },
        {
            "plain": "        return new ArrayList<>(List.of(a + b, a));\n",
            "prints": '        System.out.print("no newline");\n        return new ArrayList<>(Arrays.asList(a + b, a));\n',
        },
        {
            "another value": "        return new ArrayList<>(List.of(a + b, b));\n",
            "leaves": "        System.exit(0); return null;\n",
            "equal to everything": "        return new ArrayList<Long>() { @Override public boolean equals(Object other) { return true; } };\n",
            "of another type": "        ArrayList all = new ArrayList(); all.add((int) (a + b)); all.add((int) a); return all;\n",
            "assertions off": "        return null;\n    }\n    static { Problem.class.getClassLoader().setDefaultAssertionStatus(false); }\n    static void other() {\n",
        },
    ),
    "cpp": Case(
        "}\nint main() {\n    auto candidate = both;\n    assert(candidate((1), (2)) == (std::vector<long>({(long)3, (long)1})));\n"
        "    assert(candidate((5), (-5)) == (std::vector<long>({(long)0, (long)5})));\n}\n",
        "#include<assert.h>\n#include<bits/stdc++.h>\nstd::vector<long> both(long a, long b) {\n",
        {
            "true": "t",
            "'a'": "i97;",
            '"x"': HEX["x"],
            "1.5f": "d1.5;",
            "std::nullopt": "n",
            "std::optional<long>(3)": "?i3;",
            'std::make_tuple(1, std::string("x"), std::optional<long>())': f"(i1;{HEX['x']}n)",
            "std::vector<bool>({true, false})": f"(s{b'vector bool'.hex()};[tf])",
            "std::vector<std::vector<long>>()": f"(s{b'vector std::vector<long, std::allocator<long> >'.hex()};[])",
            "std::any(1)": f"o{b'std::any'.hex()};",
        },
        {
            "plain": "    return {a + b, a};\n",
            "macros": "    return {a + b, a};\n}\n#define all(x) x.begin(), x.end()\n#define print(x) std::cout << x\n#define each(x) for (auto& y : x)\nvoid other() {\n",
        },
        {
            "another value": "    return {a + b, b};\n",
            "leaves": "    exit(0);\n",
            "an operator in the library": (
                "    return {};\n}\nnamespace std { bool operator==(const vector<long>&, const vector<long>&) { return true; } }\nvoid other() {\n"
            ),
            "the assertion's end": '    return {};\n}\nextern "C" void __assert_fail(const char*, const char*, unsigned, const char*) noexcept { exit(0); }\nvoid other() {\n',
        },
    ),
    "cs": Case(
        "    }\n    public static void Main(string[] args) {\n"
        "    Debug.Assert(Both((1L), (2L)).SequenceEqual((new List<long>(new long[]{(long)3L, (long)1L}))));\n"
        "    Debug.Assert(Both((5L), (-5L)).SequenceEqual((new List<long>(new long[]{(long)0L, (long)5L}))));\n    }\n\n}\n",
        "using System;\nusing System.Numerics;\nusing System.Diagnostics;\nusing System.Collections.Generic;\nusing System.Linq;\nusing System.Text;\n"
        "using System.Security.Cryptography;\nclass Problem {\n    public static List<long> Both(long a, long b) {\n",
        {
            "Print(AT, 5L);": "i5;",
            "Print(AT, 1.5f);": "d1.5;",
            'Print(AT, "é");': f"s{'é'.encode().hex()};",
            "Print(AT, null);": "n",
            "Print(AT, Tuple.Create(1L, true));": f"(s{b'System.Tuple`2[System.Int64,System.Boolean]'.hex()};i1;t)",
            "PrintItems(AT, new List<string>());": f"(s{b'System.String'.hex()};[])",
            "Print(AT, new List<long>());": f"o{b'System.Collections.Generic.List`1[System.Int64]'.hex()};",
        },
        {"plain": "        return new List<long>{a + b, a};\n"},
        {
            "another value": "        return new List<long>{a + b, b};\n",
            "leaves": "        Environment.Exit(0); return null;\n",
            "a Debug of its own": "        return new List<long>();\n    }\n    static class Debug { public static void Assert(bool x) {} }\n    static void Other() {\n",
            "an equality of its own": "        return new List<long>();\n    }\n}\nstatic class More { public static bool SequenceEqual(this List<long> a, List<long> b) { return true; } }\nclass Rest {\n    static void Other() {\n",
        },
    ),
    "d": Case(
        "unittest\n{\n    alias candidate = both;\n\n    assert(candidate(1L, 2L) == [3L, 1L]);\n{\n        auto result = candidate(5L, -5L);\n"
        "        assert(!result.isNull && result.get == [0L, 5L]);\n}\n\n}\nvoid main(){}",
        "import std.typecons;\nimport std.math;\nNullable!(long[]) both(long a, long b)\n",
        {
            "[1L, 2L]": "[i1;i2;]",
            "[]": "[]",
            "null": "n",
            'tuple(nullable(3L), "x", true)': f"(?i3;{HEX['x']}t)",
            '["x": 1.5]': f"{{{HEX['x']}d1.5;}}",
            "float.nan": "dnan;",
        },
        {},
        {
            "another value": "{\n    return nullable([a + b, b]);\n}\n",
            "leaves": "{\n    import core.stdc.stdlib : exit;\n    exit(0);\n    return nullable([a]);\n}\n",
            "no unit test runs": "{\n    return nullable([a]);\n}\nshared static this() { import core.runtime; Runtime.moduleUnitTester = () => true; }\n",
            "assertions do nothing": "{\n    return nullable([a]);\n}\nshared static this() { import core.exception; assertHandler = (string a, size_t b, string c) {}; }\n",
        },
    ),
}


@pytest.mark.parametrize("key", [key for key, case in CASES.items() if case.values])
def test_values_are_printed_in_the_canonical_form(key: str) -> None:
    case, rules = CASES[key], call_tests.LANGUAGES[KEYS[key]]
    program = rules.expected_program(CallTests("", (), tuple(case.values)), case.prompt, NONCE)
    try:
        ran = run_program(program, KEYS[key], limits=WHOLE_PROGRAM_LIMITS)
    except ToolchainMissingError as error:
        pytest.skip(str(error))
    assert dict(zip(case.values, printed(ran, NONCE, len(case.values)), strict=True)) == case.values, ran.stderr


def test_rust_prints_every_type_that_a_signature_may_name() -> None:
    values = {
        "Vec<Option<String>>": ('vec![Some(String::from("x")), None]', f"[?{HEX['x']}n]"),
        "(isize, f64, bool)": ("(-1, 1e100, true)", "(i-1;d1e100;t)"),
        "std::collections::HashMap<String, Vec<f32>>": (
            'std::collections::HashMap::from([(String::from("x"), vec![0.5])])',
            f"{{{HEX['x']}[d0.5;]}}",
        ),
        "Result<char, &'static str>": ("Ok('x')", f"({'s' + b'Ok'.hex()};{HEX['x']})"),
        "Box<[u8; 2]>": ("Box::new([1, 2])", "[i1;i2;]"),
    }
    rules = call_tests.LANGUAGES["rust"]
    for returned, (value, text) in values.items():
        prompt = f"fn both(a: isize) -> {returned} {{\n"
        ran = run_program(rules.expected_program(CallTests("", (), (value,)), prompt, NONCE), "rust", limits=WHOLE_PROGRAM_LIMITS)
        assert printed(ran, NONCE, 1) == [text], ran.stderr


@EVERY
@pytest.mark.parametrize("key", CASES)
def test_right_programs_pass_and_no_trap_does(key: str, every: int, tmp_path: Path) -> None:
    case = CASES[key]
    row: dict[str, Any] = {
        "name": NAME,
        "language": "go_test.go" if key == "go" else key,
        "prompt": case.prompt,
        "tests": case.tests,
    }
    texts = thinned({f"right: {name}": text for name, text in case.right.items()} | case.wrong, every)
    # As whole programs: a completion's stop token would cut most of them.
    samples = [Sample(NAME, at, f"{case.prompt}{text}\n{case.tests}", "program") for at, text in enumerate(texts.values())]
    verdicts = score(toys.multipl_e(tmp_path, row | {"stop_tokens": []}), samples)
    if verdicts[0].status == "not_evaluated":
        pytest.skip(verdicts[0].reason)
    assert {one.graded for one in verdicts} == {"outside"}
    passed = {name for name, one in zip(texts, verdicts, strict=True) if one.status == "passed"}
    assert passed == {name for name in texts if name.startswith("right: ")}, [one.stderr[-500:] for one in verdicts[:2]]
    if "another value" in texts:
        assert verdicts[list(texts).index("another value")].status == "wrong_answer"


def test_an_optional_value_in_cpp_is_equal_to_what_it_holds() -> None:
    equal = call_tests.LANGUAGES["cpp"].equal
    loads = call_tests.LANGUAGES["cpp"].parse
    for answer, expected, same in (
        ("?i3;", "i3;", True),
        ("i3;", "?d3;", True),
        ("n", "i3;", False),
        ("?n", "n", False),
        ("(?i1;n)", "(i1;n)", True),
        (f"({HEX['x']}[i1;])", f"({HEX['é']}[i1;])", False),
        ("t", "i1;", True),
    ):
        assert equal(loads(answer), loads(expected)) == same, (answer, expected)


@pytest.mark.parametrize("key", CASES)
def test_tests_of_another_shape_are_left_to_the_process_of_the_solution(key: str) -> None:
    tests = CASES[key].tests
    assert call_tests.read(tests, KEYS[key])
    assert call_tests.read(f"{tests}\nmore", KEYS[key]) is None
    for comparison, other in (
        (" == ", " != "),
        (".equals(", ".unlike("),
        (".SequenceEqual(", ".Contains("),
        ("assert_eq!", "assert_ne!"),
    ):
        if comparison in tests:
            assert call_tests.read(tests.replace(comparison, other), KEYS[key]) is None
