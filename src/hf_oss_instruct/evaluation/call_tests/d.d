
void HIDDEN_say(T)(size_t number, T value) {
    static import core.stdc.stdio;
    auto line = "\nNONCE " ~ HIDDEN_whole(number) ~ " " ~ HIDDEN_text(value) ~ "\n";
    core.stdc.stdio.fwrite(line.ptr, 1, line.length, core.stdc.stdio.stdout);
    core.stdc.stdio.fflush(core.stdc.stdio.stdout);
}
private string HIDDEN_whole(T)(T value) {
    static import std.conv;
    return std.conv.to!string(value);
}
private string HIDDEN_text(T)(T value) {
    static import std.format, std.traits, std.typecons;
    static if (is(T == typeof(null))) return "n";
    else static if (is(T == void[])) return "[]";
    else static if (is(T == bool)) return value ? "t" : "f";
    else static if (std.traits.isSomeChar!T) return "i" ~ HIDDEN_whole(cast(uint) value) ~ ";";
    else static if (std.traits.isIntegral!T) return "i" ~ HIDDEN_whole(value) ~ ";";
    else static if (std.traits.isFloatingPoint!T) return std.format.format("d%.21g;", value);
    else static if (std.traits.isSomeString!T) {
        static import std.utf;
        string out_ = "s";
        foreach (ubyte one; cast(immutable(ubyte)[]) std.utf.toUTF8(value)) out_ ~= std.format.format("%02x", one);
        return out_ ~ ";";
    }
    else static if (std.traits.isInstanceOf!(std.typecons.Nullable, T)) return value.isNull ? "n" : "?" ~ HIDDEN_text(value.get);
    else static if (std.typecons.isTuple!T) {
        string out_ = "(";
        foreach (one; value.expand) out_ ~= HIDDEN_text(one);
        return out_ ~ ")";
    }
    else static if (std.traits.isAssociativeArray!T) {
        string out_ = "{";
        foreach (key, one; value) out_ ~= HIDDEN_text(key) ~ HIDDEN_text(one);
        return out_ ~ "}";
    }
    else static if (std.traits.isArray!T) {
        string out_ = "[";
        foreach (one; value) out_ ~= HIDDEN_text(one);
        return out_ ~ "]";
    }
    else return "o;";
}
