"""A small problem in each language whose programs are run here: a solution, and tests as people write them in that language."""

from __future__ import annotations

PROBLEMS: dict[str, tuple[str, str]] = {
    "c": (
        """int twice(int x) {
    return 2 * x;
}
""",
        """#include <assert.h>
int main(void) {
    assert(twice(2) == 4);
    return 0;
}
""",
    ),
    "cpp": (
        """#include <vector>
int total(const std::vector<int> &xs) {
    int sum = 0;
    for (int x : xs) sum += x;
    return sum;
}
""",
        """#include <gtest/gtest.h>
TEST(Total, Adds) { EXPECT_EQ(total({1, 2}), 3); }
TEST(Total, Empty) { EXPECT_EQ(total({}), 0); }
""",
    ),
    "csharp": (
        """public class Calc {
    public static int Twice(int x) { return 2 * x; }
}
""",
        """using NUnit.Framework;
[TestFixture]
public class CalcTests {
    [Test]
    public void Doubles() { Assert.AreEqual(4, Calc.Twice(2)); }
}
""",
    ),
    "d": (
        """int twice(int x) {
    return 2 * x;
}
""",
        """unittest {
    assert(twice(2) == 4);
}
void main() {
}
""",
    ),
    "go": (
        """package mathx

import "strings"

func Shout(s string) string {
    return strings.ToUpper(s)
}
""",
        """package mathx

import "testing"

func TestShout(t *testing.T) {
    if Shout("a") != "A" {
        t.Errorf("got %q", Shout("a"))
    }
}
""",
    ),
    "java": (
        """public class Calc {
    static int twice(int x) {
        return 2 * x;
    }
}
""",
        """import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.*;
class CalcTest {
    @Test
    void doubles() {
        assertEquals(4, Calc.twice(2));
    }
}
""",
    ),
    "javascript": (
        """function twice(x) {
  return 2 * x;
}
module.exports = { twice };
""",
        """const { twice } = require('./solution');
test('doubles', () => {
  expect(twice(2)).toBe(4);
});
""",
    ),
    "lua": (
        """local function twice(x)
    return 2 * x
end
""",
        """lu = require('luaunit')
function test_twice()
    local candidate = twice
    lu.assertEquals(candidate(2), 4)
end
os.exit(lu.LuaUnit.run())
""",
    ),
    "perl": (
        """sub twice {
    my ($x) = @_;
    return 2 * $x;
}
""",
        r"""use Test::Deep;

sub testit {
    my $candidate = \&twice;
    if (eq_deeply($candidate->(2), 4)) {
        print "ok!";
    } else {
        exit 1;
    }
}

testit();
""",
    ),
    "php": (
        """<?php
function twice(int $x): int {
    return 2 * $x;
}
""",
        r"""<?php
use PHPUnit\Framework\TestCase;
class TwiceTest extends TestCase {
    public function testDoubles(): void { $this->assertSame(4, twice(2)); }
}
""",
    ),
    "r": (
        """twice <- function(x) {
    2 * x
}
""",
        """test_twice <- function() {
    candidate <- twice
    if (!isTRUE(all.equal(4, candidate(2)))) {
        quit('no', 1)
    }
}
test_twice()
""",
    ),
    "racket": (
        """#lang racket
(define (twice x) (* 2 x))
""",
        """(require rackunit)

(define (test-twice)
  (let ((candidate twice))
    (check-within (candidate 2) 4 0.001)))

(test-twice)
""",
    ),
    "ruby": (
        """def twice(x)
  2 * x
end
""",
        """require 'minitest/autorun'
class TwiceTest < Minitest::Test
  def test_doubles
    assert_equal 4, twice(2)
  end
end
""",
    ),
    "rust": (
        """pub fn twice(x: i32) -> i32 {
    2 * x
}
""",
        """#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn doubles() {
        assert_eq!(twice(2), 4);
    }
}
""",
    ),
    "shell": (
        """twice() {
    echo $((2 * $1))
}
""",
        """#!/usr/bin/env bats
@test "doubles" {
  run twice 2
  [ "$output" = "4" ]
}
""",
    ),
    "typescript": (
        """export function twice(x: number): number {
  return 2 * x;
}
""",
        """import { twice } from './solution';
test('doubles', () => {
  expect(twice(2)).toBe(4);
});
""",
    ),
}
