
// Nothing of std here: its formatting alone takes the compiler longer than most programs.
void HIDDEN_say(T)(size_t number, T value) {
    static import core.stdc.stdio;
    auto line = "\nNONCE " ~ HIDDEN_number!"%llu"(cast(ulong) number) ~ " " ~ HIDDEN_text(value) ~ "\n";
    core.stdc.stdio.fwrite(line.ptr, 1, line.length, core.stdc.stdio.stdout);
    core.stdc.stdio.fflush(core.stdc.stdio.stdout);
}
private string HIDDEN_number(string format, T)(T value) {
    static import core.stdc.stdio;
    char[64] digits;
    return digits[0 .. core.stdc.stdio.snprintf(digits.ptr, digits.length, format.ptr, value)].idup;
}
private string HIDDEN_text(T)(T value) {
    static if (is(T == typeof(null))) return "n";
    else static if (is(T == void[])) return "[]";
    else static if (is(immutable T == immutable bool)) return value ? "t" : "f";
    else static if (__traits(isFloating, T)) return "d" ~ HIDDEN_number!"%.21Lg"(cast(real) value) ~ ";";
    else static if (__traits(isUnsigned, T)) return "i" ~ HIDDEN_number!"%llu"(cast(ulong) value) ~ ";";
    else static if (__traits(isIntegral, T)) return "i" ~ HIDDEN_number!"%lld"(cast(long) value) ~ ";";
    else static if (is(T : const(char)[])) {
        string out_ = "s";
        foreach (ubyte one; cast(const(ubyte)[]) value) {
            out_ ~= "0123456789abcdef"[one >> 4];
            out_ ~= "0123456789abcdef"[one & 15];
        }
        return out_ ~ ";";
    }
    else static if (__traits(hasMember, T, "isNull") && __traits(hasMember, T, "get")) return value.isNull ? "n" : "?" ~ HIDDEN_text(value.get);
    else static if (__traits(hasMember, T, "expand")) {
        string out_ = "(";
        foreach (one; value.expand) out_ ~= HIDDEN_text(one);
        return out_ ~ ")";
    }
    else static if (__traits(isAssociativeArray, T)) {
        string out_ = "{";
        foreach (key, one; value) out_ ~= HIDDEN_text(key) ~ HIDDEN_text(one);
        return out_ ~ "}";
    }
    else static if (is(typeof(value[0])) && is(typeof(value.length))) {
        string out_ = "[";
        foreach (one; value) out_ ~= HIDDEN_text(one);
        return out_ ~ "]";
    }
    else return "o;";
}
