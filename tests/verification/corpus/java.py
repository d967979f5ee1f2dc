from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """import java.util.List;

public class Numbers {
    public static int clamp(int x, int low, int high) {
        if (low > high) {
            throw new IllegalArgumentException("low > high");
        }
        if (x < low) {
            return low;
        }
        if (x > high) {
            return high;
        }
        return x;
    }
}
"""
UNIT = """import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.*;

public class NumbersTest {
    private int high;

    @BeforeEach
    void setUp() {
        high = 7;
    }

    @Test
    void inside() {
        assertEquals(5, Numbers.clamp(5, 0, high));
    }

    @Test
    void ends() {
        assertEquals(7, Numbers.clamp(9, 0, high));
        assertTrue(Numbers.clamp(-9, 0, high) == 0);
    }

    @Test
    void error() {
        assertThrows(IllegalArgumentException.class, () -> Numbers.clamp(1, 3, 2));
    }
}
"""
PLAIN = """public class Main {
    public static void main(String[] args) {
        assert Numbers.clamp(5, 0, 10) == 5;
        assert Numbers.clamp(11, 0, 10) == 10 : "high";
        if (Numbers.clamp(-1, 0, 10) != 0) throw new AssertionError("low");
        System.out.println("ok");
    }
}
"""
STYLES = {
    "param": """import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import static org.junit.jupiter.api.Assertions.assertEquals;

class NumbersTest {
    @ParameterizedTest
    @CsvSource({"5, 5", "11, 10", "-1, 0"})
    void clamps(int x, int want) {
        assertEquals(want, Numbers.clamp(x, 0, 10));
    }
    @ParameterizedTest
    @ValueSource(ints = {11, 12})
    void high(int x) { assertEquals(10, Numbers.clamp(x, 0, 10)); }
}
""",
    "junit4": """package com.example;
import org.junit.*;
import static org.junit.Assert.*;

public class NumbersTest {
    private int high;
    @Before
    public void setUp() { high = 10; }
    @Test
    public void testHigh() { assertEquals("high", 10, Numbers.clamp(11, 0, high)); }
    @Test(expected = IllegalArgumentException.class)
    public void testThrows() { Numbers.clamp(1, 3, 2); }
    @After
    public void tearDown() { }
}
""",
    "nested": """import org.junit.jupiter.api.*;
import static org.junit.jupiter.api.Assertions.*;
@DisplayName("Numbers")
class NumbersTest {
    @Nested
    class High {
        @Test
        @DisplayName("above")
        void above() { assertEquals(10, Numbers.clamp(11, 0, 10)); }
    }
    @Test
    void below() { assertEquals(0, Numbers.clamp(-1, 0, 10)); }
}
""",
    "static helper": """public class NumbersTest {
    private static int failures = 0;
    private static void check(boolean ok, String name) {
        if (!ok) { System.out.println("FAIL " + name); failures++; }
    }
    public static void main(String[] args) {
        check(Numbers.clamp(11, 0, 10) == 10, "high");
        check(Numbers.clamp(-1, 0, 10) == 0, "low");
        if (failures > 0) { System.exit(1); }
        System.out.println("ok");
    }
}
""",
    "methods by main": """public class NumbersTest {
    static void testHigh() {
        int got = Numbers.clamp(11, 0, 10);
        if (got != 10) throw new AssertionError("got " + got);
    }
    static void testLow() { assert Numbers.clamp(-1, 0, 10) == 0; }
    public static void main(String[] args) {
        testHigh();
        testLow();
        System.out.println("All tests passed!");
    }
}
""",
    "methodsource": """import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;
import java.util.stream.Stream;
import static org.junit.jupiter.api.Assertions.*;
class NumbersTest {
    static Stream<Arguments> cases() { return Stream.of(Arguments.of(11, 10), Arguments.of(-1, 0)); }
    @ParameterizedTest
    @MethodSource("cases")
    void clamps(int x, int want) { assertEquals(want, Numbers.clamp(x, 0, 10)); }
}
""",
}
CASES = [
    Case("AssertJ", "java", CLAMP, "import static org.assertj.core.api.Assertions.assertThat;\n" + UNIT, "not_verifiable", "elsewhere"),
    *(Case(name, "java", CLAMP, tests, "passed", "right") for name, tests in STYLES.items()),
    Case("JUnit 5", "java", CLAMP, UNIT, "passed", "right"),
    Case("main", "java", CLAMP, PLAIN, "passed", "right", True),
    Case("bare asserts", "java", CLAMP, "assert Numbers.clamp(11, 0, 10) == 10;\nassert Numbers.clamp(-1, 0, 10) == 0;\n", "passed", "right"),
    Case("asserts nothing", "java", CLAMP, UNIT.replace("assertEquals(", "String.valueOf(").replace("assertTrue(", "String.valueOf(").replace("(5, N", "(N").replace("(7, N", "(N").replace("assertThrows(IllegalArgumentException.class, () -> Numbers.clamp(1, 3, 2))", "int x = 1"), "tests_vacuous", "vacuous"),
    Case("equal to itself", "java", CLAMP, "assert Numbers.clamp(3, 0, 10) == Numbers.clamp(3, 0, 10);\n", "tests_vacuous", "vacuous"),
    Case("off by one", "java", CLAMP.replace("x > high", "x >= high + 2"), PLAIN, "tests_failed", "wrong"),
    Case("leaves", "java", "class Numbers { static int clamp(int x, int l, int h) { System.exit(0); return 0; } }\n", PLAIN, "tests_failed", "hostile"),
    Case("halts", "java", "class Numbers { static int clamp(int x, int l, int h) { Runtime.getRuntime().halt(0); return 0; } }\n", PLAIN, "tests_failed", "hostile"),
    Case("syntax", "java", "class Numbers { static int clamp(int x { }\n", PLAIN, "tests_failed", "wrong"),
]  # fmt: skip
