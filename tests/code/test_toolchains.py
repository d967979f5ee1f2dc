"""Does each language of the table run here: a greeting from its input, an exit code, a program that does not compile?"""

from __future__ import annotations

import json
import os

import pytest

from hf_oss_instruct.code.languages import LANGUAGES
from hf_oss_instruct.code.toolchains import TOOLCHAINS, missing_executables, status, toolchain
from hf_oss_instruct.errors import ToolchainMissingError, UsageError
from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.sandbox.limits import Execution
from hf_oss_instruct.sandbox.run import run_program
from tests.support.warm import BASE, COMMAND

GREETINGS = {
    "python": "import sys\nprint('hello', input())\nsys.exit(3)",
    "javascript": "console.log('hello', require('fs').readFileSync(0, 'utf8').trim()); process.exitCode = 3",
    "typescript": "declare var require: any, process: any;\nconst who: string =\n"
    "require('node:fs').readFileSync(0, 'utf8').trim(); console.log('hello', who); process.exitCode = 3",
    "java": "class Main { public static void main(String[] a) throws Exception { assert true;\n"
    'System.out.println("hello " + new java.util.Scanner(System.in).nextLine()); System.exit(3); } }',
    "cpp": "#include <bits/stdc++.h>\nint main() { std::string name; std::cin >> name;\n"
    'if (auto n = name.size(); n) std::cout << "hello " << name << std::endl; return 3; }',
    "c": '#include <stdio.h>\nint main(void) { char name[9]; scanf("%8s", name); printf("hello %s\\n", name); return 3; }',
    "csharp": "using System; using System.Numerics; class P { static int Main() {\n"
    'Console.WriteLine("hello " + Console.ReadLine()); return (int) BigInteger.Pow(3, 1); } }',
    "go": 'package main\nimport ("fmt"; "os")\n'
    'func main() { var who string; fmt.Scan(&who); fmt.Println("hello", who); os.Exit(3) }',
    "rust": "fn main() { let mut name = String::new(); std::io::stdin().read_line(&mut name).unwrap();\n"
    'println!("hello {}", name.trim()); std::process::exit(3) }',
    "php": "<?php echo 'hello ', trim(fgets(STDIN)), \"\\n\"; exit(3);",
    "shell": "read name; echo hello $name; exit 3",
    "ruby": "puts 'hello ' + gets; exit 3",
    "perl": 'my $name = <STDIN>; print "hello $name"; exit 3;',
    "lua": "print('hello ' .. io.read()); os.exit(3)",
    "r": 'cat("hello", readLines(file("stdin"), 1), "\\n"); quit(status = 3)',
    "racket": '#lang racket\n(printf "hello ~a\\n" (read-line)) (exit 3)',
    "d": 'import std.stdio, std.string;\nint main() { writeln("hello ", readln().strip()); return 3; }',
}
FAILED_ASSERTIONS = {
    "java": "class Main { public static void main(String[] a) { assert 1 > 2; } }",
    "csharp": "using System.Diagnostics; class P { static void Main() { Debug.Assert(1 > 2); } }",
    "d": "unittest { assert(1 > 2); }\nvoid main() {}",
    "typescript": "declare var require: any;\nrequire('node:assert').strictEqual(1, 2)",
}


def ran(source: str, language: str, stdin: str = "", tier: str | None = None) -> Execution:
    """The program's run in the sandbox; without its toolchain the test is skipped, but never where CI installs them all."""
    lacking = missing_executables(TOOLCHAINS[language])
    if lacking and not os.environ.get("CI"):
        pytest.skip(f"{', '.join(lacking)} is not installed. Install it with: {TOOLCHAINS[language].install}")
    return run_program(source, language, stdin, tier=tier)


def test_every_language_of_the_table_is_greeted() -> None:
    assert set(GREETINGS) == set(TOOLCHAINS)
    assert set(TOOLCHAINS) <= {language.name for language in LANGUAGES}


@pytest.mark.parametrize("tier", [tier.name for tier in available_tiers()])
@pytest.mark.parametrize("language", GREETINGS)
def test_a_program_reads_its_input_and_leaves_with_its_code(language: str, tier: str) -> None:
    found = ran(GREETINGS[language], language, "world\n", tier)
    assert (found.stdout.split(), found.exit_code, found.status) == (["hello", "world"], 3, "failed"), found


@pytest.mark.parametrize("language", [row.language for row in TOOLCHAINS.values() if row.compile])
def test_what_does_not_compile_is_told_from_what_fails(language: str) -> None:
    found = ran("this is (no program", language)
    assert found.status == "compile_error", found


@pytest.mark.parametrize("language", FAILED_ASSERTIONS)
def test_assertions_are_switched_on(language: str) -> None:
    found = ran(FAILED_ASSERTIONS[language], language)
    said = "DefaultTraceListener.Fail" in found.stderr or found.status == "failed"  # Mono goes on after it
    assert said, found


def test_typescript_is_as_loose_as_multipl_es_compiler() -> None:
    found = ran(
        "function f(x: number[], y): number { let s: string = null; return x.pop(); }\nconsole.log(f([1], 2))", "typescript"
    )
    assert (found.status, found.stdout) == ("ok", "1\n"), found
    assert ran("const x: number = 'text'", "typescript").status == "compile_error"


def test_a_missing_toolchain_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hf_oss_instruct.code.toolchains._SYSTEM", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolchainMissingError, match=r"rustc is not installed\. Install it with: apt-get install .*rustc"):
        toolchain("rust")
    rows = {row["language"]: row for row in status()}
    assert not rows["rust"]["ready"]
    assert rows["swift"] == {"language": "swift", "ready": None, "install": None}


def test_a_language_without_a_row_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(UsageError, match=r"'swift' cannot be run\. Use one of: python, "):
        toolchain("swift")


def test_env_shows_which_languages_are_ready() -> None:
    command = [COMMAND, "env", "--languages"]
    shown = BASE.run(command, check=True).stdout
    assert "- python: ready" in shown
    assert "- swift: no runner: hf-oss-instruct does not run programs in it\n" in shown
    rows = json.loads(BASE.run([*command, "--format", "json"], check=True).stdout)
    assert len(rows) == len(shown.splitlines()) == len(LANGUAGES)
    for row, line in zip(rows, shown.splitlines(), strict=True):
        end = "no runner" if row["ready"] is None else "ready" if row["ready"] else f"not installed: {row['install']}"
        assert line.startswith(f"- {row['language']}: {end}")
