
class HIDDEN {
    private static String hex(String text) {
        StringBuilder all = new StringBuilder("s");
        for (byte one : text.getBytes(java.nio.charset.StandardCharsets.UTF_8)) all.append(String.format("%02x", one));
        return all.append(';').toString();
    }
    private static String typed(Object value, String text) { return "(" + hex(value.getClass().getSimpleName()) + text + ")"; }
    private static String each(Iterable<?> values, char opens, char closes) {
        StringBuilder all = new StringBuilder().append(opens);
        for (Object value : values) all.append(text(value));
        return all.append(closes).toString();
    }
    private static String text(Object value) {
        if (value == null) return "n";
        if (value instanceof Boolean) return (Boolean) value ? "t" : "f";
        if (value instanceof String) return hex((String) value);
        if (value instanceof Character) return typed(value, hex(value.toString()));
        if (value instanceof Float || value instanceof Double) return typed(value, "d" + ((Number) value).doubleValue() + ";");
        if (value instanceof Byte || value instanceof Short || value instanceof Integer || value instanceof Long
            || value instanceof java.math.BigInteger) return typed(value, "i" + value + ";");
        if (value instanceof java.util.Optional) return "?" + text(((java.util.Optional<?>) value).orElse(null));
        if (value instanceof java.util.List) return each((java.util.List<?>) value, '[', ']');
        if (value instanceof java.util.Set) return each((java.util.Set<?>) value, '<', '>');
        if (value instanceof Pair) return typed(value, each(((Pair<?, ?>) value).toList(), '(', ')'));
        if (value instanceof Triplet) return typed(value, each(((Triplet<?, ?, ?>) value).toList(), '(', ')'));
        if (!(value instanceof java.util.Map)) return "o" + hex(value.getClass().getSimpleName()).substring(1);
        StringBuilder all = new StringBuilder("{");
        for (java.util.Map.Entry<?, ?> entry : ((java.util.Map<?, ?>) value).entrySet())
            all.append(text(entry.getKey())).append(text(entry.getValue()));
        return all.append('}').toString();
    }
    private static void line(int number, String text) {
        byte[] bytes = ("\nNONCE " + number + " " + text + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        java.io.FileOutputStream out = new java.io.FileOutputStream(java.io.FileDescriptor.out);
        try { out.write(bytes); out.flush(); } catch (java.io.IOException error) { throw new java.io.UncheckedIOException(error); }
    }
    static void print(int number, boolean value) { line(number, value ? "t" : "f"); }
    static void print(int number, long value) { line(number, "i" + value + ";"); }
    static void print(int number, double value) { line(number, "d" + value + ";"); }
    static void print(int number, char value) { line(number, "i" + (int) value + ";"); }
    static void print(int number, Object value) { line(number, text(value)); }
}
