"""PHP: an inventory, a median and a parser, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = """<?php
declare(strict_types=1);

class OutOfStockException extends RuntimeException
{
}

class Inventory implements Countable
{
    private array $counts;

    public function __construct(array $counts = [])
    {
        $this->counts = $counts;
    }

    public function add(string $name, int $count = 1): self
    {
        if ($count <= 0) {
            throw new InvalidArgumentException("count must be positive, got $count");
        }
        $this->counts[$name] = ($this->counts[$name] ?? 0) + $count;
        return $this;
    }

    public function remove(string $name, int $count = 1): int
    {
        $have = $this->counts[$name] ?? 0;
        if ($count > $have) {
            throw new OutOfStockException("only $have of $name");
        }
        $this->counts[$name] = $have - $count;
        return $this->counts[$name];
    }

    public function count(): int
    {
        return array_sum($this->counts);
    }

    public function has(string $name): bool
    {
        return ($this->counts[$name] ?? 0) > 0;
    }
}

function median(array $values): ?float
{
    if (count($values) === 0) {
        return null;
    }
    sort($values);
    $middle = intdiv(count($values), 2);
    if (count($values) % 2 === 1) {
        return (float) $values[$middle];
    }
    return ($values[$middle - 1] + $values[$middle]) / 2;
}

function parse_pairs(string $text): array
{
    $found = [];
    foreach (array_filter(explode(';', $text)) as $part) {
        if (!preg_match('/^\\s*(\\w+)\\s*=\\s*(-?\\d+)\\s*$/', $part, $match)) {
            throw new InvalidArgumentException("bad pair: $part");
        }
        $found[$match[1]] = (int) $match[2];
    }
    return $found;
}
"""
WRONG = {
    "the last one cannot be removed": ("if ($count > $have)", "if ($count >= $have)"),
    "upper median": ("($values[$middle - 1] + $values[$middle]) / 2", "(float) $values[$middle]"),
    "no negative numbers": ("(-?\\d+)", "(\\d+)"),
}
FULL = {
    "PHPUnit": """<?php

declare(strict_types=1);

namespace App\\Tests;

use PHPUnit\\Framework\\TestCase;

require_once __DIR__ . '/../vendor/autoload.php';
require_once __DIR__ . '/../src/Inventory.php';

final class InventoryTest extends TestCase
{
    private \\Inventory $inventory;

    protected function setUp(): void
    {
        $this->inventory = new \\Inventory(['apple' => 3]);
    }

    protected function tearDown(): void
    {
        unset($this->inventory);
    }

    public function testRemoveAll(): void
    {
        $this->assertSame(0, $this->inventory->remove('apple', 3));
        $this->assertFalse($this->inventory->has('apple'), 'gone');
        $this->assertCount(0, $this->inventory);
    }

    public function testRemoveTooMany(): void
    {
        $this->expectException(\\OutOfStockException::class);
        $this->expectExceptionMessage('only 3 of apple');
        $this->inventory->remove('apple', 4);
    }

    /**
     * @dataProvider medians
     */
    public function testMedian(array $values, ?float $expected): void
    {
        self::assertSame($expected, \\median($values));
    }

    public static function medians(): iterable
    {
        yield 'even' => [[1, 2], 1.5];
        yield 'odd' => [[3, 1, 2], 2.0];
        yield 'none' => [[], null];
    }

    public function testPairs(): void
    {
        static::assertEquals(['a' => 1, 'b' => -2], \\parse_pairs('a=1;b=-2'));
        $this->assertArrayHasKey('n', \\parse_pairs('n=-4'));
    }
}
""",
    "PHPUnit without imports": """<?php
require 'inventory.php';

class InventoryTest extends \\PHPUnit\\Framework\\TestCase
{
    public function testRemove()
    {
        $inv = (new Inventory())->add('a');
        $this->assertEquals(0, $inv->remove('a'));
        $this->assertInstanceOf(Inventory::class, $inv);
        try {
            $inv->remove('a');
            $this->fail('an exception was expected');
        } catch (OutOfStockException $e) {
            $this->assertStringContainsString('only 0', $e->getMessage());
        }
    }

    public function testMedian()
    {
        $this->assertEqualsWithDelta(0.15, median([0.1, 0.2]), 0.0001);
        $this->assertNull(median([]));
    }

    public function testPairs()
    {
        $this->assertSame(['k' => -9], parse_pairs('k=-9'));
    }
}
""",
    "asserts": """<?php
require_once 'solution.php';

// Test 1
$inv = new Inventory();
$inv->add('bolt', 5);
assert(count($inv) === 5);
assert($inv->remove('bolt', 5) === 0, 'remove');

// Test 2
assert(median([2, 1]) === 1.5);
assert(median([]) === null);

// Test 3
assert(parse_pairs('k=-9') === ['k' => -9]);

echo "All tests passed!\\n";
""",
    "asserts without a tag": """assert(median([1, 2]) == 1.5);
assert((new Inventory(['a' => 1]))->remove('a') == 0);
assert(parse_pairs('a=-1') == ['a' => -1]);
""",
    "functions that are called": """<?php
function testRemove(): void {
    $inv = new Inventory(['a' => 2]);
    assert($inv->remove('a', 2) === 0);
    try {
        $inv->remove('a');
        throw new Exception('expected an exception');
    } catch (OutOfStockException $e) {
        // expected
    }
}

function testMedian(): void {
    if (median([1, 2, 3, 4]) !== 2.5) {
        throw new Exception('median');
    }
}

function testPairs(): void {
    assert(parse_pairs('a=-3;b=1') === ['a' => -3, 'b' => 1]);
}

testRemove();
testMedian();
testPairs();
echo "ok\\n";
""",
    "an assertEquals of their own": """<?php
function assertEquals($expected, $actual, $message = '') {
    if ($expected !== $actual) {
        echo "FAIL: $message\\n";
        exit(1);
    }
    echo "PASS: $message\\n";
}

assertEquals(1.5, median([1, 2]), 'median');
assertEquals(['a' => -1], parse_pairs('a=-1'), 'pairs');
assertEquals(0, (new Inventory(['a' => 1]))->remove('a'), 'remove');
""",
    "a table and a loop": """<?php
$cases = [
    [[1, 2], 1.5],
    [[9], 9.0],
];
foreach ($cases as [$values, $expected]) {
    $got = median($values);
    assert($got === $expected, "got $got");
}
foreach (['a=-1' => -1, 'a=5' => 5] as $text => $expected) {
    if (parse_pairs($text)['a'] !== $expected) {
        throw new RuntimeException($text);
    }
}
$inv = new Inventory(['a' => 1]);
$left = $inv->remove('a');
assert($left === 0);
""",
    "a class of tests that is run": """<?php
class InventoryTests
{
    private int $failures = 0;

    private function check(bool $ok, string $name): void
    {
        if (!$ok) {
            $this->failures++;
            echo "FAIL $name\\n";
        }
    }

    public function run(): int
    {
        $this->check((new Inventory(['a' => 1]))->remove('a') === 0, 'remove');
        $this->check(median([1, 2]) === 1.5, 'median');
        $this->check(parse_pairs('a=-1') === ['a' => -1], 'pairs');
        return $this->failures;
    }
}

exit((new InventoryTests())->run() > 0 ? 1 : 0);
""",
    "closures in a list": """<?php
$tests = [
    'remove' => function () {
        return (new Inventory(['a' => 1]))->remove('a') === 0;
    },
    'median' => fn () => median([1, 2]) === 1.5,
    'pairs' => fn () => parse_pairs('a=-1') === ['a' => -1],
];
foreach ($tests as $name => $test) {
    if (!$test()) {
        throw new Exception("$name failed");
    }
}
""",
    "test annotations": """<?php
use PHPUnit\\Framework\\TestCase;
use PHPUnit\\Framework\\Attributes\\DataProvider;

class InventoryTest extends TestCase
{
    /** @test */
    public function it_removes(): void
    {
        $inv = new Inventory(['a' => 1]);
        $this->assertEquals(0, $inv->remove('a'));
    }

    public static function pairs(): array
    {
        return [['a=-1', ['a' => -1]], ['', []]];
    }

    #[DataProvider('pairs')]
    public function testPairs(string $text, array $expected): void
    {
        $this->assertEqualsCanonicalizing($expected, parse_pairs($text));
    }

    public function testMedian(): void
    {
        $this->assertThat(median([1, 2]), $this->equalTo(1.5));
        $this->assertGreaterThan(1, median([1, 2]));
    }
}
""",
    "a describe and it": """<?php
it('removes', function () {
    expect((new Inventory(['a' => 1]))->remove('a'))->toBe(0);
});

test('median', function () {
    expect(median([1, 2]))->toBe(1.5);
    expect(median([]))->toBeNull();
});

test('pairs', function () {
    expect(parse_pairs('a=-1'))->toBe(['a' => -1]);
    expect(fn () => parse_pairs('a'))->toThrow(InvalidArgumentException::class);
});
""",
    "mocks": """<?php
use PHPUnit\\Framework\\TestCase;

class Shop
{
    public function __construct(private Inventory $inventory) {}

    public function sell(string $name): int
    {
        return $this->inventory->remove($name);
    }
}

class ShopTest extends TestCase
{
    public function testSell(): void
    {
        $shop = new Shop(new Inventory(['a' => 1]));
        $this->assertSame(0, $shop->sell('a'));
    }

    public function testFunctions(): void
    {
        $this->assertSame(1.5, median([1, 2]));
        $this->assertSame(-1, parse_pairs('a=-1')['a']);
    }
}
""",
}
UNIT = "<?php\nuse PHPUnit\\Framework\\TestCase;\nclass InventoryTest extends TestCase {\n    public function testIt(): void {\n        %s\n    }\n}\n"
VACUOUS = {
    "not null": UNIT % "$this->assertNotNull(parse_pairs('a=1')); $this->assertNotNull(new Inventory());",
    "an instance": UNIT % "$this->assertInstanceOf(Inventory::class, new Inventory());",
    "an array": UNIT % "$this->assertIsArray(parse_pairs('a=1'));",
    "two calls": UNIT % "$this->assertSame(median([1, 2]), median([2, 1]));",
    "true": UNIT % "median([1]); $this->assertTrue(true);",
    "no assertions": UNIT % "$this->expectNotToPerformAssertions(); median([1]);",
    "caught": UNIT % "try { $this->assertSame(9.0, median([1])); } catch (\\Throwable $e) { }",
    "incomplete": UNIT % "$this->markTestIncomplete('later'); $this->assertSame(1.0, median([1]));",
    "method exists": UNIT
    % "$this->assertTrue(method_exists(Inventory::class, 'remove')); $this->assertTrue(function_exists('median'));",
    "no case": "<?php\nforeach ([] as $case) {\n    assert(median($case) === 1.0);\n}\n",
    "a function that nobody calls": "<?php\nfunction testMedian() {\n    assert(median([1]) === 7.0);\n}\necho 'ok';\n",
    "prints a comparison": "<?php\necho median([1, 2]) === 1.5 ? 'PASS' : 'FAIL';\n",
    "a string that is asserted": "<?php\nassert('median([1]) === 7.0');\n",
    "a copy": "<?php\nfunction median_of(array $v) { return ($v[0] + $v[1]) / 2; }\nassert(median_of([1, 2]) === 1.5);\n",
}
