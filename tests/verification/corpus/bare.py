"""Runs solution and tests with the toolchains and test frameworks themselves, without any code of ours between them.

Frameworks that are not installed raise `NotProvableError`: GoogleTest, Catch2, doctest, testify, RSpec, PHPUnit, Pest, xUnit, NUnit, MSTest, bats,
shunit2, JUnit; and jest, vitest, mocha and chai, of which npm's `expect`, `jest-mock`
and `chai` are used with Node's own runner.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

SECONDS = 120  # of a run on a busy machine; a program that hangs gets `HANGS`
HANGS = 4
_PHP = ("php", "-d", "zend.assertions=1", "-d", "assert.exception=1")


class NotProvableError(Exception):
    """The framework or toolchain of a case is not installed, or is not one that can be run bare."""


def outcome(
    language: str, solution: str, tests: str, environment: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> str:
    """What a bare toolchain says of a pair: `passed`, `failed` or `timeout`.

    Raises:
        NotProvableError: see there.
    """
    tests = re.sub(r"\A\s*```\w*\n(.*?)```\s*\Z", r"\1", tests, flags=re.DOTALL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            for command, given, expected in _RUNNERS[language](folder, solution, tests):
                returncode, stdout = _run(command, given, folder, seconds, environment or {})
                if returncode or (expected is not None and stdout.split() != expected.split()):
                    return "failed"
        except subprocess.TimeoutExpired:
            return "timeout"
    return "passed"


def _run(command: list[str], given: str, folder: Path, seconds: float, environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and output of a command. When it takes too long, what it started ends with it."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace", cwd=folder,
        env={**os.environ, "TZ": "UTC", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment}, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            stdout, _ = process.communicate(given, timeout=seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, stdout


Steps = list[tuple[list[str], str, str | None]]
"""Commands, what each reads from standard input, and what it has to print; None for anything."""


def _steps(*commands: list[str]) -> Steps:
    return [(command, "", None) for command in commands]


def _without(language: str, pattern: str, tests: str) -> None:
    if found := re.search(pattern, tests, re.MULTILINE):
        raise NotProvableError(f"{language}: {found[0].strip()}")


def _pairs(tests: str, *command: str) -> Steps | None:
    """Inputs and outputs, where the tests are such JSON."""
    if not tests.lstrip().startswith("[{"):
        return None
    return [(list(command), one["input"], one["output"]) for one in json.loads(tests)]


def _split(pattern: str, text: str) -> tuple[str, str]:
    """The lines of a text that match, imports say, and the rest."""
    return "".join(re.findall(pattern, text, re.MULTILINE)), re.sub(pattern, "", text, flags=re.MULTILINE)


_REVERSED = """import os
def pytest_collection_modifyitems(items):
    if os.environ.get("REVERSED"):
        items.reverse()
"""
"""Runs tests in the other order, as a flaky suite is told by."""


def _python(folder: Path, solution: str, tests: str) -> Steps:
    (folder / "solution.py").write_text(solution)
    if steps := _pairs(tests, sys.executable, "solution.py"):
        return steps
    if ">>>" in tests:
        (folder / "examples.txt").write_text(f">>> from solution import *\n\n{tests}")
        return _steps([sys.executable, "-m", "doctest", "examples.txt"])
    imported = re.findall(r"^\s*(?:from|import)\s+([\w.]+)", tests, re.MULTILINE)
    for name in ("requests", "numpy"):
        if name in imported and find_spec(name):
            raise NotProvableError(f"python: a Python without {name}")
    own = [one for one in imported if one.partition(".")[0] not in {*sys.stdlib_module_names, "pytest", "numpy", "requests"}]
    for module in own:
        path = folder / f"{module.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(solution)
    tests = re.sub(r",?\s*exit\s*=\s*False", "", tests)  # with it the exit status says nothing
    (folder / "test_it.py").write_text(tests if own else f"{solution}\n\n{tests}")
    (folder / "conftest.py").write_text(_REVERSED)
    runs_itself = re.search(r"^\s*(?:unittest\.)?main\(", tests, re.MULTILINE)
    if not runs_itself and re.search(r"^\s*(?:async )?def test|^class Test|unittest|pytest", tests, re.MULTILINE):
        return _steps(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=.", "test_it.py"]
        )
    return _steps([sys.executable, "test_it.py"])


def _shell(folder: Path, solution: str, tests: str) -> Steps:
    _without("shell", r"@test|\bassert(Equals|True|False|NotEquals|Null|Same)\b|shunit2|^\s*run ", tests)
    for name in {"solution.sh", "program.sh", *re.findall(r"[\w-]+\.sh", tests)}:
        (folder / name).write_text(solution)
        (folder / name).chmod(0o755)
    called = "" if re.search(r"(?:source|\.|bash|\./)\s*\S*\.sh", tests) else "source ./solution.sh\n"
    (folder / "tests.bash").write_text(called + tests)
    return _steps(["bash", "tests.bash"])


def _ruby(folder: Path, solution: str, tests: str) -> Steps:
    _without("ruby", r"RSpec|\.to (?:eq|be|raise)|^describe.*do\n(?!.*must_)(?=.*expect\()", tests)
    names = re.findall(r"require(?:_relative)?\s*\(?['\"]([\w./-]+)['\"]", tests)
    own = [one for one in names if not re.match(r"(?:minitest|test/unit|json|set|time|date|stringio|net)", one)]
    for name in own:
        for start in (folder, folder / "spec"):  # `require "./x"` goes by the working folder, `require_relative` by the file
            path = (start / f"{name}.rb").resolve()
            if path.is_relative_to(folder.resolve()):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(solution)
    (folder / "spec").mkdir(exist_ok=True)
    frame = "require 'minitest/autorun'\n" if re.search(r"Minitest|must_", tests) and "require" not in tests else ""
    (folder / "spec" / "tests.rb").write_text(frame + (tests if own else f"{solution}\n{tests}"))
    return _steps(["ruby", "spec/tests.rb"])


def _php(folder: Path, solution: str, tests: str) -> Steps:
    _without("php", r"PHPUnit|TestCase|^\s*(?:it|test|describe)\(|#\[Test", tests)
    for name in re.findall(r"['\"/]([\w/-]+\.php)['\"]", tests):
        (folder / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (folder / name.lstrip("/")).write_text(solution)
    (folder / "solution.php").write_text(solution)
    body = tests if tests.lstrip().startswith("<?php") else f"<?php\n{tests}"
    if not re.search(r"(?:require|include)", body):
        first, strict, rest = body.partition("declare(strict_types=1);")
        opening, rest = (first + strict, rest) if strict else ("<?php", body.lstrip()[5:])
        uses, rest = _split(r"^use [^;]+;\n", rest)
        body = f"{opening}\n{uses}require 'solution.php';\n{rest}"
    (folder / "tests.php").write_text(body)
    return _steps([*_PHP, "tests.php"])


def _cpp(folder: Path, solution: str, tests: str) -> Steps:
    _without("cpp", r"gtest|catch2|doctest|TEST_CASE|\bTEST\(", tests)
    body = tests
    if not re.search(r"\bmain\s*\(", tests):
        heads, rest = _split(r"^#include.*\n", tests)
        body = f"#include <cassert>\n{heads}int main() {{\n{rest}\n}}\n"
    (folder / "all.cpp").write_text(f"{solution}\n" + _split(r"^#include \".*\n", body)[1])
    return _steps(["g++", "-std=c++17", "-O0", "-pthread", "all.cpp", "-o", "all"], ["./all"])


def _go(folder: Path, solution: str, tests: str) -> Steps:
    _without("go", r"stretchr/testify", tests)
    (folder / "go.mod").write_text("module example.com/project\n\ngo 1.19\n")
    tests = re.sub(
        r"^\s*import\s+\"(?:[\w.-]+/)+\w+\"\n|^\s*\"(?:example\.com|github\.com)/[^\"]+\"\n", "", tests, flags=re.MULTILINE
    )
    tests = re.sub(r"\b(?:clamp|inventory|solution)\.(?=[A-Z])", "", tests)
    tests = re.sub(r"^\s*t\.Parallel\(\)\n", "", tests, flags=re.MULTILINE)  # before Go 1.22 its loops share one variable
    if "func " not in tests or re.search(r"^(?:if|for|\w+ :?=)", tests, re.MULTILINE):
        imports, rest = _split(r"^import [^\n(]+\n", tests)
        tests = f"{imports}func main() {{\n{rest}\n}}\n"
    tests = "package main\n" + re.sub(r"^package \w+\n", "", tests, flags=re.MULTILINE)
    (folder / "solution.go").write_text(re.sub(r"^package \w+", "package main", solution, count=1, flags=re.MULTILINE))
    if "*testing.T" not in tests and "func main(" in tests:
        (folder / "main.go").write_text(tests)
        return _steps(["go", "run", "."])
    (folder / "solution_test.go").write_text(tests)
    return _steps(["go", "test", "-vet=off", "./..."])


def _rust(folder: Path, solution: str, tests: str) -> Steps:
    tests = re.sub(r"^\s*use (?:solution|inventory|crate|clamp)::[^;]*;\n", "", tests, flags=re.MULTILINE)
    tested = "#[test]" in tests
    body = tests if "fn main(" in tests else f"fn main() {{\n{tests}\n}}\n"
    if tested:  # they may import again what the solution does
        body = f"mod bare_tests {{\nuse super::*;\n{tests}\n}}\n"
    (folder / "all.rs").write_text(f"#![allow(warnings)]\n{solution}\n{body}")
    mode = ["--test"] if tested else []
    return _steps(["rustc", "--edition", "2021", *mode, "all.rs", "-o", "all"], ["./all"])


def _csharp(folder: Path, solution: str, tests: str) -> Steps:
    _without("csharp", r"Xunit|NUnit|Microsoft\.VisualStudio|\[(?:Fact|Test|TestMethod|TestClass)", tests)
    (using, rest), (more, body) = (_split(r"^using [\w.= ]+;\n", text) for text in (solution, tests))
    if not re.search(r"\bMain\s*\(", body):
        body = f"class Alone {{ static void Main() {{\n{body}\n}} }}\n"
    heads = ["using System;\n", "using System.Diagnostics;\n", *(using + more).splitlines(keepends=True)]
    everything = "".join(dict.fromkeys(heads)) + rest + body
    (folder / "all.cs").write_text(everything)
    # As a failed Debug.Assert ends .NET; Mono only writes it.
    steps = _steps(["mcs", "-d:DEBUG", "-r:System.Numerics.dll", "-out:all.exe", "all.cs"])
    return [
        *steps,
        (["bash", "-c", "MONO_TRACE_LISTENER=Console.Error mono all.exe 2>err || exit 1; ! grep -q 'Fail:' err"], "", None),
    ]


def _java(folder: Path, solution: str, tests: str) -> Steps:
    _without("java", r"\bassertj\b", tests)
    if re.search(r"org\.junit|@Test|TestCase|\bassertThrows\(", tests) or (
        "assertEquals(" in tests and "void main(" not in tests
    ):
        raise NotProvableError("java: JUnit")
    if not re.search(r"\b(?:class|interface|enum|record)\s+\w+", tests):
        imports, rest = _split(r"^import [^;]+;\n", tests)
        imports += _split(r"^import [^;]+;\n", solution)[0]
        tests = f"{imports}public class Alone {{ public static void main(String[] args) throws Exception {{\n{rest}\n}} }}\n"
    tests = re.sub(r"^package [^;]+;\n", "", tests, flags=re.MULTILINE)
    main = re.search(r"class\s+(\w+)(?:(?!\bclass\b).)*?static void main\(", tests, re.DOTALL)
    for text in (solution, tests):
        public = re.search(r"^public (?:final |abstract )?(?:class|interface|record|enum) (\w+)", text, re.MULTILINE)
        (folder / f"{public[1] if public else 'Other' + str(len(text))}.java").write_text(text)
    return _steps(["bash", "-c", "javac *.java"], ["java", "-ea", "-cp", ".", main[1] if main else "Alone"])


_NODE = """
const { createRequire } = require('module');
const lib = createRequire(process.env.BARE_NODE + '/');
const t = require('node:test');
const { expect } = lib('expect');
const { ModuleMocker } = lib('jest-mock');
const mock = new ModuleMocker(globalThis);
const chai = lib('chai');
const self = {};  // mocha's hooks and tests share `this`
const called = (f) => new Promise((done, fail) => f.call(self, (error) => error ? fail(error) : done()));
const bound = (f) => f && (f.length ? () => called(f) : () => f.call(self));
const titled = (run) => Object.assign((name, f) => run(name, bound(f)), {
  each: (rows) => (name, f) => rows.forEach((row) => run(String(name), () => f(...(Array.isArray(row) ? row : [row])))),
});
globalThis.test = globalThis.it = titled(t.it);
test.skip = it.skip = (name) => t.it(name, { skip: true }, () => {});
test.todo = (name) => t.it(name, { todo: true });
globalThis.xit = globalThis.xtest = test.skip;
globalThis.describe = titled(t.describe);
describe.skip = (name) => t.describe(name, { skip: true }, () => {});
globalThis.beforeEach = (f) => t.beforeEach(bound(f));
globalThis.afterEach = (f) => t.afterEach(bound(f));
globalThis.beforeAll = (f) => t.before(bound(f));
globalThis.afterAll = (f) => t.after(bound(f));
globalThis.before = globalThis.beforeAll;
globalThis.after = globalThis.afterAll;
globalThis.expect = expect;
globalThis.jest = globalThis.vi = {};
for (const name of ['fn', 'spyOn', 'clearAllMocks', 'resetAllMocks', 'restoreAllMocks']) jest[name] = mock[name].bind(mock);
const load = require('module')._load;
require('module')._load = (name, ...rest) =>
  ['vitest', '@jest/globals', 'mocha'].includes(name) ? globalThis : name === 'chai' ? chai : load(name, ...rest);
"""
"""Node's runner with jest's own `expect` and mocks, under the names that jest, vitest and mocha have."""


@functools.cache
def _packages() -> str:
    """A folder with npm's `expect`, `jest-mock` and `chai`."""
    folder = tempfile.mkdtemp(prefix="bare-node-")
    npm = shutil.which("npm")
    command = [
        npm or "npm",
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--prefix",
        folder,
        "expect@29",
        "jest-mock@29",
        "chai@4",
    ]
    if not npm or subprocess.run(command, capture_output=True, timeout=300).returncode:
        raise NotProvableError("javascript: npm cannot install jest's expect")
    return folder


def _javascript(folder: Path, solution: str, tests: str) -> Steps:
    (folder / "solution.js").write_text(solution)
    if steps := _pairs(tests, "node", "solution.js"):
        return steps
    return _as_node(folder, solution, tests, "js")


def _typescript(folder: Path, solution: str, tests: str) -> Steps:
    if not shutil.which("tsc"):
        raise NotProvableError("typescript: tsc")
    return _as_node(folder, solution, tests, "ts")


def _as_node(folder: Path, solution: str, tests: str, suffix: str) -> Steps:
    """CommonJS of both, by tsc."""
    if not shutil.which("tsc"):
        raise NotProvableError("javascript: tsc, which turns imports to CommonJS")
    if (
        "test(" in tests
        and re.search(r"^(?!.*(?:await|return|async))[^\n]*\.then\(", tests, re.MULTILINE)
        and "done" not in tests
    ):
        raise NotProvableError("javascript: jest, which does not see what a promise does after its test")
    tests = re.sub(r"(['\"])@/", r"\1./", tests)  # a path that a bundler knows
    tests = re.sub(r"(['\"]\.[\w./-]*)\.[mc]js(?=['\"])", r"\1.js", tests)
    names = re.findall(r"(?:from|require\(|import)\s*['\"](\.[\w./-]*)['\"]", tests)
    for name in {"./solution", *names}:
        path = (folder / "test" / re.sub(r"\.[jt]s$", "", name)).resolve().with_suffix(f".{suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(solution)
    module = re.sub(
        r"^export (?:default )?(?=(?:abstract )?(?:async )?(?:class|function|const|interface|type|enum))",
        "",
        solution,
        flags=re.MULTILINE,
    )
    module = re.sub(r"^module\.exports.*\n|^export \{.*\n", "", module, flags=re.MULTILINE)
    (folder / "test" / f"tests.{suffix}").write_text(tests if names else f"{module}\n{tests}")
    (folder / "bare.js").write_text(_NODE)
    framework = re.search(r"\b(?:expect|test|it|describe|xit)(?:\.\w+)?\(|vitest|chai", tests) and "node:test" not in tests
    (folder / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": {"module": "commonjs", "target": "es2022", "allowJs": True, "checkJs": False, "outDir": "out", "rootDir": ".",
                                        "strict": False, "esModuleInterop": True, "noEmitOnError": False, "moduleDetection": "force",
                                        "ignoreDeprecations": "6.0"}, "include": ["**/*.js", "**/*.ts"], "exclude": ["out"]})
    )  # fmt: skip
    run = f"tsc >/dev/null; {f'BARE_NODE={_packages()} ' if framework else ''}node {'-r ./bare.js ' if framework else ''}out/test/tests.js"
    return _steps(["bash", "-c", run])


_RUNNERS: dict[str, Callable[[Path, str, str], Steps]] = {
    "python": _python, "shell": _shell, "ruby": _ruby, "php": _php, "cpp": _cpp, "go": _go, "rust": _rust, "csharp": _csharp, "java": _java,
    "javascript": _javascript, "typescript": _typescript,
}  # fmt: skip
