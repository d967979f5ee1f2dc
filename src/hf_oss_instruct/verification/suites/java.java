class VerificationHarness {
    static class Failed extends java.lang.AssertionError { Failed(String text) { super(text); } }
    static class Skipped extends RuntimeException { Skipped(String text) { super(text); } }
    interface Body { void run() throws Throwable; }
    interface Giving<T> { T get() throws Throwable; }
    @SuppressWarnings("unchecked") static <E extends Throwable> RuntimeException sneaky(Throwable error) throws E { throw (E) error; }
    static void check(boolean held) { if (!held) throw new Failed("assert"); }
    static void fail(Object... text) { throw new Failed(text.length > 0 ? String.valueOf(text[0]) : "fail"); }
    private static java.io.FileOutputStream channel;
    static synchronized void say(String nonce, int test, String status, String detail) {
        StringBuilder text = new StringBuilder();
        for (char c : (detail.length() > 200 ? detail.substring(0, 200) : detail).toCharArray()) text.append(c < 32 || c > 126 || c == '"' || c == '\\' ? ' ' : c);
        try { channel.write(("\n" + nonce + " " + test + " " + status + " \"" + text + "\"\n").getBytes()); } catch (java.io.IOException error) { Runtime.getRuntime().halt(1); }
    }
    static abstract class Table { abstract int count(); abstract void run(int variant, int test) throws Throwable; }
    static class Result implements Runnable {
        final Table table;
        final int variant, test;
        volatile String status = "failed", detail = "timeout";
        Result(Table table, int variant, int test) { this.table = table; this.variant = variant; this.test = test; }
        public void run() {
            try { table.run(variant, test); detail = ""; status = "passed"; }
            catch (Skipped error) { detail = String.valueOf(error.getMessage()); status = "skipped"; }
            catch (Throwable error) { detail = error.getClass().getName() + ": " + error.getMessage(); }
        }
    }
    static void main(Table table) throws Exception {
        String[] given = new String(System.in.readAllBytes()).trim().split(" ");
        String nonce = given[0];
        int variant = Integer.parseInt(given[1]), first = Integer.parseInt(given[2]), count = table.count();
        boolean reversed = "1".equals(given[3]);
        System.setIn(new java.io.ByteArrayInputStream(new byte[0]));
        channel = new java.io.FileOutputStream(java.io.FileDescriptor.out);
        System.setOut(new java.io.PrintStream(java.io.OutputStream.nullOutputStream()));
        for (int step = first; step < count; step++) {
            int test = reversed ? count - 1 - (step - first) : step;
            Result result = new Result(table, variant, test);
            Thread thread = new Thread(null, result, "test", 64 << 20);
            thread.setDaemon(true);
            thread.start();
            thread.join(6000);
            boolean late = thread.isAlive();
            say(nonce, test, late ? "failed" : result.status, late ? "timeout" : result.detail);
        }
        Runtime.getRuntime().halt(0);
    }
}
class VerificationAssertions {
    static boolean same(Object a, Object b) {
        if (a instanceof Object[] && b instanceof Object[]) return java.util.Arrays.deepEquals((Object[]) a, (Object[]) b);
        if (a != null && b != null && a.getClass().isArray() && b.getClass().isArray()) return java.util.Arrays.deepEquals(new Object[] {a}, new Object[] {b});
        if (a instanceof Number && b instanceof Number && a.getClass() != b.getClass() && !(a instanceof Double || a instanceof Float || b instanceof Double || b instanceof Float)) return ((Number) a).longValue() == ((Number) b).longValue();
        if (a instanceof Number && b instanceof Number && a.getClass() != b.getClass()) return ((Number) a).doubleValue() == ((Number) b).doubleValue();
        return java.util.Objects.equals(a, b);
    }
    static class Arguments {
        final Object[] all;
        Arguments(Object[] all) { this.all = all; }
        static Arguments of(Object... all) { return new Arguments(all); }
        static Arguments arguments(Object... all) { return new Arguments(all); }
    }
    static Arguments arguments(Object... all) { return new Arguments(all); }
    static void each(Object owner, String name, Object rows) throws Throwable {
        Iterable<?> all = rows instanceof java.util.stream.Stream ? ((java.util.stream.Stream<?>) rows).collect(java.util.stream.Collectors.toList())
            : rows instanceof Iterable ? (Iterable<?>) rows
            : java.util.stream.IntStream.range(0, java.lang.reflect.Array.getLength(rows)).mapToObj(at -> java.lang.reflect.Array.get(rows, at)).collect(java.util.stream.Collectors.toList());
        boolean any = false;
        for (java.lang.reflect.Method method : owner.getClass().getDeclaredMethods()) {
            if (!method.getName().equals(name)) continue;
            method.setAccessible(true);
            for (Object row : all) {
                any = true;
                try { method.invoke(owner, row instanceof Arguments ? ((Arguments) row).all : row instanceof Object[] ? (Object[]) row : new Object[] {row}); }
                catch (java.lang.reflect.InvocationTargetException error) { throw error.getCause(); }
            }
        }
        hold(any, "no case");
    }
    static void hold(boolean held, String text) { if (!held) throw new VerificationHarness.Failed(text); }
    static void assertEquals(Object a, Object b) { hold(same(a, b), "expected " + a + ", got " + b); }
    static void assertEquals(Object a, Object b, String text) { assertEquals(a, b); }
    static void assertEquals(String text, Object a, Object b) { assertEquals(a, b); }
    static void assertEquals(double a, double b, double most) { hold(Math.abs(a - b) <= most || Double.compare(a, b) == 0, "expected " + a + ", got " + b); }
    static void assertEquals(double a, double b, double most, String text) { assertEquals(a, b, most); }
    static void assertNotEquals(Object a, Object b) { hold(!same(a, b), "both are " + a); }
    static void assertTrue(boolean held) { hold(held, "assertTrue"); }
    static void assertTrue(boolean held, String text) { hold(held, text); }
    static void assertTrue(String text, boolean held) { hold(held, text); }
    static void assertFalse(boolean held) { hold(!held, "assertFalse"); }
    static void assertFalse(boolean held, String text) { hold(!held, text); }
    static void assertFalse(String text, boolean held) { hold(!held, text); }
    static void assertNull(Object a) { hold(a == null, "assertNull"); }
    static void assertNull(Object a, String text) { hold(a == null, text); }
    static void assertNotNull(Object a) { hold(a != null, "assertNotNull"); }
    static void assertNotNull(Object a, String text) { hold(a != null, text); }
    static void assertSame(Object a, Object b) { hold(a == b, "assertSame"); }
    static void assertNotSame(Object a, Object b) { hold(a != b, "assertNotSame"); }
    static void assertArrayEquals(Object a, Object b) { hold(same(a, b), "assertArrayEquals"); }
    static void assertArrayEquals(Object a, Object b, String text) { hold(same(a, b), text); }
    static void assertArrayEquals(double[] a, double[] b, double most) { hold(a.length == b.length, "length"); for (int i = 0; i < a.length; i++) assertEquals(a[i], b[i], most); }
    static void assertIterableEquals(Iterable<?> a, Iterable<?> b) { java.util.List<Object> one = new java.util.ArrayList<>(), other = new java.util.ArrayList<>(); a.forEach(one::add); b.forEach(other::add); hold(one.equals(other), "assertIterableEquals"); }
    static <T extends Throwable> T assertThrows(Class<T> kind, VerificationHarness.Body body) {
        try { body.run(); } catch (Throwable error) { if (kind.isInstance(error)) return kind.cast(error); throw new VerificationHarness.Failed("another exception: " + error); }
        throw new VerificationHarness.Failed(kind + " was not thrown");
    }
    static <T extends Throwable> T assertThrows(Class<T> kind, VerificationHarness.Body body, String text) { return assertThrows(kind, body); }
    static <T extends Throwable> T assertThrowsExactly(Class<T> kind, VerificationHarness.Body body) { T error = assertThrows(kind, body); hold(error.getClass() == kind, "another exception: " + error); return error; }
    static <T extends Throwable> T assertThrows(Class<T> kind, VerificationHarness.Body body, java.util.function.Supplier<String> text) { return assertThrows(kind, body); }
    static void assertDoesNotThrow(VerificationHarness.Body body) { try { body.run(); } catch (Throwable error) { throw VerificationHarness.<RuntimeException>sneaky(error); } }
    static <T> T assertDoesNotThrow(VerificationHarness.Giving<T> body) { try { return body.get(); } catch (Throwable error) { throw VerificationHarness.<RuntimeException>sneaky(error); } }
    static void assertDoesNotThrow(VerificationHarness.Body body, String text) { assertDoesNotThrow(body); }
    static void assertAll(VerificationHarness.Body... bodies) { for (VerificationHarness.Body body : bodies) assertDoesNotThrow(body); }
    static void assertAll(String text, VerificationHarness.Body... bodies) { assertAll(bodies); }
    static void assertAll(java.util.Collection<? extends VerificationHarness.Body> bodies) { for (VerificationHarness.Body body : bodies) assertDoesNotThrow(body); }
    static void assertAll(java.util.stream.Stream<? extends VerificationHarness.Body> bodies) { bodies.forEach(body -> assertDoesNotThrow(body)); }
    static <T> T assertInstanceOf(Class<T> kind, Object value) { hold(kind.isInstance(value), value + " is no " + kind); return kind.cast(value); }
    static <T> T assertInstanceOf(Class<T> kind, Object value, String text) { return assertInstanceOf(kind, value); }
    static void assertTimeout(java.time.Duration most, VerificationHarness.Body body) { long began = System.nanoTime(); assertDoesNotThrow(body); hold(System.nanoTime() - began <= most.toNanos(), "it took longer than " + most); }
    static void assertTimeoutPreemptively(java.time.Duration most, VerificationHarness.Body body) { assertTimeout(most, body); }
    static void assertLinesMatch(java.util.List<String> a, java.util.List<String> b) { hold(a.size() == b.size(), "another number of lines"); for (int i = 0; i < a.size(); i++) hold(a.get(i).equals(b.get(i)) || b.get(i).matches(a.get(i)), a.get(i) + " is not " + b.get(i)); }
    static void assertEquals(Object a, Object b, java.util.function.Supplier<String> text) { assertEquals(a, b); }
    static void assertEquals(String text, double a, double b, double most) { assertEquals(a, b, most); }
    static void assertNotEquals(Object a, Object b, String text) { assertNotEquals(a, b); }
    static void assertNotEquals(String text, Object a, Object b) { assertNotEquals(a, b); }
    static void assertNotEquals(double a, double b, double most) { hold(Math.abs(a - b) > most, "both are " + a); }
    static void assertTrue(boolean held, java.util.function.Supplier<String> text) { hold(held, text.get()); }
    static void assertFalse(boolean held, java.util.function.Supplier<String> text) { hold(!held, text.get()); }
    static void assertTrue(java.util.function.BooleanSupplier held) { hold(held.getAsBoolean(), "assertTrue"); }
    static void assertFalse(java.util.function.BooleanSupplier held) { hold(!held.getAsBoolean(), "assertFalse"); }
    static void assertNull(String text, Object a) { hold(a == null, text); }
    static void assertNotNull(String text, Object a) { hold(a != null, text); }
    static void assertSame(Object a, Object b, String text) { hold(a == b, text); }
    static void assertNotSame(Object a, Object b, String text) { hold(a != b, text); }
    static void assertArrayEquals(String text, Object a, Object b) { hold(same(a, b), text); }
    static void assertIterableEquals(Iterable<?> a, Iterable<?> b, String text) { assertIterableEquals(a, b); }
    static void assumeTrue(boolean held) { if (!held) throw new VerificationHarness.Skipped("assumption"); }
    static void assumeTrue(boolean held, String text) { assumeTrue(held); }
    static void assumeFalse(boolean held) { assumeTrue(!held); }
    static void abort() { assumeTrue(false); }
    static void fail(String text, Throwable cause) { throw new VerificationHarness.Failed(text); }
    static void fail(Throwable cause) { throw new VerificationHarness.Failed(String.valueOf(cause)); }
    static java.nio.file.Path folder() { try { return java.nio.file.Files.createTempDirectory("test"); } catch (java.io.IOException error) { throw new java.io.UncheckedIOException(error); } }
    static void fail() { throw new VerificationHarness.Failed("fail"); }
    static void fail(String text) { throw new VerificationHarness.Failed(text); }
}
