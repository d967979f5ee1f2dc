"""C++ with GoogleTest, Catch2 and doctest; Go with testify; Rust."""

from __future__ import annotations

import re
from pathlib import Path

from tests.verification.corpus.bare.steps import Step, needs, split, steps

_GOCODE = "/usr/share/gocode"  # where Debian keeps packages of Go


def cpp(folder: Path, solution: str, tests: str) -> list[Step]:
    tests = re.sub(r"^#include \"((?:gtest|gmock|catch2?|doctest)[\w/.]*)\"", r"#include <\1>", tests, flags=re.MULTILINE)
    libraries, says = _frame_of(tests)
    body = tests
    if not libraries and not re.search(r"\bmain\s*\(", tests) and not says:
        heads, rest = split(r"^#include.*\n", tests)
        body = f"#include <cassert>\n{heads}int main() {{\n{rest}\n}}\n"
    (folder / "all.cpp").write_text(f"{solution}\n" + split(r"^#include \".*\n", body)[1])
    compiler = ["g++", "-std=c++17", "-O0", "-pthread", "-I/usr/include/doctest", "-I/usr/include/catch2", "all.cpp", "-o", "all"]
    return [Step([*compiler, *libraries]), Step(["./all"], says=says)]


def _frame_of(tests: str) -> tuple[list[str], str]:
    """Libraries of the framework of tests, and what it prints of tests that it found."""
    if re.search(r"gtest|gmock|\bTEST(?:_F|_P)?\(", tests):
        needs("GoogleTest", "/usr/include/gmock/gmock.h", "libgtest-dev libgmock-dev")
        return ["-lgtest_main", "-lgmock", "-lgtest"], r"Running [1-9]\d* tests?"
    if "doctest" in tests:
        needs("doctest", "/usr/include/doctest/doctest.h", "doctest-dev")
        return [], r"test cases: +[1-9]"
    if re.search(r"\b(?:TEST_CASE|SCENARIO)", tests):
        needs("Catch2", "/usr/include/catch2/catch.hpp", "catch2")
        return [], r"All tests passed|test cases?:"
    return [], ""


def go(folder: Path, solution: str, tests: str) -> list[Step]:
    tests = re.sub(
        r"^\s*import\s+\"(?:[\w.-]+/)+\w+\"\n|^\s*\"(?:example\.com|github\.com)/(?!stretchr/)[^\"]+\"\n",
        "",
        tests,
        flags=re.MULTILINE,
    )
    tests = re.sub(r"\b(?:clamp|inventory|solution)\.(?=[A-Z])", "", tests)
    tests = re.sub(r"^\s*t\.Parallel\(\)\n", "", tests, flags=re.MULTILINE)  # before Go 1.22 its loops share one variable
    if "func " not in tests or re.search(r"^(?:if|for|\w+ :?=)", tests, re.MULTILINE):
        imports, rest = split(r"^import [^\n(]+\n", tests)
        tests = f"{imports}func main() {{\n{rest}\n}}\n"
    tests = "package main\n" + re.sub(r"^package \w+\n", "", tests, flags=re.MULTILINE)
    project = folder / "src" / "project"
    project.mkdir(parents=True)
    (project / "go.mod").write_text("module project\n\ngo 1.19\n")
    (project / "solution.go").write_text(re.sub(r"^package \w+", "package main", solution, count=1, flags=re.MULTILINE))
    if "*testing.T" not in tests and "func main(" in tests:
        (project / "main.go").write_text(tests)
        return steps(["env", "-C", "src/project", "go", "run", "."])
    (project / "solution_test.go").write_text(tests)
    modules = ["GO111MODULE=on"]
    if "stretchr/testify" in tests:
        needs("testify", f"{_GOCODE}/src/github.com/stretchr/testify", "golang-github-stretchr-testify-dev")
        modules = ["GO111MODULE=off", f"GOPATH={folder}:{_GOCODE}"]
    return [Step(["env", "-C", "src/project", *modules, "go", "test", "-vet=off", "."], says=r"^ok")]


def rust(folder: Path, solution: str, tests: str) -> list[Step]:
    tests = re.sub(r"^\s*use (?:solution|inventory|crate|clamp|rpn)::[^;]*;\n", "", tests, flags=re.MULTILINE)
    tested = "#[test]" in tests
    body = tests if "fn main(" in tests else f"fn main() {{\n{tests}\n}}\n"
    if tested:  # they may import again what the solution does
        body = f"mod bare_tests {{\nuse super::*;\n{tests}\n}}\n"
    (folder / "all.rs").write_text(f"#![allow(warnings)]\n{solution}\n{body}")
    mode = ["--test"] if tested else []
    return steps(["rustc", "--edition", "2021", *mode, "all.rs", "-o", "all"], ["./all"])
