"""Detect the language of a file by its content where several languages share a suffix, with heuristics like Linguist's.

A rule is a pattern that practically never occurs in the other languages with that suffix. The first match decides; without a
match, the file is in the suffix's default language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from hf_oss_instruct.code import languages

MAX_CHARS = 50_000
"""Maximum number of characters of a file that are examined."""
OTHER = None
"""Stands for any language missing from the table of languages."""


@dataclass(frozen=True, slots=True)
class LanguagePattern:
    """A language, and a pattern that only occurs in its sources.

    Attributes:
        lang: a name of `languages.LANGUAGES`; `OTHER` for any other language.
        pattern: compiled with `re.MULTILINE`.
    """

    lang: str | None
    pattern: re.Pattern[str]


def _rule(lang: str | None, *patterns: str) -> LanguagePattern:
    return LanguagePattern(lang, re.compile("(?m)" + "|".join(patterns)))


XML = _rule(OTHER, r"\A\s*<\?xml\b", r"\A\s*<!DOCTYPE\b", r"\A\s*<(TS|svg|html|resources|manifest)\b")
RULES: dict[str, tuple[LanguagePattern, ...]] = {
    ".h": (
        # Objective-C
        _rule(OTHER, r"^[ \t]*@(interface|protocol|class|property|implementation|end)\b", r"^[ \t]*#[ \t]*import[ \t]+[<\"]"),
        _rule(
            "cpp",
            r"^[ \t]*#[ \t]*include[ \t]*<(algorithm|array|atomic|bitset|chrono|deque|functional|iostream|list|map|memory|mutex|"
            r"optional|queue|set|span|sstream|stack|string|string_view|tuple|type_traits|unordered_map|unordered_set|utility|variant|"
            r"vector|c(assert|math|stddef|stdint|stdio|stdlib|string))>",
            r"^[ \t]*template[ \t]*<",
            r"^[ \t]*(inline[ \t]+)?namespace\b[\w: \t]*(\{|$)",
            r"^[ \t]*using[ \t]+(namespace[ \t]+)?\w+",
            r"^[ \t]*class[ \t]+\w[\w \t:]*(\{|:|;|$)",
            r"^[ \t]*(public|private|protected)[ \t]*:",
            r"\bstd::\w",
            r"\b(constexpr|noexcept|nullptr)\b|\bstatic_cast<|\bvirtual[ \t]+\w|\boperator[ \t]*[=+*/<>!\[(-]",
        ),
    ),
    ".d": (
        # Make
        _rule(OTHER, r"^[^\s#:=;{}]+\.\w+([ \t]+[^\s#:=;{}]+)*[ \t]*:(?![=:])([ \t]|$)", r"^[^\s:#][^\n:;{}]*:[ \t][^\n;{}]*\\$"),
        # DTrace
        _rule(
            OTHER,
            r"^[ \t]*#pragma[ \t]+D[ \t]",
            r"^(BEGIN|END|(tick|profile)-\w+|\w*:\w*:\w*:\w*)[ \t]*($|\{|/)",
            r"^provider[ \t]+\w+",
        ),
        _rule(
            "d",
            r"^[ \t]*(module|((public|static|private)[ \t]+)?import)[ \t]+[\w.]+[^\n]*;",
            r"^[ \t]*(unittest|version[ \t]*\(\w+\)|mixin|alias|immutable|template)\b",
            r"^[ \t]*([\w@.!\[\]*]+[ \t]+)+\w+[ \t]*\([^;\n]*\)[^;\n]*$",
            r"^[ \t]*(struct|class|interface|enum)[ \t]+\w+",
        ),
        _rule(OTHER, r"\A"),
    ),
    ".pl": (
        _rule(
            "perl",
            r"\A#!.*\bperl",
            r"^[ \t]*(use|no)[ \t]+(strict|warnings|v?5)\b",
            r"^[ \t]*package[ \t]+[\w:]+[ \t]*[;{]",
            r"^[ \t]*(my|our|local)[ \t]*[ \t(][$@%]",
        ),
        # Prolog
        _rule(
            OTHER,
            r"^[ \t]*:-[ \t]*\w",
            r"^[a-z]\w*(\([^\n]*\))?[ \t]*(:-|-->)",
            r"^[a-z]\w*\([^;$@{}\n]*\)\.[ \t]*(%.*)?$",
        ),
        # Raku
        _rule(OTHER, r"^[ \t]*use[ \t]+v6\b", r"\A#!.*\b(raku|perl6)\b", r"^[ \t]*(unit|multi|grammar)[ \t]+\w+"),
        _rule(
            "perl", r"^[ \t]*sub[ \t]+\w+", r"[$@%]\w+", r"^[ \t]*(use|require)[ \t]+[\w:]+", r"^[ \t]*print\b", r"=~", r"^=\w+"
        ),
    ),
    ".pm": (
        _rule(
            OTHER,
            r"\A\s*/\* XPM",
            r"^[ \t]*use[ \t]+v6\b",
            r"^[ \t]*unit[ \t]+(module|class|role)\b",
            r"^grammar[ \t]+\w[\w:]*[ \t]*\{",
        ),
    ),
    ".r": (_rule(OTHER, r"(?i:\A\s*(#!.*\n)?rebol[ \t]*\[)"),),
    # RenderScript
    ".rs": (_rule(OTHER, r"^[ \t]*#[ \t]*pragma[ \t]+(rs|version)\b", r"^[ \t]*#[ \t]*include[ \t]*[<\"]"),),
    ".cs": (_rule(OTHER, r"![\w \t]+methodsFor: "),),  # Smalltalk
    # Standard ML
    ".ml": (
        _rule(
            OTHER,
            r"^[ \t]*(structure|signature|functor)[ \t]+\w+",
            r"^[ \t]*fun[ \t]+\w[\w']*[ \t(]",
            r"^[ \t]*val[ \t]+\w+[ \t]*=[ \t]*fn\b",
        ),
    ),
    # Euphoria
    ".ex": (
        _rule(
            OTHER,
            r"^[ \t]*((global|public|export)[ \t]+)?procedure[ \t]+\w+[ \t]*\(",
            r"^[ \t]*end[ \t]+(procedure|function|if)\b",
        ),
    ),
    ".php": (_rule(OTHER, r"\A\s*<\?hh\b"),),  # Hack
    ".ts": (),
    ".tsx": (),
}
"""Suffix → its rules, in the order they are tried. Files that match `XML` are excluded first."""
RULES[".exs"] = RULES[".ex"]
COMMENT = re.compile(r"(?s)/\*.*?\*/|//[^\n]*")
ONLY_CPP = re.compile(r"(?ms)^\s*#\s*if(?:def\s+|\s+defined\s*\(?\s*)__cplusplus\b.*?^\s*#\s*(?:else|elif|endif)\b")
"""The part of a C header that only C++ compilers see."""


def is_ambiguous(path: str | PurePosixPath) -> bool:
    """Whether a file's suffix belongs to several languages."""
    return PurePosixPath(path).suffix.lower() in RULES


def of_file(path: str | PurePosixPath, text: str) -> languages.Language | None:
    """Return the language of a file by its suffix, and by its content if that is ambiguous; None if it is not in the table.

    Args:
        path: its path; only the name is used.
        text: its content, or the first `MAX_CHARS` characters.
    """
    own, suffix = languages.language_of_path(path), PurePosixPath(path).suffix.lower()
    if own is None or suffix not in RULES:
        return own
    # With `\r` before it, `$` would not match at the end of a line.
    text = text[:MAX_CHARS].replace("\r\n", "\n")
    # PHP files may begin with HTML.
    if suffix != ".php" and XML.pattern.search(text):
        return None
    if suffix == ".h":
        # Comments mention words of other languages, and C headers often have a part for C++ compilers only.
        text = ONLY_CPP.sub("", COMMENT.sub("", text))
    rule = next((rule for rule in RULES[suffix] if rule.pattern.search(text)), None)
    return own if rule is None else languages.find_language(rule.lang)
