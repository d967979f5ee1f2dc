"""TypeScript: the same in a typed program, with what only typed tests say."""

from __future__ import annotations

from tests.verification.corpus.inventory import javascript

INVENTORY = """
export class OutOfStockError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OutOfStockError';
  }
}

type Counts = Record<string, number>;

export class Inventory {
  public counts: Counts;

  constructor(counts: Counts = {}) {
    this.counts = { ...counts };
  }

  add(name: string, count: number = 1): this {
    if (count <= 0) throw new RangeError(`count must be positive, got ${count}`);
    this.counts[name] = (this.counts[name] ?? 0) + count;
    return this;
  }

  remove(name: string, count: number = 1): number {
    const have: number = this.counts[name] ?? 0;
    if (count > have) throw new OutOfStockError(`only ${have} of ${name}`);
    this.counts[name] = have - count;
    return this.counts[name];
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum: number, one: number) => sum + one, 0);
  }

  has(name: string): boolean {
    return (this.counts[name] ?? 0) > 0;
  }
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const ordered: number[] = [...values].sort((a, b) => a - b);
  const middle = Math.floor(ordered.length / 2);
  if (ordered.length % 2 === 1) return ordered[middle];
  return (ordered[middle - 1] + ordered[middle]) / 2;
}

export const parsePairs = (text: string): Counts => {
  const found: Counts = {};
  for (const part of text.split(';').filter(Boolean)) {
    const match = /^\\s*(\\w+)\\s*=\\s*(-?\\d+)\\s*$/.exec(part);
    if (!match) throw new SyntaxError(`bad pair: ${part}`);
    found[match[1]] = Number(match[2]);
  }
  return found;
};

export async function delayed<T>(value?: T, ms = 1): Promise<T> {
  if (value === undefined) throw new TypeError('no value');
  await new Promise<void>((done) => setTimeout(done, ms));
  return value;
}
"""
WRONG = javascript.WRONG
FULL = {
    **javascript.FULL,
    "typed tests": """
import { describe, it, expect, beforeEach } from '@jest/globals';
import { Inventory, median, parsePairs } from './inventory';
import type { Counts } from './types';

interface Case {
  values: number[];
  expected: number | null;
}

const cases: Case[] = [
  { values: [1, 2], expected: 1.5 },
  { values: [], expected: null },
];

describe('typed', () => {
  let inventory: Inventory;
  beforeEach(() => {
    inventory = new Inventory({ a: 1 } as Record<string, number>);
  });
  cases.forEach(({ values, expected }: Case) => {
    it(`median of ${values}`, () => {
      expect(median(values)).toBe(expected);
    });
  });
  it('removes', (): void => {
    const left: number = inventory.remove('a');
    expect(left).toBe(0);
  });
  it('parses', () => {
    const found = parsePairs('a=-1') as { a: number };
    expect(found!.a).toBe(-1);
  });
});
""",
    "a typed helper": """
import * as assert from 'assert';

function assertEqual<T>(actual: T, expected: T, message?: string): void {
  assert.deepStrictEqual(actual, expected, message);
}

const inv: Inventory = new Inventory({ a: 1 });
assertEqual(inv.remove('a'), 0);
assertEqual<number | null>(median([3, 4]), 3.5);
assertEqual(parsePairs('n=-1'), { n: -1 });
""",
}
VACUOUS = javascript.VACUOUS
