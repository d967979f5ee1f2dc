"""Go: functions of `testing`, the common part of testify, and a `main` that panics or exits."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.grammars import name_of
from hf_oss_instruct.verification.suites import go_testify
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile

if TYPE_CHECKING:
    from tree_sitter import Node

STANDARD = frozenset(
    "archive bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go hash html "
    "image index io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv strings sync syscall "
    "testing text time unicode unique unsafe".split()
)
PREDECLARED = frozenset(
    "bool byte complex128 complex64 error false float32 float64 iota int int16 int32 int64 int8 nil panic print println recover "
    "rune string true uint uint16 uint32 uint64 uint8 uintptr append cap close copy delete len make new".split()
)
"""Names that a program must not redefine, because its tests use them; `min`, `max` and `any` are often defined."""
_PACKAGE = re.compile(r"^[ \t]*package\s+\w+.*$", re.MULTILINE)
# The name of an import, if it has one, and its path.
_SPEC = re.compile(r"(?:(\w+|\.|_)\s+)?\"([^\"]+)\"")
_FAILS = re.compile(r"\bpanic\(|\bos\.Exit\(|\blog\.(Fatal|Panic)")
# Functions of `testing` that are not tests, and the one that would start them.
_LEFT_OUT = re.compile(r"(Benchmark|Fuzz|Example)(_|[A-Z]|$)|TestMain$")


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, contains no test, or imports a module that is not installed.
    """
    text, solution, language = file.text, file.solution, file.language
    text = _PACKAGE.sub("", text)
    root = parse(text.encode(errors="replace"), "go").root_node
    if root.has_error or any(node.type.endswith("_statement") for node in root.named_children):
        # Models also write statements without a function around them.
        text = _as_main(text)
        root = parse(text.encode(errors="replace"), "go").root_node
    if root.has_error:
        raise SuiteRefusedError("tests_missing", "the tests are not valid Go")
    imports, own = _imports(root, defined(solution))
    if any(go_testify.PATH.search(path) for _, path in imports) and (name := go_testify.not_read(text, solution)):
        raise SuiteRefusedError("not_verifiable", f"the tests call {name!r} of testify, which is not read here", "third_party")
    root = parse(_unqualified(root, text, own).encode(errors="replace"), "go").root_node
    kept, tests, main = [], [], ""
    for node in root.named_children:
        if node.type == "import_declaration":
            continue
        name, body = name_of(node) if node.type == "function_declaration" else "", text_of(node)
        if name.startswith("Test") and re.search(r"\(\s*\w+\s+\*\w+\.T\s*\)", body.partition("{")[0]):
            tests.append(Test(name, "function", body))
        elif name == "main":
            main = text_of(node.child_by_field_name("body"))
        elif not _LEFT_OUT.match(name):
            kept.append(body)
    tests = tests or list(_main_tests(main, kept))
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    listed = "\n".join(f'\t{alias + " " if alias else ""}"{path}"' for alias, path in imports)
    preamble = "\n\n".join(["package main", f"import (\n{listed}\n)", *kept] if imports else ["package main", *kept])
    return Suite(language, tuple(tests), preamble, more=(listed, *kept))


def _as_main(text: str) -> str:
    """Statements without a function around them."""
    imports = re.findall(r"^import\s+(?:\([^)]*\)|[^\n]*)", text, re.MULTILINE)
    rest = re.sub(r"^import\s+(?:\([^)]*\)|[^\n]*)", "", text, flags=re.MULTILINE)
    return "\n".join([*imports, "func main() {", rest, "}"])


def _main_tests(main: str, kept: Sequence[str]) -> Iterator[Test]:
    """Functions that `main` calls and that can fail; if there are none, all of `main`, whose variables have to be used."""
    failing = {names[0]: text for text in kept if (names := re.findall(r"^func (\w+)\(\)", text)) and _FAILS.search(text)}
    called = [name for name in re.findall(r"^[ \t]*(\w+)\(\)[ \t]*$", main, re.MULTILINE) if name in failing]
    for name in called:
        yield Test(name, "statements", f"func main() {{\n\t{name}()\n}}", f"{name}()")
    if not called and (_FAILS.search(main) or any(_FAILS.search(text) for text in kept)):
        yield Test("main", "statements", f"func main() {main}", main)


def _imports(root: Node, names: frozenset[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Alias and path of each import, and the names by which the tests know the solution's package."""
    imports, own = [], []
    for node in root.named_children:
        for alias, path in _SPEC.findall(text_of(node).removeprefix("import")) if node.type == "import_declaration" else ():
            called = alias or path.rpartition("/")[2]
            if path.partition("/")[0] in STANDARD or go_testify.PATH.search(path):
                imports.append((alias, path))
            elif "." not in path.partition("/")[0] or _names_used(root, called) <= names:
                own.append(called)
            else:
                raise SuiteRefusedError(
                    "not_verifiable", f"the tests import {path!r}, which is not installed here", "third_party"
                )
    return imports, own


def _names_used(root: Node, package: str) -> set[str]:
    return set(re.findall(rf"(?<![\w.]){re.escape(package)}\.(\w+)", text_of(root)))


def _unqualified(root: Node, text: str, packages: Sequence[str]) -> str:
    """The text without the names of the solution's package before its own names."""
    source, places, stack = text.encode(errors="replace"), [], [root] if packages else []
    while stack:
        node = stack.pop()
        stack.extend(node.children)
        owner = node.child_by_field_name("operand" if node.type == "selector_expression" else "package")
        if node.type in ("selector_expression", "qualified_type") and owner and text_of(owner) in packages:
            places.append((owner.start_byte, owner.end_byte + 1))
    for start, end in sorted(places, reverse=True):
        source = source[:start] + source[end:]
    return source.decode(errors="replace")


def defined(program: str) -> frozenset[str]:
    """The names that a program declares at its top level."""
    names = set(re.findall(r"^(?:func|type|var|const)\s+(\w+)", program, re.MULTILINE))
    for block in re.findall(r"^(?:type|var|const)\s*\(\n(.*?)^\)", program, re.MULTILINE | re.DOTALL):
        names |= set(re.findall(r"^[ \t]+(\w+)", block, re.MULTILINE))
    return frozenset(names)


def together(program: str) -> bool:
    """Whether changes of a program can be run from one executable: not where it calls functions before `main` does."""
    own = "|".join(map(re.escape, re.findall(r"^func\s+(\w+)", program, re.MULTILINE))) or "init"
    return not re.search(rf"^func init\(|^(?:var\s.*=|\t\w+\s.*=).*\b(?:{own})\(", program, re.MULTILINE)


def joined(suites: Sequence[Suite]) -> Suite:
    """Combine several texts into one suite: imports and helpers once, tests of the same name with a number."""
    tests: list[Test] = []
    for test in (test for suite in suites for test in suite.tests):
        same = [earlier for earlier in tests if earlier.name == test.name and test.kind == "function"]
        name = f"{test.name}_{len(tests)}" if same else test.name
        tests.append(replace(test, name=name, text=re.sub(rf"\b{test.name}\b", name, test.text, count=1) if same else test.text))
    listed = "\n".join(dict.fromkeys(line for suite in suites for line in suite.more[0].split("\n")))
    kept = dict.fromkeys(part for suite in suites for part in suite.more[1:])
    preamble = "\n\n".join(["package main", f"import (\n{listed}\n)", *kept])
    return replace(suites[0], tests=tuple(tests), preamble=preamble, more=(listed, *kept))


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """One program with the tests for each of several solutions, every pair in a separate package."""
    # A random name, so that no program can call the harness and report results itself.
    hidden = f"h{secrets.token_hex(8)}"
    files = {f"{hidden}/harness.go": harness().replace("HIDDEN", hidden).encode()}
    for number, program in enumerate(programs):
        files[f"v{number}/solution.go"] = _solution(program, number).encode()
        files[f"v{number}/tests.go"] = _tests(suite, number, hidden).encode()
    tests = "\n".join([*suite.more[1:], *(test.text for test in suite.tests)])
    files |= go_testify.sources(tests, suite.more[0], hidden)
    imports = [f'v{number} "./v{number}"' for number in range(len(programs))]
    entries = ", ".join(f"v{number}.Run{hidden}" for number in range(len(programs)))
    main = [f"func main() {{ h.Main([]h.Entry{{{entries}}}, {len(suite.tests)}) }}"]
    return "\n".join(["package main", "import (", f'h "./{hidden}"', *imports, ")", *main, ""]), files


def _solution(program: str, number: int) -> str:
    if again := sorted(defined(program) & PREDECLARED):
        # Does not compile, and the name in the message says why.
        return f"package v{number}\nvar _ = itDefines_{again[0]}\n"
    text = _PACKAGE.sub("", program, count=1)
    if number:  # a stub or mutant may use less than it imports
        for alias, path in re.findall(r"^\s*(?:import\s+)?(?:(\w+)[ \t]+)?\"([^\"]+)\"[ \t]*$", text, re.MULTILINE):
            if not _called(text, alias or path.rpartition("/")[2]):
                text = re.sub(
                    rf"^(\s*(?:import\s+)?)(?:\w+[ \t]+)?\"{re.escape(path)}\"", rf'\1_ "{path}"', text, flags=re.MULTILINE
                )
    # `//line` makes the compiler name the variant in its errors.
    return f"package v{number}\n//line v{number}/solution.go:1\n{text}"


def _called(text: str, package: str) -> bool:
    return re.search(rf"\b{re.escape(package)}\.\w", text) is not None


def _tests(suite: Suite, number: int, hidden: str) -> str:
    body = "\n\n".join([*suite.more[1:], *(test.text for test in suite.tests if test.kind == "function")])
    cases = "\n".join(
        f"case {index}: return {test.name}"
        if test.kind == "function"
        else f"case {index}: return func(t *testing.T) {{ {test.run} }}"
        for index, test in enumerate(suite.tests)
    )
    body += f"\n\nfunc Run{hidden}(test int) func(t *testing.T) {{ switch test {{\n{cases}\n}}; return nil }}\n"
    imports = ['testing "../' + hidden + '"']
    for alias, path in _SPEC.findall(suite.more[0]):
        name = alias or path.rpartition("/")[2]
        # Go does not compile a file with an unused import.
        if path == "testing" or (name not in (".", "_") and not _called(body, name)):
            continue
        shim = go_testify.PATH.search(path)
        imports.append(f'{name} "../{hidden}{shim[1]}"' if shim else f'{alias} "{path}"')
    return "\n".join([f"package v{number}", "import (", *imports, ")", body])


@cache
def harness() -> str:
    """The harness, which runs the tests and reports the result of each."""
    return Path(__file__).with_name("go.go").read_text("utf-8")


LANGUAGE = SuiteLanguage(read, sources, joined=joined, together=together)
