"""JUnit 4 and 5: parameterized tests, rules, dynamic and nested tests, and assertions that compare otherwise than one expects."""

from __future__ import annotations

from tests.verification.corpus.cases import Case, adder

CASES: list[Case] = []
add = adder(CASES, "java")

JS = """import java.util.*;

public class RateLimiter {
    private final int capacity;
    private final Deque<Long> hits = new ArrayDeque<>();
    private final long window;

    public RateLimiter(int capacity, long window) {
        if (capacity <= 0) throw new IllegalArgumentException("capacity must be positive");
        this.capacity = capacity;
        this.window = window;
    }

    public boolean allow(long now) {
        while (!hits.isEmpty() && now - hits.peekFirst() >= window) hits.pollFirst();
        if (hits.size() >= capacity) return false;
        hits.addLast(now);
        return true;
    }

    public int used() { return hits.size(); }

    public static Integer count(String text, char c) { int n = 0; for (char x : text.toCharArray()) if (x == c) n++; return n; }
    public static int[] sorted(int... v) { int[] c = v.clone(); Arrays.sort(c); return c; }
    public enum Level { LOW, MID, HIGH; }
    public static Level level(int load) { return load < 10 ? Level.LOW : load < 100 ? Level.MID : Level.HIGH; }
    public static String title(String s) { return s == null || s.isEmpty() ? "" : Character.toUpperCase(s.charAt(0)) + s.substring(1); }
}
"""
JT1 = '''import static org.junit.jupiter.api.Assertions.*;
import org.junit.jupiter.api.*;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;

class RateLimiterTest {
    private RateLimiter limiter;

    @BeforeEach
    void init() { limiter = new RateLimiter(2, 100); }

    @Test
    @DisplayName("allows up to capacity, then refuses")
    void allowsUpToCapacity() {
        assertAll("first two",
            () -> assertTrue(limiter.allow(0)),
            () -> assertTrue(limiter.allow(10)));
        assertFalse(limiter.allow(20), () -> "third must be refused");
        assertEquals(2, limiter.used());
    }

    @Test
    void windowSlides() {
        limiter.allow(0); limiter.allow(10);
        assertTrue(limiter.allow(100));
        assertFalse(limiter.allow(101));
    }

    @ParameterizedTest(name = "{0} -> {1}")
    @CsvSource(delimiter = '|', textBlock = """
        5   | LOW
        10  | MID
        100 | HIGH
        """)
    void levels(int load, RateLimiter.Level expected) { assertEquals(expected, RateLimiter.level(load)); }

    @ParameterizedTest
    @CsvSource({"hello, Hello", "'', ''", "a, A"})
    void titles(String given, String expected) { assertEquals(expected, RateLimiter.title(given)); }

    @ParameterizedTest
    @NullAndEmptySource
    void emptyTitles(String given) { assertEquals("", RateLimiter.title(given)); }

    @Nested
    @DisplayName("construction")
    class Construction {
        @ParameterizedTest
        @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
        void refuses(int capacity) {
            var e = assertThrows(IllegalArgumentException.class, () -> new RateLimiter(capacity, 1));
            assertEquals("capacity must be positive", e.getMessage());
        }
    }
}
'''
add("parameterized csv textblock, enum, nested", "right", JS, JT1)
add("parameterized, > for >=", "wrong", JS.replace(">= window", "> window"), JT1)
JT2 = """import org.junit.Test;
import org.junit.Rule;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.rules.ExpectedException;
import static org.junit.Assert.*;
import static org.hamcrest.CoreMatchers.*;

public class RateLimiterTest {
    @Rule public ExpectedException thrown = ExpectedException.none();
    private static int[] data;
    @BeforeClass public static void load() { data = new int[] {3, 1, 2}; }

    @Test public void sorts() { assertArrayEquals(new int[] {1, 2, 3}, RateLimiter.sorted(data)); }
    @Test public void counts() { assertEquals(Integer.valueOf(2), RateLimiter.count("banal", 'a')); assertThat(RateLimiter.count("abc", 'z'), is(0)); }
    @Test public void refuses() {
        thrown.expect(IllegalArgumentException.class);
        thrown.expectMessage("positive");
        new RateLimiter(0, 5);
    }
    @Test public void slides() { RateLimiter r = new RateLimiter(1, 10); assertTrue(r.allow(0)); assertTrue(r.allow(10)); }
}
"""
JT2b = JT2.replace("import static org.hamcrest.CoreMatchers.*;\n", "").replace(
    " assertThat(RateLimiter.count(\"abc\", 'z'), is(0));", ""
)
add("junit4 ExpectedException rule", "right", JS, JT2b)
add("junit4 rule, no exception", "wrong", JS.replace("if (capacity <= 0) throw", "if (capacity < 0) throw"), JT2b)
add(
    "RepeatedTest, Timeout, TestInfo",
    "right",
    JS,
    """import org.junit.jupiter.api.*;
import java.time.Duration;
import static org.junit.jupiter.api.Assertions.*;
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class T {
    @RepeatedTest(3) void again(RepetitionInfo info) { RateLimiter r = new RateLimiter(info.getCurrentRepetition(), 10); assertTrue(r.allow(1)); assertEquals(1, r.used()); }
    @Test @Order(1) @Timeout(2) void quick(TestInfo info) { assertTimeout(Duration.ofSeconds(1), () -> RateLimiter.sorted(3, 2)); assertEquals(RateLimiter.Level.HIGH, RateLimiter.level(100)); }
    @Test void refuses() { IllegalArgumentException e = Assertions.assertThrows(IllegalArgumentException.class, () -> new RateLimiter(-1, 1), "no"); Assertions.assertTrue(e.getMessage().contains("capacity")); }
    @Test void slides() { var r = new RateLimiter(1, 5); r.allow(0); assertFalse(r.allow(4)); assertTrue(r.allow(5)); }
}
""",
)
add(
    "assertNotEquals of arrays",
    "vacuous",
    JS,
    """import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.*;
class T { @Test void t() { assertNotEquals(new int[] {1, 2}, RateLimiter.sorted(2, 1)); } }
""",
)
add(
    "assertEquals of arrays, which are never equal",
    "wrong",
    JS,
    """import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.*;
class T { @Test void t() { assertEquals(new int[] {1, 2}, RateLimiter.sorted(2, 1)); } }
""",
)
add(
    "a Long is no Integer",
    "wrong",
    JS.replace("public static Integer count", "public static Object count").replace(
        "return n; }\n    public static int[]", "return (long) n; }\n    public static int[]"
    ),
    """import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.*;
class T { @Test void t() { Object got = RateLimiter.count("aab", 'a'); assertEquals(Integer.valueOf(2), got); } }
""",
)
add(
    "dynamic tests",
    "right",
    JS,
    """import org.junit.jupiter.api.*;
import java.util.*;
import java.util.stream.*;
import static org.junit.jupiter.api.Assertions.*;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
class T {
    @TestFactory
    Stream<DynamicTest> levels() {
        Map<Integer, RateLimiter.Level> cases = Map.of(0, RateLimiter.Level.LOW, 10, RateLimiter.Level.MID, 99, RateLimiter.Level.MID, 100, RateLimiter.Level.HIGH);
        return cases.entrySet().stream().map(e -> dynamicTest("load " + e.getKey(), () -> assertEquals(e.getValue(), RateLimiter.level(e.getKey()))));
    }
    @Test void sorted() { assertArrayEquals(new int[]{1, 2}, RateLimiter.sorted(2, 1)); }
}
""",
)
add(
    "assertion in a thread",
    "vacuous",
    JS,
    """import org.junit.jupiter.api.*;
import static org.junit.jupiter.api.Assertions.*;
class T { @Test void t() throws Exception { Thread t = new Thread(() -> assertEquals(99, RateLimiter.sorted(1)[0])); t.start(); t.join(); } }
""",
)
add(
    "order dependent static",
    "flaky",
    JS,
    """import org.junit.jupiter.api.*;
import static org.junit.jupiter.api.Assertions.*;
class T {
  @Test void t() { assertTrue(new java.util.Random().nextInt(3) > 0); assertArrayEquals(new int[]{1,2}, RateLimiter.sorted(2,1)); } }
""",
)
add(
    "MethodSource of another style, EnumSource names, CsvSource nullValues",
    "right",
    JS,
    """import org.junit.jupiter.params.*;
import org.junit.jupiter.params.provider.*;
import java.util.stream.*;
import java.util.*;
import static org.junit.jupiter.api.Assertions.*;
import static org.junit.jupiter.params.provider.Arguments.arguments;
@org.junit.jupiter.api.TestInstance(org.junit.jupiter.api.TestInstance.Lifecycle.PER_CLASS)
class T {
    Stream<Arguments> provide() { return Stream.of(arguments("abc", 'a', 1), arguments("", 'a', 0), arguments("aaa", 'a', 3)); }
    @ParameterizedTest @MethodSource("provide")
    void counts(String text, char c, int n) { assertEquals(n, RateLimiter.count(text, c)); }
    @ParameterizedTest @EnumSource(value = RateLimiter.Level.class, names = {"LOW", "MID"})
    void names(RateLimiter.Level l) { assertNotEquals(RateLimiter.Level.HIGH, l); assertTrue(l.ordinal() < 2); }
    @ParameterizedTest @CsvSource(value = {"null, ''", "word, Word"}, nullValues = "null")
    void titles(String a, String b) { assertEquals(b, RateLimiter.title(a)); }
    @ParameterizedTest @ValueSource(longs = {10L, 11L})
    void slides(long t) { RateLimiter r = new RateLimiter(1, 10); r.allow(0); assertTrue(r.allow(t)); }
}
""",
)
