"""How tests that share a process with the program keep their meaning: what it redefined is defined again before they begin.

Held: assertions and functions replaced in JavaScript and TypeScript, macros over anything that C++ tests use, operators for
types of the standard library at C++' global scope. Not held: a C++ program that specialises the library's own operators, a Java
object whose `equals` says yes, a program that puts the nonce together from its own text. Only tests that are calls
(`problems.Calls`) hold against all.
"""

from __future__ import annotations

import re
import secrets

_REQUIRED = re.compile(r"require\((['\"])(?:node:)?assert\1\)")
_CPP_MAIN = re.compile(r"^[ \t]*int[ \t]+main[ \t]*\([^)]*\)[ \t\n]*\{", re.MULTILINE)
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
# What <assert.h> and the nonce's line expand to, and what makes a statement one.
_CPP_WORDS = "assert NDEBUG __assert_fail __ASSERT_FUNCTION __extension__ __builtin_printf static_cast bool void if while return"
# Operators that are words: no macro can have their name, and `#undef` of one is an error.
_CPP_OPERATORS = frozenset("and and_eq bitand bitor compl not not_eq or or_eq xor xor_eq defined".split())
_PROBLEM = re.compile(r"^[ \t]*class[ \t]+Problem\b", re.MULTILINE)
_JAVATUPLES = re.compile(r"^[ \t]*import[ \t]+org\.javatuples\.[\w*]+[ \t]*;", re.MULTILINE)
# Assertions are on whatever the command line says. The tuples stand in for those of org.javatuples: MultiPL-E's tests use `Pair`.
_JAVA_MAIN = """
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
class Main {
    public static void main(String[] args) throws Exception {
        Main.class.getClassLoader().setDefaultAssertionStatus(true);
        Problem.main(args);
    }
}
"""


def guarded(program: str, tests: str, language: str) -> tuple[str, str]:
    """A program and its tests, so that the tests mean what they say.

    Args:
        program: the text before the tests.
        tests: the text after it.
        language: as in `languages.LANGUAGES`.
    """
    if language in ("javascript", "typescript"):
        return _script(program, tests, language)
    if language == "cpp":
        return program, _cpp(tests)
    if language == "java" and _PROBLEM.search(program):
        return _JAVATUPLES.sub("", program), tests + _JAVA_MAIN
    return program, tests


def _script(program: str, tests: str, language: str) -> tuple[str, str]:
    """`assert` is taken, frozen, before the program begins, under a name that it does not know."""
    hidden = f"assert_{secrets.token_hex(8)}"
    declared = "declare var require: any;\n" if language == "typescript" else ""
    taken = f"{declared}const {hidden} = Object.freeze(require('node:assert'));\n"
    return taken + program, _REQUIRED.sub(hidden, tests)


def _cpp(tests: str) -> str:
    """Every word of the tests is no macro; operators of the program are out of their sight."""
    main = _CPP_MAIN.search(tests)
    if main is None or re.search(r"\breturn\b", tests[main.end() :]):
        return tests
    words = dict.fromkeys([*_CPP_WORDS.split(), *_WORD.findall(re.sub(r'"(?:\\.|[^"\\])*"', "", tests))])
    undefined = [f"#undef {word}" for word in words if word not in _CPP_OPERATORS and (not word.isupper() or word == "NDEBUG")]
    hidden = f"tests_{secrets.token_hex(8)}"
    lines = [
        *undefined,
        "#include <assert.h>",
        # The nearest scope with an operator of this name hides those further out; the library's are found by their arguments.
        f"namespace {hidden} {{ struct none {{}}; bool operator==(none, none); void run(); }}",
        f"int main() {{ {hidden}::run(); }}",
        f"void {hidden}::run() {{",
    ]
    return tests[: main.start()] + "\n" + "\n".join(lines) + tests[main.end() :]
