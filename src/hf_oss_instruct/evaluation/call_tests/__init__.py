"""Tests that are calls with expected values, graded outside of the solution's process: values leave it, verdicts do not enter.

A solution may redefine what it likes: it has to print the right value. `core.py` says what a language defines; tests of another
shape run in the solution's process (`evaluation/guards/`).
"""

from __future__ import annotations

from collections.abc import Mapping

from hf_oss_instruct.evaluation.call_tests import (
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
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests

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
"""The language's name in `languages.LANGUAGES` → how its tests are graded from outside."""


def read(tests: str, language: str) -> CallTests | None:
    """The calls and expected values of a test program; None if they cannot be told apart, or nothing is known of the language.

    Args:
        tests: the text after the program.
        language: as in `languages.LANGUAGES`.
    """
    known = LANGUAGES.get(language)
    return known.read(tests) if known else None
