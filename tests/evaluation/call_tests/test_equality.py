"""What is equal to a language's own tests is equal outside: pairs are compared there and here, and nobody disagrees."""

# ruff: noqa: E501 (programs of other languages)

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hf_oss_instruct.errors import ToolchainMissingError
from hf_oss_instruct.evaluation import call_tests
from hf_oss_instruct.evaluation.call_tests.core import CallTests
from hf_oss_instruct.evaluation.call_tests.grading import is_right, printed
from hf_oss_instruct.evaluation.scoring.scoring import WHOLE_PROGRAM_LIMITS
from hf_oss_instruct.sandbox.run import run_program

NONCE = "cd" * 16


@dataclass(frozen=True)
class Pairs:
    """Pairs of expressions, and a program that prints 1 or 0 for each.

    Attributes:
        before: what the program begins with.
        line: what prints 1 if ANSWER is EXPECTED, else 0, each on a line.
        pairs: answer and expected value.
    """

    before: str
    line: str
    pairs: list[tuple[str, str]]


PAIRS = {
    "javascript": Pairs(
        "const assert = require('node:assert');\nconst equal = (a, b) => { try { assert.deepEqual(a, b); console.log(1); } catch { console.log(0); } };\n",
        "equal(ANSWER, EXPECTED);",
        [
            ("1", "'1'"),
            ("1", "' 1\\n'"),
            ("16", "'0x10'"),
            ("0", "''"),
            ("1", "'1x'"),
            ("1", "true"),
            ("'true'", "true"),
            ("null", "undefined"),
            ("null", "0"),
            ("[null]", "[undefined]"),
            ("NaN", "NaN"),
            ("NaN", "'NaN'"),
            ("-0", "0"),
            ("1n", "1"),
            ("[1n, '2']", "['1', 2]"),
            ("9007199254740993n", "9007199254740992"),
            ("Infinity", "'Infinity'"),
            ("1e21", "1000000000000000000000"),
            ("0.1 + 0.2", "0.3"),
            ("0.1 + 0.2", "0.30000000000000004"),
            ("[]", "{}"),
            ("{a: 1, b: 2}", "{b: 2, a: '1'}"),
            ("{a: undefined}", "{}"),
            ("[,]", "[undefined]"),
            ("Object.assign([1], {x: 1})", "[1]"),
            ("new (class { constructor() { this.a = 1; } })()", "{a: 1}"),
            ("new Map()", "{}"),
            ("new Number(1)", "1"),
            ("[[1, [2]]]", "[[1, [2]]]"),
            ("[[1, [2]]]", "[[1, 2]]"),
            ("'é'", "'é'"),
            ("'é'", "'e\\u0301'"),
            ("'a'", "['a']"),
            ("() => 1", "1"),
            ("Object.create({a: 1})", "{}"),
            ("Object.create(null)", "{}"),
        ],
    ),
    "ruby": Pairs(
        "require 'set'\n",
        "puts((EXPECTED) == (ANSWER) ? 1 : 0)",
        [
            ("1", "1.0"),
            ("[1, [2.0]]", "[1.0, [2]]"),
            ("Rational(1, 2)", "0.5"),
            ("Rational(4, 2)", "2"),
            ("'1'", "1"),
            ("nil", "false"),
            ("true", "1"),
            ("{'a' => 1, 'b' => 2}", "{'b' => 2.0, 'a' => 1}"),
            ("{1 => 2}", "{1.0 => 2}"),
            ("{}", "[]"),
            (":a", "'a'"),
            ("0.1 + 0.2", "0.3"),
            ("-0.0", "0"),
            ("Float::NAN", "0.0"),
            ("2**70", "1180591620717411303424"),
            ("2**70", "2.0**70"),
            ("2**70 + 1", "2.0**70"),
            ("Class.new(Array).new([1])", "[1]"),
            ("(1..2)", "[1, 2]"),
            ("'é'", '"\\u00e9"'),
            ('"a\\0b\\n"', '"a\\0b\\n"'),
            ("Object.new", "nil"),
        ],
    ),
    "php": Pairs(
        "<?php\n",
        'echo (ANSWER) === (EXPECTED) ? 1 : 0, "\\n";',
        [
            ("1", "1.0"),
            ("'1'", "1"),
            ("null", "false"),
            ("[1, 2]", "[0 => 1, 1 => 2]"),
            ("[1 => 2, 0 => 1]", "[1, 2]"),
            ("['a' => 1, 'b' => 2]", "['b' => 2, 'a' => 1]"),
            ("['a' => ['x' => 1, 'y' => 2]]", "['a' => ['y' => 2, 'x' => 1]]"),
            ("['1' => 'x']", "[1 => 'x']"),
            ("[]", "array()"),
            ("0.1 + 0.2", "0.3"),
            ("0.0", "-0.0"),
            ("NAN", "0.0"),
            ("INF", "1e999"),
            ("1e25", "10.0 ** 25"),
            ("1.0", "1.0"),
            ('"a\\0\\xff"', '"a\\0\\xff"'),
            ("new ArrayObject([1])", "[1]"),
            ("(function () { yield 1; })()", "[1]"),
            ("true", "true"),
        ],
    ),
    "perl": Pairs(
        "use Test::Deep;\n",
        'print eq_deeply(ANSWER, EXPECTED) ? 1 : 0, "\\n";',
        [
            ("1", "'1'"),
            ("1.0", "1"),
            ("'1.0'", "1"),
            ("0.1 + 0.2", "0.3"),
            ("1e15", "1000000000000000"),
            ("undef", "0"),
            ("undef", "''"),
            ("undef", "undef"),
            ("!!0", "''"),
            ("!!1", "1"),
            ("[1, [2, undef]]", "[1, [2, undef]]"),
            ("[1]", "[1, undef]"),
            ("[]", "{}"),
            ("{a => 1, b => [2]}", "{b => ['2'], a => 1}"),
            ("{a => 1}", "{a => 1, b => undef}"),
            ("bless([1], 'Own')", "[1]"),
            ("bless({}, 'Own')", "{}"),
            ("\\1", "1"),
            ("sub { 1 }", "1"),
            ('"\\x{263a}"', '"\\x{263a}"'),
            ('"\\xe9"', '"\\x{e9}"'),
            ('"\\xc3\\xa9"', '"\\x{e9}"'),
        ],
    ),
    "lua": Pairs(
        "local lu = require('luaunit')\n",
        "print(pcall(lu.assertEquals, (ANSWER), (EXPECTED)) and 1 or 0)",
        [
            ("1", "1.0"),
            ("'1'", "1"),
            ("nil", "false"),
            ("{}", "{nil}"),
            ("{1, 2}", "{[2] = 2, [1] = 1.0}"),
            ("{1, nil, 3}", "{[1] = 1, [3] = 3}"),
            ("{1, 2, x = 1}", "{1, 2}"),
            ("{[1.0] = 'a'}", "{'a'}"),
            ("{a = {b = 1}}", "{a = {b = 1}}"),
            ("{a = {b = 1}}", "{a = {b = 2}}"),
            ("0.1 + 0.2", "0.3"),
            ("1e15", "1000000000000000"),
            ("math.maxinteger", "9223372036854775807"),
            ("math.maxinteger + 0.0", "9223372036854775807"),
            ("1 / 0", "math.huge"),
            ("0 / 0", "0"),
            ("'a\\0\\xff'", "'a\\0\\xff'"),
            ("print", "nil"),
            ("{{}}", "{}"),
            ("true", "'true'"),
        ],
    ),
    "r": Pairs(
        "",
        "cat(if (isTRUE(all.equal(ANSWER, EXPECTED))) 1 else 0, '\\n')",
        [
            ("1L", "1"),
            ("1 + 1e-9", "1"),
            ("1 + 1e-7", "1"),
            ("c(1e10, 1 + 1e-6)", "c(1e10, 1)"),
            ("c(1, 1e-9)", "c(1, 0)"),
            ("c(1e-9)", "c(0)"),
            ("1e-9", "1e-10"),
            ("TRUE", "1"),
            ("'1'", "1"),
            ("NULL", "c()"),
            ("list()", "c()"),
            ("list()", "list()"),
            ("character(0)", "c()"),
            ("numeric(0)", "numeric(0)"),
            ("numeric(0)", "character(0)"),
            ("list(1, 2)", "c(1, 2)"),
            ("c(1, 2)", "list(1, 2)"),
            ("list(1L, 'a', list(TRUE))", "list(1, 'a', list(TRUE))"),
            ("list(a = 1)", "list(1)"),
            ("list(a = 1, b = 2)", "list('a' = 1, 'b' = 2)"),
            ("list(b = 2, a = 1)", "list('a' = 1, 'b' = 2)"),
            ("c(a = 1)", "c(1)"),
            ("c(x = 'a')", "c(x = 'a')"),
            ("c(1, NA)", "c(1, NA)"),
            ("c(1, NaN)", "c(1, NA)"),
            ("c(1, NA)", "c(1, 2)"),
            ("NA", "NA"),
            ("NA", "TRUE"),
            ("c('a', NA)", "c('a', NA)"),
            ("NA_character_", "'NA'"),
            ("Inf", "Inf"),
            ("Inf", "1"),
            ("-Inf", "Inf"),
            ("c(Inf, 1 + 1e-9)", "c(Inf, 1)"),
            ("factor('a')", "'a'"),
            ("matrix(1:2)", "c(1, 2)"),
            ("table(c('a', 'a'))", "list('a' = 2)"),
            ("list(NULL, 1)", "list(NULL, 1)"),
            ("list(1, NULL)", "list(1, c())"),
            ("'\u00e9'", "'\u00e9'"),
            ("structure(1, class = 'own')", "1"),
            ("sum", "1"),
            ("1i", "1"),
        ],
    ),
    "racket": Pairs(
        "#lang racket\n(require rackunit)\n(define (equal answer expected) (displayln (with-handlers ([exn:test:check? (lambda (e) 0)]) (parameterize ([current-check-handler raise]) (check-within answer expected 0.001) 1))))\n",
        "(equal ANSWER EXPECTED)",
        [
            ("1", "1.0"),
            ("1/3", "0.333"),
            ("1/3", "0.33"),
            ("1.001", "1"),
            ("1.0011", "1"),
            ('(list 1.0005 "a")', '(list 1 "a")'),
            ("#f", "'()"),
            ("#t", "1"),
            ("(vector 1)", "(list 1)"),
            ("'(1 . 2)", "(list 1 2)"),
            ("(list 1 (list 2))", "'(1 (2))"),
            ('(hash "a" 1)', '#hash(("a" . 1))'),
            ('(hash "b" 2 "a" 1.0)', '#hash(("a" . 1) ("b" . 2))'),
            ('(make-hash \'(("a" . 1)))', '#hash(("a" . 1))'),
            ("(hasheq 'a 1)", "#hash()"),
            ("(hasheq)", "#hash()"),
            ("(string #\\a)", '"a"'),
            ("'a", '"a"'),
            ("#\\a", '"a"'),
            ("(void)", "#f"),
            ("+inf.0", "+inf.0"),
            ("+nan.0", "1"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("1e30", "1000000000000000000000000000000"),
            ("(expt 2 100)", "1267650600228229401496703205376"),
            ("(expt 2 100)", "1267650600228229401496703205377"),
            ('"\u00e9"', '"\u00e9"'),
        ],
    ),
    "shell": Pairs(
        "",
        "if [[ ANSWER = EXPECTED ]]; then echo 1; else echo 0; fi",
        [
            ("$(echo a)", '"a"'),
            ("$(printf 'a\\n\\n')", '"a"'),
            ("$(printf ' a')", '"a"'),
            ("$(printf 'a b\\nc')", '"a b\nc"'),
            ("$(printf 'a\\\\nb')", '"a\\nb"'),
            ("$(printf '')", '""'),
            ("$(printf '*')", '"*"'),
            ("$(printf 'abc')", '"*"'),
            ("$(printf '\\303\\251')", '"\u00e9"'),
            ("$(printf '\\377\\001')", '"x"'),
            ('$(printf "it\'s \\$5 \\"x\\"")', '"it\'s \\$5 \\"x\\""'),
            ("$(printf '~#!')", '"~#!"'),
            ("$(printf '\\ta')", '"\ta"'),
        ],
    ),
}


@pytest.mark.parametrize("language", PAIRS)
def test_equality_is_that_of_the_language(language: str) -> None:
    case, rules = PAIRS[language], call_tests.LANGUAGES[language]
    lines = [case.line.replace("ANSWER", answer).replace("EXPECTED", expected) for answer, expected in case.pairs]
    both = [part for answer, expected in case.pairs for part in (f'"{answer}"' if language == "shell" else answer, expected)]
    try:
        there = run_program(case.before + "\n".join(lines) + "\n", language, limits=WHOLE_PROGRAM_LIMITS)
        here = run_program(
            rules.expected_program(CallTests("", (), tuple(both)), "", NONCE), language, limits=WHOLE_PROGRAM_LIMITS
        )
    except ToolchainMissingError as error:
        pytest.skip(str(error))
    assert (there.status, here.status) == ("ok", "ok"), (there.stderr, here.stderr)
    texts = [text or "" for text in printed(here, NONCE, len(both))]
    ours = [is_right(answer, expected, language) for answer, expected in zip(texts[::2], texts[1::2], strict=True)]
    theirs = [line.strip() == "1" for line in there.stdout.split()]
    assert len(theirs) == len(case.pairs)
    differ = [pair for pair, one, other in zip(case.pairs, ours, theirs, strict=True) if one != other]
    assert differ == []
    assert True in ours
    assert False in ours
