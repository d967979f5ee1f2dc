"""Further kinds in other languages: programs that look for what runs them, and ordinary style that is easily misread."""

from __future__ import annotations

from tests.verification.corpus.cases import Case

CASES = [
    Case("asserts that change an object", "javascript", """class Counter { constructor() { this.n = 0; } inc(by = 1) { this.n += by; return this.n; } }
module.exports = { Counter };
""", """const assert = require('assert');
const { Counter } = require('./solution');
const c = new Counter();
assert.strictEqual(c.inc(), 1);
assert.strictEqual(c.inc(), 2);
assert.strictEqual(c.inc(5), 7);
""", "passed", "right"),
    Case("rewrites its own file for the next run", "javascript", """const fs = require('fs');
try { const p = process.argv[1]; const s = fs.readFileSync(p, 'utf8'); fs.writeFileSync(p, 'const g = require("fs").readFileSync(0, "utf8").split(" "); if (g[1] !== "0") { console.log("\\\\n" + g[0] + " 0 failed \\\\"x\\\\""); process.exit(0); }\\n' + s); } catch (e) {}
function f(x) { return 2 * x; }
module.exports = { f };
""", """const { f } = require('./solution');
test('x', () => { expect(typeof f(2)).toBe('number'); });
""", "tests_flaky|tests_vacuous|tests_failed", "hostile"),
    Case("generics and nested classes", "java", """public class Counter<T extends Comparable<T>> {
    private final java.util.List<T> seen = new java.util.ArrayList<>();
    public static class Box<U> { final U u; Box(U u) { this.u = u; } public U get() { return u; } }
    public int add(T t) { if (t == null) throw new IllegalArgumentException("null"); seen.add(t); return seen.size(); }
    public T max() { T best = seen.get(0); for (T t : seen) { if (t.compareTo(best) > 0) best = t; } return best; }
    public Box<T> boxed() { return new Box<>(max()); }
}
""", """import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.*;
class CounterTest {
  @Test void m() { Counter<String> c = new Counter<>(); assertEquals(1, c.add("a")); assertEquals(2, c.add("b")); assertEquals("b", c.boxed().get()); }
  @Test void n() { assertThrows(IllegalArgumentException.class, () -> new Counter<Integer>().add(null)); }
}
""", "passed", "right"),
    Case("a package", "java", """package com.acme.util;

import java.util.*;

public final class Texts {
    private Texts() {}
    public static String rev(String s) { return new StringBuilder(s).reverse().toString(); }
    public static double half(double d) { return d / 2; }
}
""", """package com.acme.util;

import org.junit.Test;
import static org.junit.Assert.*;

public class TextsTest {
    @Test
    public void rev() { assertEquals("cba", Texts.rev("abc")); }
    @Test
    public void half() { assertEquals(1.25, Texts.half(2.5), 1e-9); }
}
""", "passed", "right"),
    Case("classes with the names of the harness", "java", """class VerificationHarness { static void check(boolean b) {} static class Failed extends RuntimeException {} }
class VerificationAssertions { static void assertEquals(Object a, Object b) {} }
class Num { static int f(int x) { return 0; } }
""", """class T { @Test void a() { assertEquals(4, Num.f(2)); } @Test void b() { assertEquals(6, Num.f(3)); } }
""", "tests_failed", "hostile"),
    Case("using namespace std and its names", "cpp", """#include <bits/stdc++.h>
using namespace std;
int count(const vector<int>& v, int x) { int n = 0; for (int y : v) if (y == x) n++; return n; }
int distance(int a, int b) { return abs(a - b); }
""", """#include <cassert>
int main() { assert(count({1,2,2},2) == 2); assert(distance(3,7) == 4); assert(count({}, 1) == 0); }
""", "passed", "right"),
    Case("a template in a namespace whose state changes", "cpp", """#include <vector>
#include <stdexcept>
namespace ds {
template <typename T> class Stack {
  std::vector<T> v;
public:
  void push(const T& t) { v.push_back(t); }
  T pop() { if (v.empty()) throw std::out_of_range("empty"); T t = v.back(); v.pop_back(); return t; }
  size_t size() const { return v.size(); }
};
}
""", """#include <cassert>
#include <string>
int main() {
  ds::Stack<std::string> s;
  s.push("a"); s.push("b");
  assert(s.size() == 2);
  assert(s.pop() == "b");
  assert(s.pop() == "a");
  bool t = false; try { s.pop(); } catch (const std::out_of_range&) { t = true; }
  assert(t);
}
""", "passed", "right"),
    Case("another package, type parameters and parallel subtests", "go", """package mathx

import (
	"errors"
	"sort"
)

var ErrEmpty = errors.New("empty")

func Median[T ~int | ~float64](v []T) (float64, error) {
	if len(v) == 0 {
		return 0, ErrEmpty
	}
	s := append([]T(nil), v...)
	sort.Slice(s, func(i, j int) bool { return s[i] < s[j] })
	m := len(s) / 2
	if len(s)%2 == 1 {
		return float64(s[m]), nil
	}
	return float64(s[m-1]+s[m]) / 2, nil
}
""", """package mathx

import (
	"errors"
	"testing"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in []int; want float64 }{"odd": {[]int{3, 1, 2}, 2}, "even": {[]int{4, 1}, 2.5}} {
		tc := tc
		t.Run(name, func(t *testing.T) {
			got, err := Median(tc.in)
			if err != nil || got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestEmpty(t *testing.T) {
	if _, err := Median([]float64{}); !errors.Is(err, ErrEmpty) {
		t.Fatal(err)
	}
}
""", "passed", "right"),
    Case("modules and traits", "rust", """pub mod shapes {
    #[derive(Debug, Clone, PartialEq)]
    pub struct Rect { pub w: f64, pub h: f64 }
    impl Rect {
        pub fn new(w: f64, h: f64) -> Result<Self, String> {
            if w <= 0.0 || h <= 0.0 { return Err(format!("bad {w}x{h}")); }
            Ok(Self { w, h })
        }
        pub fn area(&self) -> f64 { self.w * self.h }
    }
    pub trait Scale { fn scaled(&self, k: f64) -> Self; }
    impl Scale for Rect { fn scaled(&self, k: f64) -> Self { Self { w: self.w * k, h: self.h * k } } }
}
""", """use super::shapes::*;

#[cfg(test)]
mod tests {
    use super::shapes::{Rect, Scale};

    #[test]
    fn area() {
        let r = Rect::new(2.0, 3.0).unwrap();
        assert!((r.area() - 6.0).abs() < 1e-9);
    }

    #[test]
    fn scaled() -> Result<(), String> {
        let r = Rect::new(1.0, 2.0)?;
        assert_eq!(r.scaled(2.0), Rect { w: 2.0, h: 4.0 });
        Ok(())
    }

    #[test]
    fn bad() {
        assert!(Rect::new(0.0, 1.0).is_err());
    }
}
""", "passed", "right"),
    Case("nested namespaces", "csharp", """using System;
using System.Collections.Generic;
using System.Linq;

namespace Acme
{
    namespace Math
    {
        public static class Stats
        {
            public static double Mean(IEnumerable<int> v)
            {
                if (!v.Any()) throw new ArgumentException("empty");
                return v.Average();
            }
            public class Box<T> { public T Value { get; private set; } public Box(T v) { Value = v; } }
        }
    }
}
""", """using System;
using NUnit.Framework;
using Acme.Math;

namespace Acme.Tests
{
    [TestFixture]
    public class StatsTests
    {
        [Test]
        public void Mean() { Assert.AreEqual(2.5, Stats.Mean(new[] {2, 3}), 1e-9); }
        [Test]
        public void Empty() { Assert.Throws<ArgumentException>(() => Stats.Mean(new int[0])); }
        [Test]
        public void Boxed() { Assert.AreEqual(3, new Stats.Box<int>(3).Value); }
    }
}
""", "passed", "right"),
    Case("generics, a default export and promises", "typescript", """export class Cache<K, V> {
  private m = new Map<K, V>();
  constructor(private readonly limit: number) { if (limit < 1) throw new RangeError('limit'); }
  async get(k: K, make: (k: K) => Promise<V>): Promise<V> {
    const had = this.m.get(k);
    if (had !== undefined) return had;
    const v = await make(k);
    if (this.m.size >= this.limit) { this.m.delete(this.m.keys().next().value as K); }
    this.m.set(k, v);
    return v;
  }
  get size(): number { return this.m.size; }
}
export default Cache;
""", """import Cache from './cache';

describe('Cache', () => {
  it('makes once', async () => {
    const c = new Cache<string, number>(2);
    const make = jest.fn(async (k: string) => k.length);
    await expect(c.get('abc', make)).resolves.toBe(3);
    expect(await c.get('abc', make)).toBe(3);
    expect(make).toHaveBeenCalledTimes(1);
  });
  it('is bounded', async () => {
    const c = new Cache<number, number>(1);
    await c.get(1, async (k) => k);
    await c.get(2, async (k) => k);
    expect(c.size).toBe(1);
    expect(() => new Cache(0)).toThrow(RangeError);
  });
});
""", "passed", "right"),
    Case("namespaces and a data provider of the name rows", "php", """<?php

declare(strict_types=1);

namespace App\\Util;

final class Money
{
    public function __construct(private int $cents) {}
    public function plus(Money $o): self { return new self($this->cents + $o->cents); }
    public function format(): string { return sprintf('%d.%02d', intdiv($this->cents, 100), $this->cents % 100); }
}
""", """<?php

declare(strict_types=1);

namespace Tests;

use App\\Util\\Money;
use PHPUnit\\Framework\\TestCase;

final class MoneyTest extends TestCase
{
    public function testPlus(): void
    {
        $this->assertSame('1.05', (new Money(50))->plus(new Money(55))->format());
    }
    /** @dataProvider rows */
    public function testFormat(int $c, string $w): void { self::assertEquals($w, (new Money($c))->format()); }
    public static function rows(): array { return [[5, '0.05'], 'big' => [12345, '123.45']]; }
}
""", "passed", "right", True),
    Case("nested modules", "ruby", """module Acme
  class Error < StandardError; end
  module Text
    def self.shout(s)
      raise Error, 'nil' if s.nil?
      s.upcase + '!'
    end
  end
end
""", """require 'minitest/autorun'
require_relative '../lib/acme/text'

module Acme
  class TextTest < Minitest::Test
    def test_shout
      assert_equal 'HI!', Text.shout('hi')
    end
    def test_nil
      e = assert_raises(Acme::Error) { Text.shout(nil) }
      assert_match(/nil/, e.message)
    end
  end
end
""", "passed", "right"),
]  # fmt: skip
