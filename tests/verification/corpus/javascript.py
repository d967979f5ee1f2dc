from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """function clamp(x, low = 0, high = 10) {
  if (low > high) throw new RangeError("low > high");
  if (x < low) return low;
  if (x > high) return high;
  return x;
}
module.exports = { clamp };
"""
TYPED = CLAMP.replace(
    "function clamp(x, low = 0, high = 10)", "export function clamp(x: number, low = 0, high = 10): number"
).replace("module.exports = { clamp };\n", "")
PLAIN = """const assert = require('assert');
const { clamp } = require('./clamp');
assert.strictEqual(clamp(5), 5);
assert.deepEqual([clamp(11), clamp(-1)], [10, 0]);
assert.throws(() => clamp(1, 3, 2), RangeError);
"""
RIGHT = {
    "plain asserts": PLAIN,
    "jest": "const { clamp } = require('./clamp');\ndescribe('clamp', () => {\n  let v;\n  beforeEach(() => { v = 5; });\n  test('mid', () => { expect(clamp(v)).toBe(5); });\n  it('ends', async () => { expect([clamp(11), clamp(-1)]).toEqual([10, 0]); });\n  it.each([[12, 10], [-3, 0]])('rows', (a, b) => { expect(clamp(a)).toBe(b); });\n  test('err', () => { expect(() => clamp(1,3,2)).toThrow('low'); expect(clamp(3)).not.toBe(4); });\n});\n",
    "node:test": "import test from 'node:test';\nimport assert from 'node:assert/strict';\nimport { clamp } from './solution.js';\ntest('a', (t) => { assert.equal(clamp(11), 10); });\ntest('b', async () => { assert.equal(clamp(-11), 0); });\n",
    "vitest": "import { describe, it, expect, vi } from 'vitest'\nimport { clamp } from '../src/clamp'\ndescribe('clamp', () => {\n  it('stays', () => { const seen = vi.fn(); seen(clamp(11)); expect(seen).toHaveBeenCalledWith(10); })\n  it('low', () => { expect(clamp(-2)).toBeGreaterThanOrEqual(0); expect(clamp(-2)).toBe(0) })\n})\n",
    "chai": "const { expect } = require('chai');\nconst { clamp } = require('./clamp');\ndescribe('clamp', function () {\n  it('stays', function () { expect(clamp(11)).to.equal(10); expect(clamp(-1)).to.be.equal(0); });\n  it('throws', function () { expect(() => clamp(1, 3, 2)).to.throw(RangeError); });\n});\n",
    "a function that is called": "const assert = require('assert');\nfunction runTests() {\n  assert.equal(clamp(50), 10);\n  assert.equal(clamp(-50), 0);\n  console.log('ok');\n}\nrunTests();\n",
}
WRONG = {
    "off by one": (CLAMP.replace("x > high", "x >= high + 2"), PLAIN),
    "a test fails": (CLAMP, "test('x', () => { expect(clamp(30)).toBe(30); });\n"),
    "no such function": ("function clip() {}\n", PLAIN),
    "syntax": ("function clamp( {\n", PLAIN),
}
VACUOUS = {
    "asserts nothing": "test('x', () => { clamp(3); });\n",
    "type only": "test('x', () => { expect(typeof clamp(3)).toBe('number'); });\n",
    "defined only": "test('x', () => { expect(clamp(3)).toBeDefined(); expect(clamp).toBeInstanceOf(Function); });\n",
    "equal to itself": "test('x', () => { expect(clamp(3)).toBe(clamp(3)); });\n",
    "constants": "const assert = require('assert');\nassert.equal(1 + 1, 2);\n",
    "caught": "test('x', () => { try { expect(clamp(3)).toBe(9); } catch (error) {} });\n",
    "never called": "const assert = require('assert');\nfunction check() { assert.equal(clamp(3), 3); }\n",
    "returns early": "test('x', () => { return; expect(clamp(3)).toBe(3); });\n",
    "never true": "test('x', () => { if (false) { expect(clamp(3)).toBe(3); } });\n",
    "source": "test('x', () => { expect(clamp.toString()).toContain('return low;'); });\n",
    "redefined": "function clamp(x) { return x; }\ntest('x', () => { expect(clamp(3)).toBe(3); });\n",
    "skipped": "test.skip('x', () => { expect(clamp(30)).toBe(10); });\n",
    "promise not awaited": "test('x', () => { Promise.resolve().then(() => expect(clamp(3)).toBe(9)); });\n",
}
DROPPED = {"promise not awaited": "tests_vacuous|tests_failed"}  # what fails after its test ends jest's process, or does not
HOSTILE = {
    "leaves at once": "process.exit(0);\n",
    "leaves when called": "function clamp() { process.exit(0); }\n",
    "patches assert": "const a = require('assert');\nfor (const key of Object.keys(a)) a[key] = () => {};\nfunction clamp() {}\n",
    "patches Object.is": "Object.is = () => true;\nfunction clamp() { return { valueOf() { return 5; } }; }\n",
    "kills the harness": "function clamp() { process.kill(process.ppid, 'SIGKILL'); process.kill(process.pid, 'SIGKILL'); }\n",
}
CASES = [
    *(Case(name, "javascript", CLAMP, tests, "passed", "right") for name, tests in RIGHT.items()),
    *(Case(name, "typescript", TYPED, tests, "passed", "right") for name, tests in RIGHT.items()),
    *(Case(name, "javascript", *pair, "tests_failed", "wrong") for name, pair in WRONG.items()),
    Case("off by one", "typescript", TYPED.replace("x > high", "x >= high + 2"), PLAIN, "tests_failed", "wrong"),
    *(Case(name, "javascript", CLAMP, tests, DROPPED.get(name, "tests_vacuous"), "vacuous", name == "source") for name, tests in VACUOUS.items()),
    *(Case(name, "typescript", TYPED, tests, DROPPED.get(name, "tests_vacuous"), "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "javascript", program, PLAIN.replace("const { clamp } = require('./clamp');\n", ""), "tests_failed", "hostile", name == "patches assert") for name, program in HOSTILE.items()),
    Case("random", "javascript", CLAMP, "test('x', () => { expect(clamp(30)).toBe(10); expect(Math.random()).toBeLessThan(0.6); });\n", "tests_flaky|tests_failed", "flaky"),
    Case("a loop", "javascript", "function clamp() { for (;;) {} }\nmodule.exports = { clamp };\n", PLAIN, "tests_failed", "hanging"),
    Case("third party", "javascript", "const _ = require('lodash');\n" + CLAMP, PLAIN, "not_verifiable", "elsewhere"),
    Case("network", "javascript", "async function get() { return (await fetch('http://example.org/')).status; }\n", "test('x', async () => { expect(await get()).toBe(200); });\n", "not_verifiable", "elsewhere"),
    Case("pairs", "javascript", "console.log(2 * Number(require('fs').readFileSync(0, 'utf8')));\n", '[{"input": "2\\n", "output": "4"}, {"input": "5", "output": "10\\n"}]', "passed", "right"),
    Case("wrong pairs", "python", "print(3 * int(input()))\n", '[{"input": "2\\n", "output": "4"}, {"input": "5", "output": "10\\n"}]', "tests_failed", "wrong", True),
    Case("prefix of the output", "python", "print(4)\n", '[{"input": "2\\n", "output": "4\\n5\\n"}]', "tests_failed", "wrong", True),
]  # fmt: skip
