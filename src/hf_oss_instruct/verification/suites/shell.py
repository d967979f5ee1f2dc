"""Shell: statements and functions that assert, as models write them, bats' `@test` and shunit2's functions.

The tests run in a shell that has only proxies of the program's functions: each call is a separate process, of which output and
status come back. Only where tests read variables that the program sets does the program run in the tests' own shell.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile

if TYPE_CHECKING:
    from tree_sitter import Node

HIDDEN = "tests_of_ours"
# Lines that would change the harness's shell, or load files that do not exist here.
_DROPPED = re.compile(
    r"^[ \t]*(?:#!.*|set\s+[-+]\w+.*|(?:source|\.)\s+\S+.*|load\s+\S+.*|bats_load_library.*|export\s+PATH=.*|chmod\s.*)$",
    re.MULTILINE,
)
# `DIR=$(dirname "$0")`: the files are in the working folder.
_FOLDER = re.compile(r"^([ \t]*(?:readonly\s+|local\s+|export\s+)?\w+=).*\bdirname\b.*$", re.MULTILINE)
_BATS = re.compile(r"^@test\s+(?:\"([^\"]*)\"|'([^']*)')\s*\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FUNCTION = re.compile(r"^[ \t]*(?:function\s+([\w:-]+)\s*(?:\(\s*\))?|([\w:-]+)\s*\(\s*\))\s*[{(\n]", re.MULTILINE)
_SCRIPT = re.compile(r"[\w.-]+\.(?:sh|bash)\b")
_ASSERTS = re.compile(r"\b(assert\w*|exit|return|fail\w*|error|die|check\w*|expect\w*)\b|\[|\btest\b|\bdiff\b|\bcmp\b|\bgrep\b")
_SET_UP, _TEAR_DOWN = ("oneTimeSetUp", "setup_file", "setUp", "setup"), ("tearDown", "teardown")


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, or contains no test.
    """
    text, solution, language = file.text, file.solution, file.language
    text = _FOLDER.sub(r'\1"$PWD"', _DROPPED.sub(":", text))
    cases = [(match[1] or match[2] or "", match[3]) for match in _BATS.finditer(text)]
    root = parse(_BATS.sub("", text).encode(errors="replace"), "shell").root_node
    if root.has_error:
        raise SuiteRefusedError("tests_missing", "the tests are not a valid shell script")
    functions = {_name(node): text_of(node) for node in root.named_children if node.type == "function_definition"}
    tests = [Test(name, "bats", f'@test "{name}" {{\n{body}}}', body) for name, body in cases]
    kept = list(functions.values())
    if not tests:
        main = next((node for node in root.named_children if node.type == "function_definition" and _name(node) == "main"), None)
        called = re.search(r"^\s*main\b", re.sub(r"^main\s*\(.*?^\}", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
        body = main.child_by_field_name("body") if main and called else None
        statements = [*root.named_children, *(body.named_children if body else ())]
        kept = [definition for name, definition in functions.items() if name != "main"]
        tests = list(_tests(statements, functions, defined(solution)))
        kept = [definition for definition in kept if definition not in {functions.get(test.name) for test in tests}]
    else:
        kept += [text_of(node) for node in root.named_children if "assignment" in node.type]
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    known = [name for name in (*_SET_UP, *_TEAR_DOWN) if name in functions]
    return Suite(language, tuple(tests), "\n\n".join(kept), more=(" ".join(known), " ".join(sorted(_variables(text)))))


def _name(function: Node) -> str:
    return text_of(function.child_by_field_name("name"))


def _tests(statements: Sequence[Node], functions: dict[str, str], program: frozenset[str]) -> Iterator[Test]:
    """Functions `test…`, or else the statements that can fail, each with what precedes it and follows all of them."""
    named = [name for name in functions if name.lower().startswith("test") and _ASSERTS.search(functions[name])]
    last = _status_checks(statements, functions)
    tail = [_returning(check) for check in last]
    if named:
        before = "\n".join(
            text_of(node) for node in statements if "assignment" in node.type or node.type == "declaration_command"
        )
        for name in named:
            shown = "\n".join(filter(None, [before, functions[name], *([name, *last] if last else ())]))
            yield Test(name, "function", shown, "\n".join([functions[name], before, name, *tail]))
        return
    before_it: list[str] = []
    number = 0
    for node in statements:
        text = text_of(node)
        if node.type in ("function_definition", "comment") or text in last or re.match(r"(echo|printf)\b[^|&;]*$|main\b", text):
            continue
        word = text_of(node.named_children[0]) if node.type == "command" and node.named_children else ""
        own = word in functions and _ASSERTS.search(functions[word]) is not None
        if "assignment" not in node.type and (
            own or node.type == "negated_command" or (word not in program and _ASSERTS.search(text))
        ):
            status = "" if node.type in ("command", "test_command", "negated_command", "compound_statement") else "\ntrue"
            yield Test(
                str(number), "statements", "\n".join([*before_it, text, *last]), "\n".join([*before_it, text + status, *tail])
            )
            number += 1
            if not own and node.type not in ("test_command", "list", "if_statement"):
                before_it.append(text)
        else:
            before_it.append(text)


def _returning(text: str) -> str:
    return ":" if text == "exit 0" else re.sub(r"\bexit\b", "return", text)


def _status_checks(statements: Sequence[Node], functions: dict[str, str]) -> list[str]:
    """The last statements, which say by their status what the test functions counted."""
    helpers = "\n".join(functions.values())
    texts: list[str] = []
    for node in reversed([statement for statement in statements if statement.type not in ("comment", "function_definition")]):
        text = text_of(node)
        if re.match(r"(echo|printf)\b[^|&;]*$|main\b", text):
            continue
        read_ = re.findall(r"\$\{?#?(\w+)|\(\(\s*(\w+)", text) if re.search(r"\bexit\b|^(\[|test\b|\(\()", text) else []
        if (
            not any(re.search(rf"\b{name}(\+?=|\+\+)|\+\+{name}\b", helpers) for name in map("".join, read_) if name)
            and text != "exit 0"
        ):
            break
        texts.insert(0, text)
    return texts


def defined(program: str) -> frozenset[str]:
    """The names of the functions of a program."""
    return frozenset(match[1] or match[2] for match in _FUNCTION.finditer(program))


def _variables(text: str) -> set[str]:
    """The variables that a text reads and does not set."""
    read_ = set(re.findall(r"\$\{?[#!]?([A-Za-z_]\w*)", text))
    return read_ - set(re.findall(r"\b([A-Za-z_]\w*)\+?=", text)) - {"status", "output", "lines", "PWD", "HOME", "PATH", "TMPDIR"}


def joined(suites: Sequence[Suite]) -> Suite:
    """Combine several texts into one suite: helpers once, tests of the same name with a number."""
    tests = [
        replace(test, text=whole, name=f"{test.name}_{number}" if test.kind == "statements" else test.name)
        for number, suite in enumerate(suites)
        for test, whole in zip(suite.tests, suite.standalone(), strict=True)
    ]
    preamble = "\n\n".join(dict.fromkeys(suite.preamble for suite in suites))
    more = tuple(" ".join(dict.fromkeys(word for suite in suites for word in suite.more[index].split())) for index in range(2))
    return replace(suites[0], tests=tuple(tests), preamble=preamble, more=more)


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """The program that runs tests against each of several solutions, and its files."""
    # A random name, so that no program can call the harness and report results itself.
    hidden = f"h{secrets.token_hex(8)}"
    files = {f"v{number}.sh": program.encode(errors="replace") for number, program in enumerate(programs)}
    # The program is read without its arguments, so that a main part that looks at them does not run, and
    # without standard input and output.
    files["call.sh"] = (
        b'program=$1 name=$2\nshift 2\ngiven=("$@")\nset --\n. "$program" </dev/null >/dev/null 2>&1\n"$name" "${given[@]}"\n'
    )
    own = defined(programs[0])
    shared = set(suite.more[1].split()) & set(re.findall(r"\b([A-Za-z_]\w*)\+?=", programs[0]))
    head = [harness("shell_asserts.sh").replace("HIDDEN", hidden), f"{hidden}_skip={hidden}"]
    if shared:
        head.insert(0, f'. "${hidden}_program" </dev/null >/dev/null 2>&1\n{_RESTORED}')
    else:
        call = f'"${hidden}_bash" --norc --noprofile ./call.sh "${hidden}_program"'
        # `8>&-` closes the channel of results for the program.
        head += [f'{name}() {{ {call} {name} "$@" 8>&-; }}' for name in sorted(own)]
    known = suite.more[0].split()
    for index, test in enumerate(suite.tests):
        before = [name for name in _SET_UP if name in known]
        after = [name for name in _TEAR_DOWN if name in known]
        body = test.run or test.text
        run = f"( set -e\n{body}\n)" if test.kind == "bats" else body
        text = [f"#skip {hidden}", *head, suite.preamble, f"{hidden}_run() {{", *before, run, "}", f"{hidden}_run || exit 1"]
        if test.kind == "bats":
            text[-1] = f"{hidden}_run\n[ $? = 0 ] || exit 1"
        text += [*after, f"[ ${hidden}_wrong = 0 ] || exit 1"]
        files[f"t{index}.sh"] = "\n".join(text).encode(errors="replace")
    names = sorted({name for test in suite.tests for name in _SCRIPT.findall(f"{suite.preamble}\n{test.run or test.text}")})
    names = [name for name in names if not re.fullmatch(r"[vt]\d+\.sh|call\.sh|program\.sh", name)]
    script = harness("shell.sh").replace("HIDDEN", hidden).replace("COUNT", str(len(suite.tests)))
    return script.replace("NAMES", " ".join(names)), files


# A program in the tests' own shell must not replace what they use.
_RESTORED = (
    'unalias -a; trap - EXIT ERR DEBUG RETURN; for name in $(compgen -b) diff cmp grep; do unset -f -- "$name"; done; set +e'
)


@cache
def harness(name: str) -> str:
    """The harness, which runs the tests and reports the result of each, and the assertions that they can call."""
    return Path(__file__).with_name(name).read_text("utf-8")


LANGUAGE = SuiteLanguage(read, sources, joined=joined)
