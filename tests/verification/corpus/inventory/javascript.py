"""JavaScript: an inventory, a median and a parser, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = """
class OutOfStockError extends Error {
  constructor(message) {
    super(message);
    this.name = 'OutOfStockError';
  }
}

class Inventory {
  constructor(counts = {}) {
    this.counts = { ...counts };
  }

  add(name, count = 1) {
    if (count <= 0) throw new RangeError(`count must be positive, got ${count}`);
    this.counts[name] = (this.counts[name] || 0) + count;
    return this;
  }

  remove(name, count = 1) {
    const have = this.counts[name] || 0;
    if (count > have) throw new OutOfStockError(`only ${have} of ${name}`);
    this.counts[name] = have - count;
    return this.counts[name];
  }

  get total() {
    return Object.values(this.counts).reduce((sum, one) => sum + one, 0);
  }

  has(name) {
    return (this.counts[name] || 0) > 0;
  }
}

function median(values) {
  if (values.length === 0) return null;
  const ordered = [...values].sort((a, b) => a - b);
  const middle = Math.floor(ordered.length / 2);
  if (ordered.length % 2 === 1) return ordered[middle];
  return (ordered[middle - 1] + ordered[middle]) / 2;
}

function parsePairs(text) {
  const found = {};
  for (const part of text.split(';').filter(Boolean)) {
    const match = /^\\s*(\\w+)\\s*=\\s*(-?\\d+)\\s*$/.exec(part);
    if (!match) throw new SyntaxError(`bad pair: ${part}`);
    found[match[1]] = Number(match[2]);
  }
  return found;
}

async function delayed(value, ms = 1) {
  if (value === undefined) throw new TypeError('no value');
  await new Promise((done) => setTimeout(done, ms));
  return value;
}

module.exports = { Inventory, OutOfStockError, median, parsePairs, delayed };
"""
WRONG = {
    "the last one cannot be removed": ("if (count > have", "if (count >= have"),
    "upper median": ("(ordered[middle - 1] + ordered[middle]) / 2", "ordered[middle]"),
    "no negative numbers": ("(-?\\d+)", "(\\d+)"),
}
FULL = {
    "jest": """
const { Inventory, OutOfStockError, median, parsePairs, delayed } = require('../src/inventory');

describe('Inventory', () => {
  let inventory;

  beforeEach(() => {
    inventory = new Inventory({ apple: 3 });
  });

  afterEach(() => {
    jest.clearAllMocks();
  });

  describe('remove()', () => {
    it('should remove all', () => {
      expect(inventory.remove('apple', 3)).toBe(0);
      expect(inventory.has('apple')).toBe(false);
      expect(inventory).toHaveProperty('counts.apple', 0);
    });

    it('should throw when there is too little', () => {
      expect(() => inventory.remove('apple', 4)).toThrow(OutOfStockError);
      expect(() => inventory.remove('apple', 4)).toThrow('only 3 of apple');
      expect(() => inventory.remove('apple', 4)).toThrowError(/only 3/);
    });
  });

  test('add is chainable', () => {
    expect(inventory.add('pear').add('pear', 2).counts).toEqual({ apple: 3, pear: 3 });
    expect(inventory.counts).toMatchObject({ pear: 3 });
  });
});

describe('median', () => {
  test.each([
    [[1, 2], 1.5],
    [[3, 1, 2], 2],
    [[], null],
  ])('median(%p) is %p', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test('close', () => {
    expect(median([0.1, 0.2])).toBeCloseTo(0.15, 5);
    expect(median([])).toBeNull();
    expect(median([1])).not.toBeNaN();
  });
});

describe('parsePairs', () => {
  it('parses', () => {
    expect(parsePairs('a=1;b=-2')).toStrictEqual({ a: 1, b: -2 });
    expect(Object.keys(parsePairs('x=1'))).toHaveLength(1);
    expect(parsePairs('x=1;y=2')).toEqual(expect.objectContaining({ y: 2 }));
  });
});

describe('delayed', () => {
  it('resolves', async () => {
    await expect(delayed(7)).resolves.toBe(7);
    const spy = jest.fn((x) => x + 1);
    expect([1, 2].map((x) => spy(x))).toEqual([2, 3]);
    expect(spy).toHaveBeenCalledTimes(2);
  });

  it('rejects', () => {
    return expect(delayed()).rejects.toThrow(TypeError);
  });

  it('done', (done) => {
    delayed('x').then((value) => {
      expect(value).toBe('x');
      done();
    });
  });
});
""",
    "node:test with assert/strict": """
const { test, describe, it, beforeEach } = require('node:test');
const assert = require('node:assert/strict');
const { Inventory, OutOfStockError, median, parsePairs } = require('./inventory.js');

describe('Inventory', () => {
  let inv;
  beforeEach(() => { inv = new Inventory({ a: 1 }); });

  it('removes the last', () => {
    assert.equal(inv.remove('a'), 0);
    assert.deepEqual(inv.counts, { a: 0 });
  });

  it('throws', () => {
    assert.throws(() => inv.remove('zzz'), { name: 'OutOfStockError', message: 'only 0 of zzz' });
    assert.throws(() => inv.add('a', -1), RangeError);
  });
});

test('median', async (t) => {
  await t.test('even', () => {
    assert.strictEqual(median([4, 1, 3, 2]), 2.5);
  });
  await t.test('odd', () => {
    assert.strictEqual(median([5]), 5);
  });
});

test('pairs', () => {
  assert.deepStrictEqual(parsePairs('n=-4'), { n: -4 });
  assert.ok(!('m' in parsePairs('n=1')));
});
""",
    "plain asserts with state": """
const assert = require('assert');
const { Inventory, median, parsePairs } = require('./solution');

// Test 1: state
const inv = new Inventory();
inv.add('bolt', 5);
assert.strictEqual(inv.total, 5, 'total');
const left = inv.remove('bolt', 5);
assert.strictEqual(left, 0);
assert(!inv.has('bolt'));

// Test 2: medians
assert.strictEqual(median([2, 1]), 1.5);
assert.strictEqual(median([]), null);

// Test 3: pairs
const result = parsePairs('k=-9');
assert.deepStrictEqual(result, { k: -9 });

console.log('All tests passed!');
""",
    "try and catch blocks": """
const { Inventory, median, parsePairs } = require('./your_module');
const assert = require('assert');

try {
  const inv = new Inventory({ x: 2 });
  assert.strictEqual(inv.remove('x', 2), 0);
  assert.strictEqual(median([3, 4]), 3.5);
  assert.deepStrictEqual(parsePairs('a=-1'), { a: -1 });
  console.log('passed');
} catch (error) {
  console.error('failed', error.message);
  process.exit(1);
}
""",
    "functions by name in a list": """
const assert = require('assert');

function testRemove() {
  const inv = new Inventory({ x: 1 });
  assert.strictEqual(inv.remove('x'), 0);
}

function testMedian() {
  assert.strictEqual(median([1, 2, 3, 4]), 2.5);
}

function testPairs() {
  assert.deepStrictEqual(parsePairs('a=-3;b=1'), { a: -3, b: 1 });
}

testRemove();
testMedian();
testPairs();
console.log('ok');
""",
    "an async main": """
import assert from 'node:assert';
import { Inventory, median, parsePairs, delayed } from './solution.mjs';

async function main() {
  assert.strictEqual(await delayed(5), 5);
  await assert.rejects(delayed(), TypeError);
  const inv = new Inventory({ x: 1 });
  assert.strictEqual(inv.remove('x'), 0);
  assert.strictEqual(median([1, 2]), 1.5);
  assert.deepStrictEqual(parsePairs('a=-3'), { a: -3 });
}

main();
""",
    "a table and a loop": """
const assert = require('assert');
const cases = [
  { input: [1, 2], want: 1.5 },
  { input: [9, 7, 8], want: 8 },
];

for (const { input, want } of cases) {
  assert.strictEqual(median(input), want, `median(${input})`);
}

[['a=-1', { a: -1 }], ['', {}]].forEach(([text, want]) => {
  assert.deepStrictEqual(parsePairs(text), want);
});

const inv = new Inventory({ a: 1 });
if (inv.remove('a') !== 0) {
  throw new Error('remove');
}
""",
    "mocha with chai": """
const chai = require('chai');
const expect = chai.expect;
const { Inventory, OutOfStockError, median, parsePairs } = require('../inventory');

describe('Inventory', function () {
  beforeEach(function () {
    this.inv = new Inventory({ a: 1 });
  });
  it('removes', function () {
    expect(this.inv.remove('a')).to.equal(0);
    expect(this.inv.counts).to.deep.equal({ a: 0 });
    expect(this.inv.has('a')).to.be.false;
    expect(() => this.inv.remove('a')).to.throw(OutOfStockError, /only 0/);
  });
});
describe('functions', () => {
  it('median', () => {
    expect(median([1, 2])).to.be.closeTo(1.5, 0.001);
    expect(median([])).to.be.null;
  });
  it('pairs', () => {
    expect(parsePairs('a=-1;b=2')).to.eql({ a: -1, b: 2 });
    expect(parsePairs('a=-1')).to.have.property('a', -1);
    expect(Object.keys(parsePairs('a=1;b=2'))).to.have.lengthOf(2).and.include('b');
  });
});
""",
    "console.assert": """
const inv = new Inventory({ a: 2 });
console.assert(inv.remove('a', 2) === 0, 'remove');
console.assert(median([1, 4]) === 2.5, 'median');
console.assert(JSON.stringify(parsePairs('z=-1')) === '{"z":-1}', 'pairs');
""",
    "an assertEquals of their own": """
function assertEquals(actual, expected, name) {
  const a = JSON.stringify(actual);
  const e = JSON.stringify(expected);
  if (a !== e) {
    throw new Error(`${name}: expected ${e}, got ${a}`);
  }
  console.log(`ok ${name}`);
}

assertEquals(median([1, 2]), 1.5, 'median');
assertEquals(parsePairs('a=-1'), { a: -1 }, 'pairs');
assertEquals(new Inventory({ a: 1 }).remove('a'), 0, 'remove');
""",
    "failures that are counted": """
let passed = 0;
let failed = 0;
function check(name, condition) {
  if (condition) {
    passed++;
  } else {
    failed++;
    console.error(`FAIL ${name}`);
  }
}

check('median', median([1, 2]) === 1.5);
check('pairs', parsePairs('a=-1').a === -1);
check('remove', new Inventory({ a: 1 }).remove('a') === 0);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exit(1);
""",
    "vitest with each": """
import { describe, expect, it, test } from 'vitest';
import { Inventory, median, parsePairs } from '@/inventory';

describe.each([
  { values: [1, 2], want: 1.5 },
  { values: [5], want: 5 },
])('median($values)', ({ values, want }) => {
  test(`is ${want}`, () => {
    expect(median(values)).toEqual(want);
  });
});

it('handles the rest', () => {
  expect.assertions(2);
  expect(parsePairs('q=-8').q).toBeLessThan(0);
  expect(new Inventory({ a: 1 }).remove('a')).toBeFalsy();
});
""",
}
VACUOUS = {
    "looks at methods": "test('x', () => { expect(typeof median).toBe('function'); expect(new Inventory()).toBeInstanceOf(Inventory); });\n",
    "truthy or falsy": "test('x', () => { const v = median([1, 2]); expect(!!v || !v).toBe(true); });\n",
    "throws nothing": "test('x', () => { expect(() => median([1, 2])).not.toThrow(); });\n",
    "two calls": "test('x', () => { expect(median([1, 2])).toBe(median([2, 1])); });\n",
    "expect without matcher": "test('x', () => { expect(median([1, 2])); });\n",
    "mocked": "test('x', () => { const median = jest.fn(() => 1.5); expect(median([1, 2])).toBe(1.5); });\n",
    "assertion in a callback that is not run": "test('x', () => { [].forEach((v) => expect(median(v)).toBe(1)); });\n",
    "a promise that nobody waits for": "test('x', () => { delayed(1).then((v) => { expect(v).toBe(2); }); });\n",
    "all is skipped": "describe.skip('x', () => { test('y', () => { expect(median([1, 2])).toBe(1.5); }); });\n",
    "todo": "test.todo('median');\n",
    "caught by catch": "test('x', async () => { try { expect(await delayed(3)).toBe(4); } catch (e) { console.log(e); } });\n",
    "assert.ok of an object": "const assert = require('assert');\nassert.ok([median([1, 2]) === 9]);\nassert.ok({ v: parsePairs('a=1') });\n",
    "compares a copy": "const median2 = (v) => (v[0] + v[1]) / 2;\ntest('x', () => { expect(median2([1, 2])).toBe(1.5); });\n",
}
