"""Suites as models write them for the frameworks, each proved by the framework itself: what they use of it, and what deceives with it."""

from __future__ import annotations

from importlib import import_module

from tests.verification.corpus.cases import Case

LANGUAGES = ("cpp", "java", "php", "ruby", "shell", "rust", "javascript", "go", "csharp")
CASES: list[Case] = [case for language in LANGUAGES for case in import_module(f"{__name__}.{language}").CASES]
