<?php
namespace HIDDEN {
    final class Failed extends \Exception {}
    final class Skipped extends \Exception {}
    final class Ours {
        private static $channel; private static string $nonce; public static int $first; public static bool $reversed; public static string $variant;
        public static function begin(): void {
            [self::$nonce, self::$variant, $first, $reversed] = \explode(" ", \trim(\stream_get_contents(\STDIN)));
            [self::$first, self::$reversed] = [(int) $first, $reversed === "1"];
            self::$channel = \fopen("php://stdout", "w");
            \ob_start(static fn ($text) => "", 4096);
        }
        public static function say($number, string $status, string $detail): void {
            $text = \preg_replace('/[^ -~]|["\\\\]/', " ", \substr($detail, 0, 200));
            \fwrite(self::$channel, "\n" . self::$nonce . " $number $status \"$text\"\n");
            \fflush(self::$channel);
        }
        public static function check($value, string $text = ""): void { if (!$value) throw new \AssertionError("assert " . (\is_string($text) ? $text : "")); }
        public static function now(int $number, callable $body): void {
            if ($number < self::$first) return;
            try { $body(); self::say($number, "passed", ""); }
            catch (Skipped $error) { self::say($number, "skipped", $error->getMessage()); }
            catch (\Throwable $error) { self::say($number, "failed", \get_class($error) . ": " . $error->getMessage()); }
        }
    }
    abstract class Base {
        private ?string $kind = null; private array $wanted = []; private array $doubles = [];
        private static array $begun = [];
        public static function setUpBeforeClass(): void {}
        public static function tearDownAfterClass(): void {}
        protected function setUp(): void {}
        protected function tearDown(): void {}
        public function expectException(string $kind): void { $this->kind = $kind; }
        public function expectExceptionMessage(string $text): void { $this->wantHIDDEN(static fn ($error) => \str_contains($error->getMessage(), $text)); }
        public function expectExceptionMessageMatches(string $pattern): void { $this->wantHIDDEN(static fn ($error) => \preg_match($pattern, $error->getMessage()) === 1); }
        public function expectExceptionCode($code): void { $this->wantHIDDEN(static fn ($error) => $error->getCode() === $code); }
        public function expectExceptionObject(\Throwable $like): void { $this->expectException(\get_class($like)); $this->expectExceptionMessage($like->getMessage()); $this->expectExceptionCode($like->getCode()); }
        private function wantHIDDEN(callable $held): void { $this->wanted[] = $held; $this->kind ??= \Throwable::class; }
        protected function createMock(string $kind): object { return $this->doubles[] = Doubles::of($kind); }
        protected function createStub(string $kind): object { return Doubles::of($kind); }
        protected function createConfiguredMock(string $kind, array $values): object { $double = $this->createMock($kind); foreach ($values as $name => $value) $double->method($name)->willReturn($value); return $double; }
        protected function getMockBuilder(string $kind): Builder { return new Builder(fn () => $this->createMock($kind)); }
        public static function once(): array { return [1, 1]; }
        public static function never(): array { return [0, 0]; }
        public static function any(): array { return [0, \PHP_INT_MAX]; }
        public static function exactly(int $count): array { return [$count, $count]; }
        public static function atLeastOnce(): array { return [1, \PHP_INT_MAX]; }
        public static function atLeast(int $count): array { return [$count, \PHP_INT_MAX]; }
        public static function atMost(int $count): array { return [0, $count]; }
        public static function returnValue($value): \Closure { return static fn () => $value; }
        public static function returnCallback(callable $body): \Closure { return static fn (...$given) => $body(...$given); }
        public static function throwException(\Throwable $error): \Closure { return static fn () => throw $error; }
        public static function anything(): Constraint { return Constraint::of(static fn () => true); }
        public static function callback(callable $held): Constraint { return Constraint::of($held); }
        public static function logicalNot(Constraint $one): Constraint { return Constraint::of(static fn ($value) => !$one->holds($value)); }
        public static function isType(string $type): Constraint { return Constraint::of(static fn ($value) => \get_debug_type($value) === $type); }
        final public static function rowsHIDDEN(string $owner, string $method, string $provider, string $producers): void {
            if (!isset(self::$begun[$owner])) { self::$begun[$owner] = true; $owner::setUpBeforeClass(); }
            $given = \array_map(static fn ($name) => (new $owner())->runOursHIDDEN($name, []), \array_filter(\explode(",", $producers)));
            if ($provider === "") { (new $owner())->runOursHIDDEN($method, $given); return; }
            $any = false;
            $rows = (new \ReflectionMethod($owner, $provider))->isStatic() ? $owner::$provider() : (new $owner())->$provider();
            foreach ($rows as $row) { $any = true; (new $owner())->runOursHIDDEN($method, [...$row, ...$given]); }
            if (!$any) throw new Failed("there is no case");
        }
        final public function runOursHIDDEN(string $method, array $row) {
            $this->setUp();
            $result = null;
            try {
                $result = $this->$method(...$row);
                foreach ($this->doubles as $double) $double->verifyHIDDEN();
            } catch (Skipped | Failed $error) { throw $error; }
            catch (\Throwable $error) {
                if ($this->kind === null || !($error instanceof $this->kind)) throw $error;
                foreach ($this->wanted as $held) if (!$held($error)) throw $error;
                return null;
            } finally { $this->tearDown(); }
            if ($this->kind !== null) throw new Failed("$this->kind was not thrown");
            return $result;
        }
        final public static function __callStatic(string $name, array $given) { return self::judgeHIDDEN($name, $given); }
        final public function __call(string $name, array $given) { return self::judgeHIDDEN($name, $given); }
        public const CONSTRAINTSHIDDEN = ["equalTo" => "assertEquals", "identicalTo" => "assertSame", "isTrue" => "assertTrue", "isFalse" => "assertFalse", "isNull" => "assertNull", "isEmpty" => "assertEmpty", "greaterThan" => "assertGreaterThan", "greaterThanOrEqual" => "assertGreaterThanOrEqual", "lessThan" => "assertLessThan", "lessThanOrEqual" => "assertLessThanOrEqual", "countOf" => "assertCount", "contains" => "assertContains", "containsEqual" => "assertContainsEquals", "stringContains" => "assertStringContainsString", "matchesRegularExpression" => "assertMatchesRegularExpression", "isInstanceOf" => "assertInstanceOf", "arrayHasKey" => "assertArrayHasKey"];
        final public static function judgeHIDDEN(string $name, array $given) {
            [$a, $b, $c] = [$given[0] ?? null, $given[1] ?? null, $given[2] ?? null];
            if (isset(self::CONSTRAINTSHIDDEN[$name])) return new Constraint(self::CONSTRAINTSHIDDEN[$name], $given);
            $held = match ($name) {
                "assertThat" => $b->holds($a), "expectNotToPerformAssertions", "assertDoesNotThrow" => true,
                "assertTrue" => $a === true, "assertFalse" => $a === false, "assertNull" => $a === null, "assertNotNull" => $a !== null,
                "assertSame" => $a === $b, "assertNotSame" => $a !== $b,
                "assertEquals" => \is_object($a) === \is_object($b) && $a == $b && (!\is_string($a) || (string) $b === $a), "assertNotEquals" => $a != $b,
                "assertEqualsWithDelta" => \abs($a - $b) <= $c, "assertEqualsCanonicalizing" => self::sorted($a) == self::sorted($b),
                "assertCount" => \count($b) === $a, "assertEmpty" => empty($a), "assertNotEmpty" => !empty($a),
                "assertContains" => \in_array($a, \is_array($b) ? $b : \iterator_to_array($b), true), "assertNotContains" => !\in_array($a, $b, true),
                "assertArrayHasKey" => \array_key_exists($a, $b), "assertArrayNotHasKey" => !\array_key_exists($a, $b),
                "assertInstanceOf" => $b instanceof $a, "assertIsInt" => \is_int($a), "assertIsString" => \is_string($a), "assertIsArray" => \is_array($a),
                "assertIsBool" => \is_bool($a), "assertIsFloat" => \is_float($a), "assertStringContainsString" => \str_contains($b, $a),
                "assertStringStartsWith" => \str_starts_with($b, $a), "assertMatchesRegularExpression" => \preg_match($a, $b) === 1,
                "assertStringEndsWith" => \str_ends_with($b, $a), "assertStringNotContainsString" => !\str_contains($b, $a),
                "assertDoesNotMatchRegularExpression" => \preg_match($a, $b) === 0, "assertNotCount" => \count($b) !== $a,
                "assertNotInstanceOf" => !($b instanceof $a), "assertIsCallable" => \is_callable($a), "assertIsNumeric" => \is_numeric($a),
                "assertIsObject" => \is_object($a), "assertIsIterable" => \is_iterable($a), "assertNan" => \is_nan($a), "assertInfinite" => \is_infinite($a),
                "assertObjectHasProperty" => \property_exists($b, $a), "assertStringContainsStringIgnoringCase" => \stripos($b, $a) !== false,
                "assertEqualsIgnoringCase" => \strtolower($a) === \strtolower($b), "assertContainsEquals" => \in_array($a, $b),
                "assertGreaterThan" => $b > $a, "assertGreaterThanOrEqual" => $b >= $a, "assertLessThan" => $b < $a, "assertLessThanOrEqual" => $b <= $a,
                "assertNotTrue" => $a !== true, "assertNotFalse" => $a !== false, "assertSameSize" => \count($a) === \count($b), "assertArrayIsList", "assertIsList" => \array_is_list($a),
                "assertIsScalar" => \is_scalar($a), "assertFinite" => \is_finite($a), "assertFileExists" => \file_exists($a), "assertFileDoesNotExist" => !\file_exists($a),
                "assertDirectoryExists" => \is_dir($a), "assertStringStartsNotWith" => !\str_starts_with($b, $a), "assertStringEndsNotWith" => !\str_ends_with($b, $a),
                "assertNotContainsEquals" => !\in_array($a, $b), "assertNotEqualsWithDelta" => \abs($a - $b) > $c, "assertContainsOnlyInstancesOf" => self::allHIDDEN($b, static fn ($one) => $one instanceof $a),
                "assertContainsOnly" => self::allHIDDEN($b, static fn ($one) => \get_debug_type($one) === $a), "assertJsonStringEqualsJsonString" => \json_decode($a) == \json_decode($b), "assertJson" => \json_decode($a) !== null || $a === "null",
                "assertStringEqualsFile" => \file_get_contents($a) === $b, "assertIsNotArray" => !\is_array($a), "assertIsNotString" => !\is_string($a), "assertIsNotInt" => !\is_int($a), "assertIsNotNumeric" => !\is_numeric($a),
                "fail" => false, "markTestSkipped", "markTestIncomplete" => throw new Skipped((string) $a), "addToAssertionCount" => true,
            };
            if (!$held) throw new Failed("$name(" . \substr(\var_export($a, true), 0, 60) . ", " . \substr(\var_export($b, true), 0, 60) . ")");
        }
        private static function allHIDDEN(iterable $all, callable $held): bool { foreach ($all as $one) if (!$held($one)) return false; return true; }
        private static function sorted($all) { \sort($all); return $all; }
    }
    final class Constraint {
        private ?\Closure $held = null;
        public function __construct(private string $name, private array $given) {}
        public static function of(callable $held): self { $made = new self("", []); $made->held = $held(...); return $made; }
        public function holds($value): bool { if ($this->held) return (bool) ($this->held)($value); try { Base::judgeHIDDEN($this->name, [...$this->given, $value]); return true; } catch (Failed) { return false; } }
    }
    //MOCKS
    final class Expectation {
        private const CHECKS = ["toBe" => "assertSame", "toEqual" => "assertEquals", "toBeTrue" => "assertTrue", "toBeFalse" => "assertFalse", "toBeNull" => "assertNull", "toBeEmpty" => "assertEmpty", "toHaveCount" => "assertCount", "toBeInstanceOf" => "assertInstanceOf", "toBeGreaterThan" => "assertGreaterThan", "toBeGreaterThanOrEqual" => "assertGreaterThanOrEqual", "toBeLessThan" => "assertLessThan", "toBeLessThanOrEqual" => "assertLessThanOrEqual", "toHaveKey" => "assertArrayHasKey", "toBeInt" => "assertIsInt", "toBeString" => "assertIsString", "toBeArray" => "assertIsArray", "toBeFloat" => "assertIsFloat", "toBeBool" => "assertIsBool", "toMatch" => "assertMatchesRegularExpression", "toStartWith" => "assertStringStartsWith", "toEndWith" => "assertStringEndsWith", "toEqualCanonicalizing" => "assertEqualsCanonicalizing"];
        private bool $not = false;
        public function __construct(private $value) {}
        public function __get(string $name) { if ($name === "not") $this->not = !$this->not; return $this; }
        public function and($value): self { return new self($value); }
        public function not(): self { $this->not = !$this->not; return $this; }
        public function __call(string $name, array $given): self {
            $held = match (true) {
                $name === "toThrow" => $this->throws($given[0] ?? \Throwable::class, $given[1] ?? ""),
                $name === "toContain" => \is_string($this->value) ? \str_contains($this->value, $given[0]) : \in_array($given[0], [...$this->value], true),
                $name === "toBeTruthy" => (bool) $this->value, $name === "toBeFalsy" => !$this->value,
                $name === "toEqualWithDelta" => \abs($this->value - $given[0]) <= $given[1],
                isset(self::CHECKS[$name]) => (new Constraint(self::CHECKS[$name], $given))->holds($this->value),
            };
            if ($held === $this->not) throw new Failed("expect(" . \substr(\var_export($this->value, true), 0, 60) . ")->" . ($this->not ? "not->" : "") . $name);
            $this->not = false;
            return $this;
        }
        private function throws(string $kind, string $text): bool {
            try { ($this->value)(); } catch (\Throwable $error) { return \class_exists($kind) || \interface_exists($kind) ? $error instanceof $kind && \str_contains($error->getMessage(), $text) : \str_contains($error->getMessage(), $kind); }
            return false;
        }
    }
    final class Pest {  // its functions run what they are given at once
        private static array $before = [];
        public static function beforeEach(callable $body): void { self::$before[] = $body; }
        public static function afterEach(callable $body): void {}
        public static function test(string $name, ?callable $body = null): self { if ($body === null) throw new Skipped("todo"); self::run($body); return new self($body); }
        public static function it(string $name, ?callable $body = null): self { return self::test($name, $body); }
        public static function describe(string $name, callable $body): void { $kept = self::$before; try { $body(); } finally { self::$before = $kept; } }
        public static function expect($value = null): Expectation { return new Expectation($value); }
        private static function run(callable $body, array $row = []): void {
            $case = new class extends Base { public array $own = []; public function &__get(string $name) { return $this->own[$name]; } public function __set(string $name, $value): void { $this->own[$name] = $value; } };
            foreach ([...self::$before, $body] as $one) { $bound = $one instanceof \Closure ? (@\Closure::bind($one, $case) ?? $one) : $one; $bound(...($one === $body ? $row : [])); }
        }
        private function __construct(private $body) {}
        public function with(iterable $rows): self { foreach ($rows as $row) self::run($this->body, (array) $row); return $this; }
        public function __call(string $name, array $given): self { return $this; }
    }
    Ours::begin();
    \register_shutdown_function(static function () { $error = \error_get_last(); if ($error && $error["type"] === E_PARSE) Ours::say("load", "error", $error["message"]); });
    \set_error_handler(static function ($level, $text) { return true; }, E_DEPRECATED | E_NOTICE | E_USER_DEPRECATED);
}
namespace {
    try { require __DIR__ . "/v" . \HIDDEN\Ours::$variant . ".php"; }
    catch (\Throwable $error) { \HIDDEN\Ours::say("load", "error", get_class($error) . ": " . $error->getMessage()); exit(0); }
    try { require __DIR__ . "/t.php"; }
    catch (\Throwable $error) { \HIDDEN\Ours::say("load", "error", "before the tests: " . $error->getMessage()); exit(0); }
    $listedTestsOfOurs = json_decode('JSON_OF_TESTS', true);
    foreach (\HIDDEN\Ours::$reversed ? array_reverse($listedTestsOfOurs) : $listedTestsOfOurs as [$number, $owner, $method, $provider, $producers]) {
        \HIDDEN\Ours::now($number, static fn () => \HIDDEN\Base::rowsHIDDEN($owner, $method, $provider, $producers));
    }
}
