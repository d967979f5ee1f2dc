class Pair<A, B> {
    private final A value0; private final B value1;
    Pair(A value0, B value1) { this.value0 = value0; this.value1 = value1; }
    static <A, B> Pair<A, B> with(A value0, B value1) { return new Pair<>(value0, value1); }
    A getValue0() { return value0; }
    B getValue1() { return value1; }
    <X> Pair<X, B> setAt0(X value) { return with(value, value1); }
    <X> Pair<A, X> setAt1(X value) { return with(value0, value); }
    java.util.List<Object> toList() { return java.util.Arrays.asList(value0, value1); }
    @Override public boolean equals(Object o) {
        return o != null && o.getClass() == getClass() && toList().equals(((Pair<?, ?>) o).toList());
    }
    @Override public int hashCode() { return toList().hashCode(); }
    @Override public String toString() { return toList().toString(); }
}
class Triplet<A, B, C> {
    private final A value0; private final B value1; private final C value2;
    Triplet(A value0, B value1, C value2) { this.value0 = value0; this.value1 = value1; this.value2 = value2; }
    static <A, B, C> Triplet<A, B, C> with(A value0, B value1, C value2) { return new Triplet<>(value0, value1, value2); }
    A getValue0() { return value0; }
    B getValue1() { return value1; }
    C getValue2() { return value2; }
    java.util.List<Object> toList() { return java.util.Arrays.asList(value0, value1, value2); }
    @Override public boolean equals(Object o) {
        return o != null && o.getClass() == getClass() && toList().equals(((Triplet<?, ?, ?>) o).toList());
    }
    @Override public int hashCode() { return toList().hashCode(); }
    @Override public String toString() { return toList().toString(); }
}
