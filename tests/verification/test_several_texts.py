"""The tests of a verified row are read again as they were written: verifying a verified set gives the same rows."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from hf_oss_instruct.evaluation.preflight import why_unavailable
from hf_oss_instruct.verification.suites import LANGUAGES, read_suite
from hf_oss_instruct.verification.verify import VerificationOptions, verify_row
from tests.verification.corpus.test_corpus import CASES

PAIRS = {
    "python": (
        "def twice(x):\n    return 2 * x\n",
        "def test_two():\n    assert twice(2) == 4\n\ndef test_one():\n    assert twice(1) == 2\n",
    ),
    "javascript": (
        "function twice(x) { return 2 * x; }\n",
        "assert.strictEqual(twice(2), 4);\nassert.strictEqual(twice(1), 2);\n",
    ),
    "typescript": (
        "function twice(x: number): number { return 2 * x; }\n",
        "test('two', () => { expect(twice(2)).toBe(4); });\ntest('one', () => { expect(twice(1)).toBe(2); });\n",
    ),
    "cpp": ("int twice(int x) { return 2 * x; }\n", "int main() {\n  assert(twice(2) == 4);\n  assert(twice(1) == 2);\n}\n"),
    "go": (
        "package main\n\nfunc Twice(x int) int { return 2 * x }\n",
        'package main\n\nimport "testing"\n\nfunc TestTwo(t *testing.T) {\n\tif Twice(2) != 4 {\n\t\tt.Fatal("two")\n\t}\n}\n\n'
        'func TestOne(t *testing.T) {\n\tif Twice(1) != 2 {\n\t\tt.Fatal("one")\n\t}\n}\n',
    ),
    "rust": (
        "pub fn twice(x: i64) -> i64 { 2 * x }\n",
        "#[test]\nfn two() { assert_eq!(twice(2), 4); }\n\n#[test]\nfn one() { assert_eq!(twice(1), 2); }\n",
    ),
    "ruby": (
        "def twice(x)\n  2 * x\nend\n",
        "require 'minitest/autorun'\nclass TestTwice < Minitest::Test\n  def test_two\n    assert_equal 4, twice(2)\n  end\n\n"
        "  def test_one\n    assert_equal 2, twice(1)\n  end\nend\n",
    ),
    "shell": ('twice() { echo $((2 * $1)); }\n', '[ "$(twice 2)" = 4 ]\n[ "$(twice 1)" = 2 ]\n'),
    "java": (
        "class Sums { static int twice(int x) { return 2 * x; } }\n",
        "import static org.junit.jupiter.api.Assertions.*;\nimport org.junit.jupiter.api.Test;\n\nclass SumsTest {\n"
        "  int two() { return 2; }\n\n  @Test void two_doubles() { assertEquals(4, Sums.twice(two())); }\n\n"
        "  @Test void one_doubles() { assertEquals(2, Sums.twice(1)); }\n}\n",
    ),
    "php": (
        "<?php\nfunction twice($x) { return 2 * $x; }\n",
        "<?php\nclass TwiceTest extends TestCase {\n  private function two() { return 2; }\n"
        "  public function testTwo() { $this->assertSame(4, twice($this->two())); }\n"
        "  public function testOne() { $this->assertSame(2, twice(1)); }\n}\n",
    ),
    "csharp": (
        "public static class Sums { public static int Twice(int x) { return 2 * x; } }\n",
        "using NUnit.Framework;\n\n[TestFixture]\npublic class SumsTest {\n  int Two() { return 2; }\n"
        "  [Test] public void TwoDoubles() { Assert.AreEqual(4, Sums.Twice(Two())); }\n"
        "  [Test] public void OneDoubles() { Assert.AreEqual(2, Sums.Twice(1)); }\n}\n",
    ),
}  # fmt: skip
STATEMENTS = {
    "java": "int x = 2;\nassert Sums.twice(x) == 4;\nassert Sums.twice(1) == 2;\n",
    "php": "$x = 2;\nfunction eq($a, $b) { if ($a !== $b) throw new Error(); }\neq(twice($x), 4);\nassert(twice(1) === 2);\n",
    "csharp": "int x = 2;\nDebug.Assert(Sums.Twice(x) == 4);\nDebug.Assert(Sums.Twice(1) == 2);\n",
}


CHEAP = VerificationOptions(mutants=0, reruns=0, stubs=0)


def test_every_language_has_a_pair_here() -> None:
    assert set(PAIRS) == set(LANGUAGES)


@pytest.mark.parametrize("language", sorted(PAIRS))
def test_verifying_a_verified_row_again_gives_the_same_row(language: str) -> None:
    if trouble := why_unavailable(language):
        pytest.skip(trouble)
    solution, tests = PAIRS[language]
    options = VerificationOptions(mutants=1, reruns=1, stubs=1)
    first = verify_row([solution], tests, language, options)
    again = verify_row([solution], first.tests, language, options)
    assert first.status == "passed", first.detail
    assert len(first.tests) == 2
    assert again == first


def test_what_node_warns_of_names_no_process_in_a_row() -> None:
    solution = "const old = () => new Buffer(2).length;\n"
    assert verify_row([solution], "test('two', () => { expect(old()).toBe(2); });\n", "javascript", CHEAP).stderr_tail == ""


@pytest.mark.parametrize("language", sorted(STATEMENTS))
def test_each_statement_comes_with_what_it_needs(language: str) -> None:
    solution = PAIRS[language][0]
    once = read_suite(STATEMENTS[language], language, solution).standalone()
    assert len(once) == 2
    assert all("x = 2" in text for text in once)
    assert ["4" in text for text in once] == [True, False]
    assert read_suite(once, language, solution).standalone() == once


CALLED = {
    "python": "def run_tests():\n    assert twice(2) == 4\n\nrun_tests()\n",
    "javascript": "const assert = require('assert');\nfunction two() { assert.equal(twice(2), 4); }\n"
    "function one() { assert.equal(twice(1), 2); }\n"
    "two();\none();\n",
    "php": "<?php\n$failures = 0;\nfunction check($ok) { global $failures; if (!$ok) { $failures++; } }\ncheck(twice(2) === 4);\n"
    "check(twice(1) === 2);\nexit($failures > 0 ? 1 : 0);\n",
    "ruby": "RSpec.describe 'twice' do\n  let(:two) { 2 }\n  it('doubles two') { expect(twice(two)).to eq(4) }\n"
    "  it('doubles one') { expect(twice(1)).to eq(two) }\nend\n",
    "shell": 'failed=0\ncheck() { [ "$1" = "$2" ] || failed=$((failed + 1)); }\ncheck 4 "$(twice 2)"\ncheck 2 "$(twice 1)"\n'
    '[ "$failed" -eq 0 ] || exit 1\n',
    "cpp": "int failed = 0;\n#define CHECK_IT(it) if (!(it)) failed++\nint main() {\n  int two = 2;\n"
    "  CHECK_IT(twice(two) == 4);\n"
    "  CHECK_IT(twice(1) == 2);\n  return failed;\n}\n",
}  # fmt: skip
"""Tests that something else in their file calls, counts or prepares."""


@pytest.mark.parametrize("language", sorted(CALLED))
def test_single_tests_bring_what_calls_counts_or_prepares_them(language: str) -> None:
    if trouble := why_unavailable(language):
        pytest.skip(trouble)
    solution = PAIRS[language][0]
    first = verify_row([solution], CALLED[language], language, CHEAP)
    assert first.status == "passed", first.detail
    assert verify_row([solution], first.tests, language, CHEAP) == first
    wrong = verify_row([solution.replace("2 *", "3 *")], first.tests, language, CHEAP)
    assert not any(wrong.test_results)


@pytest.mark.long
@pytest.mark.parametrize("language", sorted(PAIRS))
def test_verifying_the_kept_rows_of_the_corpus_again_gives_the_same_rows(language: str) -> None:
    if trouble := why_unavailable(language):
        pytest.skip(trouble)
    changed = []  # what compilers say of types names lines, which are others
    for case in (case for case in CASES if case.language == language and case.status == "passed"):
        first = verify_row([case.solution], case.tests, language, CHEAP)
        again = verify_row([case.solution], first.tests, language, CHEAP)
        if replace(again, stderr_tail="") != replace(first, stderr_tail=""):
            changed.append(f"{case.name}: {again.status}, {again.detail}, {len(first.tests)} tests, then {len(again.tests)}")
    assert not changed, "\n".join(changed)


def test_the_modules_of_other_languages_are_not_imported() -> None:
    code = (
        "import sys\n"
        "from hf_oss_instruct.verification.suites import LANGUAGES, read_suite\n"
        "read_suite('assert f(1) == 2', 'python', 'def f(x):\\n    return x + 1\\n')\n"
        "print(*(name for name in set(LANGUAGES.values()) if f'hf_oss_instruct.verification.suites.{name}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "python"
