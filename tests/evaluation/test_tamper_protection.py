"""Whatever a program redefines, the tests after it mean what they say: in each language a right program passes and no trap does."""

# ruff: noqa: E501 (programs of other languages)

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.evaluation.benchmarks.multipl_e import KEYS
from hf_oss_instruct.evaluation.preflight import why_unavailable
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.scoring import WHOLE_PROGRAM_LIMITS, score
from hf_oss_instruct.evaluation.tamper_protection import guarded
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program

from . import toys

NAME = "HumanEval_900_both"


@dataclass(frozen=True)
class Case:
    """A problem in MultiPL-E's form: a list of the sum and the first of two numbers."""

    prompt: str
    tests: str
    right: str
    wrong: str
    traps: dict[str, str]


CASES = {
    "lua": Case(
        "local function both(a, b)\n",
        "lu = require('luaunit')\n\nfunction test_humaneval()\nlocal candidate = both\n    lu.assertEquals(candidate(1, 2), {3, 1})\n"
        "    lu.assertEquals(candidate(5, -5), {0, 5})\nend\n\nos.exit(lu.LuaUnit.run())",
        "    return {a + b, a + 0.0}\nend\n",
        "    return {a + b}\nend\n",
        {
            "a module of its own": (
                "end\npackage.loaded['luaunit'] = {assertEquals = function() end, LuaUnit = {run = function() return 0 end}}\n"
            ),
            "patched": "end\nrequire('luaunit').assertEquals = function() end\n",
            "errors swallowed": "end\nerror = function() end\npcall = function() return true end\n",
            "no test is defined": "end\nsetmetatable(_G, {__newindex = function() end})\n",
            "equal to everything": "    return setmetatable({}, {__eq = function() return true end})\nend\n",
            "leaves": "end\nos.exit(0)\n",
        },
    ),
    "rb": Case(
        "def both(a, b)\n",
        "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_both\n    candidate = method(:both)\n"
        "    assert_equal([3, 1], candidate.call(1, 2))\n    assert_equal([0, 5], candidate.call(5, -5))\n  end\nend\n",
        "    [a + b, a.to_f]\nend\n",
        "    [a + b, b]\nend\n",
        {
            "patched": "end\nrequire 'test/unit'\nmodule Test::Unit::Assertions\n  def assert_equal(*a) end\nend\n",
            "equality": "end\n[Integer, Array, NilClass].each { |kind| kind.define_method(:==) { |other| true } }\n",
            "an array of its own": "    Class.new(Array) { def ==(other) true end }.new\nend\n",
            "nothing raises": "end\nmodule Kernel\n  def raise(*a) end\nend\nclass Exception\n  def self.new(*a) nil end\nend\n",
            "no test runs": "end\nrequire 'test/unit'\nTest::Unit::AutoRunner.need_auto_run = false\n",
            "leaves": "end\nexit!(0)\n",
        },
    ),
    "pl": Case(
        "sub both {\n    my($a, $b) = @_;\n",
        "use Test::Deep;\n\n\nsub testhumaneval {\n    my $candidate = \\&both;\n"
        '        if(eq_deeply($candidate->(1, 2),[3, 1])) {\n        print "ok!" }else{\n        exit 1;\n        }\n'
        '        if(eq_deeply($candidate->(5, -5),[0, 5])) {\n        print "ok!" }else{\n        exit 1;\n        }\n}\n\ntesthumaneval();',
        "    return [$a + $b, $a];\n}\n",
        "    return [$a + $b];\n}\n",
        {
            "equality": "}\n{no warnings; *main::eq_deeply = sub {1}; *Test::Deep::cmp_details = sub {1};}\n",
            "no exit": "}\nBEGIN { *CORE::GLOBAL::exit = sub {1} }\n",
            "the test replaced": "}\n{no warnings; *main::testhumaneval = sub {1};}\n",
            "an object of its own": "    return bless [], 'Same';\n}\n{ package Same; use overload 'eq' => sub {1}, '==' => sub {1}; }\n",
            "leaves": "}\nexit 0;\n",
        },
    ),
    "r": Case(
        "both <- function(a, b) {\n",
        "test_humaneval <- function() {\n    candidate <- both\n    stopifnot(isTRUE(all.equal(candidate(1, 2), list(3, 1))))\n"
        "    stopifnot(isTRUE(all.equal(candidate(5, -5), list(0, 5))))\n}\ntest_humaneval()",
        "    list(a + b, a)\n}\n",
        "    list(a + b, b)\n}\n",
        {
            "stopifnot": "}\nstopifnot <- function(...) NULL\n",
            "isTRUE": "}\nisTRUE <- function(...) TRUE\n",
            "all.equal": "}\nall.equal <- function(...) TRUE\n",
            "a method": "}\nall.equal.list <- function(...) TRUE\nall.equal.default <- function(...) TRUE\nall.equal.NULL <- function(...) TRUE\n",
            "leaves": "}\nquit(status = 0)\n",
        },
    ),
    "rkt": Case(
        "#lang racket\n\n(define (both a b)\n",
        "(require rackunit)\n\n(define (test-humaneval) \n\n  (let (( candidate both))\n"
        "    (check-within (candidate 1 2) (list 3 1) 0.001)\n    (check-within (candidate 5 -5) (list 0 5) 0.001)\n))\n\n(test-humaneval)",
        "  (list (+ a b) a))\n",
        "  (list (+ a b) b))\n",
        {
            "the check": "  7)\n(define-syntax-rule (check-within a b c) (void))\n",
            "let": "  7)\n(define-syntax-rule (let a b ...) (void))\n",
            "leaves": "  7)\n(exit 0)\n",
        },
    ),
    "rs": Case(
        "fn both(a: isize, b: isize) -> Vec<isize> {\n",
        "}\n\nfn main() {\n    let candidate = both;\n    assert_eq!(candidate(1, 2), vec![3, 1]);\n"
        "    assert_eq!(candidate(5, -5), vec![0, 5]);\n}\n",
        "    vec![a + b, a]\n",
        "    vec![a + b, b]\n",
        {
            "the macro": "    vec![a, b]\n}\nmacro_rules! assert_eq { ($($x:tt)*) => {} }\nfn other() {\n",
            "leaves": "    std::process::exit(0)\n",
        },
    ),
    "cpp": Case(
        "#include<assert.h>\n#include<bits/stdc++.h>\nstd::vector<std::string> both(long a, long b) {\n",
        "}\nint main() {\n    auto candidate = both;\n"
        '    assert(candidate((1), (2)) == (std::vector<std::string>({(std::string)"3", (std::string)"1"})));\n'
        '    assert(candidate((5), (-5)) == (std::vector<std::string>({(std::string)"0", (std::string)"5"})));\n}\n',
        "    return {std::to_string(a + b), std::to_string(a)};\n",
        "    return {std::to_string(a + b)};\n",
        {
            "an operator in the library": (
                "    return {};\n}\nnamespace std { bool operator==(const vector<string>&, const vector<string>&) { return true; } }\n"
                "void f() {\n"
            ),
            "the text's operator": (
                '    return {"x", "y"};\n}\nnamespace std { bool operator==(const string&, const string&) { return true; } }\nvoid f() {\n'
            ),
            "names of ours": "    return {};\n}\n#define same(...) true\n#define each(...) true\n#define sequence never\nvoid f() {\n",
        },
    ),
    "java": Case(
        "import java.util.*;\nclass Problem {\n    public static ArrayList<Long> both(long a, long b) {\n",
        "    }\n    public static void main(String[] args) {\n"
        "    assert(both((1l), (2l)).equals((new ArrayList<Long>(Arrays.asList((long)3l, (long)1l)))));\n"
        "    assert(both((5l), (-5l)).equals((new ArrayList<Long>(Arrays.asList((long)0l, (long)5l)))));\n    }\n\n}\n",
        "        return new ArrayList<>(List.of(a + b, a));\n",
        "        return new ArrayList<>(List.of(a + b, b));\n",
        {
            "equal to everything": (
                "        return new ArrayList<Long>() { @Override public boolean equals(Object other) { return true; } };\n"
            ),
        },
    ),
}


@pytest.mark.parametrize("key", CASES)
def test_a_right_program_passes_and_no_trap_does(key: str) -> None:
    case, language = CASES[key], KEYS[key]
    if trouble := why_unavailable(language):
        pytest.skip(trouble)
    found = {
        name: judge_program(*guarded(f"{case.prompt}{text}", case.tests, language), language, WHOLE_PROGRAM_LIMITS)
        for name, text in {"right": case.right, "wrong": case.wrong, **case.traps}.items()
    }
    assert {name for name, judged in found.items() if judged.status == "passed"} == {"right"}, found["right"]


def test_an_answer_of_two_types_is_compared_by_its_own_operator(tmp_path: Path) -> None:
    union = (
        "#include<assert.h>\n#include<bits/stdc++.h>\nunion Union_std_string_long{\n    std::string f0;\n    long f1;    "
        "Union_std_string_long(std::string _f0) : f0(_f0) {}\n    Union_std_string_long(long _f1) : f1(_f1) {}\n"
        "    ~Union_std_string_long() {}\n    bool operator==(std::string f) {\n        return f0 == f ;\n    }"
        "    bool operator==(long f) {\n        return f1 == f ;\n    }\n};\nUnion_std_string_long both(long a) {\n"
    )
    tests = (
        '}\nint main() {\n    auto candidate = both;\n    assert(candidate((7)) == "7");\n    assert(candidate((-5)) == -1);\n}\n'
    )
    row: dict[str, Any] = {"name": NAME, "language": "cpp", "prompt": union, "tests": tests, "stop_tokens": []}
    texts = (
        "    if (a < 0) return -1;\n    return std::to_string(a);\n",
        "    if (a < 0) return -1;\n    return std::string();\n",
    )
    verdicts = score(
        toys.multipl_e(tmp_path, row), [Sample(NAME, number, text, "completion") for number, text in enumerate(texts)]
    )
    if verdicts[0].status == "not_evaluated":
        pytest.skip(verdicts[0].reason)
    assert [one.status for one in verdicts] == ["passed", "wrong_answer"], verdicts[0].stderr


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("cpp", '    assert(candidate((1)) == ("x == y"));'),
        ("cpp", "    assert(candidate((1)) - 0.5 < 1e-4);"),
        ("java", '    assert(both(1).equals(("x.equals(y")));'),
    ],
)
def test_an_equality_that_cannot_be_told_apart_stays_as_it_is(language: str, line: str) -> None:
    program, tests = {
        "cpp": ("", f"int main() {{\n{line}\n}}\n"),
        "java": ("class Problem {\n", f"    void main() {{\n{line}\n    }}\n}}\n"),
    }[language]
    assert line in guarded(program, tests, language)[1].split("\n")
