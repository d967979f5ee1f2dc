"""JavaScript modules as plain scripts: exports without the keyword, and imports of the program as declarations of its names."""

from __future__ import annotations

import re

HIDDEN = "__tests_of_ours__"
"""The object of the harness, which holds `module.exports` of the program."""
_IMPORT = re.compile(
    r"^\s*import\s+(?:type\s+)?(?P<what>[^;]*?)\s+from\s+['\"](?P<module>[^'\"]+)['\"];?", re.MULTILINE | re.DOTALL
)
_BARE_IMPORT = re.compile(r"^\s*import\s+['\"][^'\"]+['\"];?", re.MULTILINE)
_EXPORTED = re.compile(
    r"^([ \t]*)export\s+(?=(async\s+)?(function|class|const|let|var|abstract|enum|interface|type|namespace|declare)\b)",
    re.MULTILINE,
)
_DEFAULT = re.compile(
    r"^([ \t]*)export\s+default\s+(?P<kind>(?:async\s+)?function\b\s*\*?|class\b)?\s*(?P<name>\w+)?", re.MULTILINE
)
_LISTED = re.compile(r"^[ \t]*export\s*(?:type\s*)?\{[^}]*\}\s*(?:from\s*['\"][^'\"]*['\"])?;?", re.MULTILINE)
_REQUIRED = re.compile(
    r"(?:const|let|var)\s+(?P<what>\{[^}]*\}|\w+)\s*=\s*require\(\s*['\"](?P<module>[^'\"]+)['\"]\s*\)(?P<member>\.\w+)?\s*;?"
)
_PATH = re.compile(
    r"[./#]|[@~]/|src/|lib/|app/|(solution|your_?module|my_?module|main|index|answer|code|program|module)(\.\w+)?$"
)
"""Modules that mean the program: paths, aliases of its folder, and placeholders."""
# Frameworks, even if the program defines all names that are imported from them.
_KNOWN = frozenset("assert test vitest chai mocha sinon jest bun:test @jest/globals".split())


def with_bound_imports(tests: str, program: str) -> str:
    """Tests whose imports of the program are declarations of its names; other modules are required."""
    names = defined(program)
    default = next((match["name"] for match in _DEFAULT.finditer(program) if match["name"]), "")
    tests = _REQUIRED.sub(lambda match: _required(match, names, default), tests)
    return _IMPORT.sub(lambda match: _imported(match["what"], match["module"], names, default), _BARE_IMPORT.sub("", tests))


def as_script(program: str) -> str:
    """A module's text without the syntax that only modules allow."""
    text = _IMPORT.sub(lambda match: _imported(match["what"], match["module"], frozenset(), ""), _BARE_IMPORT.sub("", program))
    text = _EXPORTED.sub(r"\1", _LISTED.sub("", text))

    def default(match: re.Match[str]) -> str:
        if match["kind"]:
            return f"{match[1]}{match['kind']} {match['name'] or 'defaultOfTheModule'}"
        return f"{match[1]}module.exports.default = {match['name'] or ''}"

    return _DEFAULT.sub(default, text)


def defined(program: str) -> frozenset[str]:
    """The names that a program declares."""
    return frozenset(
        re.findall(
            r"^(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:abstract\s+)?(?:function\s*\*?|class|const|let|var|enum)\s+(\w+)",
            program,
            re.MULTILINE,
        )
    )


def _is_own(module: str, what: str, names: frozenset[str]) -> bool:
    """Whether a module is the program: by its name, or because it has everything that is imported from it."""
    if module.startswith("node:") or module in _KNOWN:
        return False
    taken = {part.partition(" as ")[0].partition(":")[0].strip() for part in what.strip("{} \n").split(",")} - {""}
    return _PATH.match(module) is not None or (what.startswith("{") and bool(taken) and taken <= names)


def _required(match: re.Match[str], names: frozenset[str], default: str) -> str:
    if not _is_own(match["module"], match["what"], names):
        return match[0]
    return _bound(match["what"], names, default, match["member"] or "")


def _bound(what: str, names: frozenset[str], default: str, member: str) -> str:
    """A declaration of the solution's names, except those that already exist."""
    if not what.startswith("{"):
        if what in names or what == member.lstrip("."):
            return "" if what in names else f"const {what} = {HIDDEN}.module.exports{member};"
        exports = f"{HIDDEN}.module.exports"
        # For a solution without exports, an object of all its names stands for the module.
        has_exports = f"(typeof {exports} === 'function' || Object.keys({exports}).length)"
        return f"const {what} = {has_exports} ? {exports}{member} : {default or '{ ' + ', '.join(sorted(names)) + ' }'};"
    lines = []
    for binding in what.strip("{}").split(","):
        name, _, other = (part.strip() for part in binding.replace(" as ", ":").partition(":"))
        if name and (other or name) not in names:
            value = name if name in names else f"{HIDDEN}.module.exports.{name}"
            lines.append(f"const {other or name} = {value};")
    return " ".join(lines)


def _imported(what: str, module: str, names: frozenset[str], default: str) -> str:
    """An `import` as a declaration."""
    what = what.strip()
    lines = []
    listed = re.search(r"\{[^}]*\}", what)
    rest = (what.replace(listed[0], "") if listed else what).strip().strip(",").strip()
    own = _is_own(module, listed[0] if listed else what, names)
    if listed:
        inner = re.sub(r"\btype\s+", "", listed[0]).replace(" as ", ": ")
        lines.append(_bound(inner, names, default, "") if own else f"const {inner} = require('{module}');")
    if rest.startswith("*"):
        name = rest.rpartition(" ")[2]
        lines.append(f"const {name} = {{ {', '.join(sorted(names))} }};" if own else f"const {name} = require('{module}');")
    elif rest:
        lines.append(_bound(rest, names, default, "") if own else f"const {rest} = require('{module}');")
    return " ".join(lines)
