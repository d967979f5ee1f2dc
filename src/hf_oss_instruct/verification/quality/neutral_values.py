"""Values that say nothing: the value that a stub returns, by its result type if known."""

from __future__ import annotations

import re

UNTYPED: dict[str, tuple[str, ...]] = {
    "python": ("None", "0", '""', "[]", "False"),
    "javascript": ("null", "0", '""', "[]", "false"),
    "typescript": ("(null as any)", "(0 as any)", '("" as any)', "([] as any)", "(false as any)"),
    "php": ("null", "0", "''", "[]", "false"),
    "ruby": ("nil", "0", "''", "[]", "false"),
    "shell": (":", "echo 0", 'echo ""'),
}
# For each language: a pattern of the type, and the values; the first row that matches counts.
_TYPED: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "python": (
        (r"None|NoReturn", ("None",)),
        (r"bool", ("False",)),
        (r"int", ("0",)),
        (r"float|complex", ("0.0",)),
        (r"str", ('""',)),
        (r"bytes", ('b""',)),
        (r"(typing\.)?(list|sequence|iterable|iterator|generator|collection)\b.*", ("[]",)),
        (r"(typing\.)?(dict|mapping|defaultdict|counter|ordereddict)\b.*", ("{}",)),
        (r"(typing\.)?set\b.*", ("set()",)),
        (r"(typing\.)?tuple\b.*", ("()",)),
    ),
    "typescript": (
        (r"void|never|undefined", ("undefined as any",)),
        (r"number|bigint", ("(0 as any)",)),
        (r"boolean", ("(false as any)",)),
        (r"string", ('("" as any)',)),
        (r".*\[\]|array<.*", ("([] as any)",)),
        (r"map<.*", ("(new Map() as any)",)),
        (r"set<.*", ("(new Set() as any)",)),
        (r"record<.*|\{.*", ("({} as any)",)),
    ),
    "php": (
        (r"void|never", ("",)),
        (r"\??int", ("0",)),
        (r"\??float", ("0.0",)),
        (r"\??bool", ("false",)),
        (r"\??string", ("''",)),
        (r"\??(array|iterable)", ("[]",)),
    ),
    "java": (
        (r"void", ("",)),
        (r"boolean|Boolean", ("false",)),
        (r"int|short|byte|Integer", ("0",)),
        # An `int` cannot become a `Long`.
        (r"long|Long", ("0L",)),
        (r"double|float", ("0",)),
        (r"Double", ("0.0",)),
        (r"char|Character", ("'\\0'",)),
        (r"String", ('""', "null")),
        (r"(Array)?List<.*|Collection<.*|Iterable<.*", ("new java.util.ArrayList<>()", "null")),
        (r"(Hash)?Map<.*", ("new java.util.HashMap<>()", "null")),
        (r"(Hash)?Set<.*", ("new java.util.HashSet<>()", "null")),
        (r"Optional<.*", ("java.util.Optional.empty()", "null")),
        (r"(\w+)\[\]", ("new {0}[0]", "null")),
        (r"(\w+)\[\]\[\]", ("new {0}[0][]", "null")),
        (r".*", ("null",)),
    ),
    "csharp": (
        (r"void|Task", ("",)),
        (r"bool", ("false",)),
        (r"string", ('""', "null")),
        (r"(List|Dictionary|HashSet|Stack|Queue)<.*", ("new {type}()", "null")),
        (
            r"I?(Enumerable|List|Collection|ReadOnlyList|IEnumerable|IList)<(.*)>",
            ("new System.Collections.Generic.List<{1}>()", "null"),
        ),
        (r"(\w+)\[\]", ("new {0}[0]", "null")),
        (r".*", ("default({type})",)),
    ),
    "c": (
        (r"void", ("",)),
        (r".*\*", ("0",)),
        (r"(const )?(unsigned |signed )?(int|long|short|char|float|double|bool|size_t|u?int\d+_t)( \w+)*", ("0",)),
        (r".*", ("({type}){{0}}",)),
    ),
    "cpp": (
        (r"void", ("",)),
        (r"bool", ("false",)),
        (r".*\*", ("nullptr",)),
        (r"auto|decltype.*", ("0",)),
        # A reference needs an object that outlives the call.
        (r"(.*)&", ("*new std::remove_const_t<{0}>()",)),
        (r".*", ("{{}}",)),
    ),
    "rust": (
        (r"", ("",)),
        (r"bool", ("false",)),
        (r"[iu](8|16|32|64|128|size)", ("0",)),
        (r"f(32|64)", ("0.0",)),
        (r"char", ("'\\0'",)),
        (r"String", ("String::new()",)),
        (r"&('static |'\w+ )?str", ('""',)),
        (r"Vec<.*", ("Vec::new()",)),
        (r"Option<.*", ("None", "Some(Default::default())")),
        (r"(?:\w+::)+Result", ("Ok(())",)),
        (r"(?:\w+::)*Result<.*,\s*(?:String|\(\)|&'static str)\s*>", ("Ok(Default::default())", "Err(Default::default())")),
        (r"(?:\w+::)*Result<.*", ("Ok(Default::default())",)),  # few types of errors have a default
        (r"&.*|impl .*|Self|Box<dyn.*", ('panic!("stub")',)),
        (r".*", ("Default::default()",)),
    ),
}


def values(language: str, result: str) -> tuple[str, ...]:
    """Neutral values of a type, the plainest first; those of any type where it is not known.

    Args:
        language: a language of `grammars.CODE`.
        result: the text of the type, empty if it is not declared.

    Returns:
        Expressions; an empty one means that nothing is returned.
    """
    if language == "go":
        return _go(result)
    for pattern, texts in _TYPED.get(language, ()) if result or language == "rust" else ():
        case = re.IGNORECASE if language in ("python", "typescript") else 0
        if matched := re.fullmatch(pattern, result, case | re.DOTALL):
            # `{}` alone is a value: an empty dict, or braces.
            return tuple(
                value.format(*matched.groups(), type=result) if "{" in value and value != "{}" else value for value in texts
            )
    return UNTYPED.get(language, ("",))


def _go(result: str) -> tuple[str, ...]:
    """Go's zero value of any type is `*new(T)`."""
    inner = result[1:-1] if result.startswith("(") else result
    if not inner.strip():
        return ("",)
    parts = _split(inner)
    named = all(re.match(r"\w+\s+[^\s.]", part) and not re.match(r"(func|chan|map|struct|interface)\b", part) for part in parts)
    if result.startswith("(") and named:
        return (" ",)  # a bare `return` gives the results that have names
    types = [part.strip() for part in parts]
    zero = ", ".join(f"*new({type_name})" for type_name in types)
    empty = ", ".join(f"{type_name}{{}}" if type_name.startswith(("[]", "map[")) else f"*new({type_name})" for type_name in types)
    return (zero,) if zero == empty else (zero, empty)


def _split(text: str) -> list[str]:
    """Parts between commas that are in no brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]
