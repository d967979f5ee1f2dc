    // What `createMock` and `createStub` give: an object of a class, whose methods do what a test says.
    trait Double {
        private array $callsHIDDEN = [];
        private static int $countHIDDEN = 0;
        public function method($name): Call { return $this->expects([0, \PHP_INT_MAX])->method($name); }
        public function expects(array $count): Call { return $this->callsHIDDEN[] = new Call($count, $this); }
        public function verifyHIDDEN(): void { foreach ($this->callsHIDDEN as $call) $call->verify(); }
        public function calledHIDDEN(string $name, array $given, $default) {
            $known = \array_filter($this->callsHIDDEN, static fn ($call) => $call->is($name));
            foreach ($known as $call) if ($call->fits($given)) return $call->result($given, $default);
            if ($known) throw new Failed("$name was called with other arguments");
            return $default;
        }
        public static function of(string $kind): object {
            $class = new \ReflectionClass($kind);
            $methods = \array_filter($class->getMethods(), static fn ($one) => !$one->isFinal() && !$one->isStatic() && !$one->isPrivate() && !$one->isConstructor() && !\str_starts_with($one->name, "__"));
            $name = "DoubleHIDDEN" . self::$countHIDDEN++;
            $above = ($class->isInterface() ? "implements \\" : "extends \\") . $class->name;
            eval("class $name $above { use \\HIDDEN\\Double; " . \implode(" ", \array_map(self::written(...), $methods)) . " }");
            return (new \ReflectionClass($name))->newInstanceWithoutConstructor();
        }
        private static function written(\ReflectionMethod $one): string {
            $type = $one->getReturnType();
            $parameters = \implode(", ", \array_map(static fn ($given) => ($given->getType() ? self::named($given->getType()) . " " : "") . ($given->isPassedByReference() ? "&" : "") . ($given->isVariadic() ? "..." : "") . "$" . $given->name . ($given->isDefaultValueAvailable() ? " = " . \var_export($given->getDefaultValue(), true) : ""), $one->getParameters()));
            $call = "\$this->calledHIDDEN('$one->name', \\func_get_args(), " . self::neutral($type) . ");";
            $kept = $type && \in_array((string) $type, ["void", "never"], true) ? "" : "return ";
            $seen = $one->isProtected() ? "protected" : "public";
            return "$seen function $one->name($parameters)" . ($type ? ": " . self::named($type) : "") . " { $kept$call }";
        }
        private static function named(\ReflectionType $type): string {
            return \preg_replace_callback('/\\w[\\w\\\\]*/', static fn ($found) => \class_exists($found[0]) || \interface_exists($found[0]) ? "\\$found[0]" : $found[0], (string) $type);
        }
        private static function neutral(?\ReflectionType $type): string {
            if (!$type instanceof \ReflectionNamedType || $type->allowsNull()) return "null";
            return match ($type->getName()) {
                "int" => "0", "float" => "0.0", "string" => "''", "bool", "false" => "false", "true" => "true", "array", "iterable" => "[]", "self", "static" => "\$this", "void", "never", "mixed", "object", "callable" => "null",
                default => "\\HIDDEN\\Doubles::of(\\" . $type->getName() . "::class)",
            };
        }
    }
    final class Doubles { use Double; }
    final class Call {
        private $name = null; private ?array $with = null; private array $results = []; private int $calls = 0;
        public function __construct(private array $count, private object $owner) {}
        public function method($name): self { $this->name = $name; return $this; }
        public function with(...$given): self { $this->with = $given; return $this; }
        public function withAnyParameters(): self { return $this; }
        public function willReturn(...$values): self { foreach ($values as $value) $this->results[] = static fn () => $value; return $this; }
        public function willReturnOnConsecutiveCalls(...$values): self { return $this->willReturn(...$values); }
        public function willReturnCallback(callable $body): self { $this->results = [$body]; return $this; }
        public function willReturnArgument(int $at): self { return $this->willReturnCallback(static fn (...$given) => $given[$at]); }
        public function willReturnSelf(): self { return $this->willReturn($this->owner); }
        public function willReturnMap(array $rows): self { return $this->willReturnCallback(static function (...$given) use ($rows) { foreach ($rows as $row) { $value = \array_pop($row); if ($row === $given) return $value; } return null; }); }
        public function willThrowException(\Throwable $error): self { return $this->willReturnCallback(static fn () => throw $error); }
        public function will(callable $body): self { return $this->willReturnCallback($body); }
        public function is(string $name): bool { return $this->name instanceof Constraint ? $this->name->holds($name) : \strcasecmp((string) $this->name, $name) === 0; }
        public function fits(array $given): bool {
            foreach ($this->with ?? [] as $at => $wanted) if (!\array_key_exists($at, $given) || !($wanted instanceof Constraint ? $wanted : new Constraint("assertEquals", [$wanted]))->holds($given[$at])) return false;
            return true;
        }
        public function result(array $given, $default) {
            $this->calls++;
            if ($this->calls > $this->count[1]) throw new Failed("$this->name was called too often");
            $body = $this->results[\min($this->calls, \count($this->results)) - 1] ?? null;
            return $body ? $body(...$given) : $default;
        }
        public function verify(): void { if ($this->calls < $this->count[0]) throw new Failed("$this->name was called $this->calls times, not {$this->count[0]}"); }
    }
    final class Builder {
        public function __construct(private \Closure $make) {}
        public function getMock(): object { return ($this->make)(); }
        public function getMockForAbstractClass(): object { return ($this->make)(); }
        public function __call(string $name, array $given): self { return $this; }
    }
