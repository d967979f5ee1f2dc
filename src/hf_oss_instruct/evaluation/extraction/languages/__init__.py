"""Extraction rules per language, one small file each."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules

_CLASSES = {
    "python": "Python",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "php": "Php",
    "shell": "Shell",
    "java": "Java",
    "csharp": "CSharp",
    "go": "Go",
    "cpp": "Cpp",
    "rust": "Rust",
    "ruby": "Ruby",
    "lua": "Lua",
    "perl": "Perl",
    "r": "R",
    "racket": "Racket",
    "d": "D",
    "julia": "Julia",
    "scala": "Scala",
    "swift": "Swift",
}


@cache
def is_supported(name: str) -> bool:
    """Whether programs of a language are extracted by its rules."""
    return name in _CLASSES


def language_of(name: str) -> ExtractionRules:
    """Return the rules of a language.

    Raises:
        UsageError: the language is not supported.
    """
    if name not in _CLASSES:
        raise UsageError(f"Extracting programs in {name!r} is not supported. Use one of: {', '.join(_CLASSES)}.")
    made = getattr(import_module(f"{__name__}.{name}"), _CLASSES[name])()
    assert isinstance(made, ExtractionRules)
    return made
