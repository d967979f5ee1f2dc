"""The tests of a verified row are read again as they were written: verifying a verified set gives the same rows."""

from __future__ import annotations

import pytest

from hf_oss_instruct.evaluation.preflight import why_unavailable
from hf_oss_instruct.verification.suites import READ, read_suite
from hf_oss_instruct.verification.verify import Options, verify_row

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


def test_every_language_has_a_pair_here() -> None:
    assert set(PAIRS) == set(READ)


@pytest.mark.parametrize("language", sorted(PAIRS))
def test_verifying_a_verified_row_again_gives_the_same_row(language: str) -> None:
    if trouble := why_unavailable(language):
        pytest.skip(trouble)
    solution, tests = PAIRS[language]
    options = Options(mutants=1, reruns=1, stubs=1)
    first = verify_row([solution], tests, language, options)
    again = verify_row([solution], first.tests, language, options)
    assert first.status == "passed", first.detail
    assert len(first.tests) == 2
    assert again == first


@pytest.mark.parametrize("language", sorted(STATEMENTS))
def test_each_statement_comes_with_what_it_needs(language: str) -> None:
    solution = PAIRS[language][0]
    once = read_suite(STATEMENTS[language], language, solution).standalone()
    assert len(once) == 2
    assert all("x = 2" in text for text in once)
    assert ["4" in text for text in once] == [True, False]
    assert read_suite(once, language, solution).standalone() == once
