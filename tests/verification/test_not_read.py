"""What a framework has and verification does not read is named before anything is compiled, and says nothing of the solution."""

from __future__ import annotations

import pytest

from hf_oss_instruct.verification.suites import SuiteRefusedError, read_suite

GO = """package files

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNothingIsWritten(t *testing.T) {
	Clean("out")
	%s
}
"""


def test_assertions_of_testify_that_are_not_read() -> None:
    tests = GO % 'assert.NoFileExistsf(t, "out", "left behind")'
    with pytest.raises(SuiteRefusedError, match="call 'NoFileExistsf' of testify") as refused:
        read_suite(tests, "go", "package files\n\nfunc Clean(path string) {}\n")
    assert refused.value.reason == "not_verifiable"


def test_a_method_of_the_solution_with_the_name_of_an_assertion() -> None:
    tests = GO % "assert.True(t, Rule{}.Never())"
    solution = "package files\n\ntype Rule struct{}\n\nfunc (Rule) Never() bool { return true }\n\nfunc Clean(path string) {}\n"
    suite = read_suite(tests, "go", solution)
    assert [test.name for test in suite.tests] == ["TestNothingIsWritten"]


CSHARP = """using NUnit.Framework;

[TestFixture]
public class SquareTests
{
    [Test]
    public void Squares(%s) { %s }
}
"""
SQUARE = "public static class Square { public static int Of(int x) { return x * x; } }"


@pytest.mark.parametrize(
    ("parameter", "assertion", "name"),
    [
        ("[Values(1, 2)] int x", "Assert.AreEqual(x * x, Square.Of(x));", "Values"),
        ("[Range(1, 3)] int x", "Assert.AreEqual(x * x, Square.Of(x));", "Range"),
        ("", "Assert.That(Square.Of(2), Is.GreaterThan(3).And.LessThan(5));", "And"),
    ],
)
def test_attributes_and_constraints_of_nunit_that_are_not_read(parameter: str, assertion: str, name: str) -> None:
    with pytest.raises(SuiteRefusedError, match=name) as refused:
        read_suite(CSHARP % (parameter, assertion), "csharp", SQUARE)
    assert refused.value.reason == "not_verifiable"
