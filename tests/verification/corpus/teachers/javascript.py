"""jest with mocks and timers, vitest, node:test, mocha with chai."""

from __future__ import annotations

from tests.verification.corpus.cases import Case, adder

CASES: list[Case] = []
add = adder(CASES, "javascript")

NS = """class EventBus {
  constructor({ now = () => Date.now(), delay = 100 } = {}) {
    this.handlers = new Map();
    this.now = now;
    this.delay = delay;
    this.history = [];
  }
  on(name, handler) {
    if (typeof handler !== 'function') throw new TypeError('handler must be a function');
    if (!this.handlers.has(name)) this.handlers.set(name, new Set());
    this.handlers.get(name).add(handler);
    return () => this.handlers.get(name).delete(handler);
  }
  emit(name, ...args) {
    this.history.push({ name, at: this.now() });
    const all = [...(this.handlers.get(name) || [])];
    all.forEach((handler) => handler(...args));
    return all.length;
  }
  emitLater(name, ...args) { return setTimeout(() => this.emit(name, ...args), this.delay); }
  async request(name, fetcher) {
    const result = await fetcher(name);
    if (!result.ok) throw new Error(`request failed: ${result.status}`);
    return result.data;
  }
}
function chunk(list, size) {
  if (size < 1) throw new RangeError('size');
  const out = [];
  for (let i = 0; i < list.length; i += size) out.push(list.slice(i, i + size));
  return out;
}
module.exports = { EventBus, chunk };
"""
NJ = """const { EventBus, chunk } = require('./event-bus');

jest.useFakeTimers();

describe('EventBus', () => {
  let bus;
  let handler;
  beforeEach(() => {
    bus = new EventBus({ now: () => 5 });
    handler = jest.fn().mockReturnValueOnce('x').mockName('handler');
  });
  afterEach(() => { jest.clearAllMocks(); jest.clearAllTimers(); });

  it('calls handlers with the arguments', () => {
    bus.on('a', handler);
    expect(bus.emit('a', 1, { deep: [2] })).toBe(1);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(handler).toHaveBeenCalledWith(1, expect.objectContaining({ deep: expect.any(Array) }));
    expect(handler).toHaveBeenNthCalledWith(1, 1, { deep: [2] });
    expect(handler).toHaveReturnedWith('x');
    expect(handler.mock.calls[0][1]).toEqual({ deep: [2] });
  });

  it('unsubscribes', () => {
    const off = bus.on('a', handler);
    off();
    bus.emit('a');
    expect(handler).not.toHaveBeenCalled();
    expect(bus.history).toEqual([{ name: 'a', at: 5 }]);
    expect(bus.history).toMatchObject([{ name: 'a' }]);
    expect(bus).toHaveProperty('history.0.name', 'a');
  });

  it('emits later', () => {
    bus.on('a', handler);
    bus.emitLater('a', 'late');
    expect(handler).not.toHaveBeenCalled();
    jest.advanceTimersByTime(99);
    expect(handler).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(handler).toHaveBeenLastCalledWith('late');
    bus.emitLater('a');
    jest.runAllTimers();
    expect(handler).toHaveBeenCalledTimes(2);
  });

  test('refuses what is no function', () => {
    expect(() => bus.on('a', 1)).toThrow(TypeError);
    expect(() => bus.on('a')).toThrow('handler must be a function');
    expect(() => bus.on('a')).toThrow(/function/);
    expect(() => bus.on('a')).toThrowError(new TypeError('handler must be a function'));
  });

  describe('request', () => {
    it('resolves', async () => {
      const fetcher = jest.fn().mockResolvedValue({ ok: true, data: [1] });
      await expect(bus.request('/x', fetcher)).resolves.toEqual([1]);
      expect(fetcher).toHaveBeenCalledWith('/x');
    });
    it('rejects', async () => {
      expect.assertions(2);
      const fetcher = jest.fn(async () => ({ ok: false, status: 500 }));
      await expect(bus.request('/x', fetcher)).rejects.toThrow('request failed: 500');
      try { await bus.request('/y', fetcher); } catch (e) { expect(e).toBeInstanceOf(Error); }
    });
  });
});

describe('chunk', () => {
  test.each([
    [[1, 2, 3], 2, [[1, 2], [3]]],
    [[], 3, []],
  ])('chunk(%j, %i)', (list, size, expected) => {
    expect(chunk(list, size)).toEqual(expected);
  });
  it.each`
    size | count
    ${1} | ${4}
    ${3} | ${2}
  `('$size gives $count', ({ size, count }) => {
    expect(chunk([1, 2, 3, 4], size)).toHaveLength(count);
  });
  it.each([{ n: 0 }, { n: -1 }])('refuses $n', ({ n }) => { expect(() => chunk([1], n)).toThrow(RangeError); });
  it('snapshot', () => { expect(chunk([1], 1)).toMatchInlineSnapshot(); });
});
""".replace("  it('snapshot', () => { expect(chunk([1], 1)).toMatchInlineSnapshot(); });\n", "")
add("jest mocks, fake timers, each table", "right", NS, NJ)
add(
    "jest fake timers, delay ignored",
    "wrong",
    NS.replace("this.emit(name, ...args), this.delay", "this.emit(name, ...args), 0"),
    NJ,
)
add("jest each, last chunk lost", "wrong", NS.replace("i < list.length; i += size", "i + size <= list.length; i += size"), NJ)
NV = """import { describe, it, expect, vi, beforeEach, afterEach } from 'vitest';
import { EventBus, chunk } from '../src/event-bus.js';
describe('bus', () => {
  beforeEach(() => { vi.useFakeTimers(); vi.setSystemTime(new Date('2024-01-01T00:00:00Z')); });
  afterEach(() => { vi.useRealTimers(); vi.restoreAllMocks(); });
  it('stamps', () => {
    const bus = new EventBus();
    bus.emit('a');
    expect(bus.history[0].at).toBe(Date.UTC(2024, 0, 1));
    const spy = vi.spyOn(bus, 'emit').mockImplementation(() => 9);
    expect(bus.emit('b')).toBe(9);
    expect(spy).toHaveBeenCalledOnce();
  });
  it('later', async () => {
    const bus = new EventBus({ delay: 50 }); const h = vi.fn();
    bus.on('a', h); bus.emitLater('a');
    await vi.advanceTimersByTimeAsync(50);
    expect(h).toHaveBeenCalledTimes(1);
  });
  it('chunks', () => { expect(chunk(['a', 'b', 'c'], 2)).toStrictEqual([['a', 'b'], ['c']]); expect(() => chunk([], 0)).toThrowError(RangeError); });
});
"""
add("vitest system time, async timers", "right", NS, NV.replace(".toHaveBeenCalledOnce()", ".toHaveBeenCalledTimes(1)"))
NN = """import test, { describe, it, before, beforeEach, after, mock } from 'node:test';
import assert from 'node:assert/strict';
import { EventBus, chunk } from './event-bus.mjs';
describe('EventBus', () => {
  let bus;
  before(() => { assert.ok(true); });
  beforeEach(() => { bus = new EventBus({ now: () => 1 }); });
  after(() => mock.reset());
  it('counts calls', () => {
    const handler = mock.fn((x) => x + 1);
    bus.on('a', handler);
    assert.equal(bus.emit('a', 3), 1);
    assert.equal(handler.mock.callCount?.() ?? handler.mock.calls.length, 1);
    assert.deepEqual(handler.mock.calls[0].arguments, [3]);
    assert.equal(handler.mock.calls[0].result, 4);
  });
  it('timers', (t) => {
    t.mock.timers?.enable?.({ apis: ['setTimeout'] });
    assert.deepStrictEqual(chunk([1, 2, 3], 2), [[1, 2], [3]]);
  });
  it('rejects', async () => {
    await assert.rejects(bus.request('x', async () => ({ ok: false, status: 404 })), { message: 'request failed: 404' });
    assert.throws(() => bus.on('a'), TypeError);
    await assert.doesNotReject(() => bus.request('x', async () => ({ ok: true, data: 1 })));
  });
  it.skip('later', () => { assert.fail(); });
  it('todo', { todo: true });
});
test('nested', async (t) => {
  await t.test('one', () => { assert.throws(() => chunk([1], 0), /size/); });
  await t.test('two', async () => { assert.deepEqual(chunk([], 1), []); });
});
"""
add("node:test mock, nested, hooks", "right", NS, NN)
add("node:test, wrong nested", "wrong", NS.replace("throw new RangeError('size')", "return []"), NN)
NC = """const { expect } = require('chai');
const sinonLess = require('assert');
const { EventBus, chunk } = require('../event-bus');
describe('EventBus (mocha)', function () {
  this.timeout(5000);
  before(function () { this.now = () => 7; });
  beforeEach(function () { this.bus = new EventBus({ now: this.now, delay: 5 }); });
  it('emits', function () {
    let seen;
    this.bus.on('a', (x) => { seen = x; });
    expect(this.bus.emit('a', 4)).to.equal(1);
    expect(seen).to.be.a('number').and.to.equal(4);
    expect(this.bus.history).to.have.lengthOf(1);
    expect(this.bus.history[0]).to.deep.include({ at: 7 });
    expect(this.bus).to.have.property('delay', 5);
    expect(this.bus.history).to.be.an('array').that.is.not.empty;
  });
  it('later', function (done) {
    this.bus.on('a', () => done());
    this.bus.emitLater('a');
  });
  it('refuses', function () {
    expect(() => this.bus.on('a', null)).to.throw(TypeError, 'function');
    expect(() => chunk([], 0)).to.throw(RangeError);
    expect(chunk([1, 2, 3], 2)).to.deep.equal([[1, 2], [3]]).and.have.length(2);
    expect(chunk([1, 2, 3], 2)).to.eql([[1, 2], [3]]);
    expect([1, 2, 3]).to.include.members([3, 1]);
    expect(undefined).to.be.undefined; expect(null).to.be.null; expect({}).to.exist;
    expect(5).to.be.within(1, 10); expect(5).to.be.above(4); expect(0.3).to.be.closeTo(0.1 + 0.2, 1e-9);
  });
  it('rejects', async function () {
    try { await this.bus.request('x', async () => ({ ok: false, status: 1 })); sinonLess.fail('no error'); }
    catch (e) { expect(e.message).to.match(/failed: 1$/); }
  });
  context('nothing', () => { it('is zero', () => { expect(new EventBus().emit('none')).to.equal(0); }); });
});
"""
add("mocha chai with this, done, context", "right", NS, NC)
add("mocha chai, history lost", "wrong", NS.replace("this.history.push({ name, at: this.now() });", ""), NC)
add(
    "jest done never called",
    "wrong",
    NS.replace("setTimeout(() => this.emit(name, ...args), this.delay)", "0"),
    """const { EventBus, chunk } = require('./event-bus');
test('chunk', () => { expect(chunk([1, 2], 1)).toEqual([[1], [2]]); });
test('later', (done) => { const b = new EventBus({ delay: 1 }); b.on('a', (x) => { expect(x).toBe(2); done(); }); b.emitLater('a', 2); });
""",
)
add(
    "expect.assertions not met",
    "wrong",
    NS.replace("if (!result.ok) throw new Error(`request failed: ${result.status}`);", ""),
    """const { EventBus, chunk } = require('./event-bus');
test('chunk', () => { expect(chunk([1, 2], 1)).toEqual([[1], [2]]); });
test('rejects', async () => { expect.assertions(1); try { await new EventBus().request('x', async () => ({ ok: false, status: 3 })); } catch (e) { expect(e.message).toBe('request failed: 3'); } });
test('rejects, too', () => { expect.hasAssertions(); return new EventBus().request('x', async () => ({ ok: false })).catch((e) => { expect(e).toBeDefined(); }); });
""",
)
add(
    "try catch without a failure",
    "vacuous",
    NS,
    """const { chunk } = require('./event-bus');
test('throws', () => { try { chunk([1], 5); } catch (e) { expect(e.message).toBe('size'); } });
""",
)
add(
    "jest mock of the module itself",
    "vacuous",
    NS,
    """const { EventBus } = require('./event-bus');
const chunk = jest.fn().mockReturnValue([[1], [2]]);
test('chunks', () => { expect(chunk([1, 2], 1)).toEqual([[1], [2]]); });
""",
)
add(
    "toBe of arrays",
    "wrong",
    NS,
    """const { chunk } = require('./event-bus');
test('chunks', () => { expect(chunk([1], 1)).toBe([[1]]); });
test('length', () => { expect(chunk([1, 2, 3], 2)).toHaveLength(2); });
""",
)
add(
    "not.toBe of arrays",
    "vacuous",
    NS,
    """const { chunk } = require('./event-bus');
test('chunks', () => { expect(chunk([1], 1)).not.toBe([[1]]); });
""",
)
add(
    "clock dependent",
    "flaky",
    NS,
    """const { chunk } = require('./event-bus');
test('chunks', () => { expect(Date.now() % 3).not.toBe(0); expect(chunk([1, 2], 1)).toEqual([[1], [2]]); });
""",
)
