"""Java: an inventory, a median and a parser, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = """import java.util.*;
import java.util.stream.Collectors;

class OutOfStockException extends RuntimeException {
    OutOfStockException(String message) {
        super(message);
    }
}

public class Inventory {
    private final Map<String, Integer> counts = new TreeMap<>();

    public Inventory() {
    }

    public Inventory(Map<String, Integer> counts) {
        this.counts.putAll(counts);
    }

    public void add(String name, int count) {
        if (count <= 0) {
            throw new IllegalArgumentException("count must be positive, got " + count);
        }
        counts.merge(name, count, Integer::sum);
    }

    public int remove(String name, int count) {
        int have = counts.getOrDefault(name, 0);
        if (count > have) {
            throw new OutOfStockException("only " + have + " of " + name);
        }
        counts.put(name, have - count);
        return have - count;
    }

    public int total() {
        return counts.values().stream().mapToInt(Integer::intValue).sum();
    }

    public boolean has(String name) {
        return counts.getOrDefault(name, 0) > 0;
    }

    public List<String> names() {
        return counts.keySet().stream().filter(this::has).collect(Collectors.toList());
    }

    public static Optional<Double> median(List<Integer> values) {
        if (values.isEmpty()) {
            return Optional.empty();
        }
        List<Integer> ordered = new ArrayList<>(values);
        Collections.sort(ordered);
        int middle = ordered.size() / 2;
        if (ordered.size() % 2 == 1) {
            return Optional.of((double) ordered.get(middle));
        }
        return Optional.of((ordered.get(middle - 1) + ordered.get(middle)) / 2.0);
    }

    public static Map<String, Integer> parsePairs(String text) {
        Map<String, Integer> found = new HashMap<>();
        for (String part : text.split(";")) {
            if (part.isBlank()) {
                continue;
            }
            String[] sides = part.split("=", 2);
            if (sides.length != 2 || !sides[1].trim().matches("-?\\\\d+")) {
                throw new IllegalArgumentException("bad pair: " + part);
            }
            found.put(sides[0].trim(), Integer.parseInt(sides[1].trim()));
        }
        return found;
    }
}
"""
WRONG = {
    "the last one cannot be removed": ("if (count > have)", "if (count >= have)"),
    "upper median": ("(ordered.get(middle - 1) + ordered.get(middle)) / 2.0", "(double) ordered.get(middle)"),
    "no negative numbers": ('"-?\\\\d+"', '"\\\\d+"'),
}
FULL = {
    "JUnit 5": """
package com.example.inventory;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

@DisplayName("Inventory")
class InventoryTest {
    private static List<Integer> even;
    private Inventory inventory;

    @BeforeAll
    static void prepare() {
        even = List.of(2, 1);
    }

    @BeforeEach
    void setUp() {
        inventory = new Inventory(Map.of("apple", 3));
    }

    @AfterEach
    void tearDown() {
        inventory = null;
    }

    @Test
    @DisplayName("removes all")
    void removesAll() {
        assertEquals(0, inventory.remove("apple", 3), "none is left");
        assertFalse(inventory.has("apple"));
        assertTrue(inventory.names().isEmpty());
    }

    @Test
    void throwsWhenThereIsTooLittle() {
        OutOfStockException error = assertThrows(OutOfStockException.class, () -> inventory.remove("apple", 4));
        assertEquals("only 3 of apple", error.getMessage());
    }

    @ParameterizedTest(name = "count {0}")
    @ValueSource(ints = {0, -1})
    void badCounts(int count) {
        assertThrows(IllegalArgumentException.class, () -> inventory.add("pear", count));
    }

    @ParameterizedTest
    @CsvSource({"a=-1, a, -1", "'b=2;c=3', c, 3"})
    void pairs(String text, String name, int expected) {
        assertEquals(expected, Inventory.parsePairs(text).get(name));
    }

    @Nested
    class Median {
        @Test
        void all() {
            assertAll(
                "medians",
                () -> assertEquals(Optional.of(1.5), Inventory.median(even)),
                () -> assertEquals(Optional.empty(), Inventory.median(List.of())),
                () -> assertEquals(2.0, Inventory.median(List.of(3, 1, 2)).get(), 1e-9)
            );
        }
    }
}
""",
    "JUnit 4": """
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.fail;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

@RunWith(JUnit4.class)
public class InventoryTest {
    private Inventory inventory;

    @Before
    public void setUp() {
        inventory = new Inventory();
        inventory.add("bolt", 5);
    }

    @Test
    public void testRemove() {
        assertEquals("left", 0, inventory.remove("bolt", 5));
        assertFalse("gone", inventory.has("bolt"));
    }

    @Test(expected = OutOfStockException.class)
    public void testRemoveTooMany() {
        inventory.remove("bolt", 6);
    }

    @Test(timeout = 1000)
    public void testMedian() {
        assertEquals(1.5, Inventory.median(Arrays.asList(1, 2)).get(), 0.0001);
        assertNotNull(Inventory.median(Arrays.asList()));
    }

    @Test
    public void testParse() {
        Map<String, Integer> expected = new HashMap<>();
        expected.put("n", -4);
        assertEquals(expected, Inventory.parsePairs("n=-4"));
        try {
            Inventory.parsePairs("oops");
            fail("Expected an exception");
        } catch (IllegalArgumentException e) {
            assertEquals("bad pair: oops", e.getMessage());
        }
    }
}
""",
    "JUnit with the class before its assertions": """
import org.junit.jupiter.api.*;
import java.util.*;

public class InventoryTests {
    @Test
    public void testRemove() {
        Inventory inv = new Inventory();
        inv.add("a", 1);
        Assertions.assertEquals(0, inv.remove("a", 1));
    }

    @Test
    public void testMedian() {
        Assertions.assertEquals(2.5, Inventory.median(Arrays.asList(1, 2, 3, 4)).orElseThrow(), 1e-6);
        Assertions.assertTrue(Inventory.median(new ArrayList<>()).isEmpty());
    }

    @Test
    public void testPairs() {
        Assertions.assertEquals(Map.of("x", -1), Inventory.parsePairs("x=-1"));
        Assertions.assertThrows(IllegalArgumentException.class, () -> {
            Inventory.parsePairs("x=y");
        });
    }
}
""",
    "main with asserts": """
import java.util.*;

public class Main {
    public static void main(String[] args) {
        // Test 1
        Inventory inv = new Inventory();
        inv.add("a", 2);
        assert inv.total() == 2 : "total";
        assert inv.remove("a", 2) == 0 : "remove";

        // Test 2
        List<Integer> values = Arrays.asList(4, 1);
        assert Inventory.median(values).get() == 2.5;

        // Test 3
        assert Inventory.parsePairs("a=-1").get("a") == -1;
        System.out.println("All tests passed");
    }
}
""",
    "main with ifs that throw": """
import java.util.List;

public class InventoryTest {
    public static void main(String[] args) {
        Inventory inventory = new Inventory();
        inventory.add("a", 1);
        int left = inventory.remove("a", 1);
        if (left != 0) {
            throw new RuntimeException("Test failed: " + left);
        }
        if (!Inventory.median(List.of(1, 2)).get().equals(1.5)) {
            throw new AssertionError("median");
        }
        if (Inventory.parsePairs("a=-7").get("a") != -7) {
            System.err.println("pairs");
            System.exit(1);
        }
        try {
            inventory.remove("a", 1);
            throw new AssertionError("an exception was expected");
        } catch (OutOfStockException expected) {
            System.out.println("ok");
        }
    }
}
""",
    "an assertEquals of their own": """
import java.util.*;

public class TestInventory {
    private static void assertEquals(Object expected, Object actual) {
        if (!Objects.equals(expected, actual)) {
            throw new AssertionError("Expected " + expected + " but got " + actual);
        }
    }

    static void testRemove() {
        Inventory inv = new Inventory(new HashMap<>(Map.of("a", 1)));
        assertEquals(0, inv.remove("a", 1));
    }

    static void testMedian() {
        assertEquals(Optional.of(3.5), Inventory.median(List.of(3, 4)));
    }

    static void testPairs() {
        assertEquals(Map.of("q", -2, "r", 1), Inventory.parsePairs("q=-2;r=1"));
    }

    public static void main(String[] args) {
        testRemove();
        testMedian();
        testPairs();
        System.out.println("All tests passed!");
    }
}
""",
    "a counting check": """
import java.util.*;

public class Tests {
    static int passed = 0, failed = 0;

    static void check(String name, boolean ok) {
        if (ok) {
            passed++;
        } else {
            failed++;
            System.out.println("FAILED: " + name);
        }
    }

    public static void main(String[] args) {
        Inventory inv = new Inventory(Map.of("a", 1));
        check("remove", inv.remove("a", 1) == 0);
        check("median", Inventory.median(List.of(1, 2)).get() == 1.5);
        check("pairs", Inventory.parsePairs("a=-3").get("a") == -3);
        System.out.println(passed + " passed, " + failed + " failed");
        if (failed > 0) System.exit(1);
    }
}
""",
    "method sources and enums": """
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import java.util.*;
import java.util.stream.Stream;
import static org.junit.jupiter.api.Assertions.*;

class InventoryParameterizedTest {
    enum Kind { ONE, TWO }

    private static Stream<Arguments> medians() {
        return Stream.of(
            Arguments.of(List.of(1, 2), 1.5),
            Arguments.of(List.of(9), 9.0)
        );
    }

    @ParameterizedTest
    @MethodSource("medians")
    void median(List<Integer> values, double expected) {
        assertEquals(expected, Inventory.median(values).get(), 1e-9);
    }

    @Test
    void other() {
        Inventory inv = new Inventory();
        inv.add(Kind.ONE.name(), Kind.values().length);
        assertEquals(0, inv.remove("ONE", 2));
        assertIterableEquals(List.of(), inv.names());
        assertEquals(-1, Inventory.parsePairs("a=-1").get("a").intValue());
        assertDoesNotThrow(() -> Inventory.parsePairs(""));
        assertArrayEquals(new int[] {1, 2}, new int[] {1, 2});
        assertInstanceOf(Map.class, Inventory.parsePairs(""));
    }
}
""",
    "bare statements": """
Inventory inv = new Inventory();
inv.add("a", 1);
assert inv.remove("a", 1) == 0;
assert Inventory.median(List.of(1, 4)).get() == 2.5;
assert Inventory.parsePairs("b=-1").equals(Map.of("b", -1));
""",
    "bare JUnit assertions": """
import static org.junit.Assert.*;

assertEquals(Integer.valueOf(-1), Inventory.parsePairs("b=-1").get("b"));
assertEquals(2.5, Inventory.median(Arrays.asList(1, 4)).get(), 0.01);
Inventory inv = new Inventory();
inv.add("a", 1);
assertEquals(0, inv.remove("a", 1));
""",
    "test methods alone": """
@Test
public void testRemove() {
    Inventory inv = new Inventory();
    inv.add("a", 1);
    assertEquals(0, inv.remove("a", 1));
}

@Test
public void testMedian() {
    assertEquals(Optional.of(2.5), Inventory.median(List.of(1, 4)));
}

@Test
public void testPairs() {
    assertEquals(-1, Inventory.parsePairs("b=-1").get("b"));
}
""",
    "a loop over cases": """
import java.util.*;

public class CaseTest {
    record Case(List<Integer> values, double expected) {}

    public static void main(String[] args) {
        List<Case> cases = List.of(new Case(List.of(1, 2), 1.5), new Case(List.of(7), 7.0));
        for (Case one : cases) {
            double got = Inventory.median(one.values()).get();
            if (Math.abs(got - one.expected()) > 1e-9) throw new AssertionError(one + ": " + got);
        }
        for (String text : new String[] {"a=-1", "a=-20"}) {
            assert Inventory.parsePairs(text).get("a") < 0;
        }
        Inventory inv = new Inventory(Map.of("x", 2));
        assert inv.remove("x", 2) == 0;
    }
}
""",
}
JUNIT = """import org.junit.jupiter.api.*;
import java.util.*;
import static org.junit.jupiter.api.Assertions.*;

class InventoryTest {
    @Test
    void it() throws Exception {
        %s
    }
}
"""
VACUOUS = {
    "asserts nothing": JUNIT % "Inventory.median(List.of(1, 2));",
    "not null": JUNIT % 'assertNotNull(Inventory.parsePairs("a=1")); assertNotNull(new Inventory());',
    "does not throw": JUNIT % "assertDoesNotThrow(() -> Inventory.median(List.of(1, 2)));",
    "two calls": JUNIT % "assertEquals(Inventory.median(List.of(1)), Inventory.median(List.of(1)));",
    "true": JUNIT % "assertTrue(Inventory.median(List.of(1)).isPresent() || true);",
    "caught": JUNIT % "try { assertEquals(9, new Inventory().total()); } catch (AssertionError e) { System.out.println(e); }",
    "a type": JUNIT % 'assertTrue((Object) Inventory.parsePairs("a=1") instanceof Map);',
    "constants": JUNIT % "Inventory.median(List.of(1)); assertEquals(4, 2 + 2);",
    "disabled": JUNIT.replace("@Test", "@Test\n    @Disabled") % "assertEquals(0, new Inventory().total());",
    "returns": JUNIT
    % "if (args() == null) { return; } assertEquals(1, new Inventory().total()); } static Object args() { return null;",
    "assumed": JUNIT % "Assumptions.assumeTrue(false); assertEquals(0, new Inventory().total());",
    "no case": JUNIT % "for (int x : new int[0]) { assertEquals(x, new Inventory().total()); }",
    "prints": "public class Main { public static void main(String[] args) { System.out.println(new Inventory().total()); } }\n",
    "a lambda that nobody calls": JUNIT % "Runnable check = () -> assertEquals(5, new Inventory().total());",
}
