"""The folder `tests/` of a Harbor task: `test.sh`, and the files to run the tests in a container without this package."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import hf_oss_instruct.errors as errors
from hf_oss_instruct.code.python_syntax import parse_module
from hf_oss_instruct.code.toolchains import TOOLCHAINS
from hf_oss_instruct.evaluation import tamper_protection
from hf_oss_instruct.exports.templates import render
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.sandbox import inside
from hf_oss_instruct.sandbox.judging import sentinel
from hf_oss_instruct.verification.suites import LANGUAGES, core, read_suite
from hf_oss_instruct.verification.suites.core import Suite, SuiteRefusedError

PACKAGE = Path(__file__).parents[1]
FRAMEWORKS = Path(str(inside.__file__)).with_name("frameworks.py")
"""The part of pytest and unittest that tests use; a task needs no package for it."""
COMBINES_TEXT = (errors, sentinel, tamper_protection)
"""What puts a program and its tests into one text, in languages whose single tests are not known."""
SUITES = Path(str(core.__file__)).parent
"""The folder with a file for each language whose tests can be run one by one."""


def solution_name(tests: RowTests) -> str:
    """The name of the file that a solution is written to."""
    source = TOOLCHAINS[tests.language].source_name
    return source if tests.pairs else f"solution{Path(source).suffix}"


def verifier_files(tests: RowTests) -> dict[str, str]:
    """The files of the folder: path → text.

    Args:
        tests: the tests of a row, in a language that has a toolchain.

    Raises:
        SuiteRefusedError: the tests cannot be run.
    """
    if tests.pairs:
        return _pairs(tests)
    return _python(tests) if tests.language == "python" else _other(tests)


def _pairs(tests: RowTests) -> dict[str, str]:
    """Inputs and outputs, compared by the script itself."""
    tools = TOOLCHAINS[tests.language]
    env = " ".join(f"{name}={shlex.quote(value.replace('{dir}', '.'))}" for name, value in tools.env.items())

    def line(words: Sequence[str]) -> str:
        placeholders = {"{source}": tools.source_name, "{program}": "./program", "{dir}": "."}
        return f"{env} {shlex.join(_filled(word, placeholders) for word in words)}".strip()

    script = render("test_pairs.sh", file=tools.source_name, compile=line(tools.compile or ["true"]), run=line(tools.run))
    cases = {f"cases/{number:04d}.in": given for number, (given, _) in enumerate(tests.pairs)}
    cases |= {f"cases/{number:04d}.out": expected for number, (_, expected) in enumerate(tests.pairs)}
    return {"test.sh": script, **cases}


def _filled(word: str, placeholders: dict[str, str]) -> str:
    for placeholder, value in placeholders.items():
        word = word.replace(placeholder, value)
    return word


def _python(tests: RowTests) -> dict[str, str]:
    """Python tests, each run after an import of the solution."""
    code = [f"assert {tests.function}(*{given!r}) == {expected!r}" for given, expected in tests.calls] or list(tests.code)
    suite = read_suite(code, "python", tests.solution)
    job = {
        "aliases": ["solution", *suite.aliases],
        "separate": suite.separate,
        "preamble": suite.preamble,
        "tests": [{"kind": test.kind, "name": test.name, "text": test.text} for test in suite.tests],
    }
    return {
        "test.sh": render("test_python.sh"),
        "run_tests.py": render("run_tests.py"),
        "frameworks.py": FRAMEWORKS.read_text("utf-8"),
        "tests.json": json.dumps(job, indent=1),
    }


def _other(tests: RowTests) -> dict[str, str]:
    """Tests in another language: put together with the solution in the container, by the code that also verifies pairs."""
    tools, suite = TOOLCHAINS[tests.language], _suite(tests)
    job: dict[str, Any] = {
        "language": tests.language,
        "source": tools.source_name,
        "compile": tools.compile,
        "compile_goes_on": tests.language == "typescript",  # its compiler emits a program despite type errors
        "run": tools.run,
        "env": dict(tools.env),
    }
    if suite:
        name = LANGUAGES[tests.language]  # one for JavaScript and TypeScript
        own = [path for path in sorted(SUITES.glob("*.*")) if path.stem == name or path.stem.startswith(f"{name}_")]
        library = _library(_with_imports(own))
        job |= {"core": core.__name__, "module": f"{core.__package__}.{name}", "suite": asdict(suite)}
    else:
        library = _library(_files(COMBINES_TEXT))
        job |= {"sentinel": sentinel.__name__, "protection": tamper_protection.__name__, "tests": "\n".join(tests.code)}
    return {
        "test.sh": render("test_other.sh", file=solution_name(tests)),
        "run_tests.py": render("run_other_tests.py"),
        "tests.json": json.dumps(job, indent=1),
        **library,
    }


def _suite(tests: RowTests) -> Suite | None:
    """The single tests; None if they are not known."""
    if tests.language not in LANGUAGES:
        return None
    try:
        return read_suite(tests.code, tests.language, tests.solution)
    except SuiteRefusedError as refused:
        # Tests that only cannot be divided still run as a whole; those that need what the container lacks do not.
        if refused.reason == "not_verifiable":
            raise
        return None


def _files(modules: Sequence[ModuleType]) -> list[Path]:
    """The files of modules; of a package, those in its folder."""
    files = []
    for module in modules:
        path = Path(str(module.__file__))
        files += [file for file in sorted(path.parent.iterdir()) if file.is_file()] if path.name == "__init__.py" else [path]
    return files


def _with_imports(paths: Sequence[Path]) -> list[Path]:
    """Files of this package, those that they import, those that these import, and so on."""
    known, new = dict.fromkeys(paths), list(paths)
    while new:
        path = new.pop()
        tree = parse_module(path.read_text("utf-8")) if path.suffix == ".py" else ast.Module([], [])
        parts = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        modules = {part.module or "" for part in parts} | {f"{part.module}.{name.name}" for part in parts for name in part.names}
        files = [PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py") for module in sorted(modules)]
        imported = [file for file in files if file.is_relative_to(PACKAGE) and file.is_file()]
        new += [file for file in imported if file not in known]
        known |= dict.fromkeys(imported)
    return list(known)


def _library(paths: Sequence[Path]) -> dict[str, str]:
    """Files of this package for the container, with empty modules above them: importing them then imports nothing else."""
    texts = {}
    for path in paths:
        inside = path.relative_to(PACKAGE.parent)
        texts[f"lib/{inside.as_posix()}"] = path.read_text("utf-8")
        for folder in list(inside.parents)[:-1]:
            texts.setdefault(f"lib/{folder.as_posix()}/__init__.py", "")
    return texts
