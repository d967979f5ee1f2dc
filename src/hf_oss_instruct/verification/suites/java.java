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
    static boolean same(Object a, Object b) { return java.util.Arrays.deepEquals(new Object[] {a}, new Object[] {b}); }
    static void hold(boolean held, String text) { if (!held) throw new VerificationHarness.Failed(text); }
    static void areEquals(Object a, Object b) { hold(java.util.Objects.equals(a, b), "expected " + a + ", got " + b); }
    static void areNotEquals(Object a, Object b) { hold(!java.util.Objects.equals(a, b), "both are " + a); }
    static void areNear(double a, double b, double most) { hold(Math.abs(a - b) <= most || Double.compare(a, b) == 0, "expected " + a + ", got " + b); }
    static void areSameItems(double[] a, double[] b, double most) { hold(a.length == b.length, "another length"); for (int i = 0; i < a.length; i++) areNear(a[i], b[i], most); }
    interface Executable extends VerificationHarness.Body { void execute() throws Throwable; default void run() throws Throwable { execute(); } }
    interface ThrowingRunnable extends VerificationHarness.Body {}
    interface ThrowingSupplier<T> extends VerificationHarness.Giving<T> {}
    static class Arguments {
        final Object[] all;
        Arguments(Object[] all) { this.all = all; }
        static Arguments of(Object... all) { return new Arguments(all); }
        static Arguments arguments(Object... all) { return new Arguments(all); }
    }
    static Arguments arguments(Object... all) { return new Arguments(all); }
    static java.util.List<Object> listed(Object rows) {
        java.util.List<Object> all = new java.util.ArrayList<>();
        if (rows instanceof java.util.stream.BaseStream) ((java.util.stream.BaseStream<?, ?>) rows).iterator().forEachRemaining(all::add);
        else if (rows instanceof java.util.Iterator) ((java.util.Iterator<?>) rows).forEachRemaining(all::add);
        else if (rows instanceof Iterable) ((Iterable<?>) rows).forEach(all::add);
        else if (rows.getClass().isArray()) for (int at = 0; at < java.lang.reflect.Array.getLength(rows); at++) all.add(java.lang.reflect.Array.get(rows, at));
        else all.add(rows);
        return all;
    }
    static void each(Object owner, String name, Object rows) throws Throwable {
        boolean any = false;
        for (java.lang.reflect.Method method : owner.getClass().getDeclaredMethods()) {
            if (!method.getName().equals(name)) continue;
            method.setAccessible(true);
            for (Object row : listed(rows)) {
                any = true;
                try { method.invoke(owner, row instanceof Arguments ? ((Arguments) row).all : row instanceof Object[] ? (Object[]) row : new Object[] {row}); }
                catch (java.lang.reflect.InvocationTargetException error) { throw error.getCause(); }
            }
        }
        hold(any, "no case");
    }
    static <T extends Enum<T>> java.util.List<T> named(T[] values, boolean excluded, String[] names) {
        java.util.List<T> found = new java.util.ArrayList<>();
        for (T one : values) if (names.length == 0 || java.util.Arrays.asList(names).contains(one.name()) != excluded) found.add(one);
        return found;
    }
    static class DynamicNode {
        VerificationHarness.Body body;
        DynamicNode(VerificationHarness.Body body) { this.body = body; }
    }
    static class DynamicTest extends DynamicNode {
        DynamicTest(VerificationHarness.Body body) { super(body); }
        static DynamicTest dynamicTest(String name, VerificationHarness.Body body) { return new DynamicTest(body); }
    }
    static class DynamicContainer extends DynamicNode {
        DynamicContainer(VerificationHarness.Body body) { super(body); }
        static DynamicContainer dynamicContainer(String name, Object nodes) { return new DynamicContainer(() -> dynamic(nodes)); }
    }
    static DynamicTest dynamicTest(String name, VerificationHarness.Body body) { return new DynamicTest(body); }
    static DynamicContainer dynamicContainer(String name, Object nodes) { return DynamicContainer.dynamicContainer(name, nodes); }
    static void dynamic(Object nodes) throws Throwable {
        java.util.List<Object> all = listed(nodes);
        hold(!all.isEmpty(), "no case");
        for (Object one : all) ((DynamicNode) one).body.run();
    }
    static class TestInfo {
        final String name;
        TestInfo(String name) { this.name = name; }
        String getDisplayName() { return name + "()"; }
        java.util.Set<String> getTags() { return java.util.Set.of(); }
    }
    static class TestReporter { TestReporter(String name) {} void publishEntry(String... text) {} void publishEntry(java.util.Map<String, String> text) {} }
    static class RepetitionInfo {
        final int at, count;
        RepetitionInfo(int at, int count) { this.at = at; this.count = count; }
        int getCurrentRepetition() { return at; }
        int getTotalRepetitions() { return count; }
    }
    static class ExpectedException {
        Class<?> kind; String text;
        static ExpectedException none() { return new ExpectedException(); }
        void expect(Class<?> kind) { this.kind = kind; }
        void expectMessage(String text) { this.text = text; }
        void judge(VerificationHarness.Body body) throws Throwable {
            try { body.run(); }
            catch (VerificationHarness.Failed | VerificationHarness.Skipped error) { throw error; }
            catch (Throwable error) {
                if (kind == null && text == null || kind != null && !kind.isInstance(error) || text != null && !String.valueOf(error.getMessage()).contains(text)) throw error;
                return;
            }
            hold(kind == null && text == null, "nothing was thrown");
        }
    }
    static class TemporaryFolder {
        final java.io.File root = folder().toFile();
        java.io.File getRoot() { return root; }
        java.io.File newFile(String name) throws java.io.IOException { java.io.File file = new java.io.File(root, name); file.createNewFile(); return file; }
        java.io.File newFile() throws java.io.IOException { return java.io.File.createTempFile("junit", null, root); }
        java.io.File newFolder(String... names) { java.io.File file = root; for (String name : names) file = new java.io.File(file, name); file.mkdirs(); return file; }
    }
    static class Timeout {
        static Timeout seconds(long most) { return new Timeout(); }
        static Timeout millis(long most) { return new Timeout(); }
    }
    static java.nio.file.Path folder() { try { return java.nio.file.Files.createTempDirectory("test"); } catch (java.io.IOException error) { throw new java.io.UncheckedIOException(error); } }
    static void assertEquals(Object a, Object b) { areEquals(a, b); }
    static void assertNotEquals(Object a, Object b) { areNotEquals(a, b); }
    static void assertEquals(double a, double b, double most) { areNear(a, b, most); }
    static void assertNotEquals(double a, double b, double most) { hold(Math.abs(a - b) > most, "both are " + a); }
    static void assertTrue(boolean held) { hold(held, "assertTrue"); }
    static void assertFalse(boolean held) { hold(!held, "assertFalse"); }
    static void assertNull(Object a) { hold(a == null, "assertNull"); }
    static void assertNotNull(Object a) { hold(a != null, "assertNotNull"); }
    static void assertSame(Object a, Object b) { hold(a == b, "assertSame"); }
    static void assertNotSame(Object a, Object b) { hold(a != b, "assertNotSame"); }
    static void assertArrayEquals(Object a, Object b) { hold(same(a, b), "assertArrayEquals"); }
    static void assertArrayEquals(double[] a, double[] b, double most) { areSameItems(a, b, most); }
    static void assertArrayEquals(float[] a, float[] b, float most) { hold(a.length == b.length, "another length"); for (int i = 0; i < a.length; i++) areNear(a[i], b[i], most); }
    static <T extends Throwable> T assertThrows(Class<T> kind, VerificationHarness.Body body) {
        try { body.run(); } catch (Throwable error) { if (kind.isInstance(error)) return kind.cast(error); throw new VerificationHarness.Failed("another exception: " + error); }
        throw new VerificationHarness.Failed(kind + " was not thrown");
    }
    static void fail() { throw new VerificationHarness.Failed("fail"); }
    static void fail(String text) { throw new VerificationHarness.Failed(text); }
    static void assumeTrue(boolean held) { if (!held) throw new VerificationHarness.Skipped("assumption"); }
    static void assumeFalse(boolean held) { assumeTrue(!held); }
}
class VerificationAssertions4 extends VerificationAssertions {
    //PRIMITIVES OF 4
    static void assertEquals(String text, Object a, Object b) { areEquals(a, b); }
    static void assertNotEquals(String text, Object a, Object b) { areNotEquals(a, b); }
    static void assertEquals(String text, double a, double b, double most) { areNear(a, b, most); }
    static void assertTrue(String text, boolean held) { hold(held, text); }
    static void assertFalse(String text, boolean held) { hold(!held, text); }
    static void assertNull(String text, Object a) { hold(a == null, text); }
    static void assertNotNull(String text, Object a) { hold(a != null, text); }
    static void assertSame(String text, Object a, Object b) { hold(a == b, text); }
    static void assertNotSame(String text, Object a, Object b) { hold(a != b, text); }
    static void assertArrayEquals(String text, Object a, Object b) { hold(same(a, b), text); }
    static void assertArrayEquals(String text, double[] a, double[] b, double most) { areSameItems(a, b, most); }
    static <T extends Throwable> T assertThrows(String text, Class<T> kind, VerificationHarness.Body body) { return assertThrows(kind, body); }
    static void assumeTrue(String text, boolean held) { assumeTrue(held); }
    static void assumeFalse(String text, boolean held) { assumeTrue(!held); }
}
class VerificationAssertions5 extends VerificationAssertions {
    //PRIMITIVES OF 5
    static void assertTrue(java.util.function.BooleanSupplier held) { hold(held.getAsBoolean(), "assertTrue"); }
    static void assertFalse(java.util.function.BooleanSupplier held) { hold(!held.getAsBoolean(), "assertFalse"); }
    static void assertEquals(Object a, Object b, String text) { areEquals(a, b); }
    static void assertEquals(Object a, Object b, java.util.function.Supplier<String> text) { areEquals(a, b); }
    static void assertNotEquals(Object a, Object b, String text) { areNotEquals(a, b); }
    static void assertNotEquals(Object a, Object b, java.util.function.Supplier<String> text) { areNotEquals(a, b); }
    static void assertEquals(double a, double b, double most, String text) { areNear(a, b, most); }
    static void assertEquals(double a, double b, double most, java.util.function.Supplier<String> text) { areNear(a, b, most); }
    static void assertTrue(boolean held, String text) { assertTrue(held); }
    static void assertTrue(boolean held, java.util.function.Supplier<String> text) { assertTrue(held); }
    static void assertFalse(boolean held, String text) { assertFalse(held); }
    static void assertFalse(boolean held, java.util.function.Supplier<String> text) { assertFalse(held); }
    static void assertNull(Object a, String text) { assertNull(a); }
    static void assertNull(Object a, java.util.function.Supplier<String> text) { assertNull(a); }
    static void assertNotNull(Object a, String text) { assertNotNull(a); }
    static void assertNotNull(Object a, java.util.function.Supplier<String> text) { assertNotNull(a); }
    static void assertSame(Object a, Object b, String text) { assertSame(a, b); }
    static void assertSame(Object a, Object b, java.util.function.Supplier<String> text) { assertSame(a, b); }
    static void assertNotSame(Object a, Object b, String text) { assertNotSame(a, b); }
    static void assertNotSame(Object a, Object b, java.util.function.Supplier<String> text) { assertNotSame(a, b); }
    static void assertArrayEquals(Object a, Object b, String text) { assertArrayEquals(a, b); }
    static void assertArrayEquals(Object a, Object b, java.util.function.Supplier<String> text) { assertArrayEquals(a, b); }
    static void assertArrayEquals(double[] a, double[] b, double most, String text) { areSameItems(a, b, most); }
    static void assertIterableEquals(Iterable<?> a, Iterable<?> b) { hold(listed(a).equals(listed(b)), "assertIterableEquals"); }
    static void assertIterableEquals(Iterable<?> a, Iterable<?> b, String text) { assertIterableEquals(a, b); }
    static void assertIterableEquals(Iterable<?> a, Iterable<?> b, java.util.function.Supplier<String> text) { assertIterableEquals(a, b); }
    static <T extends Throwable> T assertThrows(Class<T> kind, VerificationHarness.Body body, String text) { return assertThrows(kind, body); }
    static <T extends Throwable> T assertThrows(Class<T> kind, VerificationHarness.Body body, java.util.function.Supplier<String> text) { return assertThrows(kind, body); }
    static <T extends Throwable> T assertThrowsExactly(Class<T> kind, VerificationHarness.Body body) { T error = assertThrows(kind, body); hold(error.getClass() == kind, "another exception: " + error); return error; }
    static <T extends Throwable> T assertThrowsExactly(Class<T> kind, VerificationHarness.Body body, String text) { return assertThrowsExactly(kind, body); }
    static <T extends Throwable> T assertThrowsExactly(Class<T> kind, VerificationHarness.Body body, java.util.function.Supplier<String> text) { return assertThrowsExactly(kind, body); }
    static void assertDoesNotThrow(VerificationHarness.Body body) { try { body.run(); } catch (Throwable error) { throw VerificationHarness.<RuntimeException>sneaky(error); } }
    static <T> T assertDoesNotThrow(VerificationHarness.Giving<T> body) { try { return body.get(); } catch (Throwable error) { throw VerificationHarness.<RuntimeException>sneaky(error); } }
    static void assertDoesNotThrow(VerificationHarness.Body body, String text) { assertDoesNotThrow(body); }
    static void assertDoesNotThrow(VerificationHarness.Body body, java.util.function.Supplier<String> text) { assertDoesNotThrow(body); }
    static <T> T assertDoesNotThrow(VerificationHarness.Giving<T> body, String text) { return assertDoesNotThrow(body); }
    static <T> T assertDoesNotThrow(VerificationHarness.Giving<T> body, java.util.function.Supplier<String> text) { return assertDoesNotThrow(body); }
    static void assertAll(VerificationHarness.Body... bodies) { for (VerificationHarness.Body body : bodies) assertDoesNotThrow(body); }
    static void assertAll(String text, VerificationHarness.Body... bodies) { assertAll(bodies); }
    static void assertAll(java.util.Collection<? extends VerificationHarness.Body> bodies) { for (VerificationHarness.Body body : bodies) assertDoesNotThrow(body); }
    static void assertAll(String text, java.util.Collection<? extends VerificationHarness.Body> bodies) { assertAll(bodies); }
    static void assertAll(java.util.stream.Stream<? extends VerificationHarness.Body> bodies) { bodies.forEach(body -> assertDoesNotThrow(body)); }
    static void assertAll(String text, java.util.stream.Stream<? extends VerificationHarness.Body> bodies) { assertAll(bodies); }
    static <T> T assertInstanceOf(Class<T> kind, Object value) { hold(kind.isInstance(value), value + " is no " + kind); return kind.cast(value); }
    static <T> T assertInstanceOf(Class<T> kind, Object value, String text) { return assertInstanceOf(kind, value); }
    static <T> T assertInstanceOf(Class<T> kind, Object value, java.util.function.Supplier<String> text) { return assertInstanceOf(kind, value); }
    static void assertTimeout(java.time.Duration most, VerificationHarness.Body body) { long began = System.nanoTime(); assertDoesNotThrow(body); hold(System.nanoTime() - began <= most.toNanos(), "it took longer than " + most); }
    static <T> T assertTimeout(java.time.Duration most, VerificationHarness.Giving<T> body) { long began = System.nanoTime(); T value = assertDoesNotThrow(body); hold(System.nanoTime() - began <= most.toNanos(), "it took longer than " + most); return value; }
    static void assertTimeoutPreemptively(java.time.Duration most, VerificationHarness.Body body) { assertTimeout(most, body); }
    static <T> T assertTimeoutPreemptively(java.time.Duration most, VerificationHarness.Giving<T> body) { return assertTimeout(most, body); }
    static void assertTimeout(java.time.Duration most, VerificationHarness.Body body, String text) { assertTimeout(most, body); }
    static void assertTimeout(java.time.Duration most, VerificationHarness.Body body, java.util.function.Supplier<String> text) { assertTimeout(most, body); }
    static <T> T assertTimeout(java.time.Duration most, VerificationHarness.Giving<T> body, String text) { return assertTimeout(most, body); }
    static <T> T assertTimeout(java.time.Duration most, VerificationHarness.Giving<T> body, java.util.function.Supplier<String> text) { return assertTimeout(most, body); }
    static void assertTimeoutPreemptively(java.time.Duration most, VerificationHarness.Body body, String text) { assertTimeoutPreemptively(most, body); }
    static void assertTimeoutPreemptively(java.time.Duration most, VerificationHarness.Body body, java.util.function.Supplier<String> text) { assertTimeoutPreemptively(most, body); }
    static <T> T assertTimeoutPreemptively(java.time.Duration most, VerificationHarness.Giving<T> body, String text) { return assertTimeoutPreemptively(most, body); }
    static <T> T assertTimeoutPreemptively(java.time.Duration most, VerificationHarness.Giving<T> body, java.util.function.Supplier<String> text) { return assertTimeoutPreemptively(most, body); }
    static void assertLinesMatch(java.util.List<String> a, java.util.List<String> b) { hold(a.size() == b.size(), "another number of lines"); for (int i = 0; i < a.size(); i++) hold(a.get(i).equals(b.get(i)) || b.get(i).matches(a.get(i)), a.get(i) + " is not " + b.get(i)); }
    static void assumeTrue(boolean held, String text) { assumeTrue(held); }
    static void assumeFalse(boolean held, String text) { assumeTrue(!held); }
    static void abort() { assumeTrue(false); }
    static void abort(String text) { assumeTrue(false); }
    static <T> T fail(String text, Throwable cause) { throw new VerificationHarness.Failed(text); }
    static <T> T fail(Throwable cause) { throw new VerificationHarness.Failed(String.valueOf(cause)); }
}
