"""The part of testify that Go tests call, and their calls beyond it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

PATH = re.compile(r"github\.com/stretchr/testify/(assert|require|suite)$")
# In the harness's file: its functions, and the results and `return` that `_for` removes in `require`.
_FUNCTION = re.compile(r"^func ([A-Z]\w*)\(t TestingT, (.*?)m \.\.\.any_\) bool", re.MULTILINE)
_RESULT = re.compile(r"(?<=m \.\.\.any_\)) bool(?= +\{|$)", re.MULTILINE)
_RETURN = re.compile(r"\breturn (?=hold\(|h\.Hold\(t, true|[A-Z]\w*\((?:its\.)?t\b)")
# These are in a file of their own, which is compiled only where tests call one of them.
_TEXT = re.compile(r"\b(?:JSONEq|(?:Not)?Regexp)f?\b")
_NOT_READ = re.compile(
    r"""(?:\.|^func\ \(\w+\ \*?\w+\)\ )(
    (?:HTTP(?:Success|Redirect|Error|StatusCode|BodyContains|BodyNotContains)|YAMLEq|(?:No)?(?:File|Dir)Exists|EventuallyWithT|Never
    |In(?:Delta|Epsilon)(?:Slice|MapValues)|Is(?:Non)?(?:In|De)creasing|NotEqualValues|EqualExportedValues|WithinRange|NotImplements
    |NotElementsMatch|NotErrorAs|IsNotType)f?
    |ObjectsAreEqual(?:Values)?|CollectT|HandleStats|PanicAssertionFunc|(?:Setup|TearDown)SubTest)\b""",
    re.VERBOSE | re.MULTILINE,
)
"""What testify has and the harness lacks."""


def not_read(tests: str, solution: str) -> str:
    """The first name of testify that tests call, that the harness lacks and that is none of the solution's; empty for none."""
    names = (match[1] for match in _NOT_READ.finditer(tests))
    return next((name for name in names if not re.search(rf"\b{name}\b", solution)), "")


def sources(tests: str, imports: str, hidden: str) -> dict[str, bytes]:
    """The packages of testify that tests import, by their paths; nothing if they import none.

    Args:
        tests: the text of the tests and their helpers: only what they call is compiled.
        imports: the text of their imports.
        hidden: name of the harness's package.
    """
    if "stretchr/testify" not in imports:
        return {}
    with_suite = "testify/suite" in imports
    files = {f"{hidden}/comparison.go": _harness("go_comparison.go")}
    for name in ("assert", "require"):
        files[f"{hidden}{name}/{name}.go"] = _package(name, tests, with_suite)
        if _TEXT.search(tests):
            files[f"{hidden}{name}/text.go"] = _for(name, _harness("go_testify_text.go"))
    if with_suite:
        files[f"{hidden}suite/suite.go"] = _harness("go_suite.go")
    return {path: text.replace("HIDDEN", hidden).encode() for path, text in files.items()}


def _package(name: str, tests: str, with_suite: bool) -> str:
    """The functions, and of their methods and forms with a format those that tests may call."""
    plain = _harness("go_testify.go")
    called = set(re.findall(r"\b[A-Z]\w*", tests))
    as_methods = with_suite or "New" in called
    more = []
    for function, parameters in _FUNCTION.findall(plain + (_harness("go_testify_text.go") if _TEXT.search(tests) else "")):
        names = ", ".join(parameter.split()[0] for parameter in parameters.split(", ") if parameter)
        for form, given in ((function, f"{parameters}m ...any_"), (f"{function}f", f"{parameters}message string, m ...any_")):
            if form in called and form != function:
                more.append(f"func {form}(t TestingT, {given}) bool {{ return {function}(t, {names}) }}")
            if form in called and as_methods:
                more.append(f"func (its *Assertions) {form}({given}) bool {{ return {function}(its.t, {names}) }}")
    return _for(name, "\n".join([plain, *more, ""]))


def _for(name: str, text: str) -> str:
    """A file as one of the two packages has it: functions of `require` end the test, and return nothing."""
    if name == "require":
        text = _RESULT.sub("", _RETURN.sub("", text))
    return text.replace("PACKAGE", name).replace("NOW", "true" if name == "require" else "false")


@cache
def _harness(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")
