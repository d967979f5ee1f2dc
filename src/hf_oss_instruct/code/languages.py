"""The table of programming languages, with their names in other tools. To add a language, add a row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from hf_oss_instruct.errors import UsageError


@dataclass(frozen=True, slots=True)
class Language:
    """One programming language.

    Attributes:
        name: the name in column `lang` and in `--languages` (Magicoder's spelling where it has one).
        title: the name in prose.
        suffixes: file suffixes, lower case with the dot.
        fence: the tag of a Markdown fence.
        aliases: other spellings in The Stack, starcoderdata and Linguist, lower case.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    fence: str
    aliases: tuple[str, ...] = ()


LANGUAGES: tuple[Language, ...] = (
    Language("python", "Python", (".py", ".pyi", ".pyw"), "python"),
    Language("cpp", "C++", (".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx"), "cpp", ("c++",)),
    Language("java", "Java", (".java",), "java"),
    Language("typescript", "TypeScript", (".ts", ".tsx", ".mts", ".cts"), "typescript", ("tsx",)),
    Language("shell", "Shell", (".sh", ".bash", ".zsh", ".ksh"), "bash", ("bash", "sh")),
    Language("csharp", "C#", (".cs",), "csharp", ("c#", "c-sharp")),
    Language("rust", "Rust", (".rs",), "rust"),
    Language("php", "PHP", (".php",), "php"),
    Language("swift", "Swift", (".swift",), "swift"),
    Language("c", "C", (".c", ".h"), "c"),
    Language("javascript", "JavaScript", (".js", ".mjs", ".cjs", ".jsx"), "javascript", ("jsx",)),
    Language("go", "Go", (".go",), "go", ("golang",)),
    Language("ruby", "Ruby", (".rb",), "ruby"),
    Language("kotlin", "Kotlin", (".kt", ".kts"), "kotlin"),
    Language("scala", "Scala", (".scala",), "scala"),
    Language("lua", "Lua", (".lua",), "lua"),
    Language("perl", "Perl", (".pl", ".pm"), "perl"),
    Language("r", "R", (".r",), "r"),
    Language("julia", "Julia", (".jl",), "julia"),
    Language("haskell", "Haskell", (".hs",), "haskell"),
    Language("elixir", "Elixir", (".ex", ".exs"), "elixir"),
    Language("ocaml", "OCaml", (".ml", ".mli"), "ocaml"),
    Language("dart", "Dart", (".dart",), "dart"),
    Language("d", "D", (".d",), "d"),
    Language("racket", "Racket", (".rkt",), "racket"),
    Language("clojure", "Clojure", (".clj", ".cljs"), "clojure"),
    Language("tcl", "Tcl", (".tcl",), "tcl"),
    Language("sql", "SQL", (".sql",), "sql"),
)

_BY_NAME = {spelling: lang for lang in LANGUAGES for spelling in (lang.name, lang.title.lower(), *lang.aliases)}
_BY_SUFFIX = {suffix: lang for lang in LANGUAGES for suffix in lang.suffixes}


def find_language(name: str | None) -> Language | None:
    """The language that goes by this name anywhere (`C++`, `c-sharp`, `TypeScript`), or None."""
    return _BY_NAME.get(name.lower()) if isinstance(name, str) else None


def named(name: str) -> Language:
    """The language of this name.

    Raises:
        UsageError: no row of the table has this name; the message lists those that exist.
    """
    language = find_language(name)
    if language is None:
        known = ", ".join(lang.name for lang in LANGUAGES)
        raise UsageError(f"Unknown language {name!r}. Use one of: {known}.")
    return language


def title_of(name: str) -> str:
    """The name of a language as people write it (`C++`); the name itself if the language is unknown."""
    language = find_language(name)
    return language.title if language else name


def language_of_path(path: str | PurePosixPath) -> Language | None:
    """The language of a file by its suffix, or None."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lower())
