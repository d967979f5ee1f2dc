"""The commands that compile and run each language, and the packages they require."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hf_oss_instruct.code.languages import LANGUAGES
from hf_oss_instruct.errors import ToolchainMissingError, UsageError


@dataclass(frozen=True)
class Toolchain:
    """How programs of a language are compiled and run.

    In commands and in `env`, `{source}` is the source file, `{program}` the compiler's output, `{dir}` the working directory.

    Attributes:
        language: name of the language.
        source_name: name of the source file.
        compile: the compiler's command, or None.
        run: the command that runs the program.
        needs: executables that must be found.
        install: the line to type where they are not.
        limits_address_space: whether a limit on address space means a limit on memory; not with the JVM, Node.js, Go and Mono.
        env: further environment variables.
    """

    language: str
    source_name: str
    compile: tuple[str, ...] | None
    run: tuple[str, ...]
    needs: tuple[str, ...]
    install: str
    limits_address_space: bool = True
    env: Mapping[str, str] = field(default_factory=dict)


# Interpreted languages: file suffix, command, Debian package.
_INTERPRETED = {
    "python": ("py", "python3", "python3"),
    "shell": ("sh", "bash", "bash"),
    "perl": ("pl", "perl", "perl"),
    "php": ("php", "php", "php-cli"),
    "ruby": ("rb", "ruby", "ruby"),
    "lua": ("lua", "lua", "lua5.3"),
    "r": ("r", "Rscript", "r-base-core"),
    "racket": ("rkt", "racket", "racket"),
}
# Languages compiled to one file: suffix, compiler with its options, Debian package.
_COMPILED = {
    # -lm: gcc does not link the mathematical functions by itself, as g++ does.
    "c": ("c", "gcc -O2 {source} -o {program} -lm", "gcc"),
    "cpp": ("cpp", "g++ -std=c++17 {source} -o {program}", "g++"),
    # The tests of D are `unittest` blocks, which are compiled only with this flag.
    "d": ("d", "gdc -funittest {source} -o {program}", "gdc"),
    "rust": ("rs", "rustc --edition 2021 {source} -o {program}", "rustc"),
}
_DEBIAN = "apt-get install --no-install-recommends "


def _rows() -> Iterator[Toolchain]:
    for language, (suffix, command, package) in _INTERPRETED.items():
        yield Toolchain(language, f"program.{suffix}", None, (command, "{source}"), (command,), _DEBIAN + package)
    for language, (suffix, line, package) in _COMPILED.items():
        words = tuple(line.split())
        yield Toolchain(language, f"program.{suffix}", words, ("{program}",), words[:1], _DEBIAN + package)
    # These reserve far more address space than they use.
    yield Toolchain("javascript", "program.js", None, ("node", "{source}"), ("node",), _DEBIAN + "nodejs", False)
    yield Toolchain(
        "typescript",
        "program.ts",
        # As lenient as tsc 5 by default, which MultiPL-E uses; tsc's own declarations need no check.
        ("tsc", "--target", "esnext", "--strict", "false", "--skipLibCheck", "--outDir", "{dir}", "{source}"),
        ("node", "{dir}/program.js"),
        ("tsc", "node"),
        _DEBIAN + "nodejs npm && npm install --global typescript@7",
        False,
    )
    yield Toolchain(
        "java",
        "Main.java",
        # The process lives for about a second: the optimizing compiler and a multithreaded garbage collector would not pay off.
        (
            "javac",
            "-J-XX:TieredStopAtLevel=1",
            "-J-XX:+UseSerialGC",
            "-XDstringConcat=inline",  # each process would spend 0.05 s on preparing `invokedynamic` for its first string
            "-proc:none",
            "-encoding",
            "UTF8",
            "-d",
            "{dir}",
            "{source}",
        ),
        ("java", "-ea", "-Djava.io.tmpdir={dir}", "-cp", "{dir}", "Main"),  # assertions are off without -ea
        ("javac", "java"),
        _DEBIAN + "default-jdk-headless",
        False,
    )
    yield Toolchain(
        "csharp",
        "program.cs",
        # Without DEBUG, calls of Debug.Assert are not compiled.
        ("mcs", "-d:DEBUG", "-r:System.Numerics.dll", "-out:{program}", "{source}"),
        ("mono", "{program}"),
        ("mcs", "mono"),
        _DEBIAN + "mono-mcs mono-runtime libmono-system-numerics4.0-cil",
        False,
        {"MONO_TRACE_LISTENER": "Console.Error"},  # where Debug.Assert reports failures
    )
    yield Toolchain(
        "go",
        "program.go",
        ("go", "build", "-o", "{program}", "{source}"),
        ("{program}",),
        ("go",),
        _DEBIAN + "golang-go",
        False,
        # A single file has no go.mod.
        {"GO111MODULE": "off", "GOCACHE": "{dir}/.cache"},
    )


TOOLCHAINS: Mapping[str, Toolchain] = {row.language: row for row in _rows()}
_SYSTEM = "/usr/local/bin:/usr/bin:/bin"


def find_executable(name: str) -> str | None:
    """Return the path of an executable. System paths come first: one in a home folder may need files that the sandbox hides."""
    return shutil.which(name, path=f"{_SYSTEM}:{os.environ.get('PATH', '')}")


def missing_executables(row: Toolchain) -> list[str]:
    """Return the missing executables of a toolchain."""
    return [name for name in row.needs if not find_executable(name)]


def status() -> list[dict[str, Any]]:
    """Return for each language whether it is `ready`, else what to `install`; None for untested languages."""
    rows: list[dict[str, Any]] = []
    for language in LANGUAGES:
        row = TOOLCHAINS.get(language.name)
        ready = not missing_executables(row) if row else None
        rows.append({"language": language.name, "ready": ready, "install": row.install if row and not ready else None})
    return rows


def toolchain(language: str) -> Toolchain:
    """Return the toolchain of a language.

    Raises:
        UsageError: the language is not supported.
        ToolchainMissingError: it is not installed.
    """
    if language not in TOOLCHAINS:
        raise UsageError(f"Programs in {language!r} cannot be run. Use one of: {', '.join(TOOLCHAINS)}.")
    row = TOOLCHAINS[language]
    if missing_tools := missing_executables(row):
        raise ToolchainMissingError(f"{', '.join(missing_tools)} is not installed. Install it with: {row.install}")
    return row
