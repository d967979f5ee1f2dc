"""Grade tests that are calls with expected values outside the solution's process: only values leave it, no verdicts.

Whatever a solution redefines, it must print the correct value. `core.py` says what each language defines; tests of any other form
run in the solution's process (`evaluation/tamper_protection/`).
"""

from __future__ import annotations

from collections.abc import Mapping

from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests
from hf_oss_instruct.evaluation.call_tests.languages import (
    cpp,
    csharp,
    d,
    go,
    java,
    javascript,
    lua,
    perl,
    php,
    r,
    racket,
    ruby,
    rust,
    shell,
)

LANGUAGES: Mapping[str, CallLanguage] = {
    "cpp": cpp.LANGUAGE,
    "csharp": csharp.LANGUAGE,
    "d": d.LANGUAGE,
    "go": go.LANGUAGE,
    "java": java.LANGUAGE,
    "javascript": javascript.LANGUAGE,
    "lua": lua.LANGUAGE,
    "perl": perl.LANGUAGE,
    "php": php.LANGUAGE,
    "r": r.LANGUAGE,
    "racket": racket.LANGUAGE,
    "ruby": ruby.LANGUAGE,
    "rust": rust.LANGUAGE,
    "shell": shell.LANGUAGE,
    "typescript": javascript.TYPESCRIPT,
}
"""The language's name in `languages.LANGUAGES` → how its tests are graded outside."""


def read(tests: str, language: str) -> CallTests | None:
    """Parse a test program into calls and expected values; None if that fails or the language is not supported.

    Args:
        tests: the test code that follows the program.
        language: its name in `languages.LANGUAGES`.
    """
    known = LANGUAGES.get(language)
    return known.read(tests) if known else None
