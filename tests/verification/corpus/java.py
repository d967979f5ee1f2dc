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
CASES = [
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
