from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """<?php
function clamp_to(int $x, int $low = 0, int $high = 10): int {
    if ($low > $high) {
        throw new InvalidArgumentException("low > high");
    }
    if ($x < $low) {
        return $low;
    }
    if ($x > $high) {
        return $high;
    }
    return $x;
}
"""
UNIT = """<?php
use PHPUnit\\Framework\\TestCase;
require_once 'clamp.php';

class ClampTest extends TestCase {
    private int $high;

    protected function setUp(): void {
        $this->high = 7;
    }

    public function testInside(): void {
        $this->assertSame(5, clamp_to(5));
    }

    public function testHigh(): void {
        $this->assertEquals(7, clamp_to(9, 0, $this->high));
        self::assertEquals(0, clamp_to(-9));
    }

    public function testError(): void {
        $this->expectException(InvalidArgumentException::class);
        clamp_to(1, 3, 2);
    }
}
"""
PLAIN = "<?php\nassert(clamp_to(5) === 5);\nassert(clamp_to(11) === 10);\nif (clamp_to(-1) !== 0) {\n    throw new Exception('low');\n}\necho 'ok';\n"
RIGHT = {"PHPUnit": UNIT, "plain": PLAIN}
VACUOUS = {
    "asserts nothing": "<?php\nuse PHPUnit\\Framework\\TestCase;\nclass T extends TestCase { public function testIt() { clamp_to(3); } }\n",
    "type only": "<?php\nassert(is_int(clamp_to(3)));\n",
    "equal to itself": "<?php\nassert(clamp_to(3) === clamp_to(3));\n",
    "constants": "<?php\nclamp_to(3);\nassert(true);\n",
    "skipped": "<?php\nclass T extends TestCase { public function testIt() { $this->markTestSkipped(); $this->assertSame(3, clamp_to(3)); } }\n",
}
HOSTILE = {
    "leaves": "<?php\nexit(0);\n",
    "leaves when called": "<?php\nfunction clamp_to(...$all) { exit(0); }\n",
    "ini": "<?php\nini_set('zend.assertions', '-1');\nini_set('assert.exception', '0');\nfunction clamp_to(...$all) { return null; }\n",
}
STYLES = {
    "provider": """<?php
use PHPUnit\\Framework\\TestCase;
final class ClampTest extends TestCase
{
    /**
     * @dataProvider cases
     */
    public function testClamp(int $x, int $want): void
    {
        $this->assertSame($want, clamp_to($x));
    }
    public static function cases(): array
    {
        return [[11, 10], "low" => [-1, 0], [5, 5]];
    }
}
""",
    "attributes": """<?php
declare(strict_types=1);
namespace Tests;
use PHPUnit\\Framework\\TestCase;
use PHPUnit\\Framework\\Attributes\\Test;
require_once __DIR__ . "/clamp.php";
class ClampTest extends TestCase {
    #[Test]
    public function it_clamps(): void { self::assertEquals(10, \\clamp_to(11)); static::assertSame(0, \\clamp_to(-1)); }
}
""",
    "counts": """<?php
require "solution.php";
$failures = 0;
function check($ok, $name) { global $failures; if (!$ok) { echo "FAIL $name\\n"; $failures++; } }
check(clamp_to(11) === 10, "high");
check(clamp_to(-1) === 0, "low");
exit($failures > 0 ? 1 : 0);
""",
    "functions": """<?php
function testHigh() { assert(clamp_to(11) === 10); }
function testLow() { if (clamp_to(-1) !== 0) { throw new Exception("low"); } }
testHigh();
testLow();
echo "ok\\n";
""",
    "setup": """<?php
use PHPUnit\\Framework\\TestCase;
class ClampTest extends TestCase {
    private int $high;
    protected function setUp(): void { parent::setUp(); $this->high = 7; }
    public function testHigh() { $this->assertEquals(7, clamp_to(9, 0, $this->high), "high"); }
}
""",
}
CASES = [
    *(Case(name, "php", CLAMP, tests, "passed", "right") for name, tests in STYLES.items()),
    *(Case(name, "php", CLAMP, tests, "passed", "right") for name, tests in RIGHT.items()),
    *(Case(name, "php", CLAMP, tests, "tests_vacuous", "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "php", program, PLAIN, "tests_failed", "hostile") for name, program in HOSTILE.items()),
    Case("off by one", "php", CLAMP.replace("$x > $high", "$x >= $high + 2"), PLAIN, "tests_failed", "wrong"),
    Case("syntax", "php", "<?php\nfunction clamp_to(int $x {\n", PLAIN, "tests_failed", "wrong"),
]
