"""Python with pytest, unittest and doctest; shell with bats and shunit2; Ruby with RSpec, minitest and test-unit; PHP with PHPUnit."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.verification.corpus.bare.steps import NotProvableError, Step, needs, pairs, split, steps

_PHP = ("php", "-d", "zend.assertions=1", "-d", "assert.exception=1")
_REVERSED = """import os
def pytest_collection_modifyitems(items):
    if os.environ.get("REVERSED"):
        items.reverse()
"""
"""Runs tests in the other order, as a flaky suite is told by."""


def python(folder: Path, solution: str, tests: str) -> list[Step]:
    (folder / "solution.py").write_text(solution)
    if found := pairs(tests, sys.executable, "solution.py"):
        return found
    if ">>>" in tests:
        (folder / "examples.txt").write_text(f">>> from solution import *\n\n{tests}")
        return steps([sys.executable, "-m", "doctest", "examples.txt"])
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
        return steps(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=.", "test_it.py"]
        )
    return steps([sys.executable, "test_it.py"])


def shell(folder: Path, solution: str, tests: str) -> list[Step]:
    for name in {"solution.sh", "program.sh", *re.findall(r"[\w-]+\.sh", tests)}:
        (folder / name).write_text(solution)
        (folder / name).chmod(0o755)
    sourced = re.search(r"(?:source|\.|bash|\./|load)\s*\S*\.sh", tests)
    if "@test" in tests:
        return _bats(folder, tests if sourced else f"source ./solution.sh\n{tests}")
    called = "" if sourced else "source ./solution.sh\n"
    if re.search(r"shunit2|\bassert(?:Equals|True|False|NotEquals|Null|Same)\b", tests):
        needs("shunit2", "/usr/bin/shunit2", "shunit2")
        own, loaded, _ = tests.partition(". shunit2")
        (folder / "tests.bash").write_text(f"{called}{own if loaded else tests}\n. shunit2\n")
        return [Step(["bash", "tests.bash"], says=r"^Ran \S*[1-9]")]
    (folder / "tests.bash").write_text(called + tests)
    return steps(["bash", "tests.bash"])


def _bats(folder: Path, tests: str) -> list[Step]:
    needs("bats", "/usr/bin/bats", "bats")
    if re.search(r"\bassert_|\brefute_", tests):
        needs("bats-assert", "/usr/lib/bats/bats-assert", "bats-assert")
        (folder / "test_helper").symlink_to("/usr/lib/bats")
        if "load" not in tests:
            tests = f"load test_helper/bats-support/load\nload test_helper/bats-assert/load\n{tests}"
    (folder / "tests.bats").write_text(tests)
    return [Step(["bats", "--tap", "tests.bats"], says=r"^ok 1")]


def ruby(folder: Path, solution: str, tests: str) -> list[Step]:
    names = re.findall(r"require(?:_relative)?\s*\(?['\"]([\w./-]+)['\"]", tests)
    own = [one for one in names if not re.match(r"(?:minitest|rspec|test/unit|json|set|time|date|stringio|net)", one)]
    for name in own:
        for start in (folder, folder / "spec"):  # `require "./x"` goes by the working folder, `require_relative` by the file
            path = (start / f"{name}.rb").resolve()
            if path.is_relative_to(folder.resolve()):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(solution)
    (folder / "spec").mkdir(exist_ok=True)
    frame = "require 'minitest/autorun'\n" if re.search(r"Minitest|must_", tests) and "require" not in tests else ""
    (folder / "spec" / "tests.rb").write_text(frame + (tests if own else f"{solution}\n{tests}"))
    if re.search(r"RSpec|\.to(?:_not)? |\.not_to |is_expected", tests) or ("expect(" in tests and "minitest" not in tests):
        needs("RSpec", "/usr/bin/rspec", "ruby-rspec")
        return [Step(["rspec", "--options", os.devnull, "spec/tests.rb"], says=r"^[1-9]\d* examples?,")]
    return steps(["ruby", "spec/tests.rb"])


def php(folder: Path, solution: str, tests: str) -> list[Step]:
    if re.search(r"^\s*(?:it|test|describe)\(", tests, re.MULTILINE):
        raise NotProvableError("Pest: no package of Debian, PyPI or npm")
    (folder / "tests").mkdir()
    names = re.findall(r"['\"/]([\w./-]+\.php)['\"]", tests)
    for name in names:
        path = (folder / "tests" / name.lstrip("/")).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<?php\n" if "vendor/" in name and len(names) > 1 else solution)
    (folder / "solution.php").write_text(solution)
    body = tests if tests.lstrip().startswith("<?php") else f"<?php\n{tests}"
    if not re.search(r"(?:require|include)", body):
        body = _after_namespace(body, "require_once __DIR__ . '/../solution.php';")
    if re.search(r"PHPUnit|TestCase", tests):
        return _phpunit(folder, body)
    (folder / "tests" / "tests.php").write_text(body)
    return steps([*_PHP, "tests/tests.php"])


def _after_namespace(text: str, line: str) -> str:
    """PHP with a line after the statements that have to come first."""
    first = re.match(
        r"\s*<\?php\s*(?:/\*.*?\*/\s*|//[^\n]*\n\s*)*(?:declare\([^)]*\);\s*)?(?:namespace [^;{]+;\s*)?", text, re.DOTALL
    )
    if first is None:
        raise ValueError(f"no PHP: {text[:40]!r}")
    uses, rest = split(r"^use [^;]+;\n", text[first.end() :])
    return f"{first[0]}\n{uses}{line}\n{rest}"


def _phpunit(folder: Path, body: str) -> list[Step]:
    """PHPUnit 9, which is Debian's: attributes, which came with 10, become the annotations that they replaced."""
    needs("PHPUnit", "/usr/bin/phpunit", "phpunit")
    body = re.sub(r"#\[(?:\\?PHPUnit\\Framework\\Attributes\\)?Test\]", "/** @test */", body)
    body = re.sub(r"#\[(?:\\?PHPUnit\\Framework\\Attributes\\)?DataProvider\('(\w+)'\)\]", r"/** @dataProvider \1 */", body)
    if "PHPUnit" not in body:
        body = _after_namespace(body, "use PHPUnit\\Framework\\TestCase;")
    (folder / "tests" / "BareTest.php").write_text(body)
    command = ["phpunit", "--no-configuration", "--do-not-cache-result", "--test-suffix", "BareTest.php", "tests"]
    return [Step(command, says=r"Tests: [1-9]|\([1-9]\d* test")]
