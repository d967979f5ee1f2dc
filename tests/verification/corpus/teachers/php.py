"""PHPUnit: providers, expected exceptions, doubles, tests that depend on others."""

from __future__ import annotations

from tests.verification.corpus.cases import Case, adder

CASES: list[Case] = []
add = adder(CASES, "php")

PS = """<?php
declare(strict_types=1);
namespace App\\Text;

final class Slugger
{
    private array $seen = [];
    public function __construct(private string $separator = '-') {
        if ($separator === '') throw new \\InvalidArgumentException('empty separator', 42);
    }
    public function slug(string $text): string
    {
        $slug = trim(preg_replace('/[^a-z0-9]+/', $this->separator, strtolower($text)), $this->separator);
        $this->seen[] = $slug;
        return $slug;
    }
    public function seen(): array { return $this->seen; }
    public function clock(callable $now): int { return $now() + 1; }
}
function words(string $text): array { return $text === '' ? [] : preg_split('/\\s+/', trim($text)); }
"""
PT = """<?php

declare(strict_types=1);

namespace Tests\\Unit;

use App\\Text\\Slugger;
use InvalidArgumentException;
use PHPUnit\\Framework\\TestCase;
use function App\\Text\\words;

/**
 * @covers \\App\\Text\\Slugger
 */
final class SluggerTest extends TestCase
{
    private Slugger $slugger;
    private static int $made = 0;

    public static function setUpBeforeClass(): void { self::$made = 1; }
    protected function setUp(): void { $this->slugger = new Slugger(); }

    /**
     * @dataProvider texts
     */
    public function testSlug(string $given, string $expected): void
    {
        $this->assertSame($expected, $this->slugger->slug($given));
    }

    public function texts(): \\Generator
    {
        yield 'plain' => ['Hello World', 'hello-world'];
        yield 'marks' => ['  A,  b! ', 'a-b'];
        yield 'none' => ['', ''];
    }

    public function testSeparator(): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessageMatches('/empty/');
        $this->expectExceptionCode(42);
        new Slugger('');
    }

    public function testSeen(): void
    {
        $this->slugger->slug('A');
        $this->slugger->slug('B');
        $this->assertEquals(['a', 'b'], $this->slugger->seen());
        $this->assertContains('b', $this->slugger->seen());
        $this->assertEmpty(words(''));
        $this->assertCount(2, words('a  b'));
        $this->assertSame(1, self::$made);
    }

    public function testMock(): void
    {
        $clock = $this->createMock(\\Countable::class);
        $clock->method('count')->willReturn(41);
        $this->assertSame(42, $this->slugger->clock(fn () => $clock->count()));
        $stub = $this->createStub(\\Countable::class);
        $stub->method('count')->willReturn(3);
        $this->assertSame(4, $this->slugger->clock([$stub, 'count']));
    }

    /**
     * @depends testSeen
     * @testWith ["x y", 2]
     *           ["x", 1]
     */
    public function testWords(string $t, int $n): void { $this->assertCount($n, words($t)); }
}
"""
add("PHPUnit generator provider, mocks, testWith", "right", PS, PT.replace("     * @depends testSeen\n", ""))
add(
    "PHPUnit generator provider, no trim",
    "wrong",
    PS.replace(
        "trim(preg_replace('/[^a-z0-9]+/', $this->separator, strtolower($text)), $this->separator)",
        "preg_replace('/[^a-z0-9]+/', $this->separator, strtolower($text))",
    ),
    PT.replace("     * @depends testSeen\n", ""),
)
add(
    "expectExceptionCode of another",
    "wrong",
    PS.replace("'empty separator', 42", "'empty separator', 7"),
    """<?php
use App\\Text\\Slugger;
use PHPUnit\\Framework\\TestCase;
class SluggerTest extends TestCase {
    public function testSlug(): void { $this->assertSame('a-b', (new Slugger())->slug('A b')); }
    public function testCode(): void { $this->expectException(\\InvalidArgumentException::class); $this->expectExceptionCode(42); new Slugger(''); }
}
""",
)
add(
    "depends",
    "right",
    PS,
    """<?php
use App\\Text\\Slugger;
use PHPUnit\\Framework\\TestCase;
class SluggerTest extends TestCase {
    public function testMake(): Slugger { $s = new Slugger('_'); $this->assertSame('a_b', $s->slug('A b')); return $s; }
    /** @depends testMake */
    public function testSeen(Slugger $s): void { $this->assertSame(['a_b'], $s->seen()); $this->assertGreaterThanOrEqual(1, count($s->seen())); $this->assertEqualsCanonicalizing(['b', 'a'], \\App\\Text\\words('a b')); }
}
""",
)
add(
    "expects once never verified",
    "wrong",
    PS,
    """<?php
use App\\Text\\Slugger;
use PHPUnit\\Framework\\TestCase;
class SluggerTest extends TestCase {
    public function testIt(): void {
        $this->assertSame('a', (new Slugger())->slug('A'));
        $m = $this->createMock(\\Countable::class);
        $m->expects($this->exactly(2))->method('count')->willReturn(1);
        $this->assertSame(2, (new Slugger())->clock(fn () => $m->count()));
    }
}
""",
)
add(
    "a mock of the class under test",
    "vacuous",
    PS,
    """<?php
use PHPUnit\\Framework\\TestCase;
interface Slugs { public function slug(string $t): string; }
class SluggerTest extends TestCase {
    public function testIt(): void {
        $m = $this->createMock(Slugs::class);
        $m->method('slug')->willReturn('a-b');
        $this->assertSame('a-b', $m->slug('A b'));
    }
}
""",
)
