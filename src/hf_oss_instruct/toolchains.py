"""Which commands compile and run a language, and what has to be installed for it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from hf_oss_instruct.errors import ToolchainMissing, UsageError


@dataclass(frozen=True)
class Toolchain:
    """How programs of a language are compiled and run.

    In commands and in `env`, `{source}` is the source file, `{program}` what the compiler makes, `{dir}` the work folder.

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


_TABLE = {
    row.language: row
    for row in (
        Toolchain("python", "program.py", None, ("python3", "{source}"), ("python3",), "apt-get install python3"),
        Toolchain("c", "program.c", ("gcc", "-O2", "{source}", "-o", "{program}", "-lm"), ("{program}",), ("gcc",), "apt-get install gcc"),  # noqa: E501
        Toolchain("cpp", "program.cpp", ("g++", "-std=c++17", "{source}", "-o", "{program}"), ("{program}",), ("g++",), "apt-get install g++"),  # noqa: E501
        Toolchain("shell", "program.sh", None, ("bash", "{source}"), ("bash",), "apt-get install bash"),
        Toolchain("perl", "program.pl", None, ("perl", "{source}"), ("perl",), "apt-get install perl"),
        Toolchain("javascript", "program.js", None, ("node", "{source}"), ("node",), "apt-get install nodejs", False),
        Toolchain(
            "java",
            "Main.java",
            ("javac", "-d", "{dir}", "{source}"),
            ("java", "-cp", "{dir}", "Main"),
            ("javac", "java"),
            "apt-get install default-jdk-headless",
            False,
        ),
    )
}  # fmt: skip


def toolchain(language: str) -> Toolchain:
    """The toolchain of a language.

    Raises:
        UsageError: there is none for a language of this name.
        ToolchainMissing: it is not installed.
    """
    if language not in _TABLE:
        raise UsageError(f"Programs in {language!r} are not run here. Use one of: {', '.join(_TABLE)}.")
    row = _TABLE[language]
    if missing := [name for name in row.needs if not shutil.which(name)]:
        raise ToolchainMissing(f"{', '.join(missing)} is not installed. Install it with: {row.install}")
    return row
